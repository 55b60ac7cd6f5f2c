"""How long work shows where it stands: a bar on a terminal, else a line now and then; always on stderr."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from .exits import narrate
from .legible import legible

if TYPE_CHECKING:
    from tsodata.runner import Progress

LINE_S = 10.0  # between two lines where nobody watches
_BAR_CHARS = 24


class Teller:
    """Shows the progress of one piece of work after the other."""

    def __init__(self) -> None:
        self._is_live = sys.stderr.isatty()
        self._told_at = time.monotonic()
        self._width = 0

    def __call__(self, what: str, progress: Progress) -> None:
        """Show where a piece of work stands."""
        line = progress_line(what, progress, bar=self._is_live)
        if self._is_live:
            shown = legible(line)
            print(f"\r{shown.ljust(self._width)}", end="", file=sys.stderr, flush=True)
            self._width = len(shown)
        elif time.monotonic() - self._told_at >= LINE_S:
            self._told_at = time.monotonic()
            narrate(line)

    def close(self) -> None:
        """Leave the bar as it is, and go on below it."""
        if self._width:
            print(file=sys.stderr, flush=True)
            self._width = 0


def progress_line(what: str, progress: Progress, *, bar: bool) -> str:
    """Return done, failed, in flight, tokens, rate and the time left, in one line."""
    n_ended = progress.n_done + progress.n_failed
    of = f"/{progress.n_total}" if progress.n_total is not None else ""
    parts = [f"{n_ended}{of}", f"{progress.n_failed} failed", f"{progress.n_in_flight} in flight"]
    parts += [f"{progress.n_tokens:,} tokens", f"{progress.per_s:.1f}/s"]
    if progress.eta_s is not None:
        parts.append(f"{_duration(progress.eta_s)} left")
    if progress.wait_s > 0:
        parts.append(f"waiting {progress.wait_s:.0f} s as asked")
    return f"{what} {_bar(n_ended, progress.n_total) if bar and progress.n_total else ''}{', '.join(parts)}"


def _bar(n: int, n_total: int) -> str:
    full = min(_BAR_CHARS, _BAR_CHARS * n // n_total)
    return f"[{'#' * full}{'.' * (_BAR_CHARS - full)}] "


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
