"""Arena-Hard: questions, answers, and judgments of a model against a baseline, in the schemas of both versions.

Version 0.1 says `question_id, turns[].content`, `answer_id, model_id, choices[].turns[].{content, token_len}` and
`games[].{user_prompt, judgment, score}`; version 2 says `uid, prompt`, `ans_id, model, messages[].content.answer` and
`games[].{prompt, judgment.answer, score}`, and names the baseline. An answer's settings keep its length in tokens.

A judgment has two games: the first shows the baseline's answer as A, the second as B. Each is one preference for A in
five levels: A>>B is 1, A>B 0.75, A=B 0.5, B>A 0.25, B>>A 0, and null where the judge gave none. Arena-Hard counts `>>`
three times; the query arena-hard-win-rate does so. The answers are those that the judge's prompt shows. Version 0.1
does not name the baseline: it is the model whose stored answer is the one shown, so its answers come first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsodata.importers.context import Context, Row, fail, identifier, integer, maybe_text, objects, present, text
from tsodata.importers.verdicts import Judge, Reading, Said, preference
from tsodata.records import Origin, Prompt, Record, Response, Rubric, Settings, ShownResponse

if TYPE_CHECKING:
    from collections.abc import Iterator

_HINT = "the questions (arena-hard-questions)"
_RUBRIC = Rubric("arena-hard", kind="pairwise", scale_min=0, scale_max=1)
_LEVELS = {"A>>B": 1.0, "A>B": 0.75, "A=B": 0.5, "B>A": 0.25, "B>>A": 0.0}
_START = "<|The Start of Assistant A's Answer|>\n"
_BETWEEN = "\n<|The End of Assistant A's Answer|>\n\n<|The Start of Assistant B's Answer|>\n"
_END = "\n<|The End of Assistant B's Answer|>"


def parse_question(row: Row, context: Context) -> Iterator[Record]:
    """Yield the prompt of one question, with its category and cluster as tags."""
    words = text(row, "prompt") if "prompt" in row else _only_turn(row)
    prompt = Prompt.of_user(words)
    tags = (tag for tag in (maybe_text(row, "category"), maybe_text(row, "cluster")) if tag)
    yield prompt
    yield Origin(prompt.prompt_key, context.dataset, _question_id(row), ("arena_hard", *tags))


def parse_answer(row: Row, context: Context) -> Iterator[Record]:
    """Yield the answers of one model to one question; several choices are samples."""
    prompt_key = context.prompt_key(_question_id(row), _HINT)
    if "messages" in row:
        source, answer_id, answers = context.model(text(row, "model")), maybe_text(row, "ans_id"), [_said_last(row)]
    else:
        source, answer_id = context.model(text(row, "model_id")), maybe_text(row, "answer_id")
        answers = [_only_object(choice) for choice in objects(row, "choices")]
    for sample, answer in enumerate(answers):
        n_tokens = integer(answer, "token_len")
        settings = None if n_tokens is None else Settings.of({"token_len": n_tokens})
        if settings:
            yield settings
        yield Response(
            prompt_key=prompt_key,
            source_key=source.source_key,
            text=text(answer, "content", may_be_empty=True),
            sample_index=sample,
            settings_key=settings.settings_key if settings else None,
            external_id=f"{answer_id}/{sample}" if answer_id else None,
        )


def parse_judgment(row: Row, context: Context) -> Iterator[Record]:
    """Yield the judge's words and the verdict of each game, with the two answers it shows."""
    prompt_key = context.prompt_key(_question_id(row), _HINT)
    games = objects(row, "games")
    if len(games) > 2:
        fail("out_of_range", f"field 'games' holds {len(games)} games, not one or two")
    shown = [_shown_texts(game) for game in games]
    if len(games) == 2 and shown[0] != shown[1][::-1]:
        fail("bad_content", "the second game does not show the answers of the first in the other order")
    model = context.model(text(row, "model"))
    first = shown[0][0]
    baseline_key = _baseline_key(row, first, prompt_key=prompt_key, model_key=model.source_key, context=context)
    baseline = ShownResponse(prompt_key, baseline_key, first)
    answer = ShownResponse(prompt_key, model.source_key, shown[0][1])
    judge = Judge(text(row, "judge"))
    yield from (baseline, answer)
    for game, sides in zip(games, ((baseline, answer), (answer, baseline)), strict=False):
        said = Said(_judge_words(game))
        yield from preference(sides, _verdict(game), judge=judge, rubric=_RUBRIC, is_hard=False, said=said)


def _question_id(row: Row) -> str:
    return identifier(row, "uid" if "uid" in row else "question_id")


def _only_turn(row: Row) -> str:
    turns = present(row, "turns")
    if isinstance(turns, list) and len(turns) == 1 and isinstance(turns[0], str):
        return text({"turns": turns[0]}, "turns")
    return text(_only_object(row), "content")


def _only_object(row: Row) -> Row:
    turns = objects(row, "turns")
    if len(turns) != 1:
        fail("out_of_range", f"field 'turns' holds {len(turns)} turns; Arena-Hard's questions have one")
    return turns[0]


def _said_last(row: Row) -> Row:
    """Return the last message's answer as an object of `content` and `token_len`."""
    last = objects(row, "messages")[-1]
    content = present(last, "content")
    if last.get("role") != "assistant":
        fail("no_answer", "field 'messages' does not end with an assistant turn")
    metadata = row.get("metadata")
    said = {"content": present(content, "answer") if isinstance(content, dict) else content}
    return said | {"token_len": metadata.get("token_len") if isinstance(metadata, dict) else None}


def _shown_texts(game: Row) -> tuple[str, str]:
    """Return the two answers, in the order in which the judge's prompt shows them."""
    words = text(game, "user_prompt") if "user_prompt" in game else _last_content(game)
    before, found, answers = words.partition(_START)
    first, between, second = answers.partition(_BETWEEN)
    if not (found and between and second.endswith(_END)) or any(
        marker in part for marker in (_START, _BETWEEN, _END) for part in (before, first, second.removesuffix(_END))
    ):
        fail("no_answer", "the judge's prompt does not show two answers between Arena-Hard's markers, each once")
    return first, second.removesuffix(_END)


def _last_content(game: Row) -> str:
    return text(objects(game, "prompt")[-1], "content")


def _judge_words(game: Row) -> str:
    said = present(game, "judgment")
    return text(
        said if isinstance(said, dict) else game, "answer" if isinstance(said, dict) else "judgment", may_be_empty=True
    )


def _verdict(game: Row) -> Reading:
    label = maybe_text(game, "score")
    if label is None:
        return Reading(None, "not_parsed")
    return Reading(_LEVELS[label]) if label in _LEVELS else Reading(None, "unknown_verdict")


def _baseline_key(row: Row, words: str, *, prompt_key: int, model_key: int, context: Context) -> int:
    """Return the baseline's source: the one that the row names, else the one whose stored answer is shown."""
    named = maybe_text(row, "baseline")
    if named:
        return context.model(named).source_key
    found = [
        source_key
        for source_key in context.lookup.sources.get(prompt_key, ())
        if source_key != model_key
        and ShownResponse(prompt_key, source_key, words).response_key in context.lookup.by_cell[prompt_key, source_key]
    ]
    if len(found) != 1:
        what = f"{len(found)} models gave" if found else "no model in the store gave"
        fail(
            "unknown_baseline",
            f"{what} the answer shown first; import the baseline's answers (arena-hard-answers) first",
        )
    return found[0]
