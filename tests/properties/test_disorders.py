"""What must hold for every modelled disorder, on its example patient."""

import re
from pathlib import Path

import numpy as np
import pytest

from openbont.catalog.disorders import MODELLED
from openbont.catalog.model import model
from openbont.forward.chain import Course, Model, simulate
from openbont.io import load_patient, load_plan
from openbont.patient import Patient
from openbont.plan import Injection, Plan
from openbont.planning.check import check

EXAMPLES = Path(__file__).parents[2] / "examples"
DAYS = (0, 7, 28, 84, 168)


def modelled() -> list[str]:
    """Example folders whose patient has a model and whose plan is not stopped."""
    found = []
    for folder in sorted(EXAMPLES.iterdir()):
        if not (folder / "plan.yaml").exists():
            continue
        patient, plan = load_patient(folder / "patient.yaml"), load_plan(folder / "plan.yaml")
        stopped = any(finding.level == "stop" for finding in check(plan, patient))
        if patient.disorder.name in MODELLED and not stopped:
            found.append(folder.name)
    return found


def dosed(plan: Plan, factor: float) -> Plan:
    """The same plan with every dose times `factor`, in the same volume."""

    def change(injection: Injection, volume_ml: float) -> Injection:
        new = {"dose_u": factor * injection.dose_u, "volume_ml": volume_ml}
        return injection.model_copy(update=new)

    sessions = tuple(
        s.model_copy(update={"injections": tuple(change(i, s.volume_ml(i)) for i in s.injections)})
        for s in plan.sessions
    )
    return plan.model_copy(update={"sessions": sessions})


@pytest.fixture(scope="module", params=modelled())
def case(request: pytest.FixtureRequest) -> tuple[Patient, Plan, Model, Course]:
    folder = EXAMPLES / request.param
    patient, plan = load_patient(folder / "patient.yaml"), load_plan(folder / "plan.yaml")
    basis = model(patient, draws=16, seed=2)
    return patient, plan, basis, simulate(plan, patient, basis, DAYS)


def test_every_modelled_disorder_has_an_example() -> None:
    shown = {load_patient(one).disorder.name for one in EXAMPLES.glob("*/patient.yaml")}
    assert shown == set(MODELLED)


def test_no_dose_is_exactly_the_course_without_toxin(case: tuple) -> None:
    patient, plan, basis, _ = case
    empty, untreated = (
        simulate(one, patient, basis, DAYS).severity for one in (dosed(plan, 0), plan.untreated())
    )
    np.testing.assert_array_equal(empty, untreated)


def test_readings_stay_on_their_scale(case: tuple) -> None:
    *_, course = case
    for number, measure in enumerate(course.measures):
        values = course.severity[:, :, number]
        assert np.isfinite(values).all()
        assert (values >= measure.low - 1e-6).all(), measure
        assert (values <= measure.high + 1e-6).all(), measure


def test_shares_stay_shares(case: tuple) -> None:
    *_, course = case
    for share in (course.intact, course.release):
        assert share.min() >= 0
        assert share.max() <= 1 + 1e-6


def test_more_dose_never_leaves_more_of_what_is_injected(case: tuple) -> None:
    patient, plan, basis, course = case
    more = simulate(dosed(plan, 2), patient, basis, DAYS)
    assert (more.response.drive <= course.response.drive + 1e-3).all()
    assert (more.response.force <= course.response.force + 5e-4).all()


def test_what_no_toxin_reaches_keeps_its_release(case: tuple) -> None:
    *_, course = case
    reached = course.captured.sum(axis=1)[:, None] > 0
    assert (np.where(reached, 1.0, course.release) == 1).all()
    assert (np.where(reached, 1.0, course.intact) == 1).all()


def mirrored(text: str) -> str:
    """Left for right and right for left."""
    return re.sub(r"left|right", lambda found: {"left": "right", "right": "left"}[found[0]], text)


def test_left_and_right_mirror(case: tuple) -> None:
    """The mirrored patient with the mirrored plan reads the same, on the other side."""
    patient, plan, _, course = case
    other = Patient.model_validate_json(mirrored(patient.model_dump_json()))
    turned = Plan.model_validate_json(mirrored(plan.model_dump_json()))
    seen = simulate(turned, other, model(other, draws=16, seed=2), DAYS)
    for measure in course.measures:
        here = course.of(measure.scale, measure.where)
        there = seen.of(measure.scale, mirrored(measure.where))
        np.testing.assert_allclose(there, here, rtol=1e-4, atol=1e-4, err_msg=str(measure))


def test_toxin_helps_the_first_goal(case: tuple) -> None:
    patient, plan, basis, course = case
    untreated = simulate(plan.untreated(), patient, basis, DAYS)
    goal = patient.goals[0]
    treated, without = (
        np.median(one.of(goal.scale, goal.where), axis=0) for one in (course, untreated)
    )
    assert treated[2] < without[2]


def test_the_same_seed_gives_the_same_bytes(case: tuple) -> None:
    patient, plan, _, course = case
    again = simulate(plan, patient, model(patient, draws=16, seed=2), DAYS)
    assert again.severity.tobytes() == course.severity.tobytes()
