"""A store small enough to check every answer by hand.

prompts    llama, colours, yes (data set demo); turn-1, turn-2 (mt_bench)
sources    a/v1/7 (known as 'a-7b' and 'a-7b-hf'), a/v2/7 ('a2-7b'), base, gpt35 ('answer_gpt35'), human
judges     j1, j2 and j3 prefer, gpt-4 scores, ann corrects
builds     'demo' and 'demo-again', the same pairs under two names
"""

from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as pa
import pytest

from tsodata.provenance import Run, content_key
from tsodata.records import (
    Correction,
    Judgement,
    Message,
    Origin,
    Preference,
    Prompt,
    Record,
    Response,
    Rubric,
    Score,
    Settings,
    ShownResponse,
    Source,
    SourceName,
)
from tsodata.store import Store, Transaction

STARTED = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001  the store keeps UTC without a zone

A1 = Source.model("a", "v1", 7.0)
A2 = Source.model("a", "v2", 7.0)
BASE = Source.model("base")
GPT35 = Source.model("gpt35")
HUMAN = Source.people()
NAMES = [(A1, "a-7b"), (A1, "a-7b-hf"), (A2, "a2-7b"), (GPT35, "answer_gpt35")]

LLAMA = Prompt.of_user("What is a llama?")
COLOURS = Prompt.of_user("Name two colours.")
YES = Prompt.of_user("Say yes.")
_ASKED: Message = {"role": "user", "content": "Write a poem."}
TURN_1 = Prompt((_ASKED,))
TURN_2 = Prompt((_ASKED, {"role": "assistant", "content": None}, {"role": "user", "content": "Now in Latin."}))

WARM = Settings.of({"temperature": 0.7})


def answer(prompt: Prompt, source: Source, text: str, **known: Any) -> Response:
    return Response(prompt.prompt_key, source.source_key, text, **known)


LLAMA_A1 = answer(LLAMA, A1, "A camelid.", settings_key=WARM.settings_key, seed=7, finish_reason="stop")
LLAMA_A2 = answer(LLAMA, A2, "A woolly camelid of the Andes.")
LLAMA_BASE = answer(LLAMA, BASE, "Llama llama")
LLAMA_GPT = answer(LLAMA, GPT35, "An animal.")
LLAMA_HUMAN = answer(LLAMA, HUMAN, "A pack animal of the Andes.")
COLOURS_A1 = answer(COLOURS, A1, "Red and blue.")
COLOURS_A2 = answer(COLOURS, A2, " Red and blue.\n")
COLOURS_BASE = answer(COLOURS, BASE, "red")
COLOURS_GPT = answer(COLOURS, GPT35, "Red, blue")
YES_A1 = answer(YES, A1, "  ")
YES_A2 = answer(YES, A2, "Yes.")
YES_BASE_LATE = answer(YES, BASE, "yes yes")
YES_BASE_SHOWN = ShownResponse(YES.prompt_key, BASE.source_key, "Yes, yes, yes.")
POEM_A1 = answer(TURN_1, A1, "Roses are red.")
LATIN_A1 = answer(TURN_2, A1, "Rosae sunt.", previous_key=POEM_A1.response_key)

PAIRWISE = Rubric("alpaca-eval", kind="pairwise")
HELP = Rubric("helpfulness", scale_min=1, scale_max=10)
TURN = Rubric("mt-bench/single-v1", scale_min=1, scale_max=10)
TURNS = Rubric("mt-bench/single-v1-multi-turn", scale_min=1, scale_max=10)
RELATIVE = Rubric("qlora-relative", kind="pairwise", scale_min=1, scale_max=10)
ARENA = Rubric("arena-hard", kind="pairwise", scale_min=0, scale_max=1)


def preferred(judge: str, a: Response, b: Response, value: float | None, *, rubric: Rubric = PAIRWISE) -> list[Record]:
    said = Judgement(a.prompt_key, a.response_key, b.response_key, judge, "model", rubric.rubric_key, raw=f"{value}")
    where = (said.judgement_key, a.prompt_key, a.response_key, b.response_key, judge, "model", rubric.rubric_key)
    reason = "not_parsed" if value is None else None
    is_hard = rubric == PAIRWISE and value in (0, 0.5, 1)
    return [said, Preference(*where, value, is_hard=is_hard, reason=reason)]


