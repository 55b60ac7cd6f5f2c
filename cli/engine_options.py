"""Options of every command that asks models: which engine, how hard it may press, and what it may cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from .exits import narrate

if TYPE_CHECKING:
    from tsodata.engines.options import EngineOptions
    from tsodata.engines.protocol import ModelIdentity
    from tsodata.runner import Limits

EngineName = Annotated[
    str | None,
    typer.Option(
        "--engine",
        help="openai, served, transformers or vllm (docs/engines.md).",
        show_default="transformers for a folder, else openai",
    ),
]
Endpoint = Annotated[
    str | None,
    typer.Option("--endpoint", help="The endpoint's address.", show_default="$OPENAI_BASE_URL, else OpenAI's"),
]
KeyEnv = Annotated[str, typer.Option("--key-env", help="The environment variable that holds the key.")]
Revision = Annotated[str | None, typer.Option("--revision", help="The model's revision, where you know it.")]
EngineSettings = Annotated[
    list[str] | None, typer.Option("--engine-option", "-e", help="NAME=VALUE for the engine; may be repeated.")
]
Concurrency = Annotated[int, typer.Option("--concurrency", min=1, help="Most calls at once.")]
Attempts = Annotated[int, typer.Option("--attempts", min=1, help="Tries of a request; rate limits do not count.")]
CallTimeout = Annotated[float, typer.Option("--timeout", min=0.001, help="Seconds for one whole answer.")]
MaxWait = Annotated[float, typer.Option("--max-wait", min=0, help="Seconds to leave the endpoint alone, at most.")]
Price = Annotated[Path | None, typer.Option("--price", help="A TOML table of prices (docs/generate.md).")]
BudgetTokens = Annotated[int | None, typer.Option("--budget-tokens", min=1, help="Stop at so many tokens.")]
BudgetUsd = Annotated[
    float | None, typer.Option("--budget-usd", min=0, help="Stop at so many US dollars; needs --price.")
]
Shard = Annotated[str | None, typer.Option("--shard", help="I/N: one part of the prompts, into journals.")]
JournalFolder = Annotated[
    Path | None, typer.Option("--journal", help="The folder of journals.", show_default="journals")
]
BatchOut = Annotated[Path | None, typer.Option("--batch-out", help="Write an OpenAI batch file, and ask nobody.")]
BatchIn = Annotated[Path | None, typer.Option("--batch-in", help="Read the replies to one.")]


class Served(NamedTuple):
    """A model, and the engine that reaches it: what `make_engine` takes."""

    engine: str
    model: str
    options: EngineOptions


def served_by(
    model: str,
    *,
    engine: str | None,
    endpoint: str | None,
    key_env: str,
    revision: str | None,
    settings: list[str] | None,
    concurrency: int,
    timeout_s: float,
) -> Served:
    """Return how to reach a model, by the usual engine where none is named; checked before anything is recorded.

    Raises:
        UsageError: there is no such engine, or its address or key cannot be used.
    """
    from tsodata.engines.choosing import check_options, usual_engine
    from tsodata.engines.options import EngineOptions

    from .options import named_values

    options = EngineOptions(
        endpoint=endpoint,
        key_env=key_env,
        concurrency=concurrency,
        timeout_s=timeout_s,
        revision=revision,
        settings=named_values(settings, "-e NAME=VALUE"),
    )
    name = engine or usual_engine(model, endpoint)
    check_options(name, options)
    return Served(name, model, options)


def limits_of(
    model: str,
    *,
    concurrency: int,
    attempts: int,
    max_wait: float,
    price: Path | None,
    budget_tokens: int | None,
    budget_usd: float | None,
) -> Limits:
    """Return the bounds of a run.

    Raises:
        UsageError: the price table cannot be read, or a budget in dollars has no prices.
    """
    from tsodata.generating import PriceTable
    from tsodata.runner import Limits

    prices = PriceTable.read(price).of(model) if price else None
    return Limits(concurrency, attempts, max_wait, budget_tokens, budget_usd, prices)


def identity_of(served: Served) -> ModelIdentity:
    """Return what is known of a model without asking for it."""
    from tsodata.engines.protocol import ModelIdentity

    return ModelIdentity(served.model, revision=served.options.revision)


def journal_folder(shard: str | None, journal: Path | None) -> Path | None:
    """Return the folder that takes what comes, or None where the store does."""
    from tsodata.journals import DEFAULT_FOLDER

    return (journal or DEFAULT_FOLDER) if shard or journal else None


def tell_journals(folder: Path) -> None:
    """Say where it is kept, and how it comes into a store."""
    narrate(f"kept in {folder}; take it into a store with: tso-data import journal {folder}")
