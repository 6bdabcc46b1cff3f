import datetime
from pathlib import Path
from typing import Any

import pytest

from openbont.catalog.products import products
from openbont.catalog.safety import safety_rules
from openbont.errors import UnknownName
from openbont.io import load_patient, load_plan
from openbont.patient import Patient
from openbont.plan import Plan
from openbont.planning.check import check, rules
from openbont.planning.rules import LEVELS, Finding
from tests.cases import ABO, ARM, HEAD, ONA, TODAY, child, past, patient, plan

EXAMPLES = Path(__file__).parents[2] / "examples"
WRIST = plan({"flexor_carpi_radialis.left": 30})
SITES = plan({"procerus": 5}, disorder="migraine.chronic")
PATTERN = {
    "corrugator.left": (5, 1), "corrugator.right": (5, 1), "procerus": (5, 1),
    "frontalis.left": (10, 2), "frontalis.right": (10, 2),
    "temporalis.left": (20, 4), "temporalis.right": (20, 4),
    "occipitalis.left": (15, 3), "occipitalis.right": (15, 3),
    "cervical_paraspinal.left": (10, 2), "cervical_paraspinal.right": (10, 2),
    "trapezius.left": (15, 3), "trapezius.right": (15, 3),
}  # fmt: skip


def found(what: Plan, who: Patient, rule: str, jurisdiction: str = "US") -> list[Finding]:
    return [one for one in check(what, who, jurisdiction) if one.rule == rule]


def levels(what: Plan, who: Patient, rule: str, jurisdiction: str = "US") -> list[str]:
    return [one.level for one in found(what, who, rule, jurisdiction)]


def example(name: str) -> list[Finding]:
    return check(
        load_plan(EXAMPLES / name / "plan.yaml"), load_patient(EXAMPLES / name / "patient.yaml")
    )


@pytest.mark.parametrize("name", ["arm_after_stroke", "chronic_migraine"])
def test_a_good_plan_has_no_stop_and_nothing_against_its_label(name: str) -> None:
    findings = example(name)
    assert not [one for one in findings if one.level == "stop"]
    assert not [one for one in findings if one.rule[0] in "LEP"]


@pytest.mark.parametrize(
    ("name", "stops"), [("als_refused", {"S07"}), ("second_clinic", {"S04", "S05"})]
)
def test_a_refused_plan_names_rule_and_source(name: str, stops: set[str]) -> None:
    stopping = [one for one in example(name) if one.level == "stop"]
    assert {one.rule for one in stopping} == stops
    assert all(one.sources and one.clears for one in stopping)


def test_stops_come_first_and_each_finding_reads_as_a_sentence() -> None:
    order = [LEVELS.index(one.level) for one in example("second_clinic")]
    assert order == sorted(order)
    first = str(example("second_clinic")[0])
    assert first.startswith("stop S04 sessions[0]: 198 U onabotulinumtoxinA in 12 weeks")
    assert "[unverified]" in first


def test_every_rule_has_a_meaning_and_every_meaning_a_rule() -> None:
    assert set(rules()) == set(safety_rules())
    assert all(rules().values())


@pytest.mark.parametrize(
    "disease",
    ["als", "motor neuron disease", "myasthenia gravis", "lems", "motor_neuropathy"],
)
def test_no_dose_is_advised_where_none_is_known_to_be_safe(disease: str) -> None:
    strong = plan({"flexor_carpi_radialis.left": 500, "triceps_brachii.left": 1})
    findings = check(strong, patient(conditions=[disease]))
    assert "S07" in {one.rule for one in findings if one.level == "stop"}
    assert not any("at most" in one.clears for one in findings)
    assert not any(one.rule == "L04" for one in findings)


def test_a_misspelt_condition_is_not_passed_over() -> None:
    with pytest.raises(UnknownName, match=r"patient.conditions\[0\].*myasthenia_gravis"):
        check(WRIST, patient(conditions=["mysthenia gravis"]))


