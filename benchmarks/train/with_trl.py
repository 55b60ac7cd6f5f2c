"""TRL's DPOTrainer on the material: steps over all pairs, each in one forward pass.

`default` leaves its settings alone: bf16, activation checkpointing, and a reference that runs in every step. `bf16` and
`fp32` are its best for speed: no checkpointing, and the reference's log-probabilities computed beforehand.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.train.material import N_STEPS, text

SETTINGS: dict[str, dict[str, Any]] = {
    "default": {},
    "bf16": {"bf16": True, "gradient_checkpointing": False, "precompute_ref_log_probs": True},
    "fp32": {"bf16": False, "gradient_checkpointing": False, "precompute_ref_log_probs": True},
}


def _texts(pair: dict[str, list[int]]) -> dict[str, str]:
    """Return a pair as texts; TRL lays prompt and response together and adds the end token itself."""
    return {"prompt": f"{text(pair['prompt'])} ", "chosen": text(pair["chosen"]), "rejected": text(pair["rejected"])}


def train(folder: Path, out: Path, setting: str, clock: Callable[[], float]) -> dict[str, float]:
    """Return the seconds of the reference's pass and of a step but the first, and the first gradient's norm."""
    from datasets import Dataset, disable_progress_bars
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import DPOConfig, DPOTrainer

    disable_progress_bars()
    reference: list[float] = []
    began: list[float] = []
    ended: list[float] = []

    class Timed(DPOTrainer):  # type: ignore[misc]  # TRL has no types
        def _precompute_ref_logps(self, *args: Any, **kwargs: Any) -> Any:
            started = clock()
            done = super()._precompute_ref_logps(*args, **kwargs)
            reference.append(clock() - started)
            return done

    class Clock(TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            began.append(clock())

        def on_step_end(self, *_: Any, **__: Any) -> None:
            ended.append(clock())

    pairs = json.loads((folder / "pairs.json").read_text(encoding="utf-8"))
    config = DPOConfig(
        output_dir=str(out),
        use_cpu=True,
        per_device_train_batch_size=len(pairs),
        num_train_epochs=N_STEPS,
        learning_rate=1e-6,
        max_length=None,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
        **SETTINGS[setting],
    )
    trainer = Timed(
        model=AutoModelForCausalLM.from_pretrained(folder / "policy"),
        args=config,
        train_dataset=Dataset.from_list([_texts(pair) for pair in pairs]),
        processing_class=AutoTokenizer.from_pretrained(folder / "policy"),
        callbacks=[Clock()],
    )
    trainer.train()
    norm = next(line["grad_norm"] for line in trainer.state.log_history if "grad_norm" in line)
    step_s = median(end - begin for begin, end in list(zip(began, ended, strict=True))[1:])
    return {"reference_s": sum(reference), "step_s": step_s, "gradient_norm": float(norm)}
