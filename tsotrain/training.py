"""One stage: from pairs and a reference to a policy, in a folder, resumable at every checkpoint.

The folder holds `metrics.jsonl` (a line a step), `feedback.jsonl` (a line a pair and epoch), the reference's cached
log-probabilities, `checkpoints/` while it trains, and `policy/` once it is done.
Dimensions: B pairs of a step, E responses.
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
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed
from torch.distributed.tensor import DTensor

from tsotrain import checkpoints, losses, references
from tsotrain.batching import Example, batches_of_epoch, pack
from tsotrain.config import LossConfig, OptimizerConfig, StageConfig
from tsotrain.errors import DivergedError, TrainError
from tsotrain.loading import load_sharded
from tsotrain.losses import LogRatios
from tsotrain.metrics import StepLog, pair_figures, step_figures
from tsotrain.parallel import Processes, deal, reshard, sync_gradients
from tsotrain.policy import (
    Policy,
    check_scores,
    check_vocabulary,
    checkpoint_activations,
    load_policy,
    policy_sha256,
)
from tsotrain.saving import save_policy

Say = Callable[[str], None]
_IDENTITY = "stage.json"
_NATIVE_BF16 = ("amx_bf16", "avx512_bf16", "bf16")  # the last is ARM's
_SETTLED_STEPS = 5  # gradient norms before one counts as an explosion


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a stage has come to."""

    policy: Path
    policy_sha256: str
    reference_sha256: str
    n_steps: int
    last: dict[str, Any]


def precision_of(config: StageConfig, device: torch.device) -> torch.dtype:
    """Return the dtype of the forward pass: bf16 where asked for, or where the hardware computes in it."""
    if config.precision == "fp32":
        return torch.float32
    if config.precision == "bf16":
        return torch.bfloat16
    if device.type == "cuda":
        has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        has_bf16 = any(torch.cpu.get_capabilities().get(name) for name in _NATIVE_BF16)
    return torch.bfloat16 if has_bf16 else torch.float32


def pair_loss(config: LossConfig, ratios: LogRatios, batch: Sequence[Example]) -> Tensor:
    """Return the loss of each pair, shape (B,), as the settings name it."""
    if config.name == "dpo":
        return losses.dpo(ratios, beta=config.beta)
    if config.name == "cdpo":
        return losses.cdpo(ratios, beta=config.beta, epsilon=config.epsilon)
    if config.name == "ipo":
        if config.ipo_mean:
            lengths = ratios.chosen.new_tensor([[len(response) for response in e.responses] for e in batch])
            ratios = losses.mean_ratios(ratios, lengths[:, 0], lengths[:, 1])
        return losses.ipo(ratios, tau=config.tau)
    assert config.name == "dual_clip"
    return losses.dual_clip(
        ratios,
        beta=config.beta,
        chosen_margin=config.chosen_margin,
        rejected_margin=config.rejected_margin,
        form=config.form,
    )