def scored(judge: str, rubric: Rubric, value: float | None, *shown: Response, of: int = 0) -> list[Record]:
    """Return a judge's words on one answer, or on two shown in this order, and the score of one of them."""
    keys = [response.response_key for response in shown]
    other = keys[1] if len(keys) > 1 else None
    raw = f"Rating: [[{value}]]" if other is None else "8 10"
    said = Judgement(shown[0].prompt_key, keys[0], other, judge, "model", rubric.rubric_key, raw=raw)
    rated = shown[of]
    where = (said.judgement_key, rated.prompt_key, rated.source_key, rated.response_key, judge, "model")
    reason = "not_parsed" if value is None else None
    return [said, Score(*where, rubric.rubric_key, "overall", value=value, reason=reason, parser="test-1")]


def corrected(response: Response, value: float, reason: str) -> Correction:
    where = (response.prompt_key, response.response_key, HELP.rubric_key, "overall")
    return Correction(*where, value, "ann", "human", reason, STARTED)


def material() -> list[Record]:
    prompts = [LLAMA, COLOURS, YES, TURN_1, TURN_2]
    origins = [Origin(prompt.prompt_key, "demo", f"d{i}") for i, prompt in enumerate(prompts[:3])]
    origins += [Origin(COLOURS.prompt_key, "other"), Origin(TURN_1.prompt_key, "mt_bench", "81/1", ("turn-1",))]
    origins.append(Origin(TURN_2.prompt_key, "mt_bench", "81/2", ("turn-2",)))
    answers = [LLAMA_A1, LLAMA_A2, LLAMA_BASE, LLAMA_GPT, LLAMA_HUMAN, COLOURS_A1, COLOURS_A2, COLOURS_BASE]
    answers += [COLOURS_GPT, YES_A1, YES_A2, YES_BASE_SHOWN, POEM_A1, LATIN_A1]
    names = [SourceName(source.source_key, name) for source, name in NAMES]
    return [*(A1, A2, BASE, GPT35, HUMAN), *names, *prompts, *origins, WARM, *answers]


def verdicts() -> list[Record]:
    return [
        *(PAIRWISE, HELP, TURN, TURNS, RELATIVE, ARENA),
        # alpaca-eval: j1 gives a/v2/7 the wins 1, 0.5 and none: 75 %, sd sqrt(1/8), error 25; j2 says the opposite
        *preferred("j1", LLAMA_BASE, LLAMA_A2, 0.0),
        *preferred("j1", COLOURS_BASE, COLOURS_A2, 0.5),
        *preferred("j1", YES_BASE_SHOWN, YES_A2, None),
        *preferred("j2", LLAMA_A2, LLAMA_BASE, 0.25),
        # arena-hard against gpt35: a/v1/7 wins 3 + 1 votes, ties 1, loses 1, one has none: 4.5 / 6 = 75 %; a/v2/7 loses
        # 3 and ties 1: 0.5 / 4 = 12.5 %; a verdict between the two is none about gpt35
        *preferred("j3", COLOURS_GPT, COLOURS_A1, 0.0, rubric=ARENA),
        *preferred("j3", COLOURS_A1, COLOURS_GPT, 0.75, rubric=ARENA),
        *preferred("j3", COLOURS_GPT, COLOURS_A1, 0.5, rubric=ARENA),
        *preferred("j3", COLOURS_A1, COLOURS_GPT, 0.25, rubric=ARENA),
        *preferred("j3", COLOURS_A1, COLOURS_GPT, None, rubric=ARENA),
        *preferred("j3", COLOURS_GPT, COLOURS_A2, 1.0, rubric=ARENA),
        *preferred("j3", COLOURS_A2, COLOURS_GPT, 0.5, rubric=ARENA),
        *preferred("j3", COLOURS_A1, COLOURS_A2, 1.0, rubric=ARENA),
        # mt-bench: turn 1 has 8 and 6, turn 2 has 5 and one that was not parsed: 7, 5, and 19/3 over all
        *scored("gpt-4", TURN, 8.0, POEM_A1),
        *scored("gpt-4", TURN, 6.0, POEM_A1),
        *scored("gpt-4", TURNS, 5.0, LATIN_A1),
        *scored("gpt-4", TURNS, None, LATIN_A1),
        # qlora: shown first (8 + 6) / (10 + 10) = 70 %, shown second 9 / 10 = 90 %: 80 %
        *scored("gpt-4", RELATIVE, 8.0, LLAMA_A1, LLAMA_GPT),
        *scored("gpt-4", RELATIVE, 10.0, LLAMA_A1, LLAMA_GPT, of=1),
        *scored("gpt-4", RELATIVE, 6.0, COLOURS_A1, COLOURS_GPT),
        *scored("gpt-4", RELATIVE, 10.0, COLOURS_A1, COLOURS_GPT, of=1),
        *scored("gpt-4", RELATIVE, 10.0, LLAMA_GPT, LLAMA_A1),
        *scored("gpt-4", RELATIVE, 9.0, LLAMA_GPT, LLAMA_A1, of=1),
        *scored("gpt-4", RELATIVE, None, COLOURS_GPT, COLOURS_A1),
        *scored("gpt-4", RELATIVE, None, COLOURS_GPT, COLOURS_A1, of=1),
        # helpfulness: a/v2/7 has 4 and 6, corrected to 9; base is corrected without a score
        *scored("gpt-4", HELP, 4.0, LLAMA_A2),
        *scored("gpt-4", HELP, 6.0, LLAMA_A2),
        *scored("gpt-4", HELP, 3.0, LLAMA_A1),
        *scored("gpt-4", HELP, 7.0, LLAMA_HUMAN),
        corrected(LLAMA_A2, 9.0, "it names the Andes"),
        corrected(LLAMA_BASE, 1.0, "no answer"),
    ]


