"""Stores broken by hand: each break is seen by the checks that must see it, and by no other."""

import pytest

ONE_PAIR = "(select min(pair_key) from pairs)"
ONE_PROMPT = "(select min(prompt_key) from pairs)"
OF_ONE_PAIR = f"from pairs where pair_key = {ONE_PAIR}"
# an answer that no pair has drawn
UNUSED = (
    "(select min(response_key) from responses where response_key not in "
    "(select chosen_key from pairs union select rejected_key from pairs))"
)
# the second pair of a prompt that has two
SECOND_PAIR = (
    "(prompt_key, round) = (select (prompt_key, max(round)) from pairs group by prompt_key having count(*) > 1 "
    "order by prompt_key limit 1)"
)
BREAKS = {
    "an answer's text": (
        [f"update responses set text = 'other words' where response_key = {UNUSED}"],
        {"changed-records": 1},
    ),
    "a prompt's words": (
        ["update prompts set text = 'other words' where prompt_key = (select min(prompt_key) from prompts)"],
        {"changed-records": 1},
    ),
    "a score": (
        ["update scores set value = 3.14159 where score_key = (select min(score_key) from scores)"],
        {"changed-records": 1},
    ),
    "a failure stored as a number": (
        ["update scores set value = -1 where score_key = (select min(score_key) from scores)"],
        {"changed-records": 1, "scores-out-of-scale": 1},
    ),
    "an answer removed": (
        [f"delete from responses where response_key = {UNUSED}"],
        {"commit-log": 1, "orphans": 2},  # its judgement and its score
    ),
    "a drawn answer removed": (
        ["delete from responses where response_key = (select min(chosen_key) from pairs where pool = 'self')"],
        {"commit-log": 1, "misplaced-sides": 1, "orphans": 2},
    ),
    "an answer added by hand": (
        [f"insert into responses select * replace (7 as response_key) from responses where response_key = {UNUSED}"],
        {"commit-log": 1, "changed-records": 1},
    ),
    "a batch stored twice": (
        ["insert into settings select * from settings"],
        {"commit-log": 1, "duplicate-keys": 1},
    ),
    "equal texts on both sides": (
        [
            f"update responses set text_key = 1 where response_key = (select min(chosen_key) {OF_ONE_PAIR})",
            f"update responses set text_key = 1 where response_key = (select min(rejected_key) {OF_ONE_PAIR})",
        ],
        {"changed-records": 2, "equal-sides": 1},
    ),
    "a side's source": (
        [f"update pairs set rejected_source_key = chosen_source_key where pair_key = {ONE_PAIR}"],
        {"misplaced-sides": 1, "build-counts": 2},  # one share has one pair less, another one that nobody asked for
    ),
    "a pair moved to another prompt": (
        [f"update pairs set prompt_key = (select max(prompt_key) from pairs) where pair_key = {ONE_PAIR}"],
        {"misplaced-sides": 2, "build-counts": 1, "split-prompts": 1},
    ),
    "a pair's key": (
        [f"update pairs set pair_key = 5 where pair_key = {ONE_PAIR}"],
        {"commit-log": 1, "pair-keys": 1, "build-counts": 1},
    ),
    "a prompt in two minibatches": (
        [f"update pairs set minibatch = minibatch % 3 + 1 where {SECOND_PAIR}"],
        {"split-prompts": 1, "build-counts": 3},  # one pair less in one; one prompt and one pair more in another
    ),
    "a prompt held out and trained on": (
        [f"update pairs set minibatch = null, split = 'held_out' where {SECOND_PAIR}"],
        {"split-prompts": 1, "build-counts": 1},
    ),
    "a build's number of pairs": (["update builds set n_pairs = n_pairs + 1"], {"build-counts": 1}),
    "a share": (
        ["update build_shares set realised = realised + 1 where pool = 'self' and side = 'chosen'"],
        {"build-counts": 1},
    ),
    "a prompt that gave pairs called skipped": (
        [f"update build_prompts set outcome = 'skipped', reason = 'tie' where prompt_key = {ONE_PROMPT}"],
        {"build-counts": 1},
    ),
    "a recipe": (["update recipes set body = '{}'"], {"changed-builds": 2}),
    "a build's seed": (["update builds set seed = 44"], {"changed-builds": 1}),
    "an import's sums": (
        ["update imports set n_failed = n_failed + 1 where format = 'records'"],
        {"import-sums": 1},
    ),
    "a refusal removed": (["delete from refusals"], {"import-sums": 1, "commit-log": 1}),
    "a commit removed": (
        ["delete from commits where commit_seq = 2"],
        {"commit-log": 1, "commits-without-run": 1, "import-sums": 1},
    ),
    "a run removed": (
        ["delete from runs where commit_seq = 1"],
        {"commit-log": 1, "commits-without-run": 4, "orphans": 4},
    ),
    "a view replaced": (
        ["create or replace view v_builds as select 'nothing' as build"],
        {"changed-schema": 1},
    ),
    "a column added": (["alter table scores add column mine integer"], {"changed-schema": 1}),
    "a macro replaced": (
        ["create or replace macro tso_race(id, seed, weight) as 1.0"],
        {"changed-schema": 1},
    ),
}


def test_the_sample_store_is_clean(found):
    assert found() == {}


@pytest.mark.parametrize("broken", BREAKS)
def test_a_store_broken_by_hand_is_told_by_the_checks_that_guard_against_it(by_hand, found, broken):
    statements, expected = BREAKS[broken]

    by_hand(*statements)

    assert found() == expected
