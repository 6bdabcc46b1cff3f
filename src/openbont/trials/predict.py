"""One published row -> what the model says, with its standard error within and between trials.

Every row is asked of the same people in seven trials: of usual potency, placebo response and
strictness, and of each one standard deviation higher and lower. What differs is the share of the
standard error that comes from the trial; the rest is that of a finite number of simulated people.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from openbont.catalog.designs import Pattern
from openbont.catalog.endpoints import Row
from openbont.catalog.evidence import parameter
from openbont.errors import NoEvidence
from openbont.trials.bench import inject
from openbont.trials.cohorts import USUAL, Entered, Variant
from openbont.trials.endings import adverse, responders, weeks_of_effect
from openbont.trials.given import Given, When
from openbont.trials.measures import Seen, Series, series

KINDS = (
    "mean_change",
    "mean_value",
    "median_change",
    "median_value",
    "diff_vs_placebo",
    "responder_percent",
    "ae_percent",
    "pct_change",
    "time_to_event",
    "auc",
)
_WEEKS = {"days": 1 / 7, "day": 1 / 7, "weeks": 1.0, "week": 1.0, "months": 4.348, "month": 4.348}
_IN_POINTS = ("mean_change", "mean_value", "median_change", "diff_vs_placebo", "pct_change", "auc")
_BOOTSTRAPS = 200
_FIRST_FALL = 0.1
"""Loss of CMAP that a group of people is first seen to have."""


@dataclass(frozen=True)
class Estimate:
    """A number in the unit of its row."""

    value: float
    se_within: float
    """Of a finite number of simulated people, and of grades where a median falls on one."""
    by_potency: float
    """What one SD of potency between trials adds."""
    by_placebo: float
    """What one SD of the placebo response between trials adds."""
    by_strictness: float
    """What one SD of strictness between trials adds."""
    sd: float
    """Between patients; for rows without a standard error of their own."""
    margin: float
    """Smallest difference that matters, for changes; 0 where none is known."""
    remark: str = ""

    @property
    def se_between(self) -> float:
        """Of potency, placebo response and strictness between trials."""
        return float(np.linalg.norm((self.by_potency, self.by_placebo, self.by_strictness)))


@dataclass(frozen=True, eq=False)
class Sample:
    """One number a person, and how a trial sums them up."""

    each: Float[np.ndarray, "person"]
    median: bool = False
    step: float = 0.0
    margin: float = 0.0
    active: Float[np.ndarray, "person"] | None = None
    """Of the active arm alone, where placebo was taken off."""

    @property
    def value(self) -> float:
        """Mean or median."""
        return float(np.nanmedian(self.each) if self.median else np.nanmean(self.each))


def estimate(row: Row, entered: Entered, given: Given, when: When) -> Estimate:
    """What the model says about a row. Raises NoEvidence where it says nothing."""
    if row.kind not in KINDS:
        raise NoEvidence(f"value_type {row.kind!r} is not a number that is predicted")
    usual = _sample(row, entered, given, when, USUAL)
    if not np.isfinite(usual.value):
        raise NoEvidence("nobody in the modelled arm has the effect that the row counts")
    least = parameter("validation.difference_sd").value * _difference(row, entered, given, when)
    potency, placebo, strictness = (_by(row, entered, given, when, way) for way in Variant._fields)
    sd = float(np.nanstd(usual.each if usual.active is None else usual.active))
    return Estimate(
        usual.value,
        _within(row, usual),
        potency if abs(potency) >= abs(least) else float(np.copysign(least, potency)),
        placebo,
        strictness,
        sd,
        usual.margin,
    )


def usual_value(row: Row, entered: Entered, given: Given, when: When) -> float:
    """What the model says of a trial of usual potency and placebo, without its error."""
    return _sample(row, entered, given, when, USUAL).value


def _difference(row: Row, entered: Entered, given: Given, when: When) -> float:
    """What the arm shows beyond placebo; 0 where the row counts no such thing."""
    if not given.dose_u or row.kind not in _IN_POINTS:
        return 0.0
    active, placebo = (_arm(row, Seen(entered, one, USUAL), when) for one in (given, given.placebo))
    found = active.value - placebo.value
    return found if np.isfinite(found) else 0.0


def _by(row: Row, entered: Entered, given: Given, when: When, way: str) -> float:
    """Half of what a trial one SD up and one SD down in one way differ by."""
    up, down = (
        _sample(row, entered, given, when, USUAL._replace(**{way: sign})).value for sign in (1, -1)
    )
    return 0.5 * (up - down) if np.isfinite(up - down) else 0.0


def _within(row: Row, sample: Sample) -> float:
    """Of simulated people: of a share by its counts, of a median by resampling."""
    each = sample.each[np.isfinite(sample.each)]
    count = max(len(each), 1)
    if sample.median:
        draw = np.random.default_rng(1).integers(0, count, (_BOOTSTRAPS, count))
        spread = float(np.median(each[draw], axis=1).std())
        return float(np.hypot(spread, sample.step / np.sqrt(12)))
    if row.kind in ("responder_percent", "ae_percent"):
        share = (each.sum() / 100 + 0.5) / (count + 1)
        return float(100 * np.sqrt(share * (1 - share) / count))
    return float(each.std() / np.sqrt(count))


def _sample(row: Row, entered: Entered, given: Given, when: When, variant: Variant) -> Sample:
    active = _arm(row, Seen(entered, given, variant), when)
    if row.kind != "diff_vs_placebo":
        return active
    placebo = _arm(row, Seen(entered, given.placebo, variant), when)
    return Sample(
        active.each - placebo.each, step=active.step, margin=active.margin, active=active.each
    )


def _arm(row: Row, seen: Seen, when: When) -> Sample:
    """What one arm shows of a row."""
    event = adverse(row, seen) if row.kind != "time_to_event" else None
    if event is not None:
        return Sample(event)
    if row.kind == "time_to_event":
        per_week = _per_week(row)
        mean = "median" not in row.endpoint.lower() and row.se_basis.startswith("sd/")
        return Sample(weeks_of_effect(row, seen) * per_week, median=not mean)
    weeks = when.weeks or tuple(seen.entered.weeks[seen.entered.weeks <= 26])
    if _counts(row):
        return Sample(responders(row, seen, weeks))
    found = series(row, seen, weeks)
    if row.measure == "fraction_of_peak":
        return _of_peak(row, seen, found)
    if row.kind == "auc" or row.rule == "auc":
        return Sample(_area(found, weeks))
    return _numbers(row, found, when)


def _counts(row: Row) -> bool:
    """Whether the row is a share of people."""
    difference = row.kind == "diff_vs_placebo" and row.unit in ("percent", "%")
    return row.kind == "responder_percent" or (difference and bool(row.rule))


def _numbers(row: Row, found: Series, when: When) -> Sample:
    """Changes, values and changes in per cent, at a visit or over visits."""
    value = found.value.min(1) if when.how == "peak" else found.value.mean(1)
    if row.kind in ("mean_value", "median_value"):
        return Sample(value, row.kind == "median_value", found.step, found.margin)
    change = found.sign * (value - found.entry)
    if row.kind.startswith("median") and found.whole:
        change, found = np.rint(change), replace(found, step=1.0)
    if row.kind == "pct_change":
        return Sample(100 * change / max(abs(float(found.entry.mean())), 1e-9))
    return Sample(change, row.kind == "median_change", found.step, found.margin)


def _of_peak(row: Row, seen: Seen, found: Series) -> Sample:
    """Mean improvement in per cent of the largest mean improvement."""
    weeks = tuple(seen.entered.weeks[seen.entered.weeks <= 26])
    whole = series(row, seen, weeks)
    largest = max(float((whole.entry[:, None] - whole.value).mean(0).max()), 1e-9)
    return Sample(100 * (found.entry - found.value.mean(1)) / largest)


def _area(found: Series, weeks: tuple[float, ...]) -> Float[np.ndarray, "person"]:
    """Change times weeks, under the curve."""
    change = found.value - found.entry[:, None]
    if len(weeks) == 1:
        return change[:, 0] * weeks[0]
    return np.asarray(np.trapezoid(change, weeks, axis=1))


def _per_week(row: Row) -> float:
    """Units of the row's time in a week. Raises NoEvidence."""
    unit = row.unit.lower() or "weeks"
    if unit not in _WEEKS:
        raise NoEvidence(f"a time in {row.unit!r} is not read")
    return 1 / _WEEKS[unit]


