"""What a stage learns from, by its loss: pairs, single answers, or ranked lists of a prompt's answers.

Each is read from what `tso-data export` writes of it, and goes through the same packing, head and loop. Pairs alone are
compared with a reference, whose log-probabilities are taken once and kept beside the stage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from tsotrain import references
from tsotrain.batching import Example
from tsotrain.config import LOSSES, LossConfig, StageConfig
from tsotrain.lists import ListObjective
from tsotrain.objectives import Objective
from tsotrain.parallel import Processes
from tsotrain.policy import Policy
from tsotrain.preferences import PairObjective
from tsotrain.records import ChatRecord, Refusal
from tsotrain.tokens import SIDES, Tokenized, read_rows, tokenize_lists, tokenize_pairs, tokenize_records
from tsotrain.training import Outcome, Say, Session
from tsotrain.tuning import TuningObjective

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    Rows = Sequence[Mapping[str, Any]]
    Tokenize = Callable[[Rows, PreTrainedTokenizerBase, StageConfig], Tokenized]


@dataclass(frozen=True, slots=True)
class Material:
    """One thing to learn from: the export format that has it, and the columns to read of that.

    `held_by` are the kinds of build that hold it, as an export calls what a build holds.
    """

    noun: str
    export: str
    columns: tuple[str, ...]
    held_by: tuple[str, ...]
    tokenize: Tokenize

    def read(self, path: Path) -> list[dict[str, Any]]:
        """Return the rows of an export's Parquet file, with their `id` where the export keeps ids in a file beside it.

        Raises:
            TrainError: the file cannot be read, or lacks a column.
        """
        rows = read_rows(path, self.columns, to=self.export)
        beside = next(path.resolve().parents[1].glob(f"*_ids/{path.name.split('-')[0]}.txt"), None)
        ids = beside.read_text(encoding="utf-8").splitlines() if beside else []
        return [{**row, "id": row_id} for row, row_id in zip(rows, ids, strict=True)] if ids else rows


def _tokenize_answers(rows: Rows, tokenizer: PreTrainedTokenizerBase, config: StageConfig) -> Tokenized:
    return tokenize_records(_iter_answers(rows), tokenizer, config, noun="answers")


def _iter_answers(rows: Rows) -> Iterator[ChatRecord | Refusal]:
    seen: set[str] = set()
    for number, row in enumerate(rows, 1):
        name = str(row.get("id", f"row {number}"))
        if name in seen:
            yield Refusal(name, "an earlier answer has its id")
        else:
            yield ChatRecord(name, tuple(row["messages"]), is_held_out=False)
        seen.add(name)


PAIRS = Material("pairs", "parquet", ("pair_id", "prompt", *SIDES), ("pairs",), tokenize_pairs)
ANSWERS = Material("answers", "sft", ("messages",), ("answers", "pairs"), _tokenize_answers)
LISTS = Material("lists", "ranked", ("prompt_id", "prompt", "responses"), ("ranked lists",), tokenize_lists)
_BY_LOSS = {"sft": ANSWERS, "rrhf": LISTS, "pro": LISTS}


def material_of(loss: LossConfig) -> Material:
    """Return what a loss learns from; of a build of pairs `sft` takes the chosen answers, each once."""
    return _BY_LOSS.get(loss.name, PAIRS)


def losses_for(holds: str) -> list[str]:
    """Return the losses that learn from a kind of build, as an export calls what it holds."""
    return [name for name in LOSSES if holds in material_of(LossConfig(name)).held_by]


def train_stage(
    reference: Path,
    examples: Sequence[Example],
    folder: Path,
    *,
    config: StageConfig,
    ours: Processes,
    say: Say,
) -> Outcome:
    """Train a policy from a reference on examples, and return where it is. Run again, it goes on or is done already.

    Raises:
        TrainError: the policy cannot be used or the disk refuses.
        DivergedError: the loss or the gradient is no number, or the gradient has exploded.
        KeyboardInterrupt: a signal has ended it, at a checkpoint.
    """
    session = Session(reference, folder, config, ours, say)
    reference_hash = session.hash_of(reference)
    key = references.reference_key(reference_hash, examples, session.precision)
    policy = session.begin({"reference": reference_hash, material_of(config.loss).noun: key}, examples)
    if isinstance(policy, Outcome):
        return policy
    objective: Objective
    if config.loss.name == "sft":
        objective = TuningObjective(examples)
    elif material_of(config.loss) is LISTS:
        objective = ListObjective(examples, config.loss)
    else:
        objective = PairObjective(examples, _reference_logps(session, policy, examples, key), config.loss)
    return session.train(policy, objective, origin_sha256=reference_hash)


def _reference_logps(session: Session, policy: Policy, examples: Sequence[Example], key: str) -> Tensor:
    """Return the reference's log-probabilities, shape (examples, 2), taken anew or kept from before."""
    with session.writing():
        kept_ER = references.load_references(session.folder, key)
        if kept_ER is not None:
            return kept_ER
        session.say(f"scoring {len(examples)} pairs with the reference, once")
        logps_ER = references.score_references(
            policy, examples, session.ours, max_tokens=session.micro_tokens(policy), precision=session.precision
        )
        if session.ours.is_first:
            references.save_references(session.folder, key, logps_ER)
    return logps_ER
