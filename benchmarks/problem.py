"""What every contender is given: the roles of the weighted draw, the seeds, and the race in plain and numpy integers.

The race is the store's (sql/schema/001_tables.sql): splitmix64 of an answer's key and a seed, made a uniform number u;
the smallest -ln(u)/w is drawn. Contenders may take it that a source with a role has answered once.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from benchmarks.material import BASE, SOURCES
from tsodata.draws import source_weights
from tsodata.matrix import ModelMatrix, Roster
from tsodata.provenance import stream_seed
from tsodata.recipes import PAPER_CHOSEN, SEED

if TYPE_CHECKING:
    from numpy.typing import NDArray

Keys: TypeAlias = "NDArray[np.uint64]"
Floats: TypeAlias = "NDArray[np.float64]"

POOL = "matrix"
SIDES = ("chosen", "rejected")
MATRIX = ModelMatrix.around(BASE, SOURCES)
BASE_KEY = MATRIX.base.source_key
ROSTER = Roster(tuple(SOURCES), MATRIX)
WEIGHTS = {
    side: {source.source_key: weight for source, weight in found.weights.items()}
    for side, found in (
        ("chosen", source_weights(PAPER_CHOSEN, ROSTER, side="chosen")),
        ("rejected", source_weights("uniform", ROSTER, side="rejected")),
    )
}
SEEDS = {side: stream_seed(SEED, POOL, side, 1) for side in SIDES}
END_SEEDS = {side: stream_seed(SEED, POOL, side) for side in SIDES}
MULTIPLIERS = (11400714819323198485, 13787848793156543929, 10723151780598845931)
_MASK = 2**64 - 1


def hash64(key: int, seed: int) -> int:
    """Return the hash of a key under a seed."""
    first, second, third = MULTIPLIERS
    z = (key * first + seed) & _MASK
    z = ((z ^ (z >> 30)) * second) & _MASK
    z = ((z ^ (z >> 27)) * third) & _MASK
    return z ^ (z >> 31)


def arrival(key: int, seed: int, weight: float) -> float:
    """Return when an answer arrives; the first is drawn."""
    return -math.log(((hash64(key, seed) >> 11) + 0.5) * 2**-53) / weight


def hashes64(keys: Keys, seed: int) -> Keys:
    """Return the hashes of keys under a seed."""
    first, second, third = (np.uint64(multiplier) for multiplier in MULTIPLIERS)
    z = keys * first + np.uint64(seed)
    z = (z ^ (z >> np.uint64(30))) * second
    z = (z ^ (z >> np.uint64(27))) * third
    return z ^ (z >> np.uint64(31))


def arrivals(keys: Keys, seed: int, weights: Floats) -> Floats:
    """Return when each answer arrives."""
    uniform: Floats = ((hashes64(keys, seed) >> np.uint64(11)).astype(np.float64) + 0.5) * 2**-53
    return -np.log(uniform) / weights


def checksum_of_keys(*columns: object) -> str:
    """Return the number of rows and the xor of each column of keys: what every contender has to agree on."""
    arrays = [np.asarray(column, dtype=np.uint64) for column in columns]
    return " ".join([str(len(arrays[0])), *(f"{int(np.bitwise_xor.reduce(array)):016x}" for array in arrays)])


def checksum_of_moments(skewness: object, kurtosis: object) -> str:
    """Return how many G1 and G2 there are, and their sums to six digits."""
    told = []
    for column in (skewness, kurtosis):
        values = np.asarray(column, dtype=np.float64)
        values = values[np.isfinite(values)]
        told.append(f"{len(values)} {math.fsum(values):.6g}")
    return " ".join(told)
