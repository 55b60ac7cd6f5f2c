"""What the product does for the miniature, each step one call of its functions in this process, on one seed's store.

No step knows an experiment. Whatever is there already is not made again.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from miniature import ruling
from miniature.grading import DIMENSIONS
from tsodata.builds import Build, build_pairs, find_build
from tsodata.engines.choosing import make_engine
from tsodata.engines.options import EngineOptions
from tsodata.engines.protocol import Engine, Sampling
from tsodata.errors import UnknownNameError
from tsodata.exporters import export_build
from tsodata.generating import Ask, StoreShelf, fill_cells, parse_cell
from tsodata.importers import ImportOptions, import_files
from tsodata.judging import Choice, make_task
from tsodata.judging import StoreShelf as JudgementShelf
from tsodata.judging import judge as judge_answers
from tsodata.provenance import Run
from tsodata.recipes import Recipe
from tsodata.runner import Limits, raise_ending
from tsodata.store import Store
from tsotrain.config import load_config, load_tune_config
from tsotrain.judges import plan_tuning, run_tuning
from tsotrain.parallel import processes
from tsotrain.stages import StageReport, plan_stage, run_stage

RUBRIC = Path(__file__).with_name("rubric.toml")
ENGINE = EngineOptions(settings={"batch_size": "512", "dtype": "float32", "device": "cpu"})
LIMITS = Limits(concurrency=1)
EXAM = "exam"
ANSWER_TOKENS = 64


class StepError(Exception):
    """A step of the product did not do all that it was asked to."""


@dataclass(frozen=True, slots=True)
class Place:
    """One seed's folder, with its store in it."""

    folder: Path
    seed: int

    @property
    def store(self) -> Store:
        """Return the store."""
        return Store.open(self.folder / "tso.duckdb", create=True)

    @contextmanager
    def run(self, **arguments: object) -> Iterator[Run]:
        """Record what is done as a run."""
        with self.store.run(Run.of_process({"miniature": arguments}, seed=self.seed)) as run:
            yield run


def import_rows(place: Place, name: str, rows: Sequence[Mapping[str, object]], *, dataset: str) -> None:
    """Import rows of prompts and answers."""
    path = place.folder / f"{name}.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    with place.run(step="import", name=name) as run:
        (report,) = import_files(place.store, "records", [path], run=run, options=ImportOptions(dataset=dataset))
    if report.failed or report.skipped:
        raise StepError(f"{path}: {report.first_refusals}")


def fill(place: Place, cell: str, model: Path, *, dataset: str | None = None, n_samples: int = 1) -> None:
    """Have a model answer the prompts that a cell lacks answers to (App. C.3: temperature 0.7, top-p 0.9)."""
    ask = Ask(
        source=parse_cell(cell),
        engine="transformers",
        model=str(model),
        options=ENGINE,
        sampling=Sampling(max_tokens=ANSWER_TOKENS),
        n_samples=n_samples,
        seed=place.seed,
        dataset=dataset,
    )
    with place.run(step="generate", cell=cell, model=str(model), n_samples=n_samples, dataset=dataset) as run:
        (report,) = fill_cells(place.store, [ask], StoreShelf(place.store, run), limits=LIMITS)
    raise_ending(report.sums)
    if report.n_failed or report.n_left:
        raise StepError(f"{cell}: {report.n_failed} requests failed, {report.n_left} are left")


def judge(place: Place, name: str, engine: Engine, *, cells: Sequence[str], dataset: str | None = None) -> None:
    """Have a judge score the answers of some sources that it has not scored yet."""
    task = make_task(str(RUBRIC), judge=name, seed=place.seed, choice=Choice(tuple(cells), dataset=dataset))
    with place.run(step="judge", **task.recorded()) as run:
        report = judge_answers(place.store, task, engine, shelf=JudgementShelf(place.store, run), limits=LIMITS)
    if report.sums:
        raise_ending(report.sums)
        if report.sums.n_failed:
            raise StepError(f"{name}: {report.sums.n_failed} judgements failed")


