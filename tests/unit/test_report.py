import json
import re
from datetime import date
from math import inf, nan
from types import SimpleNamespace

import pytest

from openbont.forward.outcome import Band
from openbont.patient import Goal
from openbont.report.content import NOTICE, content
from openbont.report.figures import INK, pictures
from openbont.report.page import html, pdf
from openbont.report.words import band, day, listed, number, percent, share_band, week
from tests import fakes

STOP = fakes.FakeFinding("stop", "S04", "sessions[0]", "over the cap", "a later date")
WARN = fakes.FakeFinding(
    "warn",
    "L03",
    "sessions[0].injections[1].dose_u",
    "above the label",
    "a session on or after 2027-01-18",
    (fakes.RECALLED,),
    False,
)
NOTE = fakes.FakeFinding("inform", "S19", "plan", "holds albumin", "")


def said(*findings, patient=None, plan=None, **changes):
    course = fakes.course()
    given = {
        "course": course,
        "untreated": fakes.course(0.0),
        "outcome": fakes.outcome(),
        "model_parameters": course.rests_on,
    }
    return content(plan or fakes.plan(), patient or fakes.patient(), findings, **given | changes)


@pytest.fixture(scope="module")
def whole():
    return said(WARN, NOTE)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "not known"),
        (nan, "not known"),
        (0.0, "0"),
        (-0.0001, "-0.0001"),
        (12.5, "12.5"),
        (1234.5, "1,234"),
        (1.9e-7, "1.9 × 10⁻⁷"),
    ],
)
def test_numbers_as_read(value, text):
    assert number(value) == text


def test_shares_never_round_to_certainty():
    shares = [0.0, 0.001, 0.5, 0.999, 1.0, None]
    assert [percent(share) for share in shares] == [
        "0 %",
        "under 1 %",
        "50 %",
        "over 99 %",
        "100 %",
        "not known",
    ]


def test_bands_name_what_never_happens():
    assert band(Band(4.04, 3.0, inf), "days") == "4 days (3 to never)"
    assert band(Band(nan, nan, nan)) == "not known"
    assert share_band(Band(0.999, 0.998, 0.999)) == "over 99 %"


def test_dates_and_lists_in_words():
    assert day(date(2026, 11, 6)) == "6 Nov 2026"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(["a"]) == "a"
    assert [week(18 / 7), week(4.0), week(None)] == ["2.6", "4", "not known"]


def test_content_is_plain_data(whole):
    assert json.loads(json.dumps(whole)) == whole


def test_findings_come_in_order_and_in_words():
    table = said(NOTE, WARN)["findings"]
    assert table["levels"] == ["warn", "inform"]
    assert table["rows"][0][1] == "left biceps brachii: above the label"
    assert table["rows"][0][2] == "a session on or after 18 Jan 2027"
    assert table["rows"][0][3].endswith("unverified")


def test_every_mark_has_its_source(whole):
    marks = re.findall(
        r"\[([\d, ]+)\]",
        json.dumps(
            whole["findings"]["rows"]
            + [row for session in whole["sessions"] for row in session["table"]["rows"]]
        ),
    )
    numbers = {int(one) for mark in marks for one in mark.split(",")}
    assert numbers
    assert max(numbers) <= len(whole["sources"])
    assert whole["sources"][int(marks[0]) - 1]["text"] == fakes.RECALLED.text


def test_the_plan_table_adds_up(whole):
    session = whole["sessions"][0]
    assert session["table"]["total"][:3] == ["Total", "150", "6"]
    assert session["table"]["total"][5] == "3"
    assert session["recipe"][0] == (
        "Open 2 vials (1 × 100 U and 1 × 50 U): 150 U given, 0 U discarded of 150 U opened."
    )
    assert "2 mL into a 100 U vial and 1 mL into a 50 U vial gives 50 U/mL" in session["recipe"][1]


def test_verdict_follows_the_most_serious_finding(whole):
    assert said(STOP, WARN)["verdict"]["level"] == "stop"
    assert "S04" in said(STOP, WARN)["verdict"]["text"]
    assert whole["verdict"]["level"] == "warn"
    assert said(NOTE)["verdict"]["level"] == "inform"


