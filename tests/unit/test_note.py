import datetime
import re
from decimal import Decimal
from typing import Any

import pytest

from openbont.clinic.nouns import AdverseEvent, Deviation, GivenSession, Taken, Vial
from openbont.patient import PastSession, Patient, Reading, Visit
from openbont.report.note import Given, note
from tests import cases
from tests.records import ABO, BICEPS, BRACHIALIS, ONA, injection, vial, waste

DAY = datetime.date(2026, 11, 16)
KEY = "session-1"


def session(**changed: Any) -> GivenSession:
    whole = {
        "date": DAY,
        "disorder": "spasticity.upper_limb",
        "plan": "plan-1",
        "injector": "Dr Vega",
        "clinic": "Rehabilitation clinic",
        "product": ONA,
        "diluent": "0.9 % sodium chloride",
        "dilution_u_per_ml": Decimal(50),
        "injections": (injection(), injection(BRACHIALIS, "30", 1)),
        "draws": ({"vial": "V1", "units": Decimal(90)},),
    }
    return GivenSession.model_validate({**whole, **changed})


def used(wasted: str = "10", **changed: Any) -> Vial:
    taken = (Taken(session=KEY, units=Decimal(90)),)
    thrown = (waste(wasted),) if wasted else ()
    return vial(taken=taken, wasted=thrown, **changed)


def treated(**changed: Any) -> Patient:
    return cases.patient(**changed)


def said(given: Given | None = None, patient: Patient | None = None) -> dict[str, Any]:
    return note(given or Given(session(), KEY, (used(),)), patient or treated())


def test_units_stand_with_their_product_and_add_up() -> None:
    rows = said()["given"]["rows"]
    assert [row[3] for row in rows] == [f"60 U {ONA}", f"30 U {ONA}"]
    assert said()["given"]["total"][3] == f"90 U {ONA}"
    assert [row[1] for row in rows] == ["left", "left"]


def test_given_thrown_away_and_left_are_the_vial() -> None:
    (row,) = said()["vials"]["rows"]
    assert row[1:3] == ["C1234", "1 Dec 2027"]
    holds, given, thrown, left = row[3], row[4], row[5].split(" ")[0], row[6]
    assert Decimal(given) + Decimal(thrown) + Decimal(left) == Decimal(holds)


def test_what_is_thrown_away_is_billed_with_its_modifier() -> None:
    assert said()["billing"]["lines"] == ["J0585 × 90", "J0585-JW × 10"]
    whole = vial(units="90", taken=(Taken(session=KEY, units=Decimal(90)),))
    assert said(Given(session(), KEY, (whole,)))["billing"]["lines"] == ["J0585-JZ × 90"]


def test_units_that_are_still_in_a_vial_are_not_billed() -> None:
    billing = said(Given(session(), KEY, (used(wasted=""),)))["billing"]
    assert billing["lines"] == []
    assert "record the waste first" in billing["said"]


def test_without_vials_nothing_is_made_up() -> None:
    alone = said(Given(session()))
    assert alone["vials"]["rows"] == [["V1", "", "", "", "90", "", ""]]
    assert alone["billing"]["lines"] == []


def test_a_vial_that_served_another_session_says_so() -> None:
    taken = tuple(
        Taken(session=key, units=Decimal(units)) for key, units in ((KEY, 60), ("other", 20))
    )
    one = session(injections=(injection(),), draws=({"vial": "V1", "units": Decimal(60)},))
    (row,) = said(Given(one, KEY, (vial(taken=taken),)))["vials"]["rows"]
    assert row[4] == "60 (and 20 in another session)"


def visit(weeks: int, value: str, scale: str = "MAS") -> Visit:
    reading = Reading(scale=scale, value=value, where="wrist_flexors.left")
    return Visit(date=DAY - datetime.timedelta(weeks=weeks), readings=(reading,))


