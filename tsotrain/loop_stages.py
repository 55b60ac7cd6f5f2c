"""The stages of a loop: which minibatch each trains on, by which recipe it draws, and who is asked for what.

Pure functions of the settings and of the policy before; only `find_policy` looks into a store.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from tsodata.engines.templates import find_model
from tsodata.errors import UsageError
from tsodata.generating import Ask, make_ask, read_matrix
from tsodata.provenance import format_id
from tsodata.recipes import Pool, Recipe, load_recipe
from tsodata.store import Reader
from tsotrain.config import LossConfig
from tsotrain.errors import TrainError
from tsotrain.loop_config import LoopConfig

_BASE_ROLES = ("base", "cells", "everybody")
_OF_ALL_CELLS = ("samples", "seed", "temperature", "top_p", "max_tokens", "concurrency", "timeout")


class Policy(NamedTuple):
    """A policy that a loop starts from or has made; the start has no key before a stage has registered it."""

    artefact_key: int | None
    path: Path
    sha256: str

    @property
    def policy_id(self) -> str | None:
        """Return the id that people see."""
        return None if self.artefact_key is None else format_id("artefact", self.artefact_key)


@dataclass(frozen=True, slots=True)
class LoopStage:
    """Stage s: which minibatch of the first build, in which pass, by which build of its own, and where."""

    number: int
    minibatch: int
    in_pass: int
    build: str
    folder: Path

    @property
    def is_first(self) -> bool:
        """Return whether it starts from the base, on all prompts."""
        return self.number == 1


@dataclass(frozen=True, slots=True)
class Loop:
    """The settings of a loop with the recipe of its first build."""

    config: LoopConfig
    recipe: Recipe

    @classmethod
    def of(cls, config: LoopConfig) -> Loop:
        """Return the loop of its settings.

        Raises:
            RecipeError: there is no such recipe, or it cannot be meant.
            TrainError: it keeps to a build, or draws the base's answers by scores that nobody gives.
        """
        recipe = load_recipe(config.recipe).with_options(minibatches=config.minibatches, seed=config.seed)
        recipe.check_stated()
        if config.dataset:
            recipe = recipe.with_filters(datasets=(config.dataset,))
        loop = cls(config, recipe)
        if recipe.filters.build is not None:
            raise TrainError(f"recipe {config.recipe} keeps to a minibatch of a build; in a loop the stages do that")
        if recipe.needs_scores and loop.asks_base and config.judge is None:
            raise TrainError(f"recipe {config.recipe} draws by scores, and nobody gives them; add [loop.judge]")
        return loop

    def check_loss(self, loss: LossConfig) -> None:
        """Refuse a loss that does not learn from what the recipe makes, before anybody is asked.

        Raises:
            TrainError: it does not.
        """
        from tsotrain.learning import losses_for  # imports torch

        fitting = losses_for("ranked lists" if self.recipe.makes == "lists" else self.recipe.makes)
        if loss.name not in fitting:
            raise TrainError(
                f"recipe {self.config.recipe} makes {self.recipe.makes}, from which loss {loss.name!r} does not learn; "
                f"pass -s loss.name={' or '.join(fitting)}, or name another recipe"
            )

    @property
    def stages(self) -> list[LoopStage]:
        """Return the stages in their order."""
        return [self.stage(number) for number in range(1, self.config.n_stages + 1)]

    def stage(self, number: int) -> LoopStage:
        """Return a stage, counted from 1."""
        in_pass, minibatch = divmod(number - 1, self.config.minibatches)
        build = self.config.name if number == 1 else f"{self.config.name}@{number}"
        return LoopStage(number, minibatch + 1, in_pass + 1, build, self.config.root / str(number))

    @property
    def asks_base(self) -> bool:
        """Return whether the base's own answers are material, so that each stage asks its policy anew."""
        return any(map(self._draws_base, self.recipe.pools.values()))

    def _draws_base(self, pool: Pool) -> bool:
        sides = [side for side in (pool.chosen, pool.rejected) if not isinstance(side, str)]
        drawn = {role for side in sides for role in side} if pool.by_weight else set(pool.candidates)
        return bool(drawn & {*_BASE_ROLES, self.config.base})

    def recipe_of(self, stage: LoopStage, before: Policy) -> Recipe:
        """Return the recipe of a stage's build.

        After the first stage: the same pools, of the prompts of one minibatch, with the base's answers by the policy
        before. A pass draws by a seed of its own, else it would draw the other cells' pairs again.
        """
        if stage.is_first:
            return self.recipe
        pools = {
            name: replace(pool, policy=before.sha256) if self._draws_base(pool) else pool
            for name, pool in self.recipe.pools.items()
        }
        filters = replace(self.recipe.filters, build=self.config.name, minibatch=stage.minibatch)
        seed = self.recipe.seed + stage.in_pass - 1
        return replace(self.recipe, pools=pools, filters=filters, n=None, minibatches=1, held_out=0.0, seed=seed)

    def asks_of(self, stage: LoopStage, before: Policy) -> list[Ask]:
        """Return what is asked in a stage: in the first all cells on all prompts, later the base on one minibatch.

        Raises:
            UsageError: a setting is not known, or of another type.
        """
        asks = self._ask_others() if stage.is_first else []
        if self.asks_base:
            ask = self._ask_base(stage, before)
            asks.append(ask if stage.is_first else replace(ask, build=self.config.name, minibatch=stage.minibatch))
        return asks

    def _ask_base(self, stage: LoopStage, before: Policy) -> Ask:
        config = self.config
        given = {"model": str(before.path), **config.answers.ask, "cell": config.base, "revision": before.sha256}
        if config.dataset:
            given["dataset"] = config.dataset
        ask = make_ask(given, where="loop.answers")
        if "model" in config.answers.ask and ask.engine != "openai":
            raise UsageError(f"loop.answers: engine {ask.engine} runs each policy's own folder; leave model out")
        return replace(ask, model=ask.model.replace("{stage}", str(stage.number)))

    def _ask_others(self) -> list[Ask]:
        config = self.config
        if config.answers.matrix is None:
            return []
        usual = {name: config.answers.ask[name] for name in _OF_ALL_CELLS if name in config.answers.ask}
        if config.dataset:
            usual["dataset"] = config.dataset
        asks = read_matrix(Path(config.answers.matrix), usual)
        if config.base in {ask.source.label for ask in asks}:
            raise UsageError(
                f"{config.answers.matrix}: {config.base} is the base, which [loop.answers] tells how to ask"
            )
        return asks


def find_policy(reader: Reader, stage: LoopStage) -> Policy | None:
    """Return the policy that a stage has registered, or None where it has not."""
    rows = reader.rows("stages/policy", name=stage.build, minibatch=1)
    return Policy(int(rows[0][0]), Path(str(rows[0][1])), str(rows[0][2])) if rows else None


def start_policy(config: LoopConfig) -> Policy:
    """Return the policy that stands in the base cell at the start.

    Raises:
        TrainError: there is no such folder, or it holds no model.
    """
    path = Path(config.policy)
    check_folder(path, "loop.policy")
    try:
        return Policy(None, path, find_model(config.policy).revision)
    except UsageError as error:
        raise TrainError(f"loop.policy: {error}") from error


def check_folder(path: Path, what: str) -> None:
    """Refuse to go on from a policy whose folder is gone: its path would be taken for a name at an endpoint.

    Raises:
        TrainError: it is.
    """
    if not path.is_dir():
        raise TrainError(f"{what}: no folder {path}; a stage starts from the folder of a model")
