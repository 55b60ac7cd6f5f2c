"""The settings of a stage: frozen, every default with its source, read from TOML without a stranger let in."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from tsodata.strict_toml import read_record, read_table
from tsotrain.errors import TrainError

LOSSES = ("dual_clip", "dpo", "ipo", "cdpo")
FORMS = ("separate", "joint", "linear")
PRECISIONS = ("auto", "bf16", "fp32")


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

    def __post_init__(self) -> None:
        _one_of("loss.name", self.name, LOSSES)
        _one_of("loss.form", self.form, FORMS)
        for name in ("beta", "chosen_margin", "rejected_margin", "tau"):
            _above_zero(f"loss.{name}", getattr(self, name))
        if not 0 <= self.epsilon < 0.5:
            raise TrainError(f"loss.epsilon = {self.epsilon}: a share of flipped labels from 0 to below 0.5")


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
class StageConfig:
    """One training session on one minibatch of pairs."""

    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    batch_pairs: int = 256  # Sec. 4.1.4: pairs of one optimizer step
    epochs: int = 2  # Sec. 4.1.4
    seed: int = 43  # Sec. 4.1.4
    max_prompt_tokens: int = 2048  # App. C.3; a longer prompt loses its beginning
    max_response_tokens: int = 2048  # App. C.3; a longer response of a pair loses its end, one to tune on is refused
    micro_tokens: int = 8192  # ours: tokens of one forward; less memory with fewer
    precision: str = "auto"  # bf16 where the hardware computes in it, else fp32; the weights stay in fp32
    gradient_checkpointing: bool = False  # ours: less memory for a third more time
    checkpoint_steps: int = 50  # ours: steps between two checkpoints
    max_norm_growth: float = 1e3  # ours: a gradient norm this many times the median so far is a divergence

    def __post_init__(self) -> None:
        _one_of("precision", self.precision, PRECISIONS)
        for name in (
            "batch_pairs",
            "epochs",
            "max_prompt_tokens",
            "max_response_tokens",
            "micro_tokens",
            "checkpoint_steps",
        ):
            if getattr(self, name) < 1:
                raise TrainError(f"{name} = {getattr(self, name)}: at least 1")
        if self.seed < 0:
            raise TrainError(f"seed = {self.seed}: at least 0")

    def body(self) -> str:
        """Return the settings as JSON with sorted keys: what is hashed and stored."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))


def load_config(path: Path | None, overrides: Mapping[str, str] | None = None) -> StageConfig:
    """Return the settings of a TOML file, or the defaults; `overrides` are texts by dotted names, such as loss.name.

    Raises:
        TrainError: the file cannot be read, or a setting is not known or not of its type.
    """
    table = {} if path is None else read_table(path, refuse=TrainError)
    for name, value in (overrides or {}).items():
        *groups, last = name.split(".")
        inner = table
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[last] = _typed(value)
    where = str(path) if path else "the settings"
    loss = read_record(LossConfig, table.pop("loss", {}), f"{where}: loss", refuse=TrainError)
    optimizer = read_record(OptimizerConfig, table.pop("optimizer", {}), f"{where}: optimizer", refuse=TrainError)
    return replace(read_record(StageConfig, table, where, refuse=TrainError), loss=loss, optimizer=optimizer)


def _typed(text: str) -> object:
    """Return a setting typed at the command line as TOML reads it; what is no TOML value is a text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise TrainError(f"{name} = {value!r}: known are {', '.join(known)}")


def _above_zero(name: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise TrainError(f"{name} = {value}: a number above 0")