def judge_by_rule(place: Place, cells: Sequence[str], *, dataset: str | None = None) -> None:
    """Have the rule score answers."""
    judge(place, ruling.JUDGE, ruling.RuleEngine(), cells=cells, dataset=dataset)


def judge_by_model(place: Place, name: str, model: Path, *, cells: Sequence[str], dataset: str | None = None) -> None:
    """Have a model in this process score answers."""
    judge(place, name, make_engine("transformers", str(model), ENGINE), cells=cells, dataset=dataset)


def draw(place: Place, name: str, recipe: Mapping[str, Any], *, base: str) -> Build:
    """Draw a build; a pool that cannot give its share gives what it can, and the build's figures tell."""
    with contextlib.suppress(UnknownNameError):
        return find_build(place.store, name)  # of an earlier start; the material has grown since
    found = Recipe.parse({"seed": place.seed, **recipe})
    with place.run(step="build", name=name, recipe=json.loads(found.body())) as run:
        return build_pairs(place.store, name, recipe=found, run=run, base=base, allow_short=True)


def train(
    place: Place, build: str, *, policy: Path, settings: Mapping[str, str], out: Path, minibatch: int = 1
) -> StageReport:
    """Train a stage from a policy, and return its report."""
    config = load_config(None, {**settings, "seed": str(place.seed)})
    store = place.store
    plan = plan_stage(store, minibatch, build=build, policy=policy, out=out)
    with processes() as ours, place.run(step="stage", build=build, out=str(out), settings=config.body()) as run:
        return run_stage(store, plan, config=config, ours=ours, run=run, say=_silent)


def tune(place: Place, records: Path, *, kind: str, policy: Path, settings: Mapping[str, str], name: str) -> Path:
    """Tune a model on records, and return where it is."""
    config = load_tune_config(None, {**settings, "seed": str(place.seed)})
    store = place.store
    plan = plan_tuning(store, records, kind=kind, name=name, policy=policy, out=place.folder / "tuned" / name)
    with processes() as ours, place.run(step="tune", name=name, settings=config.body()) as run:
        return Path(run_tuning(store, plan, config=config, ours=ours, run=run, say=_silent).model)


def export_answers(place: Place, build: str) -> Path:
    """Export a build's answers as records to tune on, and return their folder."""
    out = place.folder / "exports" / build
    with place.run(step="export", build=build) as run:
        export_build(place.store, build, to="sft", out=out, run=run)
    return out


def examine(place: Place, name: str, policy: Path) -> dict[str, float]:
    """Have a policy answer the exam and the rule grade it; return the mean grade, each dimension's, and more.

    The policy's answers stand in the store as those of a cell `exam/NAME/1`.
    """
    cell = f"{EXAM}/{name}/1"
    fill(place, cell, policy, dataset=EXAM)
    judge_by_rule(place, [cell], dataset=EXAM)
    return marks(place, cell)


def marks(place: Place, cell: str) -> dict[str, float]:
    """Return what the rule gave a cell's answers to the exam: mean, by dimension, the share right, the mean length."""
    rows = place.store.sql(_MARKS, {"cell": cell}).rows()
    by_dimension = {str(dimension): float(mean) for dimension, mean, *_ in rows}
    right = next(share for dimension, _, share, _ in rows if dimension == "factuality")
    return {
        "score": sum(by_dimension[dimension] for dimension in DIMENSIONS) / len(DIMENSIONS),
        **by_dimension,
        "right": float(right),
        "chars": float(rows[0][3]),
    }


_MARKS = """
select
    scores.dimension,
    avg(scores.value),
    avg((scores.value = 10)::integer),
    avg(length(responses.text)),
from v_scores as scores
join v_responses as responses using (response_id)
join v_prompts as prompts on prompts.prompt_id = scores.prompt_id
where responses.source = $cell and scores.judge = 'rule' and prompts.dataset = 'exam'
group by all
order by all
"""


def _silent(_: str) -> None:
    """Say nothing: the run tells of units."""
