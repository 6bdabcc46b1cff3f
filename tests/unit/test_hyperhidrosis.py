"""Axillary hyperhidrosis: sweat of each axilla and how much it troubles."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from openbont.anatomy.sites import sites_mm
from openbont.catalog.model import model
from openbont.catalog.muscles import structure
from openbont.forward.chain import Course, Model, simulate
from openbont.io import load_patient, load_plan
from openbont.patient import Patient
from openbont.plan import Plan

FOLDER = Path(__file__).parents[2] / "examples" / "axillary_hyperhidrosis"
DAYS = (0, 14, 28, 84, 168)
LEFT, RIGHT = "axilla.left", "axilla.right"


@pytest.fixture(scope="module")
def case() -> tuple[Patient, Plan, Model]:
    patient = load_patient(FOLDER / "patient.yaml")
    return patient, load_plan(FOLDER / "plan.yaml"), model(patient, draws=16, seed=2)


def course(case: tuple[Patient, Plan, Model], left: float, right: float) -> Course:
    """The example with the dose of each axilla times a factor."""
    patient, plan, basis = case
    session = plan.sessions[0]
    factors = {LEFT: left, RIGHT: right}
    injections = tuple(
        one.model_copy(
            update={
                "dose_u": factors[one.structure] * one.dose_u,
                "volume_ml": session.volume_ml(one),
            }
        )
        for one in session.injections
    )
    changed = session.model_copy(update={"injections": injections})
    return simulate(plan.model_copy(update={"sessions": (changed,)}), patient, basis, DAYS)


def test_no_dose_is_placebo_exactly(case: tuple[Patient, Plan, Model]) -> None:
    patient, plan, basis = case
    untreated = simulate(plan.untreated(), patient, basis, DAYS)
    np.testing.assert_array_equal(course(case, 0, 0).severity, untreated.severity)


def test_starts_at_the_readings(case: tuple[Patient, Plan, Model]) -> None:
    treated = course(case, 1, 1)
    np.testing.assert_allclose(treated.of("sweat_mg", LEFT)[:, 0], 190, rtol=1e-5)
    np.testing.assert_allclose(treated.of("sweat_mg", RIGHT)[:, 0], 230, rtol=1e-5)


def test_more_dose_never_sweats_more(case: tuple[Patient, Plan, Model]) -> None:
    doses = [course(case, factor, factor).severity for factor in (0, 0.5, 1, 2)]
    for less, more in pairwise(doses):
        assert (more <= less * (1 + 1e-5)).all()


def test_readings_stay_on_their_scale(case: tuple[Patient, Plan, Model]) -> None:
    treated = course(case, 20, 20)
    for number, measure in enumerate(treated.measures):
        values = treated.severity[:, :, number]
        assert values.min() >= measure.low
        assert values.max() <= measure.high


def test_one_side_leaves_the_other(case: tuple[Patient, Plan, Model]) -> None:
    untreated, left = course(case, 0, 0), course(case, 1, 0)
    np.testing.assert_array_equal(left.of("sweat_mg", RIGHT), untreated.of("sweat_mg", RIGHT))
    assert (left.of("sweat_mg", LEFT)[:, 2] < untreated.of("sweat_mg", LEFT)[:, 2]).all()


def test_left_and_right_mirror(case: tuple[Patient, Plan, Model]) -> None:
    both = course(case, 1, 1)
    np.testing.assert_allclose(
        both.of("sweat_mg", LEFT) / 190, both.of("sweat_mg", RIGHT) / 230, rtol=1e-4
    )
    mirror = np.array([-1.0, 1.0, 1.0])
    left, right = structure(LEFT), structure(RIGHT)
    np.testing.assert_allclose(left.node_mm * mirror, right.node_mm, atol=1e-9)


def test_sites_are_one_to_two_centimetres_apart() -> None:
    places = sites_mm(structure(LEFT), 15)
    apart = np.linalg.norm(places[:, None] - places, axis=-1)
    nearest = np.sort(apart, axis=1)[:, 1]
    assert nearest.min() >= 10
    assert nearest.max() <= 20
