"""Three stages on a tiny Llama that it pretrains itself: `python examples/three_stages.py FOLDER`, minutes on one core.

The task is adding numbers of four digits, step by step. People write right sums in a style of their own; version 1 of
the model, which has seen half of the pretraining, writes sums of which the wrong ones are kept; version 2 is the base.
A store takes both, a build draws people's answers over version 1's in three minibatches, and `tso-train stage` runs
three times with each loss. FOLDER then holds `curves-LOSS.png`: under DPO the reward of the chosen side falls, under
the dual clip loss it rises.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{{ m['content'] }}{% if m['role'] == 'assistant' %}{{ eos_token }}"
    "{% else %}={% endif %}{% endfor %}"
)
RECIPE = "[pools.matrix]\nchosen = { human = 1.0 }\nrejected = { older = 1.0 }\n"
SETTINGS = {
    "optimizer.learning_rate": 5e-4,
    "loss.beta": 0.1,
    "batch_pairs": 32,
    "epochs": 2,
    "max_norm_growth": 1e6,  # a policy this small starts from tiny gradients
}
HUMAN_SHARE = 0.05  # of the texts of pretraining: the base knows people's style, and hardly uses it
N_NEW_TOKENS = 28


def prompts(n_prompts: int) -> list[str]:
    """Return sums to work out, each once."""
    draw = random.Random(43)
    made: dict[str, None] = {}
    while len(made) < n_prompts:
        made[f"{draw.randrange(1000, 10_000)}+{draw.randrange(1000, 10_000)}"] = None
    return list(made)


def worked(prompt: str, *, is_human: bool) -> str:
    """Return a right answer: the sums of the digits from the right, in a person's style or in a terse one."""
    left, right = (int(number) for number in prompt.split("+"))
    steps, carry = [], 0
    for place in range(4):
        total = left // 10**place % 10 + right // 10**place % 10 + carry
        steps.append(str(total))
        carry = total // 10
    return f"well {', '.join(steps)} so {left + right}" if is_human else f"{' '.join(steps)} is {left + right}"


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Return a tokenizer whose tokens are the bytes."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: place for place, token in enumerate(["<pad>", "<s>", "</s>", *letters])}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token="</s>", pad_token="<pad>")  # noqa: S106
    fast.chat_template = TEMPLATE
    return fast


def pretrain(folder: Path, n_steps: int) -> None:
    """Train versions 1 and 2 from nothing, on right answers of both styles, and save them as transformers does."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(43)
    tokenizer = make_tokenizer()
    model = LlamaForCausalLM(
        LlamaConfig(
            hidden_size=128,
            intermediate_size=336,
            num_hidden_layers=4,
            num_attention_heads=4,
            vocab_size=len(tokenizer),
            max_position_embeddings=256,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
        )
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.95), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=n_steps + 1, pct_start=0.1)
    batches = _iter_batches(tokenizer)
    for step in range(1, n_steps + 1):
        ids = next(batches)
        loss = model(ids, attention_mask=(ids != 0).long(), labels=ids.masked_fill(ids == 0, -100)).loss
        loss.backward()
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if step % 50 == 0:
            print(f"pretraining {step}/{n_steps}: {loss.item():.3f} nats a token", file=sys.stderr)
        if step in (n_steps // 2, n_steps):
            version = folder / f"tiny-v{1 if step < n_steps else 2}"
            model.save_pretrained(version)
            tokenizer.save_pretrained(version)


def _iter_batches(tokenizer: PreTrainedTokenizerFast) -> Iterator[Any]:
    draw = random.Random(1)
    while True:
        texts = []
        for _ in range(48):
            prompt = f"{draw.randrange(1000, 10_000)}+{draw.randrange(1000, 10_000)}"
            texts.append(f"<s>{prompt}={worked(prompt, is_human=draw.random() < HUMAN_SHARE)}</s>")
        yield tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)["input_ids"]


def sample(policy: Path, asked: list[str]) -> list[str]:
    """Return a policy's answer to each prompt, sampled."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(43)
    model: Any = AutoModelForCausalLM.from_pretrained(policy)
    tokenizer = AutoTokenizer.from_pretrained(policy)
    ids = tokenizer([f"<s>{prompt}=" for prompt in asked], return_tensors="pt", add_special_tokens=False)["input_ids"]
    made = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=N_NEW_TOKENS,
        do_sample=True,
        temperature=0.7,
        top_p=0.9,
    )
    answers: list[str] = tokenizer.batch_decode(made[:, ids.shape[1] :], skip_special_tokens=True)
    return answers


def answer_rows(folder: Path, asked: list[str]) -> Iterator[dict[str, Any]]:
    """Yield everybody's answers; of version 1 only the wrong ones, and none that is empty."""
    for version in ("v1", "v2"):
        for prompt, answer in zip(asked, sample(folder / f"tiny-{version}", asked), strict=True):
            is_right = answer.endswith(worked(prompt, is_human=False).rpartition(" ")[2])
            if answer.strip() and not (version == "v1" and is_right):
                yield {"prompt": prompt, "response": answer, "family": "tiny", "version": version, "size": 1}
    for prompt in asked:
        yield {"prompt": prompt, "response": worked(prompt, is_human=True), "human": True}


def command(name: str, *words: str) -> None:
    """Run a command of `tso-data` or `tso-train` in this process."""
    print(f"$ {name} {' '.join(words)}", flush=True)
    app = importlib.import_module(f"tsocli.{name.removeprefix('tso-')}").app
    app(list(words), prog_name=name, standalone_mode=False)


def run(folder: Path, *, n_prompts: int, n_steps: int, losses: list[str]) -> None:
    """Make the policies, the store and its builds, run the stages, and draw their curves."""
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    started = time.process_time()
    if not Path("tiny-v2").exists():
        pretrain(Path(), n_steps)
    print(f"pretrained in {time.process_time() - started:.0f} processor seconds", file=sys.stderr)
    rows = answer_rows(Path(), prompts(n_prompts))
    Path("answers.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    Path("recipe.toml").write_text(RECIPE, encoding="utf-8")
    command("tso-data", "import", "records", "answers.jsonl")
    settings = [word for name, value in SETTINGS.items() for word in ("-s", f"{name}={value}")]
    for loss in losses:
        build = loss.replace("_", "-")
        words = ("--base", "tiny/v2/1", "--recipe", "recipe.toml", "--minibatches", "3")
        command("tso-data", "build-pairs", build, *words)
        for minibatch in ("1", "2", "3"):
            policy = ("--policy", "tiny-v2") if minibatch == "1" else ()
            named = ("--build", build, "--minibatch", minibatch, *policy)
            command("tso-train", "stage", *named, "-s", f"loss.name={loss}", *settings)
        folders = [f"stages/{build}/{minibatch}" for minibatch in (1, 2, 3)]
        command("tso-train", "curves", *folders, "--out", f"curves-{build}")


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--prompts", type=int, default=700, help="sums to work out; right ones of version 1 drop out")
    parser.add_argument("--steps", type=int, default=300, help="of pretraining")
    parser.add_argument("--losses", default="dpo,dual_clip", help="with commas")
    asked = parser.parse_args()
    run(asked.folder, n_prompts=asked.prompts, n_steps=asked.steps, losses=asked.losses.split(","))


if __name__ == "__main__":
    main()
