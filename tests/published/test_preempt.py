"""PREEMPT pooled: chronic migraine, 155-195 U every 12 weeks, headache days to week 56; and the
headaches that do not answer.

Rows to week 24 were used for calibration of kappa and placebo (a prototype fit); so those are a
check of the whole path, not a prediction. Week 56 was not. Entry: at least 15 headache days in a
noisy 28-day diary.
"""

from datetime import date
from functools import cache

import numpy as np
import pytest

from openbont.catalog.model import cohort
from openbont.catalog.sampling import Span
from openbont.forward.chain import Course, Model, simulate
from openbont.forward.outcome import measure_of
from openbont.forward.scales import read
from openbont.patient import Disorder, Goal, Patient, Reading
from openbont.plan import Injection, Plan, Session
from openbont.planning.limits import limits

N = 500
DAYS = (0, 7, 14, 21, *range(140, 169, 7), 392)


@pytest.fixture(scope="module")
def arms(courses: dict[str, Course]) -> dict[str, np.ndarray]:
    """Diary counts at entry, and at week 24 with toxin and with placebo."""
    arms = {"entry": _cohort("migraine.chronic")[2]}
    for name, course in courses.items():
        diary = measure_of(course, Goal(scale="headache_days_28", fall_percent=50.0))
        week_24 = course.of("headache_days_28")[:, [DAYS.index(168)]]
        arms[name] = read(week_24, diary, seed=3)[:, 0]
    return arms


@pytest.fixture(scope="module")
def courses() -> dict[str, Course]:
    """Five cycles; and placebo to week 24, then three cycles in the open."""
    patient, cohort, _ = _cohort("migraine.chronic")
    plans = {
        "toxin": _cycles(patient, 0, 84, 168, 252, 336),
        "placebo": _cycles(patient, 168, 252, 336),
    }
    return {arm: simulate(plan, patient, cohort, DAYS) for arm, plan in plans.items()}


@cache
def _cohort(disorder: str) -> tuple[Patient, Model, np.ndarray]:
    """A patient of the trial, a cohort as its model, and what the diaries counted at entry."""
    patient = Patient(
        id="cohort",
        date=date(2026, 1, 1),
        age_years=41,
        sex="female",
        weight_kg=70,
        disorder=Disorder(name=disorder),
        findings=(Reading(scale="headache_days_28", value=20.0),),
    )
    people = cohort(patient, N, 3, {"headache_days_28": Span(15)})
    return patient, people.model, people.read["headache_days_28"]


def _cycles(patient: Patient, *days: int) -> Plan:
    """The label's pattern on each of `days`."""
    pattern = limits(patient, "onabotulinumtoxinA").pattern
    injections = tuple(
        Injection(structure=one.structure, dose_u=one.dose_u, sites=one.sites) for one in pattern
    )
    sessions = tuple(
        Session(
            day=day, product="onabotulinumtoxinA", dilution_u_per_ml=50.0, injections=injections
        )
        for day in days
    )
    return Plan(
        patient=patient.id, disorder=patient.disorder.name, date=patient.date, sessions=sessions
    )


def test_baseline(arms: dict[str, np.ndarray]) -> None:
    """Observed 19.9 (SD 3.7); tolerances 0.7 and 0.5."""
    assert arms["entry"].mean() == pytest.approx(19.9, abs=0.7)
    assert arms["entry"].std() == pytest.approx(3.7, abs=0.5)


def test_change_at_week_24(arms: dict[str, np.ndarray]) -> None:
    """Observed -8.4 and -6.6, difference -1.8; tolerances 0.8 and, between trials, 0.7 days."""
    toxin, placebo = (float((arms[arm] - arms["entry"]).mean()) for arm in ("toxin", "placebo"))
    assert toxin == pytest.approx(-8.4, abs=0.8)
    assert placebo == pytest.approx(-6.6, abs=0.8)
    assert toxin - placebo == pytest.approx(-1.8, abs=0.7)


def test_half_the_headache_days(arms: dict[str, np.ndarray]) -> None:
    """Observed 44.8 (or 47.1) against 34.2 (or 35.1) %; tolerance 6 points."""
    halved = {arm: (arms[arm] <= 0.5 * arms["entry"]).mean() for arm in ("toxin", "placebo")}
    assert halved["toxin"] == pytest.approx(0.46, abs=0.06)
    assert halved["placebo"] == pytest.approx(0.347, abs=0.06)


