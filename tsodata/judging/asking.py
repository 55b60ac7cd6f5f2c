"""A judge's task as requests to a model, and what comes back as records, each batch in one transaction.

A judgement, what was read in it, and the call that brought it are committed together: words that were paid for are
never without a score or the reason why not, and no score is without its words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tsodata.calls import Call, Reply, request_key, sample_seed
from tsodata.engines.protocol import Completion, Engine, Request
from tsodata.errors import RubricError
from tsodata.judging.choosing import Ask, Chosen, Task
from tsodata.judging.material import Answer, answer_values, pair_values
from tsodata.judging.parsers import Asked
from tsodata.judging.probes import Probe
from tsodata.judging.reading import CUT, Side, raw_words, read_verdicts
from tsodata.judging.rubric import Question
from tsodata.judging.templates import render
from tsodata.judging.texts import load_answers
from tsodata.provenance import Run
from tsodata.records import Judgement, Message, Preference, Record, Score, Settings
from tsodata.runner import Ended
from tsodata.store import Store

_SLICE = 200  # judgements whose texts are read at once


class Waiting(NamedTuple):
    """A judgement that is asked for: its question, the answers shown in their order, and the sample."""

    question: Question
    shown: tuple[Answer, ...]
    sample_index: int
    probe: Probe | None = None


Planted = Callable[[Sequence[Waiting]], Iterable[Waiting]]


def no_plants(_: Sequence[Waiting]) -> Iterable[Waiting]:
    """Return nothing beside the real work."""
    return ()


@dataclass(slots=True)
class Outcomes:
    """What was read: how often a number came out, how often none and why, and the asks that could not be made."""

    read: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)

    def count(self, records: Sequence[Record]) -> None:
        """Take note of the verdicts among the records of a batch."""
        for record in records:
            if isinstance(record, (Score, Preference)):
                self.read[record.reason or "ok"] += 1


class Judging:
    """One run of a task over an engine: it makes the requests, and keeps what comes back."""

    def __init__(self, store: Store, task: Task, engine: Engine, run: Run) -> None:
        self.store, self.task, self.engine, self.run = store, task, engine, run
        self.outcomes = Outcomes()
        self._waiting: dict[int, list[Waiting]] = {}

    def requests(self, chosen: Chosen, *, planted: Planted = no_plants) -> Iterator[Request]:
        """Yield the requests of what is missing; texts are read in slices, as they are needed.

        What `planted` makes of a slice is asked for among it. A slice is made up before its first request is yielded:
        whether two judgements share one must not depend on how soon the first is answered.
        """
        for asks in chosen.iter_slices(_SLICE):
            with self.store.reader() as reader:
                answers = load_answers(reader, _keys(asks))
            shown = list(self._shown(asks, answers))
            yield from [request for waiting in (*shown, *planted(shown)) for request in self.request(waiting)]

    def _shown(self, asks: Sequence[Ask], answers: Mapping[int, Answer]) -> Iterator[Waiting]:
        for ask in asks:
            keys = [ask.response_key] if ask.other_key is None else [ask.response_key, ask.other_key]
            if not all(key in answers for key in keys):
                self.outcomes.skipped["no_earlier_answer"] += 1
                continue
            shown = tuple(answers[key] for key in keys)
            yield Waiting(self.task.questions[ask.question], shown, ask.sample_index)

    def request(self, waiting: Waiting) -> Iterator[Request]:
        """Yield the request of a judgement; none where the same one is on its way, whose words then serve both."""
        try:
            messages = self._messages(waiting)
        except RubricError:  # such as a reference that only one of two turns has
            self.outcomes.skipped["unfilled_place"] += 1
            return
        sampling, sample = self.task.rubric.sampling, waiting.sample_index
        seed = sample_seed(self.task.seed, waiting.shown[0].prompt_key, sample)
        key = request_key(
            self.engine.identity,
            messages,
            sampling,
            seed=seed,
            sample_index=sample,
            rubric=(waiting.question.record.rubric_key,),
        )
        self._waiting.setdefault(key, []).append(waiting)
        if len(self._waiting[key]) == 1:
            yield Request(key, messages, sampling, seed)

    def _messages(self, waiting: Waiting) -> tuple[Message, ...]:
        if len(waiting.shown) == 2:
            values = pair_values(*waiting.shown)
        else:
            values = answer_values(waiting.shown[0], categories=self.task.rubric.categories)
        return render(waiting.question.template, values)

    def keep(self, batch: Sequence[Ended]) -> None:
        """Commit a batch of attempts that ended: judgements, verdicts and calls, or the failures."""
        records: dict[type[Record], list[Record]] = {}
        for ended in batch:
            for record in self._records(ended):
                records.setdefault(type(record), []).append(record)
        with self.store.transaction(self.run) as transaction:
            transaction.append(records)
        self.outcomes.count([record for some in records.values() for record in some])
        for ended in batch:
            if ended.completion:
                self._waiting.pop(ended.request.key, None)

    def _records(self, ended: Ended) -> Iterator[Record]:
        waiting = self._waiting[ended.request.key]
        if ended.completion is None:
            yield from self._call(ended, waiting[0], None)
            return
        settings = self._settings(ended.completion)
        yield settings
        first: Judgement | None = None
        for one in waiting:
            if one.probe:
                yield from one.probe.records()
            judgement = self._judgement(one, ended.completion, settings)
            first = first or judgement
            yield one.question.record
            yield judgement
            yield from self._verdicts(one, judgement, ended.completion)
        yield from self._call(ended, waiting[0], first)

    def _judgement(self, waiting: Waiting, completion: Completion, settings: Settings) -> Judgement:
        first, *others = waiting.shown
        return Judgement(
            prompt_key=first.prompt_key,
            response_key=first.response_key,
            other_key=others[0].response_key if others else None,
            judge=self.task.judge,
            judge_kind="model",
            rubric_key=waiting.question.record.rubric_key,
            sample_index=waiting.sample_index,
            raw=raw_words(completion),
            settings_key=settings.settings_key,
        )

    def _verdicts(self, waiting: Waiting, judgement: Judgement, completion: Completion) -> Iterator[Record]:
        rubric = self.task.rubric
        asked = Asked(rubric.scale, waiting.question.dimensions, is_cut=completion.finish_reason == CUT)
        sides = [Side(answer.response_key, answer.source_key) for answer in waiting.shown]
        return read_verdicts(judgement, sides, parser=rubric.parser, asked=asked)

    def _settings(self, completion: Completion) -> Settings:
        identity, sampling = self.engine.identity, self.task.rubric.sampling
        known: dict[str, object] = {
            "engine": self.engine.name,
            "model": identity.name,
            "revision": identity.revision,
            "template_sha256": identity.template_sha256,
            "tokenizer_sha256": identity.tokenizer_sha256,
            "temperature": float(sampling.temperature),
            "top_p": float(sampling.top_p),
            "max_tokens": sampling.max_tokens,
            "stop": sampling.stop or None,
            "top_logprobs": sampling.top_logprobs,
            "seed": self.task.seed,
            "finish_reason": CUT if completion.finish_reason == CUT else None,
        }
        return Settings.of({name: value for name, value in known.items() if value is not None})

    def _call(self, ended: Ended, waiting: Waiting, judgement: Judgement | None) -> Iterator[Record]:
        shown = waiting.shown[0]
        call = Call.of(
            ended,
            self.engine,
            run_key=self.run.key,
            task="judge",
            prompt_key=shown.prompt_key,
            response_key=None if waiting.probe else shown.response_key,  # a made-up answer is no response
            judgement_key=judgement.judgement_key if judgement else None,
        )
        yield call
        if reply := Reply.of(call, ended):
            yield reply


def _keys(asks: Sequence[Ask]) -> set[int]:
    return {ask.response_key for ask in asks} | {ask.other_key for ask in asks if ask.other_key is not None}
