"""People and the judge: sheets to be filled in (`export-corrections`), a judge in place of people (`correct`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .exits import guarded
from .opening import open_store, plain, print_json, recorded
from .options import AsJson, StorePath, Wait, listed

Judge = Annotated[str | None, typer.Option(help="Whose scores.", show_default="the only one")]
Rubric = Annotated[str | None, typer.Option(help="By which rubric.", show_default="the only one")]
Dimensions = Annotated[str | None, typer.Option("--dimension", help="Only these, with a comma between.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed of what chance decides.", show_default="43")]


@guarded
def export(
    to: Annotated[str | None, typer.Option(help="csv, jsonl, argilla or label-studio.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The file, or folder, to write; never over one that is there.")
    ] = None,
    judge: Judge = None,
    rubric: Rubric = None,
    dimension: Dimensions = None,
    build: Annotated[str | None, typer.Option(help="Only answers of this build.")] = None,
    cells: Annotated[str | None, typer.Option(help="Only answers of these sources, by label.")] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="So many, evenly over the judge's scores.")] = None,
    at_random: Annotated[
        bool, typer.Option("--at-random", help="By chance, not those first of which the judge is least sure.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Also what people have corrected already.")] = False,
    seed: Seed = None,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write a sheet of scored answers for people to correct; `import corrections` takes it back.

    What comes first is what the judge is least sure of, which is best for tuning it. To measure it, pass --at-random.
    """
    from tsodata.correcting.asking import export_corrections
    from tsodata.correcting.offering import Selection
    from tsodata.correcting.sheets import KINDS
    from tsodata.errors import UsageError
    from tsodata.recipes import SEED

    if to is None or out is None:
        raise UsageError(f"name a kind of sheet, --to {'|'.join(KINDS)}, and --out FILE or FOLDER")
    selection = Selection(
        judge=judge,
        rubric=rubric,
        dimensions=tuple(listed(dimension)),
        build=build,
        cells=tuple(listed(cells)),
        sample=sample,
        seed=SEED if seed is None else seed,
        at_random=at_random,
        again=again,
    )
    report = export_corrections(open_store(store, wait), selection, to=to, out=out)
    if as_json:
        print_json(plain(report))
        return
    done = "already there" if report.already_there else "written"
    by = ", ".join(f"{name} {n}" for name, n in report.dimensions.items())
    print(f"{report.path} {done}: {report.n_offers} answers scored by {report.judge} ({report.rubric}: {by})")


