"""A course -> onset, peak, weeks of benefit, goals reached, what gets weaker, when again.

Every duration carries the sentence that defines it: a duration without its definition means
nothing (loss against baseline, against the own peak, and return to baseline differ by months).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np

from openbont.errors import BadInput, UnknownName
from openbont.forward.chain import Course
from openbont.forward.disorders.interface import Measure
from openbont.forward.scales import read
from openbont.patient import Goal, Patient
from openbont.plan import Plan


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
class Onset:
    """A day with the sentence that defines it."""

    day: Band
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
    """Share of draws whose reading in the best week, rater and diary included, is at the target."""
    reached_untreated: float
    """The same without toxin: natural course, placebo, regression to the mean."""
    benefit: Duration
    """At or beyond the target."""
    gain: Duration
    """Noticeably better than without toxin."""
    weight: float
    better: Literal["lower", "higher"] = "lower"


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
class Rise:
    """A reading that toxin makes worse, such as residual urine."""

    words: str
    scale: str
    unit: str
    untreated: Band
    worst: Band
    worst_week: float


@dataclass(frozen=True)
class Outcome:
    """What a plan is expected to do to one patient."""

    onset_day: Onset
    peak_week: Duration
    goals: tuple[GoalOutcome, ...]
    unwanted: tuple[Unwanted, ...]
    rises: tuple[Rise, ...]
    distant_jitter: Band
    """Single-fibre jitter far from the needle, relative to before."""
    review: date
    """Visit near the peak."""
    next_date: date
    """Earliest sensible next session."""
    next_reason: str
    draws: int


_BLOCK = 0.10
_RISE = 0.10
_REVIEW_WEEKS = 5
_KEPT = ("strength", "eyelid_closure", "lid_height")
"""Scales that a function to keep is read on."""


def outcome(
    course: Course,
    untreated: Course,
    plan: Plan,
    patient: Patient,
    interval_weeks: float = 12.0,
) -> Outcome:
    """What `course` means for this patient's goals, against the same draws without toxin.

    `interval_weeks` is the shortest interval that the label allows. Raises UnknownName for a goal
    whose measure the disorder does not predict.
    """
    goals = tuple(_goal(goal, course, untreated, patient) for goal in patient.goals)
    next_date, reason = _next(goals, plan, interval_weeks)
    doing = _injected(course, plan)
    last = plan.date_of(plan.sessions[-1])
    return Outcome(
        onset_day=Onset(
            _band(_first_day(doing <= 1 - _BLOCK, course.day)),
            "first day on which what is injected does 10 % less than on day 0 (muscle: answer to a "
            "single impulse; gland or bladder wall: release)",
        ),
        peak_week=Duration(
            _band(course.day[doing.argmin(1)] / 7),
            "week in which what is injected does least, counted from the plan's date",
        ),
        goals=goals,
        unwanted=_unwanted(course, patient),
        rises=_rises(course, untreated, patient),
        distant_jitter=_band(course.response.jitter.max(1)),
        review=last + timedelta(weeks=_REVIEW_WEEKS),
        next_date=next_date,
        next_reason=reason,
        draws=len(course.severity),
    )


def measure_of(course: Course, goal: Goal) -> Measure:
    """The measure that a goal speaks of. Raises UnknownName for one that is not predicted."""
    for measure in course.measures:
        if (measure.scale, measure.where) == (goal.scale, goal.where):
            return measure
    asked = f"{goal.scale} {goal.where}".strip()
    predicted = [f"{measure.scale} {measure.where}".strip() for measure in course.measures]
    raise UnknownName("goals", "predicted reading", asked, predicted)


def target_of(goal: Goal, measure: Measure, patient: Patient) -> float:
    """The reading that a goal asks for; a fall in per cent starts from the recorded reading.

    Raises BadInput when there is no such reading, or when the goal asks for the worse direction.
    """
    if (goal.at_least is not None) != (measure.better == "higher"):
        right = "at_least" if measure.better == "higher" else "at_most or fall_percent"
        mistake = f"{goal.scale} is better when {measure.better}"
        raise BadInput("goals", mistake, f"write {right}")
    if (wanted := goal.at_most if goal.at_least is None else goal.at_least) is not None:
        return measure.number(wanted)
    for reading in patient.findings:
        if (reading.scale, reading.where) == (goal.scale, goal.where):
            return measure.number(reading.value) * (1 - (goal.fall_percent or 0) / 100)
    raise BadInput("goals", f"{goal.scale} has no reading to fall from", "add it to findings")


def _goal(goal: Goal, course: Course, untreated: Course, patient: Patient) -> GoalOutcome:
    measure = measure_of(course, goal)
    treated, without = (c.of(goal.scale, goal.where) for c in (course, untreated))
    target = target_of(goal, measure, patient)
    sign = direction(measure)
    best = int((sign * np.median(treated, axis=0)).argmin())
    edge = "at or below" if sign > 0 else "at or above"
    followed = f"within {course.day[-1] / 7:.0f} weeks"
    return GoalOutcome(
        words=goal.words or f"{measure.words} {_asked(goal)}",
        scale=goal.scale,
        where=goal.where,
        target=target,
        unit=measure.unit,
        baseline=_band(without[:, np.searchsorted(course.day, 0.0)]),
        best=_band(treated[:, best]),
        best_week=float(course.day[best] / 7),
        reached=_reading_share(treated[:, best], measure, target),
        reached_untreated=_reading_share(without[:, best], measure, target),
        benefit=Duration(
            _band(_weeks(sign * treated <= sign * measure.reads_as(target), course.day)),
            f"weeks with {measure.words} read {edge} {target:.3g} {measure.unit}, {followed}",
        ),
        gain=Duration(
            _band(_weeks(sign * (without - treated) >= max(measure.margin, 1e-9), course.day)),
            f"weeks with {measure.words} at least {measure.margin:g} {measure.unit} "
            f"better than the same course without toxin, {followed}",
        ),
        weight=goal.weight,
        better=measure.better,
    )


def direction(measure: Measure) -> int:
    """1 where a lower reading is better, -1 where a higher one is."""
    return 1 if measure.better == "lower" else -1


def _reading_share(severity: np.ndarray, measure: Measure, target: float) -> float:
    """Share of draws in which the reading, with its noise, is at the target or better."""
    sign = direction(measure)
    return float((sign * read(severity[:, None], measure, seed=1) <= sign * target + 1e-9).mean())


def _asked(goal: Goal) -> str:
    if goal.at_most is not None:
        return f"at most {goal.at_most}"
    if goal.at_least is not None:
        return f"at least {goal.at_least}"
    return f"down by {goal.fall_percent:g} %"


def _unwanted(course: Course, patient: Patient) -> tuple[Unwanted, ...]:
    """Functions that lose at least 1 % in the median, and those the patient asked to keep."""
    floors = {keep.function: keep.at_least for keep in patient.keep}
    found = []
    for number, measure in enumerate(course.measures):
        if measure.better == "lower" or measure.low < 0:  # no share of an angle
            continue
        values = course.severity[:, :, number]
        kept = values / values[:, [np.searchsorted(course.day, 0.0)]]
        worst = int(np.median(kept, axis=0).argmin())
        floor = floors.get(measure.where) if measure.scale in _KEPT else None
        if floor is None and np.median(kept[:, worst]) > 0.99:
            continue
        found.append(
            Unwanted(
                words=measure.words,
                where=measure.where,
                kept=_band(kept.min(1)),
                worst_week=float(course.day[worst] / 7),
                floor=floor,
                below_floor=None if floor is None else float((kept.min(1) < floor).mean()),
            )
        )
    return tuple(found)


def _rises(course: Course, untreated: Course, patient: Patient) -> tuple[Rise, ...]:
    """Readings that should be low, are no goal, and rise by a tenth or more in the median."""
    aims = {(goal.scale, goal.where) for goal in patient.goals}
    found = []
    for measure in course.measures:
        if measure.better == "higher" or (measure.scale, measure.where) in aims:
            continue
        treated, without = (c.of(measure.scale, measure.where) for c in (course, untreated))
        worst = int(np.median(treated - without, axis=0).argmax())
        before, after = np.median(without[:, worst]), np.median(treated[:, worst])
        if after - before > max(measure.margin, _RISE * before):
            found.append(
                Rise(
                    measure.words,
                    measure.scale,
                    measure.unit,
                    _band(without[:, worst]),
                    _band(treated[:, worst]),
                    float(course.day[worst] / 7),
                )
            )
    return tuple(found)


def _next(goals: tuple[GoalOutcome, ...], plan: Plan, interval_weeks: float) -> tuple[date, str]:
    """Not before the label's interval; else when the longest-lasting benefit usually ends."""
    last = plan.date_of(plan.sessions[-1])
    earliest = last + timedelta(weeks=interval_weeks)
    weeks, what = _lasting(goals)
    ends = last + timedelta(days=7 * round(weeks))
    expected = f"{what} is expected for {weeks:.0f} weeks in the median"
    if ends <= earliest:
        return earliest, f"shortest interval of {interval_weeks:g} weeks; {expected}"
    return ends, expected


