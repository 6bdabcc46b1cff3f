from pathlib import Path

import pytest

from openbont.catalog.model import model
from openbont.forward.chain import simulate
from openbont.forward.outcome import outcome
from openbont.io import load_patient, load_plan
from openbont.planning.check import check
from openbont.report.page import Report, write_report

EXAMPLES = Path(__file__).parents[2] / "examples"


def write(name: str, folder: Path) -> Report:
    patient = load_patient(EXAMPLES / name / "patient.yaml")
    plan = load_plan(EXAMPLES / name / "plan.yaml")
    findings = check(plan, patient)
    drawn = model(patient, draws=8, seed=1)
    course, untreated = (
        simulate(one, patient, drawn, range(0, 85, 7)) for one in (plan, plan.untreated())
    )
    expected = outcome(course, untreated, plan, patient)
    return write_report(
        folder, plan, patient, findings, course, untreated, expected, course.rests_on
    )


@pytest.mark.parametrize("name", ["arm_after_stroke", "chronic_migraine"])
def test_an_example_has_its_report(name, tmp_path):
    report = write(name, tmp_path / "made" / name)
    page = report.html.read_text("utf-8")
    for heading in ("Findings", "The plan", "What is expected", "What may get worse", "Sources"):
        assert f"<h2>{heading}</h2>" in page
    assert page.count("<svg") == 5
    assert report.pdf.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("name", ["als_refused", "second_clinic"])
def test_a_refused_example_is_refused_on_its_first_page(name, tmp_path):
    patient = load_patient(EXAMPLES / name / "patient.yaml")
    plan = load_plan(EXAMPLES / name / "plan.yaml")
    report = write_report(tmp_path, plan, patient, check(plan, patient))
    page = report.html.read_text("utf-8")
    assert "Do not give this plan." in page
    assert "NOT TO BE GIVEN" in page
    assert "<svg" not in page
