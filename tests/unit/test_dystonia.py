"""Dystonia of limb, hand, voice and whole body: zero dose, the mirror, best doses, what moves."""

from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path

import equinox as eqx
import jax
import numpy as np
import pytest

from openbont.catalog.disorders.dystonia import REGION_MOST
from openbont.catalog.model import model
from openbont.catalog.scales import scale
from openbont.errors import BadInput, NoEvidence, NoPlan, UnknownName
from openbont.forward.chain import Course, simulate
from openbont.forward.disorders.dystonia import LimbDystonia
from openbont.forward.response import Tissue
from openbont.io import load_patient, load_plan
from openbont.patient import Disorder, Patient, Reading
from openbont.plan import Injection, Plan, Session
from openbont.planning.check import check
from openbont.planning.propose import propose

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = ("foot_dystonia", "writers_cramp", "generalised_dystonia", "laryngeal_dystonia")
DAYS = (0, 7, 14, 28, 56, 84, 168)
DRAWS = 40
PEAK = 2


def example(name: str) -> Patient:
    return load_patient(EXAMPLES / name / "patient.yaml")


def patient(disorder: str, *findings: tuple[str, float, str], **changed: float) -> Patient:
    return Patient(
        id="p",
        date=date(2026, 1, 5),
        age_years=changed.get("age_years", 44),
        sex="female",
        weight_kg=66,
        disorder=Disorder(name=disorder, months_since_onset=changed.get("months", 24)),
        findings=tuple(Reading(scale=s, value=v, where=w) for s, v, w in findings),
    )


def course(of: Patient, doses_u: dict[str, float], sites: int = 1) -> Course:
    injections = tuple(
        Injection(structure=name, dose_u=dose_u, sites=sites) for name, dose_u in doses_u.items()
    )
    session = Session(product="onabotulinumtoxinA", dilution_u_per_ml=50.0, injections=injections)
    plan = Plan(patient="p", disorder=of.disorder.name, date=of.date, sessions=(session,))
    return simulate(plan, of, model(of, draws=DRAWS, seed=1), DAYS)


def with_factor(name: str, factor: float) -> Course:
    """An example with its doses times a factor, in the same volume."""
    of, plan = example(name), load_plan(EXAMPLES / name / "plan.yaml")
    session = plan.sessions[0]
    injections = tuple(
        i.model_copy(update={"dose_u": factor * i.dose_u, "volume_ml": session.volume_ml(i)})
        for i in session.injections
    )
    changed = session.model_copy(update={"injections": injections})
    dosed = plan.model_copy(update={"sessions": (changed,)})
    return simulate(dosed, of, model(of, draws=DRAWS, seed=1), DAYS)


dosed = cache(with_factor)


def median(one: Course, on: str, where: str = "") -> np.ndarray:
    return np.asarray(np.median(one.of(on, where), axis=0))


@pytest.mark.parametrize("name", NAMES)
def test_what_toxin_should_lower_falls_with_the_dose(name: str) -> None:
    """All that is neither strength nor a U, draw by draw."""
    falls = {"dystonic_angle", "drags_per_100", "BFMDRS", "BFMDRS_region", "voice_breaks"}
    runs = [dosed(name, factor) for factor in (0.0, 0.5, 1.0, 2.0)]
    for number, measure in enumerate(runs[0].measures):
        if measure.scale in falls | {"writing_trouble", "pain_NRS"}:
            values = np.array([one.severity[:, :, number] for one in runs])
            assert (np.diff(values, axis=0) <= 1e-3).all(), measure


@pytest.mark.parametrize("name", NAMES)
def test_readings_start_where_they_were_recorded(name: str) -> None:
    """Angles and drags exactly, ratings within regression to the mean."""
    one = dosed(name, 0.0)
    for reading in example(name).findings:
        exact = reading.scale in ("dystonic_angle", "drags_per_100")
        allowed = 1e-4 if exact else 0.06 * scale(reading.scale).high
        start = median(one, reading.scale, reading.where)[0]
        assert start == pytest.approx(float(reading.value), abs=allowed)


def test_angles_and_drags_have_no_placebo() -> None:
    one = dosed("foot_dystonia", 0.0)
    for on, where in (("drags_per_100", ""), ("dystonic_angle", "toe_flexors.right")):
        np.testing.assert_allclose(one.of(on, where), one.of(on, where)[:, :1] + 0 * one.day)
    assert np.std(one.of("pain_NRS") - one.of("pain_NRS")[:, :1]) > 0.1


FOOT = ("ankle_plantar_flexors", 30.0), ("ankle_invertors", 15.0), ("toe_flexors", 20.0)


