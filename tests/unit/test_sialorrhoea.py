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
from openbont.plan import Injection, Plan
from openbont.planning.limits import limits

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
    doses = [course(case, *[factor] * 4) for factor in (0, 0.5, 1, 2)]
    for less, more in pairwise(doses):
        for scale in ("saliva_flow", "dry_mouth"):
            assert (more.of(scale) <= less.of(scale) * (1 + 1e-5)).all()


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


def test_no_model_where_no_label_starts(case: tuple[Patient, Plan, Model]) -> None:
    patient, *_ = case
    with pytest.raises(NoEvidence, match="2 years"):
        model(patient.model_copy(update={"age_years": 1.5}), draws=2, seed=1)


def test_the_glands_of_a_child_grow_with_weight(case: tuple[Patient, Plan, Model]) -> None:
    patient, _, adult = case
    child = model(patient.model_copy(update={"age_years": 9.0, "weight_kg": 25.0}), draws=2)
    for small, large in zip(child.structures, adult.structures, strict=True):
        assert small.volume_cm3 == pytest.approx(large.volume_cm3 / 3)


@pytest.mark.parametrize(("weight_kg", "dose_u"), [(13, 20), (24, 50), (40, 75)])
def test_a_child_of_any_weight_class_is_helped_alike(weight_kg: float, dose_u: float) -> None:
    """The label's doses by weight leave 50 to 75 % of the saliva at week 4."""
    folder = FOLDER.parent / "child_sialorrhoea"
    patient = load_patient(folder / "patient.yaml")
    patient = patient.model_copy(update={"weight_kg": float(weight_kg)})
    pattern = limits(patient, "incobotulinumtoxinA").pattern
    assert sum(one.dose_u for one in pattern) == dose_u
    injections = tuple(
        Injection(structure=one.structure, dose_u=one.dose_u, sites=one.sites) for one in pattern
    )
    plan = load_plan(folder / "plan.yaml")
    session = plan.sessions[0].model_copy(update={"injections": injections})
    given = plan.model_copy(update={"sessions": (session,)})
    left = simulate(given, patient, model(patient, draws=16, seed=2), DAYS).of("dry_mouth")[:, 2]
    assert 0.5 < np.median(left) < 0.75
