"""Builds against each other and against themselves: `diff`, `rebuild`."""

from __future__ import annotations

from typing import Annotated

import typer

from .exits import ExitCode, guarded
from .legible import say
from .opening import open_store, plain, print_json, recorded
from .options import AllowShort, AsCsv, AsJson, StorePath, Versions, Wait, listed
from .pairing import print_build


@guarded
def diff(
    before: Annotated[str, typer.Argument(metavar="BUILD_A", help="A build's name.")],
    after: Annotated[str, typer.Argument(metavar="BUILD_B", help="Another build's name, also of another recipe.")],
    rows: Annotated[
        bool, typer.Option("--rows", help="Print the pairs that differ (the named query build-diff).")
    ] = False,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Tell which pairs one build has and the other has not, and how sources, scores and lengths shift."""
    from tsodata.builds import diff_builds
    from tsodata.errors import UsageError

    if as_csv and not rows:
        raise UsageError("--csv prints rows; pass --rows too, or --json for the counts")
    opened = open_store(store, wait)
    found = diff_builds(opened, before, after)
    if rows:
        from .output import write_frame

        write_frame(opened.query("build-diff", before=before, after=after), as_json=as_json, as_csv=as_csv)
    elif as_json:
        print_json(plain(found))
    else:
        from .build_report import diff_lines

        say(diff_lines(found))


@guarded
def rebuild(
    name: Annotated[str, typer.Argument(metavar="BUILD", help="The build's name.")],
    new_name: Annotated[
        str | None, typer.Argument(metavar="NEW_NAME", help="Draw its recipe on today's material, under this name.")
    ] = None,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Draw it again as it was, and compare it row by row; exit code 1 if not equal."),
    ] = False,
    versions: Versions = None,
    allow_short: AllowShort = False,
    store: StorePath = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Draw a build again: as it was, to verify it, or with the same recipe, base and seed on today's material."""
    from tsodata import builds
    from tsodata.errors import UsageError

    if verify == (new_name is not None):
        raise UsageError("pass --verify, or the name of a new build on today's material")
    opened = open_store(store, wait)
    if new_name is not None:
        with recorded(opened, {"rebuilt": name, "name": new_name}) as run:
            drawn = builds.rebuild(opened, name, new_name, run=run, versions=listed(versions), allow_short=allow_short)
        print_build(drawn, as_json=as_json)
        return
    found = builds.verify_build(opened, name)
    if as_json:
        print_json({**plain(found), "is_equal": found.is_equal})
    else:
        from .build_report import verification_lines

        say(verification_lines(found))
    if not found.is_equal:
        raise typer.Exit(ExitCode.REFUSED)
