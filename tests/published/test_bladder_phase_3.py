"""Phase 3 trials of the bladder: 100 U in overactive, 200 U in neurogenic detrusor overactivity.

Nitti 2013 (EMBARK 1), Cruz 2011 (DIGNITY), both label trials together, pooled urodynamics (n = 691)
and the label's counts of catheterisation. All rows were used to set the gains and the placebo, so
this checks the whole path.
Entry: a leak a day or more in 3 days; 14 a week or more in 7 days.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pytest

from openbont.catalog.model import cohort
from openbont.catalog.sampling import Span
from openbont.forward.chain import Course, simulate
from openbont.patient import Disorder, Patient, Reading
from openbont.plan import Injection, Plan, Session

N = 400
WEEKS = (0, 2, 6, 12, 24, 36, 42)


@dataclass(frozen=True)
class Arms:
    """Leaks a day in the entry diary, and both courses of the same people."""

    entry: np.ndarray
    toxin: Course
    placebo: Course


def _arms(disorder: str, at_least: float, **readings: float) -> Arms:
    """A cohort that leaks at least so often, given the label's pattern or nothing."""
    found = {"UI_per_day": 5.0} | readings
    patient = Patient(
        id="cohort",
        date=date(2026, 1, 1),
        age_years=55,
        sex="female",
        weight_kg=70,
        disorder=Disorder(name=disorder),
        findings=tuple(Reading(scale=scale, value=value) for scale, value in found.items()),
    )
    people = cohort(patient, N, 3, {"UI_per_day": Span(at_least)})
    plan = _label_plan(patient)
    days = [7 * week for week in WEEKS]
    toxin, placebo = (simulate(p, patient, people.model, days) for p in (plan, plan.untreated()))
    return Arms(people.read["UI_per_day"], toxin, placebo)


def _label_plan(patient: Patient) -> Plan:
    """100 U in 20 sites of 0.5 mL, or 200 U in 30 of 1 mL."""
    overactive = patient.disorder.name == "bladder.overactive"
    dose_u, sites, volume_ml = (100, 20, 10) if overactive else (200, 30, 30)
    session = Session(
        product="onabotulinumtoxinA",
        dilution_u_per_ml=dose_u / volume_ml,
        injections=(Injection(structure="detrusor", dose_u=dose_u, sites=sites),),
    )
    return Plan(
        patient=patient.id,
        disorder=patient.disorder.name,
        date=patient.date,
        sessions=(session,),
    )


def _mean(course: Course, scale: str, week: int) -> float:
    return float(course.of(scale)[:, WEEKS.index(week)].mean())


def _change(course: Course, scale: str, week: int) -> float:
    return _mean(course, scale, week) - _mean(course, scale, 0)


@pytest.fixture(scope="module")
def overactive() -> Arms:
    return _arms("bladder.overactive", 1.0)


@pytest.fixture(scope="module")
def neurogenic() -> Arms:
    return _arms("bladder.neurogenic", 2.0)


def test_leaks_in_overactive_bladder(overactive: Arms) -> None:
    """Week 12, observed -2.65 and -0.87 a day from 5.5 and 5.1; tolerance 0.4.

    Placebo does 0.25 less than was seen, and toxin 0.35 more beyond it: one gain serves both
    disorders.
    """
    entry = overactive.entry.mean()
    assert entry == pytest.approx(5.3, abs=0.3)
    toxin, placebo = (
        _mean(arm, "UI_per_day", 12) - entry for arm in (overactive.toxin, overactive.placebo)
    )
    assert toxin == pytest.approx(-2.65, abs=0.4)
    assert placebo - -0.87 == pytest.approx(0.25, abs=0.1)
    assert toxin - placebo == pytest.approx(-1.78, abs=0.4)


def test_leaks_in_neurogenic_overactivity(neurogenic: Arms) -> None:
    """Week 6, observed -19.6 and -10.7 a week in both label trials; tolerance 2.

    One of them alone, from 33.5 a week: -21.8 and -13.2; its placebo is missed by 3.
    """
    entry = 7 * neurogenic.entry.mean()
    assert entry == pytest.approx(33.5, abs=1.5)
    toxin, placebo = (
        7 * _mean(arm, "UI_per_day", 6) - entry for arm in (neurogenic.toxin, neurogenic.placebo)
    )
    assert toxin == pytest.approx(-19.6, abs=2)
    assert placebo == pytest.approx(-10.7, abs=2)
    assert placebo - -13.2 == pytest.approx(3.1, abs=1)


def test_pressure_and_capacity(neurogenic: Arms) -> None:
    """Week 6, observed against placebo -33.5 cmH2O and +141.7 mL; tolerance 3 and 12.

    Known misfit: the placebo arm of the trials gains 11.9 mL and 1.1 cmH2O, the model's nothing.
    """
    pressure = _change(neurogenic.toxin, "detrusor_pressure", 6)
    capacity = _change(neurogenic.toxin, "bladder_capacity", 6)
    assert pressure == pytest.approx(-33.5, abs=3)
    assert capacity == pytest.approx(141.7, abs=12)
    assert _change(neurogenic.placebo, "detrusor_pressure", 6) == 0
    assert _change(neurogenic.placebo, "bladder_capacity", 6) == 0


def _retention(arms: Arms) -> float:
    """Share with more than 200 mL left after voiding at some visit."""
    return float((arms.toxin.of("PVR").max(axis=1) > 200).mean())


def test_retention(overactive: Arms, neurogenic: Arms) -> None:
    """Catheter for retention, observed 6.5 and 30.6 %; tolerance 3 and 6 points.

    Known misfit: nobody retains without toxin (observed 0.4 and 6.7 %).
    """
    assert _retention(overactive) == pytest.approx(0.065, abs=0.03)
    assert _retention(neurogenic) == pytest.approx(0.306, abs=0.06)
    assert overactive.placebo.of("PVR").max() <= 200


def test_retention_where_urine_was_left_before() -> None:
    """Observed in practice 16 of 17 with 100 mL or more; tolerance 6 points."""
    assert _retention(_arms("bladder.overactive", 1.0, PVR=100)) == pytest.approx(0.94, abs=0.06)


def test_duration(neurogenic: Arms) -> None:
    """Retreatment is asked for after 42 weeks in the median: about 45 % of the peak effect on
    pressure is then left."""
    peak = _change(neurogenic.toxin, "detrusor_pressure", 2)
    assert 0.45 < _change(neurogenic.toxin, "detrusor_pressure", 36) / peak < 0.65
    assert 0.3 < _change(neurogenic.toxin, "detrusor_pressure", 42) / peak < 0.6


def test_dry_in_a_diary_of_three_days(overactive: Arms) -> None:
    """Observed 22.9 and 6.5 % in week 12; tolerance 5 and 3 points.

    Leaks are counted as in the entry diary.
    """
    dry = {
        name: np.exp(-3 * course.of("UI_per_day")[:, WEEKS.index(12)]).mean()
        for name, course in (("toxin", overactive.toxin), ("placebo", overactive.placebo))
    }
    assert dry["toxin"] == pytest.approx(0.229, abs=0.05)
    assert dry["placebo"] == pytest.approx(0.065, abs=0.03)
    assert dry["toxin"] > dry["placebo"]
