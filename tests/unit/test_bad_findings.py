"""Findings that a model cannot use are refused with their place and a way out, never dropped."""

from datetime import date

import numpy as np
import pytest
from pydantic import ValidationError

from openbont.catalog.disorders.common import recorded
from openbont.catalog.model import cohort, model
from openbont.catalog.sampling import Span
from openbont.errors import BadInput, NoEvidence, UnknownName
from openbont.patient import Disorder, Patient, Reading, Visit

Found = tuple[str, float | str, str]
ANKLE, TOES = "ankle_plantar_flexors", "toe_flexors"
LEG: tuple[Found, ...] = (("MAS", "3", f"{ANKLE}.left"),)
SWEAT: tuple[Found, ...] = (
    ("sweat_mg", 190, "axilla.left"),
    ("sweat_mg", 230, "axilla.right"),
    ("HDSS", "4", ""),
)


def readings(*found: Found) -> tuple[Reading, ...]:
    return tuple(Reading(scale=scale, value=value, where=at) for scale, value, at in found)


def patient(name: str, *found: Found, **changed: object) -> Patient:
    limb = {"cause": "stroke", "side": "left"} if name.startswith("spasticity") else {}
    given = {
        "id": "p",
        "date": date(2026, 11, 16),
        "age_years": 40,
        "sex": "female",
        "weight_kg": 70,
        "disorder": Disorder(name=name, **limb),
        "findings": readings(*found),
    }
    return Patient.model_validate(given | changed)


def leg(*found: Found) -> Patient:
    return patient("spasticity.lower_limb", *LEG, *found)


def scales(who: Patient) -> set[str]:
    return {one.scale for one in model(who, draws=2).stages.disorder.measures}


def test_one_reading_a_scale_and_place() -> None:
    with pytest.raises(ValidationError, match=r"sweat_mg at axilla\.left is given twice; keep one"):
        patient("hyperhidrosis.axillary", *SWEAT, SWEAT[0])
    with pytest.raises(ValidationError, match="findings: HDSS is given twice"):
        patient("hyperhidrosis.axillary", *SWEAT, SWEAT[2])


def test_visits_may_repeat_a_reading() -> None:
    days = tuple(Visit(date=date(2026, 12, day), readings=readings(*SWEAT)) for day in (1, 2))
    assert len(patient("hyperhidrosis.axillary", *SWEAT, visits=days).visits) == 2


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (("tardieu_R1", -15, "ankle.left"), r"graded movement for tardieu_R1 .*'ankle\.left'"),
        (("tardieu_R2", 10, f"{TOES}.left"), rf"'{TOES}\.left'\); .*{ANKLE}\.left"),
        (("tardieu_R1", 10, ""), rf"value ''\); known: {ANKLE}\.left"),
        (("tardieu_X", "3", f"{ANKLE}"), rf"did you mean {ANKLE}\.left"),
        (("paresis", 0.5, "push.left"), r"function for paresis .*did you mean push_off\.left"),
        (("sensation", 0.5, "banana"), r"known: foot_lift\.left, push_off\.left"),
        (("clonus_beats", 5, "banana"), r"movement or limb for clonus_beats .*'banana'"),
        (("spasms_per_day", 5, "lag.left"), r"did you mean leg\.left"),
        (("MAS", "2", "toe_flexers.left"), rf"movement for MAS .*did you mean {TOES}\.left"),
        (("contracture", "fixed", "ankle"), "movement for contracture"),
    ],
    ids=lambda one: f"{one[0]}-{one[2]}" if isinstance(one, tuple) else "",
)
def test_a_place_is_known_or_refused(found: Found, expected: str) -> None:
    with pytest.raises(UnknownName, match=expected) as caught:
        model(leg(found), draws=2)
    assert str(caught.value).startswith("findings: ")


@pytest.mark.parametrize(
    "where", [f"{ANKLE}.right", "wrist_flexors.left", "arm.left", "push_off.right", "grip.left"]
)
def test_what_is_not_treated_is_left_aside(where: str) -> None:
    """The other side, and the arm of a patient whose leg is treated."""
    for scale, value in (("tardieu_R1", -15), ("paresis", 0.5), ("clonus_beats", 5)):
        assert scales(leg((scale, value, where))) == scales(leg())


def test_spasms_of_the_whole_limb_are_counted() -> None:
    for where in ("leg.left", "leg", ""):
        assert "spasms_per_day" in scales(leg(("spasms_per_day", 5, where)))


