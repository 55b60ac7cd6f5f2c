"""Published figures from stored judgements: `eval`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .exits import guarded, narrate
from .opening import open_store
from .options import AsCsv, AsCsvSafe, AsJson, Limit, ParquetFile, StorePath, Wait

if TYPE_CHECKING:
    from tsodata.evals import ControlFiles, Evaluation
    from tsodata.store import Reader

BENCHES = {
    "alpaca-eval": "alpaca-eval",
    "arena-hard": "arena-hard",
    "mt-bench": "mt-bench",
    "alignbench": "alignbench",
    "self-bench": None,
}


@guarded
def evaluate(
    bench: Annotated[str, typer.Argument(help=f"{', '.join(BENCHES)}; docs/evals.md says how each figure is made.")],
    model: Annotated[str | None, typer.Option(help="Only this model, by its label.")] = None,
    against: Annotated[
        str | None, typer.Option(help="Compare --model with this one, prompt by prompt, instead.")
    ] = None,
    judge: Annotated[str | None, typer.Option(help="Only this judge.")] = None,
    baseline: Annotated[str, typer.Option(help="Of arena-hard: the model that all are compared with.")] = "gpt-4-0314",
    rubric: Annotated[str | None, typer.Option(help="Of self-bench: whose scores; its themes are the tags.")] = None,
    difficulty: Annotated[
        Path | None, typer.Option(help="Of alpaca-eval: its df_gamed.csv, for length-controlled win rates.")
    ] = None,
    instructions: Annotated[
        Path | None, typer.Option(help="Of alpaca-eval: the set in its order, or one model's outputs for it.")
    ] = None,
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
    import polars as pl

    from tsodata.errors import UnknownNameError, UsageError
    from tsodata.evals import ControlFiles, compare, one_label

    from .output import write_frame

    if bench not in BENCHES:
        raise UnknownNameError(f"no bench {bench!r}; known are {', '.join(BENCHES)}")
    if (difficulty is None) != (instructions is None):
        raise UsageError("--difficulty and --instructions go together: one's numbers are rows of the other")
    name = rubric or BENCHES[bench]
    if name is None:
        raise UsageError("say whose scores count: --rubric NAME; tso-data query judges lists the rubrics")
    files = ControlFiles(difficulty, instructions) if difficulty and instructions else None
    with open_store(store, wait).reader() as reader:
        model = model and one_label(reader, model)
        if against is None:
            found = _figures(reader, bench, judge=judge, model=model, baseline=baseline, rubric=name, files=files)
        elif model is None:
            raise UsageError("--against compares --model with another model: name both")
        else:
            found = compare(reader, (model, one_label(reader, against)), rubric=name, judge=judge)
    frame = pl.DataFrame(found.rows, infer_schema_length=None)
    write_frame(frame, as_json=as_json, as_csv=as_csv, as_csv_safe=as_csv_safe, parquet=parquet, limit=limit)
    for note in found.notes:
        narrate(note)


def _figures(
    reader: Reader,
    bench: str,
    *,
    judge: str | None,
    model: str | None,
    baseline: str,
    rubric: str,
    files: ControlFiles | None,
) -> Evaluation:
    from tsodata.evals import align_bench, alpaca_eval, arena_hard, mt_bench, one_label, self_bench

    if bench == "alpaca-eval":
        return alpaca_eval(reader, judge=judge, model=model, files=files)
    if bench == "arena-hard":
        return arena_hard(reader, baseline=one_label(reader, baseline), judge=judge, model=model)
    if bench == "mt-bench":
        return mt_bench(reader, judge=judge, model=model)
    if bench == "alignbench":
        return align_bench(reader, judge=judge, model=model)
    return self_bench(reader, rubric=rubric, judge=judge, model=model)
