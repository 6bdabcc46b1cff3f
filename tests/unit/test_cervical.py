"""Cervical dystonia: zero dose, more dose, the mirror, the law and its inverse."""

from datetime import date

import equinox as eqx
import jax
import numpy as np
import pytest

from openbont.catalog.model import model
from openbont.catalog.movements import functions
from openbont.errors import BadInput, NoPlan
from openbont.forward.chain import Course, Model, simulate
from openbont.forward.disorders.cervical import Cervical
from openbont.forward.response import Tissue
from openbont.patient import Disorder, Patient, Reading
from openbont.plan import Injection, Plan, Session

DAYS = range(0, 169, 14)
MUSCLES = ("splenius_capitis.left", "levator_scapulae.left", "sternocleidomastoid.right")
OTHER = {"left": "right", "right": "left"}


def patient(**angles: float) -> Patient:
    """Angles by direction, with _ for the dot."""
    held = [
        Reading(scale="head_angle", value=degrees, where=where.replace("_", "."))
        for where, degrees in angles.items()
    ]
    return Patient(
        id="p",
        date=date(2026, 1, 5),
        age_years=52,
        sex="female",
        weight_kg=66,
        disorder=Disorder(name="dystonia.cervical"),
        findings=(Reading(scale="TWSTRS", value=44.0), *held),
    )


PATIENT = patient(rotation_left=35.0, tilt_left=10.0)


def plan(dose_u: float, *muscles: str) -> Plan:
    injections = tuple(Injection(structure=name, dose_u=dose_u, sites=2) for name in muscles)
    session = Session(product="onabotulinumtoxinA", dilution_u_per_ml=50.0, injections=injections)
    return Plan(patient="p", disorder="dystonia.cervical", date=PATIENT.date, sessions=(session,))


def course(given: Plan, of: Patient = PATIENT) -> Course:
    return simulate(given, of, model(of, draws=32, seed=1), DAYS)


@pytest.fixture(scope="module")
def by_dose() -> list[Course]:
    return [course(plan(dose_u, *MUSCLES)) for dose_u in (0.0, 20.0, 40.0, 80.0)]


def test_no_dose_is_the_placebo_course(by_dose: list[Course]) -> None:
    untreated = course(plan(40.0, *MUSCLES).untreated())
    np.testing.assert_array_equal(by_dose[0].severity, untreated.severity)
    np.testing.assert_allclose(by_dose[0].of("head_angle", "rotation.left"), 35.0, rtol=1e-5)
    assert np.median(by_dose[0].of("TWSTRS")[:, 0]) == pytest.approx(44, abs=2.5)


@pytest.mark.parametrize(
    ("scale", "where"),
    [
        ("TWSTRS", ""),
        ("Tsui", ""),
        ("CDSS", ""),
        ("head_angle", "tilt.left"),
        ("strength", "neck_flexion"),
    ],
)
def test_more_dose_never_less_effect(by_dose: list[Course], scale: str, where: str) -> None:
    values = np.array([one.of(scale, where) for one in by_dose])
    assert (np.diff(values, axis=0) <= 1e-4).all()
    assert values[-1, :, 2].mean() < values[0, :, 2].mean()


def test_the_subscales_add_up(by_dose: list[Course]) -> None:
    parts = sum(by_dose[2].of(f"TWSTRS_{one}") for one in ("severity", "disability", "pain"))
    np.testing.assert_allclose(parts, by_dose[2].of("TWSTRS"), atol=1e-3)


def test_left_and_right_mirror() -> None:
    """The mirrored patient with the mirrored plan reads the same."""
    mirrored = [f"{name.split('.')[0]}.{OTHER[name.split('.')[1]]}" for name in MUSCLES]
    one = course(plan(40.0, *MUSCLES))
    other = course(plan(40.0, *mirrored), patient(rotation_right=35.0, tilt_right=10.0))
    for scale in ("TWSTRS", "Tsui", "CDSS", "dysphagia"):
        np.testing.assert_allclose(one.of(scale), other.of(scale), atol=1e-3)
    for side, opposite in OTHER.items():
        ours, theirs = (
            c.of("strength", f"neck_rotation.{s}") for c, s in ((one, side), (other, opposite))
        )
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_a_muscle_that_pulls_the_other_way_leaves_the_posture() -> None:
    """The right splenius turns and tilts to the right; a little spills to its neighbours."""
    seen = course(plan(60.0, "splenius_capitis.right"))
    assert seen.of("head_angle", "rotation.left").min() > 33
    assert seen.of("head_angle", "tilt.left").min() > 9.9
    assert seen.of("strength", "neck_rotation.right").min() < 0.85
    assert seen.of("strength", "neck_rotation.left").min() > 0.95


