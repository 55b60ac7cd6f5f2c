"""Stores with a build made by hand, so that the exporters are tested without the code that draws pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from tsodata.exporters import FORMATS
from tsodata.provenance import Run, content_key, format_id
from tsodata.records import Message, Prompt, Response, Rubric, Score, Source
from tsodata.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from types import ModuleType

BUILD = "first"
RECIPE = '{"n_minibatches":2,"name":"first"}'
RESOLVED = '{"base":"base/7","weights":{"base/-/7":0.5,"human":0.5}}'
STRONG = Source.model("base", None, 13.0)
WEAK = Source.model("base", None, 7.0)
RUBRIC = Rubric("helpfulness", scale_min=1.0, scale_max=10.0)


@dataclass(frozen=True)
class PairSpec:
    """One pair of the build; without a minibatch it is held out."""

    prompt: Prompt
    chosen: str
    rejected: str
    chosen_score: float | None = None
    rejected_score: float | None = None
    minibatch: int | None = 1

    @property
    def answers(self) -> tuple[Response, Response]:
        key = self.prompt.prompt_key
        return (
            Response(prompt_key=key, source_key=STRONG.source_key, text=self.chosen),
            Response(prompt_key=key, source_key=WEAK.source_key, text=self.rejected),
        )

    @property
    def pair_key(self) -> int:
        chosen, rejected = self.answers
        return content_key("pair", self.prompt.prompt_key, chosen.response_key, rejected.response_key)

    @property
    def pair_id(self) -> str:
        return format_id("pair", self.pair_key)

    def score_records(self) -> list[Score]:
        return [
            Score(
                judgement_key=None,
                prompt_key=self.prompt.prompt_key,
                source_key=answer.source_key,
                response_key=answer.response_key,
                judge="judge",
                judge_kind="model",
                rubric_key=RUBRIC.rubric_key,
                dimension="overall",
                value=value,
            )
            for answer, value in zip(self.answers, (self.chosen_score, self.rejected_score), strict=True)
            if value is not None
        ]


@dataclass(frozen=True)
class AnswerSpec:
    """One answer of a build that holds answers; without a minibatch it is held out."""

    prompt: Prompt
    text: str
    place: int = 1
    score: float | None = None
    source: Source = STRONG
    minibatch: int | None = 1

    @property
    def answer(self) -> Response:
        return Response(prompt_key=self.prompt.prompt_key, source_key=self.source.source_key, text=self.text)

    @property
    def response_id(self) -> str:
        return format_id("response", self.answer.response_key)


def user(text: str) -> Message:
    return {"role": "user", "content": text}


def assistant(text: str | None) -> Message:
    return {"role": "assistant", "content": text}


SINGLE = Prompt.of_user("How high is Mont Blanc?")
WITH_SYSTEM = Prompt.of_user("Say hello.", system="You are terse.")
MULTI_TURN = Prompt((user("Name a fruit."), assistant("Apple."), user("Another one.")))
HELD_OUT = Prompt.of_user("What is 2 + 2?")
OWN_TURNS = Prompt((user("Tell a joke."), assistant(None), user("Explain it.")))

PAIRS = {
    "single": PairSpec(SINGLE, "  4,806 metres.\n", "High.", 9.0, 3.5, minibatch=1),
    "with_system": PairSpec(WITH_SYSTEM, "Hello — 你好\u2028!", "\u3000Hi there, dear friend \x1f", minibatch=2),
    "multi_turn": PairSpec(MULTI_TURN, "Pear.", "Carrot.", 8.0, None, minibatch=2),
    "held_out": PairSpec(HELD_OUT, "4", "5", 10.0, 1.0, minibatch=None),
}
REFUSED = (
    PairSpec(OWN_TURNS, "It is a pun.", "No.", minibatch=1),
    PairSpec(Prompt.of_user("One."), " \n", "Text.", minibatch=1),
    PairSpec(Prompt.of_user("Two."), "Text.", "", minibatch=2),
    PairSpec(Prompt.of_user("Three."), "Same.", " Same.\n", minibatch=2),
    PairSpec(Prompt.of_user("Four."), "Same.", "Same. ", minibatch=None),
)

ANSWERS = {
    "best": AnswerSpec(SINGLE, " 4,806 metres.\n", 1, 9.0),
    "second": AnswerSpec(SINGLE, "High.", 2, 3.5, WEAK),
    "with_system": AnswerSpec(WITH_SYSTEM, "Hello.", 1, 7.0, minibatch=2),
    "with_system_last": AnswerSpec(WITH_SYSTEM, "Hi there, dear friend.", 2, None, WEAK, minibatch=2),
    "held_out": AnswerSpec(HELD_OUT, "4", 1, 10.0, minibatch=None),
    "held_out_last": AnswerSpec(HELD_OUT, "5", 2, 1.0, WEAK, minibatch=None),
}
REFUSED_ANSWERS = (
    AnswerSpec(OWN_TURNS, "It is a pun.", 1, 5.0),
    AnswerSpec(SINGLE, " \n", 3, 1.0),
)
REFUSED_IN_LISTS = (
    AnswerSpec(SINGLE, "High. ", 4, 0.5),
    AnswerSpec(MULTI_TURN, "Pear.", 1, 8.0),
)


def add_build(store: Store, name: str, specs: Iterable[PairSpec]) -> None:
    specs = list(specs)
    answers = [answer for spec in specs for answer in spec.answers]
    with store.transaction(Run("test")) as transaction:
        records = {
            Source: [STRONG, WEAK],
            Prompt: [spec.prompt for spec in specs],
            Response: answers,
            Rubric: [RUBRIC],
            Score: [score for spec in specs for score in spec.score_records()],
        }
        transaction.append({record_type: rows for record_type, rows in records.items() if rows})
        for table, rows in build_tables(name, specs).items():
            if rows.num_rows:
                transaction.insert(table, rows)


def add_answers(store: Store, name: str, specs: Iterable[AnswerSpec], recipe: str = RECIPE) -> None:
    """Add a build that holds answers, as recipes for supervised tuning and for ranked lists make them."""
    specs = list(specs)
    with store.transaction(Run("test")) as transaction:
        sources = list({spec.source.source_key: spec.source for spec in specs}.values())
        prompts = [spec.prompt for spec in specs]
        transaction.append({Source: sources, Prompt: prompts, Response: [spec.answer for spec in specs]})
        for table, rows in header_tables(name, specs, recipe).items():
            if rows.num_rows:
                transaction.insert(table, rows)
        transaction.insert("build_responses", answers_table(content_key("build", name), specs))


def build_tables(name: str, specs: list[PairSpec]) -> dict[str, pa.Table]:
    return {**header_tables(name, specs), "pairs": pairs_table(content_key("build", name), specs)}


def header_tables(name: str, specs: list[PairSpec] | list[AnswerSpec], recipe: str = RECIPE) -> dict[str, pa.Table]:
    build_key, recipe_key = content_key("build", name), content_key("recipe", recipe)
    minibatches = sorted({spec.minibatch for spec in specs if spec.minibatch is not None})
    sizes = [sum(spec.minibatch == minibatch for spec in specs) for minibatch in minibatches]
    return {
        "recipes": pa.table({"recipe_key": keys([recipe_key]), "body": [recipe]}),
        "builds": pa.table(
            {
                "build_key": keys([build_key]),
                "name": [name],
                "recipe_key": keys([recipe_key]),
                "resolved": [RESOLVED],
                "base": ["base/7"],
                "seed": [42],
                "snapshot_key": keys([2**64 - 1]),
                "snapshot_seq": [1],
                "n_prompts": [len(specs)],
                "n_pairs": [len(specs)],
                "pairs_xor": keys([0]),
            }
        ),
        "build_prompts": pa.table(
            {
                "build_key": keys([build_key] * len(specs)),
                "prompt_key": keys(spec.prompt.prompt_key for spec in specs),
                "outcome": ["paired"] * len(specs),
                "reason": pa.nulls(len(specs), pa.string()),
            }
        ),
        "minibatches": pa.table(
            {
                "build_key": keys([build_key] * len(minibatches)),
                "minibatch": pa.array(minibatches, pa.int32()),
                "n_prompts": pa.array(sizes, pa.int64()),
                "n_pairs": pa.array(sizes, pa.int64()),
            }
        ),
    }


def pairs_table(build_key: int, specs: list[PairSpec]) -> pa.Table:
    chosen, rejected = zip(*(spec.answers for spec in specs), strict=True)
    return pa.table(
        {
            "pair_key": keys(spec.pair_key for spec in specs),
            "build_key": keys([build_key] * len(specs)),
            "prompt_key": keys(spec.prompt.prompt_key for spec in specs),
            "chosen_key": keys(answer.response_key for answer in chosen),
            "rejected_key": keys(answer.response_key for answer in rejected),
            "chosen_source_key": keys(answer.source_key for answer in chosen),
            "rejected_source_key": keys(answer.source_key for answer in rejected),
            "pool": ["multi"] * len(specs),
            "round": [1] * len(specs),
            "chosen_score": pa.array([spec.chosen_score for spec in specs], pa.float64()),
            "rejected_score": pa.array([spec.rejected_score for spec in specs], pa.float64()),
            "split": ["held_out" if spec.minibatch is None else "train" for spec in specs],
            "minibatch": pa.array([spec.minibatch for spec in specs], pa.int32()),
        }
    )


def answers_table(build_key: int, specs: list[AnswerSpec]) -> pa.Table:
    return pa.table(
        {
            "response_key": keys(spec.answer.response_key for spec in specs),
            "build_key": keys([build_key] * len(specs)),
            "prompt_key": keys(spec.prompt.prompt_key for spec in specs),
            "source_key": keys(spec.source.source_key for spec in specs),
            "place": pa.array([spec.place for spec in specs], pa.int32()),
            "score": pa.array([spec.score for spec in specs], pa.float64()),
            "split": ["held_out" if spec.minibatch is None else "train" for spec in specs],
            "minibatch": pa.array([spec.minibatch for spec in specs], pa.int32()),
        }
    )


def keys(values: Iterable[int]) -> pa.Array:
    return pa.array(list(values), pa.uint64())


@pytest.fixture
def make_store(tmp_path: Path) -> Callable[..., Store]:
    def make(*specs: PairSpec) -> Store:
        store = Store.open(tmp_path / "tso.duckdb", create=True)
        add_build(store, BUILD, specs)
        return store

    return make


@pytest.fixture
def store(make_store: Callable[..., Store]) -> Store:
    """A build of two minibatches and one held-out pair, all of which can be written."""
    return make_store(*PAIRS.values())


@pytest.fixture
def answers_store(tmp_path: Path) -> Store:
    """A build of answers on three prompts, two each, all of which can be written."""
    store = Store.open(tmp_path / "answers.duckdb", create=True)
    add_answers(store, BUILD, ANSWERS.values())
    return store


@pytest.fixture
def store_for(request: pytest.FixtureRequest) -> Callable[[str], Store]:
    """The store whose build a format takes: of pairs where it takes those."""

    def choose(to: str) -> Store:
        takes_pairs = any(material.holds == "pairs" for material in FORMATS[to].takes)
        store: Store = request.getfixturevalue("store" if takes_pairs else "answers_store")
        return store

    return choose


@pytest.fixture
def answers() -> dict[str, AnswerSpec]:
    """The answers of `answers_store`, by what is special about them."""
    return ANSWERS


@pytest.fixture
def refused_answers() -> tuple[AnswerSpec, ...]:
    """Answers that nobody can train on, each for a reason of its own."""
    return REFUSED_ANSWERS


@pytest.fixture
def refused_in_lists() -> tuple[AnswerSpec, ...]:
    """Answers that can be trained on and not be ranked, beside those of `answers`."""
    return REFUSED_IN_LISTS


@pytest.fixture
def add_answers_build() -> Callable[..., None]:
    """Put a build of answers into a store."""
    return add_answers


@pytest.fixture
def add_pairs_build() -> Callable[..., None]:
    """Put a build of pairs into a store."""
    return add_build


@pytest.fixture
def make_pair() -> type[PairSpec]:
    """Make a pair of a prompt, a chosen and a rejected answer."""
    return PairSpec


@pytest.fixture
def make_answer() -> type[AnswerSpec]:
    """Make an answer of a prompt and a text."""
    return AnswerSpec


@pytest.fixture
def pairs() -> dict[str, PairSpec]:
    """The pairs of `store`, by what is special about their prompt."""
    return PAIRS


@pytest.fixture
def refused_pairs() -> tuple[PairSpec, ...]:
    """Pairs that no trainer can use, each for a reason of its own."""
    return REFUSED


@pytest.fixture(scope="session")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> Iterable[ModuleType]:
    """The datasets library, off the network and with a cache of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hf")))
        patch.setenv("HF_HUB_OFFLINE", "1")
        import datasets

        datasets.disable_progress_bars()
        yield datasets
