"""The bladder: which readings are predicted, and what each follows."""

from datetime import date, timedelta

import numpy as np
import pytest

from openbont.anatomy.sites import sites_mm
from openbont.catalog.model import model
from openbont.catalog.muscles import landmarks, structure
from openbont.errors import BadInput, NoEvidence
from openbont.forward.chain import Course, simulate
from openbont.patient import Disorder, PastSession, Patient, Reading
from openbont.plan import Injection, Plan, Session

DAYS = (0, 14, 42, 84, 168)


def patient(name: str = "bladder.neurogenic", pvr_ml: float = 20, **changes: object) -> Patient:
    read = {"UI_per_day": 4.5, "bladder_capacity": 260, "detrusor_pressure": 60, "PVR": pvr_ml}
    return Patient(
        id="p",
        date=date(2026, 1, 5),
        age_years=50,
        sex="female",
        weight_kg=65,
        disorder=Disorder(name=name),
        findings=tuple(Reading(scale=scale, value=value) for scale, value in read.items()),
    ).model_copy(update=changes)


def course(dose_u: float, who: Patient) -> Course:
    """30 sites of 1 mL; no dose is the same plan untreated."""
    session = Session(
        product="onabotulinumtoxinA",
        dilution_u_per_ml=(dose_u or 200) / 30,
        injections=(Injection(structure="detrusor", dose_u=dose_u or 200, sites=30),),
    )
    plan = Plan(patient="p", disorder=who.disorder.name, date=date(2026, 1, 5), sessions=(session,))
    given = plan if dose_u else plan.untreated()
    return simulate(given, who, model(who, draws=16, seed=1), DAYS)


def test_readings_by_disorder() -> None:
    def scales(who: Patient) -> list[str]:
        return [one.scale for one in model(who, draws=1).stages.disorder.measures]

    assert scales(patient()) == ["UI_per_day", "detrusor_pressure", "bladder_capacity", "PVR"]
    assert scales(patient("bladder.overactive")) == ["UI_per_day", "bladder_capacity", "PVR"]
    assert "PVR" not in scales(patient(conditions=("self_catheterising",)))


def test_a_diary_is_needed() -> None:
    with pytest.raises(BadInput, match="UI_per_day is missing"):
        model(patient(findings=()), draws=1)


def test_a_child_has_no_model() -> None:
    with pytest.raises(NoEvidence, match="child"):
        model(patient(age_years=9), draws=1)


def test_readings_start_where_they_were_taken() -> None:
    seen = course(200, patient())
    for scale, value in (("bladder_capacity", 260), ("detrusor_pressure", 60), ("PVR", 20)):
        np.testing.assert_allclose(seen.of(scale)[:, 0], value, rtol=1e-5)


def test_placebo_moves_the_diary_alone() -> None:
    seen = course(0, patient())
    for scale in ("bladder_capacity", "detrusor_pressure", "PVR"):
        assert (seen.of(scale) == seen.of(scale)[:, :1]).all()
    leaks = seen.of("UI_per_day").mean(axis=0)
    assert leaks[-1] < leaks[0]


def test_more_dose_never_less_effect() -> None:
    less, more = course(100, patient()), course(200, patient())
    for scale, sign in (
        ("UI_per_day", -1),
        ("detrusor_pressure", -1),
        ("bladder_capacity", 1),
        ("PVR", 1),
    ):
        assert (sign * (more.of(scale) - less.of(scale)) >= -1e-3).all(), scale


def test_urine_left_before_makes_retention_likelier() -> None:
    share = [(course(100, patient(pvr_ml=ml)).of("PVR") > 200).any(axis=1).mean() for ml in (0, 99)]
    assert share[0] < share[1]


def test_earlier_toxin_at_work_is_part_of_the_first_reading() -> None:
    before = PastSession(
        date=date(2026, 1, 5) - timedelta(weeks=16),
        clinic="urology",
        product="onabotulinumtoxinA",
        disorder="bladder.neurogenic",
        total_u=200.0,
        injections=(Injection(structure="detrusor", dose_u=200.0, sites=30, volume_ml=30.0),),
    )
    seen = course(0, patient(history=(before,)))
    np.testing.assert_allclose(seen.of("PVR")[:, 0], 20, rtol=1e-5)
    assert (seen.of("detrusor_pressure")[:, -1] > 60).all()
    assert (seen.of("bladder_capacity")[:, -1] < 260).all()


def test_sites_lie_in_the_wall() -> None:
    wall = structure("detrusor")
    assert wall.pattern_mm is not None
    assert len(wall.pattern_mm) == 30
    for count in (20, 30):
        sites = sites_mm(wall, count)
        assert ((((sites - wall.centre_mm) @ wall.frame.T) / wall.half_mm) ** 2).sum(1).max() < 1
        gaps = np.linalg.norm(sites[:, None] - sites[None], axis=-1) + 1e3 * np.eye(count)
        assert gaps.min() == pytest.approx(15.0)
    assert "1 cm above the trigone" in landmarks("detrusor", 20)[0]