@cache
def foot(side: str) -> Course:
    angles = [("dystonic_angle", value, f"{where}.{side}") for where, value in FOOT]
    who = patient("dystonia.limb", *angles, ("drags_per_100", 30.0, ""))
    return course(
        who, {f"tibialis_posterior.{side}": 60.0, f"flexor_digitorum_longus.{side}": 40.0}
    )


def test_left_and_right_mirror() -> None:
    left, right = foot("left"), foot("right")
    assert [m.where for m in right.measures] == [
        m.where.replace("left", "right") for m in left.measures
    ]
    np.testing.assert_allclose(left.severity, right.severity, atol=1e-3)


def test_each_posture_follows_its_own_muscles() -> None:
    """Neither muscle points the foot down with much strength; they turn it in and curl the toes."""
    seen = foot("left")
    fallen = [1 - median(seen, "dystonic_angle", f"{w}.left")[PEAK] / a for w, a in FOOT]
    assert fallen[0] < 0.07 < fallen[1]
    assert fallen[2] > 0.07
    assert median(seen, "strength", "foot_lift.left")[PEAK] > 0.99


def test_toes_do_not_hinder_the_swing() -> None:
    """Curled toes alone leave the drags as they are, and are no reason to count them."""
    alone = [("dystonic_angle", 30.0, "toe_flexors.left"), ("drags_per_100", 30.0, "")]
    with pytest.raises(BadInput, match="lowers the toes"):
        model(patient("dystonia.limb", *alone), draws=1)
    who = patient("dystonia.limb", *alone, ("dystonic_angle", 20.0, "ankle_plantar_flexors.left"))
    seen = course(who, {"flexor_digitorum_longus.left": 20.0})
    assert median(seen, "drags_per_100")[PEAK] == pytest.approx(30, abs=1)
    assert median(seen, "dystonic_angle", "toe_flexors.left")[PEAK] < 29


def best_in_between(readings: Sequence[float]) -> bool:
    """The best is neither the first nor the last, and both are clearly worse."""
    best = int(np.argmax(readings))
    ends = max(readings[0], readings[-1])
    return 0 < best < len(readings) - 1 and readings[best] > ends + 0.05


def test_quality_of_the_voice_has_a_best_dose() -> None:
    """Too little leaves the strain, too much takes the voice: the dose curve is a U."""
    quality, breathiness = (
        [median(dosed("laryngeal_dystonia", factor), f"voice_{on}")[PEAK] for factor in FACTORS]
        for on in ("quality", "breathiness")
    )
    assert best_in_between(quality)
    assert (np.diff(breathiness) >= 0).all()


FACTORS = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0)


def test_one_fold_is_half_of_the_voice() -> None:
    """One paralysed fold: a quarter of the breaks, and as breathy as half the force allows."""
    who = example("laryngeal_dystonia")
    left, right = (course(who, {f"thyroarytenoid.{side}": 5.0}) for side in ("left", "right"))
    np.testing.assert_allclose(left.severity, right.severity, atol=1e-3)
    assert median(left, "voice_breaks")[PEAK] == pytest.approx(24 / 4, abs=2.5)
    assert 0.2 < median(left, "voice_breathiness")[PEAK] < 0.6


def test_writing_speed_has_a_best_dose() -> None:
    speed = [median(dosed("writers_cramp", factor), "writing_speed")[PEAK] for factor in (0.0, 1.0)]
    hand = ("digitorum_superficialis", "digitorum_profundus", "pollicis_longus")
    much = course(example("writers_cramp"), {f"flexor_{one}.right": 150.0 for one in hand}, 6)
    assert best_in_between([*speed, median(much, "writing_speed")[PEAK]])


def test_a_focal_injection_moves_the_body_little() -> None:
    """The fall of the whole score is the fall of the treated region, which is a part of it."""
    treated, without = (dosed("generalised_dystonia", factor) for factor in (1.0, 0.0))
    fall = {
        (m.scale, m.where): without.of(m.scale, m.where) - treated.of(m.scale, m.where)
        for m in treated.measures
        if m.scale.startswith("BFMDRS")
    }
    own = fall.pop(("BFMDRS_region", "leg.right"))
    whole = fall.pop(("BFMDRS", ""))
    np.testing.assert_allclose(whole, own, atol=1e-3)
    assert len(fall) == len(REGION_MOST) - 1
    assert all(np.abs(other).max() < 1e-4 for other in fall.values())
    share = np.median(own[:, PEAK]) / median(without, "BFMDRS")[0]
    assert 0.02 < share < 12 / 45
    assert median(treated, "BFMDRS")[PEAK] > 0.8 * median(without, "BFMDRS")[PEAK]


