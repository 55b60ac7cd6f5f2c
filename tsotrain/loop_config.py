"""The settings of a loop: the table [loop] of the file that holds the settings of its stages.

Knows what may be said and refuses the rest in one line; asks no model and opens no store.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tsodata.generating import parse_cell
from tsodata.recipes import SEED
from tsodata.runner import Limits
from tsodata.strict_toml import read_record
from tsotrain.config import LOOP, overridden_table, place_of
from tsotrain.errors import TrainError

_NAME = re.compile(r"[\w.+-]+")  # it names a folder, and builds


@dataclass(frozen=True, slots=True)
class AnswersConfig:
    """How the base cell's policies, and the other cells, are asked.

    `ask` is a row as `tso-data generate --matrix` takes it, less the cell: engine, endpoint, samples, temperature and
    so on. Its `model` is for endpoints, where policies go by a name, in which {stage} is the number of the stage.
    """

    matrix: str | None = None  # the other cells: a TOML file
    serve: tuple[str, ...] = ()  # a command that has the endpoint serve a policy, and ends once it does
    attempts: int = 4
    max_wait: float = 120.0
    budget_tokens: int | None = None
    ask: Mapping[str, Any] = field(default_factory=dict)

    @property
    def limits(self) -> Limits:
        """Return how hard models may be pressed."""
        return Limits(self.ask.get("concurrency", 32), self.attempts, self.max_wait, self.budget_tokens)


@dataclass(frozen=True, slots=True)
class JudgeConfig:
    """Who scores: a model by a rubric, as `tso-data judge` asks it, or a command that puts scores in the store."""

    command: tuple[str, ...] = ()
    rubric: str | None = None
    model: str | None = None
    name: str | None = None  # the name that its scores go by; the model's
    samples: int | None = None  # judgements of each answer; the rubric's
    greedy: bool = False
    dimensions: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()  # of the first stage: only answers of these sources; empty for all cells of the loop
    reference: bool = True
    seed: int = SEED
    engine: str | None = None
    endpoint: str | None = None
    key_env: str = "OPENAI_API_KEY"
    revision: str | None = None
    concurrency: int = 32
    timeout: float = 600.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    attempts: int = 4
    max_wait: float = 120.0
    budget_tokens: int | None = None

    def __post_init__(self) -> None:
        if self.command and (self.rubric or self.model):
            raise TrainError("loop.judge: command scores by itself; leave rubric and model out")
        if not self.command and not (self.rubric and self.model):
            raise TrainError("loop.judge: name a rubric and a model, or a command that puts scores in the store")

    @property
    def limits(self) -> Limits:
        """Return how hard the judge may be pressed."""
        return Limits(self.concurrency, self.attempts, self.max_wait, self.budget_tokens)


@dataclass(frozen=True, slots=True)
class LoopConfig:
    """Stages 1 to `n_stages` around a base cell: which minibatch, which material, which judge, which trainer."""

    name: str
    base: str  # the cell that is aligned, as FAMILY/VERSION/SIZE
    policy: str  # the folder of the model that stands there at the start
    recipe: str = "tso"
    versions: tuple[str, ...] = ()  # oldest to newest, where names do not sort
    dataset: str | None = None  # only prompts of this data set
    minibatches: int = 3  # Sec. 4.1.4
    passes: int = 1
    seed: int = SEED  # Sec. 4.1.4; of the builds
    allow_short: bool = False  # build even where a pool lacks material
    max_failed: float = 0.0  # ours: the share of a step's requests that may fail before the loop stops there
    folder: str = "stages"  # where stages happen, in FOLDER/NAME/1 and so on
    launcher: tuple[str, ...] = ()  # what the stage's command is put behind, such as torchrun … --no-python
    answers: AnswersConfig = AnswersConfig()
    judge: JudgeConfig | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name.startswith("."):
            raise TrainError(f"loop.name = {self.name!r}: letters, digits, and . _ + - within")
        for name in ("minibatches", "passes"):
            if getattr(self, name) < 1:
                raise TrainError(f"loop.{name} = {getattr(self, name)}: at least 1")
        if self.seed < 0:
            raise TrainError(f"loop.seed = {self.seed}: at least 0")
        if not 0 <= self.max_failed < 1:
            raise TrainError(f"loop.max_failed = {self.max_failed}: a share from 0 to below 1")
        parse_cell(self.base)

    @property
    def n_stages(self) -> int:
        """Return how many stages there are: each pass trains on each minibatch once."""
        return self.minibatches * self.passes

    @property
    def root(self) -> Path:
        """Return the folder of all stages."""
        return Path(self.folder) / self.name


def load_loop(path: Path | None, overrides: Mapping[str, str] | None = None) -> LoopConfig:
    """Return the settings of a loop from a TOML file; `overrides` are texts by dotted names, such as `loop.passes`.

    Raises:
        TrainError: the file cannot be read, or a setting is missing, not known or not of its type.
    """
    where = f"{place_of(path)}: {LOOP}"
    table = overridden_table(path, overrides or {}).get(LOOP)
    if not isinstance(table, dict):
        raise TrainError(f"{place_of(path)}: no table [loop]; docs/loop.md tells what it holds")
    values: dict[str, Any] = dict(table)
    if "answers" in values:
        values["answers"] = _answers(values["answers"], f"{where}.answers")
    if "judge" in values:
        values["judge"] = read_record(JudgeConfig, values["judge"], f"{where}.judge", refuse=TrainError)
    return read_record(LoopConfig, values, where, refuse=TrainError)


def _answers(table: Any, where: str) -> AnswersConfig:
    """Return the settings of asking: those of an ask, which is checked when it is made, and the loop's own."""
    own = {"matrix", "serve", "attempts", "max_wait", "budget_tokens"}
    if not isinstance(table, dict):
        raise TrainError(f"{where} = {table!r} is not a table")
    for name in ("cell", "dataset", "revision"):
        if name in table:
            raise TrainError(f"{where}: no setting {name!r}; the loop itself says it")
    ask = MappingProxyType({name: value for name, value in table.items() if name not in own})
    given = {name: value for name, value in table.items() if name in own}
    return read_record(AnswersConfig, {**given, "ask": ask}, where, refuse=TrainError)
