"""Published figures from stored judgements: `eval`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, TypedDict

import typer

from .exits import guarded, narrate
from .opening import open_store
from .options import AsCsv, AsCsvSafe, AsJson, Limit, ParquetFile, StorePath, Wait

if TYPE_CHECKING:
    from tsodata.evals import ControlFiles, Evaluation, Which
    from tsodata.store import Reader


class Bench(NamedTuple):
    """A benchmark's own rubric, by whose name its files' judgements go, and the shipped one that asks likewise."""

    rubric: str | None
    asks: str


BENCHES = {
    "alpaca-eval": Bench("alpaca-eval", "token/1"),
    "arena-hard": Bench("arena-hard", "pair/1"),
    "mt-bench": Bench("mt-bench", "single/1"),
    "alignbench": Bench("alignbench", "chinese/1"),
    "self-bench": Bench(None, "tso/2"),
}
ARENA_BASELINE = "gpt-4-0314"
BenchName = Annotated[str, typer.Argument(help=f"{', '.join(BENCHES)}; docs/evals.md says how each figure is made.")]
Difficulty = Annotated[
    Path | None, typer.Option(help="Of alpaca-eval: its df_gamed.csv, for length-controlled win rates.")
]
Instructions = Annotated[
    Path | None, typer.Option(help="Of alpaca-eval: the set in its order, or one model's outputs for it.")
]


class Ways(TypedDict):
    """How the rows leave: as a table, where none of these is asked for."""

    as_json: bool
    as_csv: bool
    as_csv_safe: bool
    parquet: Path | None
    limit: int


@guarded
def evaluate(
    bench: BenchName,
    model: Annotated[str | None, typer.Option(help="Only this model, by its label.")] = None,
    against: Annotated[
        str | None, typer.Option(help="Compare --model with this one, prompt by prompt, instead.")
    ] = None,
    judge: Annotated[str | None, typer.Option(help="Only this judge.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only prompts of this data set.")] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            help="Of arena-hard, alpaca-eval: whom all are compared with.",
            show_default=f"{ARENA_BASELINE}; in alpaca-eval who is shown first",
        ),
    ] = None,
    rubric: Annotated[
        str | None, typer.Option(help="Whose judgements, by the rubric's name.", show_default="the bench's own")
    ] = None,
    difficulty: Difficulty = None,
    instructions: Instructions = None,
    limit: Limit = 100,
    parquet: ParquetFile = None,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    as_csv_safe: AsCsvSafe = False,
) -> None:
    """Compute a benchmark's figures from stored judgements, as its leaderboard does; says where they do not compare."""
    from tsodata.errors import UsageError
    from tsodata.evals import Which, compare, one_label

    name = rubric or find_bench(bench).rubric
    if name is None:
        raise UsageError("say whose scores count: --rubric NAME; tso-data query judges lists the rubrics")
    files, which = control_files(difficulty, instructions), Which(name, judge, dataset)
    ways = Ways(as_json=as_json, as_csv=as_csv, as_csv_safe=as_csv_safe, parquet=parquet, limit=limit)
    with open_store(store, wait).reader() as reader:
        model = model and one_label(reader, model)
        if against is None:
            found = figures(reader, bench, which, model=model, baseline=baseline, files=files)
        elif model is None:
            raise UsageError("--against compares --model with another model: name both")
        else:
            found = compare(reader, (model, one_label(reader, against)), which)
    write_figures(found, ways)


def find_bench(name: str) -> Bench:
    """Return the benchmark of a name.

    Raises:
        UnknownNameError: there is none.
    """
    from tsodata.errors import UnknownNameError

    if name not in BENCHES:
        raise UnknownNameError(f"no bench {name!r}; known are {', '.join(BENCHES)}")
    return BENCHES[name]


def control_files(difficulty: Path | None, instructions: Path | None) -> ControlFiles | None:
    """Return AlpacaEval's files of the length control, where both are named.

    Raises:
        UsageError: only one of them is.
    """
    from tsodata.errors import UsageError
    from tsodata.evals import ControlFiles

    if (difficulty is None) != (instructions is None):
        raise UsageError("--difficulty and --instructions go together: one's numbers are rows of the other")
    return ControlFiles(difficulty, instructions) if difficulty and instructions else None


def figures(
    reader: Reader,
    bench: str,
    which: Which,
    *,
    model: str | None,
    baseline: str | None,
    files: ControlFiles | None,
) -> Evaluation:
    """Return the figures of a benchmark."""
    from tsodata.evals import align_bench, alpaca_eval, arena_hard, mt_bench, one_label, self_bench

    if bench == "alpaca-eval":
        return alpaca_eval(reader, which, baseline=baseline and one_label(reader, baseline), model=model, files=files)
    if bench == "arena-hard":
        return arena_hard(reader, which, baseline=one_label(reader, baseline or ARENA_BASELINE), model=model)
    if bench == "mt-bench":
        return mt_bench(reader, which, model=model)
    if bench == "alignbench":
        return align_bench(reader, which, model=model)
    return self_bench(reader, which, model=model)


def write_figures(found: Evaluation, ways: Ways) -> None:
    """Print the rows, and say what to know before quoting them."""
    import polars as pl

    from .output import write_frame

    write_frame(pl.DataFrame(found.rows, infer_schema_length=None), **ways)
    for note in found.notes:
        narrate(note)
