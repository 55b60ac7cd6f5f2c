"""One training: from examples and a policy to another policy, in a folder, resumable at every checkpoint.

The folder holds `metrics.jsonl` (a line a step), `feedback.jsonl` (a line an example and epoch), of a stage the
reference's cached log-probabilities, `checkpoints/` while it trains, and `policy/` once it is done. What is learnt from
the examples is an `Objective`. Dimensions: B examples of a step, R responses of each, E responses.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import signal
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, distributed
from torch.distributed.tensor import DTensor

from tsotrain import batching, checkpoints, lora, references
from tsotrain.batching import Example, batches_of_epoch, by_example, pack
from tsotrain.config import TrainConfig
from tsotrain.errors import DivergedError, TrainError
from tsotrain.loading import load_sharded
from tsotrain.metrics import StepLog, opened_logs
from tsotrain.objectives import Objective
from tsotrain.optimizing import learning_rate, make_optimizer
from tsotrain.parallel import Processes, deal, reshard, sync_gradients
from tsotrain.policy import (
    Policy,
    check_scores,
    check_vocabulary,
    checkpoint_activations,
    load_policy,
    policy_sha256,
)
from tsotrain.reusing import keep_freed_memory
from tsotrain.saving import save_policy

Say = Callable[[str], None]
_IDENTITY = "stage.json"
_SETTLED_STEPS = 5  # gradient norms before one counts as an explosion


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a stage has come to."""

    policy: Path
    policy_sha256: str
    reference_sha256: str
    n_steps: int
    last: dict[str, Any]


def precision_of(config: TrainConfig, device: torch.device) -> torch.dtype:
    """Return the dtype of the forward pass: bf16 where asked for, or where the hardware computes in it."""
    if config.precision != "auto":
        return torch.float32 if config.precision == "fp32" else torch.bfloat16
    if device.type == "cuda":
        has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        has_bf16 = any(torch.cpu.get_capabilities().get(name) for name in ("amx_bf16", "avx512_bf16", "bf16"))
    return torch.bfloat16 if has_bf16 else torch.float32


