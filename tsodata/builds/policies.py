"""Which of the base's answers a policy gave: the policies that the pools of a recipe name, found in the store.

A policy is known by the hash of its weights, whatever names it goes by. An answer is its own where the
settings of the answer, or of a call that came to the same words, have this hash as the model's revision.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tsodata.errors import RecipeError, UnknownNameError
from tsodata.recipes import Recipe
from tsodata.store import Reader

_N_TOLD = 6


class GivenBy(NamedTuple):
    """A policy by the hash of its weights, and the base's answers that it gave: how many, and the xor of their keys.

    What settings and calls tell of an answer no snapshot covers, so the plan itself has to say which answers these are.
    """

    sha256: str
    n_answers: int
    answers: str


def find_policies(reader: Reader, recipe: Recipe, base: str, *, snapshot_seq: int) -> dict[str, GivenBy]:
    """Return the policy of each pool that names one, as of a commit.

    Raises:
        RecipeError: no base is named whose answers it could have given, or the name stands for several weights.
        UnknownNameError: there is no such policy.
    """
    named = {name: pool.policy for name, pool in sorted(recipe.pools.items()) if pool.policy}
    if not named:
        return {}
    if not base:
        pool, policy = next(iter(named.items()))
        raise RecipeError(f"pool {pool} is for the base's answers of policy {policy!r}: name the base with --base")
    hashes = {pool: _find(reader, policy, snapshot_seq) for pool, policy in named.items()}
    keep_given(reader, hashes, base, snapshot_seq=snapshot_seq)
    counted = {str(pool): (int(n), f"{xor:016x}") for pool, n, xor in reader.rows("pairs/n_given")}
    return {pool: GivenBy(sha256, *counted.get(pool, (0, f"{0:016x}"))) for pool, sha256 in hashes.items()}


def keep_given(reader: Reader, policies: Mapping[str, str], base: str, *, snapshot_seq: int) -> None:
    """Keep the base's answers that the policies of pools gave as `given`, and its others as `set_aside`."""
    pools, hashes = list(policies), list(policies.values())
    reader.keep("given", "pairs/given", pools=pools, hashes=hashes, base=base, snapshot_seq=snapshot_seq)
    reader.keep("set_aside", "pairs/set_aside", pools=pools, base=base, snapshot_seq=snapshot_seq)


def _find(reader: Reader, policy: str, snapshot_seq: int) -> str:
    found = [
        (str(sha256), str(told))
        for sha256, told in reader.rows("pairs/policies", policy=policy, snapshot_seq=snapshot_seq)
    ]
    if len(found) == 1:
        return found[0][0]
    if found:
        several = ", ".join(told for _, told in found[:_N_TOLD])
        raise RecipeError(f"policy {policy!r} stands for {len(found)} weights: name one by its id ({several})")
    names = [str(row[0]) for row in reader.rows("pairs/policy_names", snapshot_seq=snapshot_seq)]
    known = ", ".join(names[:_N_TOLD]) or "none; tso-train stage registers one"
    raise UnknownNameError(f"no policy {policy!r}; the latest of the store are: {known}")
