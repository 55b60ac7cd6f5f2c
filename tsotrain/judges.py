"""Tuned models in the store: which records made a judge, or a policy, from which model.

With `stages` the only part of the trainer that knows the store. Without a store the same training runs, and nothing is
registered; of several processes only the first has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsodata.errors import UsageError
from tsodata.provenance import Run, check_names, format_id
from tsodata.records import Record
from tsodata.store import Store
from tsotrain.config import TuneConfig
from tsotrain.parallel import Processes
from tsotrain.policy import load_tokenizer
from tsotrain.records import iter_records, record_files, records_sha256
from tsotrain.stages import Artefact
from tsotrain.tokens import Tokenized, tokenize_records
from tsotrain.training import Outcome, Say, Session
from tsotrain.tuning import tune

HOMES = {"judge": Path("judges"), "policy": Path("policies")}  # by kind of artefact


@dataclass(frozen=True, slots=True)
class TunePlan:
    """What a tuning is going to do: everything that has to be known before it starts."""

    kind: str
    name: str
    files: tuple[Path, ...]
    records_sha256: str
    origin: Path
    folder: Path

    def read(self, config: TuneConfig) -> Tokenized:
        """Return the records as tokens.

        Raises:
            TrainError: no record can be trained on, or the model has no tokenizer.
        """
        return tokenize_records(iter_records(list(self.files)), load_tokenizer(self.origin), config)


@dataclass(frozen=True, slots=True)
class TuneReport:
    """What a tuning has done; `last` are the figures of its last step, `artefact_id` its id in the store, if any."""

    artefact_id: str | None
    model: str
    model_sha256: str
    n_steps: int
    n_records: int
    n_held_out: int
    refused: dict[str, int]
    cut: dict[str, int]
    last: dict[str, Any]


def plan_tuning(
    store: Store | None, records: Path, *, kind: str, name: str | None, policy: Path | None, out: Path | None
) -> TunePlan:
    """Return the plan of a tuning; without a policy it starts from the base that the store knows.

    Raises:
        ImportRefusedError, TrainError: there are no records.
        UsageError: there is no model to start from, or the name is too long for a table.
    """
    files = record_files(records)
    called = name or records.name.split(".")[0]
    try:
        check_names(called)
    except ValueError as error:
        raise UsageError(f"--name: {error}") from error
    origin = policy or _base(store)
    return TunePlan(kind, called, tuple(files), records_sha256(files), origin, out or HOMES[kind] / called)


def _base(store: Store | None) -> Path:
    found = []
    if store:
        with store.reader() as reader:
            found = reader.rows("stages/bases")
    if len(found) != 1:
        known = ", ".join(str(row[2]) for row in found) or "none"
        raise UsageError(f"name the model to tune with --policy PATH; bases that a store here knows: {known}")
    return Path(str(found[0][1]))


def run_tuning(
    store: Store | None, plan: TunePlan, *, config: TuneConfig, ours: Processes, run: Run | None, say: Say
) -> TuneReport:
    """Tune as planned, and register the model where there is a store and a run.

    Raises:
        TrainError: records, model or disk cannot be used as asked.
        DivergedError: training has diverged.
    """
    found = plan.read(config)
    say(found.describe())
    outcome = tune(Session(plan.origin, plan.folder, config, ours, say), found)
    artefact_id = register_tuned(store, plan, outcome, run=run) if store and run else None
    return TuneReport(
        artefact_id=artefact_id,
        model=str(outcome.policy),
        model_sha256=outcome.policy_sha256,
        n_steps=outcome.n_steps,
        n_records=len(found.examples),
        n_held_out=len(found.held_out),
        refused=dict(found.refused),
        cut=dict(found.cut),
        last=outcome.last,
    )


def register_tuned(store: Store, plan: TunePlan, outcome: Outcome, *, run: Run) -> str:
    """Record a tuned model and the one that it came from; return its id. Recording it twice adds nothing.

    The run's arguments hold the records and their hash.
    """
    with store.transaction(run) as transaction:
        path = str(plan.origin.resolve())
        known = transaction.rows("stages/by_sha256", sha256=outcome.reference_sha256, folder=path)
        origin = Artefact("policy", plan.origin.resolve().name, path, outcome.reference_sha256, None, ())
        parent_key = int(str(known[0][0])) if known else origin.artefact_key
        path = str(outcome.policy.resolve())
        tuned = Artefact(plan.kind, plan.name, path, outcome.policy_sha256, None, (parent_key,))
        artefacts: list[Record] = [tuned] if known else [origin, tuned]
        transaction.append({Artefact: artefacts})
    return format_id("artefact", tuned.artefact_key)
