"""The trainer without a store: `python -m tsotrain PAIRS.parquet --policy FOLDER --out FOLDER`.

For machines that have torch and transformers and neither DuckDB nor polars; also under torchrun (`-m tsotrain`). With
`judge` or `sft` as the first word it tunes on chat records: `python -m tsotrain judge --records PATH …`.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tsodata.errors import TsoError
from tsotrain.config import load_config, load_tune_config
from tsotrain.errors import DivergedError, TrainError
from tsotrain.learning import material_of, train_stage
from tsotrain.leaving import leave_after
from tsotrain.parallel import Processes, processes
from tsotrain.policy import load_tokenizer
from tsotrain.records import iter_records, record_files
from tsotrain.tokens import tokenize_records
from tsotrain.training import Outcome, Say, Session
from tsotrain.tuning import tune

TUNINGS = ("judge", "sft")  # the same training; only a store tells them apart


def _parser(tuning: str | None) -> argparse.ArgumentParser:
    if tuning:
        parser = argparse.ArgumentParser(f"python -m tsotrain {tuning}", description="Tune a model on chat records.")
        parser.add_argument("--records", type=Path, required=True, help="chat records: a file or a folder")
        parser.add_argument("--policy", type=Path, required=True, help="the model to tune")
    else:
        parser = argparse.ArgumentParser("python -m tsotrain", description="Train a policy on a Parquet file of pairs.")
        parser.add_argument(
            "pairs",
            type=Path,
            help="what tso-data export --to parquet writes; --to ranked for rrhf and pro",
        )
        parser.add_argument("--policy", type=Path, required=True, help="the policy to start from, and the reference")
    parser.add_argument("--out", type=Path, required=True, help="the folder of results; run again, it goes on")
    parser.add_argument("--config", type=Path, help="settings in TOML")
    parser.add_argument("-s", "--set", action="append", default=[], metavar="NAME=VALUE", help="over the settings")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Train, and return the exit code: 0 done, 1 refused, 4 diverged, 130 interrupted."""
    words = sys.argv[1:] if arguments is None else arguments
    tuning = words[0] if words and words[0] in TUNINGS else None
    asked = _parser(tuning).parse_args(words[1:] if tuning else words)
    try:
        with processes() as ours:
            say = _narrate if ours.is_first else _nothing
            outcome = (_tune if tuning else _train)(asked, ours, say)
            if ours.is_first:
                print(json.dumps({**asdict(outcome), "policy": str(outcome.policy)}, indent=2))
    except TsoError as error:
        _narrate(f"tsotrain: error: {error}")
        return 4 if isinstance(error, DivergedError) else 1
    except KeyboardInterrupt:
        _narrate("tsotrain: interrupted at a checkpoint; running it again goes on")
        return 130
    return 0


def _train(asked: argparse.Namespace, ours: Processes, say: Say) -> Outcome:
    config = load_config(asked.config, _overrides(asked))
    material = material_of(config.loss)
    found = material.tokenize(material.read(asked.pairs), load_tokenizer(asked.policy), config)
    say(found.describe())
    return train_stage(asked.policy, found.examples, asked.out, config=config, ours=ours, say=say)


def _tune(asked: argparse.Namespace, ours: Processes, say: Say) -> Outcome:
    config = load_tune_config(asked.config, _overrides(asked))
    found = tokenize_records(iter_records(record_files(asked.records)), load_tokenizer(asked.policy), config)
    say(found.describe())
    return tune(Session(asked.policy, asked.out, config, ours, say), found)


def _overrides(asked: argparse.Namespace) -> dict[str, str]:
    wrong = [text for text in asked.set if "=" not in text]
    if wrong:
        raise TrainError(f"{wrong[0]!r} is not -s NAME=VALUE")
    return dict(text.split("=", 1) for text in asked.set)


def _narrate(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _nothing(_: str) -> None:
    """Say nothing: another process speaks."""


if __name__ == "__main__":
    leave_after(lambda: sys.exit(main()))
