"""What was read after a session, beside what was expected of it on the day it was given.

The expectation knows what was known that day: the clinical picture, the history, what was given. A
reading has its noise, so the band is that of readings, not of the course behind them. Headache days
are counted from a diary that has all 28 days.
"""

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from openbont.clinic.held import Held
from openbont.clinic.nouns import ClinicVisit, Diary, GivenSession
from openbont.clinic.picture import picture
from openbont.frozen import Noun
from openbont.patient import Patient, Reading
from openbont.planning.eligibility import HEADACHE_HOURS
from openbont.report.papers import as_plan
from openbont.report.readings import reading_name, reading_value
from openbont.report.words import counted, day

if TYPE_CHECKING:  # the chain needs jax, and pictures are slow to import
    from openbont.forward.chain import Course
    from openbont.forward.disorders.interface import Measure
    from openbont.report.figures import Picture

DRAWS, SEED = 100, 1
REPEATED = 20
"""Readings of each draw: raters and diaries have their own noise."""
BAND = (0.05, 0.5, 0.95)
WINDOW = datetime.timedelta(days=28)
COUNTED, HOURS = "headache_days_28", "headache_hours_per_day"


@dataclass(frozen=True)
class Seen:
    """One reading after a session, and the band in which 90 % of such readings were expected."""

    words: str
    date: datetime.date
    week: float
    observed: str
    expected: str
    verdict: str
    """As expected, better, or worse."""
    value: float
    band: tuple[float, float, float]
    source: str
    """Visit or diary."""


@dataclass(frozen=True)
class Compared:
    """One session: every reading that has an expectation, and what has none."""

    rows: tuple[Seen, ...]
    apart: tuple[str, ...]
    """Readings of which nothing was predicted."""
    diary: tuple[str, ...]
    """Stretches of the diary that cannot be counted, and why."""
    drawn: "Picture | None"
    draws: int = DRAWS


@dataclass(frozen=True)
class Read:
    """A reading with its day and where it comes from."""

    date: datetime.date
    reading: Reading
    source: str


def observed(held: Sequence[Held], key: str, draws: int = DRAWS) -> Compared:
    """The session of that key against the readings since. Raises NoEvidence without a model."""
    from openbont.catalog.model import model
    from openbont.forward.chain import simulate

    session = next(one.noun for one in held if one.key == key)
    assert isinstance(session, GivenSession)
    counts, uncounted = headache_days(held, session.date)
    read = [*_visits(held, session.date), *counts]
    if not read:
        return Compared((), (), uncounted, None, draws)
    patient = _as_known(held, session)
    basis = model(patient, draws, SEED)
    last = 7 * basis.horizon_weeks
    days = {(one.date - session.date).days for one in read}
    wanted = {*range(0, last + 1, 7), *(one for one in days if one <= last)}
    course = simulate(as_plan(session, patient.id), patient, basis, wanted)
    rows, apart = _beside(read, course, session.date)
    return Compared(rows, apart, uncounted, _drawn(rows, course), draws)


def _as_known(held: Sequence[Held], session: GivenSession) -> Patient:
    """The clinical picture of the day, before the needle."""
    until = session.date
    known = [one for one in held if _written(one.noun) <= until and one.noun is not session]
    pictures = [one for one in held if isinstance(one.noun, Patient)]
    if not any(isinstance(one.noun, Patient) for one in known):
        known.append(min(pictures, key=lambda one: _written(one.noun)))
    seen = picture(known[0].patient, known)
    earlier = tuple(past for past in seen.history if past.date < until)
    return seen.model_copy(update={"history": earlier, "date": min(seen.date, until)})


def _written(noun: Noun) -> datetime.date:
    date = getattr(noun, "date", None)
    return date if isinstance(date, datetime.date) else datetime.date.min


# ---- what was read


def _visits(held: Sequence[Held], after: datetime.date) -> Iterator[Read]:
    """Readings of visits until the next session."""
    until = _next(held, after)
    for one in held:
        if isinstance(one.noun, ClinicVisit) and after < one.noun.date <= until:
            yield from (Read(one.noun.date, each, "visit") for each in one.noun.readings)


