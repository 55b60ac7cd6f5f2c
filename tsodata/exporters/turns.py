"""Lists of messages as Arrow arrays: an answer as a conversation of one turn, a prompt with its answer behind it.

Works on whole columns, so a million pairs take seconds. Knows no format's columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

ROLE_FIRST = ("role", "content")  # TRL, and the store
CONTENT_FIRST = ("content", "role")  # H4


def turn_type(order: tuple[str, ...] = ROLE_FIRST) -> pa.DataType:
    """Return the type of one message whose two fields stand in this order."""
    import pyarrow as pa

    return pa.struct([pa.field(name, pa.string()) for name in order])


def turns_type(order: tuple[str, ...] = ROLE_FIRST) -> pa.DataType:
    """Return the type of a list of messages whose two fields stand in this order."""
    import pyarrow as pa

    return pa.list_(turn_type(order))


def assistant_turns(texts: pa.Array) -> pa.Array:
    """Return one assistant message per text, role first."""
    return _messages(_assistant(len(texts)), texts, ROLE_FIRST)


def one_answer(texts: pa.Array) -> pa.Array:
    """Return lists of one assistant message, one per text, role first."""
    import pyarrow as pa

    offsets = pa.array(range(len(texts) + 1), pa.int32())
    return pa.ListArray.from_arrays(offsets, assistant_turns(texts))


def first_user_turns(prompts: pa.Array) -> pa.Array:
    """Return the content of each prompt's first user turn; every prompt has one."""
    import pyarrow as pa
    from pyarrow import compute as pc

    turns = prompts.flatten()
    is_user = pc.equal(turns.field("role"), "user")
    rows = pc.list_parent_indices(prompts).filter(is_user)
    firsts = pc.index_in(pa.array(range(len(prompts)), rows.type), value_set=rows)
    return turns.field("content").filter(is_user).take(firsts)


def with_answer(prompts: pa.Array, texts: pa.Array, *, order: tuple[str, ...] = CONTENT_FIRST) -> pa.Array:
    """Return the prompts' turns with the text as the assistant's turn behind them, the fields in this order."""
    import pyarrow as pa
    from pyarrow import compute as pc

    n_rows = len(texts)
    asked = prompts.flatten()
    roles = pa.concat_arrays([asked.field("role"), _assistant(n_rows)])
    contents = pa.concat_arrays([asked.field("content"), texts])
    row_of_turn = pa.concat_arrays([pc.list_parent_indices(prompts), pa.array(range(n_rows), pa.int64())])
    by_row = pc.sort_indices(row_of_turn)  # a stable sort: the answer, last in the array, comes last in its row
    n_turns = pc.add(pc.list_value_length(prompts), 1)
    offsets = pc.cumulative_sum(pa.concat_arrays([pa.array([0]), n_turns.cast(pa.int64())])).cast(pa.int32())
    return pa.ListArray.from_arrays(offsets, _messages(roles.take(by_row), contents.take(by_row), order))


def _assistant(n_rows: int) -> pa.Array:
    import pyarrow as pa

    return pa.repeat("assistant", n_rows)


def _messages(roles: pa.Array, contents: pa.Array, order: tuple[str, ...]) -> pa.Array:
    import pyarrow as pa

    fields = {"role": roles, "content": contents}
    return pa.StructArray.from_arrays([fields[name] for name in order], names=list(order))
