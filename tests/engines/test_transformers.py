"""The engine of this process, on a tiny Llama in float32 on the CPU."""

import asyncio
import shutil

import pytest
import torch
from tiny import make_model, save

from tsodata.engines import transformers as engine_module
from tsodata.engines.options import EngineOptions
from tsodata.engines.protocol import Completion, FailureKind
from tsodata.engines.transformers import make
from tsodata.errors import UsageError

FP32 = {"dtype": "float32", "device": "cpu"}


def engine_of(folder, **settings):
    return make(str(folder), EngineOptions(settings=FP32 | settings))


def answers(engine, requests):
    async def run():
        try:
            return await engine.complete(requests)
        finally:
            await engine.close()

    return list(asyncio.run(run()))


def test_answers_come_in_the_order_of_the_requests_and_do_not_depend_on_their_company(model_folder, ask):
    requests = [
        ask(text, seed=seed, temperature=1.0, max_tokens=12, top_p=0.95)
        for seed, text in enumerate(["a long question, longest of all", "b", "a middling one", "b"], start=5)
    ]
    engine = engine_of(model_folder)
    together = answers(engine, requests)
    alone = [answer for request in requests for answer in answers(engine, [request])]
    crowded = answers(engine_of(model_folder, **{"batch-tokens": "1"}), requests)

    assert [one.text for one in together] == [one.text for one in alone] == [one.text for one in crowded]
    assert together[1].text != together[3].text  # one question, two seeds


def test_an_answer_tells_its_tokens_its_end_and_its_prompt(model_folder, ask):
    engine = engine_of(model_folder)
    (answer,) = answers(engine, [ask("ab", temperature=0, max_tokens=5, top_logprobs=2)])

    assert isinstance(answer, Completion)
    assert answer.finish_reason in {"stop", "length"}
    assert answer.n_prompt_tokens == len("_[user]ab[assistant]")
    assert answer.n_completion_tokens == len(answer.top_logprobs) <= 5
    assert all(len(at) <= 2 for at in answer.top_logprobs)
    assert answer.prompt_sha256 == engine.template.render(ask("ab").messages).sha256
    assert answer.served_model == "tiny"


def test_a_seed_gives_the_same_text_in_another_process_and_another_seed_another(model_folder, ask):
    def text(seed):
        (answer,) = answers(engine_of(model_folder), [ask("q", seed=seed, temperature=1, max_tokens=16)])
        return answer.text

    assert text(3) == text(3) != text(4)


def test_what_does_not_fit_the_context_is_too_long_and_the_rest_is_answered(model_folder, ask):
    long, fine = answers(engine_of(model_folder), [ask("q", max_tokens=5000), ask("q", max_tokens=1)])

    assert long.kind is FailureKind.TOO_LONG
    assert long.detail == "19 tokens of prompt and up to 5000 of answer do not fit the context of 2048"
    assert isinstance(fine, Completion)


def test_a_refused_conversation_is_a_bad_request(tmp_path, ask):
    save(make_model(), tmp_path / "m", "{% if messages|length > 1 %}{{ raise_exception('one turn only') }}{% endif %}q")
    turns = ({"role": "system", "content": "s"}, {"role": "user", "content": "u"})
    refused, fine = answers(engine_of(tmp_path / "m"), [ask(turns), ask("u", max_tokens=2)])

    assert (refused.kind, refused.detail) == (
        FailureKind.BAD_REQUEST,
        "the chat template refuses the conversation: one turn only",
    )
    assert isinstance(fine, Completion)


def test_weights_that_are_not_numbers_fail_and_are_no_answer(tmp_path, ask):
    model = make_model()
    torch.nn.init.constant_(model.get_output_embeddings().weight, torch.nan)
    save(model, tmp_path / "m")
    (failed,) = answers(engine_of(tmp_path / "m"), [ask("q", max_tokens=4)])

    assert failed.kind is FailureKind.SERVER_ERROR
    assert "not numbers" in failed.detail


def test_a_batch_that_does_not_fit_the_memory_is_halved(model_folder, ask, monkeypatch):
    sizes = []
    real = engine_module._Loaded.decode

    def decode(loaded, rows, *rest):
        sizes.append(len(rows))
        if len(rows) > 1:
            raise torch.OutOfMemoryError("no room")
        real(loaded, rows, *rest)

    monkeypatch.setattr(engine_module._Loaded, "decode", decode)
    found = answers(engine_of(model_folder), [ask(text, max_tokens=2) for text in "abc"])

    assert sizes == [3, 1, 2, 1, 1]
    assert all(isinstance(one, Completion) for one in found)


def test_a_cancelled_call_stops_at_its_next_token_and_the_engine_goes_on(model_folder, ask):
    async def run():
        engine = engine_of(model_folder)
        await engine.complete([ask("warm", max_tokens=1)])
        task = asyncio.create_task(
            engine.complete([ask("q", max_tokens=2000, temperature=1, seed=i) for i in range(8)])
        )
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        (answer,) = await engine.complete([ask("next", max_tokens=1)])
        await engine.close()
        return answer

    assert isinstance(asyncio.run(asyncio.wait_for(run(), 60)), Completion)


def test_only_the_ends_of_a_models_own_generation_settings_count(model_folder, tmp_path, ask):
    folder = shutil.copytree(model_folder, tmp_path / "m")
    greedy = ask("q", temperature=0, max_tokens=6)
    (before,) = answers(engine_of(folder), [greedy])
    (folder / "generation_config.json").write_text('{"eos_token_id": 2, "repetition_penalty": 9.0, "do_sample": true}')
    (penalised,) = answers(engine_of(folder), [greedy])
    ends = list(range(2, 259))
    (folder / "generation_config.json").write_text(f'{{"eos_token_id": {ends}}}')
    (ended,) = answers(engine_of(folder), [greedy])

    assert penalised.text == before.text
    assert (ended.text, ended.finish_reason, ended.n_completion_tokens) == ("", "stop", 1)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"colour": "red"}, "engine transformers takes no setting 'colour'; it takes device, dtype, batch-size"),
        ({"dtype": "int8"}, "dtype=int8 is none of auto, float32, bfloat16, float16"),
        ({"batch-size": "many"}, "batch-size=many is no number"),
        ({"batch-size": "0"}, "batch-size=0 is not above zero"),
        ({"trust-remote-code": "perhaps"}, "trust-remote-code=perhaps is neither true nor false"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_one_line(model_folder, settings, said):
    with pytest.raises(UsageError, match=said):
        make(str(model_folder), EngineOptions(settings=settings))


def test_a_model_that_cannot_be_loaded_is_one_line(model_folder, tmp_path, ask):
    folder = shutil.copytree(model_folder, tmp_path / "m")
    (folder / "model.safetensors").write_bytes(b"not weights")

    with pytest.raises(UsageError, match=f"{folder}: the model cannot be loaded: ") as refused:
        answers(engine_of(folder), [ask("q")])
    assert "\n" not in str(refused.value)
