"""From rows of pairs to token ids, through the policy's own chat template.

A row holds `pair_id`, `prompt` (messages), `chosen` and `rejected` (texts), as `tso-data export --to parquet` has them.
The prompt's tokens must begin those of prompt and answer, or the row is refused: a template that rewrites earlier turns
would train on other tokens than those that were generated. Too long a prompt loses its beginning, too long a response
its end; both are counted, and pairs that become equal are refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsotrain.batching import Example
from tsotrain.config import StageConfig
from tsotrain.errors import TrainError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SIDES = ("chosen", "rejected")
Messages = Sequence[Mapping[str, str]]


@dataclass(slots=True)
class Tokenized:
    """The examples to train on, and what became of the rows. `examples + refused` are the rows."""

    examples: list[Example] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)

    @property
    def n_tokens(self) -> int:
        """Return the tokens of an epoch, every response with its prompt."""
        return sum(example.n_real_tokens for example in self.examples)

    def describe(self) -> str:
        """Return the sums in one line."""
        n_rows = len(self.examples) + self.refused.total()
        refused = "".join(f", {n} refused ({reason})" for reason, n in sorted(self.refused.items()))
        cut = "".join(f", {n} {side} cut" for side, n in sorted(self.cut.items()))
        return f"{n_rows} pairs = {len(self.examples)} to train on{refused or ', 0 refused'}{cut}"


def read_pairs(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a Parquet file of pairs.

    Raises:
        TrainError: the file cannot be read, or lacks a column.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise TrainError(f"{path}: not a readable Parquet file: {str(error).splitlines()[0]}") from error
    missing = [name for name in ("pair_id", "prompt", *SIDES) if name not in table.column_names]
    if missing:
        raise TrainError(f"{path}: no column {missing[0]!r}; write it with tso-data export --to parquet")
    rows: list[dict[str, Any]] = table.select(["pair_id", "prompt", *SIDES]).to_pylist()
    return rows


def tokenize_pairs(
    rows: Iterable[Mapping[str, Any]], tokenizer: PreTrainedTokenizerBase, config: StageConfig
) -> Tokenized:
    """Return the examples of rows of pairs.

    Raises:
        TrainError: no row can be trained on.
    """
    found = Tokenized()
    for row in rows:
        _add_pair(found, row, tokenizer, config)
    if not found.examples:
        raise TrainError(f"no pair to train on: {found.describe()}")
    return found


def _add_pair(
    found: Tokenized, row: Mapping[str, Any], tokenizer: PreTrainedTokenizerBase, config: StageConfig
) -> None:
    prompt = _template(tokenizer, row["prompt"], is_prompt=True)
    responses = []
    for side in SIDES:
        answer = {"role": "assistant", "content": row[side]}
        whole = _template(tokenizer, [*row["prompt"], answer], is_prompt=False)
        if whole[: len(prompt)] != prompt or len(whole) == len(prompt):
            found.refused["the prompt's tokens do not begin those of prompt and answer"] += 1
            return
        response = whole[len(prompt) :]
        found.cut[side] += len(response) > config.max_response_tokens
        responses.append(tuple(response[: config.max_response_tokens]))
    if responses[0] == responses[1]:
        found.refused["both sides are equal, in tokens and once cut"] += 1
        return
    found.cut["prompt"] += len(prompt) > config.max_prompt_tokens
    found.examples.append(Example(row["pair_id"], tuple(prompt[-config.max_prompt_tokens :]), tuple(responses)))


def _template(tokenizer: PreTrainedTokenizerBase, messages: Messages, *, is_prompt: bool) -> list[int]:
    turns = [dict(message) for message in messages]
    try:
        ids = tokenizer.apply_chat_template(turns, add_generation_prompt=is_prompt, tokenize=True, return_dict=False)
    except Exception as error:  # a template is a program of its own and may raise anything
        raise TrainError(f"the chat template refuses a conversation: {str(error).splitlines()[0]}") from error
    return list(ids)