def test_regions_are_treated_together() -> None:
    """An arm and the neck, each by its own muscles; the leg that is only scored stays."""
    who = patient(
        "dystonia.generalised",
        ("BFMDRS_region", 9.0, "arm.left"),
        ("BFMDRS_region", 6.0, "neck"),
        ("BFMDRS_region", 9.0, "leg.left"),
        ("dystonic_angle", 40.0, "wrist_flexors.left"),
        ("head_angle", 30.0, "rotation.left"),
    )
    none, arm = (course(who, {"flexor_carpi_ulnaris.left": dose_u}) for dose_u in (0.0, 60.0))
    both = course(who, {"flexor_carpi_ulnaris.left": 60.0, "splenius_capitis.left": 60.0})
    for where, one, other in (("arm.left", arm, none), ("neck", both, arm)):
        change = one.of("BFMDRS_region", where) - other.of("BFMDRS_region", where)
        assert np.median(change[:, PEAK]) < -0.5
    np.testing.assert_array_equal(*(c.of("BFMDRS_region", "leg.left") for c in (none, both)))
    np.testing.assert_allclose(
        both.of("BFMDRS_region", "arm.left"), arm.of("BFMDRS_region", "arm.left")
    )


def test_a_region_reads_no_more_than_it_can_score() -> None:
    """Eyes, mouth and neck count half."""
    who = patient(
        "dystonia.generalised",
        ("dystonic_angle", 30.0, "toe_flexors.left"),
        *(("BFMDRS_region", most, where) for where, most in REGION_MOST.items()),
    )
    seen = course(who, {"flexor_digitorum_longus.left": 0.0})
    for number, measure in enumerate(seen.measures):
        if measure.scale == "BFMDRS_region":
            assert measure.high == REGION_MOST[measure.where]
            assert seen.severity[:, :, number].max() <= measure.high
    assert seen.of("BFMDRS").max() <= sum(REGION_MOST.values())


def one_draw(name: str) -> LimbDystonia:
    found = jax.tree.map(
        lambda leaf: leaf[0], model(example(name), draws=1, seed=1).stages.disorder
    )
    assert isinstance(found, LimbDystonia)
    return found


@pytest.mark.parametrize(
    ("name", "on", "where", "fall"),
    [
        ("foot_dystonia", "dystonic_angle", "toe_flexors.right", 8.0),
        ("foot_dystonia", "drags_per_100", "", 25.0),
        ("writers_cramp", "writing_trouble", "", 2.0),
        ("generalised_dystonia", "BFMDRS_region", "leg.right", 4.0),
        ("generalised_dystonia", "BFMDRS", "", 4.0),
    ],
)
def test_the_drive_that_is_asked_for_gives_the_reading(
    name: str, on: str, where: str, fall: float
) -> None:
    """`drive_after` is the inverse of the reading."""
    stage = one_draw(name)
    number = [(m.scale, m.where) for m in stage.measures].index((on, where))
    day, width = np.array([0.0, 28.0]), stage.drive_weight.shape[1]
    quiet = eqx.tree_at(lambda s: s.latent_weight, stage, np.zeros_like(stage.latent_weight))
    with jax.enable_x64(True):
        whole = np.ones((1, width))
        drive = float(stage.shares(Tissue(whole, whole, whole, whole[:, 0]), number).sum())
        left = float(stage.drive_after(number, np.array(drive), np.array(fall)))
        works = np.stack([np.ones(width), np.full(width, left / drive)])
        reading = np.asarray(quiet(Tissue(works, works, works, works[:, 0]), day, day))[:, number]
    assert 0 < left < drive
    assert reading[0] - reading[1] == pytest.approx(fall, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "on"),
    [("writers_cramp", "writing_speed"), ("foot_dystonia", "strength")],
)
def test_doses_are_not_chosen_for_speed_and_strength(name: str, on: str) -> None:
    stage = one_draw(name)
    whole = np.ones((1, stage.drive_weight.shape[1]))
    number = [m.scale for m in stage.measures].index(on)
    with pytest.raises(NoPlan):
        stage.shares(Tissue(whole, whole, whole, whole[:, 0]), number)


@pytest.mark.parametrize("name", NAMES)
def test_off_label_warns_and_is_not_proposed(name: str) -> None:
    of, plan = example(name), load_plan(EXAMPLES / name / "plan.yaml")
    found = check(plan, of)
    assert "L01" in [finding.rule for finding in found if finding.level == "warn"]
    assert not [finding for finding in found if finding.level == "stop"]
    with pytest.raises(NoPlan, match="dose by muscle"):
        propose(of, "onabotulinumtoxinA")


def spread_and_stay(age_years: float, months: float) -> tuple[float, float]:
    who = patient(
        "dystonia.limb",
        ("dystonic_angle", 30.0, "toe_flexors.left"),
        age_years=age_years,
        months=months,
    )
    seen = course(who, {"flexor_digitorum_longus.left": 50.0})
    return float(seen.of("spread_risk")[0, 0]), float(seen.of("persistence")[0, 0])


