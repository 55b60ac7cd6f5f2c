"""Attempts as rows, and the store as the place that keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from tsodata.calls import Call, Reply
from tsodata.engines.protocol import Engine
from tsodata.generating.asking import Ask
from tsodata.generating.planning import Draw, Plan, Slot
from tsodata.provenance import Run
from tsodata.records import Record, Response, Settings, Source
from tsodata.runner import Ended, Keep
from tsodata.store import Store

TASK = "generate"


class Answered(NamedTuple):
    """An attempt that ended, as rows."""

    draw: Draw
    call: Call
    response: Response | None
    reply: Reply | None


class Shelf(Protocol):
    """Where a run keeps what ended."""

    def beside(self, ask: Ask, revision: str | None) -> Mapping[Slot, Response]:
        """Return the answers of a cell's model, at this revision, that are kept here and not in the store."""
        ...

    def keep(self, plan: Plan, engine: Engine) -> Keep:
        """Return what keeps a batch of a plan, whole or not at all."""
        ...

    def close(self) -> None:
        """Leave it as others want to find it."""
        ...


def settings_of(plan: Plan, engine: Engine) -> Settings:
    """Return what shaped the answers besides the prompt: the model, its template, and how they were drawn."""
    sampling, identity = plan.ask.sampling, plan.identity
    return Settings.of(
        {
            "engine": engine.name,
            "model": identity.name,
            "revision": identity.revision,
            "template_sha256": identity.template_sha256,
            "tokenizer_sha256": identity.tokenizer_sha256,
            "temperature": float(sampling.temperature),
            "top_p": float(sampling.top_p),
            "max_tokens": sampling.max_tokens,
            "stop": list(sampling.stop),
        }
    )


def answered(plan: Plan, engine: Engine, ended: Ended, *, settings_key: int, run_key: int) -> Answered:
    """Return the rows of an attempt. An empty answer is an answer, and marked as empty."""
    draw = plan.draws[ended.request.key]
    response = None
    if ended.completion:
        response = Response(
            prompt_key=draw.slot.prompt_key,
            source_key=plan.ask.source.source_key,
            text=ended.completion.text,
            sample_index=draw.slot.sample_index,
            settings_key=settings_key,
            seed=draw.seed,
            finish_reason=ended.completion.finish_reason,
            previous_key=draw.previous_key,
        )
    call = Call.of(
        ended,
        engine,
        run_key=run_key,
        task=TASK,
        prompt_key=draw.slot.prompt_key,
        response_key=response.response_key if response else None,
        settings_key=settings_key,
    )
    return Answered(draw, call, response, Reply.of(call, ended))


@dataclass(frozen=True, slots=True)
class StoreShelf:
    """Keeps answers in the store: each batch with its calls in one transaction."""

    store: Store
    run: Run

    def beside(self, ask: Ask, revision: str | None) -> Mapping[Slot, Response]:  # noqa: ARG002  there is nothing beside
        """Return nothing: all there is, is in the store."""
        return {}

    def keep(self, plan: Plan, engine: Engine) -> Keep:
        """Return what commits a batch of a plan."""
        settings = settings_of(plan, engine)
        stated: dict[type[Record], list[Record]] = {Source: [plan.ask.source], Settings: [settings]}  # once is enough

        def keep(batch: Sequence[Ended]) -> None:
            key = settings.settings_key
            found = [answered(plan, engine, ended, settings_key=key, run_key=self.run.key) for ended in batch]
            records: dict[type[Record], list[Record]] = {
                **stated,
                Response: [one.response for one in found if one.response],
                Call: [one.call for one in found],
                Reply: [one.reply for one in found if one.reply],
            }
            with self.store.transaction(self.run) as transaction:
                transaction.append({table: some for table, some in records.items() if some})
            stated.clear()
            plan.forget(batch)

        return keep

    def close(self) -> None:
        """Leave the store as it is."""
