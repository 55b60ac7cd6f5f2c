"""A judge's task as requests to a model, and what comes back as rows, which a shelf keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tsodata.calls import Call, Reply, request_key, sample_seed
from tsodata.engines.protocol import Completion, Engine, ModelIdentity, Request
from tsodata.errors import RubricError
from tsodata.judging.choosing import Ask, Chosen, Task
from tsodata.judging.keeping import TASK, Judged, Said, Shelf
from tsodata.judging.material import Answer, answer_values, pair_values
from tsodata.judging.parsers import Asked
from tsodata.judging.probes import Probe
from tsodata.judging.reading import CUT, Side, raw_words, read_verdicts
from tsodata.judging.rubric import Question
from tsodata.judging.templates import render
from tsodata.judging.texts import load_answers
from tsodata.records import Judgement, Message, Preference, Score, Settings
from tsodata.runner import Ended, Keep
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

    def count(self, batch: Sequence[Judged]) -> None:
        """Take note of the verdicts of a batch."""
        self.read.update(
            verdict.reason or "ok" for judged in batch for said in judged.said for verdict in said.verdicts
        )


class Judging:
    """One run of a task by a model: it makes the requests, and has kept what comes back."""

    def __init__(self, store: Store, task: Task, identity: ModelIdentity) -> None:
        self.store, self.task, self.identity = store, task, identity
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
            self.identity,
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

    def keep(self, engine: Engine, shelf: Shelf) -> Keep:
        """Return what keeps a batch of attempts that ended: judgements, verdicts and calls, or the failures."""

        def keep(batch: Sequence[Ended]) -> None:
            judged = [self._judged(ended, engine, shelf.run_key) for ended in batch]
            shelf.keep(judged)
            self.outcomes.count(judged)
            for ended in batch:
                if ended.completion:
                    self._waiting.pop(ended.request.key, None)

        return keep

    def _judged(self, ended: Ended, engine: Engine, run_key: int) -> Judged:
        waiting, completion = self._waiting[ended.request.key], ended.completion
        settings = self._settings(engine.name, completion) if completion else None
        said = tuple(self._said(one, completion, settings) for one in waiting) if completion and settings else ()
        shown = waiting[0].shown[0]
        call = Call.of(
            ended,
            engine,
            run_key=run_key,
            task=TASK,
            prompt_key=shown.prompt_key,
            response_key=None if waiting[0].probe else shown.response_key,  # a made-up answer is no response
            judgement_key=said[0].judgement.judgement_key if said else None,
        )
        return Judged(call, Reply.of(call, ended), settings, said)

    def _said(self, waiting: Waiting, completion: Completion, settings: Settings) -> Said:
        judgement = self._judgement(waiting, completion, settings)
        verdicts = tuple(self._verdicts(waiting, judgement, completion))
        return Said(waiting.question.record, judgement, verdicts, waiting.probe)

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

    def _verdicts(self, waiting: Waiting, judgement: Judgement, completion: Completion) -> Iterator[Score | Preference]:
        rubric = self.task.rubric
        asked = Asked(rubric.scale, waiting.question.dimensions, is_cut=completion.finish_reason == CUT)
        sides = [Side(answer.response_key, answer.source_key) for answer in waiting.shown]
        return read_verdicts(judgement, sides, parser=rubric.parser, asked=asked)

    def _settings(self, engine: str, completion: Completion) -> Settings:
        identity, sampling = self.identity, self.task.rubric.sampling
        known: dict[str, object] = {
            "engine": engine,
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


def _keys(asks: Sequence[Ask]) -> set[int]:
    return {ask.response_key for ask in asks} | {ask.other_key for ask in asks if ask.other_key is not None}
