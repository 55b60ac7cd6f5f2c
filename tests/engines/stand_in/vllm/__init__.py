"""Stands in for vLLM where it is not installed: the two classes that the worker uses, in a process of their own.

An answer tells the request's seed, its prompt's tokens and the process. What a test wants else comes by environment:
VLLM_STAND_IN_REFUSES is an error at loading, VLLM_STAND_IN_DIES a file that says how often it is still to die.
"""

import json
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace


class SamplingParams(SimpleNamespace):
    def __init__(self, **given):
        if given["max_tokens"] == 13:
            raise ValueError("13 tokens are unlucky")
        super().__init__(**given)


class LLM:
    def __init__(self, **arguments):
        print("INFO noise that is no JSON", flush=True)
        if os.environ.get("VLLM_STAND_IN_REFUSES"):
            raise RuntimeError(os.environ["VLLM_STAND_IN_REFUSES"])
        self.arguments = arguments
        self.llm_engine = SimpleNamespace(
            model_config=SimpleNamespace(max_model_len=arguments.get("max_model_len", 4096))
        )

    def generate(self, prompts, params, *, use_tqdm):
        print("more noise", use_tqdm, flush=True)
        _maybe_die()
        return [self.answer(prompt["prompt_token_ids"], one) for prompt, one in zip(prompts, params, strict=True)]

    def answer(self, ids, params):
        if params.stop == ["slow"]:
            time.sleep(60)
        known = {"seed": params.seed, "n": len(ids), "pid": os.getpid(), "gpus": os.environ.get("CUDA_VISIBLE_DEVICES")}
        secrets = sorted(name for name in os.environ if "SECRET_OF_OURS" in name)
        text = json.dumps(known | {"arguments": self.arguments, "secrets": secrets, "own": "tsodata" in sys.modules})
        places = [{1: _at("a", -0.1, 1), 2: _at("b", -2.5, 2), 3: _at("z", -9.0, 3)}] if params.logprobs else None
        said = SimpleNamespace(text=text, finish_reason="stop", token_ids=[1, 2, 3], logprobs=places)
        return SimpleNamespace(outputs=[said])


def _at(token, logprob, rank):
    return SimpleNamespace(decoded_token=token, logprob=logprob, rank=rank)


def _maybe_die():
    told = os.environ.get("VLLM_STAND_IN_DIES")
    if told and (n := int(Path(told).read_text())) > 0:
        Path(told).write_text(str(n - 1))
        print("RuntimeError: the device is on fire", file=sys.stderr, flush=True)
        os._exit(9)
