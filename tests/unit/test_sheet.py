import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from openbont.clinic.nouns import Person
from openbont.io import load_patient, load_plan
from openbont.planning.check import check
from openbont.report.places import Sites
from openbont.report.sheet import paper_id, sheet

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = sorted(EXAMPLES.glob("*/plan.yaml")) + sorted(EXAMPLES.glob("plans/*/reference.yaml"))
PERSON = Person.model_validate_json(
    json.dumps({"id": "arm", "name": "Adam Example", "born": "1968-03-02", "sex": "male"})
)


def made(file: str, **more: Any) -> dict[str, Any]:
    place = EXAMPLES / file
    plan, patient = load_plan(place), load_patient(place.parent / "patient.yaml")
    return sheet(plan, patient, check(plan, patient), **more)


def arm(**more: Any) -> dict[str, Any]:
    return made("arm_after_stroke/plan.yaml", **more)


def all_text(said: Any) -> str:
    return json.dumps(said, ensure_ascii=False)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_a_sheet_says_what_the_plan_says(file: Path) -> None:
    plan, patient = load_plan(file), load_patient(file.parent / "patient.yaml")
    findings = check(plan, patient)
    said = sheet(plan, patient, findings)
    stops = [one for one in findings if one.level == "stop"]
    assert len(said["stops"]) == len(stops)
    assert ("doses" in said) != bool(stops)
    if not stops:
        session = plan.sessions[0]
        units = [float(one["dose_u"].replace(",", "")) for one in said["doses"]]
        assert units == [one.dose_u for one in session.injections]
        assert str(session.dose) in said["draw"][0]
        assert said["name"] == session.product


@pytest.mark.parametrize("name", ["als_refused", "second_clinic", "daily_headache"])
def test_a_stopped_plan_has_no_doses_and_says_why(name: str) -> None:
    said = made(f"{name}/plan.yaml")
    assert not {"doses", "vials", "draw", "total_u"} & said.keys()
    plan = load_plan(EXAMPLES / name / "plan.yaml")
    asked = {f"{one.dose_u:g} U" for one in plan.sessions[0].injections}
    assert not [dose for dose in asked if re.search(rf"\b{dose}\b", all_text(said))]
    assert all(one["text"] and one["rule"] for one in said["stops"])
    assert plan.sessions[0].product in said["asked"]


def test_warnings_come_with_what_clears_them() -> None:
    assert [(one["rule"], one["clears"] != "") for one in arm()["warnings"]] == [
        ("S11, unverified", True)
    ]


def test_sites_are_numbered_through_as_on_the_pictures() -> None:
    said = made("chronic_migraine/plan.yaml")
    ends = [[int(end) for end in one["numbers"].split("–")] for one in said["doses"]]
    assert ends[0][0] == 1
    assert ends[-1][-1] == 31
    assert all(before[-1] + 1 == after[0] for before, after in pairwise(ends))


def test_each_site_of_a_pattern_has_its_landmark_and_number() -> None:
    rows = {row[0]: row[1] for row in made("chronic_migraine/plan.yaml")["places"]["rows"]}
    temple = rows["temporalis, both sides"]
    assert [temple.count(f"{k} and {k + 4}: ") for k in range(8, 12)] == [1, 1, 1, 1]
    bladder = made("child_bladder/plan.yaml")["places"]["rows"][0][1]
    assert bladder.startswith("1–4: ")  # neighbours at one landmark are told together
    assert "17–20: " in bladder


def test_vials_add_up_and_name_their_diluent() -> None:
    said = arm()
    assert said["vials"] == [["200 U", "4 mL"], ["100 U", "2 mL"]]
    assert "10 U discarded of 300 U" in said["draw"][1]


def test_a_side_stands_at_every_structure() -> None:
    assert {one["side"] for one in arm()["doses"]} == {"left"}
    assert made("child_bladder/plan.yaml")["doses"][0]["side"] == "midline"


def test_who_is_treated_is_named_or_left_to_be_written() -> None:
    assert dict(arm()["patient"])["Name"] == ""
    named = arm(person=PERSON)
    assert dict(named["patient"])["Name"] == "Adam Example"
    assert named["subject"] == "Adam Example, born 2 Mar 1968 (arm-after-stroke)"


def test_toxin_of_the_last_weeks_stands_on_the_sheet_with_its_product() -> None:
    recent = dict(made("second_clinic/plan.yaml")["patient"])["Toxin in the last 12 weeks"]
    assert re.search(r"\d+ U \w+toxin\w+ on ", recent)


def test_the_id_follows_every_word_and_the_head_of_the_records() -> None:
    said = arm()
    assert re.fullmatch(r"[0-9A-F]{4}(-[0-9A-F]{4}){2}", said["id"])
    assert said["id"] == arm()["id"]
    assert said["id"] != arm(head="a" * 64)["id"]
    patient = load_patient(EXAMPLES / "arm_after_stroke/patient.yaml")
    plan = load_plan(EXAMPLES / "arm_after_stroke/plan.yaml")
    (session,) = plan.sessions
    first, *others = session.injections
    more = first.model_copy(update={"dose_u": first.dose_u + 2.5})
    changed = plan.model_copy(
        update={"sessions": (session.model_copy(update={"injections": (more, *others)}),)}
    )
    assert sheet(changed, patient, check(changed, patient))["id"] != said["id"]


def test_the_id_does_not_hang_on_how_a_picture_is_drawn() -> None:
    picture = {"title": "t", "summary": "s", "svg": "<svg/>"}
    other = {**picture, "svg": "<svg></svg>"}
    assert paper_id({"pictures": [picture]}) == paper_id({"pictures": [other]})
    assert paper_id({"pictures": [picture]}) != paper_id({"pictures": [{**picture, "summary": ""}]})


def test_depth_is_shown_only_where_the_body_is_mapped() -> None:
    plan = load_plan(EXAMPLES / "arm_after_stroke/plan.yaml")
    marks = []
    for one in plan.sessions[0].injections:
        for site in range(one.sites):
            site_mm = np.array([0.0, 0.0, 12.0 + 3 * site])
            marks.append(SimpleNamespace(site_mm=site_mm, skin_mm=np.zeros(3)))
    mapped = frozenset({"biceps_brachii.left", "brachialis.left"})
    sites = Sites(tuple(marks), (), mapped)  # type: ignore[arg-type]
    deep = {one["structure"]: one["deep"] for one in arm(sites=sites)["doses"]}
    assert deep["biceps brachii"] == "12 to 15 mm"
    assert deep["brachialis"] == "12 mm"
    assert deep["flexor carpi radialis"] == "see overleaf"
    nothing = replace(sites, mapped=frozenset())
    assert {one["deep"] for one in arm(sites=nothing)["doses"]} == {"see overleaf"}


def test_each_session_has_a_sheet_with_its_own_date() -> None:
    plan = load_plan(EXAMPLES / "arm_after_stroke/plan.yaml")
    patient = load_patient(EXAMPLES / "arm_after_stroke/patient.yaml")
    (first,) = plan.sessions
    later = first.model_copy(update={"day": 91, "injections": first.injections[:2]})
    both = plan.model_copy(update={"sessions": (first, later)})
    one, two = (sheet(both, patient, [], at) for at in (0, 1))
    assert dict(one["patient"])["Date of the plan"] == "16 Nov 2026"
    assert dict(two["patient"])["Date of the plan"] == "15 Feb 2027"
    assert [len(said["doses"]) for said in (one, two)] == [7, 2]
    assert two["total_u"] == "85"
