"""Records of other clinics: what is counted, and what is listed word for word."""

import copy
import datetime
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from openbont.catalog.names import NOT_STATED
from openbont.clinic.fhir.foreign import read_bundle
from openbont.clinic.imports import read_outside, read_table
from openbont.clinic.nouns import NotCounted, OutsideSession
from openbont.errors import BadInput
from openbont.io import load_patient

RECORDS = Path(__file__).parents[2] / "examples" / "records"
HEAD = "Date,Product,Units,Clinic\n"


def table(text: str) -> Any:
    return read_table(text, "a.csv")


def bundle(tmp_path: Path, *changes: tuple[str, object]) -> Any:
    """Clinic A's bundle with fields of its toxin administration changed."""
    data = json.loads((RECORDS / "clinic_a" / "record.json").read_text())
    given = data["entry"][3]["resource"]
    for path, value in changes:
        place = given
        *way, last = path.split(".")
        for step in way:
            place = place[step]
        place[last] = value
    file = tmp_path / "b.json"
    file.write_text(json.dumps(data))
    return read_outside(file)


@pytest.mark.parametrize("file", ["record.json", "record.csv"])
def test_both_forms_of_a_record_say_the_same(file):
    read = read_outside(RECORDS / "clinic_a" / file)
    (past,) = read.sessions
    assert (past.date, past.product, past.total_u, past.disorder, past.clinic) == (
        datetime.date(2026, 10, 26),
        "onabotulinumtoxinA",
        108.0,
        "bladder.neurogenic",
        "Clinic A, paediatric urology",
    )
    assert [one.structure for one in past.injections] == ["detrusor"]
    assert read.not_counted == []
    assert len(read.not_understood) == 1  # the gel; the column of initials


@pytest.mark.parametrize(
    "row",
    [
        "26/10/2026,Botox,108,A",
        "03/04/2026,Botox,108,A",
        "2026-10-26,Botulinum toxin A,108,A",
        "2026-10-26,Botox/Dysport,108,A",
        '2026-10-26,Botox,"1,080",A',
        "2026-10-26,Botox,108 IU,A",
        "2026-10-26,Botox,108 U Dysport,A",
        "2026-10-26,Botox,,A",
        "2026-10-26,Botox,=100+8,A",
        "2026-10-26,Botox,108",
    ],
)
def test_a_row_that_is_not_plain_is_listed_word_for_word(row):
    read = table(HEAD + row + "\n2026-10-27,Dysport,300,B\n")
    assert [past.product for past in read.sessions] == ["abobotulinumtoxinA"]
    (listed,) = read.not_counted
    assert listed.startswith("line 2: " + row.replace('"', ""))
    assert [type(noun) for noun in read.nouns()] == [OutsideSession, NotCounted]


def test_a_dose_needs_its_unit():
    head = "Date;Drug;Dose;Unit\n"
    assert table(head + "2026-10-26;Xeomin;100;U\n").sessions[0].total_u == 100
    assert len(table(head + "2026-10-26;Xeomin;100;\n").not_counted) == 1
    assert table("Date,Drug,Dose\n2026-10-26,Xeomin,100 units\n").sessions[0].total_u == 100


def test_rows_of_one_session_are_added_and_keep_their_muscles():
    head = "Date,Product,Units,Clinic,Muscle,Side\n"
    rows = "2026-10-26,Botox,12.5,A,biceps brachii,L\n2026-10-26,Botox,40,A,brachialis,L\n"
    (past,) = table(head + rows).sessions
    assert past.total_u == 52.5
    assert [one.dose_u for one in past.injections] == [12.5, 40]
    unknown = table(head + rows + "2026-10-26,Botox,10,A,biceps,L\n")
    assert unknown.sessions[0].total_u == 62.5
    assert unknown.sessions[0].injections == ()
    assert unknown.not_understood == ["line 4: structure 'biceps'"]


def test_products_are_never_added():
    read = table(HEAD + "2026-10-26,Botox,100,A\n2026-10-26,Dysport,300,A\n")
    assert sorted(past.total_u for past in read.sessions) == [100, 300]


