"""Spasticity: every reading follows one reflex, and toxin never acts on what is passive."""

from datetime import date

import numpy as np
import pytest

from openbont.catalog.model import model
from openbont.errors import BadInput, NoPlan, UnknownName
from openbont.forward.chain import Course, Model, simulate
from openbont.forward.disorders.attainment import Attainment
from openbont.patient import Disorder, Goal, Patient, Reading
from openbont.plan import Injection, Plan, Session

DAYS = (0, 14, 42, 84, 168)
CALF = ("soleus", "gastrocnemius_medial", "gastrocnemius_lateral", "tibialis_posterior")
ANKLE = "ankle_plantar_flexors"
FINDINGS: dict[tuple[str, str], float | str] = {
    ("MAS", ANKLE): "3",
    ("MAS", "toe_flexors"): "2",
    ("tardieu_R1", ANKLE): -15,
    ("tardieu_R2", ANKLE): 10,
    ("tardieu_X", ANKLE): "3",
    ("DAS", "limb_position"): "2",
    ("pain_NRS", "leg"): 6,
    ("spasms_per_day", "leg"): 10,
    ("clonus_beats", ANKLE): 15,
    ("paresis", "push_off"): 0.2,
    ("dexterity", "push_off"): 0.9,
    ("sensation", "push_off"): 0.75,
}
FALLING = (
    ("MAS", ANKLE),
    ("Ashworth", ANKLE),
    ("resistance", ANKLE),
    ("tardieu_angle", ANKLE),
    ("tardieu_X", ANKLE),
    ("DAS", "limb_position"),
    ("pain_NRS", "leg"),
    ("spasms_per_day", "leg"),
    ("clonus_beats", ANKLE),
    ("active_function", "push_off"),
)
RISING = (("tardieu_R1", ANKLE), ("tardieu_R2", ANKLE))


def patient(
    side: str = "left",
    cause: str = "spinal cord injury",
    findings: dict[tuple[str, str], float | str] = FINDINGS,
    **more: object,
) -> Patient:
    return Patient(
        id="p",
        date=date(2026, 11, 16),
        age_years=40,
        sex="female",
        weight_kg=70,
        disorder=Disorder(
            name="spasticity.lower_limb", cause=cause, side=side, months_since_onset=36
        ),
        findings=tuple(
            Reading(scale=scale, value=value, where=f"{where}.{side}")
            for (scale, where), value in findings.items()
        ),
        goals=(Goal(scale="MAS", where=f"{ANKLE}.{side}", at_most="1"),),
    ).model_copy(update=more)


def plan(of: Patient, dose_u: float) -> Plan:
    injections = tuple(
        Injection(structure=f"{m}.{of.disorder.side}", dose_u=dose_u, sites=3) for m in CALF
    )
    session = Session(
        product="onabotulinumtoxinA", dilution_u_per_ml=dose_u / 1.5 or 50.0, injections=injections
    )
    return Plan(patient="p", disorder=of.disorder.name, date=of.date, sessions=(session,))


def course(of: Patient, dose_u: float, basis: Model | None = None) -> Course:
    return simulate(plan(of, dose_u), of, basis or model(of, draws=24, seed=3), DAYS)


@pytest.fixture(scope="module")
def by_dose() -> list[Course]:
    who = patient()
    basis = model(who, draws=24, seed=3)
    return [course(who, dose_u, basis) for dose_u in (0.0, 25.0, 75.0, 400.0)]


def test_every_recorded_reading_is_predicted(by_dose: list[Course]) -> None:
    predicted = {(one.scale, one.where.split(".")[0]) for one in by_dose[0].measures}
    asked = {key for key in FINDINGS if key[0] not in ("paresis", "dexterity", "sensation")}
    assert asked | set(FALLING) | set(RISING) <= predicted


def test_what_was_not_recorded_is_not_predicted() -> None:
    tone = {key: value for key, value in FINDINGS.items() if key[0] == "MAS"}
    measures = model(patient(findings=tone), draws=2).stages.disorder.measures
    assert {one.scale for one in measures} == {
        "MAS",
        "Ashworth",
        "resistance",
        "gas_T",
        "strength",
    }


@pytest.mark.parametrize("key", FALLING, ids=lambda key: key[0])
def test_more_dose_never_more_of_it(by_dose: list[Course], key: tuple[str, str]) -> None:
    values = [one.of(key[0], f"{key[1]}.left") for one in by_dose]
    assert (np.diff(values, axis=0) <= 1e-6).all()
    assert values[2].mean() < values[0].mean() - 1e-3


@pytest.mark.parametrize("key", RISING, ids=lambda key: key[0])
def test_more_dose_never_less_range(by_dose: list[Course], key: tuple[str, str]) -> None:
    values = [one.of(key[0], f"{key[1]}.left") for one in by_dose]
    assert (np.diff(values, axis=0) >= -1e-6).all()
    assert values[2].mean() > values[0].mean()


def test_catch_moves_far_more_than_slow_range(by_dose: list[Course]) -> None:
    """And it never passes the slow range: the difference stays the dynamic part."""
    catch, reach, dynamic = (
        by_dose[3].of(f"tardieu_{name}", f"{ANKLE}.left") for name in ("R1", "R2", "angle")
    )
    assert (catch[:, 1] + 15 > 3 * (reach[:, 1] - 10)).all()
    assert (reach >= catch).all()
    np.testing.assert_allclose(dynamic, reach - catch, atol=1e-9)


