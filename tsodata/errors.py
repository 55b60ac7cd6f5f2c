"""Everything that can be refused, as one tree.

    TsoError
    ├── DataError            exit 1   the data asked for or handed in is not usable
    │   ├── ImportRefusedError        a whole file cannot be read; row-level refusals are counted, not raised
    │   ├── EmptyPoolError            a recipe's pool has no material
    │   │   └── ShortPoolError        a pool has not as much as was asked for
    │   ├── ExportRefusedError        an export would be incomplete or would overwrite another
    │   └── ChatTemplateError         a tokenizer's chat template refuses a conversation
    ├── UsageError           exit 2   a name, option, recipe or query that cannot be meant
    │   ├── RecipeError
    │   ├── RubricError
    │   ├── QueryError
    │   ├── UnknownNameError          no such build, pair, cell, query
    │   └── EndpointError             a model's endpoint refuses the key, or everything
    ├── ParkedError          exit 75  a model's endpoint wants to be left alone for longer than we wait
    └── StoreError           exit 3   the store cannot be used now, or not by this version
        ├── StoreBusyError            another process holds it
        ├── StoreMissingError
        ├── StoreDamagedError         rows that were stored are missing, or the file cannot be read
        ├── StoreTooNewError          a newer version of tso has written it
        └── ForeignStoreError         not a store, or not as we left it

Every message is one line: what, where, and the way out. Only `cli/` turns an error into an exit code.
"""

from __future__ import annotations


class TsoError(Exception):
    """Base of every error that is the caller's to answer."""


class DataError(TsoError):
    """The data is not usable as asked."""


class ImportRefusedError(DataError):
    """A whole file cannot be read."""


class EmptyPoolError(DataError):
    """A recipe's pool has no material, or not as much as was asked for."""


class ShortPoolError(EmptyPoolError):
    """A pool has not as much as was asked for; `shortfall` tells what would be needed (`tsodata.builds.Shortfall`)."""

    def __init__(self, message: str, *, shortfall: object) -> None:
        super().__init__(message)
        self.shortfall = shortfall


class ExportRefusedError(DataError):
    """An export would be incomplete, or would overwrite something else."""


class ChatTemplateError(DataError):
    """A tokenizer's chat template refuses a conversation; the message has its words."""


class UsageError(TsoError):
    """A name, option, recipe or query that cannot be meant."""


class RecipeError(UsageError):
    """A recipe that cannot be read."""


class RubricError(UsageError):
    """A rubric that cannot be read, or a place of its template that nothing fills."""


class QueryError(UsageError):
    """A query that the store refuses, or its parameters."""


class UnknownNameError(UsageError):
    """Nothing in the store goes by this name."""


class EndpointError(UsageError):
    """The endpoint of a model refuses the key, or everything that it is asked."""


class ParkedError(TsoError):
    """The endpoint of a model wants to be left alone for longer than we wait; the same command goes on later."""


class StoreError(TsoError):
    """The store cannot be used."""


class StoreBusyError(StoreError):
    """Another process holds the store; `pid` is its process id where it is known."""

    def __init__(self, message: str, pid: int | None = None) -> None:
        super().__init__(message)
        self.pid = pid


class StoreMissingError(StoreError):
    """There is no store at the path."""


class StoreDamagedError(StoreError):
    """Rows that were reported as stored are missing, or the file or its log cannot be read."""


class StoreTooNewError(StoreError):
    """A newer version of tso has written the store."""


class ForeignStoreError(StoreError):
    """The file is not a store, or its schema is not what this version has applied."""
