"""Exit codes, and the one place that turns an error into one."""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Callable, Mapping
from enum import IntEnum
from pathlib import Path
from typing import ParamSpec

import typer

from tsodata.errors import DataError, ParkedError, StoreError, TsoError, UsageError
from tsotrain.errors import DivergedError

from .legible import legible

P = ParamSpec("P")
_DATABASE_PATHS = ("store", "parquet")


class ExitCode(IntEnum):
    """What a command's exit code says."""

    DONE = 0
    REFUSED = 1  # data was refused, all or some of it
    USAGE = 2  # a name, option, recipe or query that cannot be meant
    STORE = 3  # the store is busy, missing, too new or foreign
    DIVERGED = 4  # training diverged
    TRY_LATER = 75
    INTERRUPTED = 130


def narrate(text: str) -> None:
    """Say something to the person at the terminal, on stderr."""
    print(legible(text), file=sys.stderr, flush=True)


def guarded(command: Callable[P, None]) -> Callable[P, None]:
    """Return the command with its errors as one line on stderr and an exit code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                signal.signal(number, signal.default_int_handler)
        try:
            _refuse_broken_texts(kwargs)
            command(*args, **kwargs)
            sys.stdout.flush()
        except TsoError as error:
            narrate(f"{_program()}: error: {error}")
            raise typer.Exit(_code(error)) from None
        except KeyboardInterrupt:
            narrate(f"{_program()}: interrupted; what was reported as stored is stored, and running it again goes on")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(ExitCode.DONE) from None

    return run


def _refuse_broken_texts(arguments: Mapping[str, object]) -> None:
    """Refuse bytes that are no UTF-8 where the database would get them; other paths may have any name."""
    for name, value in arguments.items():
        for given in value if isinstance(value, list) else [value]:
            if isinstance(given, str) or (isinstance(given, Path) and name in _DATABASE_PATHS):
                try:
                    str(given).encode()
                except UnicodeEncodeError:
                    raise UsageError(f"{name} {str(given)!r} is not UTF-8; type it anew") from None


def _program() -> str:
    return Path(sys.argv[0]).stem


def _code(error: TsoError) -> ExitCode:
    if isinstance(error, DivergedError):
        return ExitCode.DIVERGED
    if isinstance(error, ParkedError):
        return ExitCode.TRY_LATER
    if isinstance(error, StoreError):
        return ExitCode.STORE
    return ExitCode.REFUSED if isinstance(error, DataError) else ExitCode.USAGE
