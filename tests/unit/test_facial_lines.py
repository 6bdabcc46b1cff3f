"""Frown lines: zero dose, more dose, sides, lines at rest, earlier toxin."""

from datetime import date

import numpy as np
import pytest

from openbont.catalog.model import model
from openbont.errors import BadInput, NoEvidence
from openbont.forward.chain import Course, simulate
from openbont.patient import Disorder, PastSession, Patient, Reading
from openbont.plan import Injection, Plan, Session

DAYS = range(0, 253, 14)
RIGHT = "corrugator.right"


def patient(**changes: object) -> Patient:
    return Patient(
        id="p",
        date=date(2026, 1, 5),
        age_years=46,
        sex="female",
        weight_kg=65,
        disorder=Disorder(name="facial_lines.glabellar"),
        findings=(Reading(scale="FWS", value="3"), Reading(scale="FWS", value="1", where="rest")),
    ).model_copy(update=changes)


def injections(dose_u: float, *, left_only: bool = False) -> tuple[Injection, ...]:
    left = Injection(structure="corrugator.left", dose_u=0.4 * dose_u, sites=2)
    if left_only:
        return (left,)
    right = left.model_copy(update={"structure": RIGHT})
    return (left, right, Injection(structure="procerus", dose_u=0.2 * dose_u))


def course(dose_u: float, who: Patient | None = None, *, left_only: bool = False) -> Course:
    who = who or patient()
    session = Session(
        product="onabotulinumtoxinA",
        dilution_u_per_ml=2 * dose_u or 40.0,  # 0.1 mL a site
        injections=injections(dose_u, left_only=left_only),
    )
    plan = Plan(patient="p", disorder=who.disorder.name, date=who.date, sessions=(session,))
    return simulate(plan, who, model(who, draws=40, seed=1), DAYS)


@pytest.fixture(scope="module")
def by_dose() -> dict[float, Course]:
    return {dose_u: course(dose_u) for dose_u in (0.0, 10.0, 20.0, 40.0)}


def test_no_dose_leaves_only_placebo_and_fluctuation(by_dose: dict[float, Course]) -> None:
    untreated = by_dose[0.0]
    assert np.ptp(untreated.of("FWS", "rest"), axis=1).max() < 1e-5
    np.testing.assert_allclose(untreated.of("lid_height", "upper_lid.left"), 4.0, atol=1e-5)
    assert np.abs(np.median(untreated.of("FWS"), axis=0) - 2.8).max() < 0.4


def test_more_dose_never_less_effect(by_dose: dict[float, Course]) -> None:
    for where in ("", "rest"):
        depth = [by_dose[dose_u].of("FWS", where) for dose_u in (0.0, 10.0, 20.0, 40.0)]
        assert (np.diff(depth, axis=0) <= 1e-3).all()  # single precision at almost no force


def test_lines_at_rest_fade_later_than_lines_at_contraction(by_dose: dict[float, Course]) -> None:
    treated = by_dose[20.0]
    contraction, rest = (np.median(treated.of("FWS", w), axis=0) for w in ("", "rest"))
    assert contraction.argmin() < rest.argmin()
    assert rest.min() < rest[0] - 0.2


def test_one_side_leaves_the_other() -> None:
    one = course(20.0, left_only=True)
    force = one.response.force[:, 2]
    assert np.median(force[:, one.structures.index("corrugator.left")]) < 0.1
    assert force[:, one.structures.index(RIGHT)].min() > 0.99
    assert np.median(one.of("FWS")[:, 2]) > 1.5


def test_reading_was_taken_with_earlier_toxin_at_work() -> None:
    """What a session 10 weeks ago still does is in the reading, and wears off upwards."""
    past = PastSession(
        date=date(2025, 10, 27),
        clinic="skin",
        product="onabotulinumtoxinA",
        disorder="facial_lines.glabellar",
        total_u=20.0,
        injections=injections(20.0),
    )
    read_now = (Reading(scale="FWS", value="2"),)
    worn = course(0.0, patient(findings=read_now, history=(past,)))
    fresh = course(0.0, patient(findings=read_now))
    np.testing.assert_allclose(worn.of("FWS")[:, 0], fresh.of("FWS")[:, 0], atol=1e-6)
    assert np.median(worn.of("FWS")[:, -1]) > np.median(fresh.of("FWS")[:, -1]) + 0.2


def test_lines_at_rest_select_the_patient() -> None:
    at_rest = [
        np.median(course(20.0, patient(findings=(patient().findings[0], reading))).of("FWS")[:, 2])
        for reading in (Reading(scale="FWS", value=grade, where="rest") for grade in ("0", "2"))
    ]
    assert at_rest[0] < at_rest[1] - 0.3


def test_the_reading_at_contraction_is_needed() -> None:
    for findings in ((), (Reading(scale="FWS", value="1", where="rest"),)):
        with pytest.raises(BadInput, match="maximum contraction is missing"):
            model(patient(findings=findings))
    with pytest.raises(NoEvidence, match="FWS of 0: hardly anybody"):
        model(patient(findings=(Reading(scale="FWS", value="0"),)))
