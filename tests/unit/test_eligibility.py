from typing import Any

import pytest

from openbont.patient import Patient
from openbont.plan import Plan
from openbont.planning.check import check
from tests.cases import ARM, HEAD, ONA, patient, plan

WRIST = plan({"flexor_carpi_radialis.left": 30})
SITES = plan({"procerus": 5}, disorder="migraine.chronic")


def said(who: Patient, what: Plan, rule: str, jurisdiction: str = "US") -> list[str]:
    return [one.level for one in check(what, who, jurisdiction) if one.rule == rule]


def mas(value: str) -> dict[str, Any]:
    return {"findings": [{"scale": "MAS", "value": value, "where": "wrist_flexors.left"}]}


@pytest.mark.parametrize(
    ("grade", "level"), [("1+", ["stop"]), ("1", ["stop"]), ("2", []), ("4", [])]
)
def test_tone_of_grade_two_or_more(grade: str, level: list[str]) -> None:
    assert said(patient(ARM, **mas(grade)), WRIST, "E01") == level


def test_tone_not_recorded_is_asked_for() -> None:
    assert said(patient(ARM, findings=[]), WRIST, "E01") == ["warn"]


def test_one_spastic_movement_does_not_excuse_another() -> None:
    both = plan({"flexor_carpi_radialis.left": 30, "biceps_brachii.left": (60, 2)})
    low = [
        {"scale": "MAS", "value": "3", "where": "wrist_flexors.left"},
        {"scale": "MAS", "value": "1", "where": "elbow_flexors.left"},
    ]
    assert said(patient(ARM, findings=low), both, "E01") == ["warn"]


@pytest.mark.parametrize(
    ("value", "where", "level"),
    [
        ("fixed", "wrist_flexors.left", ["stop"]),
        ("none", "wrist_flexors.left", []),
        ("fixed", "elbow_flexors.left", []),
    ],
)
def test_a_fixed_joint_is_not_treated(value: str, where: str, level: list[str]) -> None:
    fixed = {"scale": "contracture", "value": value, "where": where}
    who = patient(ARM, findings=[*ARM["findings"], fixed])
    assert said(who, WRIST, "E02") == level


def test_cause_and_rehabilitation() -> None:
    bare = patient(ARM, disorder={"name": "spasticity.upper_limb"}, prior_treatments=[])
    assert said(bare, WRIST, "E03") == ["warn"]
    assert said(bare, WRIST, "E04") == ["warn"]
    assert said(patient(), WRIST, "E03") + said(patient(), WRIST, "E04") == []


@pytest.mark.parametrize(("days", "level"), [(14, ["stop"]), (15, []), (28, [])])
def test_episodic_migraine_is_stopped(days: int, level: list[str]) -> None:
    found = [{"scale": "headache_days_28", "value": days}]
    assert said(patient(HEAD, findings=found), SITES, "E05") == level


def test_short_headaches_are_stopped() -> None:
    found = [HEAD["findings"][0], {"scale": "headache_hours_per_day", "value": 3}]
    assert said(patient(HEAD, findings=found), SITES, "E06") == ["stop"]


@pytest.mark.parametrize(("jurisdiction", "level"), [("US", ["inform"]), ("EU", ["warn"])])
def test_migraine_days_in_the_eu(jurisdiction: str, level: list[str]) -> None:
    found = [*HEAD["findings"], {"scale": "migraine_days_28", "value": 7}]
    assert said(patient(HEAD, findings=found), SITES, "E07", jurisdiction) == level


@pytest.mark.parametrize(("tried", "level"), [(1, ["warn"]), (2, ["inform"]), (3, [])])
def test_preventives_count_by_class(tried: int, level: list[str]) -> None:
    who = patient(HEAD, prior_treatments=HEAD["prior_treatments"][:tried])
    assert said(who, SITES, "E08") == level


def test_two_medicines_of_one_class_count_once() -> None:
    one_class = [{"name": name, "outcome": "failed"} for name in ("propranolol", "metoprolol")]
    assert said(patient(HEAD, prior_treatments=one_class), SITES, "E08") == ["warn"]


def test_a_treatment_that_helped_has_not_failed() -> None:
    helped = [{"name": "topiramate", "outcome": "helped"}]
    assert said(patient(HEAD, prior_treatments=helped), SITES, "E08") == ["warn"]


def test_chronic_migraine_has_no_label_under_18() -> None:
    young = patient(HEAD, age_years=17)
    assert [one.level for one in check(SITES, young) if one.rule == "L01"] == ["stop"]
    assert ONA in next(one.reason for one in check(SITES, young) if one.rule == "L01")


LEAKS = plan({"detrusor": (100, 20)}, disorder="bladder.overactive")


def leaking(**changes: Any) -> Patient:
    return patient(disorder={"name": "bladder.overactive"}, findings=[], **changes)


@pytest.mark.parametrize(("leaks", "level"), [(None, ["warn"]), (0.5, ["warn"]), (1, []), (6, [])])
def test_bad_enough_as_trials_asked(leaks: float | None, level: list[str]) -> None:
    seen = [] if leaks is None else [{"scale": "UI_per_day", "value": leaks}]
    who = patient(disorder={"name": "bladder.overactive"}, findings=seen)
    assert said(who, LEAKS, "E10") == level


@pytest.mark.parametrize(
    ("name", "outcome", "level"),
    [
        ("oxybutynin", "failed", []),
        ("oxybutynin", "helped", ["warn"]),
        ("ibuprofen", "failed", ["warn"]),
    ],
)
def test_what_the_label_wants_tried_first(name: str, outcome: str, level: list[str]) -> None:
    who = leaking(prior_treatments=[{"name": name, "outcome": outcome}])
    assert said(who, LEAKS, "E11") == level


def test_a_heart_is_a_warning_in_motor_neuron_disease() -> None:
    healthy = patient(ARM, conditions=["cardiovascular_disease"])
    dying = patient(ARM, conditions=["cardiovascular_disease", "als"])
    assert said(healthy, WRIST, "S21") == ["inform"]
    assert said(dying, WRIST, "S21") == ["warn"]
