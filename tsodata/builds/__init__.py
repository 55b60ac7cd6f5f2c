"""Builds: pairs as a pure function of (snapshot, recipe, seed), from the plan to what is stored and found again."""

from tsodata.builds.building import build_pairs
from tsodata.builds.found import Build, Share, StratumShare, find_build
from tsodata.builds.shortfall import Shortfall

__all__ = ["Build", "Share", "Shortfall", "StratumShare", "build_pairs", "find_build"]
