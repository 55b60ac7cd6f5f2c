"""From a policy over two builds back to the base: whose answers its pairs hold, and what each build had seen."""

import pytest

from tsodata.errors import QueryError
from tsodata.provenance import Run
from tsodata.records import Settings

from .conftest import (
    A1,
    HELP,
    HUMAN,
    LLAMA,
    LLAMA_HUMAN,
    answer,
    by_type,
    corrected,
    insert,
    scored,
)

FIRST, SECOND = Settings.of({"revision": "11" * 32}), Settings.of({"revision": "22" * 32})
SAID = answer(LLAMA, A1, "A llama.", settings_key=FIRST.settings_key)
BUILDS = {"one": 1, "one@2": 2}


def add_build(transaction, name, chosen, rejected, snapshot_seq):
    key = BUILDS[name]
    row = {"build_key": key, "name": name, "recipe_key": 5, "resolved": "{}", "base": "a/v1/7", "seed": 43}
    row |= {"snapshot_key": 6, "snapshot_seq": snapshot_seq, "n_prompts": 1, "n_pairs": 1, "pairs_xor": 0}
    insert(transaction, "builds", row)
    sides = {"chosen_key": chosen.response_key, "rejected_key": rejected.response_key}
    sides |= {"chosen_source_key": chosen.source_key, "rejected_source_key": rejected.source_key}
    pair = {"pair_key": key, "build_key": key, "prompt_key": LLAMA.prompt_key, "pool": "self", "round": 1}
    insert(transaction, "pairs", pair | sides | {"split": "train", "minibatch": 1})


def add_stage(transaction, name, settings):
    key = BUILDS[name]
    policy = {"artefact_key": 10 + key, "kind": "policy", "name": f"{name}/1", "path": "p", "parent_keys": [9 + key]}
    sha256 = {1: "11" * 32, 2: "22" * 32}[key]
    insert(transaction, "artefacts", policy | {"artefact_sha256": sha256, "source_key": A1.source_key})
    stage = {"stage_key": 20 + key, "build_key": key, "minibatch": 1, "config": settings, "status": "done"}
    insert(transaction, "stages", stage | {"policy_artefact_key": 10 + key})
    seen = {"chosen_reward": 0.25 * key, "rejected_reward": -0.5 * key, "chosen_clipped": False}
    seen |= {"stage_key": 20 + key, "pair_key": key, "rejected_clipped": True, "loss": 0.5}
    insert(transaction, "pair_feedback", seen | {"epoch": 2}, seen | {"epoch": 1, "chosen_reward": 9.0})


@pytest.fixture
def looped(store):
    """Return a store in which one/1 answered, one/2's build had that answer again, corrected by a person meanwhile."""
    with store.run(Run("test")) as run:
        with store.transaction(run) as transaction:
            records = [A1, HUMAN, LLAMA, HELP, FIRST, SECOND, SAID, LLAMA_HUMAN, *scored("j", HELP, 4.0, SAID)]
            transaction.append(by_type(records))
            before = transaction.commit_seq
        with store.transaction(run) as transaction:
            base = {"artefact_key": 10, "kind": "policy", "name": "base", "path": "p", "parent_keys": []}
            insert(transaction, "artefacts", base | {"artefact_sha256": "00" * 32})
            add_build(transaction, "one", LLAMA_HUMAN, SAID, before)
            add_stage(transaction, "one", "{}")
        with store.transaction(run) as transaction:
            transaction.append(by_type([corrected(SAID, 2.0, "it says nothing")]))
            call = {"call_key": 1, "request_key": 1, "task": "generate", "engine": "e", "model": "m", "attempt": 1}
            call |= {"prompt_key": LLAMA.prompt_key, "response_key": SAID.response_key}
            insert(transaction, "calls", call | {"settings_key": SECOND.settings_key})
            after = transaction.commit_seq
        with store.transaction(run) as transaction:
            add_build(transaction, "one@2", LLAMA_HUMAN, SAID, after)
            add_stage(transaction, "one@2", "{}")
    return store


def test_the_way_goes_from_the_last_policy_through_both_builds_to_words_and_persons(looped):
    columns = ("steps_back", "build", "side", "source", "given_by", "reward", "judge", "value", "reason", "raw")

    rows = looped.query("policy-evidence", policy="one@2/1").select(columns).rows()

    assert rows == [
        (1, "one@2", "chosen", "human", None, 0.5, None, None, None, None),
        (1, "one@2", "rejected", "a/v1/7", "one/1, one@2/1", -1.0, "ann", 2.0, "it says nothing", None),
        (1, "one@2", "rejected", "a/v1/7", "one/1, one@2/1", -1.0, "j", 4.0, None, "Rating: [[4.0]]"),
        (2, "one", "chosen", "human", None, 0.25, None, None, None, None),
        (2, "one", "rejected", "a/v1/7", "one/1", -0.5, "j", 4.0, None, "Rating: [[4.0]]"),
    ]
    assert looped.query("policy-evidence", policy="base").is_empty()


def test_a_name_that_two_policies_go_by_is_refused(looped):
    with looped.run(Run("test")) as run, looped.transaction(run) as transaction:
        other = {"artefact_key": 30, "kind": "policy", "name": "one/1", "path": "p", "parent_keys": []}
        insert(transaction, "artefacts", other | {"artefact_sha256": "33" * 32})

    with pytest.raises(QueryError, match="2 policies one/1; name one by its id, from the view v_policies"):
        looped.query("policy-evidence", policy="one/1")