class Drawn(NamedTuple):
    """One pair of the builds."""

    chosen: Response
    chosen_source: Source
    rejected: Response
    rejected_source: Source
    pool: str
    minibatch: int | None

    @property
    def key(self) -> int:
        return content_key("pair", self.chosen.response_key, self.rejected.response_key)


PAIRS = [
    Drawn(LLAMA_A2, A2, LLAMA_A1, A1, "scores", 1),
    Drawn(LLAMA_HUMAN, HUMAN, LLAMA_A1, A1, "human", 1),
    Drawn(COLOURS_A2, A2, COLOURS_BASE, BASE, "scores", None),
]
BUILD_KEY = content_key("build", "demo")
STAGE_KEY = content_key("stage", "demo", 1)
POLICY_KEY = content_key("artefact", "demo", 1)
JUDGE_KEY = content_key("artefact", "scores", 1)
TUNED_ON = '{"records": "exports/scores", "records_sha256": "0a1b"}'


def insert(transaction: Transaction, table: str, *rows: dict[str, object]) -> None:
    schema = transaction.connection.sql(f"select * exclude (commit_seq) from {table} limit 0").to_arrow_table().schema
    transaction.insert(table, pa.Table.from_pylist(list(rows), schema))


def add_file(transaction: Transaction, run: Run, file_key: int) -> None:
    insert(
        transaction,
        "files",
        {"file_key": file_key, "path": "answers.jsonl", "file_sha256": "ab" * 32, "n_bytes": 1234},
    )
    insert(
        transaction,
        "imports",
        {"import_key": 1, "run_key": run.key, "file_key": file_key, "format": "records", "n_accepted": 14}
        | {"n_present": 1, "n_skipped": 1, "n_failed": 2},
    )
    refused = [(3, "failed", "missing_field", "no field 'prompt'"), (9, "failed", "missing_field", "no field 'answer'")]
    refused.append((4, "skipped", "no_answer", "nothing was said"))
    names = ("line", "status", "reason", "detail")
    rows = [{"refusal_key": i, "run_key": run.key, "file_key": file_key} for i in range(len(refused))]
    insert(
        transaction, "refusals", *(row | dict(zip(names, r, strict=True)) for row, r in zip(rows, refused, strict=True))
    )


def add_builds(transaction: Transaction, snapshot_seq: int) -> None:
    build: dict[str, object] = {"build_key": BUILD_KEY, "recipe_key": 5, "resolved": "{}", "base": "a/v1/7", "seed": 43}
    build |= {"snapshot_key": 6, "snapshot_seq": snapshot_seq, "n_prompts": 2, "n_pairs": 3, "pairs_xor": 0}
    insert(transaction, "recipes", {"recipe_key": 5, "body": "{}"})
    insert(transaction, "builds", build | {"name": "demo"}, build | {"name": "demo-again"})
    reasons = (None, None, "one_answer", "no_chosen", "no_chosen")
    for prompt, reason in zip((LLAMA, COLOURS, YES, TURN_1, TURN_2), reasons, strict=True):
        outcome = "skipped" if reason else "paired"
        row = {"build_key": BUILD_KEY, "prompt_key": prompt.prompt_key, "outcome": outcome, "reason": reason}
        insert(transaction, "build_prompts", row)
    for pair in PAIRS:
        insert(transaction, "pairs", pair_row(pair))
    shares = [("scores", "chosen", A2, None, 2.0, 2), ("scores", "rejected", A1, None, 1.0, 1)]
    shares += [("scores", "rejected", BASE, None, 1.0, 1), ("human", "chosen", HUMAN, 1.0, 1.0, 1)]
    shares += [("human", "rejected", A1, 0.75, 0.75, 1), ("human", "rejected", BASE, 0.25, 0.25, 0)]
    for pool, side, source, requested, expected, realised in shares:
        row = {"build_key": BUILD_KEY, "pool": pool, "side": side, "source_key": source.source_key}
        insert(transaction, "build_shares", row | {"requested": requested, "expected": expected, "realised": realised})
    insert(transaction, "minibatches", {"build_key": BUILD_KEY, "minibatch": 1, "n_prompts": 1, "n_pairs": 2})


