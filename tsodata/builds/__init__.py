"""Builds: pairs as a pure function of (snapshot, recipe, seed), from the plan to what is stored, found and compared."""

from tsodata.builds.building import build_pairs
from tsodata.builds.comparing import BuildDiff, diff_builds
from tsodata.builds.found import Build, Share, StratumShare, find_build
from tsodata.builds.rebuilding import Verification, rebuild, verify_build
from tsodata.builds.shortfall import Shortfall

__all__ = [
    "Build",
    "BuildDiff",
    "Share",
    "Shortfall",
    "StratumShare",
    "Verification",
    "build_pairs",
    "diff_builds",
    "find_build",
    "rebuild",
    "verify_build",
]
