"""What holds for every plan: zero is zero, more is more, sides mirror, shares stay shares."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Array

from openbont.anatomy.structure import Structure
from openbont.catalog import model as catalog
from openbont.catalog.muscles import structure
from openbont.catalog.sampling import Sampler
from openbont.catalog.weakness import HEALTHY, distant
from openbont.errors import UnitMismatch
from openbont.forward.arrays import Sessions, body
from openbont.forward.chain import Course, Model, Stages, simulate
from openbont.forward.disorders.interface import Disorder, Measure, NaturalCourse
from openbont.forward.response import Tissue
from openbont.io import load_patient, load_plan
from openbont.patient import Patient
from openbont.plan import Plan
from openbont.product import Dose
from tests import cases

EXAMPLES = Path(__file__).parents[2] / "examples"
DRAWS = 12
DAYS = range(0, 169, 7)
ARM_DOSES = {
    "flexor_carpi_radialis.left": (40.0, 1),
    "biceps_brachii.left": (60.0, 2),
    "flexor_digitorum_profundus.left": (50.0, 1),
}
FEW = settings(max_examples=5)


class Unread(Disorder):
    """A disorder without readings: the tissue alone is looked at."""

    scale: Array
    measures: tuple[Measure, ...] = eqx.field(static=True, default=())

    def __call__(self, tissue: Tissue, day: Any, since_day: Any) -> Array:
        return jnp.zeros((len(day), 0))


@cache
def tissue_model(structures: tuple[Structure, ...], draws: int = DRAWS, seed: int = 1) -> Model:
    sampler = Sampler(draws, seed)
    stages = Stages(
        catalog.immunity(sampler),
        catalog.spread(sampler),
        catalog.kinetics(sampler, structures),
        catalog.release(sampler),
        catalog.response(sampler, structures),
        Unread(np.zeros(draws)),
        distant(sampler, structures, None, HEALTHY),
    )
    return Model(stages, body(structures), structures, catalog.PRODUCTS, ())


@cache
def example(name: str) -> tuple[Patient, Plan, Model]:
    patient = load_patient(EXAMPLES / name / "patient.yaml")
    plan = load_plan(EXAMPLES / name / "plan.yaml")
    return patient, plan, catalog.model(patient, DRAWS, seed=1)


def run(plan: Plan, patient: Patient, model: Model) -> Course:
    return simulate(plan, patient, model, DAYS)


def same_bytes(one: Course, other: Course) -> bool:
    return all(
        np.asarray(a).tobytes() == np.asarray(b).tobytes()
        for a, b in zip(*map(stages_of, (one, other)), strict=True)
    )


def stages_of(course: Course) -> list[Any]:
    tissue = course.response
    return [
        *(course.day, course.captured, course.intact, course.release, course.severity),
        *(tissue.twitch, tissue.force, tissue.drive, tissue.jitter),
    ]


# --- zero -----------------------------------------------------------------------------------


def test_zero_dose_is_the_course_without_toxin() -> None:
    """No matter which product, muscles and sites: every byte is the same."""
    patient, plan = cases.patient(), cases.plan(ARM_DOSES)
    model = catalog.model(patient, DRAWS)
    elsewhere = cases.plan({"brachialis.left": (0.0, 3)}, product=cases.ABO)
    one, other = run(plan.untreated(), patient, model), run(elsewhere, patient, model)
    assert (one.captured == 0).all()
    assert all((share == 1).all() for share in (one.intact, one.release, one.response.drive))
    assert one.response.force == pytest.approx(1, abs=1e-15)
    assert one.severity.tobytes() == other.severity.tobytes()
    assert one.response.force.tobytes() == other.response.force.tobytes()


def test_placebo_wanes_after_each_session_and_comes_back_with_the_next() -> None:
    sessions = Sessions(np.array([-100.0, 0.0, 84.0]), np.zeros(3, int))
    day = np.array([-10.0, 0.0, 28.0, 83.0, 84.0, 112.0])
    still, none = np.zeros((1, 12)), np.zeros(1)
    course = NaturalCourse(2.0, 10.0, 0.012, none, still, 0.0, 90.0)
    since = np.asarray(sessions.since(day))
    relief = -np.asarray(course(day, since))[:, 0]
    assert since.tolist() == [0, 0, 28, 83, 0, 28]
    assert relief[:2].tolist() == [0, 0]
    assert 0.5 < relief[3] < relief[2] < relief[5] < relief[4] <= 2


# --- more is more -----------------------------------------------------------------------------


@FEW
@given(dose_u=st.floats(0, 300), factor=st.floats(1, 4))
def test_more_dose_in_the_same_volume_never_blocks_less(dose_u: float, factor: float) -> None:
    """Intact SNARE to rounding. An ending that is blocked earlier sprouts earlier, so that in the
    first weeks more toxin can leave up to 6e-4 more release, and 3e-6 more force.
    """
    less, more = (ladder(dose_u * by) for by in (1.0, factor))
    assert (more.intact <= less.intact + 1e-15).all()
    assert (more.release <= less.release + 1e-3).all()
    assert (more.response.force <= less.response.force + 1e-5).all()
    assert (more.response.twitch <= less.response.twitch + 1e-8).all()


@given(exponents=st.lists(st.floats(-6, 4), min_size=2, max_size=6))
def test_an_ending_takes_up_more_of_more_but_never_beyond_its_limit(exponents: list[float]) -> None:
    kinetics = tissue_model(arm("left")).stages.kinetics
    one = jax.tree.map(lambda leaf: leaf[0], kinetics)
    captured = 10.0 ** np.sort(exponents)
    at_once = Sessions(np.zeros(1), np.zeros(1, int))
    taken = np.asarray(one.taken_up(captured[None, :, None], at_once))[0, :, 0]
    loads = float(one.potency_cm3_per_u[0]) * taken
    assert (taken <= captured).all()
    assert (np.diff(taken) >= 0).all()
    assert (loads <= one.uptake_limit).all()
    assert taken[0] == pytest.approx(captured[0], rel=0.2 * captured[0])


def ladder(dose_u: float) -> Course:
    """One session of `dose_u` in each muscle, always 1 mL."""
    doses = dict.fromkeys(ARM_DOSES, (dose_u, 2))
    plan = cases.plan(doses, dilution_u_per_ml=max(dose_u, 1e-6))
    return run(plan, cases.patient(), tissue_model(arm("left")))


@cache
def arm(side: str) -> tuple[Structure, ...]:
    names = ("flexor_carpi_radialis", "biceps_brachii", "flexor_digitorum_profundus", "brachialis")
    return tuple(structure(f"{name}.{side}") for name in names)


# --- products -------------------------------------------------------------------------------


@given(a=st.floats(0, 1e4), b=st.floats(0, 1e4))
def test_units_of_two_products_never_add(a: float, b: float) -> None:
    one, other = Dose(a, cases.ONA), Dose(b, cases.ABO)
    for meet in (Dose.__add__, Dose.__sub__, Dose.__lt__, Dose.__le__, Dose.__gt__, Dose.__ge__):
        with pytest.raises(UnitMismatch):
            meet(one, other)


@given(a=st.floats(0, 1e3), b=st.floats(0, 1e3), c=st.floats(0, 1e3))
def test_a_plan_keeps_a_total_for_each_product(a: float, b: float, c: float) -> None:
    one = cases.plan({"biceps_brachii.left": a}).sessions[0]
    other = cases.plan({"biceps_brachii.left": b}, product=cases.ABO).sessions[0]
    third = cases.plan({"biceps_brachii.left": c}).sessions[0]
    plan = cases.plan({"biceps_brachii.left": a}, sessions=(one, other, third))
    assert plan.totals() == {cases.ONA: Dose(a + c, cases.ONA), cases.ABO: Dose(b, cases.ABO)}


# --- space ----------------------------------------------------------------------------------


def test_left_and_right_arm_are_the_same() -> None:
    left, right = (one_arm(side) for side in ("left", "right"))
    assert same_bytes(left, right)


def one_arm(side: str) -> Course:
    doses: Any = {name.replace("left", side): dose for name, dose in ARM_DOSES.items()}
    return run(cases.plan(doses), cases.patient(), tissue_model(arm(side)))


@pytest.mark.parametrize("name", ["frontalis", "temporalis", "trapezius"])
def test_left_and_right_of_the_head_mirror(name: str) -> None:
    """Paired structures only: nodes of a midline structure lie unevenly about the midline."""
    patient, _, model = example("chronic_migraine")
    courses = [run(cases.plan({f"{name}.{s}": (10, 2)}), patient, model) for s in SIDES]
    swapped = [courses[1].structures.index(mirrored(s)) for s in courses[0].structures]
    paired = [n for n, s in enumerate(courses[0].structures) if mirrored(s) != s]
    left, right = courses[0].release[:, :, paired], courses[1].release[:, :, swapped][:, :, paired]
    assert left.tobytes() == right.tobytes()
    assert left.min() < 0.5


SIDES = ("left", "right")


def mirrored(name: str) -> str:
    swap = {"left": "right", "right": "left"}
    base, _, side = name.rpartition(".")
    return f"{base}.{swap[side]}" if side in swap else name


@FEW
@given(
    shift_mm=st.tuples(*[st.floats(-500, 500)] * 3),
    turn=st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1),
)
def test_moving_body_and_sites_together_changes_nothing(
    shift_mm: tuple[float, ...], turn: tuple[float, ...]
) -> None:
    rotation = rotation_of(np.array(turn))
    moved = tuple(
        replace(
            s,
            centre_mm=rotation @ s.centre_mm + shift_mm,
            frame=s.frame @ rotation.T,
            plate_mm=s.node_mm @ rotation.T + np.array(shift_mm),
        )
        for s in arm("left")
    )
    plan = cases.plan(ARM_DOSES)
    model = tissue_model(arm("left"))
    there = eqx.tree_at(lambda m: m.body, replace_structures(model, moved), body(moved))
    here, gone = (run(plan, cases.patient(), m).release for m in (model, there))
    assert np.abs(here - gone).max() < 1e-9


def rotation_of(quaternion: np.ndarray) -> np.ndarray:
    w, *v = quaternion / np.linalg.norm(quaternion)
    cross = np.cross(np.eye(3), v)
    rotation: np.ndarray = np.eye(3) + 2 * w * cross + 2 * cross @ cross
    return rotation


def replace_structures(model: Model, structures: tuple[Structure, ...]) -> Model:
    return Model(model.stages, model.body, structures, model.products, model.rests_on)


def test_a_structure_of_another_region_is_not_reached() -> None:
    both = (*arm("left"), *arm("right"))
    course = run(cases.plan({"biceps_brachii.left": 300}), cases.patient(), tissue_model(both))
    other = [n for n, name in enumerate(course.structures) if name.endswith(".right")]
    assert (course.release[:, :, other] == 1).all()
    assert course.release[:, :, course.structures.index("brachialis.left")].min() < 0.99


# --- draws ----------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes() -> None:
    patient, plan, model = example("arm_after_stroke")
    again = catalog.model(patient, DRAWS, seed=1)
    other = catalog.model(patient, DRAWS, seed=2)
    assert same_bytes(run(plan, patient, model), run(plan, patient, again))
    assert not same_bytes(run(plan, patient, model), run(plan, patient, other))


def test_the_first_tissues_do_not_depend_on_how_many_are_drawn() -> None:
    plan, patient = cases.plan(ARM_DOSES), cases.patient()
    few, many = (run(plan, patient, tissue_model(arm("left"), n)) for n in (3, 9))
    for one, other in zip(stages_of(few)[1:], stages_of(many)[1:], strict=True):
        assert one == pytest.approx(other[:3], rel=1e-12, abs=1e-15)


# --- shares and scales ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["arm_after_stroke", "chronic_migraine"])
@FEW
@given(factor=st.floats(0, 4))
def test_shares_stay_shares_and_readings_on_their_scale(name: str, factor: float) -> None:
    patient, plan, model = example(name)
    course = run(twice(plan, factor), patient, model)
    tissue = course.response
    shares = (course.intact, course.release, tissue.twitch, tissue.force, tissue.drive)
    assert all(((share >= 0) & (share <= 1)).all() for share in shares)
    assert (tissue.jitter >= 1).all()
    for number, measure in enumerate(course.measures):
        readings = course.severity[:, :, number]
        assert measure.low <= readings.min(), measure
        assert readings.max() <= measure.high, measure


def twice(plan: Plan, factor: float) -> Plan:
    """The plan's session with `factor` times its doses, and the same again after 12 weeks."""
    first = plan.sessions[0]
    doses = tuple(i.model_copy(update={"dose_u": i.dose_u * factor}) for i in first.injections)
    once = first.model_copy(update={"injections": doses})
    return plan.model_copy(update={"sessions": (once, once.model_copy(update={"day": 84}))})