def pair_row(pair: Drawn) -> dict[str, object]:
    return {
        "pair_key": pair.key,
        "build_key": BUILD_KEY,
        "prompt_key": pair.chosen.prompt_key,
        "chosen_key": pair.chosen.response_key,
        "rejected_key": pair.rejected.response_key,
        "chosen_source_key": pair.chosen_source.source_key,
        "rejected_source_key": pair.rejected_source.source_key,
        "pool": pair.pool,
        "round": 1,
        "chosen_score": 9.0 if pair is PAIRS[0] else None,
        "rejected_score": 3.0 if pair is PAIRS[0] else None,
        "split": "held_out" if pair.minibatch is None else "train",
        "minibatch": pair.minibatch,
    }


def add_feedback(transaction: Transaction) -> None:
    policy = {"artefact_key": POLICY_KEY, "kind": "policy", "name": "demo/1", "path": "stages/demo/1/policy"}
    insert(transaction, "artefacts", {**policy, "artefact_sha256": "cd" * 32, "parent_keys": []})
    stage = {"stage_key": STAGE_KEY, "build_key": BUILD_KEY, "minibatch": 1, "config": "{}", "status": "done"}
    stage["policy_artefact_key"] = POLICY_KEY
    insert(transaction, "stages", stage)
    for pair, epoch, is_clipped in ((PAIRS[0], 1, True), (PAIRS[0], 2, False), (PAIRS[1], 1, False)):
        row = {"stage_key": STAGE_KEY, "pair_key": pair.key, "epoch": epoch, "chosen_reward": 0.5}
        row |= {"rejected_reward": -0.5, "chosen_clipped": False, "rejected_clipped": is_clipped, "loss": 0.3}
        insert(transaction, "pair_feedback", row)


def by_type(records: list[Record]) -> dict[type[Record], list[Record]]:
    grouped: dict[type[Record], list[Record]] = {}
    for record in records:
        grouped.setdefault(type(record), []).append(record)
    return grouped


@pytest.fixture(scope="session")
def small_store(tmp_path_factory):
    store = Store.open(tmp_path_factory.mktemp("queries") / "small.duckdb", create=True)
    file_key = content_key("file", "answers.jsonl")
    runs = [
        Run("tso-data import", started_at=STARTED, versions="{}", nonce="1"),
        Run("tso-data build-pairs demo", started_at=STARTED.replace(hour=4), versions="{}", nonce="2", seed=43),
        Run("tso-train judge", TUNED_ON, started_at=STARTED.replace(hour=5), versions="{}", nonce="3", seed=43),
    ]
    with store.run(runs[0]) as run:
        with store.transaction(run, file_key=file_key) as transaction:
            add_file(transaction, run, file_key)
            transaction.append(by_type(material()))
        with store.transaction(run) as transaction:
            transaction.append(by_type(verdicts()))
            snapshot_seq = transaction.commit_seq
    with store.run(runs[1]) as run:
        with store.transaction(run) as transaction:
            add_builds(transaction, snapshot_seq)
        with store.transaction(run) as transaction:
            add_feedback(transaction)
            transaction.append({Response: [YES_BASE_LATE]})
    with store.run(runs[2]) as run, store.transaction(run) as transaction:
        judge = {"artefact_key": JUDGE_KEY, "kind": "judge", "name": "scores", "path": "judges/scores/policy"}
        insert(transaction, "artefacts", {**judge, "artefact_sha256": "ef" * 32, "parent_keys": [POLICY_KEY]})
    return store
