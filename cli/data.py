"""`tso-data`: the store's commands, and where each of them lives."""

from __future__ import annotations

from . import (
    asking,
    benching,
    checking,
    comparing,
    correcting,
    evaluating,
    exporting,
    generating,
    importing,
    judging,
    pairing,
    reparsing,
    serving,
    stats,
)
from .apps import make_app

app = make_app(
    "tso-data",
    "The preference store: prompts, matrix answers, human answers, scores, and the pairs drawn from them.",
)
app.command("init")(importing.init)
app.command("import")(importing.import_)
app.command("generate")(generating.generate)
app.command("serve")(serving.serve)
app.command("matrix")(pairing.matrix)
app.command("judge")(judging.judge)
app.command("judge-selftest")(judging.selftest)
app.command("reparse")(reparsing.reparse)
app.command("build-pairs")(pairing.build)
app.command("builds")(pairing.builds)
app.command("diff")(comparing.diff)
app.command("rebuild")(comparing.rebuild)
app.command("explain")(pairing.explain)
app.command("stats")(stats.stats)
app.command("export")(exporting.export)
app.command("export-answers")(exporting.answers)
app.command("export-corrections")(correcting.export)
app.command("correct")(correcting.correct)
app.command("agreement")(correcting.agreement)
app.command("export-judge-sft")(correcting.judge_sft)
app.command("calibrate")(correcting.calibrate)
app.command("eval")(evaluating.evaluate)
app.command("eval-run")(benching.evaluate_anew)
app.command("check")(checking.check)
app.command("recover")(checking.recover)
app.command("sql")(asking.sql)
app.command("query")(asking.query)


def main() -> None:
    """Run the app."""
    app()
