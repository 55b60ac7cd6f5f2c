"""What must hold in every store, and the rows that break it."""

from tsodata.checks.check import Check, Finding
from tsodata.checks.running import CheckReport, check_store, every_check

__all__ = ["Check", "CheckReport", "Finding", "check_store", "every_check"]