@pytest.mark.parametrize(
    ("allergy", "product", "expected"),
    [
        ("botulinum toxin", ONA, ["stop"]), ("Dysport", ONA, ["stop"]),
        ("cow's milk protein", ABO, ["stop"]), ("cow's milk protein", ONA, []),
        ("human albumin", ONA, ["stop"]), ("human albumin", "daxibotulinumtoxinA", []),
        ("polysorbate 80", "daxibotulinumtoxinA", ["stop"]), ("penicillin", ONA, []),
        ("albumen", ONA, ["warn"]),
    ],
)  # fmt: skip
def test_allergy_by_product(allergy: str, product: str, expected: list[str]) -> None:
    what = plan({"flexor_carpi_radialis.left": 30}, product)
    assert levels(what, patient(allergies=[allergy]), "S01") == expected


@pytest.mark.parametrize("where", ["flexor_carpi_radialis.left", "flexor_carpi_radialis"])
def test_infection_at_the_site(where: str) -> None:
    assert levels(WRIST, patient(infected=[where]), "S02") == ["stop"]
    assert levels(WRIST, patient(infected=["biceps_brachii.left"]), "S02") == []


def bladder(**changed: Any) -> list[str]:
    what = plan({"detrusor": (100, 20)}, dilution_u_per_ml=10, disorder="bladder.overactive")
    return levels(what, patient(disorder={"name": "bladder.overactive"}, **changed), "S03")


def test_bladder() -> None:
    full = [{"scale": "PVR", "value": 250}]
    assert bladder() == []
    assert bladder(infected=["bladder"]) == ["stop"]
    assert bladder(conditions=["uti"]) == ["stop"]
    assert bladder(findings=full) == ["stop"]
    assert bladder(findings=full, conditions=["self_catheterising"]) == []


def test_the_cap_counts_every_clinic_but_never_adds_products() -> None:
    history = [
        past(80, ONA, 371, "bladder.neurogenic"),
        past(80, ABO, 1000, "spasticity.lower_limb"),
    ]
    (over,) = found(WRIST, patient(history=history), "S04")
    assert over.level == "stop"
    assert "401 U onabotulinumtoxinA" in over.reason
    assert "beside it, not added, 1000 U abobotulinumtoxinA" in over.reason
    assert (
        levels(WRIST, patient(history=[past(80, ABO, 1500, "spasticity.lower_limb")]), "S04") == []
    )


@pytest.mark.parametrize(("days", "expected"), [(83, ["stop"]), (84, [])])
@pytest.mark.parametrize("product", [ONA, ABO])
def test_twelve_weeks_after_any_product(days: int, expected: list[str], product: str) -> None:
    who = patient(history=[past(days, product, 20, "dystonia.cervical")])
    assert levels(WRIST, who, "S05") == expected


def test_another_product_is_a_stop_because_nothing_converts() -> None:
    (soon,) = found(WRIST, patient(history=[past(21, ABO, 500, "dystonia.cervical")]), "S05")
    assert "cannot be converted" in soon.reason
    assert soon.clears == "a session on or after 2027-01-18"


def test_earlier_sessions_of_the_same_plan_count() -> None:
    session = WRIST.sessions[0]
    later = session.model_copy(update={"day": 60})
    assert levels(WRIST.model_copy(update={"sessions": (session, later)}), patient(), "S05") == [
        "stop"
    ]
    later = session.model_copy(update={"day": 84})
    assert levels(WRIST.model_copy(update={"sessions": (session, later)}), patient(), "S05") == []


def test_two_products_on_one_day_are_stopped() -> None:
    other = plan({"flexor_carpi_radialis.left": 100}, ABO, 200).sessions[0]
    both = WRIST.model_copy(update={"sessions": (WRIST.sessions[0], other)})
    assert levels(both, patient(), "S05") == ["stop"]


