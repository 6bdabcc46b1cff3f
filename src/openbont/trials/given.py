"""What a published row says was given and when it was read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from openbont.catalog.designs import Pattern
from openbont.catalog.endpoints import Row
from openbont.errors import NoEvidence

VISITS = (2.0, 4.0, 8.0, 12.0)
"""Where a row asks for the mean of visits and does not name them."""
USUAL_WEEK = {"migraine": 24.0, "headache": 24.0, "bladder": 12.0, "facial_lines": 4.3}
"""Where a row names no week: that of the primary endpoint; 4 elsewhere."""
_WEEKS_PER_MONTH = 365.25 / 12 / 7
_LAST_WEEK = 208.0
_AFTER_LAST = 5.0  # weeks from the last session to a final visit
_BLINDED_CYCLES = 2  # before all are given toxin, where an arm says no more
_OPEN = re.compile(r"open.?label|registry|uncontrolled|observational|single.arm|completers")
_CYCLES = re.compile(r"(\d+) (?:cycles|treatments|sessions)")
_CROSSED = re.compile(
    r"(?:placebo|pbo)\s*(?:\((\d+)\))?\s*(?:/|->|then|to)\s*\w*(?:ona|abo|inco|tox)"
)
_PER = {
    "": 1.0,
    "u": 1.0,
    "u_total": 1.0,
    "u_per_leg": 1.0,
    "u_per_arm": 1.0,
    "u_per_limb": 1.0,
    "u_total_both_axillae": 1.0,
    "u_total_both_eyes": 1.0,
    "u_total_both_eyes_mean": 1.0,
    "u_per_axilla": 2.0,
    "u_per_palm": 2.0,
    "u_per_hand": 2.0,
    "u_per_eye": 2.0,
    "u_per_side": 2.0,
}


@dataclass(frozen=True)
class Given:
    """One arm: whole dose of a session, sessions, whether all knew."""

    product: str
    dose_u: float
    weeks: tuple[float, ...] = (0.0,)
    placebo_weeks: tuple[float, ...] = ()
    open_label: bool = False

    @property
    def placebo(self) -> "Given":
        """The same sessions without toxin, nobody knowing."""
        return Given(self.product, 0.0, self.weeks)


@dataclass(frozen=True)
class When:
    """Weeks of one row: at one visit, the mean of several, or a whole course."""

    weeks: tuple[float, ...]
    how: str = "at"
    """at, mean, range, peak or course."""
    remark: str = ""


def given(row: Row, pattern: Pattern, trial: Sequence[Row], when: When) -> Given:
    """What the arm of a row is given. Raises NoEvidence where it does not say."""
    weeks = _sessions(row, pattern, when, trial)
    if row.placebo:
        return Given(_any_product(row, pattern, trial), 0.0, weeks, open_label=False)
    product = row.product or _one_product(trial)
    if product is None:
        raise NoEvidence(f"no single product is named (product {row.brand!r})")
    dose_u = whole_dose_u(row, pattern)
    crossed = _CROSSED.search(row.words)
    blinded = int(crossed.group(1) or _BLINDED_CYCLES) if crossed else 0
    told = bool(_OPEN.search(row.words))
    return Given(product, dose_u, weeks, weeks[:blinded], told)


def whole_dose_u(row: Row, pattern: Pattern) -> float:
    """Units of one session. Raises NoEvidence for a dose that is not a number of units."""
    dose = row.dose
    if dose is None:
        found = re.search(r"(\d+(?:\.\d+)?)\s*U\b", row.arm)
        dose = float(found.group(1)) if found else None
    if dose is None or dose <= 0:
        raise NoEvidence("the row gives no single dose")
    unit = row.dose_unit.strip().lower().replace("/", "_per_").replace(" ", "_")
    if unit.startswith("u_per_kg"):
        return _by_weight(row, pattern, dose)
    if unit == "u_per_site":
        return dose * sum(part.sites for part in pattern.parts)
    if unit not in _PER:
        raise NoEvidence(f"dose unit {row.dose_unit!r} is not known: {', '.join(_PER)}")
    return dose * _PER[unit]


def _by_weight(row: Row, pattern: Pattern, dose_u_per_kg: float) -> float:
    """By the weight of the pattern's patient, below a most that the arm names."""
    most = re.search(r"max\D{0,6}(\d+)", row.words)
    whole_u = dose_u_per_kg * pattern.patient.weight_kg
    return min(whole_u, float(most.group(1))) if most else whole_u


