"""Strabismus: zero dose, more dose, direction, what stays when the block is over."""

from datetime import date

import numpy as np
import pytest

from openbont.catalog.model import model
from openbont.errors import BadInput
from openbont.forward.chain import Course, simulate
from openbont.patient import Disorder, Patient, Reading
from openbont.plan import Injection, Plan, Session

DAYS = (0, 7, 28, 84, 168, 365)


def patient(where: str = "inward", side: str = "right", value: float = 30) -> Patient:
    return Patient(
        id="p",
        date=date(2026, 1, 5),
        age_years=38,
        sex="male",
        weight_kg=80,
        disorder=Disorder(name="strabismus", side=side),
        findings=(Reading(scale="deviation_pd", value=value, where=where),),
    )


def course(dose_u: float, muscle: str = "medial_rectus", who: Patient | None = None) -> Course:
    who = who or patient()
    injection = Injection(structure=f"{muscle}.{who.disorder.side}", dose_u=dose_u)
    session = Session(
        product="onabotulinumtoxinA",
        dilution_u_per_ml=10 * dose_u or 25.0,  # 0.1 mL
        injections=(injection,),
    )
    plan = Plan(patient="p", disorder="strabismus", date=who.date, sessions=(session,))
    return simulate(plan, who, model(who, draws=40, seed=1), DAYS)


def deviation(of: Course) -> np.ndarray:
    return of.severity[:, :, 0]


@pytest.fixture(scope="module")
def by_dose() -> list[Course]:
    return [course(dose_u) for dose_u in (0.0, 1.25, 2.5, 5.0)]


def test_no_dose_leaves_the_eye_where_it_is(by_dose: list[Course]) -> None:
    change = deviation(by_dose[0]) - deviation(by_dose[0])[:, :1]
    assert np.abs(np.median(change, axis=0)).max() < 2
    assert np.median(deviation(by_dose[0])[:, 0]) == pytest.approx(30, abs=2)


def test_more_dose_turns_further(by_dose: list[Course]) -> None:
    assert (np.diff([deviation(one) for one in by_dose], axis=0) <= 1e-3).all()


def test_an_over_correction_is_no_success(by_dose: list[Course]) -> None:
    """Straight is the goal, and the eye may pass it."""
    treated = by_dose[3]
    over = deviation(treated) < 0
    assert over[:, 2].mean() > 0.5
    np.testing.assert_array_equal(treated.of("misalignment_pd"), np.abs(deviation(treated)))


def test_part_stays_when_force_is_back(by_dose: list[Course]) -> None:
    treated = by_dose[1]
    force = treated.response.force[:, -1, treated.structures.index("medial_rectus.right")]
    relief = np.median(deviation(by_dose[0])[:, -1] - deviation(treated)[:, -1])
    assert np.median(force) > 0.8
    assert relief > 10


def test_an_eye_that_turns_outward_is_the_mirror() -> None:
    outward = course(2.5, "lateral_rectus", patient("outward"))
    inward = course(2.5)
    np.testing.assert_allclose(
        np.median(deviation(outward), axis=0), np.median(deviation(inward), axis=0), atol=2.0
    )


def test_the_wrong_muscle_makes_it_worse() -> None:
    assert np.median(deviation(course(2.5, "lateral_rectus"))[:, 2]) > 50


def test_left_and_right_eye_turn_the_same() -> None:
    left = course(2.5, who=patient(side="left"))
    np.testing.assert_allclose(deviation(left), deviation(course(2.5)), atol=1e-3)


def test_side_and_direction_are_needed() -> None:
    with pytest.raises(BadInput, match="which arm, leg or eye"):
        model(patient(side=""))
    with pytest.raises(BadInput, match="direction is missing"):
        model(patient(where=""))


@pytest.mark.parametrize(("where", "other"), [("inward", "outward"), ("outward", "inward")])
def test_the_other_direction_has_its_own_word(where: str, other: str) -> None:
    with pytest.raises(BadInput, match=f"write where: {other}, value: 20"):
        model(patient(where, value=-20))
