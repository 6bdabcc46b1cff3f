"""Tables for research: no names, no days, no words; no formula; the same bytes for one secret."""

import csv
import datetime
from collections.abc import Iterable
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbont.clinic.held import Held, kind_of
from openbont.clinic.nouns import Diary, DiaryDay, OutsideSession, PatientReport
from openbont.clinic.research import TABLES, Veil, cell, csv_text, research
from openbont.errors import BadInput
from openbont.frozen import Noun
from openbont.patient import Reading
from tests.cases import ONA, past, patient
from tests.charts import chart

SECRET = b"sixteen bytes at least"
OTHER = b"another secret, also long"


def held(*nouns: Noun, patient: str = "p1", state: Any = "signed") -> list[Held]:
    return [Held(f"k{n}", kind_of(noun), patient, 1, state, noun) for n, noun in enumerate(nouns)]


def rows(tables: dict[str, str], name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(tables[name].splitlines()))


def everything() -> list[Held]:
    one = chart("arm_after_stroke")
    report = PatientReport(session="k1", date=one.session.date, onset_day=4, note="Mrs Smith")
    day = DiaryDay(date=one.session.date, readings=(Reading(scale="pain_NRS", value=4),))
    outside = OutsideSession(session=past(21, ONA, 108, "bladder.neurogenic"), source="letter")
    nouns = (one.session, *one.visits, *one.adverse_events, report, one.person)
    return held(patient(note="secret words"), *nouns, Diary(days=(day,), source="d.csv"), outside)


def test_tables_have_their_columns_and_rows():
    made = research(everything(), SECRET)
    assert {name: made[name].splitlines()[0].split(",") for name in made} == {
        name: list(columns) for name, columns in TABLES.items()
    }
    assert all(rows(made, name) for name in TABLES)
    session = chart("arm_after_stroke").session
    ours = [row for row in rows(made, "injections") if row["own_clinic"] == "True"]
    assert sum(Decimal(row["units"]) for row in ours) == session.units


def test_no_word_of_anybody_leaves():
    text = "".join(research(everything(), SECRET).values())
    words = ("p1", "Ånn", "Injector", "Clinic", "Smith", "secret", "letter", "hand", "2026-11-16")
    assert [word for word in words if word in text] == []


def test_days_between_two_events_stay_and_days_themselves_go():
    veil, on = Veil("p1", SECRET), datetime.date(2026, 11, 16)
    later = on + datetime.timedelta(days=35)
    shifted = [datetime.date.fromisoformat(veil.day(day)) for day in (on, later)]
    assert (shifted[1] - shifted[0]).days == 35
    assert 1 <= (on - shifted[0]).days <= 364


def test_people_and_secrets_are_apart():
    one, other = Veil("p1", SECRET), Veil("p2", SECRET)
    assert len({one.name, other.name, Veil("p1", OTHER).name}) == 3
    days = {Veil(f"p{n}", SECRET).day(datetime.date(2026, 11, 16)) for n in range(40)}
    assert len(days) > 20
    assert research(everything(), SECRET) == research(list(reversed(everything())), SECRET)


@pytest.mark.parametrize(("years", "shown"), [(89.0, "89"), (89.5, "90+"), (101.0, "90+")])
def test_the_oldest_are_one_group(years, shown):
    (row,) = rows(research(held(patient(age_years=years)), SECRET), "patients")
    assert row["age_years"] == shown


def test_words_that_are_not_ours_become_other_or_go():
    own = patient(
        disorder={"name": "bladder.neurogenic", "cause": "accident of Mr Smith"},
        findings=[
            {"scale": "pain_NRS", "value": "very bad, says Smith"},
            {"scale": "PVR", "value": 40, "where": "john_smith"},
        ],
    )
    made = research(held(own), SECRET)
    assert rows(made, "patients")[0]["cause"] == "other"
    assert [(row["scale"], row["where"]) for row in rows(made, "readings")] == [("PVR", "")]


def test_drafts_and_errors_do_not_count():
    for state in ("draft", "entered in error"):
        assert rows(research(held(patient(), state=state), SECRET), "patients") == []


def test_a_short_secret_is_refused():
    with pytest.raises(BadInput, match="at least 16"):
        research([], b"short")


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-1+1", "@A1", "\t=1", "\r=1", " =1", "＝1"])
def test_no_cell_is_a_formula(text):
    assert cell(text) == f"'{text}"


def test_numbers_stay_numbers():
    shown = [cell(value) for value in (-3, -2.5, Decimal("-0.50"), "-12.5", "+x", True, None)]
    assert shown == ["-3", "-2.5", "-0.50", "-12.5", "'+x", "True", ""]


@given(st.lists(st.text(max_size=12), min_size=1, max_size=4))
def test_every_text_comes_back_and_none_runs(texts: Iterable[str]):
    texts = [text.replace("\0", "") for text in texts]
    (row,) = csv.reader(StringIO(csv_text([texts]), newline=""))
    assert [text.removeprefix("'") for text in row] == [text.removeprefix("'") for text in texts]
    assert not any(text[:1] in ("=", "@", "\t", "\r") for text in row)