def test_regression_to_the_mean(arms: dict[str, np.ndarray]) -> None:
    """Part of the placebo change comes from the entry criterion alone: 28 to 63 % of it."""
    _, people, counted = _cohort("migraine.chronic")
    entered = people.stages.disorder
    expected = 28 / (1 + np.exp(-(entered.logit - entered.course.start[:, 0])))
    share = (counted - expected).mean() / (arms["entry"] - arms["placebo"]).mean()
    assert 0.25 <= share <= 0.70


def _fall(course: Course, scale: str, day: int) -> float:
    """Mean change since the diary at entry, of which moderate and severe days are 91 %."""
    counted = _cohort("migraine.chronic")[2].mean()
    share = {"headache_days_28": 1.0, "moderate_severe_days_28": 0.91}[scale]
    return float(course.of(scale)[:, DAYS.index(day)].mean() - share * counted)


def test_third_week(courses: dict[str, Course]) -> None:
    """Observed -1.6 and -1.1 days a week; tolerance 0.2. The third week is what 28-day counts on
    days 14 and 21 differ by, and a quarter of the count before the first session."""
    entry = _cohort("migraine.chronic")[2].mean() / 4
    change = {}
    for arm, course in courses.items():
        before, _, day_14, day_21, *_ = course.of("headache_days_28").mean(axis=0)
        change[arm] = day_21 - day_14 + before / 4 - entry
    assert change["toxin"] == pytest.approx(-1.6, abs=0.2)
    assert change["placebo"] == pytest.approx(-1.1, abs=0.2)


def test_moderate_and_severe_days(courses: dict[str, Course]) -> None:
    """Week 24, observed -7.7 and -5.8; tolerance 0.8."""
    toxin, placebo = (
        _fall(courses[arm], "moderate_severe_days_28", 168) for arm in ("toxin", "placebo")
    )
    assert toxin == pytest.approx(-7.7, abs=0.8)
    assert placebo == pytest.approx(-5.8, abs=0.8)


def test_open_label_is_a_misfit(courses: dict[str, Course]) -> None:
    """Week 56, observed in completers -12.0 and -11.1 headache days, -11.0 and -10.1 moderate or
    severe ones. The model falls short by 2.8, 1.9, 2.4 and 1.5: it has no dropout, no expectation
    of known toxin, and nothing that builds up over cycles."""
    missed = {
        (arm, scale): _fall(courses[arm], scale, 392) - observed
        for arm, scale, observed in (
            ("toxin", "headache_days_28", -12.0),
            ("placebo", "headache_days_28", -11.1),
            ("toxin", "moderate_severe_days_28", -11.0),
            ("placebo", "moderate_severe_days_28", -10.1),
        )
    }
    assert list(missed.values()) == pytest.approx([2.8, 1.9, 2.4, 1.5], abs=0.4)


@pytest.mark.parametrize(
    ("disorder", "day", "observed", "missed"),
    [
        ("headache.chronic_daily", 180, (8.0, 7.9, 7.9, 6.0), (-0.6, -0.5, -0.5, 1.4)),
        ("headache.chronic_daily", 180, (5.2, 6.7), (2.2, 0.7)),
        ("headache.tension_type", 60, (4.5, 2.8), (1.5, 3.2)),
    ],
)
def test_headaches_that_do_not_answer(
    disorder: str, day: int, observed: tuple[float, ...], missed: tuple[float, ...]
) -> None:
    """Days gained in 30 after placebo, then after rising doses: in the model the same for all.

    Silberstein 2005 (placebo, 75, 150, 225 U), Mathew 2005 and Silberstein 2006 (placebo, toxin).
    The placebo response is that of migraine, so tension-type headache falls too much by a day and a
    half.
    """
    patient, cohort, counted = _cohort(disorder)
    asked = _cycles(_cohort("migraine.chronic")[0], 0)
    for plan in (asked.untreated(), asked):
        days = simulate(plan, patient, cohort, [day]).of("headache_days_28")[:, 0]
        gained = 30 / 28 * (counted - days).mean()
        assert [gained - one for one in observed] == pytest.approx(missed, abs=0.4)