def test_units_of_another_product() -> None:
    (mixed,) = found(plan({"flexor_carpi_radialis.left": (150, 3)}), patient(), "S06")
    assert mixed.level == "stop"
    assert ABO in mixed.reason
    assert levels(WRIST, patient(), "S06") == []


@pytest.mark.parametrize(
    ("condition", "rule"),
    [
        ("dysphagia", "S08"), ("copd", "S08"), ("copd", "S16"), ("haemophilia", "S11"),
        ("polyneuropathy", "S07"), ("contracture", "E02"),
    ],
)  # fmt: skip
def test_conditions_that_warn(condition: str, rule: str) -> None:
    assert levels(WRIST, patient(conditions=[condition]), rule) == ["warn"]


@pytest.mark.parametrize(
    ("medicine", "rule"),
    [
        ("gentamicin", "S09"), ("rocuronium", "S09"), ("magnesium sulfate", "S09"),
        ("oxybutynin", "S10"), ("baclofen", "S10"), ("warfarin", "S11"), ("aspirin", "S11"),
    ],
)  # fmt: skip
def test_medicines_that_warn(medicine: str, rule: str) -> None:
    assert levels(WRIST, patient(medicines=[medicine]), rule) == ["warn"]


def test_an_unknown_medicine_is_said_to_be_unchecked() -> None:
    (unknown,) = found(WRIST, patient(medicines=["gentamycin"]), "P07")
    assert (unknown.level, unknown.place) == ("inform", "patient.medicines[0]")
    assert "gentamicin" in unknown.clears


def test_another_product_within_four_months_warns() -> None:
    assert levels(WRIST, patient(history=[past(100, ABO, 500, "x")]), "S10") == ["warn"]
    assert levels(WRIST, patient(history=[past(122, ABO, 500, "x")]), "S10") == []
    assert levels(WRIST, patient(history=[past(100, ONA, 100, "x")]), "S10") == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"pregnancy": "yes"}, ["warn"]), ({"pregnancy": "not asked"}, ["warn"]),
        ({"pregnancy": "not asked", "age_years": 70}, []), ({"pregnancy": "no"}, []),
        ({"breastfeeding": True}, ["warn"]),
    ],
)  # fmt: skip
def test_pregnancy(changed: dict[str, Any], expected: list[str]) -> None:
    assert levels(SITES, patient(HEAD, **changed), "S12") == expected


def test_the_neck() -> None:
    who = patient(disorder={"name": "dystonia.cervical"})
    both = {"sternocleidomastoid.left": (60, 2), "sternocleidomastoid.right": (50, 2)}
    warned = found(plan(both, disorder="dystonia.cervical"), who, "S13")
    assert len(warned) == 2
    one = plan({"sternocleidomastoid.left": (100, 4)}, disorder="dystonia.cervical")
    assert levels(one, who, "S13") == []


def test_the_eye_and_the_face() -> None:
    who = patient(
        disorder={"name": "dystonia.blepharospasm"}, conditions=["facial_palsy", "ptosis"]
    )
    lid = plan({"orbicularis_oculi.left": (7.5, 3)}, disorder="dystonia.blepharospasm")
    assert levels(lid, who, "S14") == ["warn", "warn"]
    assert levels(lid, who, "S17") == ["warn", "warn"]


def test_the_bladder_after_spinal_cord_injury() -> None:
    who = patient(disorder={"name": "bladder.neurogenic"}, conditions=["spinal_cord_injury"])
    what = plan({"detrusor": (200, 30)}, dilution_u_per_ml=6.67, disorder="bladder.neurogenic")
    assert levels(what, who, "S15") == ["warn", "warn"]
    assert levels(WRIST, patient(), "S15") == []


def test_what_everyone_is_told() -> None:
    assert levels(WRIST, patient(), "S18") == ["inform"]
    assert levels(WRIST, patient(), "S19") == ["inform"]
    dax = plan({"flexor_carpi_radialis.left": 30}, "daxibotulinumtoxinA")
    assert levels(dax, patient(), "S19") == []
    assert levels(WRIST, patient(), "S20") == []
    assert levels(WRIST, patient(history=[past(200, ONA, 50, "x")]), "S20") == ["inform"]
    assert levels(WRIST, patient(conditions=["heart failure"]), "S21") == ["inform"]