def _next(held: Sequence[Held], after: datetime.date) -> datetime.date:
    later = [one.noun.date for one in held if isinstance(one.noun, GivenSession)]
    return min((one for one in later if one > after), default=datetime.date.max)


def headache_days(held: Sequence[Held], after: datetime.date) -> tuple[list[Read], tuple[str, ...]]:
    """Headache days of each 28 days since the session, and which cannot be counted."""
    hours, found, missing = _hours(held), [], []
    until, end = min(_next(held, after), max(hours, default=after)), after + WINDOW
    while end <= until:
        written = [one for at, one in hours.items() if end - WINDOW < at <= end]
        if len(written) == WINDOW.days:
            count = float(sum(one >= HEADACHE_HOURS for one in written))
            found.append(Read(end, Reading(scale=COUNTED, value=count), "diary"))
        elif written:
            days = counted(len(written), "day")
            missing.append(f"{days} of the 28 up to {day(end)} are written down")
        end += WINDOW
    return found, tuple(missing)


def _hours(held: Iterable[Held]) -> dict[datetime.date, float]:
    """Hours of headache by day; what was taken in last stands."""
    return {
        one.date: float(reading.value)
        for each in held
        if isinstance(each.noun, Diary)
        for one in each.noun.days
        for reading in one.readings
        if reading.scale == HOURS
    }


# ---- beside what was expected


def _beside(
    read: Iterable[Read], course: "Course", start: datetime.date
) -> tuple[tuple[Seen, ...], tuple[str, ...]]:
    rows: list[Seen] = []
    apart: dict[str, None] = {}
    known = {(one.scale, one.where): one for one in course.measures}
    for one in sorted(read, key=lambda each: each.date):
        measure = known.get((one.reading.scale, one.reading.where))
        at = (one.date - start).days
        if measure is None or at not in course.day:
            apart[one.reading.scale.replace("_", " ")] = None
        else:
            rows.append(_seen(one, measure, course, at))
    return tuple(rows), tuple(apart)


def _seen(one: Read, measure: "Measure", course: "Course", at: int) -> Seen:
    severity = course.of(measure.scale, measure.where)[:, course.day == at]
    low, middle, high = _band(severity, measure)[:, 0]
    value = measure.number(one.reading.value)
    better = value < low if measure.better == "lower" else value > high
    inside = low <= value <= high
    return Seen(
        words=reading_name(measure),
        date=one.date,
        week=round(at / 7, 1),
        observed=_text(value, measure),
        expected=f"{_text(middle, measure)} ({_text(low, measure)} to {_text(high, measure)})",
        verdict="as expected" if inside else f"{'better' if better else 'worse'} than expected",
        value=value,
        band=(float(low), float(middle), float(high)),
        source=one.source,
    )


def _band(
    severity: Float[np.ndarray, "draw day"], measure: "Measure"
) -> Float[np.ndarray, "band day"]:
    """Readings that were expected: low, middle and high."""
    from openbont.forward.scales import read

    seen = read(np.repeat(severity, REPEATED, axis=0), measure, SEED)
    return np.asarray(np.quantile(seen, BAND, axis=0, method="nearest"))


def _text(value: float, measure: "Measure") -> str:
    """As it is written: grades by name."""
    grades = {at: grade for grade, at in reversed(measure.grades)}
    return grades[value] if value in grades else reading_value(value, measure)


def _drawn(rows: Sequence[Seen], course: "Course") -> "Picture | None":
    """A panel for each reading: the band by week, and what was read."""
    from openbont.report.figures import observed_picture

    named = list(dict.fromkeys(one.words for one in rows))
    measures = {reading_name(one): one for one in course.measures}
    panels = []
    for words in named:
        measure = measures[words]
        band = _band(course.of(measure.scale, measure.where), measure)
        points = [(one.week, one.value) for one in rows if one.words == words]
        panels.append((measure, band, points))
    return observed_picture(course.day / 7, panels) if panels else None
