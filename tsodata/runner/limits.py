"""How hard a run may press, how long it may wait, and what it may cost."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tsodata.errors import UsageError

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Prices:
    """What a model costs, in US dollars per million tokens."""

    prompt: float
    completion: float

    def usd(self, n_prompt_tokens: int, n_completion_tokens: int) -> float:
        """Return the price of that many tokens, in US dollars."""
        return (n_prompt_tokens * self.prompt + n_completion_tokens * self.completion) / _MILLION


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of a run. `concurrency` is the most calls at once; the engine may bound it further.

    `max_attempts` counts what a request may be tried where the fault may be its own: not rate limits, which are
    waited for. A wait longer than `max_wait_s` parks the run. Budgets are of this run, in tokens (prompts and answers)
    and US dollars.

    Raises:
        UsageError: a budget in dollars without prices, or a bound below 1.
    """

    concurrency: int = 32
    max_attempts: int = 4
    max_wait_s: float = 120.0
    budget_tokens: int | None = None
    budget_usd: float | None = None
    prices: Prices | None = None

    def __post_init__(self) -> None:
        if self.budget_usd is not None and self.prices is None:
            raise UsageError("a budget in dollars needs the model's prices; pass --price TABLE.toml")
        if self.concurrency < 1 or self.max_attempts < 1:
            raise UsageError("at least one call at a time, and one attempt")

    @property
    def has_budget(self) -> bool:
        """Return whether tokens or dollars are bounded."""
        return self.budget_tokens is not None or self.budget_usd is not None

    def less(self, n_tokens: int, usd: float) -> Limits:
        """Return what is left of these limits once so much has been used."""
        tokens = None if self.budget_tokens is None else max(0, self.budget_tokens - n_tokens)
        dollars = None if self.budget_usd is None else max(0.0, self.budget_usd - usd)
        return replace(self, budget_tokens=tokens, budget_usd=dollars)
