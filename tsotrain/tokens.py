"""From pairs, lists and records to token ids, through the policy's own chat template.

A row of pairs holds `pair_id`, `prompt` (messages), `chosen` and `rejected` (texts), as `tso-data export --to parquet`
has them; one of lists `prompt_id`, `prompt` and `responses`, as `--to ranked` has them. Of a record the last turn is
learnt, and all that stands before it is its prompt. The prompt's tokens must begin those of prompt and answer, or the
row is refused: a template that rewrites earlier turns would train on other tokens than those that were generated. Too
long a prompt loses its beginning. Too long a response of a pair or a list loses its end, and where responses become
equal their row is refused; a record is refused instead, for a judge's score stands at its end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tsodata.conversations import Turns, answer_tokens, render, tokenize
from tsodata.errors import ChatTemplateError
from tsotrain.batching import Example
from tsotrain.config import TrainConfig
from tsotrain.errors import TrainError
from tsotrain.records import ChatRecord, Refusal

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SIDES = ("chosen", "rejected")
_CHUNK_ROWS = 256  # ours: conversations that are tokenised together; one by one takes three times as long
_NO_PREFIX = "the prompt's tokens do not begin those of prompt and answer"


@dataclass(slots=True)
class Tokenized:
    """The examples to train on and those held out, and what became of the rows: these and the refused are all."""

    noun: str  # of the rows
    examples: list[Example] = field(default_factory=list)
    held_out: list[Example] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)  # the first row of each reason
    cut: Counter[str] = field(default_factory=Counter)

    @property
    def n_tokens(self) -> int:
        """Return the tokens of an epoch, every response with its prompt."""
        return sum(example.n_real_tokens for example in self.examples)

    def refuse(self, where: str, reason: str) -> None:
        """Count a row that is refused."""
        self.refused[reason] += 1
        self.first.setdefault(reason, where)

    def describe(self) -> str:
        """Return the sums in one line."""
        n_rows = len(self.examples) + len(self.held_out) + self.refused.total()
        held_out = f", {len(self.held_out)} held out" if self.held_out else ""
        refused = "".join(
            f", {n} refused ({reason}; first {self.first[reason]})" for reason, n in sorted(self.refused.items())
        )
        cut = "".join(f", {n} {side} cut" for side, n in sorted(self.cut.items()) if n)
        return f"{n_rows} {self.noun} = {len(self.examples)} to train on{held_out}{refused or ', 0 refused'}{cut}"


def read_rows(path: Path, columns: Sequence[str], *, to: str) -> list[dict[str, Any]]:
    """Return columns of the rows of a Parquet file; `to` is the export format that writes it.

    Raises:
        TrainError: the file cannot be read, or lacks a column.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise TrainError(f"{path}: not a readable Parquet file: {str(error).splitlines()[0]}") from error
    missing = [name for name in columns if name not in table.column_names]
    if missing:
        raise TrainError(f"{path}: no column {missing[0]!r}; write it with tso-data export --to {to}")
    rows: list[dict[str, Any]] = table.select(list(columns)).to_pylist()
    return rows


def tokenize_pairs(
    rows: Iterable[Mapping[str, Any]], tokenizer: PreTrainedTokenizerBase, config: TrainConfig
) -> Tokenized:
    """Return the examples of rows of pairs.

    Raises:
        TrainError: no row can be trained on.
    """
    found = Tokenized("pairs")
    sides = [_Ranked(row["pair_id"], row["prompt"], [row[side] for side in SIDES]) for row in rows]
    return _tokenize_ranked(found, sides, tokenizer, config, equal="both sides are equal")


def tokenize_lists(
    rows: Iterable[Mapping[str, Any]], tokenizer: PreTrainedTokenizerBase, config: TrainConfig
) -> Tokenized:
    """Return the examples of rows of ranked lists, in their order.

    Raises:
        TrainError: no row can be trained on.
    """
    found = Tokenized("lists")
    lists = [_Ranked(row["prompt_id"], row["prompt"], row["responses"]) for row in rows]
    return _tokenize_ranked(found, lists, tokenizer, config, equal="two answers are equal")


class _Ranked(NamedTuple):
    example_id: str
    prompt: Turns
    answers: Sequence[str]


