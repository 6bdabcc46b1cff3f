"""Closing force of the lids after onabotulinumtoxinA in six sites an eye: a direct dose row.

Observed (pubmed 8926651): fall at its largest 33 (SD 28), 42 (25) and 70 (5) % with 3, 7.5 and
15 U an eye. Potency and spread come from a muscle of the foot and were not fitted here. The size of
the ring muscle is assumed: lids alone were tried first and weakened more, so it was set knowing
these rows, and they are no prediction.
"""

from datetime import date

import numpy as np
import pytest

from openbont.catalog.model import model
from openbont.forward.chain import simulate
from openbont.patient import Disorder, Patient, Reading
from openbont.plan import Injection, Plan, Session

OBSERVED = {3.0: 33.2, 7.5: 41.7, 15.0: 69.6}
N = 200


@pytest.fixture(scope="module")
def fall() -> dict[float, float]:
    """Mean largest fall of closing force in per cent, by dose an eye; sites of 0.1 mL."""
    patient = Patient(
        id="cohort",
        date=date(2026, 1, 1),
        age_years=62,
        sex="female",
        weight_kg=65,
        disorder=Disorder(name="dystonia.blepharospasm"),
        findings=(Reading(scale="JRS", value=6.0),),
    )
    basis = model(patient, draws=N, seed=7)
    found = {}
    for dose_u in OBSERVED:
        injections = tuple(
            Injection(structure=f"orbicularis_oculi.{side}", dose_u=dose_u, sites=6)
            for side in ("left", "right")
        )
        session = Session(
            product="onabotulinumtoxinA", dilution_u_per_ml=dose_u / 0.6, injections=injections
        )
        plan = Plan(
            patient="cohort", disorder=patient.disorder.name, date=patient.date, sessions=(session,)
        )
        course = simulate(plan, patient, basis, range(0, 120, 7))
        kept = course.of("eyelid_closure", "lids.left").min(1)
        found[dose_u] = 100 * float((1 - kept).mean())
    return found


def test_most_dose(fall: dict[float, float]) -> None:
    """Tolerance 8 points."""
    assert fall[15.0] == pytest.approx(OBSERVED[15.0], abs=8)


def test_misfit_low_doses_weaken_too_much(fall: dict[float, float]) -> None:
    """The model is 10 to 25 points above with 3 and 7.5 U, within one SD between patients."""
    for dose_u in (3.0, 7.5):
        assert 10 < fall[dose_u] - OBSERVED[dose_u] < 25


def test_dose_curve_rises_slowly(fall: dict[float, float]) -> None:
    assert (np.diff(list(fall.values())) > 4).all()