def test_each_direction_follows_its_own_muscles() -> None:
    """Levator scapulae tilts the head more than it turns it."""
    seen = course(plan(60.0, "levator_scapulae.left"))
    turned, tilted = (seen.of("head_angle", f"{w}.left").mean(0)[2] for w in ("rotation", "tilt"))
    assert tilted / 10 < turned / 35 < 1


def test_sternocleidomastoid_turns_the_chin_to_the_other_side() -> None:
    names = ["sternocleidomastoid.left", "sternocleidomastoid.right"]
    assert functions()["neck_rotation"].row(names, "left").tolist() == [0, 1]
    assert functions()["neck_tilt"].row(names, "left").tolist() == [1, 0]


def test_only_what_reaches_the_pharynx_hinders_swallowing(by_dose: list[Course]) -> None:
    reached = course(plan(20.0, "pharyngeal_constrictors")).of("dysphagia")
    assert reached.max() > 20
    assert np.median(by_dose[3].of("dysphagia").max(1)) < 5


def test_tremor_shrinks_with_the_pull(by_dose: list[Course]) -> None:
    shaking = PATIENT.model_copy(
        update={"findings": (*PATIENT.findings, Reading(scale="tremor", value=8.0))}
    )
    seen = course(plan(40.0, *MUSCLES), shaking).of("tremor")
    np.testing.assert_allclose(seen[:, 0], 8.0, rtol=1e-4)
    assert (seen[:, 2] < 6).all()
    with pytest.raises(KeyError):
        by_dose[0].of("tremor")


def one_draw(of: Model) -> Cervical:
    found = jax.tree.map(lambda leaf: leaf[0], of.stages.disorder)
    assert isinstance(found, Cervical)
    return found


def test_the_drive_that_is_asked_for_gives_the_reading() -> None:
    """`drive_after` is the inverse of the reading, muscle by muscle or all at once."""
    stage = one_draw(model(PATIENT, draws=1, seed=1))
    quiet = eqx.tree_at(lambda s: s.latent_weight, stage, np.zeros_like(stage.latent_weight))
    day, names = np.array([0.0, 28.0]), stage.drive_weight.shape[1]
    for measure in range(len(stage.drive_weight)):
        with jax.enable_x64(True):
            left = float(stage.drive_after(measure, np.array(1.0), np.array(3.0)))
            works = np.stack([np.ones(names), np.full(names, left)])
            readings = quiet(Tissue(works, works, works, works[:, 0]), day, day)
            untouched = stage.shares(Tissue(works, works, works, works[:, 0]), measure)
        assert 0 < left < 1
        assert float(readings[0, measure] - readings[1, measure]) == pytest.approx(3.0, abs=1e-4)
        np.testing.assert_allclose(np.asarray(untouched.sum(1)), [1.0, left], rtol=1e-6)


def test_doses_are_not_chosen_for_strength() -> None:
    stage = one_draw(model(PATIENT, draws=1, seed=1))
    scales = [measure.scale for measure in stage.measures]
    whole = np.ones((1, stage.drive_weight.shape[1]))
    with pytest.raises(NoPlan, match="neck"):
        stage.shares(Tissue(whole, whole, whole, whole[:, 0]), scales.index("strength"))


@pytest.mark.parametrize(
    ("angles", "words"),
    [
        ({}, "no posture of the head"),
        ({"rotation_left": 0.0}, "no posture of the head"),
        ({"rotation_left": 20.0, "rotation_right": 20.0}, "rotation.left and rotation.right"),
        ({"flexion": 10.0, "extension": 10.0}, "flexion and extension"),
        ({"rotation": 20.0}, "rotation.left"),
    ],
)
def test_a_posture_is_needed(angles: dict[str, float], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        model(patient(**angles), draws=1)


def test_the_reading_is_needed() -> None:
    with pytest.raises(BadInput, match="TWSTRS is missing"):
        model(PATIENT.model_copy(update={"findings": PATIENT.findings[1:]}), draws=1)