def _tokenize_ranked(
    found: Tokenized,
    rows: Sequence[_Ranked],
    tokenizer: PreTrainedTokenizerBase,
    config: TrainConfig,
    *,
    equal: str,
) -> Tokenized:
    conversations = [_Conversation(row.prompt, tuple(row.answers)) for row in rows]
    seen: set[str] = set()
    for row, tokens in zip(rows, _iter_tokens(tokenizer, conversations), strict=True):
        problem = tokens if isinstance(tokens, str) else None
        if row.example_id in seen:
            problem = f"an earlier {found.noun[:-1]} has its id"
        elif isinstance(tokens, _Tokens) and _has_equals(tokens, config):
            problem = f"{equal}, in tokens and once cut"
        seen.add(row.example_id)
        if problem:
            found.refuse(row.example_id, problem)
            continue
        assert isinstance(tokens, _Tokens)
        found.cut["prompt"] += len(tokens.prompt) > config.max_prompt_tokens
        names = SIDES if found.noun == "pairs" else ("answer",) * len(tokens.responses)
        for name, response in zip(names, tokens.responses, strict=True):
            found.cut[name] += len(response) > config.max_response_tokens
        found.examples.append(_example(row.example_id, tokens, config))
    return _refuse_nothing(found)


def _has_equals(tokens: _Tokens, config: TrainConfig) -> bool:
    cut = {tuple(response[: config.max_response_tokens]) for response in tokens.responses}
    return len(cut) < len(tokens.responses)


def tokenize_records(
    records: Iterable[ChatRecord | Refusal],
    tokenizer: PreTrainedTokenizerBase,
    config: TrainConfig,
    *,
    noun: str = "records",
) -> Tokenized:
    """Return the examples of chat records, and those of the held-out ones.

    Raises:
        TrainError: no record can be trained on.
    """
    found = Tokenized(noun)
    usable: list[ChatRecord] = []
    for record in records:
        if isinstance(record, Refusal):
            found.refuse(record.where, record.reason)
        else:
            usable.append(record)
    conversations = [_Conversation(record.messages[:-1], (record.messages[-1]["content"],)) for record in usable]
    for record, tokens in zip(usable, _iter_tokens(tokenizer, conversations), strict=True):
        if isinstance(tokens, str):
            found.refuse(record.record_id, tokens)
        elif len(tokens.responses[0]) > config.max_response_tokens:
            found.refuse(record.record_id, f"an answer of more than {config.max_response_tokens} tokens")
        else:
            home = found.held_out if record.is_held_out else found.examples
            found.cut["prompt"] += len(tokens.prompt) > config.max_prompt_tokens
            home.append(_example(record.record_id, tokens, config))
    return _refuse_nothing(found)


def _example(example_id: str, tokens: _Tokens, config: TrainConfig) -> Example:
    prompt = tuple(tokens.prompt[-config.max_prompt_tokens :])
    return Example(example_id, prompt, tuple(tuple(r[: config.max_response_tokens]) for r in tokens.responses))


def _refuse_nothing(found: Tokenized) -> Tokenized:
    if not found.examples:
        raise TrainError(f"no {found.noun[:-1]} to train on: {found.describe()}")
    return found


class _Conversation(NamedTuple):
    prompt: Turns
    answers: tuple[str, ...]


class _Tokens(NamedTuple):
    prompt: list[int]
    responses: list[list[int]]


def _iter_tokens(tokenizer: PreTrainedTokenizerBase, conversations: Sequence[_Conversation]) -> Iterator[_Tokens | str]:
    """Yield for each conversation its tokens, or why it has none to train on."""
    for start in range(0, len(conversations), _CHUNK_ROWS):
        rendered = [_rendered(tokenizer, conversation) for conversation in conversations[start : start + _CHUNK_ROWS]]
        texts = [text for found in rendered if not isinstance(found, str) for text in found]
        ids = iter(tokenize(tokenizer, texts))
        for found in rendered:
            yield found if isinstance(found, str) else _split(*(next(ids) for _ in found))


def _rendered(tokenizer: PreTrainedTokenizerBase, conversation: _Conversation) -> list[str] | str:
    try:
        return render(tokenizer, conversation.prompt, conversation.answers)
    except ChatTemplateError as error:
        return str(error)


def _split(prompt: list[int], *wholes: list[int]) -> _Tokens | str:
    responses = [response for whole in wholes if (response := answer_tokens(prompt, whole)) is not None]
    if len(responses) < len(wholes):
        return _NO_PREFIX
    if not prompt:
        return "a prompt without a token"
    return _Tokens(prompt, responses) if all(responses) else "a response without a token"