def test_onset_in_childhood_spreads_more_and_in_the_first_years() -> None:
    child, adult = spread_and_stay(8, 0), spread_and_stay(50, 0)
    assert child[0] > 2.5 * adult[0]
    assert spread_and_stay(58, 96)[0] < 0.1 * adult[0] < spread_and_stay(52, 24)[0]
    assert child[1] < 100
    assert spread_and_stay(58, 96)[1] > adult[1]


def test_five_years_add_up_to_what_was_seen() -> None:
    """Without remission; the chances of each year are multiplied."""
    stays = np.prod([1 - spread_and_stay(8 + year, 12 * year)[0] / 100 for year in range(5)])
    assert 1 - stays == pytest.approx(0.55, abs=0.05)


def test_the_course_is_told_only_where_onset_is_known() -> None:
    who = example("cervical_dystonia")
    unknown = who.model_copy(update={"disorder": Disorder(name="dystonia.cervical")})
    told, untold = ([m.scale for m in model(w, draws=1).stages.measures] for w in (who, unknown))
    assert set(told) - set(untold) == {"spread_risk", "persistence"}


def test_no_spread_is_told_where_several_regions_are_affected() -> None:
    """Remission alone: twelve in a hundred of the first five years, by year."""
    who = example("generalised_dystonia")
    young = who.model_copy(
        update={"disorder": who.disorder.model_copy(update={"months_since_onset": 0.0})}
    )
    seen = course(young, {"tibialis_posterior.right": 0.0})
    assert "spread_risk" not in [m.scale for m in seen.measures]
    remission, fade_year = 0.12, 2.5
    first = (1 - np.exp(-1 / fade_year)) / (1 - np.exp(-5 / fade_year))
    stays = 100 * (1 - remission) ** first
    assert seen.of("persistence")[:, 0] == pytest.approx(stays, rel=1e-4)


def test_onset_is_not_before_birth() -> None:
    """An age in whole years leaves room up to the next birthday."""
    findings = [("dystonic_angle", 30.0, "toe_flexors.left")]
    with pytest.raises(BadInput, match=r"disorder\.months_since_onset: 1200 months .* at most 624"):
        model(patient("dystonia.limb", *findings, age_years=52, months=1200), draws=1)
    assert model(patient("dystonia.limb", *findings, age_years=8, months=103), draws=1)


@pytest.mark.parametrize("name", ["foot_dystonia", "writers_cramp"])
@pytest.mark.parametrize("said", ["left", "both"])
def test_the_side_is_that_of_the_findings(name: str, said: str) -> None:
    who = example(name)
    disorder = who.disorder.model_copy(update={"side": said})
    with pytest.raises(BadInput, match=rf"disorder\.side: {said}, .*; write side: right"):
        model(who.model_copy(update={"disorder": disorder}), draws=1)


def test_the_folds_of_a_child_are_not_modelled() -> None:
    child = example("laryngeal_dystonia").model_copy(update={"age_years": 12})
    with pytest.raises(NoEvidence, match="of a child"):
        model(child, draws=1)


@pytest.mark.parametrize(
    ("disorder", "findings", "words"),
    [
        ("dystonia.limb", [], "no posture of a joint"),
        ("dystonia.limb", [("dystonic_angle", 0.0, "toe_flexors.left")], "no posture of a joint"),
        (
            "dystonia.limb",
            [("dystonic_angle", 9.0, f"toe_flexors.{side}") for side in ("left", "right")],
            r"leg\.left and leg\.right",
        ),
        ("dystonia.limb", [("dystonic_angle", 9.0, "toe_flexors")], "toe_flexors.left"),
        ("dystonia.writers_cramp", [("dystonic_angle", 9.0, "toe_flexors.left")], "toe_flexors"),
        (
            "dystonia.writers_cramp",
            [("dystonic_angle", 9.0, "wrist_flexors.left")],
            "writing_trouble is missing",
        ),
        ("dystonia.generalised", [("BFMDRS_region", 9.0, "leg.left")], "no posture of a joint"),
        (
            "dystonia.generalised",
            [("dystonic_angle", 9.0, "toe_flexors.left")],
            "no region has a BFMDRS score",
        ),
        (
            "dystonia.generalised",
            [("dystonic_angle", 9.0, "toe_flexors.left"), ("BFMDRS_region", 9.0, "eyes")],
            "0 to 8",
        ),
        (
            "dystonia.generalised",
            [("dystonic_angle", 9.0, "toe_flexors.left"), ("BFMDRS_region", 9.0, "leg")],
            "leg.left",
        ),
        ("dystonia.laryngeal", [], "voice_breaks is missing"),
    ],
)
def test_what_is_missing_or_wrong_is_said(
    disorder: str, findings: list[tuple[str, float, str]], words: str
) -> None:
    with pytest.raises((BadInput, UnknownName), match=words):
        model(patient(disorder, *findings), draws=1)
