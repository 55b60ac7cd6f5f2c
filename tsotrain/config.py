"""The settings of training: frozen, every default with its source, read from TOML without a stranger let in."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from tsodata.strict_toml import read_record, read_table
from tsotrain.errors import TrainError

C = TypeVar("C", bound="TrainConfig")
LOSSES = ("dual_clip", "dpo", "ipo", "cdpo", "sft", "rrhf", "pro")
FORMS = ("separate", "joint", "linear")
PRECISIONS = ("auto", "bf16", "fp32")
LOOP = "loop"  # a table of the same file that loop_config reads


@dataclass(frozen=True, slots=True)
class LossConfig:
    """Which loss, and its constants."""

    name: str = "dual_clip"
    beta: float = 0.1  # Sec. 4.1.4
    form: str = "separate"  # ours: the body of Eq. 10 is lost; this reading shows all that is said of it
    chosen_margin: float = 20.0  # Sec. 4.1.4, in nats of log-ratio
    rejected_margin: float = 10.0  # as above
    tau: float = 0.2  # Eq. 12
    epsilon: float = 0.3  # Eq. 13
    ipo_mean: bool = False  # Eq. 12 sums over tokens; TRL takes the mean
    pro_sft_weight: float = 0.05  # Song et al. 2023: times the square of the list's answers less one

    def __post_init__(self) -> None:
        _one_of("loss.name", self.name, LOSSES)
        _one_of("loss.form", self.form, FORMS)
        for name in ("beta", "chosen_margin", "rejected_margin", "tau"):
            _above_zero(f"loss.{name}", getattr(self, name))
        if not 0 <= self.epsilon < 0.5:
            raise TrainError(f"loss.epsilon = {self.epsilon}: a share of flipped labels from 0 to below 0.5")
        if not 0 <= self.pro_sft_weight < math.inf:
            raise TrainError(f"loss.pro_sft_weight = {self.pro_sft_weight}: at least 0")


@dataclass(frozen=True, slots=True)
class OptimizerConfig:
    """AdamW with a cosine to zero."""

    learning_rate: float = 5e-7  # ours: lost in the paper's text; what DPO of 7B models commonly takes
    betas: tuple[float, float] = (0.9, 0.95)  # Sec. 4.1.4
    weight_decay: float = 0.05  # Sec. 4.1.4; not on norms and biases
    warmup: float = 0.1  # ours: the paper names a warm-up without its length; a share of the steps
    max_grad_norm: float = 1.0  # Sec. 4.1.4

    def __post_init__(self) -> None:
        _above_zero("optimizer.learning_rate", self.learning_rate)
        _above_zero("optimizer.max_grad_norm", self.max_grad_norm)
        if not 0 <= self.warmup < 1:
            raise TrainError(f"optimizer.warmup = {self.warmup}: a share of the steps from 0 to below 1")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise TrainError(f"optimizer.betas = {list(self.betas)}: two numbers from 0 to below 1")
        if not self.weight_decay >= 0:
            raise TrainError(f"optimizer.weight_decay = {self.weight_decay}: at least 0")


@dataclass(frozen=True, slots=True)
class LoraConfig:
    """An adapter of low rank (Hu et al. 2021) in place of all weights; rank 0 trains all of them."""

    rank: int = 0
    alpha: int = 32  # ours; what the adapter adds is scaled by alpha / rank
    dropout: float = 0.0  # ours
    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")  # ours

    def __post_init__(self) -> None:
        _at_least_one("lora.alpha", self.alpha)
        if self.rank < 0:
            raise TrainError(f"lora.rank = {self.rank}: at least 0, which trains all weights")
        if not 0 <= self.dropout < 1:
            raise TrainError(f"lora.dropout = {self.dropout}: a share from 0 to below 1")
        if not self.targets:
            raise TrainError("lora.targets = []: name the linear layers to adapt, such as q_proj")


@dataclass(frozen=True, slots=True)
class ShardingConfig:
    """How a policy is spread over the processes of torchrun, by FSDP2."""

    cpu_offload: bool = False  # ours: weights, gradients and moments wait in the memory of the CPU
    reduce_precision: str = "fp32"  # ours: the dtype in which gradients are summed over processes; bf16 halves traffic
    reshard_after_forward: bool = True  # ours: false gathers each layer once a pass, and keeps all of them meanwhile
    defer_reduction: bool = False  # ours: true sums once a step, and keeps a whole gradient in every process

    def __post_init__(self) -> None:
        _one_of("sharding.reduce_precision", self.reduce_precision, PRECISIONS[1:])


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """What every kind of training takes."""

    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    lora: LoraConfig = field(default_factory=LoraConfig)
    sharding: ShardingConfig = field(default_factory=ShardingConfig)
    epochs: int = 2  # Sec. 4.1.4
    seed: int = 43  # Sec. 4.1.4
    max_prompt_tokens: int = 2048  # App. C.3; a longer prompt loses its beginning
    max_response_tokens: int = 2048  # App. C.3; a longer response of a pair loses its end, one to tune on is refused
    micro_tokens: int = 0  # ours: tokens of one forward pass; 0 lets the device and the policy decide (batching)
    precision: str = "auto"  # bf16 where the hardware computes in it, else fp32; the weights stay in fp32
    gradient_checkpointing: bool = False  # ours: less memory for a third more time
    checkpoint_steps: int = 50  # ours: steps between two checkpoints
    max_norm_growth: float = 1e3  # ours: a gradient norm this many times the median so far is a divergence

    def __post_init__(self) -> None:
        _one_of("precision", self.precision, PRECISIONS)
        for name in ("epochs", "max_prompt_tokens", "max_response_tokens", "checkpoint_steps"):
            _at_least_one(name, getattr(self, name))
        if self.micro_tokens < 0:
            raise TrainError(f"micro_tokens = {self.micro_tokens}: at least 0, which lets the device decide")
        if self.seed < 0:
            raise TrainError(f"seed = {self.seed}: at least 0")

    @property
    def batch_size(self) -> int:
        """Return the examples of one optimizer step."""
        raise NotImplementedError

    def body(self) -> str:
        """Return the settings as JSON with sorted keys: what is hashed and stored."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class StageConfig(TrainConfig):
    """One training session on one minibatch of pairs, or of what else its loss learns from."""

    loss: LossConfig = field(default_factory=LossConfig)
    batch_pairs: int = 256  # Sec. 4.1.4: pairs of one optimizer step, or answers, or lists

    def __post_init__(self) -> None:
        TrainConfig.__post_init__(self)
        _at_least_one("batch_pairs", self.batch_pairs)

    @property
    def batch_size(self) -> int:
        """Return the examples of one optimizer step."""
        return self.batch_pairs