@guarded
def correct(
    by: Annotated[str, typer.Option("--by", help="The judge whose stored scores are to count as corrections.")],
    rubric: Annotated[str | None, typer.Option(help="Only scores by this rubric.")] = None,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Append a stronger judge's scores as corrections under its name. Doing it twice adds nothing."""
    from tsodata.correcting.standing_in import correct_by_judge

    opened = open_store(store, wait)
    with recorded(opened, {"by": by, "rubric": rubric}) as run:
        report = correct_by_judge(opened, by, run=run, rubric=rubric)
    if as_json:
        print_json(plain(report))
    else:
        print(f"{report.judge}: {report.n_added} corrections added, {report.n_present} there already")


@guarded
def agreement(
    judge: Annotated[
        list[str] | None, typer.Option("--judge", help="A judge; two are compared, the second with the first.")
    ] = None,
    against: Annotated[str, typer.Option(help="people, or another judge.")] = "people",
    rubric: Annotated[str | None, typer.Option(help="Only scores by this rubric.")] = None,
    by: Annotated[str | None, typer.Option(help="Group by dimension, cell, or dimension,cell.")] = None,
    good_from: Annotated[
        float | None,
        typer.Option(help="Two judges: from which score an answer is good.", show_default="the middle of the scale"),
    ] = None,
    seed: Seed = None,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show how far judges agree with people, or with another judge, and people among themselves.

    Two judges: which figures moved from the first to the second, and which answers were rescued, caught or broken.
    """
    from tsodata.correcting.agreement import AgreementQuestion, measure_agreement
    from tsodata.correcting.comparing import compare_judges
    from tsodata.errors import UsageError
    from tsodata.recipes import SEED

    from .figures import agreement_lines

    judges = tuple(judge or ())
    if len(set(judges)) != len(judges) or len(judges) > 2:
        raise UsageError("name one judge, or two different ones")
    question = AgreementQuestion(judges, against, rubric, tuple(listed(by)), SEED if seed is None else seed)
    opened = open_store(store, wait)
    if len(judges) == 2:
        report = compare_judges(opened, question, good_from=good_from)
    else:
        report = measure_agreement(opened, question)
    if as_json:
        print_json(report.to_dict())
    else:
        print(*agreement_lines(report), sep="\n")


@guarded
def judge_sft(
    out: Annotated[Path, typer.Option(help="The folder to write; whole, or not at all.")],
    judge: Annotated[str | None, typer.Option(help="The judge that is to learn.", show_default="the only one")] = None,
    rubric: Rubric = None,
    ask_by: Annotated[
        str | None, typer.Option(help="Another rubric's prompt: a name or a TOML file.", show_default="the scores' own")
    ] = None,
    dimension: Dimensions = None,
    held_out: Annotated[float, typer.Option(help="The share of prompts to hold out.")] = 0.1,
    held_out_cells: Annotated[str | None, typer.Option(help="Sources never trained on, by label.")] = None,
    per_bin: Annotated[
        int | None,
        typer.Option(min=1, help="Training records of each fifth of the scale.", show_default="as the middle one has"),
    ] = None,
    agree_within: Annotated[
        float, typer.Option(min=0, help="How near a judge's score must be for its words to count as evidence.")
    ] = 1.0,
    seed: Seed = None,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write the corrections of a judge as records to tune it on: the rubric's prompt, evidence, and people's score."""
    from tsodata.correcting.judge_sft import Lesson
    from tsodata.correcting.teaching import export_judge_sft
    from tsodata.judging.rubric import load_rubric
    from tsodata.recipes import SEED

    lesson = Lesson(
        judge=judge,
        rubric_name=rubric,
        rubric=load_rubric(ask_by) if ask_by else None,
        dimensions=tuple(listed(dimension)),
        held_out=held_out,
        held_out_cells=tuple(listed(held_out_cells)),
        per_bin=per_bin,
        agree_within=agree_within,
        seed=SEED if seed is None else seed,
    )
    report = export_judge_sft(open_store(store, wait), lesson, out=out)
    if as_json:
        print_json(plain(report))
        return
    done = "already there" if report.already_there else "written"
    rows = ", ".join(f"{split} {n}" for split, n in report.rows.items())
    refused = ", ".join(f"{n} {reason}" for reason, n in report.refused.items())
    print(f"{report.directory} {done}: of {report.n_items} corrected answers {rows}; refused: {refused or 'none'}")
    print(f"evidence by: {', '.join(f'{who} {n}' for who, n in report.evidence_by.items())}")


@guarded
def calibrate(
    judge: Judge = None,
    rubric: Rubric = None,
    against: Annotated[str, typer.Option(help="people, or a stronger judge.")] = "people",
    share: Annotated[float, typer.Option(help="The share of prompts to fit on; the others try the map.")] = 0.7,
    seed: Seed = None,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Fit and store a rising map from a judge's scores to people's, one per dimension.

    A recipe with `calibrated = true` under [scores] draws by the latest maps.
    """
    from tsodata.correcting.calibrating import CalibrationQuestion
    from tsodata.correcting.calibrating import calibrate as fit
    from tsodata.recipes import SEED

    from .figures import calibration_lines

    opened = open_store(store, wait)
    question = CalibrationQuestion(judge, rubric, against, share, SEED if seed is None else seed)
    with recorded(opened, {**plain(question)}, seed=question.seed) as run:
        report = fit(opened, question, run=run)
    if as_json:
        print_json(plain(report))
    else:
        print(*calibration_lines(report), sep="\n")
