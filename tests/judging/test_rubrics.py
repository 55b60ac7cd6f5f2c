"""Rubrics and their templates: every place filled once, nothing read again, nothing unknown let through."""

import tomllib
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsodata.errors import RubricError
from tsodata.judging.material import Answer, answer_values, pair_values
from tsodata.judging.rubric import load_rubric, parse_rubric, shipped_rubrics
from tsodata.judging.templates import check_places, read_turn, render, settle, template_text
from tsodata.judging.upstream import find_rubric

BASE = {"name": "r/1", "parser": "score-line/1", "scale": [1, 10], "forms": [{"user": "Q {prompt} A {answer}"}]}


def user(text):
    return {"role": "user", "content": text}


def own(text):
    return {"role": "assistant", "content": text}


def answer(text="An animal.", *said, references=(), tags=()):
    return Answer(1, 2, 3, tuple(said or [user("What is a llama?")]), text, references, tags)


@given(
    prompt=st.text(),
    text=st.text(),
    answered=st.sampled_from(["{prompt}", "{reference}", "%s {0} {} {{", "\\1 \\g<0>"]),
)
def test_what_fills_a_place_is_never_read_again(prompt, text, answered):
    template = (read_turn("user", "Q: {prompt} {x} A: {answer}{{"),)
    check_places(template, known=("prompt", "answer", "x"), needed=("answer",))

    (message,) = render(template, {"prompt": prompt, "answer": text + answered, "x": "{answer}"})

    assert message == user(f"Q: {prompt} {{answer}} A: {text}{answered}{{{{")


def test_doubled_braces_stand_for_single_ones_only_where_they_are_escapes():
    escaped, plain = (read_turn("user", "{{'a': 1}} {answer}", escaped=escaped) for escaped in (True, False))

    assert render((escaped,), {"answer": "x"}) == (user("{'a': 1} x"),)
    assert render((plain,), {"answer": "x"}) == (user("{{'a': 1}} x"),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{answer} {answer}", "place {answer} stands 2 times; each place is filled once"),
        ("{answer} {secret}", "no place {secret} is known; there are: answer, prompt"),
        ("{prompt}", "the template has no place {answer}"),
    ],
)
def test_a_template_with_unknown_doubled_or_lacking_places_is_refused(text, message):
    with pytest.raises(RubricError) as refused:
        check_places((read_turn("user", text),), known=("prompt", "answer"), needed=("answer",))

    assert str(refused.value) == message


def test_a_place_without_a_value_is_refused():
    with pytest.raises(RubricError, match=r"nothing fills the place \{reference\}"):
        render((read_turn("user", "{answer} {reference}"),), {"answer": "x"})


def test_the_text_of_a_template_tells_a_place_from_its_name_and_not_how_it_came_together():
    place, name = (read_turn("user", "a {x} b"),), (read_turn("user", "a b"),)

    assert template_text(place) == [("user", [("text", "a "), ("place", "x"), ("text", " b")])]
    assert template_text(settle(place, {"x": "c"})) == [("user", [("text", "a c b")])]
    assert template_text(name) == [("user", [("text", "a b")])]


def test_the_shipped_rubrics_are_read_and_lie_in_files_of_their_names():
    assert shipped_rubrics() == ("chinese/1", "pair/1", "single/1", "token/1", "tso/1", "tso/2")
    for entry in (resources.files("tsodata.judging") / "rubrics").iterdir():
        name = tomllib.loads(entry.read_text(encoding="utf-8"))["name"]
        assert entry.name == f"{name.replace('/', '-')}.toml"
        assert load_rubric(name).about


@pytest.mark.parametrize("name", ["tso/1", "tso/2"])
def test_the_papers_dimensions_are_asked_one_a_call_on_its_scale_three_times(name):
    rubric = load_rubric(name)
    asked = [question for question in rubric.questions if not question.with_reference]

    assert [question.dimensions for question in asked] == [
        ("factuality",),
        ("conciseness",),
        ("logic",),
        ("comprehension",),
    ]
    assert (rubric.scale, rubric.samples) == ((2.0, 10.0), 3)
    assert len({question.record.rubric_key for question in asked}) == 4
    assert {question.record.name for question in asked} == {name}
    (message,) = render(asked[0].template, answer_values(answer()))
    for anchor in ("2", "4", "6", "8", "10"):
        assert f"\n{anchor}" in message["content"]
    assert message["content"].count("An animal.") == 1


