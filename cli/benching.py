"""A benchmark from its questions to its figures: `eval-run` asks for the answers and judgements that they lack."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from .engine_options import (
    Attempts,
    BudgetTokens,
    BudgetUsd,
    CallTimeout,
    Concurrency,
    Endpoint,
    EngineName,
    EngineSettings,
    KeyEnv,
    MaxWait,
    Price,
    Revision,
    Served,
    limits_of,
    served_by,
)
from .evaluating import BenchName, Difficulty, Instructions, Ways, control_files, figures, find_bench, write_figures
from .exits import ExitCode, guarded, narrate
from .opening import open_store, plain, recorded
from .options import AsCsv, AsCsvSafe, AsJson, Limit, ParquetFile, StorePath, Wait, named_values
from .progress import Teller

if TYPE_CHECKING:
    from tsodata.evals import ControlFiles
    from tsodata.generating import Ask
    from tsodata.judging import Task
    from tsodata.provenance import Run
    from tsodata.runner import Limits
    from tsodata.store import Reader, Store

Questions = Annotated[str, typer.Option("--dataset", help="The data set that holds the benchmark's questions.")]
Cell = Annotated[str, typer.Option("--cell", help="Who answers, as FAMILY/VERSION/SIZE.")]
Model = Annotated[str, typer.Option("--model", help="The answering model's name at its endpoint, or its folder.")]
JudgeModel = Annotated[str, typer.Option("--judge-model", help="The judge's name at its endpoint, or its folder.")]
JudgeName = Annotated[
    str | None, typer.Option("--judge", help="The name that its words go by.", show_default="--judge-model")
]
RubricName = Annotated[
    str | None,
    typer.Option("--rubric", help="Or KIND:PATH, the benchmark's own (docs/judging.md).", show_default="by bench"),
]
Against = Annotated[str | None, typer.Option("--against", help="Where two are compared: the baseline, by its label.")]
JudgeEngine = Annotated[str | None, typer.Option("--judge-engine", help="As --engine, of the judge.")]
JudgeEndpoint = Annotated[str | None, typer.Option("--judge-endpoint", help="As --endpoint, of the judge.")]
JudgeKeyEnv = Annotated[str, typer.Option("--judge-key-env", help="As --key-env, of the judge.")]
JudgeSettings = Annotated[list[str] | None, typer.Option("--judge-engine-option", help="As -e, of the judge.")]
Judgements = Annotated[int | None, typer.Option("--k", min=1, help="Judgements of each.", show_default="rubric's")]
Temperature = Annotated[float, typer.Option("--temperature", min=0, help="Sampling temperature of the answers.")]
TopP = Annotated[float, typer.Option("--top-p", min=0, max=1, help="Nucleus sampling of the answers.")]
MaxTokens = Annotated[int, typer.Option("--max-tokens", min=1, help="Most tokens of an answer.")]
OfSeed = Annotated[int, typer.Option("--seed", min=0, help="The seed; each prompt and sample has its own from it.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan, and ask nobody.")]


@guarded
def evaluate_anew(
    bench: BenchName,
    dataset: Questions,
    cell: Cell,
    model: Model,
    judge_model: JudgeModel,
    judge: JudgeName = None,
    rubric: RubricName = None,
    against: Against = None,
    engine: EngineName = None,
    endpoint: Endpoint = None,
    key_env: KeyEnv = "OPENAI_API_KEY",
    revision: Revision = None,
    engine_option: EngineSettings = None,
    judge_engine: JudgeEngine = None,
    judge_endpoint: JudgeEndpoint = None,
    judge_key_env: JudgeKeyEnv = "OPENAI_API_KEY",
    judge_engine_option: JudgeSettings = None,
    k: Judgements = None,
    temperature: Temperature = 0.7,
    top_p: TopP = 0.9,
    max_tokens: MaxTokens = 2048,
    seed: OfSeed = 43,
    difficulty: Difficulty = None,
    instructions: Instructions = None,
    concurrency: Concurrency = 32,
    attempts: Attempts = 4,
    timeout: CallTimeout = 600.0,
    max_wait: MaxWait = 120.0,
    price: Price = None,
    budget_tokens: BudgetTokens = None,
    budget_usd: BudgetUsd = None,
    dry_run: DryRun = False,
    limit: Limit = 100,
    parquet: ParquetFile = None,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    as_csv_safe: AsCsvSafe = False,
) -> None:
    """Answer a benchmark's questions, have them judged, and print the figures; what is there already is not asked anew.

    The defaults are the paper's settings (App. C.3). Budgets bind the answers and the judgements each.
    """
    from tsodata.judging import Choice, make_task

    settings = named_values(engine_option, "-e NAME=VALUE")
    row: dict[str, object] = {
        "cell": cell, "model": model, "engine": engine, "endpoint": endpoint, "key_env": key_env, "revision": revision,
        "settings": settings, "concurrency": concurrency, "timeout": timeout, "dataset": dataset, "seed": seed,
        "temperature": temperature, "top_p": top_p, "max_tokens": max_tokens,
    }  # fmt: skip
    choice = Choice((cell,), dataset=dataset, against=against)
    limits, judge_limits = (
        limits_of(
            of, concurrency=concurrency, attempts=attempts, max_wait=max_wait, price=price,
            budget_tokens=budget_tokens, budget_usd=budget_usd,
        )
        for of in (model, judge_model)
    )  # fmt: skip
    work = _Work(
        bench=bench,
        ask=_ask(row, limits),
        task=make_task(
            rubric or find_bench(bench).asks, judge=judge or judge_model, n_samples=k, seed=seed, choice=choice
        ),
        served=served_by(
            judge_model, engine=judge_engine, endpoint=judge_endpoint, key_env=judge_key_env, revision=None,
            settings=judge_engine_option, concurrency=concurrency, timeout_s=timeout,
        ),
        limits=(limits, judge_limits),
        files=control_files(difficulty, instructions),
    )  # fmt: skip
    opened = open_store(store, wait)
    if dry_run:
        work.show_plan(opened)
    else:
        work.run(opened, Ways(as_json=as_json, as_csv=as_csv, as_csv_safe=as_csv_safe, parquet=parquet, limit=limit))


def _ask(row: dict[str, object], limits: Limits) -> Ask:
    from tsodata.engines.choosing import check_options
    from tsodata.generating import make_ask

    ask = make_ask({name: value for name, value in row.items() if value is not None}, where="--cell and --model")
    check_options(ask.engine, ask.options)
    return replace(ask, prices=limits.prices)


class _Work(NamedTuple):
    """What `eval-run` does: the cell that answers, the judge's task and how to reach it, and the bounds of both."""

    bench: str
    ask: Ask
    task: Task
    served: Served
    limits: tuple[Limits, Limits]  # of the answers, of the judgements
    files: ControlFiles | None

    def baseline(self, reader: Reader) -> str | None:
        """Return the label of the baseline, checked before anybody is asked: a comparison needs one."""
        from tsodata.errors import UsageError
        from tsodata.evals import one_label

        against, rubric = self.task.choice.against, self.task.rubric
        if (rubric.kind == "pairwise") != (against is not None):
            needs = (
                "compares two: name the baseline with --against" if against is None else "looks at one: no --against"
            )
            raise UsageError(f"rubric {rubric.name} {needs}")
        return against and one_label(reader, against)

    def show_plan(self, store: Store) -> None:
        """Print which answers are lacking, and who judges them."""
        from tsodata.generating import plan_cell

        from .generating_report import plan_lines
        from .legible import say

        with store.reader() as reader:
            self.baseline(reader)
        say(plan_lines([plan_cell(store, self.ask)]))
        print(f"then judged by {self.task.judge} by rubric {self.task.rubric.name}")

    def run(self, store: Store, ways: Ways) -> None:
        """Fill the cell, have it judged, and print the figures, also where some of both failed."""
        from tsodata.evals import Which

        with store.reader() as reader:
            baseline = self.baseline(reader)
        arguments = {
            "bench": self.bench, "cell": {**plain(self.ask), "source": self.ask.source.label},
            **self.task.recorded(), **plain(self.served), "limits": plain(self.limits),
        }  # fmt: skip
        with recorded(store, arguments, seed=self.task.seed) as run:
            n_unanswered = self._answer(store, run)
            n_unjudged = self._judge(store, run)
        which = Which(self.task.rubric.name, self.task.judge, self.ask.dataset)
        label = self.ask.source.label
        with store.reader() as reader:
            found = figures(reader, self.bench, which, model=label, baseline=baseline, files=self.files)
        if n_unanswered:
            found.notes.append(f"{n_unanswered} questions have no answer of {label}: the figures are of the others")
        if n_unjudged:
            found.notes.append(f"{n_unjudged} judgements failed: the figures are of the others")
        write_figures(found, ways)
        if n_unanswered or n_unjudged:
            raise typer.Exit(ExitCode.REFUSED)

    def _answer(self, store: Store, run: Run) -> int:
        """Ask for the answers that the cell lacks, and return how many it lacks still."""
        from tsodata.generating import StoreShelf, fill_cells
        from tsodata.runner import raise_ending

        from .generating_report import report_lines

        with contextlib.closing(Teller()) as teller:
            reports = fill_cells(store, [self.ask], StoreShelf(store, run), limits=self.limits[0], tell=teller)
        for line in report_lines(reports):
            narrate(line)
        raise_ending(reports[0].sums)
        return reports[0].n_lacking - reports[0].sums.n_done

    def _judge(self, store: Store, run: Run) -> int:
        """Ask for the judgements that are missing, and return how many failed."""
        from tsodata.engines.choosing import make_engine
        from tsodata.judging import StoreShelf, judge
        from tsodata.runner import raise_ending

        from .judging_report import judge_lines

        with contextlib.closing(Teller()) as teller:
            report = judge(
                store, self.task, make_engine(*self.served), shelf=StoreShelf(store, run), limits=self.limits[1],
                tell=lambda progress: teller(self.task.judge, progress),
            )  # fmt: skip
        for line in judge_lines(report):
            narrate(line)
        if report.sums is None:
            return 0
        raise_ending(report.sums)
        return report.sums.n_failed
