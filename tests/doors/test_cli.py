"""What a user of the command line sees: pages, JSON, exit statuses, refusals."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from openbont.cli import NOT_A_DEVICE, main
from openbont.io import load_patient, load_plan
from openbont.planning.check import check

EXAMPLES = Path(__file__).parents[2] / "examples"
ARM = EXAMPLES / "arm_after_stroke"
COMMANDS = (
    *("demo", "check", "explain", "propose", "simulate", "report", "cite", "doctor", "schema"),
    *("sbml", "trial", "validate", "calibrate", "ledger", "sheet", "leaflet", "note"),
)
QUICK = ("--draws", "4", "--weeks", "2")
HEAVY = {"jax", "matplotlib", "typst", "equinox", "numpy", "pydantic", "highspy"}


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def openbont(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: object) -> Said:
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        return Said(int(left.value.code or 0), *capsys.readouterr())

    return run


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example_that_names_the_command(openbont: Any, command: str) -> None:
    said = openbont(command, "--help")
    assert said.status == 0
    assert f"Example: openbont {command}" in said.out
    assert "--json" in said.out
    assert NOT_A_DEVICE in said.out


def test_help_lists_every_command_on_one_page(openbont: Any) -> None:
    said = openbont("--help")
    assert all(f"\n  {command} " in said.out for command in COMMANDS)
    assert len(said.out.splitlines()) <= 40


def test_help_needs_nothing_heavy() -> None:
    code = "import sys, openbont.cli; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert not HEAVY & set(loaded.decode().split())


def test_a_plan_within_its_limits_is_fine(openbont: Any) -> None:
    said = openbont("check", ARM / "plan.yaml")
    assert said.status == 0
    assert "0 to stop for" in said.out
    assert said.out.rstrip().endswith(NOT_A_DEVICE)


@pytest.mark.parametrize(
    ("example", "rule"),
    [("als_refused", "S07"), ("second_clinic", "S05"), ("second_clinic", "S04")],
)
def test_a_stop_leaves_with_one_and_names_rule_and_source(
    openbont: Any, example: str, rule: str
) -> None:
    said = openbont("check", EXAMPLES / example / "plan.yaml", "--json")
    assert said.status == 1
    assert said.json["stopped"] is True
    stop = next(one for one in said.json["findings"] if one["rule"] == rule)
    assert stop["level"] == "stop"
    assert stop["sources"][0]["text"]
    page = openbont("check", EXAMPLES / example / "plan.yaml")
    assert page.status == 1
    assert f"stop   {rule}" in page.out


def test_no_course_is_shown_while_a_stop_stands(openbont: Any) -> None:
    said = openbont("simulate", EXAMPLES / "als_refused" / "plan.yaml", "--json")
    assert said.status == 1
    assert set(said.json) == {"findings", "stopped"}


def test_bad_input_leaves_with_two_and_one_sentence(openbont: Any, tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text((ARM / "plan.yaml").read_text().replace("dose_u: 45}", "doze_u: 45}"))
    said = openbont("check", plan, "--patient", ARM / "patient.yaml")
    assert (said.status, said.out) == (2, "")
    first, *others = said.err.splitlines()
    assert first == (
        "plan.yaml:10: sessions[0].injections[0].dose_u: missing field; dose_u: Units of the "
        "session's product, all sites of this structure together."
    )
    unknown = "sessions[0].injections[0].doze_u: unknown field (value 45); did you mean dose_u?"
    assert others[0] == f"plan.yaml:10: {unknown}"


def test_bad_input_as_json(openbont: Any) -> None:
    said = openbont("check", EXAMPLES / "chronic_migraine" / "plna.yaml", "--json")
    assert said.status == 2
    assert said.json["error"] == {
        "kind": "BadInput",
        "place": str(EXAMPLES / "chronic_migraine" / "plna.yaml"),
        "problem": "no such file",
        "way_out": "there is plan.yaml, patient.yaml",
        "others": [],
    }


def test_a_plan_for_somebody_else_is_refused(openbont: Any) -> None:
    other = EXAMPLES / "chronic_migraine" / "patient.yaml"
    said = openbont("check", ARM / "plan.yaml", "--patient", other)
    assert said.status == 2
    assert "the plan is for 'arm-after-stroke', the patient is 'chronic-migraine'" in said.err


def test_an_unknown_option_leaves_with_two(openbont: Any) -> None:
    assert openbont("check", "--doze").status == 2


def test_a_wrong_date_is_bad_input(openbont: Any) -> None:
    patient = ARM / "patient.yaml"
    said = openbont("propose", patient, "--product", "onabotulinumtoxinA", "--date", "2.3.2026")
    assert said.status == 2
    assert said.err == "--date: not a date (value '2.3.2026'); write year-month-day: 2026-03-02\n"


def test_a_course_has_the_same_bytes_in_two_processes() -> None:
    command = ("simulate", str(ARM / "plan.yaml"), *QUICK, "--json")
    runs = [
        subprocess.run(
            [sys.executable, "-m", "openbont.cli", *command],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
        ).stdout
        for seed in (1, 2)
    ]
    assert runs[0] == runs[1]
    said = json.loads(runs[0])
    assert set(said) == {"day", "draws", "measures", "outcome", "rests_on", "seed"}
    assert said["day"] == [0, 7, 14]
    for measure in said["measures"]:
        assert set(measure["treated"]) == set(measure["untreated"]) == {"low", "median", "high"}
        assert len(measure["treated"]["median"]) == 3
    assert {"wrist_flexors.left", "grip.left"} <= {one["where"] for one in said["measures"]}


def test_another_seed_gives_another_course(openbont: Any) -> None:
    command = ("simulate", ARM / "plan.yaml", *QUICK, "--json", "--seed")
    assert openbont(*command, 1).json["measures"] != openbont(*command, 2).json["measures"]


def test_the_page_of_a_course_says_what_it_rests_on(openbont: Any) -> None:
    said = openbont("simulate", ARM / "plan.yaml", *QUICK)
    assert said.status == 0
    assert "left wrist flexors, MAS" in said.out
    assert "goal: put on a splint at night" in said.out
    assert "unverified" in said.out
    assert said.err == ""


def test_what_is_proposed_can_be_read_and_passes_the_check(openbont: Any, tmp_path: Path) -> None:
    out, patient = tmp_path / "plan.yaml", ARM / "patient.yaml"
    command = ("propose", patient, "--product", "onabotulinumtoxinA", "--draws", "4", "--out", out)
    said = openbont(*command, "--json").json
    assert {"plan", "value", "bound", "gap", "binding", "why", "alternatives"} <= set(said)
    assert said["bound"] >= said["value"] - 1e-9
    assert said["binding"][0]["words"]
    plan = load_plan(out)
    assert not [one for one in check(plan, load_patient(patient)) if one.level == "stop"]
    assert said["plan"]["sessions"][0]["injections"][0]["dose_u"] > 0


def test_nothing_is_proposed_in_als(openbont: Any) -> None:
    patient = EXAMPLES / "als_refused" / "patient.yaml"
    said = openbont("propose", patient, "--product", "onabotulinumtoxinA", "--json")
    assert said.status == 1
    assert set(said.json) == {"error"}


def test_explain_names_the_total(openbont: Any) -> None:
    assert "290 U onabotulinumtoxinA" in openbont("explain", ARM / "plan.yaml").out


def test_the_report_is_written(openbont: Any, tmp_path: Path) -> None:
    said = openbont(
        "report", ARM / "plan.yaml", "--out", tmp_path / "new", "--draws", "4", "--json"
    )
    assert said.status == 0
    assert Path(said.json["report"]["pdf"]).read_bytes().startswith(b"%PDF")
    assert "flexor carpi radialis" in Path(said.json["report"]["html"]).read_text("utf-8")


def test_a_report_that_cannot_be_written_is_bad_input(openbont: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    plan = EXAMPLES / "als_refused" / "plan.yaml"
    said = openbont("report", plan, "--out", tmp_path / "file")
    assert said.status == 2
    assert "could not be written" in said.err


def test_a_stopped_plan_has_sources_too(openbont: Any) -> None:
    assert openbont("cite", EXAMPLES / "als_refused" / "plan.yaml").status == 0


def test_sources_are_cited_once_and_recalled_ones_say_so(openbont: Any) -> None:
    sources = openbont("cite", ARM / "plan.yaml", "--json").json["sources"]
    assert len({one["id"] for one in sources}) == len(sources) > 10
    unread = next(one for one in sources if not one["verified"])
    assert f"{unread['text']} {unread['address']}".strip()[:40] in openbont(
        "cite", ARM / "plan.yaml"
    ).out.replace("\n", " ")


def test_doctor_counts_what_was_read(openbont: Any) -> None:
    rows = openbont("doctor", "--json").json["catalog"]["label rows"]
    assert rows["verified"] > 0
    assert rows["unverified"] > 0


@pytest.mark.parametrize(("kind", "field"), [("plan", "sessions"), ("patient", "goals")])
def test_the_schema_forbids_other_fields(openbont: Any, kind: str, field: str) -> None:
    schema = openbont("schema", kind).json
    assert schema["additionalProperties"] is False
    assert field in schema["properties"]


def test_demo_predicts_and_writes_a_report(openbont: Any, tmp_path: Path) -> None:
    said = openbont("demo", "--out", tmp_path)
    assert said.status == 0
    assert "U onabotulinumtoxinA at 50 U/mL" in said.out
    assert "No other doses within the limits are worth more" in " ".join(said.out.split())
    assert "goal: put on a splint at night" in said.out
    assert {path.name for path in tmp_path.iterdir()} >= {"report.html", "report.pdf"}


def test_an_interrupt_leaves_quietly() -> None:
    code = (
        "import openbont.cli.plans, openbont.cli as c, signal\n"
        "c.plans.load = lambda *_: signal.raise_signal(signal.SIGINT)\n"
        "c.main(['check', 'plan.yaml'])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert run.returncode == 128 + signal.SIGINT
    assert b"Traceback" not in run.stderr


def test_one_plan_in_two_patients(openbont: Any, tmp_path: Path) -> None:
    strong = (EXAMPLES / "arm_after_stroke" / "patient.yaml").read_text()
    weak = re.sub(r"^conditions: .*$", "conditions: [myasthenia_gravis]", strong, flags=re.M)
    other = tmp_path / "weak.yaml"
    other.write_text(weak.replace("id: arm-after-stroke", "id: weak"))
    plan = EXAMPLES / "arm_after_stroke" / "plan.yaml"
    picture = tmp_path / "made" / "two.svg"
    said = openbont("compare", plan, "--other", other, "--draws", "8", "--out", picture)
    assert said.status == 0
    assert picture.read_text("utf-8").startswith("<svg")
    assert "no dose is known to be safe" in " ".join(said.out.split())
    assert "No number here says that a dose is safe." in said.out
    found = openbont("compare", plan, "--other", other, "--draws", "8", "--json").json
    grip = [
        next(m for m in found[name]["measures"] if m["where"] == "grip.left")["median"][2]
        for name in ("arm-after-stroke", "weak")
    ]
    assert grip[1] < grip[0]


def test_disorders_are_listed(openbont: Any) -> None:
    listed = {one["id"]: one for one in openbont("disorders", "--json").json["disorders"]}
    assert all(one["modelled"] for one in listed.values())
    assert "migraine.chronic" in openbont("disorders").out


def test_a_trial_has_a_table_and_a_page(openbont: Any, tmp_path: Path) -> None:
    design = EXAMPLES / "trials" / "glabellar_pivotal.yaml"
    said = openbont("trial", design, "--replicates", "2", "--json", "--out", tmp_path)
    found = json.loads(said.out)
    first = next(row for row in found["rows"] if row["arm"] == "20 U" and row["week"] == 4)
    assert first["rule"] == "value<=1"
    assert 0.5 < first["difference"] < 0.95
    assert first["low"] < first["difference"] < first["high"]
    assert found["sizes"][0]["patients"] < 20
    assert "<svg" in (tmp_path / "trial.html").read_text("utf-8")


def test_a_trial_cannot_go_on_from_nowhere(openbont: Any) -> None:
    said = openbont("trial", EXAMPLES / "trials" / "glabellar_pivotal.yaml", "--resume")
    assert said.status == 2
    assert "name the folder with --keep" in said.err


def test_the_chain_of_a_muscle_as_sbml(openbont: Any, tmp_path: Path) -> None:
    plan = EXAMPLES / "arm_after_stroke" / "plan.yaml"
    muscle = ("--structure", "flexor_carpi_radialis.left")
    said = openbont("sbml", plan, *muscle)
    assert said.out.startswith("<?xml")
    openbont("sbml", plan, *muscle, "--out", tmp_path / "m.xml")
    assert (tmp_path / "m.xml").read_text("utf-8") == said.out
    wrong = openbont("sbml", plan, "--structure", "flexor_carpi_radials.left")
    assert wrong.status == 2
    assert "did you mean" in wrong.err
