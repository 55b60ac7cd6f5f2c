"""Three stages on a tiny Llama that it pretrains itself: `python examples/three_stages.py FOLDER`, minutes on one core.

The task is adding numbers of four digits, step by step. People write right sums, each worded in a way of its own;
version 1 of the model, which has seen half of the pretraining, writes sums of which the wrong ones are kept; version 2
is the base. A store takes both, a build draws people's answers over version 1's in three minibatches, and `tso-train
stage` runs three times with each loss. FOLDER then holds `curves-LOSS.png`: under DPO the reward of the chosen side
falls, under the dual clip loss it rises. Each stage's reference is the policy of the one before, so a stage that begins
where people's answers have become unlikely may first win some of that back; what is printed at the end counts from the
base throughout.

How far it can rise is set by the pretraining, which is ours to choose: a reward is at most beta times what the chosen
answer lacks in log-probability under the reference. People's ways are rare in it (HUMAN_SHARE), so that there is room;
at a share of 0.3 their answers lack little, and the rise ends at +0.1. The losses are as the package has them.
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
    "optimizer.learning_rate": 2e-4,
    "loss.beta": 0.1,
    "batch_pairs": 32,
    "epochs": 4,
    "max_norm_growth": 1e6,  # a policy this small starts from tiny gradients
}
HUMAN_SHARE = 0.05  # of the texts of pretraining: the base has met people's ways, and keeps its own
OPENINGS = ("well", "so", "now", "ok", "first", "see", "hm", "right")
JOINTS = (", ", "; ", " then ", " and ")
N_NEW_TOKENS = 48
N_SCORED = 100  # of people's answers, after each stage


def prompts(n_prompts: int, seed: int) -> list[str]:
    """Return sums to work out, each once."""
    draw = random.Random(seed)
    made: dict[str, None] = {}
    while len(made) < n_prompts:
        made[f"{draw.randrange(1000, 10_000)}+{draw.randrange(1000, 10_000)}"] = None
    return list(made)


def worked(prompt: str, person: random.Random | None = None) -> str:
    """Return a right answer: the sums of the digits from the right, as a person words them, or in a terse way."""
    left, right = (int(number) for number in prompt.split("+"))
    steps, carry = [], 0
    for place in range(4):
        total = left // 10**place % 10 + right // 10**place % 10 + carry
        steps.append(str(total))
        carry = total // 10
    if person is None:
        return f"{' '.join(steps)} is {left + right}"
    said = "".join(f"{person.choice(JOINTS)}{step}" for step in steps[1:])
    return f"{person.choice(OPENINGS)} {steps[0]}{said} so {left + right}"


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


def pretrain(folder: Path, n_steps: int, seed: int) -> None:
    """Train versions 1 and 2 from nothing, on right answers of both styles, and save them as transformers does."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
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
    batches = _iter_batches(tokenizer, seed)
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


def _iter_batches(tokenizer: PreTrainedTokenizerFast, seed: int) -> Iterator[Any]:
    draw = random.Random(f"pretraining {seed}")
    while True:
        texts = []
        for _ in range(48):
            prompt = f"{draw.randrange(1000, 10_000)}+{draw.randrange(1000, 10_000)}"
            texts.append(f"<s>{prompt}={worked(prompt, draw if draw.random() < HUMAN_SHARE else None)}</s>")
        yield tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)["input_ids"]


def sample(policy: Path, asked: list[str], seed: int) -> list[str]:
    """Return a policy's answer to each prompt, sampled."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(seed)
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


def answer_rows(folder: Path, asked: list[str], seed: int) -> Iterator[dict[str, Any]]:
    """Yield everybody's answers; of version 1 only the wrong ones, and none that is empty."""
    for version in ("v1", "v2"):
        for prompt, answer in zip(asked, sample(folder / f"tiny-{version}", asked, seed), strict=True):
            is_right = answer.endswith(worked(prompt).rpartition(" ")[2])
            if answer.strip() and not (version == "v1" and is_right):
                yield {"prompt": prompt, "response": answer, "family": "tiny", "version": version, "size": 1}
    for prompt in asked:
        yield {"prompt": prompt, "response": worked(prompt, random.Random(f"{prompt} {seed}")), "human": True}


