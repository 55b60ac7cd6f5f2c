"""Builds: pairs as a pure function of (snapshot, recipe, seed), from the plan to what is stored and found again."""

from tsodata.builds.building import build_pairs
from tsodata.builds.found import Build, Share, find_build

__all__ = ["Build", "Share", "build_pairs", "find_build"]
