"""Hyperhidrosis: sweat of each axilla or palm, how much it troubles, and the grip beneath."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from openbont.anatomy.sites import sites_mm
from openbont.catalog.model import model
from openbont.catalog.muscles import structure
from openbont.errors import NoPlan
from openbont.forward.chain import Course, Model, simulate
from openbont.io import load_patient, load_plan
from openbont.patient import Patient
from openbont.plan import Plan
from openbont.planning.propose import propose

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
    doses = [course(case, factor, factor) for factor in (0, 0.5, 1, 2)]
    for less, more in pairwise(doses):
        for where in (("sweat_mg", LEFT), ("sweat_mg", RIGHT), ("HDSS",)):
            assert (more.of(*where) <= less.of(*where) * (1 + 1e-5)).all()


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


@pytest.mark.parametrize(("where", "count"), [(LEFT, 15), ("palm.left", 23)])
def test_sites_are_one_to_two_centimetres_apart(where: str, count: int) -> None:
    places = sites_mm(structure(where), count)
    apart = np.linalg.norm(places[:, None] - places, axis=-1)
    nearest = np.sort(apart, axis=1)[:, 1]
    assert nearest.min() >= 10
    assert nearest.max() <= 20


PALMAR = FOLDER.parent / "palmar_hyperhidrosis"


def palm(dose_u: float) -> Course:
    """The example with so many units in the left palm, same volume, and none in the right."""
    patient, plan = load_patient(PALMAR / "patient.yaml"), load_plan(PALMAR / "plan.yaml")
    session = plan.sessions[0]
    one = session.injections[0].model_copy(
        update={"dose_u": dose_u, "volume_ml": session.volume_ml(session.injections[0])}
    )
    given = plan.model_copy(
        update={"sessions": (session.model_copy(update={"injections": (one,)}),)}
    )
    return simulate(given, patient, model(patient, draws=16, seed=2), DAYS)


@pytest.fixture(scope="module")
def palms() -> list[Course]:
    return [palm(dose_u) for dose_u in (0.0, 50.0, 144.0)]


def test_a_dry_palm_costs_strength_of_the_thumb(palms: list[Course]) -> None:
    """By spread alone, more with more toxin; 3 U/cm2 leaves 50 to 90 % of it in week 2."""
    for less, more in pairwise(palms):
        for where in (("sweat_mg", "palm.left"), ("strength", "pinch.left")):
            assert (more.of(*where)[:, 1] < less.of(*where)[:, 1]).all()
    assert 0.5 < np.median(palms[-1].of("strength", "pinch.left")[:, 1]) < 0.9
    assert palms[0].of("strength", "pinch.left").min() == 1


def test_the_other_hand_keeps_sweat_and_strength(palms: list[Course]) -> None:
    for where in (("sweat_mg", "palm.right"), ("strength", "pinch.right")):
        np.testing.assert_allclose(palms[-1].of(*where), palms[0].of(*where), rtol=0.02)


def test_the_muscle_lies_beneath_the_skin() -> None:
    """Its surface is 3 to 5 mm below the plane of the sites."""
    muscle, skin = structure("flexor_pollicis_brevis_opponens.left"), structure("palm.left")
    assert 3 <= skin.centre_mm[2] - muscle.node_mm[:, 2].max() <= 5
    assert muscle.kind == "layer"


def test_palms_have_no_label_and_so_no_proposal() -> None:
    with pytest.raises(NoPlan, match="none is proposed"):
        propose(load_patient(PALMAR / "patient.yaml"), "onabotulinumtoxinA")