def _one_product(trial: Sequence[Row]) -> str | None:
    """The product of a trial that names only one."""
    named = {row.product for row in trial} - {None}
    return named.pop() if len(named) == 1 else None


def _any_product(row: Row, pattern: Pattern, trial: Sequence[Row]) -> str:
    """A placebo is diluted like the product that it stands for; it holds none."""
    product = row.product or next((one.product for one in trial if one.product), None)
    known = pattern.dilution_u_per_ml
    if product is None or (known and product not in known):
        return next(iter(known), "onabotulinumtoxinA")
    return product


def _sessions(row: Row, pattern: Pattern, when: When, trial: Sequence[Row]) -> tuple[float, ...]:
    """Weeks of injection; one session where a duration is asked for.

    As many as the longest arm of the trial needs: what is given later changes no earlier reading,
    and rows of one arm then share one course.
    """
    if when.how == "course":
        return (0.0,)
    cycles = _CYCLES.search(f"{row.words} {row.week}")
    every = pattern.interval_weeks
    if every is None:
        return tuple(12.0 * n for n in range(int(cycles.group(1)) if cycles else 1))
    last = max([max(when.weeks, default=0.0), *(_last(one) for one in trial)])
    return tuple(float(week) for week in np.arange(0.0, max(last, every / 2), every))


def _last(row: Row) -> float:
    """The last week that a row is read in; 0 where it cannot be told."""
    try:
        return max(when(row).weeks, default=0.0)
    except NoEvidence:
        return 0.0


def when(row: Row) -> When:
    """The weeks of a row, from numbers or words. Raises NoEvidence beyond four years."""
    found = _when(row)
    if found.weeks and not 0 <= max(found.weeks) <= _LAST_WEEK:
        raise NoEvidence(f"week {row.week!r} does not lie between 0 and {_LAST_WEEK:g}")
    return found


def _when(row: Row) -> When:
    text = row.week.strip().lower()
    if row.kind == "time_to_event":
        return When((), "course")
    if text == "peak" or "peak" in text:
        return When((), "peak")
    if found := _CYCLES.search(text):
        return When((12.0 * (int(found.group(1)) - 1) + _AFTER_LAST,))
    if "mean" in text or "average" in text:
        numbers = _weeks(text)
        return When(tuple(numbers) or VISITS, "mean")
    if found := re.fullmatch(r"\D*(\d+(?:\.\d+)?)\s*(?:-|–|to)\s*(\d+(?:\.\d+)?)\D*", text):
        low, high = (_unit_weeks(text) * float(end) for end in found.groups())
        return When(tuple(np.linspace(low, high, 13)), "range")
    numbers = _weeks(text)
    if len(numbers) > 1:
        return When(tuple(numbers), "mean")
    if numbers:
        return When((numbers[0],))
    return _assumed(row)


def _assumed(row: Row) -> When:
    """From the endpoint's words, else the usual week of the disorder, with a remark."""
    found = re.search(r"(day|week|wk|month)s?\s*(\d+(?:\.\d+)?)", row.words)
    if found:
        return When((_unit_weeks(found.group(1)) * float(found.group(2)),))
    week = USUAL_WEEK.get(row.disorder.split(".")[0], 4.0)
    return When((week,), remark=f"no week given: week {week:g} assumed")


def _weeks(text: str) -> list[float]:
    factor = _unit_weeks(text)
    return [factor * float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)]


def _unit_weeks(text: str) -> float:
    """Weeks in the unit of time that a text names; weeks where it names none."""
    if "day" in text or re.search(r"\dd\b", text):
        return 1 / 7
    return _WEEKS_PER_MONTH if "month" in text else 1.0
