"""How a run that ended early is told: each ending but a spent budget is an error, with the way out."""

from __future__ import annotations

from tsodata.errors import EndpointError, ParkedError
from tsodata.runner.sums import Ending, Sums


def raise_ending(sums: Sums) -> None:
    """Raise what ended a run before its time; a run that is done, or stopped by its budget, is none of these.

    Raises:
        KeyboardInterrupt: somebody stopped it.
        ParkedError: the endpoint asks for a longer wait than was allowed.
        EndpointError: the endpoint refuses the key, or the first requests were all bad.
    """
    match sums.ending:
        case Ending.INTERRUPTED:
            raise KeyboardInterrupt
        case Ending.PARKED:
            when = f"{sums.resume_at:%Y-%m-%d %H:%M:%S} UTC" if sums.resume_at else "later"
            raise ParkedError(
                f"the endpoint asks to be left alone for longer than --max-wait ({sums.detail}); what was answered is "
                f"kept, and the same command goes on from {when}"
            )
        case Ending.UNAUTHORISED:
            raise EndpointError(
                f"the endpoint refuses the key ({sums.detail}); set another ($OPENAI_API_KEY, --key-env)"
            )
        case Ending.UNUSABLE:
            raise EndpointError(f"the endpoint refuses every request ({sums.detail}); look at --model and the sampling")
