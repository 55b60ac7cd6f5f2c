"""One home for what a tokenizer makes of a conversation: the gate of exports and the trainer see the same tokens."""

import pytest

from tsodata.conversations import answer_tokens, render, tokenize
from tsodata.errors import ChatTemplateError


class Letters:
    """Stands for a tokenizer: a template of its own, and one token per letter."""

    def __init__(self, template):
        self.apply_chat_template = template

    def __call__(self, texts, *, add_special_tokens):
        assert not add_special_tokens
        return {"input_ids": [[ord(letter) for letter in text] for text in texts]}


def plain(turns, *, tokenize, add_generation_prompt=False):
    assert not tokenize
    return "".join(f"{turn['role'][0]}{turn['content']}" for turn in turns) + "a" * add_generation_prompt


def test_the_prompt_asks_for_an_answer_and_the_conversations_hold_one():
    assert render(Letters(plain), [{"role": "user", "content": "hi"}], ["yes", ""]) == ["uhia", "uhiayes", "uhia"]


def test_rendering_leaves_the_prompt_as_it_was():
    prompt = [{"role": "user", "content": "hi"}]
    render(Letters(plain), prompt, ["yes"])

    assert prompt == [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TypeError("cannot add\nNone"), "cannot add"),
        (KeyError(), "KeyError"),
    ],
)
def test_whatever_a_template_raises_is_told_in_one_line(error, reason):
    def raising(*_, **__):
        raise error

    with pytest.raises(ChatTemplateError, match=f"^the chat template refuses a conversation: {reason}$"):
        render(Letters(raising), [], ["yes"])


def test_nothing_to_tokenise_is_no_call():
    assert tokenize(None, []) == []


@pytest.mark.parametrize(
    ("prompt", "whole", "answer"),
    [
        ([1, 2], [1, 2, 3], [3]),
        ([1, 2], [1, 2], []),
        ([1, 2], [1, 3, 2], None),
        ([1, 2], [1], None),
    ],
)
def test_an_answer_is_what_stands_behind_the_prompts_tokens(prompt, whole, answer):
    assert answer_tokens(prompt, whole) == answer