def test_measured_readings_start_as_recorded(by_dose: list[Course]) -> None:
    for scale in ("tardieu_R1", "tardieu_R2", "clonus_beats"):
        recorded = FINDINGS[scale, ANKLE]
        np.testing.assert_allclose(by_dose[2].of(scale, f"{ANKLE}.left")[:, 0], recorded)


def test_full_block_leaves_the_passive_share(by_dose: list[Course]) -> None:
    who = patient()
    passive = np.asarray(model(who, draws=24, seed=3).stages.disorder.passive_share)[:, 0]
    left = by_dose[3].of("resistance", f"{ANKLE}.left")
    assert (left >= passive[:, None] - 1e-9).all()


def test_use_never_rises_above_sensation(by_dose: list[Course]) -> None:
    for one in by_dose:
        assert one.of("active_function", "push_off.left").max() <= 0.75


def test_both_ashworth_scales_are_one_latent(by_dose: list[Course]) -> None:
    both = [by_dose[2].of(scale, f"{ANKLE}.left") for scale in ("MAS", "Ashworth")]
    np.testing.assert_array_equal(*both)
    grades = {one.scale: len(one.grades) for one in by_dose[2].measures if one.where.count(ANKLE)}
    assert (grades["MAS"], grades["Ashworth"]) == (6, 5)


def test_the_other_coding_has_the_same_latent() -> None:
    """A 2 coded 0 to 5 is a 1+."""
    coded = {("MAS_0_5", ANKLE): "2"}
    written = {("MAS", ANKLE): "1+"}
    ours, theirs = (
        model(patient(findings=findings, goals=()), draws=8).stages.disorder.grade
        for findings in (coded, written)
    )
    np.testing.assert_array_equal(ours, theirs)


def test_left_and_right_read_alike(by_dose: list[Course]) -> None:
    right = course(patient("right"), 75.0)
    for name, one in enumerate(right.measures):
        assert one.scale == by_dose[2].measures[name].scale
    np.testing.assert_allclose(right.severity, by_dose[2].severity, rtol=0.02, atol=0.05)


def test_contracture_takes_more_than_half_from_the_toxin() -> None:
    fixed = {**FINDINGS, ("contracture", ANKLE): "fixed"}
    loose = {**FINDINGS, ("contracture", ANKLE): "none"}
    left = [
        course(patient(findings=findings), 100.0).of("resistance", f"{ANKLE}.left")[:, 1].mean()
        for findings in (fixed, loose)
    ]
    assert 1 - left[0] < 0.6 * (1 - left[1])


def test_years_stiffen_a_joint_that_nobody_looked_at() -> None:
    """After brain trauma, where the joint was not examined; after stroke it is taken as it is."""
    early = Disorder(name="spasticity.lower_limb", cause="brain trauma", side="left")
    late = early.model_copy(update={"months_since_onset": 48.0})
    before, after = (
        model(patient(disorder=one), draws=8).stages.disorder.passive_share for one in (early, late)
    )
    np.testing.assert_allclose(after - before, 0.20, atol=1e-6)


def test_a_growing_tumour_adds_tone() -> None:
    stroke, tumour = (course(patient(cause=cause), 0.0) for cause in ("stroke", "tumour"))
    later = [one.of("pain_NRS", "leg.left")[:, -1].mean() for one in (stroke, tumour)]
    assert later[1] > later[0] + 0.1


def test_goal_attainment_is_50_at_the_targets() -> None:
    aims = Attainment(reading=(0, 1), recorded=(3.0, 2.0), target=(1.0, 1.0), weight=(2.0, 1.0))
    scores = np.asarray(aims(np.array([[3.0, 2.0], [1.0, 1.0], [-1.0, 0.0]])))[:, 0]
    assert scores[1] == 50
    assert scores[0] == pytest.approx(50 - 30 / np.sqrt(0.7 * 5 + 0.3 * 9))
    assert scores[0] + scores[2] == pytest.approx(100)


def test_the_other_side_is_not_read() -> None:
    other = Reading(scale="spasms_per_day", value=3, where="leg.right")
    tone = Reading(scale="MAS", value="3", where=f"{ANKLE}.left")
    measures = model(
        patient(findings={}, goals=()).model_copy(update={"findings": (tone, other)}), draws=2
    ).stages.disorder.measures
    assert "spasms_per_day" not in {one.scale for one in measures}


def test_a_domain_of_disability_has_a_name() -> None:
    with pytest.raises(UnknownName, match="hygiene"):
        model(patient(findings={("MAS", ANKLE): "3", ("DAS", "hygene"): "2"}), draws=2)


def test_one_angle_is_enough() -> None:
    catch = {key: value for key, value in FINDINGS.items() if key[0] != "tardieu_R2"}
    seen = course(patient(findings=catch), 0.0)
    np.testing.assert_allclose(seen.of("tardieu_R2", f"{ANKLE}.left")[:, 0], -15 + 20)


def test_doses_are_chosen_for_tone_only() -> None:
    disorder = model(patient(), draws=2).stages.disorder
    at = [one.scale for one in disorder.measures].index("DAS")
    with pytest.raises(NoPlan, match=r"goals on tone, not on DAS limb_position\.left"):
        disorder.drive_after(at, 1.0, 0.5)


def test_a_graded_movement_is_needed() -> None:
    with pytest.raises(BadInput, match="no graded movement"):
        model(patient(findings={}))
