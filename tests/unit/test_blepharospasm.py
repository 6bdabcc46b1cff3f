"""Blepharospasm: zero dose, more dose, each eye by itself."""

from datetime import date

import numpy as np
import pytest

from openbont.catalog.model import model
from openbont.errors import BadInput
from openbont.forward.chain import Course, simulate
from openbont.patient import Disorder, Patient, Reading
from openbont.plan import Injection, Plan, Session

DAYS = range(0, 169, 14)
SIDES = ("left", "right")
PATIENT = Patient(
    id="p",
    date=date(2026, 1, 5),
    age_years=63,
    sex="female",
    weight_kg=70,
    disorder=Disorder(name="dystonia.blepharospasm"),
    findings=(Reading(scale="JRS", value=6.0),),
)


def course(dose_u: float, *sides: str) -> Course:
    injections = tuple(
        Injection(structure=f"orbicularis_oculi.{side}", dose_u=dose_u, sites=3) for side in sides
    )
    session = Session(
        product="onabotulinumtoxinA",
        dilution_u_per_ml=dose_u / 0.3 or 25.0,
        injections=injections,
    )
    plan = Plan(
        patient="p", disorder="dystonia.blepharospasm", date=PATIENT.date, sessions=(session,)
    )
    return simulate(plan, PATIENT, model(PATIENT, draws=40, seed=1), DAYS)


def closure(of: Course, side: str) -> np.ndarray:
    return of.of("eyelid_closure", f"lids.{side}")


@pytest.fixture(scope="module")
def by_dose() -> list[Course]:
    return [course(dose_u, *SIDES) for dose_u in (0.0, 3.0, 7.5, 15.0)]


def test_no_dose_leaves_the_lids_as_they_are(by_dose: list[Course]) -> None:
    for side in SIDES:
        np.testing.assert_allclose(closure(by_dose[0], side), 1.0, atol=1e-5)
    assert np.median(by_dose[0].of("JRS"), axis=0) == pytest.approx(6.0, abs=0.5)


def test_more_dose_never_less_effect(by_dose: list[Course]) -> None:
    for values in ([closure(one, "left") for one in by_dose], [one.of("JRS") for one in by_dose]):
        assert (np.diff(values, axis=0) <= 1e-3).all()
    assert np.median(by_dose[2].of("JRS")[:, 2]) < 5


def test_the_force_that_is_lost_and_the_score_share_one_course(by_dose: list[Course]) -> None:
    """No spasm is relieved without loss of wanted closure."""
    treated, without = by_dose[2], by_dose[0]
    relief = np.median(without.of("JRS") - treated.of("JRS"), axis=0)
    lost = np.median(1 - closure(treated, "left"), axis=0)
    assert relief.argmax() == lost.argmax()


def test_one_eye_leaves_the_other(by_dose: list[Course]) -> None:
    one, both = course(7.5, "left"), by_dose[2]
    assert closure(one, "right").min() > 0.99
    np.testing.assert_allclose(closure(one, "left"), closure(both, "left"), atol=1e-2)
    assert (one.of("JRS")[:, 2] > both.of("JRS")[:, 2]).all()


def test_left_and_right_lose_the_same(by_dose: list[Course]) -> None:
    np.testing.assert_allclose(closure(by_dose[3], "left"), closure(by_dose[3], "right"), atol=2e-2)


def test_the_reading_is_needed() -> None:
    with pytest.raises(BadInput, match="JRS is missing"):
        model(PATIENT.model_copy(update={"findings": ()}))