def test_children_are_at_greatest_risk_of_spread() -> None:
    (spread,) = found(WRIST, child(7, 20), "S18")
    assert "children" in spread.reason


def test_a_part_of_a_vial_is_discarded() -> None:
    assert levels(plan({"biceps_brachii.left": (100, 4)}), patient(), "S22") == ["inform"]
    assert levels(WRIST, patient(), "S22") == ["inform"]


def test_off_label_product_and_age() -> None:
    assert levels(
        plan({"flexor_carpi_radialis.left": 30}, "prabotulinumtoxinA"), patient(), "L01"
    ) == ["warn"]
    assert levels(WRIST, child(1.5, 10), "L01") == ["stop"]
    assert levels(WRIST, child(2, 10), "L01") == []


def test_a_muscle_outside_the_label_says_where_it_is_labelled() -> None:
    (off,) = found(plan({"triceps_brachii.left": 150}, ABO, 200), patient(), "L02")
    assert off.level == "warn"
    assert "it is labelled for: EU" in off.reason
    assert levels(plan({"triceps_brachii.left": 150}, ABO, 200), patient(), "L02", "EU") == []


def test_above_the_most_of_a_muscle() -> None:
    (recalled,) = found(plan({"flexor_carpi_radialis.left": 60}), patient(), "L03")
    assert (recalled.level, recalled.verified) == ("warn", False)
    assert recalled.place == "sessions[0].injections[0].dose_u"
    assert "60 U" in recalled.reason
    assert "50 U" in recalled.reason
    (read,) = found(plan({"flexor_carpi_radialis.left": 250}, ABO, 200), patient(), "L03")
    assert (read.level, read.verified) == ("stop", True)


def test_below_the_least_of_a_muscle() -> None:
    assert levels(plan({"flexor_carpi_radialis.left": 10}), patient(), "L04") == ["inform"]


def test_one_site() -> None:
    crowded = plan({"biceps_brachii.left": (120, 2)})
    assert levels(crowded, patient(), "L05") == ["stop"]
    assert levels(plan({"biceps_brachii.left": (100, 2)}), patient(), "L05") == []
    assert levels(plan({"biceps_brachii.left": (200, 1)}, ABO, 100), patient(), "L06") == ["stop"]
    assert levels(plan({"biceps_brachii.left": (200, 2)}, ABO, 100), patient(), "L06") == []


def test_dilution() -> None:
    what = plan({"flexor_carpi_radialis.left": 30}, dilution_u_per_ml=40)
    assert levels(what, patient(), "L07") == ["warn"]
    assert levels(WRIST, patient(), "L07") == []


def test_totals_of_limb_and_session() -> None:
    flexors = {"biceps_brachii.left": (60, 4), "brachialis.left": (40, 2)}
    (limb,) = found(plan(flexors | {"flexor_carpi_radialis.left": (21, 2)}), child(7, 20), "L08")
    assert limb.level == "stop"
    assert "121 U on the left" in limb.reason
    assert "6 U/kg x 20 kg = 120 U" in limb.reason
    adult = {"biceps_brachii.left": (200, 4), "biceps_brachii.right": (201, 4)}
    both = patient(disorder={"name": "spasticity.upper_limb", "cause": "stroke", "side": "both"})
    assert levels(plan(adult), both, "L08") == ["stop"]


def test_the_two_heads_together() -> None:
    heads = {"gastrocnemius_medial.left": (100, 2), "gastrocnemius_lateral.left": (100, 2)}
    who = child(7, 20, disorder={"name": "spasticity.lower_limb", "cause": "stroke"})
    (group,) = found(plan(heads, ABO, 200, disorder="spasticity.lower_limb"), who, "L08")
    assert (group.level, group.verified) == ("warn", False)


