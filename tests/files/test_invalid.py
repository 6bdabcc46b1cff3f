"""Every file under invalid/ says in its first line what must be answered."""

import os
import re
from pathlib import Path

import pytest

from openbont.errors import BadInput
from openbont.io import LARGEST_BYTES, load_design, load_patient, load_plan

INVALID = Path(__file__).parent / "invalid"
FILES = sorted(INVALID.glob("*.yaml"))
PLAN = (Path(__file__).parent / "valid" / "plan.yaml").read_text("utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_mistake_is_named(path: Path) -> None:
    load = {"patient": load_patient, "trial": load_design}.get(path.name.split("_")[0], load_plan)
    expected = path.read_bytes().split(b"\n")[0].decode().removeprefix("# expect: ")
    with pytest.raises(BadInput, match=re.escape(expected)) as caught:
        load(path)
    assert str(caught.value).startswith(path.name)


def test_there_are_enough_of_them() -> None:
    assert len(FILES) >= 36


def test_all_mistakes_of_a_file_are_told_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(
        PLAN.replace("patient: arm-001", "patient: 3").replace("dose_u: 50", "doze: 50")
    )
    with pytest.raises(BadInput, match=r"^plan.yaml:2: patient: a text is needed") as caught:
        load_plan(path)
    notes = caught.value.__notes__
    assert [note.split(": ")[1] for note in notes] == [
        "sessions[0].injections[0].dose_u",
        "sessions[0].injections[0].doze",
    ]


def test_a_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text("")
    (tmp_path / "arm.yaml").write_text("")
    with pytest.raises(
        BadInput, match=r"plna\.yaml: no such file; there is plan\.yaml, arm\.yaml$"
    ):
        load_plan(tmp_path / "plna.yaml")
    with pytest.raises(BadInput, match="no such file; there is no folder"):
        load_plan(tmp_path / "nowhere" / "plan.yaml")


def test_a_folder_names_its_files(tmp_path: Path) -> None:
    (tmp_path / "arm.yaml").write_text("")
    with pytest.raises(BadInput, match=r"a folder, not a file; there is arm\.yaml$"):
        load_plan(tmp_path)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(b"#" * (LARGEST_BYTES + 1))
    with pytest.raises(BadInput, match="larger than 1 MB"):
        load_plan(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "plan.yaml")
    with pytest.raises(BadInput, match="not a plain file"):
        load_plan(tmp_path / "plan.yaml")


def test_an_impossible_path_is_bad_input() -> None:
    with pytest.raises(BadInput, match="no such file"):
        load_plan("plan\0.yaml")


def test_torn_json_says_where(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text('{"patient": "a",\n "disorder": ')
    with pytest.raises(BadInput, match=r"^plan\.json:2:\d+: not YAML"):
        load_plan(path)
