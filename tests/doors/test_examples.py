"""Every example through every door, with nothing special for any of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from openbont.cli import main
from openbont.io import load_patient, load_plan
from openbont.plan import Plan
from openbont.planning.check import check

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(folder.name for folder in EXAMPLES.iterdir() if (folder / "plan.yaml").exists())
QUICK = ("--draws", "4")
WHY_NOT = {
    "als_refused": "S07",
    "second_clinic": "S05",
    "tension_headache": "E12",
    "daily_headache": "E12",
    "foot_dystonia": "dose by muscle",
    "generalised_dystonia": "dose by muscle",
    "laryngeal_dystonia": "dose by muscle",
    "palmar_hyperhidrosis": "dose by muscle",
    "writers_cramp": "dose by muscle",
    "platysma_bands": "leaves the doses open",
    "strabismus": "leaves the doses open",
}
"""Examples for which no dose is proposed, and the reason that must be said."""
PLANNED_ELSEWHERE = {"arm_after_stroke", "cervical_dystonia", "child_arm", "foot_after_stroke"}
"""Their like are among the twelve cases (tests/reference/test_plans.py)."""


@pytest.fixture(params=NAMES)
def example(request: pytest.FixtureRequest) -> Path:
    return EXAMPLES / str(request.param)


@pytest.fixture
def openbont(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return run


def stopped(folder: Path) -> bool:
    plan, patient = load_plan(folder / "plan.yaml"), load_patient(folder / "patient.yaml")
    return any(finding.level == "stop" for finding in check(plan, patient))


def test_there_are_at_least_a_dozen() -> None:
    assert len(NAMES) >= 12
    assert (
        len({load_patient(EXAMPLES / name / "patient.yaml").disorder.name for name in NAMES}) > 12
    )


def test_checked_and_explained(openbont: Any, example: Path) -> None:
    status, out, _ = openbont("check", example / "plan.yaml")
    assert status == (1 if stopped(example) else 0)
    assert "to know" in out
    status, out, _ = openbont("explain", example / "plan.yaml")
    assert status == 0
    assert " U " in out


def test_simulated_and_reported(openbont: Any, example: Path, tmp_path: Path) -> None:
    """A plan that is stopped gets no prediction; its report says so."""
    status, out, _ = openbont("simulate", example / "plan.yaml", *QUICK, "--json")
    said = json.loads(out)
    assert status == (1 if stopped(example) else 0)
    assert ("outcome" in said) == (not stopped(example))
    openbont("report", example / "plan.yaml", *QUICK, "--out", tmp_path)
    page = (tmp_path / "report.html").read_text("utf-8")
    assert ("What is expected" in page) == (not stopped(example))
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("name", sorted({*NAMES} - PLANNED_ELSEWHERE))
def test_proposed_or_told_why_not(openbont: Any, name: str) -> None:
    example = EXAMPLES / name
    product = load_plan(example / "plan.yaml").sessions[0].product
    asked = ("--product", product, *QUICK, "--json")
    status, out, err = openbont("propose", example / "patient.yaml", *asked)
    assert (status != 0) == (example.name in WHY_NOT)
    if status:
        assert WHY_NOT[example.name] in out + err
        return
    patient = load_patient(example / "patient.yaml")
    plan = Plan.model_validate_json(json.dumps(json.loads(out)["plan"]))
    assert plan.patient == patient.id
    assert plan.sessions[0].product == product
    assert not [one for one in check(plan, patient) if one.level == "stop"]
