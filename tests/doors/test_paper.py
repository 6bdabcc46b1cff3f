"""Paper as it comes out of the command line: tagged, the same bytes again, nothing missing."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from openbont.cli import NOT_A_DEVICE, main
from openbont.clinic.nouns import Person
from openbont.clinic.records import create_records, open_records
from openbont.io import load_patient, load_plan
from tests.records import injection, session, vial, waste

EXAMPLES = Path(__file__).parents[2] / "examples"
ARM = EXAMPLES / "arm_after_stroke"
PATIENT = "arm-after-stroke"


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    err: str


@pytest.fixture
def openbont(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("OPENBONT_USER", "Dr Vega")

    def run(*arguments: object) -> Said:
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        return Said(int(left.value.code or 0), *capsys.readouterr())

    return run


def words(file: Path) -> str:
    text = " ".join(page.extract_text() for page in PdfReader(file).pages)
    return " ".join(text.split())


def is_accessible(file: Path) -> bool:
    """Tagged, with a language and a title, and declared as PDF/UA."""
    root = PdfReader(file).trailer["/Root"]
    metadata = root["/Metadata"].get_object().get_data()
    tagged = bool(root["/MarkInfo"]["/Marked"]) and "/StructTreeRoot" in root
    return tagged and root["/Lang"] == "en" and b"pdfuaid:part" in metadata


@pytest.fixture
def database(tmp_path: Path) -> str:
    """The arm after a stroke, treated at this clinic, with some units thrown away."""
    place = str(tmp_path / "clinic.db")
    create_records(place, by="Dr Vega")
    patient = load_patient(ARM / "patient.yaml")
    person = {"id": PATIENT, "name": "Adam Example", "born": "1968-03-02", "sex": "male"}
    given = session(injection(units="60"), date=patient.date)
    with open_records(place, by="Dr Vega") as records:
        records.add(patient, PATIENT)
        records.add(Person.model_validate_json(json.dumps(person)), PATIENT)
        records.add(load_plan(ARM / "plan.yaml"), PATIENT, "plan-1")
        records.add(vial("V1", "100"), "")
        records.give(given, PATIENT, "session-1")
        records.waste("V1", waste("40"), seen=records.held("V1").version)
    return place


def test_a_sheet_has_all_that_is_drawn_up_and_is_the_same_again(
    openbont: Any, tmp_path: Path
) -> None:
    for folder in ("one", "two"):
        assert openbont("sheet", ARM / "plan.yaml", "--out", tmp_path / folder).status == 0
    one, two = (tmp_path / folder / "sheet.pdf" for folder in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    assert is_accessible(one)
    text = words(one)
    assert text.count("onabotulinumtoxinA") >= 9  # at every dose, and where it is drawn up
    for part in ("290 U", "flexor digitorum superficialis", "Lot", "Discard by", "signature"):
        assert part in text
    assert "page 1 of " in text
    assert NOT_A_DEVICE.split(",")[1].strip(" .") in text


@pytest.mark.parametrize("name", ["als_refused", "second_clinic"])
def test_a_stopped_sheet_is_stopped_across_the_page(
    openbont: Any, tmp_path: Path, name: str
) -> None:
    found = openbont("sheet", EXAMPLES / name / "plan.yaml", "--out", tmp_path)
    assert found.status == 1
    text = words(tmp_path / "sheet.pdf")
    assert "STOPPED. Do not give this plan." in text
    assert "Draw up" not in text
    assert "signature" not in text


def test_a_page_for_the_patient_is_written_with_its_forecast(openbont: Any, tmp_path: Path) -> None:
    asked = ("--draws", "4", "--phone", "555 0100", "--out", tmp_path, "--json")
    said = openbont("leaflet", ARM / "plan.yaml", *asked)
    assert said.status == 0
    data = json.loads(said.out)
    assert data["reading_grade"] <= 7
    assert any("in the best week" in line for line in data["leaflet"]["expect"])
    file = tmp_path / "leaflet.pdf"
    assert data["files"] == [str(file)]
    assert is_accessible(file)
    text = words(file)
    for part in (
        "Call 112 or 911 at once if:",
        "555 0100",
        "Call us the same day if:",
        "8 Feb 2027",
    ):
        assert part in text


def test_a_stopped_plan_has_no_page_for_the_patient(openbont: Any, tmp_path: Path) -> None:
    said = openbont("leaflet", EXAMPLES / "als_refused" / "plan.yaml", "--out", tmp_path)
    assert said.status == 1
    assert "S07" in said.out
    assert list(tmp_path.iterdir()) == []


def test_the_records_print_what_was_given(openbont: Any, tmp_path: Path, database: str) -> None:
    out = tmp_path / "paper"
    place = ("--database", database, "--out", out)
    assert openbont("note", "session-1", *place).status == 0
    assert openbont("leaflet", "session-1", *place, "--draws", "4").status == 0
    with open_records(database, by="Dr Vega") as records:
        head = records.head().digest[:16]
    told = words(out / "note.pdf")
    for part in ("Adam Example", "J0585 × 60", "J0585-JW × 40", "C1234", f"records {head}"):
        assert part in told
    assert is_accessible(out / "note.pdf")
    given = words(out / "leaflet.pdf")
    assert "What you got, and why" in given
    assert "60 U onabotulinumtoxinA" in given


def test_a_plan_that_was_given_already_is_not_given_again(
    openbont: Any, tmp_path: Path, database: str
) -> None:
    found = openbont("sheet", "plan-1", "--database", database, "--out", tmp_path / "paper")
    assert found.status == 1
    text = words(tmp_path / "paper" / "sheet.pdf")
    assert "born 2 Mar 1968" in text
    assert "S05" in text


def test_a_key_of_something_else_is_refused_with_a_way_out(
    openbont: Any, tmp_path: Path, database: str
) -> None:
    for command, way_out in (("sheet", "a plan or a session"), ("note", "a session")):
        said = openbont(command, "V1", "--database", database, "--out", tmp_path)
        assert said.status == 2
        assert f"V1: is a vial; name {way_out}" in said.err
    said = openbont("sheet", "session-1", "--database", database, "--out", tmp_path)
    assert "session-1: was given already; name a plan" in said.err


def test_a_record_that_was_taken_back_is_not_printed(
    openbont: Any, tmp_path: Path, database: str
) -> None:
    with open_records(database, by="Dr Vega") as records:
        records.withdraw("session-1", "another patient")
    for command in ("note", "leaflet"):
        said = openbont(command, "session-1", "--database", database, "--out", tmp_path)
        assert said.status == 2
        assert "was entered in error" in said.err


def test_a_plan_that_nobody_signed_says_so_across_the_page(
    openbont: Any, tmp_path: Path, database: str
) -> None:
    with open_records(database, by="Dr Vega") as records:
        records.withdraw("session-1", "another patient")
    said = openbont("sheet", "plan-1", "--database", database, "--out", tmp_path)
    assert said.status == 0
    assert "Injection sheet: NOT SIGNED" in words(tmp_path / "sheet.pdf")
    with open_records(database, by="Dr Vega") as records:
        records.sign("plan-1", seen=1)
    openbont("sheet", "plan-1", "--database", database, "--out", tmp_path)
    assert "NOT SIGNED" not in words(tmp_path / "sheet.pdf")


def test_a_note_is_made_from_files_too(openbont: Any, tmp_path: Path) -> None:
    one = session(injection(units="60"), date=load_patient(ARM / "patient.yaml").date)
    file = tmp_path / "session.json"
    file.write_text(one.model_dump_json(), "utf-8")
    bottle = tmp_path / "vial.json"
    taken = ({"session": "s", "units": "60"},)
    full = vial().model_dump(mode="json") | {"taken": taken}
    bottle.write_text(json.dumps(full), "utf-8")
    arguments = ("--patient", ARM / "patient.yaml", "--vial", bottle, "--out", tmp_path)
    assert openbont("note", file, *arguments).status == 0
    assert "C1234" in words(tmp_path / "note.pdf")


@pytest.mark.parametrize("command", ["sheet", "note", "leaflet"])
def test_help_has_an_example(openbont: Any, command: str) -> None:
    said = openbont(command, "--help")
    assert f"Example: openbont {command}" in said.out
    assert "--json" in said.out
    assert NOT_A_DEVICE in said.out
