"""The key of a request: all that changes an answer, and nothing else."""

from dataclasses import replace

import pytest

from tsodata.calls import Call, Reply, request_key, sample_seed
from tsodata.engines.options import EngineOptions
from tsodata.engines.protocol import Completion, Failure, FailureKind, ModelIdentity, Request, Sampling
from tsodata.runner import Ended

MODEL = ModelIdentity("m", "rev", "template", "tokenizer")
MESSAGES = ({"role": "system", "content": "s"}, {"role": "user", "content": "q"})
SAMPLING = Sampling(0.7, 0.9, 100, ("\n",), None)


def key(identity=MODEL, messages=MESSAGES, sampling=SAMPLING, **others):
    return request_key(identity, messages, sampling, **({"seed": 1, "sample_index": 0, "who": 5} | others))


CHANGES = {
    "model": {"identity": replace(MODEL, name="n")},
    "revision": {"identity": replace(MODEL, revision=None)},
    "template": {"identity": replace(MODEL, template_sha256="other")},
    "tokenizer": {"identity": replace(MODEL, tokenizer_sha256="other")},
    "system message": {"messages": MESSAGES[1:]},
    "words": {"messages": ({"role": "user", "content": "sq"},)},
    "role": {"messages": ({"role": "user", "content": "s"}, {"role": "user", "content": "q"})},
    "temperature": {"sampling": replace(SAMPLING, temperature=0.0)},
    "top_p": {"sampling": replace(SAMPLING, top_p=1.0)},
    "max_tokens": {"sampling": replace(SAMPLING, max_tokens=99)},
    "stop": {"sampling": replace(SAMPLING, stop=())},
    "logprobs": {"sampling": replace(SAMPLING, top_logprobs=5)},
    "seed": {"seed": 2},
    "no seed": {"seed": None},
    "sample": {"sample_index": 1},
    "cell": {"who": 6},
    "rubric": {"rubric": (7, 1)},
    "template version": {"rubric": (7, 2)},
}


def test_every_part_of_it_changes_it():
    keys = {name: key(**change) for name, change in CHANGES.items()}

    assert len({key(), *keys.values()}) == len(CHANGES) + 1


def test_it_is_the_same_on_every_machine_and_day():
    assert key() == 10522172261984905734


def test_a_number_that_people_write_in_two_ways_is_one():
    assert key(sampling=replace(SAMPLING, temperature=1)) == key(sampling=replace(SAMPLING, temperature=1.0))


def test_how_to_reach_the_model_is_no_part_of_it():
    """No way to hand it over: the endpoint, the key, the calls at once and the time-out stand in other records."""
    reaching = set(EngineOptions.__dataclass_fields__) - {"revision"}

    assert not reaching & (set(ModelIdentity.__dataclass_fields__) | set(Sampling.__dataclass_fields__))
    assert not reaching & set(request_key.__annotations__)


def test_each_prompt_and_each_sample_has_a_seed_of_its_own_that_every_server_takes():
    seeds = {sample_seed(43, prompt, sample) for prompt in range(100) for sample in range(10)}

    assert len(seeds) == 1000
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert sample_seed(43, 1, 0) == sample_seed(43, 1, 0) != sample_seed(44, 1, 0)


class Engine:
    name, endpoint, identity = "openai", "http://box/v1", MODEL


@pytest.mark.parametrize("result", [Completion("words", "stop", 3, 1, "hash", served_model="m-1", seconds=0.5), None])
def test_an_attempt_is_a_row_with_an_answer_or_with_a_failure(result):
    failed = Failure(FailureKind.TIMEOUT, "no whole reply")
    ended = Ended(Request(9, MESSAGES, SAMPLING), 2, result or failed)

    call = Call.of(ended, Engine(), run_key=1, task="generate", prompt_key=4, response_key=8 if result else None)
    reply = Reply.of(call, ended)

    assert (call.request_key, call.attempt, call.model, call.endpoint) == (9, 2, "m", "http://box/v1")
    if result:
        assert (call.failure, call.n_prompt_tokens, call.seconds) == (None, 3, 0.5)
        assert reply == Reply(call.call_key, "m-1", "hash")
    else:
        assert (call.failure, call.detail, reply) == ("timeout", "no whole reply", None)


def test_two_attempts_and_two_runs_of_a_request_are_rows_of_their_own():
    keys = {
        Call.of(Ended(Request(9, MESSAGES, SAMPLING), attempt, Failure(FailureKind.TIMEOUT, "x")), Engine(),
                run_key=run, task="judge", prompt_key=4).call_key
        for attempt in (1, 2) for run in (1, 2)
    }  # fmt: skip

    assert len(keys) == 4
