"""Which pairs of which builds would be others, had scores been read otherwise: the builds are drawn again to see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tsodata.builds.building import draw_build
from tsodata.builds.planning import stored_plan
from tsodata.errors import DataError
from tsodata.provenance import format_id
from tsodata.records import Score
from tsodata.store import Reader

_SLICE = 10_000


class BuildChange(NamedTuple):
    """A build that scores by this judge and rubric: its pairs (answers), and those that would go and come."""

    build: str
    n_rows: int
    gone: tuple[str, ...]
    come: int
    stopped: str | None = None  # why nothing could be drawn


def changed_builds(reader: Reader, readings: Sequence[Score]) -> tuple[BuildChange, ...]:
    """Return the builds that would change if these readings had been there when they were drawn.

    The reader's table `scores` is covered by a view that holds the readings too; a build's draw sees no difference.
    """
    judged = {(reading.judge, reading.rubric_key) for reading in readings}
    names = dict(reader.rows("judging/rubric_names"))
    by = {(judge, names[rubric_key]) for judge, rubric_key in judged}
    _keep_readings(reader, readings)
    found = []
    for (name,) in reader.rows("builds/names"):
        stored = stored_plan(reader, name)
        if (stored.plan.scores.judge, stored.plan.scores.rubric) not in by:
            continue
        try:
            key = stored.build_key
            drawn = draw_build(reader, stored.plan, stored.snapshot, key=key, allow_short=True).tables
        except DataError as error:
            found.append(BuildChange(name, 0, (), 0, str(error)))
            continue
        table, noun = ("pairs", "pair") if stored.plan.recipe.makes == "pairs" else ("build_responses", "response")
        path = "builds/stored_pairs" if table == "pairs" else "builds/stored_responses"
        before = {row[f"{noun}_key"] for row in reader.arrow(path, build_key=stored.build_key).to_pylist()}
        after = set(drawn[table][f"{noun}_key"].to_pylist())
        if before != after:
            gone = tuple(format_id(noun, one) for one in sorted(before - after))
            found.append(BuildChange(name, len(before), gone, len(after - before)))
    return tuple(found)


def _keep_readings(reader: Reader, readings: Sequence[Score]) -> None:
    for is_later, some in enumerate(_slices(readings)):
        reader.keep(
            "scores_read_again",
            "judging/reread",
            append=bool(is_later),
            score_keys=[reading.score_key for reading in some],
            judgements=[reading.judgement_key for reading in some],
            dimensions=[reading.dimension for reading in some],
            values=[reading.value for reading in some],
            reasons=[None if reading.reason is None else str(reading.reason) for reading in some],
            parser=readings[0].parser,
        )
    database = reader.rows("store/database")[0][0].replace('"', '""')
    stored = f'"{database}".main.scores'
    reader.define("scores", f"select * from {stored} union all select * from scores_read_again")


def _slices(readings: Sequence[Score]) -> Iterator[Sequence[Score]]:
    return (readings[start : start + _SLICE] for start in range(0, len(readings), _SLICE))