def before(weeks: int, product: str = ONA, **more: Any) -> PastSession:
    date = DAY - datetime.timedelta(weeks=weeks)
    whole = {"clinic": "a clinic", "disorder": "spasticity.upper_limb", "total_u": 200.0}
    return PastSession.model_validate({"date": date, "product": product, **whole, **more})


def test_the_last_session_is_shown_with_readings_before_and_after() -> None:
    patient = treated(
        findings=(),
        history=(before(40, ABO), before(20, effect="good")),
        visits=(visit(21, "3"), visit(15, "1+"), visit(10, "2"), visit(1, "3")),
    )
    last = said(patient=patient)["last"]
    assert last["said"].startswith(
        f"200 U {ONA} on 29 Jun 2026 (a clinic); effect as recorded: good"
    )
    (row,) = last["table"]["rows"]
    assert row[1] == "3 (22 Jun 2026)"
    assert row[2] == "1+ (3 Aug 2026, week 5)"
    assert row[3] == "3 (9 Nov 2026, week 19)"


def test_best_means_highest_where_more_is_better() -> None:
    scale = "tardieu_R1"
    readings = [
        Visit(
            date=DAY - datetime.timedelta(weeks=weeks),
            readings=(Reading(scale=scale, value=value, where="wrist_flexors.left"),),
        )
        for weeks, value in ((21, 10.0), (15, 60.0), (10, 40.0))
    ]
    patient = treated(findings=(), history=(before(20),), visits=tuple(readings))
    assert said(patient=patient)["last"]["table"]["rows"][0][2].startswith("60 degrees")


@pytest.mark.parametrize(
    ("history", "words"),
    [((), "No earlier session"), ((before(20),), "No reading both before and after")],
)
def test_what_is_not_recorded_is_said_to_be_so(
    history: tuple[PastSession, ...], words: str
) -> None:
    last = said(patient=treated(history=history))["last"]
    assert words in last["said"]
    assert last["table"] is None


def test_a_session_for_something_else_is_not_the_last_one() -> None:
    head = before(20, disorder="migraine.chronic")
    assert "No earlier session" in said(patient=treated(history=(head,)))["last"]["said"]


def test_prior_treatments_and_readings_say_why() -> None:
    assert said()["tried"]["rows"] == [["physiotherapy", "ongoing"]]
    assert ["modified Ashworth scale, left wrist flexors", "3", "16 Nov 2026"] in said()["before"][
        "rows"
    ]


def test_a_code_that_is_not_determined_is_not_chosen() -> None:
    code = dict(said()["patient"])["ICD-10-CM"]
    assert code.startswith("choose: ")
    neck = treated(disorder={"name": "dystonia.cervical"})
    other = Given(session(disorder="dystonia.cervical"), KEY)
    assert dict(note(other, neck)["patient"])["ICD-10-CM"] == "G24.3"
    assert dict(note(other, treated())["patient"])["ICD-10-CM"] == ""


def test_the_next_session_keeps_the_shortest_interval() -> None:
    assert said()["next"] == "Next session not before 8 Feb 2027: 12 weeks at the least."


def test_what_left_the_plan_and_what_went_wrong_is_told() -> None:
    left = Deviation(structure=BICEPS, planned="70 U", given="60 U", reason="looser today")
    event = AdverseEvent(
        date=DAY,
        what="weak grip",
        severity="mild",
        serious=False,
        related="yes",
        outcome="recovering",
    )
    given = Given(session(deviations=(left,)), KEY, (used(),), (event,))
    assert said(given)["deviations"] == [
        "left biceps brachii: planned 70 U, given 60 U; looser today"
    ]
    assert said(given)["events"] == ["16 Nov 2026: weak grip, mild"]


def test_the_id_of_a_note_follows_its_words() -> None:
    other = said(Given(session(note="seen by a second person"), KEY, (used(),)))
    assert re.fullmatch(r"[0-9A-F]{4}(-[0-9A-F]{4}){2}", other["id"])
    assert other["id"] != said()["id"]
