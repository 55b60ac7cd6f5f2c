"""What training can refuse, as branches of the one tree of errors.

TsoError
├── DataError
│   └── TrainError    exit 1   the pairs, the policy or the disk cannot be used as asked
└── DivergedError     exit 4   the loss or its gradient is no number, or exploded
"""

from __future__ import annotations

from tsodata.errors import DataError, TsoError


class TrainError(DataError):
    """The pairs, the policy or the disk cannot be used as asked."""


class DivergedError(TsoError):
    """Training has diverged; the message names the last good checkpoint."""
