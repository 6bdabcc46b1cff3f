"""Weak nerve and junction: present in every model, never a better number than in the healthy."""

from pathlib import Path

import numpy as np
import pytest

from openbont.catalog.model import model
from openbont.catalog.sampling import Reference
from openbont.catalog.weakness import HEALTHY, distant, weakness
from openbont.forward.chain import Course, simulate
from openbont.forward.response import Tissue
from openbont.io import load_patient, load_plan
from openbont.patient import Patient

EXAMPLES = Path(__file__).parents[2] / "examples"
DAYS = (0, 14, 42, 84)
WEAKENING = (
    "amyotrophic_lateral_sclerosis",
    "spinal_muscular_atrophy",
    "motor_neuropathy",
    "myasthenia_gravis",
    "lambert_eaton",
    "botulism",
)


def arm(**changes: object) -> Patient:
    patient = load_patient(EXAMPLES / "arm_after_stroke" / "patient.yaml")
    return patient.model_copy(update={"history": (), **changes})


def course(patient: Patient) -> Course:
    plan = load_plan(EXAMPLES / "arm_after_stroke" / "plan.yaml")
    return simulate(plan, patient, model(patient, draws=20, seed=1), DAYS)


@pytest.fixture(scope="module")
def healthy() -> Course:
    return course(arm())


@pytest.mark.parametrize("condition", WEAKENING)
def test_the_weak_lose_more(healthy: Course, condition: str) -> None:
    weak = course(arm(conditions=(condition,)))
    for scale, where in (("far_strength", ""), ("strength", "grip.left")):
        assert (weak.of(scale, where) <= healthy.of(scale, where) + 1e-6).all()
        assert weak.of(scale, where)[:, 1].mean() < healthy.of(scale, where)[:, 1].mean()
    assert weak.of("dysphagia")[:, 1].mean() > healthy.of("dysphagia")[:, 1].mean()


@pytest.mark.parametrize("medicine", ["gentamicin", "amikacin"])
def test_a_medicine_that_impairs_transmission(healthy: Course, medicine: str) -> None:
    impaired = course(arm(medicines=(medicine,)))
    assert impaired.of("strength", "grip.left").mean() < healthy.of("strength", "grip.left").mean()


def test_motor_neuron_disease_goes_on_without_toxin() -> None:
    """Units die, then strength, bulk and breathing fall: the toxin must not be blamed for it."""
    patient = arm(conditions=("als",))
    untreated = load_plan(EXAMPLES / "arm_after_stroke" / "plan.yaml").untreated()
    seen = simulate(untreated, patient, model(patient, draws=5, seed=1), DAYS)
    for scale in ("far_strength", "far_bulk", "FVC"):
        assert (np.diff(seen.of(scale), axis=1) < 0).all(), scale
    assert seen.of("twitching") == pytest.approx(1)


def test_two_diseases_are_worse_than_either() -> None:
    both = weakness(Reference(), arm(conditions=("als", "myasthenia_gravis")))
    for one in ("als", "myasthenia_gravis"):
        alone = weakness(Reference(), arm(conditions=(one,)))
        assert both.safety_factor < alone.safety_factor
        assert both.units <= alone.units


def test_recorded_breathing_is_where_it_starts() -> None:
    finding = {"scale": "FVC", "value": 62.0}
    patient = Patient.model_validate_json(
        arm(conditions=("als",))
        .model_copy(update={"findings": ()})
        .model_dump_json()
        .replace('"findings":[]', f'"findings":[{str(finding).replace(chr(39), chr(34))}]')
    )
    sampler = Reference()
    stage = distant(sampler, patient, weakness(sampler, patient))
    assert np.asarray(stage.fvc) == pytest.approx(62)


def test_blocked_release_far_away_by_disease() -> None:
    """Share of fibres that fire when distant release is 1, 0.9, 0.8, 0.6 of its own untouched.

    Healthy fibres have a margin; with myasthenia or Lambert-Eaton there is none to lose.
    """
    release = np.array([1.0, 0.9, 0.8, 0.6])
    day = np.arange(4.0)
    tissue = Tissue(*[np.repeat(release[:, None], 2, axis=1)] * 3, jitter=np.ones(4))
    seen = {}
    for name, conditions in {
        "healthy": (),
        "mg": ("myasthenia_gravis",),
        "lems": ("lambert_eaton",),
    }.items():
        sampler = Reference()
        patient = arm(conditions=conditions)
        stage = distant(sampler, patient, weakness(sampler, patient))
        first = type(stage)(**{k: v[0] if k != "measures" else v for k, v in vars(stage).items()})
        seen[name] = np.asarray(first(tissue, day))[:, 0]
    assert seen["healthy"] == pytest.approx([1, 1, 1, 0.95], abs=0.02)
    assert seen["mg"] == pytest.approx([0.81, 0.7, 0.55, 0.2], abs=0.05)
    assert (seen["lems"] < seen["mg"]).all()


def test_nothing_known_is_healthy() -> None:
    assert weakness(Reference(), arm()) == HEALTHY
    assert weakness(Reference(), None) == HEALTHY
