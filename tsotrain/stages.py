"""Stages in the store: what a minibatch holds out of it, the policy and what each pair did back into it.

Stage k starts from the policy that stage k-1 registered, which is its frozen reference too (Sec. 3.3). The only module
of the trainer that knows the store; of several processes only the first opens it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tsodata.errors import UnknownNameError, UsageError
from tsodata.exporters import export_build, kind_of_build, preview_build
from tsodata.provenance import Run, content_key, format_id, parse_id
from tsodata.records import Record
from tsodata.store import Reader, Store
from tsotrain.config import LossConfig, StageConfig
from tsotrain.errors import TrainError
from tsotrain.learning import PAIRS, Material, losses_for, material_of, train_stage
from tsotrain.metrics import read_log
from tsotrain.parallel import Processes
from tsotrain.policy import load_tokenizer
from tsotrain.tokens import Tokenized
from tsotrain.training import Outcome, Say

if TYPE_CHECKING:
    import pyarrow as pa

DATA = "data/train-00000-of-00001.parquet"


@dataclass(frozen=True, slots=True)
class Artefact(Record):
    """A policy that stands in a folder."""

    table: ClassVar[str] = "artefacts"
    artefact_key: int = field(init=False)
    kind: str
    name: str
    path: str
    artefact_sha256: str
    source_key: int | None
    parent_keys: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "artefact_key", content_key("artefact", self.kind, self.name, self.artefact_sha256))


@dataclass(frozen=True, slots=True)
class StageRecord(Record):
    """One training session, as the store keeps it."""

    table: ClassVar[str] = "stages"
    stage_key: int
    build_key: int
    minibatch: int
    reference_artefact_key: int | None
    policy_artefact_key: int | None
    config: str
    status: str


@dataclass(frozen=True, slots=True)
class StagePlan:
    """What a stage is going to do: everything that has to be known before it starts."""

    build: str
    build_key: int
    base: str
    base_source_key: int | None
    minibatch: int
    reference: Path
    reference_key: int | None
    folder: Path
    holds: str  # what the build does, as an export calls it

    def material(self, loss: LossConfig) -> Material:
        """Return what the stage trains on by its loss.

        Raises:
            UsageError: the build holds something else.
        """
        material = material_of(loss)
        if self.holds in material.held_by:
            return material
        wanted = " or ".join(material.held_by)
        fitting = " or ".join(losses_for(self.holds))
        raise UsageError(
            f"build {self.build!r} holds {self.holds}, and loss {loss.name!r} learns from {wanted}; "
            f"pass -s loss.name={fitting}, or name another build"
        )


@dataclass(frozen=True, slots=True)
class StageReport:
    """What a stage has done; `last` are the figures of its last step."""

    stage_id: str
    policy: str
    policy_sha256: str
    n_steps: int
    learnt_from: str  # pairs, answers or lists: what `n_examples` counts
    n_examples: int
    refused: dict[str, int]
    cut: dict[str, int]
    last: dict[str, Any]


def plan_stage(store: Store, minibatch: int, *, build: str | None, policy: Path | None, out: Path | None) -> StagePlan:
    """Return the plan of a stage.

    Raises:
        UnknownNameError: there is no such build.
        UsageError: the build has no such minibatch, or there is no policy to start from.
    """
    with store.reader() as reader:
        name = build or _only_build(reader)
        found = reader.rows("stages/build", name=name)
        if not found:
            raise UnknownNameError(f"no build {name!r}; tso-data builds lists them")
        build_key, base, source_key, n_minibatches, recipe = found[0]
        if not 1 <= minibatch <= n_minibatches:
            raise UsageError(f"build {name!r} has the minibatches 1 to {n_minibatches}, not {minibatch}")
        holds = kind_of_build(reader, int(build_key), str(recipe))
        before = reader.rows("stages/policy", name=name, minibatch=minibatch - 1)
    reference, reference_key = _reference(name, minibatch, before, policy)
    folder = out or Path("stages") / name / str(minibatch)
    return StagePlan(name, int(build_key), str(base), source_key, minibatch, reference, reference_key, folder, holds)


def _only_build(reader: Reader) -> str:
    names = [str(row[0]) for row in reader.rows("builds/names")]
    if len(names) != 1:
        known = ", ".join(names) or "none; make one with tso-data build-pairs"
        raise UsageError(f"name the build with --build; the store has: {known}")
    return names[0]


def _reference(
    build: str, minibatch: int, before: list[tuple[object, ...]], policy: Path | None
) -> tuple[Path, int | None]:
    if policy is not None:
        return policy, None
    if minibatch == 1:
        raise UsageError("stage 1 starts from the base: name its folder with --policy PATH")
    if not before:
        raise UsageError(
            f"stage {minibatch} starts from the policy of stage {minibatch - 1}, which is not there; "
            f"run: tso-train stage --build {build} --minibatch {minibatch - 1}"
        )
    key, path = before[0][:2]
    return Path(str(path)), int(str(key))


def preview_stage(store: Store, plan: StagePlan, config: StageConfig) -> Tokenized:
    """Return what a stage would train on, for a look at the plan; nothing is written.

    Raises:
        UsageError: the build holds something else than the loss learns from.
        TrainError: nothing can be trained on, or the reference has no tokenizer.
    """
    material = plan.material(config.loss)
    rows = preview_build(store, plan.build, to=material.export, minibatch=plan.minibatch)
    return material.tokenize(rows, load_tokenizer(plan.reference), config)


def run_stage(
    store: Store | None, plan: StagePlan, *, config: StageConfig, ours: Processes, run: Run | None, say: Say
) -> StageReport:
    """Train a planned stage and record it. The first process alone has a store and a run; the others follow.

    Raises:
        UsageError: the build holds something else than the loss learns from.
        TrainError: pairs, policy or disk cannot be used as asked.
        DivergedError: training has diverged.
    """
    material = plan.material(config.loss)
    out = plan.folder / material.noun
    if store and run:
        export_build(store, plan.build, to=material.export, out=out, run=run, minibatch=plan.minibatch)
    ours.wait()
    found = material.tokenize(material.read(out / DATA), load_tokenizer(plan.reference), config)
    say(found.describe())
    outcome = train_stage(plan.reference, found.examples, plan.folder, config=config, ours=ours, say=say)
    stage_id = register_stage(store, plan, outcome, config=config, run=run) if store and run else ""
    return StageReport(
        stage_id=stage_id,
        policy=str(outcome.policy),
        policy_sha256=outcome.policy_sha256,
        n_steps=outcome.n_steps,
        learnt_from=found.noun,
        n_examples=len(found.examples),
        refused=dict(found.refused),
        cut=dict(found.cut),
        last=outcome.last,
    )


def register_stage(store: Store, plan: StagePlan, outcome: Outcome, *, config: StageConfig, run: Run) -> str:
    """Record a stage that is done: its reference, its policy, and what each pair did, if it had any; return its id.

    A reference whose weights the store knows, as those of another build's stage, is the one that it knows. Recording it
    twice adds nothing.
    """
    with store.reader() as reader:
        known = plan.reference_key or _known(reader, plan.reference, outcome.reference_sha256)
    start = plan.base or plan.reference.name
    reference = Artefact("policy", start, str(plan.reference.resolve()), outcome.reference_sha256, None, ())
    reference_key = known or reference.artefact_key
    name = f"{plan.build}/{plan.minibatch}"  # as sql/stages/policy.sql looks for it
    path = str(outcome.policy.resolve())
    policy = Artefact("policy", name, path, outcome.policy_sha256, plan.base_source_key, (reference_key,))
    key = content_key("stage", plan.build_key, plan.minibatch, config.body(), reference_key, policy.artefact_key)
    stage = StageRecord(key, plan.build_key, plan.minibatch, reference_key, policy.artefact_key, config.body(), "done")
    artefacts: list[Record] = [policy] if known else [reference, policy]
    with store.transaction(run) as transaction:
        if not transaction.rows("stages/known", stage=key):
            transaction.append({Artefact: artefacts, StageRecord: [stage]})
            if material_of(config.loss) is PAIRS:
                transaction.insert("pair_feedback", _feedback(plan.folder / "feedback.jsonl", key))
    return format_id("stage", key)


def _known(reader: Reader, folder: Path, sha256: str) -> int | None:
    found = reader.rows("stages/by_sha256", sha256=sha256, folder=str(folder.resolve()))
    return int(found[0][0]) if found else None


def _feedback(path: Path, stage_key: int) -> pa.Table:
    import pyarrow as pa

    rows = read_log(path)
    if not rows:
        raise TrainError(f"{path}: no line of feedback; the stage's folder has been changed")
    types = {
        "epoch": pa.int32(),
        "chosen_reward": pa.float64(),
        "rejected_reward": pa.float64(),
        "chosen_clipped": pa.bool_(),
        "rejected_clipped": pa.bool_(),
        "loss": pa.float64(),
    }
    keys = {
        "stage_key": pa.array([stage_key] * len(rows), pa.uint64()),
        "pair_key": pa.array([parse_id("pair", row["pair_id"]) for row in rows], pa.uint64()),
    }
    return pa.table({**keys, **{name: pa.array([row[name] for row in rows], kind) for name, kind in types.items()}})