def mean_logprob(policy: Path, rows: list[dict[str, Any]]) -> float:
    """Return the mean log-probability of people's answers under a policy, in nats."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model: Any = AutoModelForCausalLM.from_pretrained(policy)
    tokenizer = AutoTokenizer.from_pretrained(policy)
    found = []
    for row in rows:
        n_prompt = len(tokenizer(f"<s>{row['prompt']}=", add_special_tokens=False)["input_ids"])
        text = f"<s>{row['prompt']}={row['response']}</s>"
        ids = tokenizer(text, return_tensors="pt", add_special_tokens=False)["input_ids"]
        with torch.no_grad():
            logps = model(ids).logits[0, n_prompt - 1 : -1].log_softmax(-1)
        found.append(float(logps.gather(1, ids[0, n_prompt:, None]).sum()))
    return sum(found) / len(found)


def print_rewards(rows: list[dict[str, Any]], losses: list[str]) -> None:
    """Print what people's answers have won or lost against the base after each stage, times beta."""
    people = [row for row in rows if row.get("human")][:N_SCORED]
    base = mean_logprob(Path("tiny-v2"), people)
    print(f"people's answers under the base: {base:.1f} nats; reward against it after stages 1, 2, 3:")
    for loss in losses:
        policies = [Path("stages", loss.replace("_", "-"), f"{minibatch}", "policy") for minibatch in (1, 2, 3)]
        rewards = [SETTINGS["loss.beta"] * (mean_logprob(policy, people) - base) for policy in policies]
        print(f"{loss:>10}: {'  '.join(f'{reward:+.2f}' for reward in rewards)}")


def command(name: str, *words: str) -> None:
    """Run a command of `tso-data` or `tso-train` in this process."""
    print(f"$ {name} {' '.join(words)}", flush=True)
    app = importlib.import_module(f"tsocli.{name.removeprefix('tso-')}").app
    app(list(words), prog_name=name, standalone_mode=False)


def run(folder: Path, *, n_prompts: int, n_steps: int, losses: list[str], seed: int) -> None:
    """Make the policies, the store and its builds, run the stages, and draw their curves."""
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    started = time.process_time()
    if not Path("tiny-v2").exists():
        pretrain(Path(), n_steps, seed)
    print(f"pretrained in {time.process_time() - started:.0f} processor seconds", file=sys.stderr)
    rows = list(answer_rows(Path(), prompts(n_prompts, seed), seed))
    Path("answers.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    Path("recipe.toml").write_text(RECIPE, encoding="utf-8")
    command("tso-data", "import", "records", "answers.jsonl")
    settings = [word for name, value in {**SETTINGS, "seed": seed}.items() for word in ("-s", f"{name}={value}")]
    for loss in losses:
        build = loss.replace("_", "-")
        words = ("--base", "tiny/v2/1", "--recipe", "recipe.toml", "--minibatches", "3", "--seed", f"{seed}")
        command("tso-data", "build-pairs", build, *words)
        for minibatch in ("1", "2", "3"):
            policy = ("--policy", "tiny-v2") if minibatch == "1" else ()
            named = ("--build", build, "--minibatch", minibatch, *policy)
            command("tso-train", "stage", *named, "-s", f"loss.name={loss}", *settings)
        folders = [f"stages/{build}/{minibatch}" for minibatch in (1, 2, 3)]
        command("tso-train", "curves", *folders, "--out", f"curves-{build}")
    print_rewards(rows, losses)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--prompts", type=int, default=400, help="sums to work out; right ones of version 1 drop out")
    parser.add_argument("--steps", type=int, default=300, help="of pretraining")
    parser.add_argument("--losses", default="dpo,dual_clip", help="with commas")
    parser.add_argument("--seed", type=int, default=43, help="of everything that is drawn")
    asked = parser.parse_args()
    losses = asked.losses.split(",")
    run(asked.folder, n_prompts=asked.prompts, n_steps=asked.steps, losses=losses, seed=asked.seed)


if __name__ == "__main__":
    main()
