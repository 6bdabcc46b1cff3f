"""Crow's feet, forehead and platysma: zero dose, more dose, sides, brows, own grade."""

from datetime import date

import numpy as np
import pytest

from openbont.catalog.model import model
from openbont.catalog.muscles import landmarks, structure
from openbont.errors import BadInput
from openbont.forward.chain import Course, simulate
from openbont.patient import Disorder, PastSession, Patient, Reading
from openbont.plan import Injection, Plan, Session

DAYS = range(0, 169, 28)
REGIONS = {
    "lateral_canthal": ("FWS", {"orbicularis_oculi": (12.0, 3)}),
    "forehead": ("FWS", {"frontalis": (10.0, 2)}),
    "platysma": ("C-APPS", {"platysma": (13.0, 9)}),
}


def patient(region: str, **changes: object) -> Patient:
    return Patient(
        id="p",
        date=date(2026, 1, 5),
        age_years=46,
        sex="female",
        weight_kg=65,
        disorder=Disorder(name=f"facial_lines.{region}"),
        findings=(Reading(scale=REGIONS[region][0], value="3"),),
    ).model_copy(update=changes)


def course(
    region: str,
    factor: float,
    sides: tuple[str, ...] = ("left", "right"),
    who: Patient | None = None,
    beside: tuple[Injection, ...] = (),
) -> Course:
    who = who or patient(region)
    injections = tuple(
        Injection(structure=f"{muscle}.{side}", dose_u=factor * dose_u, sites=sites)
        for muscle, (dose_u, sites) in REGIONS[region][1].items()
        for side in sides
    )
    session = Session(
        product="onabotulinumtoxinA",
        dilution_u_per_ml=40 * factor or 40.0,  # the same volume at any dose
        injections=(*injections, *beside),
    )
    plan = Plan(patient="p", disorder=who.disorder.name, date=who.date, sessions=(session,))
    return simulate(plan, who, model(who, draws=40, seed=1), DAYS)


def lines(of: Course, where: str = "") -> np.ndarray:
    return of.of(of.measures[0].scale, where)


@pytest.fixture(scope="module", params=REGIONS)
def by_dose(request: pytest.FixtureRequest) -> list[Course]:
    return [course(request.param, factor) for factor in (0.0, 0.5, 1.0, 2.0)]


def test_no_dose_leaves_only_placebo_and_fluctuation(by_dose: list[Course]) -> None:
    untreated = by_dose[0]
    assert np.ptp(lines(untreated, "rest"), axis=1).max() < 1e-5
    change = np.median(lines(untreated) - lines(untreated)[:, :1], axis=0)
    assert np.abs(change).max() < 0.4
    own = np.median(lines(untreated, "subject") - lines(untreated), axis=0)
    assert own[0] == pytest.approx(0.0)
    assert -0.3 < own[-1] < 0.1
    for measure in untreated.measures:
        if measure.scale == "brow_height":
            assert np.abs(untreated.of(measure.scale, measure.where)).max() < 1e-5


def test_more_dose_never_deeper_lines(by_dose: list[Course]) -> None:
    for where in ("", "subject", "rest"):
        assert (np.diff([lines(one, where) for one in by_dose], axis=0) <= 1e-3).all()
    assert np.median(lines(by_dose[2])[:, 1]) < np.median(lines(by_dose[0])[:, 1]) - 0.8


def test_grades_stay_on_the_scale(by_dose: list[Course]) -> None:
    rater = by_dose[3].measures[0]
    values = np.stack([lines(by_dose[3], where) for where in ("", "subject", "rest")])
    assert rater.low <= values.min()
    assert values.max() <= rater.high


@pytest.mark.parametrize("region", REGIONS)
def test_one_side_leaves_the_other(region: str) -> None:
    one = course(region, 1.0, ("left",))
    (muscle,) = REGIONS[region][1]
    left, right = (one.structures.index(f"{muscle}.{side}") for side in ("left", "right"))
    assert np.median(one.response.force[:, 1, left]) < 0.8
    assert one.response.force[:, 1, right].min() > 0.97


def test_brow_falls_without_frontalis_and_less_with_the_glabella() -> None:
    alone = course("forehead", 1.0)
    frown = tuple(
        Injection(structure=f"corrugator.{side}", dose_u=8.0, sites=2) for side in ("left", "right")
    )
    both = course("forehead", 1.0, beside=frown)
    fall, less = (np.median(one.of("brow_height", "brow.left")[:, 1]) for one in (alone, both))
    assert fall < less - 0.5
    assert fall < -1


def test_one_frontalis_lowers_one_brow() -> None:
    one = course("forehead", 1.0, ("left",))
    assert np.median(one.of("brow_height", "brow.left")[:, 1]) < -1
    assert np.abs(one.of("brow_height", "brow.right")).max() < 0.2


def test_crows_feet_lift_the_brow_a_little() -> None:
    brow = course("lateral_canthal", 1.0).of("brow_height", "brow.right")
    assert 0.1 < np.median(brow[:, 1]) < 0.6


def test_a_brow_moves_from_where_it_is_with_earlier_toxin() -> None:
    """Ten weeks after a session the brow is still low, and comes up again."""
    past = PastSession(
        date=date(2025, 10, 27),
        clinic="skin",
        product="onabotulinumtoxinA",
        disorder="facial_lines.forehead",
        total_u=20.0,
        injections=tuple(
            Injection(structure=f"frontalis.{side}", dose_u=10.0, sites=2)
            for side in ("left", "right")
        ),
    )
    brow = course("forehead", 0.0, who=patient("forehead", history=(past,))).of(
        "brow_height", "brow.left"
    )
    np.testing.assert_allclose(brow[:, 0], 0.0, atol=1e-6)
    assert np.median(brow[:, -1]) > 0.3


def test_the_patients_own_grade_selects() -> None:
    rater = Reading(scale="FWS", value="2")
    own = [Reading(scale="FWS", value=grade, where="subject") for grade in ("1", "3")]
    low, high = (
        np.median(
            lines(course("forehead", 0.0, who=patient("forehead", findings=(rater, one))))[:, 0]
        )
        for one in own
    )
    assert low < high - 0.2


def test_the_raters_grade_is_needed() -> None:
    own = (Reading(scale="FWS", value="2", where="subject"),)
    for region in ("lateral_canthal", "forehead"):
        with pytest.raises(BadInput, match="maximum contraction is missing"):
            model(patient(region, findings=own))
    with pytest.raises(BadInput, match="C-APPS at maximum contraction"):
        model(patient("platysma", findings=()))


def test_a_layer_has_other_sites_within_a_disorder() -> None:
    name = "orbicularis_oculi.left"
    assert "canthus" in landmarks(name, 3, "facial_lines.lateral_canthal")[0]
    assert "upper lid" in landmarks(name, 3)[0]
    part, ring = structure(name, "facial_lines.lateral_canthal"), structure(name)
    assert part.volume_cm3 < ring.volume_cm3
    assert part.centre_mm[0] > ring.centre_mm[0]
