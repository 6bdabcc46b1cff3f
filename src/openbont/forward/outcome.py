"""A course -> onset, peak, weeks of benefit, goals reached, what gets weaker, when again.

Every duration carries the sentence that defines it: a duration without its definition means
nothing (loss against baseline, against the own peak, and return to baseline differ by months).
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Band:
    """Median and central 90 % of the draws."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Duration:
    """A length of time with the sentence that defines it."""

    weeks: Band
    definition: str


@dataclass(frozen=True)
class GoalOutcome:
    """One goal over the course."""

    words: str
    scale: str
    where: str
    target: float
    unit: str
    baseline: Band
    best: Band
    best_week: float
    """Week of the best median reading."""
    reached: float
    """Share of draws that reach the goal at some week."""
    reached_untreated: float
    """The same without toxin: natural course, placebo, regression to the mean."""
    benefit: Duration
    weight: float


@dataclass(frozen=True)
class Unwanted:
    """A function that the same toxin weakens."""

    words: str
    where: str
    kept: Band
    """Share of present strength at the worst moment."""
    worst_week: float
    floor: float | None
    """What the patient asked to keep, if anything."""
    below_floor: float | None
    """Share of draws that fall below the floor."""


@dataclass(frozen=True)
class Outcome:
    """What a plan is expected to do to one patient."""

    onset_day: Duration
    peak_week: Duration
    goals: tuple[GoalOutcome, ...]
    unwanted: tuple[Unwanted, ...]
    distant_jitter: Band
    """Single-fibre jitter far from the needle, relative to before."""
    review: date
    """Visit near the peak."""
    next_date: date
    """Earliest sensible next session."""
    next_reason: str
    draws: int