def on_bench(row: Row, pattern: Pattern, given: Given, when: When) -> Estimate:
    """A healthy foot muscle: parameters at their reference values, potency a trial's SD off."""
    if row.measure != "cmap":
        raise NoEvidence(f"measure {row.measure!r} is not read on the bench")
    sd = parameter("trials.potency_sd").value
    middle, high, low = (
        _bench_value(row, pattern, given, when, factor) for factor in (1.0, np.exp(sd), np.exp(-sd))
    )
    spread = _BENCH_SD * abs(middle)
    return Estimate(middle, 0.0, 0.5 * (high - low), 0.0, 0.0, spread, 0.0)


_BENCH_SD = 0.3  # between people, as a share; assumed where a row gives none


def _bench_value(row: Row, pattern: Pattern, given: Given, when: When, potency: float) -> float:
    part = pattern.parts[0]
    if not given.dose_u:
        return 0.0
    days = np.arange(0, 120, 0.05)
    run = inject(part.structure, given.dose_u * potency, product=given.product, days=days)
    if row.kind == "time_to_event":
        first = float(days[np.argmax(run.cmap >= _FIRST_FALL)])
        hours = row.unit.lower().startswith("hour")
        return 24 * first if hours else first / 7 * _per_week(row)
    if when.how == "peak":
        return -100 * float(run.cmap.max())
    return -100 * float(np.mean([run.at(7 * week) for week in when.weeks]))


def typical_n(row: Row, trial: Sequence[Row]) -> tuple[float, str]:
    """Patients of the row, of other arms of its trial, or a usual number, in words."""
    if row.n:
        return row.n, ""
    others = [one.n for one in trial if one.n]
    if others:
        return float(np.median(others)), "n of the trial's other arms"
    return 50.0, "n of 50 assumed"


def observed_error(row: Row, found: Estimate, trial: Sequence[Row]) -> tuple[float, str]:
    """Standard error of the observed value and where it is from."""
    if row.se is not None and row.se > 0:
        return row.se, row.se_basis or "file"
    assert row.observed is not None
    count, said = typical_n(row, trial)
    if row.kind in ("responder_percent", "ae_percent") or _counts(row):
        share = (np.clip(row.observed, 0, 100) / 100 * count + 0.5) / (count + 1)
        return float(100 * np.sqrt(share * (1 - share) / count)), f"binomial; {said}".strip("; ")
    sd = found.sd or row.baseline_sd or 0.3 * abs(row.observed) or 1.0
    factor = 1.2533 if row.kind == "time_to_event" or row.kind.startswith("median") else 1.0
    both = np.sqrt(2.0) if row.kind == "diff_vs_placebo" else 1.0
    words = "SD between modelled patients" if found.sd else "SD assumed"
    return float(factor * both * sd / np.sqrt(count)), f"{words}; {said}".strip("; ")
