"""Sialorrhoea: flow of four glands, and the mouth that may get too dry."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from openbont.catalog.model import model
from openbont.errors import NoEvidence
from openbont.forward.chain import Course, Model, simulate
from openbont.io import load_patient, load_plan
from openbont.patient import Patient
from openbont.plan import Plan

FOLDER = Path(__file__).parents[2] / "examples" / "sialorrhoea"
DAYS = (0, 14, 28, 84, 168)
GLANDS = ("parotid.left", "parotid.right", "submandibular.left", "submandibular.right")


@pytest.fixture(scope="module")
def case() -> tuple[Patient, Plan, Model]:
    patient = load_patient(FOLDER / "patient.yaml")
    return patient, load_plan(FOLDER / "plan.yaml"), model(patient, draws=16, seed=2)


def course(case: tuple[Patient, Plan, Model], *factors: float) -> Course:
    """The example with the dose of each gland times a factor."""
    patient, plan, basis = case
    session = plan.sessions[0]
    injections = tuple(
        one.model_copy(update={"dose_u": factor * one.dose_u, "volume_ml": session.volume_ml(one)})
        for one, factor in zip(session.injections, factors, strict=True)
    )
    changed = session.model_copy(update={"injections": injections})
    return simulate(plan.model_copy(update={"sessions": (changed,)}), patient, basis, DAYS)


def test_no_dose_is_placebo_exactly(case: tuple[Patient, Plan, Model]) -> None:
    patient, plan, basis = case
    untreated = simulate(plan.untreated(), patient, basis, DAYS)
    np.testing.assert_array_equal(course(case, 0, 0, 0, 0).severity, untreated.severity)
    assert (untreated.of("dry_mouth") == 1).all()


def test_more_dose_never_leaves_more_saliva(case: tuple[Patient, Plan, Model]) -> None:
    doses = [course(case, *[factor] * 4).severity for factor in (0, 0.5, 1, 2)]
    for less, more in pairwise(doses):
        assert (more <= less * (1 + 1e-5)).all()


def test_readings_stay_on_their_scale(case: tuple[Patient, Plan, Model]) -> None:
    treated = course(case, 20, 20, 20, 20)
    for number, measure in enumerate(treated.measures):
        values = treated.severity[:, :, number]
        assert values.min() >= measure.low
        assert values.max() <= measure.high


def test_left_and_right_are_alike(case: tuple[Patient, Plan, Model]) -> None:
    left, right = course(case, 1, 0, 1, 0), course(case, 0, 1, 0, 1)
    np.testing.assert_allclose(left.severity, right.severity, rtol=1e-4)


@pytest.mark.parametrize("injected", GLANDS)
def test_other_glands_keep_their_release(case: tuple[Patient, Plan, Model], injected: str) -> None:
    treated = course(case, *[float(gland == injected) for gland in GLANDS])
    for number, gland in enumerate(treated.structures[:-1]):
        drive = treated.response.drive[:, :, number]
        if gland == injected:
            assert drive[:, 2].max() < 0.95
        else:
            np.testing.assert_allclose(drive, 1.0, atol=1e-3)


def test_a_child_has_no_model(case: tuple[Patient, Plan, Model]) -> None:
    patient, *_ = case
    with pytest.raises(NoEvidence, match="children"):
        model(patient.model_copy(update={"age_years": 9.0}), draws=2, seed=1)
