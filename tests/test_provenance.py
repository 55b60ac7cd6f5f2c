"""Content keys: users' files hold them, so they never change."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsodata.provenance import canonical_json, content_key
from tsodata.records import Origin, Prompt, Response, Rubric, Score, Source

GOLDEN = [  # made by the first version of tso
    3658333440838681439,
    13465529227475438256,
    5101615457088555304,
    1889556565687614294,
    13176116668107979755,
    6223703173353599877,
    17307526597698528254,
]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
PARTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(TEXTS, inner),
    max_leaves=12,
)


@given(st.lists(PARTS))
def test_a_key_is_the_hash_of_plain_canonical_json(parts):
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

    assert content_key(*parts) == int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
    assert canonical_json(parts) == text


@pytest.mark.parametrize("part", [float("nan"), float("inf"), (1.0, float("-inf")), "\ud800"])
def test_what_json_or_utf8_cannot_hold_has_no_key(part):
    with pytest.raises(ValueError, match=r"JSON|surrogates"):
        content_key("x", part)


def test_the_keys_of_the_records_are_the_ones_in_users_files():
    prompt = Prompt.of_user('Say "hi"\n\u2028 \x7f', system="Kürze")
    answer = Response(prompt.prompt_key, Source.model("m", "v1", 7.0).source_key, "hi \U0001f600", 1)
    score = Score(None, prompt.prompt_key, answer.source_key, answer.response_key, "j", "model", 5, "overall", 0, 7.5)

    assert [
        prompt.prompt_key,
        Origin(prompt.prompt_key, "d", "1", ("a", "b")).origin_key,
        answer.source_key,
        answer.response_key,
        answer.text_key,
        Rubric.pointwise("r", 1.0, 10.0).rubric_key,
        score.score_key,
    ] == GOLDEN


def test_a_size_of_seven_is_one_of_seven_point_nought():
    assert Source.model("m", "v1", 7).source_key == Source.model("m", "v1", 7.0).source_key