def _lasting(goals: tuple[GoalOutcome, ...]) -> tuple[float, str]:
    """Weeks that the longest goal is at its target; of noticeable gain where none usually is."""
    at_target = max((goal.benefit.weeks.median for goal in goals), default=0.0)
    if at_target > 0:
        return at_target, "a goal at its target"
    return max((goal.gain.weeks.median for goal in goals), default=0.0), "a noticeable gain"


def _injected(course: Course, plan: Plan) -> np.ndarray:
    """What the injected structures do, relative to day 0, when older toxin may be at work."""
    named = {i.structure for session in plan.sessions for i in session.injections}
    doing = np.mean([course.acting(name) for name in course.structures if name in named], axis=0)
    return np.asarray(doing / doing[:, [np.searchsorted(course.day, 0.0)]])


def _first_day(happened: np.ndarray, day: np.ndarray) -> np.ndarray:
    """First day on which it happened, NaN for draws where it never does."""
    return np.where(happened.any(1), day[happened.argmax(1)], np.nan)


def _weeks(true: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Weeks for which something held."""
    both = 0.5 * (true[:, 1:].astype(float) + true[:, :-1])
    return np.asarray((both * np.diff(day)).sum(1) / 7)


def _band(values: np.ndarray) -> Band:
    """Median and central 90 %; NaN draws count as later than all others, as sorting puts them.

    The quantiles of the inverted distribution function, without what np.quantile adds to each edit.
    """
    place = np.ceil(np.array([0.05, 0.5, 0.95]) * len(values) - 1e-9).astype(int) - 1
    low, median, high = np.nan_to_num(np.sort(values)[place], nan=np.inf, posinf=np.inf)
    return Band(float(median), float(low), float(high))
