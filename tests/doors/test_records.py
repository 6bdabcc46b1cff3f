"""`openbont records`: what a user types and sees."""

import io
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from openbont.cli import NOT_A_DEVICE, main

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENT, PLAN = (EXAMPLES / "arm_after_stroke" / name for name in ("patient.yaml", "plan.yaml"))
COMMANDS = (
    *("init", "add", "give", "waste", "visit", "show", "export", "import", "backup", "restore"),
    *("verify", "sign", "correct", "withdraw", "recover", "passphrase"),
)
VIAL = """
id: {id}
product: onabotulinumtoxinA
lot: C1234
expiry: {expiry}
units: 100
"""
SESSION = """
date: 2026-03-02
disorder: spasticity.upper_limb
injector: Dr Vega
clinic: River clinic
product: onabotulinumtoxinA
diluent: 0.9 % sodium chloride
dilution_u_per_ml: 50
injections:
  - {structure: biceps_brachii.left, units: 60, sites: 2, volume_ml: 1.2, guidance: [ultrasound]}
draws:
  - {vial: V1, units: 60}
"""
VISIT = """
date: 2026-04-13
by: Dr Vega
readings:
  - {scale: MAS, value: 1+, where: elbow_flexors.left}
"""
WHO = "arm-after-stroke"


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def records(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Said]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENBONT_DATABASE", str(tmp_path / "records.db"))
    monkeypatch.setenv("OPENBONT_USER", "Dr Vega")
    monkeypatch.delenv("OPENBONT_PASSPHRASE", raising=False)

    def run(*arguments: object) -> Said:
        with pytest.raises(SystemExit) as left:
            main(["records", *map(str, arguments)])
        return Said(int(left.value.code or 0), *capsys.readouterr())

    return run


def file(name: str, text: str) -> str:
    Path(name).write_text(text, "utf-8")
    return name


@pytest.fixture
def filled(records: Callable[..., Said]) -> Callable[..., Said]:
    """A database with a patient, a signed plan and a vial."""
    assert records("init").status == 0
    assert records("add", PATIENT, "--sign").status == 0
    assert records("add", PLAN, "--key", "plan-1", "--sign").status == 0
    assert records("add", file("v.yaml", VIAL.format(id="V1", expiry="2027-12-01"))).status == 0
    return records


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example_that_names_the_command(
    records: Callable[..., Said], command: str
) -> None:
    said = records(command, "--help")
    assert said.status == 0
    assert f"Example: openbont records {command}" in said.out
    assert "--json" in said.out
    assert NOT_A_DEVICE in said.out
    assert command in records("--help").out


def test_a_session_from_the_plan_to_the_visit(filled: Callable[..., Said]) -> None:
    session = file("session.yaml", SESSION)
    given = filled("give", session, "--patient", WHO, "--key", "s1", "--json").json
    assert (given["state"], given["version"], given["events"]) == ("given", 1, 8)
    assert re.fullmatch("[0-9a-f]{64}", given["head"])
    wasted = filled("waste", "V1", "--units", "40", "--reason", "rest", "--date", "2026-03-02")
    assert "V1: given, version 3" in wasted.out
    visit = filled("visit", file("visit.yaml", VISIT), "--patient", WHO, "--sign", "--json").json
    assert (visit["kind"], visit["state"]) == ("visit", "signed")
    shown = filled("show", WHO)
    assert all(word in shown.out for word in ("plan-1", "signed", "s1", "given", "chain head"))
    listed = filled("show", WHO, "--json").json
    kinds = {one["kind"] for one in listed["records"]}
    assert kinds == {"patient", "plan", "session", "visit"}
    assert filled("show", "--json").json["records"][0]["noun"]["wasted"][0]["units"] == "40"
    assert filled("verify", "--json").json["head"] == listed["head"]


def test_an_error_is_corrected_or_withdrawn_with_its_reason(filled: Callable[..., Said]) -> None:
    session = file("session.yaml", SESSION)
    filled("give", session, "--patient", WHO, "--key", "s1")
    right = file("right.yaml", SESSION.replace("60", "50").replace("1.2", "1.0"))
    new = filled("correct", "s1", right, "--reason", "misread", "--json").json
    assert new["state"] == "given"
    assert "s1" not in filled("show", WHO).out.replace(new["key"], "")
    assert "misread" in filled("show", WHO, "--errors").out
    gone = filled("withdraw", new["key"], "--reason", "another patient")
    assert "entered in error" in gone.out
    assert filled("show", "--json").json["records"][0]["noun"]["taken"] == []


def test_a_draft_is_replaced_only_by_who_read_it(filled: Callable[..., Said]) -> None:
    consent = "date: 2026-03-02\nto: {to}\ngiven: true\nby: patient\ntaken_by: Dr Vega\n"
    filled("add", file("a.yaml", consent.format(to="a")), "--patient", WHO, "--key", "c1")
    changed = file("b.yaml", consent.format(to="b"))
    assert filled("add", changed, "--patient", WHO, "--replace", "c1", "--seen", 1).status == 0
    stale = filled("add", changed, "--patient", WHO, "--replace", "c1", "--seen", 1)
    assert stale.status == 2
    assert "c1: changed by Dr Vega since it was read (version 1, now 2)" in stale.err
    assert filled("sign", "c1", "--seen", 1).status == 2
    assert filled("sign", "c1").status == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SESSION.replace("onabot", "onobot"), "session.yaml:6: product: unknown product"),
        (SESSION.replace("biceps_brachii.left", "biceps.left"), "unknown structure"),
        (SESSION.replace("units: 60, sites", "unit: 60, sites"), "did you mean units?"),
        (SESSION.replace("vial: V1, units: 60", "vial: V1, units: 50"), "draws from vials to 50"),
        (SESSION.replace("V1", "V7"), "V7: there is no such record"),
    ],
)
def test_a_wrong_session_is_refused_with_its_place(
    filled: Callable[..., Said], text: str, words: str
) -> None:
    said = filled("give", file("session.yaml", text), "--patient", WHO)
    assert (said.status, said.out) == (2, "")
    assert words in said.err


