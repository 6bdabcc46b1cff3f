"""Weak nerve and junction: present in every model, never a better number than in the healthy."""

from pathlib import Path

import numpy as np
import pytest

from openbont.catalog.model import model
from openbont.catalog.muscles import structure
from openbont.catalog.sampling import Reference
from openbont.catalog.weakness import HEALTHY, distant, weakness
from openbont.errors import NoPlan
from openbont.forward.chain import Course, simulate
from openbont.forward.response import Tissue
from openbont.io import load_patient, load_plan
from openbont.patient import Disorder, Patient
from openbont.planning.propose import propose
from openbont.planning.rules import refusals

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
    stage = distant(sampler, (), patient, weakness(sampler, patient))
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
        stage = distant(
            sampler, (structure("brachialis.left"),), patient, weakness(sampler, patient)
        )
        first = type(stage)(**{k: v[0] if k != "measures" else v for k, v in vars(stage).items()})
        seen[name] = np.asarray(first(tissue, day))[:, 0]
    assert seen["healthy"] == pytest.approx([1, 1, 1, 0.95], abs=0.02)
    assert seen["mg"] == pytest.approx([0.81, 0.7, 0.55, 0.2], abs=0.05)
    assert (seen["lems"] < seen["mg"]).all()


@pytest.mark.parametrize(
    "cause", ["ALS", "Amyotrophic Lateral Sclerosis", "motor neuron disease", "bulbar ALS"]
)
def test_a_disease_named_as_the_cause_counts(cause: str) -> None:
    """However it is spelt, and where the cause is free text."""
    named = Disorder(name="dystonia.cervical", cause=cause)
    assert weakness(Reference(), arm(disorder=named)).units < 1
    found = [one for one in refusals(arm(disorder=named)) if one.level == "stop"]
    assert [(one.rule, one.place) for one in found] == [("S07", "patient.disorder.cause")]


def test_no_dose_is_proposed_where_the_cause_is_als() -> None:
    who = load_patient(EXAMPLES / "als_refused" / "patient.yaml")
    with pytest.raises(NoPlan, match="S07"):
        propose(who.model_copy(update={"conditions": ()}), "onabotulinumtoxinA", draws=4)


def test_readings_of_today_start_from_today() -> None:
    """Toxin of six weeks ago is at work: twitching is a share of what it is now."""
    who = load_patient(EXAMPLES / "arm_after_stroke" / "patient.yaml")
    seen = course(who.model_copy(update={"conditions": ("als",)}))
    assert seen.of("twitching")[:, 0] == pytest.approx(1)
    assert (seen.of("dysphagia") >= 1.79).all()


def test_a_weak_neck_swallows_worse_than_a_healthy_one() -> None:
    folder = EXAMPLES / "cervical_dystonia"
    who, plan = load_patient(folder / "patient.yaml"), load_plan(folder / "plan.yaml")
    weak = who.model_copy(update={"conditions": ("myasthenia_gravis",)})
    healthy, worse = (
        simulate(plan, one, model(one, draws=20, seed=1), DAYS).of("dysphagia").mean(0)
        for one in (who, weak)
    )
    assert (worse > healthy + 5).all()


def test_nothing_known_is_healthy() -> None:
    assert weakness(Reference(), arm()) == HEALTHY
    assert weakness(Reference(), None) == HEALTHY