def test_questions_with_a_reference_come_first_and_those_of_two_turns_show_both():
    rubric = load_rubric("single/1")
    talk = answer("Rosae sunt.", user("Write."), own("Roses."), user("In Latin."), references=("r1", "r2"))

    assert [(q.with_reference, q.n_turns) for q in rubric.questions] == [(True, 1), (True, 2), (False, 1), (False, 2)]
    (message,) = render(rubric.questions[1].template, answer_values(talk))
    for words in ("Write.", "Roses.", "In Latin.", "Rosae sunt.", "r1", "r2"):
        assert message["content"].count(f"\n{words}\n") == 1


def test_a_pair_is_shown_in_the_order_given():
    rubric = load_rubric("pair/1")
    first, second = answer("yes"), answer("no")

    shown = render(rubric.questions[0].template, pair_values(first, second))[1]["content"]

    assert shown.index("yes") < shown.index("no")
    assert pair_values(second, first)["answer_a"] == "no"


def test_groups_are_asked_together_and_the_prompts_tags_say_which():
    rubric = load_rubric("chinese/1")
    question = next(q for q in rubric.questions if "数学计算" in q.tags)
    values = answer_values(answer(references=("四",), tags=("x", "数学计算")), categories=rubric.categories)

    assert question.dimensions == ("正确", "切题", "严密", "overall")
    assert "数学计算" in render(question.template, values)[0]["content"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"parser": "x/1"}, "no parser 'x/1'"),
        ({"kind": "triplewise"}, "kind = 'triplewise' is not of the right type"),
        ({"scale": [10, 1]}, "the lowest score comes first"),
        ({"scale": [1]}, r"scale is \[lowest, highest\]"),
        ({"forms": []}, r"at least one \[\[forms\]\]"),
        ({"forms": {}}, r"\[\[forms\]\] is not an array of tables"),
        ({"forms": [{"user": "{prompt}"}]}, "the template has no place {answer}"),
        ({"forms": [{"user": "{answer}", "reference": True}]}, "a form with a reference has a place {reference}"),
        ({"forms": [{"user": "{answer} {question_1}", "turns": 2}]}, "the template has no place {answer_2}"),
        ({"dimensions": {"logic": "c"}}, "the template has no place {criteria}"),
        ({"dimensions": {"logic": 1}}, "gives each dimension its criteria as a text"),
        ({"samples": 0}, "samples = 0: at least 1"),
        ({"sampling": {"heat": 1}}, r"\[sampling\]: no setting 'heat'"),
        ({"temperature": 1}, "the rubric: no setting 'temperature'"),
    ],
)
def test_a_rubric_that_cannot_be_meant_is_refused(changed, message):
    with pytest.raises(RubricError, match=message):
        parse_rubric(BASE | changed)


def test_a_rubric_of_ones_own_is_named_by_path(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine/1"\nparser = "mt-bench/1"\nscale = [1, 5]\n[[forms]]\nuser = "{prompt}{answer}"\n')

    assert find_rubric(str(path)).scale == (1.0, 5.0)
    with pytest.raises(RubricError, match=r"no rubric 'tso'; shipped are chinese/1, .*, or name a \.toml file"):
        find_rubric("tso")
    path.write_text("name = ")
    with pytest.raises(RubricError, match=r"mine\.toml: not valid TOML"):
        find_rubric(str(path))


def test_only_dimensions_that_the_rubric_has_can_be_asked_for():
    rubric = load_rubric("tso/1")

    assert [q.slot for q in rubric.asked_for(["logic"])] == ["logic"]
    with pytest.raises(RubricError, match="rubric tso/1 has no dimension 'depth'; it has: factuality, conciseness"):
        rubric.asked_for(["depth"])


@pytest.mark.parametrize("kind", ["mt-bench", "mt-bench-pair", "arena-hard", "alpaca-eval", "alignbench"])
def test_a_benchmarks_file_that_is_missing_or_another_is_refused(tmp_path, kind):
    other = tmp_path / "other.txt"
    other.write_text("[1, 2]\n")

    with pytest.raises(RubricError, match="cannot be read: No such file"):
        find_rubric(f"{kind}:{tmp_path}/none")
    with pytest.raises(RubricError, match=r"other\.txt"):
        find_rubric(f"{kind}:{other}")