@dataclass(frozen=True, slots=True)
class TuneConfig(TrainConfig):
    """Supervised tuning on records; the paper gives no settings for it."""

    optimizer: OptimizerConfig = field(default_factory=lambda: OptimizerConfig(learning_rate=1e-5))  # ours
    batch_records: int = 64  # ours: records of one optimizer step

    def __post_init__(self) -> None:
        TrainConfig.__post_init__(self)
        _at_least_one("batch_records", self.batch_records)

    @property
    def batch_size(self) -> int:
        """Return the records of one optimizer step."""
        return self.batch_records


def load_config(path: Path | None, overrides: Mapping[str, str] | None = None) -> StageConfig:
    """Return the settings of a stage from a TOML file, or the defaults; `overrides` are texts by dotted names.

    Raises:
        TrainError: the file cannot be read, or a setting is not known or not of its type.
    """
    return _load(StageConfig(), path, overrides or {})


def load_tune_config(path: Path | None, overrides: Mapping[str, str] | None = None) -> TuneConfig:
    """Return the settings of supervised tuning, as `load_config` does those of a stage.

    Raises:
        TrainError: the file cannot be read, or a setting is not known or not of its type.
    """
    return _load(TuneConfig(), path, overrides or {})


def overridden_table(path: Path | None, overrides: Mapping[str, str]) -> dict[str, Any]:
    """Return the table of a settings file, empty without one; `overrides` are texts by dotted names.

    Raises:
        TrainError: the file cannot be read, or a name goes through a setting that is no table.
    """
    table = {} if path is None else read_table(path, refuse=TrainError)
    for name, value in overrides.items():
        *groups, last = name.split(".")
        inner: Any = table
        for group in groups:
            inner = inner.setdefault(group, {}) if isinstance(inner, dict) else None
        if not isinstance(inner, dict):
            raise TrainError(f"{place_of(path)}: no setting {name!r}")
        inner[last] = _typed(value)
    return table


def place_of(path: Path | None) -> str:
    """Return how errors call where settings stand."""
    return str(path) if path else "the settings"


def _load(defaults: C, path: Path | None, overrides: Mapping[str, str]) -> C:
    table, where = overridden_table(path, overrides), place_of(path)
    table.pop(LOOP, None)
    return read_record(type(defaults), _with_groups(defaults, table, where), where, refuse=TrainError)


def _with_groups(defaults: TrainConfig, table: dict[str, Any], where: str) -> dict[str, Any]:
    """Return a table with the settings of its groups, such as [loss], in place of theirs; what they leave out stays."""
    found = dict(table)
    for group in fields(defaults):
        usual = getattr(defaults, group.name)
        if is_dataclass(usual) and group.name in table:
            given = table[group.name]
            if isinstance(given, dict):
                given = {of.name: getattr(usual, of.name) for of in fields(usual)} | given
            found[group.name] = read_record(type(usual), given, f"{where}: {group.name}", refuse=TrainError)
    return found


def _typed(text: str) -> object:
    """Return a setting typed at the command line as TOML reads it; what is no TOML value is a text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise TrainError(f"{name} = {value!r}: known are {', '.join(known)}")


def _at_least_one(name: str, value: int) -> None:
    if value < 1:
        raise TrainError(f"{name} = {value}: at least 1")


def _above_zero(name: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise TrainError(f"{name} = {value}: a number above 0")
