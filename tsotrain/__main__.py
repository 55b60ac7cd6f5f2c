"""The trainer without a store: `python -m tsotrain PAIRS.parquet --policy FOLDER --out FOLDER`.

For machines that have torch and transformers and neither DuckDB nor polars; also under torchrun (`-m tsotrain`).
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tsodata.errors import TsoError
from tsotrain.config import load_config
from tsotrain.errors import DivergedError
from tsotrain.parallel import processes
from tsotrain.policy import load_tokenizer
from tsotrain.tokens import read_pairs, tokenize_pairs
from tsotrain.training import train_stage


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tsotrain", description="Train a policy on a Parquet file of pairs.")
    parser.add_argument("pairs", type=Path, help="pairs as tso-data export --to parquet writes them")
    parser.add_argument("--policy", type=Path, required=True, help="the policy to start from, and the reference")
    parser.add_argument("--out", type=Path, required=True, help="the folder of results; run again, it goes on")
    parser.add_argument("--config", type=Path, help="settings in TOML")
    parser.add_argument("-s", "--set", action="append", default=[], metavar="NAME=VALUE", help="over the settings")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Train, and return the exit code: 0 done, 1 refused, 4 diverged, 130 interrupted."""
    asked = _parser().parse_args(arguments)
    try:
        overrides = dict(text.split("=", 1) for text in asked.set)
        config = load_config(asked.config, overrides)
        with processes() as ours:
            say = _narrate if ours.is_first else _nothing
            found = tokenize_pairs(read_pairs(asked.pairs), load_tokenizer(asked.policy), config)
            say(found.describe())
            outcome = train_stage(asked.policy, found.examples, asked.out, config=config, ours=ours, say=say)
            if ours.is_first:
                print(json.dumps({**asdict(outcome), "policy": str(outcome.policy)}, indent=2))
    except TsoError as error:
        _narrate(f"tsotrain: error: {error}")
        return 4 if isinstance(error, DivergedError) else 1
    except KeyboardInterrupt:
        _narrate("tsotrain: interrupted at a checkpoint; running it again goes on")
        return 130
    return 0


def _narrate(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _nothing(_: str) -> None:
    """Say nothing: another process speaks."""


if __name__ == "__main__":
    sys.exit(main())