@dataclass(frozen=True, slots=True)
class Session:
    """One training: the policy that it starts from, where it happens, by which settings and processes."""

    origin: Path
    folder: Path
    config: TrainConfig
    ours: Processes
    say: Say

    @property
    def precision(self) -> torch.dtype:
        """Return the dtype of the forward pass."""
        return precision_of(self.config, self.ours.device)

    def micro_tokens(self, policy: Policy) -> int:
        """Return the tokens of one forward pass of a policy."""
        shape: Any = policy.model.config
        return batching.micro_tokens(
            self.config.micro_tokens,
            n_layers=shape.num_hidden_layers,
            n_hidden=shape.hidden_size,
            body_share=policy.body_share,
            on_cpu=self.ours.device.type == "cpu",
        )

    def hash_of(self, policy: Path) -> str:
        """Return the sha256 of a policy's folder, which one process reads for all."""
        return self.ours.share(policy_sha256(policy) if self.ours.is_first else "")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Have what the disk refuses told in one line."""
        try:
            yield
        except (OSError, SafetensorError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            told = f"{self.folder}: cannot be written ({reason}); make room or pass another --out"
            raise TrainError(told) from error

    def begin(self, identity: dict[str, str], examples: Sequence[Example]) -> Policy | Outcome:
        """Return the policy to train, and make the folder this training's; or return what it has come to already.

        Raises:
            TrainError: the policy cannot be used, or the folder is another training's.
        """
        identity = {**identity, "config": self.config.body()}
        with self.writing():
            done = _found(self.folder, identity)
            if done:
                self.say(f"{self.folder} is done already")
                return done
            if self.ours.device.type == "cpu":
                keep_freed_memory()
            policy = _load(self.origin, examples, self.config, self.ours, self.precision)
            self.folder.mkdir(parents=True, exist_ok=True)
            _write_json(self.folder / _IDENTITY, dict(identity))
        return policy

    def train(self, policy: Policy, objective: Objective, *, origin_sha256: str) -> Outcome:
        """Train a policy, write it and return where it is.

        Raises:
            TrainError: the disk refuses.
            DivergedError: the loss or the gradient is no number, or the gradient has exploded.
            KeyboardInterrupt: a signal has ended it, at a checkpoint.
        """
        with self.writing():
            loop = _Loop(self, policy, objective)
            last = loop.run()
            if self.config.lora.rank:
                adapter = self.folder / "adapter"
                lora.save_adapter(policy, self.config.lora, origin=self.origin, folder=adapter, ours=self.ours)
                lora.merge_adapter(policy)
            path = self.folder / "policy"
            save_policy(policy, self.origin, path, self.ours)
            outcome = Outcome(path, self.hash_of(path), origin_sha256, loop.n_steps, last)
            if self.ours.is_first:
                identity = json.loads((self.folder / _IDENTITY).read_text(encoding="utf-8"))
                described = {**asdict(outcome), "policy": str(path)}
                _write_json(self.folder / _IDENTITY, {**identity, "outcome": described})
                shutil.rmtree(self.folder / "checkpoints", ignore_errors=True)
        return outcome


def _found(folder: Path, identity: dict[str, str]) -> Outcome | None:
    """Return what this training has come to in a folder, if it is done there.

    Raises:
        TrainError: the folder is another training's: other examples, another policy or other settings.
    """
    path = folder / _IDENTITY
    if not path.exists():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    other = [name for name, value in identity.items() if found.get(name) != value]
    if other:
        raise TrainError(f"{folder} was begun with another {other[0]}; pass another --out, or remove it")
    outcome = found.get("outcome")
    return Outcome(**{**outcome, "policy": Path(outcome["policy"])}) if outcome else None


def _write_json(path: Path, value: dict[str, Any]) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(json.dumps(value, indent=2), encoding="utf-8")
    partial.replace(path)


def _load(
    reference: Path, examples: Sequence[Example], config: TrainConfig, ours: Processes, precision: torch.dtype
) -> Policy:
    """Return the policy to train, checked against its tokenizer and its own forward pass, and sharded."""

    def attach(policy: Policy) -> None:
        if config.lora.rank:
            lora.attach_adapter(policy, config.lora)

    is_sharded = distributed.is_initialized()
    if config.sharding.cpu_offload and not is_sharded:
        raise TrainError("sharding.cpu_offload shards: start with torchrun --standalone --nproc-per-node 1, or more")
    if is_sharded:
        policy = load_sharded(reference, ours, precision=precision, config=config.sharding, prepare=attach)
    else:
        policy = load_policy(reference, device=ours.device)
        attach(policy)
    check_vocabulary(policy, max(max(e.prompt + sum(e.responses, ())) for e in examples))
    check_scores(policy, min(examples, key=lambda e: e.n_tokens), ours.device)
    reshard(policy)
    if config.gradient_checkpointing:
        checkpoint_activations(policy)
    if config.lora.rank:
        lora.draw_factors(policy, seed=config.seed)
    return policy


@dataclass(slots=True)
class _Loop:
    """The loop over steps."""

    session: Session
    policy: Policy
    objective: Objective
    norms: list[float] = field(default_factory=list)

    @property
    def config(self) -> TrainConfig:
        return self.session.config

    @property
    def ours(self) -> Processes:
        return self.session.ours

    @property
    def micro_tokens(self) -> int:
        return self.session.micro_tokens(self.policy)

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(len(self.objective.examples) / self.config.batch_size)

    @property
    def n_steps(self) -> int:
        return self.config.epochs * self.steps_per_epoch

    def run(self) -> dict[str, Any]:
        optimizer = make_optimizer(self.policy, self.config.optimizer)
        saved = self.session.folder / "checkpoints"
        newest = checkpoints.newest(saved)
        done = checkpoints.load(newest, self.policy, optimizer) if newest else 0
        if done:
            self.session.say(f"going on after step {done} of {self.n_steps}")
        figures: dict[str, Any] = {}
        with contextlib.ExitStack() as stack:
            logs = (
                stack.enter_context(opened_logs(self.session.folder, after_step=done)) if self.ours.is_first else None
            )
            stopped = stack.enter_context(_stopping())
            if not done:
                self._measure_start(logs)
            for step, epoch, places in self._iter_steps(done):
                started = time.perf_counter()
                logps_BR, loss_B = self._step(places, optimizer, step)
                figures = self._figures(logps_BR, loss_B, places, step=step, epoch=epoch, started=started)
                if logs:
                    logs[0].write([figures])
                    rows = self.objective.iter_feedback(logps_BR, loss_B, places)
                    logs[1].write([{"step": step, "epoch": epoch, **row} for row in rows])
                self.session.say(_line(figures, self.n_steps, self.objective.line(figures)))
                is_stopped = self.ours.any(flag=bool(stopped))
                if step < self.n_steps and (is_stopped or step % self.config.checkpoint_steps == 0):
                    checkpoints.save(saved, step, self.policy, optimizer, self.ours)
                if is_stopped and step < self.n_steps:
                    raise KeyboardInterrupt
        return figures

    def _measure_start(self, logs: tuple[StepLog, StepLog] | None) -> None:
        figures = self.objective.epoch_figures(self._score)
        if figures and logs:
            logs[0].write([{"step": 0, "epoch": 0, **figures}])

    def _score(self, examples: Sequence[Example]) -> Tensor:
        return references.score_references(
            self.policy, examples, self.ours, max_tokens=self.micro_tokens, precision=self.session.precision
        )

    def _iter_steps(self, done: int) -> Iterator[tuple[int, int, list[int]]]:
        step = 0
        for epoch in range(1, self.config.epochs + 1):
            for places in batches_of_epoch(
                len(self.objective.examples), self.config.batch_size, seed=self.config.seed, epoch=epoch
            ):
                step += 1
                if step > done:
                    yield step, epoch, places

    def _step(self, places: Sequence[int], optimizer: torch.optim.Optimizer, step: int) -> tuple[Tensor, Tensor]:
        """Take a step, and return the log-probabilities from before it, shape (B, R), and the loss of each example."""
        rate = learning_rate(self.config.optimizer, step - 1, self.n_steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        batch = [self.objective.examples[place] for place in places]
        row_of = {example.example_id: row for row, example in enumerate(batch)}
        logps_BR = torch.zeros((len(batch), max(len(e.responses) for e in batch)), device=self.ours.device)
        weight = 1 / self.objective.size(places)  # of the whole step, however it is cut up
        micro_batches = deal(batch, self.ours.n_ranks, self.micro_tokens)[self.ours.rank].micro_batches
        with self._autocast():  # around all micro-batches of the step, so that the weights are cast once
            for position, micro in enumerate(micro_batches, 1):
                is_last = position == len(micro_batches)
                sync_gradients(self.policy, now=is_last or not self.config.sharding.defer_reduction)
                examples = list(micro) or batch[:1]  # an empty one runs for the company of the other processes
                rows = [row_of[example.example_id] for example in examples]
                of_micro = [places[row] for row in rows]
                scored_BR = self._backward(examples, of_micro, weight=weight if micro else 0.0, step=step)
                if micro:
                    logps_BR[rows, : scored_BR.shape[1]] = scored_BR
        logps_BR = self.ours.sum(logps_BR).cpu()
        loss_B = self.objective.losses(logps_BR, places)
        norm = torch.nn.utils.clip_grad_norm_(self.policy.parameters(), self.config.optimizer.max_grad_norm)
        self._check(
            float(loss_B.sum()) * weight, float(norm.full_tensor() if isinstance(norm, DTensor) else norm), step
        )
        optimizer.step()
        return logps_BR, loss_B

    def _backward(self, group: Sequence[Example], places: Sequence[int], *, weight: float, step: int) -> Tensor:
        """Add the gradient of a micro-batch, and return the log-probabilities, shape (examples, R)."""
        packed = pack(group, self.ours.device)
        starts = list(accumulate((len(example.responses) for example in group), initial=0))

        def example_loss(logps_E: Tensor, responses: slice) -> Tensor:
            own = slice(starts.index(responses.start), starts.index(responses.stop))
            return self.objective.losses(by_example(logps_E, group[own]), places[own]).sum() * weight

        with lora.dropping(self.policy, self.config.seed, step, places[0]):
            loss, logps_E = self.policy(packed, example_loss)
            with torch.autocast(self.ours.device.type, enabled=False):
                loss.backward()
        return by_example(logps_E, group)

    def _autocast(self) -> torch.autocast:
        precision = self.session.precision
        return torch.autocast(self.ours.device.type, precision, enabled=precision != torch.float32)

    def _check(self, loss: float, norm: float, step: int) -> None:
        """Stop a stage that has diverged, before its optimizer takes the step."""
        usual = statistics.median(self.norms) if len(self.norms) >= _SETTLED_STEPS else math.inf
        if math.isfinite(loss) and math.isfinite(norm) and norm <= self.config.max_norm_growth * usual:
            self.norms.append(norm)
            return
        saved = checkpoints.newest(self.session.folder / "checkpoints")
        where = f"the last good checkpoint is {saved}" if saved else "there is no checkpoint yet"
        raise DivergedError(
            f"step {step}: loss {loss:g}, gradient norm {norm:g}: training has diverged; {where}. "
            "Try a smaller learning rate"
        )

    def _figures(
        self, logps_BR: Tensor, loss_B: Tensor, places: Sequence[int], *, step: int, epoch: int, started: float
    ) -> dict[str, Any]:
        elapsed_s = time.perf_counter() - started
        n_tokens = sum(self.objective.examples[place].n_real_tokens for place in places)
        ends_epoch = step % self.steps_per_epoch == 0
        return {
            "step": step,
            "epoch": epoch,
            **self.objective.figures(logps_BR, loss_B, places),
            "gradient_norm": self.norms[-1],
            "learning_rate": learning_rate(self.config.optimizer, step - 1, self.n_steps),
            "tokens_per_s": n_tokens / elapsed_s,
            "elapsed_s": elapsed_s,
            **(self.objective.epoch_figures(self._score) if ends_epoch else {}),
        }


def _line(figures: dict[str, Any], n_steps: int, told: str) -> str:
    return f"step {figures['step']}/{n_steps}  {told}  {figures['tokens_per_s']:.0f} tokens/s"


@contextmanager
def _stopping() -> Iterator[list[int]]:
    """Have SIGTERM and SIGINT noted instead of obeyed, so that the step that runs can end with a checkpoint."""
    noted: list[int] = []
    before = {number: signal.signal(number, lambda n, _: noted.append(n)) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