def learning_rate(config: OptimizerConfig, step: int, n_steps: int) -> float:
    """Return the learning rate of a step, counted from 0: a linear warm-up, then a cosine to zero."""
    n_warm = math.ceil(config.warmup * n_steps)
    if step < n_warm:
        return config.learning_rate * (step + 1) / n_warm
    done = (step - n_warm) / max(1, n_steps - n_warm)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def make_optimizer(policy: Policy, config: OptimizerConfig) -> torch.optim.AdamW:
    """Return AdamW over the policy's weights; norms and biases, which have one dimension, do not decay."""
    weights = [parameter for parameter in policy.parameters() if parameter.requires_grad]
    groups = [
        {"params": [w for w in weights if w.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [w for w in weights if w.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=config.betas, fused=True)


def train_stage(
    reference: Path,
    examples: Sequence[Example],
    folder: Path,
    *,
    config: StageConfig,
    ours: Processes,
    say: Say,
) -> Outcome:
    """Train a policy from a reference on pairs, and return where it is. Run again, it goes on or is done already.

    Raises:
        TrainError: the policy cannot be used or the disk refuses.
        DivergedError: the loss or the gradient is no number, or the gradient has exploded.
        KeyboardInterrupt: a signal has ended it, at a checkpoint.
    """
    precision = precision_of(config, ours.device)
    reference_hash = ours.share(policy_sha256(reference) if ours.is_first else "")
    key = references.reference_key(reference_hash, examples, precision)
    identity = {"reference": reference_hash, "pairs": key, "config": config.body()}
    done = _claim(folder, identity)
    if done:
        say(f"{folder} is done already")
        return done
    policy = _load(reference, examples, config, ours, precision)
    logps_ER = references.load_references(folder, key)
    if logps_ER is None:
        say(f"scoring {len(examples)} pairs with the reference, once")
        logps_ER = references.score_references(
            policy, examples, ours, max_tokens=config.micro_tokens, precision=precision
        )
        if ours.is_first:
            references.save_references(folder, key, logps_ER)
    stage = _Stage(policy, examples, logps_ER, config, ours, precision, folder, say)
    last = stage.run()
    path = folder / "policy"
    save_policy(policy, reference, path, ours)
    policy_hash = ours.share(policy_sha256(path) if ours.is_first else "")
    outcome = Outcome(path, policy_hash, reference_hash, stage.n_steps, last)
    if ours.is_first:
        _write_json(folder / _IDENTITY, {**identity, "outcome": {**asdict(outcome), "policy": str(path)}})
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    return outcome


def _claim(folder: Path, identity: dict[str, Any]) -> Outcome | None:
    """Make a folder this stage's, or return what the stage has come to there already.

    Raises:
        TrainError: the folder is another stage's: other pairs, another reference or other settings.
    """
    path = folder / _IDENTITY
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _write_json(path, identity)
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    other = [name for name, value in identity.items() if found.get(name) != value]
    if other:
        raise TrainError(f"{folder} is a stage with another {other[0]}; pass another --out, or remove it")
    outcome = found.get("outcome")
    return Outcome(**{**outcome, "policy": Path(outcome["policy"])}) if outcome else None


def _write_json(path: Path, value: dict[str, Any]) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(json.dumps(value, indent=2), encoding="utf-8")
    partial.replace(path)


def _load(
    reference: Path, examples: Sequence[Example], config: StageConfig, ours: Processes, precision: torch.dtype
) -> Policy:
    """Return the policy to train, checked against its tokenizer and its own forward pass, and sharded."""
    is_sharded = distributed.is_initialized()
    if config.sharding.cpu_offload and not is_sharded:
        raise TrainError("sharding.cpu_offload shards: start with torchrun --standalone --nproc-per-node 1, or more")
    policy = (
        load_sharded(reference, ours, precision=precision, config=config.sharding)
        if is_sharded
        else load_policy(reference, device=ours.device)
    )
    check_vocabulary(policy, max(max(e.prompt + sum(e.responses, ())) for e in examples))
    check_scores(policy, min(examples, key=lambda e: e.n_tokens), ours.device)
    reshard(policy)
    if config.gradient_checkpointing:
        checkpoint_activations(policy)
    return policy


@dataclass(slots=True)
class _Stage:
    """The loop over steps."""

    policy: Policy
    examples: Sequence[Example]
    logps_ER: Tensor
    config: StageConfig
    ours: Processes
    precision: torch.dtype
    folder: Path
    say: Say
    norms: list[float] = field(default_factory=list)

    @property
    def n_steps(self) -> int:
        return self.config.epochs * math.ceil(len(self.examples) / self.config.batch_pairs)

    def run(self) -> dict[str, Any]:
        optimizer = make_optimizer(self.policy, self.config.optimizer)
        saved = self.folder / "checkpoints"
        newest = checkpoints.newest(saved)
        done = checkpoints.load(newest, self.policy, optimizer) if newest else 0
        if done:
            self.say(f"going on after step {done} of {self.n_steps}")
        figures: dict[str, Any] = {}
        with contextlib.ExitStack() as stack:
            logs = stack.enter_context(_logs(self.folder, done)) if self.ours.is_first else None
            stopped = stack.enter_context(_stopping())
            for step, epoch, places in self._iter_steps(done):
                started = time.perf_counter()
                ratios, loss_B = self._step(places, optimizer, step)
                batch = [self.examples[place] for place in places]
                figures = self._figures(ratios, loss_B, batch, step=step, epoch=epoch, started=started)
                if logs:
                    logs[0].write([figures])
                    rows = pair_figures(ratios, loss_B, batch, self.config.loss)
                    logs[1].write([{"step": step, "epoch": epoch, **row} for row in rows])
                self.say(_line(figures, self.n_steps))
                is_stopped = self.ours.any(flag=bool(stopped))
                if step < self.n_steps and (is_stopped or step % self.config.checkpoint_steps == 0):
                    checkpoints.save(saved, step, self.policy, optimizer, self.ours)
                if is_stopped and step < self.n_steps:
                    raise KeyboardInterrupt
        return figures

    def _iter_steps(self, done: int) -> Iterator[tuple[int, int, list[int]]]:
        step = 0
        for epoch in range(1, self.config.epochs + 1):
            for places in batches_of_epoch(
                len(self.examples), self.config.batch_pairs, seed=self.config.seed, epoch=epoch
            ):
                step += 1
                if step > done:
                    yield step, epoch, places

    def _step(self, places: Sequence[int], optimizer: torch.optim.Optimizer, step: int) -> tuple[LogRatios, Tensor]:
        rate = learning_rate(self.config.optimizer, step - 1, self.n_steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        batch = [self.examples[place] for place in places]
        place_in_batch = {example.example_id: row for row, example in enumerate(batch)}
        ratios_BR = torch.zeros((len(batch), 2), device=self.ours.device)
        references_BR = self.logps_ER[list(places)].to(self.ours.device)
        micro_batches = deal(batch, self.ours.n_ranks, self.config.micro_tokens)[self.ours.rank].micro_batches
        for position, micro in enumerate(micro_batches, 1):
            sync_gradients(self.policy, now=position == len(micro_batches) or not self.config.sharding.defer_reduction)
            examples = list(micro) or batch[:1]  # an empty one runs for the company of the other processes
            rows = [place_in_batch[example.example_id] for example in examples]
            scored_ER = self._backward(examples, references_BR[rows], weight=1 / len(batch) if micro else 0.0)
            if micro:
                ratios_BR[rows] = scored_ER - references_BR[rows]
        self.ours.sum(ratios_BR)
        ratios = LogRatios(ratios_BR[:, 0].cpu(), ratios_BR[:, 1].cpu())
        loss_B = pair_loss(self.config.loss, ratios, batch)
        norm = torch.nn.utils.clip_grad_norm_(self.policy.parameters(), self.config.optimizer.max_grad_norm)
        self._check(float(loss_B.mean()), float(norm.full_tensor() if isinstance(norm, DTensor) else norm), step)
        optimizer.step()
        return ratios, loss_B

    def _backward(self, group: Sequence[Example], references_BR: Tensor, *, weight: float) -> Tensor:
        """Add the gradient of a micro-batch, and return the log-probabilities, shape (examples, 2)."""
        packed = pack(group, self.ours.device)

        def example_loss(logps_E: Tensor, responses: slice) -> Tensor:
            examples = slice(responses.start // 2, responses.stop // 2)
            ratios_BR = logps_E.view(-1, 2) - references_BR[examples]
            ratios = LogRatios(ratios_BR[:, 0], ratios_BR[:, 1])
            return pair_loss(self.config.loss, ratios, group[examples]).sum() * weight

        with torch.autocast(self.ours.device.type, self.precision, enabled=self.precision != torch.float32):
            loss, logps_E = self.policy(packed, example_loss)
        loss.backward()
        scored_ER: Tensor = logps_E.view(-1, 2)
        return scored_ER

    def _check(self, loss: float, norm: float, step: int) -> None:
        """Stop a stage that has diverged, before its optimizer takes the step."""
        usual = statistics.median(self.norms) if len(self.norms) >= _SETTLED_STEPS else math.inf
        if math.isfinite(loss) and math.isfinite(norm) and norm <= self.config.max_norm_growth * usual:
            self.norms.append(norm)
            return
        saved = checkpoints.newest(self.folder / "checkpoints")
        where = f"the last good checkpoint is {saved}" if saved else "there is no checkpoint yet"
        raise DivergedError(
            f"step {step}: loss {loss:g}, gradient norm {norm:g}: training has diverged; {where}. "
            "Try a smaller learning rate"
        )

    def _figures(
        self, ratios: LogRatios, loss_B: Tensor, batch: Sequence[Example], *, step: int, epoch: int, started: float
    ) -> dict[str, Any]:
        elapsed_s = time.perf_counter() - started
        n_tokens = sum(example.n_real_tokens for example in batch)
        return {
            "step": step,
            "epoch": epoch,
            "n_pairs": len(batch),
            **step_figures(ratios, loss_B, batch, self.config.loss),
            "gradient_norm": self.norms[-1],
            "learning_rate": learning_rate(self.config.optimizer, step - 1, self.n_steps),
            "tokens_per_s": n_tokens / elapsed_s,
            "elapsed_s": elapsed_s,
        }


def _line(figures: dict[str, Any], n_steps: int) -> str:
    return (
        f"step {figures['step']}/{n_steps}  loss {figures['loss']:.4f}  chosen {figures['chosen_reward']:+.3f}  "
        f"rejected {figures['rejected_reward']:+.3f}  accuracy {figures['accuracy']:.0%}  "
        f"clipped {figures['chosen_clipped']:.0%}/{figures['rejected_clipped']:.0%}  "
        f"{figures['tokens_per_s']:.0f} tokens/s"
    )


@contextmanager
def _logs(folder: Path, done: int) -> Iterator[tuple[StepLog, StepLog]]:
    metrics, feedback = (StepLog(folder / name, after_step=done) for name in ("metrics.jsonl", "feedback.jsonl"))
    try:
        yield metrics, feedback
    finally:
        metrics.close()
        feedback.close()


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
