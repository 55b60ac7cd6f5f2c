"""Rubrics from the files of the benchmarks themselves: `mt-bench:PATH` and the like.

Their words are theirs and are not shipped; read from the user's copy, a prompt comes out as the benchmark's own code
makes it. What we ask in our own words stands in rubrics/.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tsodata.engines.protocol import Sampling
from tsodata.errors import RubricError
from tsodata.judging.rubric import Form, Group, JudgeRubric, load_rubric
from tsodata.judging.templates import Template, read_turn, renamed

_MT_BENCH = Sampling(temperature=0.0, top_p=1.0, max_tokens=2048)
_ARENA_HARD = Sampling(temperature=0.0, top_p=1.0, max_tokens=4096)
_ALPACA_EVAL = Sampling(temperature=1.0, top_p=1.0, max_tokens=1, top_logprobs=5)
_ALIGNBENCH = Sampling(temperature=0.0, top_p=1.0, max_tokens=2048)
_SINGLE_NAMES = {
    "question": "prompt",
    "ref_answer_1": "reference",
}
_TURN_NAMES = {"ref_answer_1": "reference_1", "ref_answer_2": "reference_2"}
_ARENA_NAMES = {"question_1": "prompt", "answer_1": "answer_a", "answer_2": "answer_b"}
_ALPACA_NAMES = {"instruction": "prompt", "output_1": "answer_a", "output_2": "answer_b"}
_ALIGNBENCH_NAMES = {"question": "prompt"}


def find_rubric(name: str) -> JudgeRubric:
    """Return a rubric by its name, its TOML file, or as KIND:PATH from a benchmark's own file.

    Raises:
        RubricError: there is none, or its file is not what it is said to be.
    """
    kind, colon, path = name.partition(":")
    if not colon or kind not in UPSTREAM:
        return load_rubric(name)
    try:
        return UPSTREAM[kind](Path(path))
    except OSError as error:
        raise RubricError(f"{error.filename or path} cannot be read: {error.strerror}") from None
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise RubricError(f"{path} is not a file of {kind} ({type(error).__name__}: {error})") from error
    except RubricError as error:
        raise RubricError(f"{path}: {error}") from error


def _mt_bench_single(path: Path) -> JudgeRubric:
    """Return the single-answer prompts of FastChat's judge_prompts.jsonl."""
    return JudgeRubric(
        name="mt-bench",
        kind="pointwise",
        scale=(1.0, 10.0),
        parser="mt-bench/1",
        forms=_mt_bench_forms(path, "single"),
        sampling=_MT_BENCH,
    )


def _mt_bench_pair(path: Path) -> JudgeRubric:
    """Return the pairwise prompts of FastChat's judge_prompts.jsonl."""
    return JudgeRubric(
        name="mt-bench-pair",
        kind="pairwise",
        scale=(0.0, 1.0),
        parser="letter/1",
        forms=_mt_bench_forms(path, "pairwise"),
        sampling=_MT_BENCH,
    )


def _mt_bench_forms(path: Path, kind: str) -> tuple[Form, ...]:
    forms = []
    for line in path.read_text(encoding="utf-8").splitlines():
        prompt = json.loads(line)
        if prompt["type"] != kind:
            continue
        n_turns = 2 if prompt["name"].endswith("-multi-turn") else 1
        head = read_turn("system", prompt["system_prompt"]) if prompt["system_prompt"] else None
        body = read_turn("user", prompt["prompt_template"], escaped=True)
        template = renamed((*([head] if head else []), body), _TURN_NAMES if n_turns == 2 else _SINGLE_NAMES)
        forms.append(Form(f"mt-bench/{prompt['name']}", template, n_turns, "-math-" in prompt["name"]))
    return tuple(forms)


def _arena_hard(path: Path) -> JudgeRubric:
    """Return the prompt of Arena-Hard's judge_config.yaml."""
    config = _yaml(path)
    templates = config["prompt_template"]
    body = read_turn("user", templates if isinstance(templates, str) else templates[0], escaped=True)
    head = read_turn("system", config["system_prompt"])
    return JudgeRubric(
        name="arena-hard",
        kind="pairwise",
        scale=(0.0, 1.0),
        parser="verdict/1",
        forms=(Form("arena-hard", renamed((head, body), _ARENA_NAMES), n_turns=1),),
        sampling=_ARENA_HARD,
    )


def _yaml(path: Path) -> Mapping[str, Any]:
    try:
        import yaml
    except ImportError:
        raise RubricError("reading YAML needs PyYAML; install tso[yaml]") from None
    try:
        found: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise RubricError(f"not valid YAML: {' '.join(str(error).split())}") from error
    return found


def _alpaca_eval(path: Path) -> JudgeRubric:
    """Return the one-token prompt of AlpacaEval 2 (alpaca_eval_clf.txt)."""
    template = renamed(_chat_ml(path.read_text(encoding="utf-8")), _ALPACA_NAMES)
    if not any("m or M" in piece.text for turn in template for piece in turn.pieces):
        raise RubricError("this prompt does not ask for one token, m or M; alpaca_eval_clf.txt does")
    return JudgeRubric(
        name="alpaca-eval",
        kind="pairwise",
        scale=(0.0, 1.0),
        parser="first-token/1",
        forms=(Form("alpaca-eval", template, n_turns=1),),
        sampling=_ALPACA_EVAL,
    )


def _chat_ml(text: str) -> Template:
    """Return the messages between `<|im_start|>ROLE` and `<|im_end|>`, without the line ends at their edges."""
    turns = []
    for part in text.split("<|im_start|>")[1:]:
        role, _, rest = part.partition("\n")
        turns.append(read_turn(role.strip(), rest.split("<|im_end|>")[0].strip()))
    return tuple(turns)


def _alignbench(folder: Path) -> JudgeRubric:
    """Return AlignBench's prompt, from a folder of judge_prompt_template.txt and its config/."""
    definitions, sets, types, temperatures = (
        json.loads((folder / "config" / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("dimension_definition", "dimension_set", "subcategory_question_mapping", "temperature")
    )
    tags: dict[str, list[str]] = {}
    for subcategory, answer_type in types.items():
        tags.setdefault(answer_type, []).append(subcategory)
    groups = []
    for answer_type, dimensions in sets.items():
        described = "".join(f"{i}. {name}: {definitions[name]}\n" for i, name in enumerate(dimensions, 1))
        groups.append(Group(tuple(dimensions), described, tuple(tags.get(answer_type, ()))))
    text = (folder / "judge_prompt_template.txt").read_text(encoding="utf-8")
    template = renamed((read_turn("user", text, escaped=True),), _ALIGNBENCH_NAMES)
    return JudgeRubric(
        name="alignbench",
        kind="pointwise",
        scale=(1.0, 10.0),
        parser="dictionary/1",
        forms=(Form("alignbench", template, n_turns=1, with_reference=True),),
        groups=tuple(groups),
        categories=tuple(temperatures),
        sampling=_ALIGNBENCH,
    )


UPSTREAM: Mapping[str, Callable[[Path], JudgeRubric]] = {
    "mt-bench": _mt_bench_single,
    "mt-bench-pair": _mt_bench_pair,
    "arena-hard": _arena_hard,
    "alpaca-eval": _alpaca_eval,
    "alignbench": _alignbench,
}
