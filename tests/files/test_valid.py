"""Every file under valid/ is read, and means the same after it has been written again."""

from pathlib import Path

import pytest

from openbont.io import load_design, load_patient, load_plan, save

VALID = Path(__file__).parent / "valid"
TRIALS = Path(__file__).parents[2] / "examples" / "trials"


@pytest.mark.parametrize("path", sorted(VALID.iterdir()), ids=lambda path: path.name)
def test_read_and_written_again(path: Path, tmp_path: Path) -> None:
    load = load_patient if path.name.startswith("patient") else load_plan
    noun = load(path)
    for copy in (tmp_path / "copy.yaml", tmp_path / "copy.json"):
        save(noun, copy)
        assert load(copy) == noun


@pytest.mark.parametrize("path", sorted(TRIALS.iterdir()), ids=lambda path: path.name)
def test_a_design_is_read_and_written_again(path: Path, tmp_path: Path) -> None:
    design = load_design(path)
    save(design, tmp_path / "copy.yaml")
    assert load_design(tmp_path / "copy.yaml") == design


def test_a_grade_stays_a_word_and_a_number_a_number() -> None:
    patient = load_patient(VALID / "patient.yaml")
    assert [reading.value for reading in patient.findings] == [3.0, "1+"]


def test_the_date_may_be_quoted() -> None:
    assert load_plan(VALID / "plan.json").date == load_plan(VALID / "plan.yaml").date