def test_what_is_not_said_is_called_so():
    (past,) = table("Date,Product,Units\n2026-10-26,Botox,100\n").sessions
    assert (past.disorder, past.clinic) == (NOT_STATED, "not stated (a.csv)")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Date,Units\n2026-10-26,100\n", "no column for product"),
        ("Date,Product\n2026-10-26,Botox\n", "no column for units"),
        ("Date,Drug,Product,Units\n2026-10-26,Botox,Botox,1\n", "say the same"),
        ("Date,Product,Units,Dose\n2026-10-26,Botox,1,1\n", "keep the one"),
        ("Date,Product,Units\n", "no table"),
        ('Date,Product,Units\n2026-10-26,"Botox,100\n', "not CSV"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(text, words):
    with pytest.raises(BadInput, match=words):
        table(text)


@pytest.mark.parametrize(
    "changes",
    [
        [("dosage.dose", {"value": 108, "unit": "mg"})],
        [("dosage.dose", {"value": 108, "unit": "IU"})],
        [("dosage.dose.code", "U")],
        [("dosage.dose.code", "[iU]")],
        [("dosage.dose.system", "http://example.org")],
        [("dosage.dose.unit", "U Dysport")],
        [("dosage.dose.value", "108")],
        [("dosage.dose.value", -108)],
        [("dosage.dose", {"unit": "U"})],
        [("dosage", {"text": "108 units"})],
        [("dosage", [])],
        [("effectiveDateTime", "2026-10")],
        [("effectiveDateTime", "26/10/2026")],
        [("medicationCodeableConcept.text", "botulinum toxin type A")],
        [("medicationCodeableConcept", {"coding": [{"code": "860189"}]})],
        [("medicationCodeableConcept", [])],
        [("status", "unknown")],
        [("status", "in-progress")],
        [("modifierExtension", [{"url": "http://example.org/not", "valueBoolean": True}])],
    ],
)
def test_an_administration_that_is_not_plain_is_listed_and_not_counted(tmp_path, changes):
    read = bundle(tmp_path, *changes)
    assert read.sessions == ()
    assert any('"id": "ma-4113"' in listed for listed in read.not_counted)


def test_what_was_not_given_is_not_counted(tmp_path):
    with pytest.raises(BadInput, match="tells of no toxin that was given"):
        bundle(tmp_path, ("status", "entered-in-error"))


def test_a_procedure_with_toxin_and_no_dose_is_not_passed_over(tmp_path):
    data = json.loads((RECORDS / "clinic_a" / "record.json").read_text())
    del data["entry"][3]  # the gel is still part of it
    (tmp_path / "c.json").write_text(json.dumps(data))
    assert "no MedicationAdministration" in read_outside(tmp_path / "c.json").not_counted[0]


def spots(found: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = found.items() if isinstance(found, dict) else enumerate(found)
    for key, value in items:
        yield (*place, key)
        if isinstance(value, dict | list):
            yield from spots(value, (*place, key))


@pytest.mark.parametrize("spoilt", [None, 0, "x", [], {}, [{}], ["x"]], ids=repr)
def test_no_spoilt_part_of_a_bundle_makes_toxin_disappear(spoilt):
    """The 108 U are counted, or something is handed back that was not, or all is refused."""
    whole = json.loads((RECORDS / "clinic_a" / "record.json").read_text())
    for place in spots(whole):
        if place == ("entry", 2) and spoilt is None:
            continue  # the procedure alone may be missing
        bad = copy.deepcopy(whole)
        *way, last = place
        inner = bad
        for step in way:
            inner = inner[step]
        if spoilt is None:
            del inner[last]
        else:
            inner[last] = spoilt
        try:
            read = read_bundle(bad, "a.json")
        except BadInput:
            continue
        if place == ("entry",) and not bad.get("entry"):
            continue  # no entries at all: read_outside refuses what tells of nothing
        counted = sum(past.total_u for past in read.sessions)
        assert counted == 108 or read.not_counted, place


def test_a_record_of_somebody_else_is_refused():
    ida = load_patient(RECORDS / "clinic_b" / "patient.yaml")
    read = read_outside(RECORDS / "clinic_a" / "record.json")
    assert read.of(ida) is read
    with pytest.raises(BadInput, match="sex is female"):
        read.of(ida.model_copy(update={"sex": "male"}))
    with pytest.raises(BadInput, match="born 2021-06-09"):
        read.of(ida.model_copy(update={"age_years": 8.0}))
    early = table(HEAD + "2006-10-26,Botox,9,A\n")
    with pytest.raises(BadInput, match="before the birth"):
        early.of(ida)
    two = table("Patient,Date,Product,Units\n1,2026-10-26,Botox,9\n2,2026-10-26,Botox,9\n")
    with pytest.raises(BadInput, match="more than one person"):
        two.of(ida)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"resourceType": "Patient"}', "not a FHIR Bundle"),
        ('{"a": 1, "a": 2}', "stands twice"),
        ("{", "not JSON"),
    ],
)
def test_files_that_are_no_bundle_are_refused(tmp_path, text, words):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(BadInput, match=words):
        read_outside(tmp_path / "x.json")


def test_decimals_come_as_written(tmp_path):
    (past,) = bundle(tmp_path, ("dosage.dose.value", 7.5)).sessions
    assert Decimal(str(past.total_u)) == Decimal("7.5")
