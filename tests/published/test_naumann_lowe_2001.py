"""Naumann and Lowe 2001, Lowe 2007: 50 U an axilla, sweat at weeks 4 and 16, HDSS, duration.

Week 4, placebo and the 50 U arm of HDSS were used to set sweat and grades; week 16 with toxin was
not. Glands have no safety factor, a dense grid, and endings that lose the light chain more slowly
than motor endings. The misfits are asserted with their size.
"""

from datetime import date

import numpy as np
import pytest

from openbont.catalog.model import cohort
from openbont.catalog.sampling import Span
from openbont.forward.chain import simulate
from openbont.forward.outcome import measure_of
from openbont.forward.scales import read
from openbont.patient import Disorder, Goal, Patient, Reading
from openbont.plan import Injection, Plan, Session

N = 600
SIDES = ("axilla.left", "axilla.right")
DAYS = (0, 14, 28, 112, *range(120, 301, 5))
ENTRY = {"sweat_mg": Span(50.0), "HDSS": Span(3)}


@pytest.fixture(scope="module")
def patient() -> Patient:
    return Patient(
        id="cohort",
        date=date(2026, 1, 1),
        age_years=31,
        sex="female",
        weight_kg=65,
        disorder=Disorder(name="hyperhidrosis.axillary"),
        findings=(
            *(Reading(scale="sweat_mg", value=200.0, where=side) for side in SIDES),
            Reading(scale="HDSS", value=4),
        ),
    )


@pytest.fixture(scope="module")
def arms(patient: Patient) -> dict[float, dict[str, np.ndarray]]:
    """Sweat of one axilla relative to entry, fall of HDSS and release, by dose in an axilla."""
    people = cohort(patient, N, 3, ENTRY)
    said = people.read["HDSS"]
    found = {}
    plans = {dose_u: _plan(patient, dose_u) for dose_u in (50.0, 75.0)}
    for dose_u, plan in {0.0: plans[50.0].untreated(), **plans}.items():
        course = simulate(plan, patient, people.model, DAYS)
        sweat = course.of("sweat_mg", SIDES[0])
        hdss = read(course.of("HDSS"), measure_of(course, Goal(scale="HDSS", at_most=2)), seed=3)
        found[dose_u] = {
            "ratio": sweat / sweat[:, :1],
            "fall": said[:, None] - hdss,
            "drive": course.response.drive[:, :, 0],
        }
    return found


def _plan(patient: Patient, dose_u: float) -> Plan:
    injections = tuple(Injection(structure=side, dose_u=dose_u, sites=15) for side in SIDES)
    session = Session(
        product="onabotulinumtoxinA", dilution_u_per_ml=dose_u / 2.0, injections=injections
    )
    return Plan(
        patient=patient.id, disorder=patient.disorder.name, date=patient.date, sessions=(session,)
    )


def _halved(arm: dict[str, np.ndarray], day: int) -> float:
    return float((arm["ratio"][:, DAYS.index(day)] <= 0.5).mean())


def _net(arms: dict[float, dict[str, np.ndarray]], dose_u: float, day: int) -> float:
    """Median ratio with toxin over median ratio with placebo."""
    toxin, placebo = (np.median(arms[dose]["ratio"][:, DAYS.index(day)]) for dose in (dose_u, 0.0))
    return float(toxin / placebo)


def _half_back_day(arm: dict[str, np.ndarray]) -> float:
    """Day on which the median release is half again."""
    return float(np.interp(0.5, np.median(arm["drive"][:, 2:], axis=0), DAYS[2:]))


def test_sweat_halved_at_week_4(arms: dict[float, dict[str, np.ndarray]]) -> None:
    """Observed 94 and 36 %; tolerance two standard errors, 3 and 11 points."""
    assert _halved(arms[50.0], 28) == pytest.approx(0.94, abs=0.03)
    assert _halved(arms[0.0], 28) == pytest.approx(0.36, abs=0.11)


def test_glands_at_week_4(arms: dict[float, dict[str, np.ndarray]]) -> None:
    """Net output .15 (.08 to .22), from the responders; week 2 by weight 91.6 % less, n = 12."""
    assert 0.08 <= _net(arms, 50.0, 28) <= 0.22
    assert np.median(arms[50.0]["ratio"][:, DAYS.index(14)]) == pytest.approx(0.084, abs=0.05)


def test_two_grades_of_hdss_at_week_4(arms: dict[float, dict[str, np.ndarray]]) -> None:
    """Observed 75 % for both doses and 25 %; tolerance two standard errors, 9 points."""
    better = {dose_u: (arm["fall"][:, DAYS.index(28)] >= 2).mean() for dose_u, arm in arms.items()}
    assert better[50.0] == pytest.approx(0.75, abs=0.09)
    assert better[75.0] == pytest.approx(0.75, abs=0.09)
    assert better[0.0] == pytest.approx(0.25, abs=0.09)


def test_week_16(arms: dict[float, dict[str, np.ndarray]]) -> None:
    """Observed 82 and 21 %, net output .18 (.11 to .25); tolerance of the active arm 4 points.

    Known misfit: without toxin the model's sweat does not climb back after the fall that follows
    entry, so that the net output is too high by a half.
    """
    assert _halved(arms[50.0], 112) == pytest.approx(0.82, abs=0.04)
    assert _halved(arms[0.0], 112) - 0.21 == pytest.approx(0.14, abs=0.04)
    assert _net(arms, 50.0, 112) == pytest.approx(0.29, abs=0.05)


def test_duration_is_a_misfit(arms: dict[float, dict[str, np.ndarray]]) -> None:
    """Observed medians 205 and 197 days for 50 and 75 U: the model ends about three weeks
    late, and lets half more toxin last three weeks longer where the trial saw no gain."""
    assert _half_back_day(arms[50.0]) - 205 == pytest.approx(19, abs=8)
    assert _half_back_day(arms[75.0]) - _half_back_day(arms[50.0]) == pytest.approx(24, abs=6)