def test_a_catch_beyond_the_slow_range_is_a_mistake() -> None:
    at = f"{ANKLE}.left"
    crossed = leg(("tardieu_R1", 40, at), ("tardieu_R2", 10, at))
    with pytest.raises(BadInput, match=r"tardieu_R1 at .* of 40 lies beyond R2 of 10 degrees"):
        model(crossed, draws=2)
    model(leg(("tardieu_R1", 10, at), ("tardieu_R2", 10, at)), draws=2)


def test_a_dynamic_range_starts_somewhere() -> None:
    with pytest.raises(BadInput, match="add tardieu_R1 or tardieu_R2 there"):
        model(leg(("tardieu_angle", 20, f"{ANKLE}.left")), draws=2)


def test_the_cause_of_spasticity_is_not_guessed() -> None:
    cause = Disorder(name="spasticity.lower_limb", side="left")
    with pytest.raises(BadInput, match=r"^disorder\.cause: .*one of: stroke, multiple sclerosis"):
        model(leg().model_copy(update={"disorder": cause}), draws=2)


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (
            patient("hyperhidrosis.axillary", ("sweat_mg", 0, "axilla.left"), *SWEAT[1:]),
            "findings: sweat_mg at axilla.left is 0; above 0 mg is needed",
        ),
        (patient("sialorrhoea", ("saliva_flow", 0, "")), "saliva_flow is 0; above 0 g/min"),
        (
            patient("bladder.overactive", ("UI_per_day", 3, ""), ("bladder_capacity", 0, "")),
            "bladder_capacity is 0; above 0 mL",
        ),
    ],
    ids=lambda one: one.disorder.name if isinstance(one, Patient) else "",
)
def test_nothing_is_a_share_of_nothing(who: Patient, expected: str) -> None:
    with pytest.raises(BadInput, match=expected):
        model(who, draws=2)


def test_a_dry_diary_still_has_a_model() -> None:
    """Leaks are counted in whole numbers: none in three days is a reading as any other."""
    assert "UI_per_day" in scales(patient("bladder.overactive", ("UI_per_day", 0, "")))


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (patient("sialorrhoea", ("saliva_flow", 3, "")), "saliva_flow of 3: .* read saliva_flow 0"),
        (
            patient("bladder.neurogenic", ("UI_per_day", 40, "")),
            r"UI_per_day of 40: .*98 in 100 read UI_per_day \S+ to \d",
        ),
        (
            patient(
                "hyperhidrosis.axillary",
                *(("sweat_mg", 3000, one[2]) for one in SWEAT[:2]),
                SWEAT[2],
            ),
            r"sweat_mg of 3000 \(mean of both sides\) with HDSS 4: .*sweat_mg \d.*HDSS 1 to 4",
        ),
    ],
    ids=lambda one: one.disorder.name if isinstance(one, Patient) else "",
)
def test_a_reading_that_nobody_has_names_the_usual_ones(who: Patient, expected: str) -> None:
    with pytest.raises(NoEvidence, match=f"^findings: {expected}"):
        model(who, draws=2)


def test_a_criterion_that_nobody_meets_is_named() -> None:
    who = patient("migraine.chronic", ("headache_days_28", 20, ""))
    with pytest.raises(NoEvidence, match=r"^findings: headache_days_28 of 29 to inf: .*98 in 100"):
        cohort(who, 2, 1, {"headache_days_28": Span(29)})


def test_a_criterion_takes_the_place_of_the_reading() -> None:
    who = patient("migraine.chronic", ("headache_days_28", 20, ""))
    like_this = cohort(who, 200, 1).read["headache_days_28"]
    entered = cohort(who, 200, 1, {"headache_days_28": Span(15)}).read["headache_days_28"]
    assert np.abs(like_this - 20).max() <= 1
    assert entered.min() == 15
    assert entered.max() > 22


def test_a_missing_reading_says_where() -> None:
    with pytest.raises(BadInput, match=r"sweat_mg at axilla\.right is missing; add a finding on"):
        recorded(patient("hyperhidrosis.axillary", SWEAT[0]), "sweat_mg", "axilla.right")


@pytest.mark.parametrize("name", ["hyperhidrosis.axillary", "hyperhidrosis.palmar"])
def test_a_child_that_sweats_has_no_model(name: str) -> None:
    region = "axilla" if name.endswith("axillary") else "palm"
    found = [(scale, value, at.replace("axilla", region)) for scale, value, at in SWEAT]
    with pytest.raises(NoEvidence, match="child"):
        model(patient(name, *found, age_years=17), draws=2)
    model(patient(name, *found, age_years=18), draws=2)
