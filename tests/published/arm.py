"""A trial of the arm after stroke: what was injected -> readings at the visits, by arm."""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from openbont.catalog.model import model
from openbont.forward.chain import Course, simulate
from openbont.forward.outcome import measure_of
from openbont.forward.scales import read
from openbont.patient import Disorder, Goal, Patient, Reading
from openbont.plan import Injection, Plan, Session

WRIST = "wrist_flexors.left"
FOUR = (
    "flexor_carpi_radialis",
    "flexor_carpi_ulnaris",
    "flexor_digitorum_superficialis",
    "flexor_digitorum_profundus",
)
"""Flexors of wrist and fingers."""


def cohort(*findings: Reading) -> Patient:
    """People after a stroke who read like this at entry."""
    return Patient(
        id="cohort",
        date=date(2026, 1, 1),
        age_years=60,
        sex="male",
        weight_kg=75,
        disorder=Disorder(name="spasticity.upper_limb", cause="stroke", side="left"),
        findings=findings,
    )


def courses(
    patient: Patient, arms: Mapping[str, Mapping[str, float]], days: Sequence[int], draws: int = 500
) -> dict[str, Course]:
    """The same people in every arm and in `placebo`; an arm says the units of each muscle."""
    people = model(patient, draws=draws, seed=5)
    plans = {name: _plan(patient, dose_u) for name, dose_u in arms.items()}
    plans["placebo"] = next(iter(plans.values())).untreated()
    return {name: simulate(plan, patient, people, days) for name, plan in plans.items()}


def readings(course: Course, scale: str, where: str) -> np.ndarray:
    """What the raters write down, (draw, visit)."""
    seen = measure_of(course, Goal(scale=scale, where=where, at_most="1"))
    return read(course.of(scale, where), seen, seed=5)


def _plan(patient: Patient, dose_u: Mapping[str, float]) -> Plan:
    injections = tuple(Injection(structure=f"{m}.left", dose_u=u) for m, u in dose_u.items())
    session = Session(product="onabotulinumtoxinA", dilution_u_per_ml=50, injections=injections)
    return Plan(
        patient=patient.id, disorder=patient.disorder.name, date=patient.date, sessions=(session,)
    )
