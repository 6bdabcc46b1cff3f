"""Records that come and go: the accident of two clinics, diaries, FHIR, research."""

import csv
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from openbont.cli import main
from openbont.clinic.fhir.parse import chart
from openbont.clinic.imports import bundle_of
from openbont.clinic.nouns import Diary, GivenSession, Person
from openbont.clinic.records import create_records, open_records
from openbont.io import load_patient, load_plan
from tests.charts import chart as example

RECORDS = Path(__file__).parents[2] / "examples" / "records"
A, B = RECORDS / "clinic_a", RECORDS / "clinic_b"
PLAN, PATIENT = B / "plan.yaml", B / "patient.yaml"
Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def openbont(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> tuple[int, Any]:
        with pytest.raises(SystemExit) as left:
            main([*map(str, arguments), "--json"])
        return int(left.value.code or 0), json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Clinic B's records, with the girl in them."""
    place = tmp_path / "b.db"
    monkeypatch.delenv("OPENBONT_DATABASE", raising=False)
    monkeypatch.setenv("OPENBONT_USER", "Clinic B")
    create_records(place, by="Clinic B")
    with open_records(place, by="Clinic B") as records:
        records.add(load_patient(PATIENT), "ida")
    return place


def stops(said: Any) -> dict[str, str]:
    return {one["rule"]: one["reason"] for one in said["findings"] if one["level"] == "stop"}


# ---- the accident


def test_alone_clinic_b_sees_no_reason_to_stop(openbont: Run) -> None:
    status, said = openbont("check", PLAN)
    assert (status, stops(said)) == (0, {})


@pytest.mark.parametrize("file", ["record.json", "record.csv"])
def test_with_the_record_of_clinic_a_the_plan_is_stopped(openbont: Run, file: str) -> None:
    status, said = openbont("check", PLAN, "--record", A / file)
    assert status == 1
    assert set(stops(said)) == {"S04", "S05"}
    assert "21 days after 108 U onabotulinumtoxinA for bladder.neurogenic" in stops(said)["S05"]
    assert "10 U/kg x 18 kg = 180 U" in stops(said)["S04"]


def test_both_forms_of_one_record_are_counted_once(openbont: Run) -> None:
    files = ("--record", A / "record.json", "--record", A / "record.csv")
    _, found = openbont("ledger", PATIENT, *files, "--on", "2026-11-16")
    (total,) = found["totals"]
    assert (total["product"], total["units"], found["days_since_last"]) == (
        "onabotulinumtoxinA",
        "108",
        21,
    )
    assert found["lines"][0]["sources"] == ["record.json", "record.csv"]


def test_a_record_that_is_not_clear_lets_nothing_pass(openbont: Run) -> None:
    status, said = openbont("check", PLAN, "--record", A / "unclear.csv")
    assert status == 2
    assert "26/10/2026,Botox,108 units" in said["error"]["problem"]
    _, found = openbont("ledger", PATIENT, "--record", A / "unclear.csv")
    assert "date '26/10/2026'" in found["not_counted"][0]


@pytest.mark.parametrize("file", ["record.json", "record.csv"])
def test_what_was_taken_into_the_records_stops_the_plan(
    openbont: Run, database: Path, file: str
) -> None:
    known = ("--database", database)
    assert openbont("check", PLAN, *known)[0] == 0
    status, said = openbont("records", "outside", A / file, "--patient", "ida", *known)
    assert (status, [one["kind"] for one in said["kept"]]) == (0, ["outside"])
    status, said = openbont("check", PLAN, *known)
    assert (status, set(stops(said))) == (1, {"S04", "S05"})
    _, found = openbont("ledger", "ida", "--on", "2026-11-16", *known)
    assert [one["of"] for one in found["by_clinic"]] == ["Clinic A, paediatric urology"]
    assert openbont("records", "verify", *known)[0] == 0


def test_a_record_that_is_taken_in_twice_counts_once(openbont: Run, database: Path) -> None:
    known = ("--database", database)
    for file in ("record.json", "record.csv", "record.json"):
        openbont("records", "outside", A / file, "--patient", "ida", *known)
    _, found = openbont("ledger", "ida", "--on", "2026-11-16", *known)
    assert [one["units"] for one in found["totals"]] == ["108"]


def test_what_could_not_be_counted_stops_until_somebody_asked(
    openbont: Run, database: Path
) -> None:
    known = ("--database", database)
    _, said = openbont("records", "outside", A / "unclear.csv", "--patient", "ida", *known)
    (kept,) = said["kept"]
    assert openbont("check", PLAN, *known)[0] == 2
    with open_records(database, by="x") as records:
        plan = records.add(load_plan(PLAN), "ida").key
    sheet = openbont("sheet", plan, "--out", database.parent, *known)
    assert (sheet[0], "26/10/2026" in sheet[1]["error"]["problem"]) == (2, True)
    openbont("records", "outside", A / "record.csv", "--patient", "ida", *known)
    asked = ("--reason", "clinic A asked; record.csv says it", *known)
    assert openbont("records", "withdraw", kept["key"], *asked)[0] == 0
    status, said = openbont("check", PLAN, *known)
    assert (status, set(stops(said))) == (1, {"S04", "S05"})


def test_a_record_of_another_child_is_refused(openbont: Run, tmp_path: Path) -> None:
    other = tmp_path / "record.csv"
    other.write_text((A / "record.csv").read_text().replace("2021-06-09,F", "2016-06-09,M"))
    status, said = openbont("check", PLAN, "--record", other)
    assert status == 2
    assert "not of ida: sex is male" in said["error"]["problem"]


# ---- a session out, a diary in, tables for research


def given(place: Path, name: str = "arm_after_stroke") -> str:
    """A session of an example, recorded; its key."""
    one = example(name)
    folder = Path(__file__).parents[2] / "examples" / name
    with open_records(place, by="Dr A. Injector") as records:
        records.add(load_patient(folder / "patient.yaml"), one.person.id)
        person = Person.model_validate({**dict(one.person), "name": "Ånn O'Example"})
        records.add(person, one.person.id)
        plan = records.add(load_plan(folder / "plan.yaml"), one.person.id, "plan_1")
        records.sign(plan.key, plan.version)
        for vial in one.vials:
            bare = vial.model_copy(update={"taken": (), "wasted": ()})
            records.add(bare, "")
        session = GivenSession.model_validate({**dict(one.session), "deviations": ()})
        key = records.give(session, one.person.id).key
        for vial in one.vials:
            if vial.wasted:
                records.waste(vial.id, vial.wasted[0], records.held(vial.id).version)
        visit = one.visits[1].model_copy(
            update={"session": key, "readings": one.visits[0].readings}
        )
        seen = records.add(visit, one.person.id)
        records.sign(seen.key, seen.version)
        event = one.adverse_events[0].model_copy(update={"session": key})
        seen = records.add(event, one.person.id)
        records.sign(seen.key, seen.version)
        for held in records.all(one.person.id, "patient"):
            records.sign(held.key, held.version)
        return key


def test_a_recorded_session_travels_whole(openbont: Run, database: Path, tmp_path: Path) -> None:
    key, file = given(database), tmp_path / "session.json"
    status, said = openbont("records", "fhir", key, "--out", file, "--database", database)
    assert status == 0
    back = chart(bundle_of(file.read_text(), file.name))
    with open_records(database, by="x") as records:
        assert back.session == records.held(key).noun
        assert {vial.id: vial for vial in back.vials} == {
            name: records.held(name).noun for name in (vial.id for vial in back.vials)
        }
    assert len(back.visits) == len(back.adverse_events) == 1
    assert said["resources"] > 20
    first = file.read_bytes()
    openbont("records", "fhir", key, "--out", file, "--database", database)
    assert file.read_bytes() == first


def test_a_diary_comes_in_and_bad_rows_are_said(
    openbont: Run, database: Path, tmp_path: Path
) -> None:
    file = tmp_path / "diary.csv"
    file.write_text("date,scale,value\n2026-03-01,pain_NRS,4\n02/03/2026,pain_NRS,=1+1\n")
    known = ("--patient", "ida", "--database", database)
    status, said = openbont("records", "diary", file, *known)
    assert status == 0
    assert "line 3: 02/03/2026,pain_NRS,=1+1" in said["left_out"][0]
    with open_records(database, by="x") as records:
        (held,) = records.all("ida", "diary")
        assert isinstance(held.noun, Diary)
        assert held.noun.days[0].readings[0].value == 4


def test_tables_for_research_name_nobody(openbont: Run, database: Path, tmp_path: Path) -> None:
    given(database)
    out = tmp_path / "tables"
    ask = ("records", "research", "--out", out, "--database", database)
    status, said = openbont(*ask)
    assert status == 0
    assert said["rows"]["injections"] > 0
    first = {file.name: file.read_text() for file in out.iterdir()}
    openbont(*ask)
    assert {file.name: file.read_text() for file in out.iterdir()} == first
    everything = "".join(first.values())
    words = ("Ånn", "arm-after-stroke", "Injector", "Clinic A", "C1234", "mornings", "weakness")
    assert [word for word in words if word in everything] == []
    plan = load_plan(RECORDS.parent / "arm_after_stroke" / "plan.yaml")
    rows = list(csv.DictReader(first["injections.csv"].splitlines()))
    assert str(plan.date) not in {row["date"] for row in rows}
    assert openbont("records", "verify", "--database", database)[0] == 0


# ---- the day's work


def test_vials_of_the_shelf_are_chosen_for_a_patient(openbont: Run, database: Path) -> None:
    closed = {"taken": (), "wasted": (), "opened": None}
    shelf = example("chronic_migraine").vials[0].model_copy(update=closed)
    with open_records(database, by="x") as records:
        for name, units in (("A", 100), ("B", 100), ("C", 200)):
            records.add(shelf.model_copy(update={"id": name, "units": Decimal(units)}), "")
    ask = ("records", "vials", "onabotulinumtoxinA")
    who = ("--patient", "ida", "--database", database)
    assert openbont(*ask, "155", *who)[1] == {
        "draws": [{"units": "155", "vial": "C"}],
        "left_over": "45",
    }
    assert openbont(*ask, "90", *who)[1]["draws"] == [{"units": "90", "vial": "A"}]
    assert openbont(*ask, "500", *who)[0] == openbont(*ask, "0", *who)[0] == 2


def test_visits_that_are_due_name_their_scales(openbont: Run, database: Path) -> None:
    given(database)
    status, said = openbont("records", "due", "arm-after-stroke", "--database", database)
    assert status == 0
    first, early, peak, _ = said["due"]
    assert "MAS" in first["visit"]["scales"]
    assert early["visit"]["ask"]
    assert "MAS" in peak["visit"]["scales"]
    assert "MAS" not in peak["missing"]  # it was read five weeks after
    assert openbont("records", "due", "ida", "--database", database)[0] == 2