def test_a_file_is_told_by_its_fields_and_a_kind_by_name(filled: Callable[..., Said]) -> None:
    wrong = file("v2.yaml", VIAL.format(id="V2", expiry="soon"))
    assert "v2.yaml:5: expiry: not a date" in filled("add", wrong).err
    assert "did you mean vial?" in filled("add", wrong, "--kind", "vail").err
    assert (
        "no patient is named"
        in filled(
            "add", file("c.yaml", "date: 2026-03-02\nto: a\ngiven: true\nby: b\ntaken_by: c\n")
        ).err
    )


def test_backup_drill_restore_export_import_recover(filled: Callable[..., Said]) -> None:
    head = filled("verify", "--json").json["head"]
    copy = filled("backup", "--out", "copies", "--json").json
    assert copy["head"] == head
    drill = filled("restore", copy["file"], "--drill")
    assert "drill: can be restored" in drill.out
    assert head in drill.out
    assert "there is already a database" in filled("restore", copy["file"]).err
    assert filled("restore", copy["file"], "--replace").status == 0
    assert filled("restore", copy["file"], "--database", "other.db").status == 0
    assert filled("export", "--out", "all.jsonl").status == 0
    brought = filled("import", "all.jsonl", "--database", "third.db", "--json").json
    assert brought["place"] == "third.db"
    left = filled("recover", "--out", "left.json", "--json").json
    assert left["lost"] == []
    assert (
        left["events"]
        == left["whole_to"]
        == len(json.loads(Path("left.json").read_text())["events"])
    )


def test_a_damaged_database_is_said_and_left_as_it_is(filled: Callable[..., Said]) -> None:
    database = Path("records.db")
    database.write_bytes(database.read_bytes()[:5000])
    torn = database.read_bytes()
    said = filled("verify")
    assert said.status == 1
    assert "restore the newest backup that verifies" in said.err
    assert database.read_bytes()[100:] == torn[100:]
    refused = filled("verify", "--json").json["error"]
    assert refused["kind"] == "Damaged"
    assert refused["way_out"].endswith("openbont records recover")


def test_a_passphrase_is_asked_never_given_on_the_command_line(
    records: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert (
        "there is no terminal to ask at; set OPENBONT_PASSPHRASE"
        in records("init", "--encrypt").err
    )
    monkeypatch.setenv("OPENBONT_PASSPHRASE", "short")
    assert "shorter than 8 characters; take a few words" in records("init", "--encrypt").err
    monkeypatch.setenv("OPENBONT_PASSPHRASE", "a few quiet words")
    recovery = records("init", "--encrypt", "--json").json["recovery_key"]
    assert "a few quiet words" not in Path("records.db.key").read_text()
    assert records("verify").status == 0
    monkeypatch.setenv("OPENBONT_NEW_PASSPHRASE", "other quiet words")
    assert records("passphrase").status == 0
    assert "the passphrase does not open it" in records("verify").err
    monkeypatch.setenv("OPENBONT_PASSPHRASE", recovery)
    assert records("verify").status == 0
    monkeypatch.delenv("OPENBONT_PASSPHRASE")
    assert "there is no terminal to ask at" in records("verify").err


def test_what_is_typed_as_a_passphrase_is_not_shown(tmp_path: Path) -> None:
    """On a real terminal, twice."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "openbont.cli", "records", "init", "--encrypt"]
    database = ["--database", str(tmp_path / "a.db"), "--by", "Dr Vega"]
    clean = {name: value for name, value in os.environ.items() if "OPENBONT_" not in name}
    process = subprocess.Popen(
        [*command, *database],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=clean,
        start_new_session=True,
    )
    os.close(theirs)
    seen = b""
    for prompt in (b"New passphrase: ", b"The same again: "):
        while not seen.endswith(prompt):
            seen += os.read(ours, 1000)
        os.write(ours, b"a few quiet words\n")
    while b"Recovery key" not in seen:
        seen += os.read(ours, 1000)
    assert process.wait(60) == 0
    os.close(ours)
    assert b"quiet" not in seen


def test_nothing_heavy_is_imported_to_record() -> None:
    code = "import sys, openbont.clinic.records, openbont.clinic.backup; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    assert not {"jax", "matplotlib", "scipy", "typst"} & set(loaded.stdout.split())


def test_a_passphrase_in_the_environment_is_used(
    records: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has set one does not get a plain file, and who has not is told."""
    plain, secret = tmp_path / "plain.db", tmp_path / "secret.db"
    assert "not encrypted" in records("init", "--database", plain).out
    monkeypatch.setenv("OPENBONT_PASSPHRASE", "a few plain words")
    assert "Recovery key" in records("init", "--database", secret).out
    assert plain.read_bytes().startswith(b"SQLite format 3")
    assert not secret.read_bytes().startswith(b"SQLite format 3")
