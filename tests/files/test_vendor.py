"""What the pages of the workbench load is what their authors published, and may be shipped."""

import hashlib
import json
import re
from importlib.resources import files

import pytest

VENDOR = files("openbont.web").joinpath("static", "vendor")
ROWS = json.loads(VENDOR.joinpath("MANIFEST.json").read_text("utf-8"))
EVAL = re.compile(rb"\beval\s*\(|\bnew Function\b|https?://(?!\S*github)[^\s\"'`]*\.m?js\b")


@pytest.mark.parametrize("row", ROWS, ids=[row["file"] for row in ROWS])
def test_a_library_is_what_the_manifest_says(row):
    held = VENDOR.joinpath(row["file"]).read_bytes()
    assert hashlib.sha256(held).hexdigest() == row["sha256"]
    assert "Permission" in VENDOR.joinpath(row["licence_text"]).read_text("utf-8")


@pytest.mark.parametrize("row", ROWS, ids=[row["file"] for row in ROWS])
def test_no_library_makes_code_or_loads_it_from_elsewhere(row):
    assert not EVAL.search(VENDOR.joinpath(row["file"]).read_bytes())


def test_nothing_else_is_shipped():
    listed = {row["file"] for row in ROWS} | {row["licence_text"] for row in ROWS}
    assert {one.name for one in VENDOR.iterdir()} == listed | {"MANIFEST.json"}
