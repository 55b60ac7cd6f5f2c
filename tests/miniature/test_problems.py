"""The problems of the miniature, their grades and their texts, by hand."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from miniature.grading import DIMENSIONS, HIGH, LOW, concluded, grade, is_right, mean_grade, read
from miniature.problems import KINDS, Problem, Style, Work, any_style, draw_problem, draw_problems, solve, word
from miniature.ruling import judge
from miniature.texts import human_answer, iter_lessons, spoil

seeds = st.integers(0, 10_000)


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("add 47 38", "add 47 38: 15 8 so 85"),
        ("add 95 17", "add 95 17: 12 11 so 112"),
        ("sort 4182", "sort 4182: 1 2 4 8 so 1248"),
        ("count 3 13373", "count 3 13373: 3 3 3 so 3"),
        ("flip 4182", "flip 4182: 2 8 1 4 so 2814"),
    ],
)
def test_a_problem_is_worked_out_step_by_step(prompt, answer):
    problem = Problem.parse(prompt)

    assert word(problem, solve(problem)) == answer
    assert problem.prompt == prompt


@pytest.mark.parametrize(
    ("answer", "grades"),  # factuality, conciseness, logic, comprehension
    [
        ("sort 4182: 1 2 4 8 so 1248", (10, 10, 10, 10)),
        ("sort 4182: 1; 2; 4; 8 giving 1248", (10, 10, 10, 10)),
        ("um ok sort 4182: 1 2 4 8 so 1248", (10, 6, 10, 10)),
        ("sort 4182: 1 2 4 8 so 1284", (4, 10, 6, 10)),  # two of four characters stand right; it does not follow
        ("sort 4182: 1 2 8 4 so 1284", (4, 10, 8, 10)),  # it follows from steps of which two hold
        ("sort 4182: so 1248", (10, 10, 2, 10)),
        ("sort 4183: 1 3 4 8 so 1348", (5, 10, 9, 6)),
        ("flip 4182: 2 8 1 4 so 2814", (2, 10, 6, 4)),
        ("no idea", (2, 10, 2, 2)),
        ("", (2, 10, 2, 2)),
    ],
)
def test_an_answer_is_graded_by_its_text_alone(answer, grades):
    found = grade("sort 4182", answer)

    assert tuple(found[dimension].value for dimension in DIMENSIONS) == grades
    assert mean_grade("sort 4182", answer) == sum(grades) / 4
    assert is_right("sort 4182", answer) == (grades[0] == 10)


def test_words_beyond_the_longest_style_cost_two_points_per_eight_characters():
    longest = "sort 4182: 1; 2; 4; 8 giving 1248"

    assert grade("sort 4182", f"{longest}{'8' * 8}")["conciseness"].value == 8
    assert grade("sort 4182", f"{longest}{'8' * 9}")["conciseness"].value == 6


@given(seed=seeds)
def test_people_are_right_in_every_style(seed):
    draw = random.Random(seed)
    problem = draw_problem(draw)

    assert mean_grade(problem.prompt, human_answer(problem, draw)) == HIGH


@given(seed=seeds, text=st.text("0123456789 :;,sortflipaddcountumgivng", max_size=60))
def test_any_text_has_grades_on_the_scale_and_words_for_them(seed, text):
    found = grade(draw_problem(random.Random(seed)).prompt, text)

    assert all(LOW <= one.value <= HIGH and one.evidence for one in found.values())


@given(seed=seeds)
def test_the_result_follows_from_right_steps(seed):
    problem = draw_problem(random.Random(seed))
    work = solve(problem)

    assert concluded(problem.kind, work.steps) == work.result
    said = read(word(problem, work, any_style(random.Random(seed))))
    assert (said.problem, said.work, said.n_fillers) == (problem, work, 0)


@given(seed=seeds)
def test_a_spoilt_answer_is_never_better_than_a_right_one(seed):
    draw = random.Random(seed)
    problem = draw_problem(draw)

    assert mean_grade(problem.prompt, spoil(problem, draw)) <= HIGH


def test_most_spoilt_answers_are_worse():
    draw = random.Random(1)
    grades = [mean_grade(p.prompt, spoil(p, draw)) for p in draw_problems(400, draw)]

    assert sum(value < HIGH for value in grades) > 360  # a sum without a carry is right without it
    assert 7 < sum(grades) / 400 < 8.5


def test_problems_are_drawn_once_each_and_none_that_is_left_out():
    first = draw_problems(300, random.Random(1))
    prompts = {problem.prompt for problem in first}
    second = draw_problems(300, random.Random(1), but=prompts)

    assert len(prompts) == 300
    assert not prompts & {problem.prompt for problem in second}
    assert {problem.kind for problem in first} == set(KINDS)


def test_texts_of_pretraining_leave_out_what_is_held_back():
    held_back = frozenset(problem.prompt for problem in draw_problems(3000, random.Random(2)))
    lessons = iter_lessons(0.0, judged_share=0.0, seed=3, held_back=held_back)
    found = [next(lessons) for _ in range(500)]

    assert not held_back & {lesson.prompt for lesson in found}
    assert all(mean_grade(lesson.prompt, lesson.answer) == HIGH for lesson in found)


def test_the_rule_answers_the_rubric_with_evidence_and_a_score_line():
    assert judge("score factuality: sort 4182 => sort 4182: 1 2 4 8 so 1284") == "1248 not 1284\nScore: 4.0"
    assert judge("score logic: sort 4182 => sort 4182: so 1248") == "no steps\nScore: 2.0"


def test_work_is_worded_in_the_style_that_is_asked_for():
    assert word(Problem("flip", ("12",)), Work(("2", "1"), "21"), Style("; ", "thus")) == "flip 12: 2; 1 thus 21"