def test_follow_the_pain_warns_and_more_than_that_stops() -> None:
    def head(**changed: tuple[float, int]) -> list[str]:
        doses: Any = PATTERN | {
            name.replace("_right", ".right"): dose for name, dose in changed.items()
        }
        findings = check(plan(doses, disorder="migraine.chronic"), patient(HEAD))
        return sorted({f"{one.rule} {one.level}" for one in findings if one.rule[0] == "L"})

    assert head() == []
    assert head(temporalis_right=(30, 6)) == ["L03 warn", "L08 warn"]
    assert head(temporalis_right=(35, 7)) == ["L03 stop", "L08 stop", "L09 inform"]


def test_sites_outside_the_label() -> None:
    assert levels(plan({"flexor_carpi_radialis.left": (30, 3)}), patient(), "L09") == ["inform"]


def test_what_the_label_asks_of_the_patient() -> None:
    palsy = {
        "disorder": {"name": "spasticity.upper_limb", "cause": "cerebral palsy", "side": "left"}
    }
    what = plan({"biceps_brachii.left": (20, 2)}, "incobotulinumtoxinA")
    assert levels(what, child(7, 20, **palsy), "L10") == ["warn"]
    assert levels(what, child(7, 20), "L10") == []


def test_another_jurisdiction_is_said() -> None:
    who = patient(disorder={"name": "hyperhidrosis.axillary"})
    what = plan({"axilla.left": (100, 10)}, ABO, 200, disorder="hyperhidrosis.axillary")
    (other,) = found(what, who, "L11")
    assert "EU" in other.reason
    assert levels(what, who, "L11", "EU") == []


def test_a_first_dose() -> None:
    neck = {"name": "dystonia.cervical"}
    what = plan({"splenius_capitis.left": (600, 6)}, ABO, 250, disorder="dystonia.cervical")
    assert levels(what, patient(disorder=neck), "L12") == ["warn"]
    again = patient(disorder=neck, history=[past(200, ABO, 500, "dystonia.cervical")])
    assert levels(what, again, "L12") == []
    eye = plan({"orbicularis_oculi.left": (9, 3)}, disorder="dystonia.blepharospasm")
    assert levels(eye, patient(disorder={"name": "dystonia.blepharospasm"}), "L12") == ["warn"]


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"patient": "someone-else"}, "P02"),
        ({"disorder": "spasticity.lower_limb"}, "P03"),
        ({"date": TODAY - datetime.timedelta(days=1)}, "P04"),
    ],
)
def test_plan_and_patient_belong_together(changed: dict[str, Any], rule: str) -> None:
    assert levels(plan({"flexor_carpi_radialis.left": 30}, **changed), patient(), rule) == ["stop"]
    assert levels(WRIST, patient(), rule) == []


def test_an_unknown_product_stops_in_plan_and_history() -> None:
    brand = plan({"flexor_carpi_radialis.left": 30}, "Botox")
    (known,) = found(brand, patient(), "P01")
    assert (known.level, known.clears) == ("stop", "write onabotulinumtoxinA")
    (old,) = found(WRIST, patient(history=[past(10, "Botx", 100, "x")]), "P01")
    assert old.place == "patient.history[0].product"


def test_sides() -> None:
    assert levels(plan({"flexor_carpi_radialis.right": 30}), patient(), "P05") == ["stop"]
    assert levels(plan({"flexor_carpi_radialis": 30}), patient(), "P06") == ["stop"]
    assert levels(
        plan({"procerus.left": 5}, disorder="migraine.chronic"), patient(HEAD), "P06"
    ) == ["stop"]
    assert levels(WRIST, patient(ARM), "P05") + levels(WRIST, patient(ARM), "P06") == []


@pytest.mark.parametrize("product", sorted(products()))
def test_any_product_can_be_checked(product: str) -> None:
    assert check(plan({"flexor_carpi_radialis.left": 30}, product), patient())