def test_a_plan_without_a_course_has_its_label_ranges_and_sources():
    whole = said(WARN, course=None, untreated=None, outcome=None)
    assert "goals" not in whole
    assert re.search(r"\[\d+\]", whole["sessions"][0]["table"]["rows"][0][-1])
    assert "<h2>The plan</h2>" in html(whole)


def test_a_stopped_plan_gets_no_course_and_no_advice():
    whole = said(STOP, WARN)
    assert not whole.keys() & {"goals", "pictures", "strength", "why", "rests_on"}
    session = whole["sessions"][0]
    assert "NOT TO BE GIVEN" in session["table"]["caption"]
    assert not any("Label" in name for name in session["table"]["columns"])
    assert session["recipe"] == []
    assert session["places"] is None


@pytest.mark.parametrize(
    "condition", ["amyotrophic_lateral_sclerosis", "myasthenia_gravis", "lambert_eaton"]
)
@pytest.mark.parametrize("finding", [STOP, WARN])
def test_no_label_dose_where_no_dose_is_known_to_be_safe(condition, finding):
    whole = said(finding, patient=fakes.patient(conditions=(condition,)))
    assert "No dose is known to be safe in" in whole["verdict"]["text"]
    assert not any("Label" in name for name in whole["sessions"][0]["table"]["columns"])
    assert "at most" not in json.dumps(whole["sessions"])


def test_what_is_assumed_or_unverified_is_listed(whole):
    rests_on = whole["rests_on"]
    assert [row[0] for row in rests_on["table"]["rows"]] == ["spread.guess", "spread.recalled"]
    assert rests_on["tally"].startswith("Rests on 3 parameters")


def test_a_proposal_says_why():
    proposal = SimpleNamespace(
        why="biceps_brachii.left is held back",
        value=0.61,
        bound=0.62,
        gap=0.016,
        revalued=0.58,
        binding=(SimpleNamespace(limit="floor", words="grip.left keeps 60 %"),),
        sources=(),
    )
    why = said(WARN, proposal=proposal)["why"]
    assert why["text"] == "left biceps brachii is held back"
    assert ["Gap", "2 %", "between the two"] in why["facts"]
    assert ["Binding limit", "floor", "left grip keeps 60 %"] in why["facts"]


def test_parameters_of_other_products_are_left_out():
    other = fakes.parameters()[1].model_copy(update={"id": "kinetics.potency.letibotulinumtoxinA"})
    rests_on = said(model_parameters=(other,))["rests_on"]
    assert rests_on["table"]["rows"] == []


def test_pictures_are_the_same_twice_and_say_what_they_show():
    given = (fakes.course(), fakes.course(0.0), fakes.outcome(), fakes.plan(), fakes.patient())
    drawn = pictures(*given)
    assert drawn == pictures(*given)
    assert [picture.name for picture in drawn] == [
        "course",
        "strength",
        "muscles",
        "chain",
    ]
    assert all(picture.summary.endswith(".") for picture in drawn)


def test_ids_of_pictures_do_not_meet_on_one_page(whole):
    page = html(whole)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', page)) <= set(ids)


def test_the_page_fetches_and_runs_nothing(whole):
    page = html(whole)
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?!#)', page)
    assert not re.search(r"url\((?!#)", page)
    assert INK not in page.split("</style>")[1]
    assert page.count(NOTICE) >= 2


HOSTILE = '\x00\x1b<script>alert(1)</script> #panic("x") $y$ *b* `c` @d \\ "q" é漢'


def test_hostile_words_stay_words():
    patient = fakes.patient(
        id=HOSTILE,
        goals=(Goal(scale="MAS", where="wrist_flexors.left", at_most=1, words=HOSTILE),),
    )
    whole = said(WARN, patient=patient, plan=fakes.plan(patient=HOSTILE, note=HOSTILE))
    assert "<script" not in html(whole)
    assert "&lt;script&gt;" in html(whole)
    assert pdf(whole).startswith(b"%PDF")


def test_page_and_pdf_are_the_same_twice(whole):
    again = said(WARN, NOTE)
    assert html(again) == html(whole)
    assert pdf(again) == pdf(whole)


def test_the_pdf_is_tagged_and_dated_by_the_plan(whole):
    written = pdf(whole)
    assert b"/StructTreeRoot" in written
    assert b"pdfuaid" in written
    assert b"D:20261116" in written
