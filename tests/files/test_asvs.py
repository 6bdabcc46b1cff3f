"""The table of security requirements names only what is there, and each requirement once."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/asvs.md").read_text("utf-8")
DECIDED, MET, MISSING, OUT = (part for part in re.split(r"^## .*$", PAGE, flags=re.MULTILINE)[1:])


def numbers(part: str) -> list[str]:
    """Requirements in the column that holds them."""
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return re.findall(r"\b\d+\.\d+\.\d+\b", "\n".join(line.split("|")[1] for line in lines))


def test_every_test_that_is_named_exists() -> None:
    there = set()
    for file in (ROOT / "tests").rglob("test_*.py"):
        there |= {file.name, *re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)}
    named = set(re.findall(r"`(?:tests/\w+/)?(test_\w+(?:\.py)?)`", PAGE))
    assert len(named) > 20
    assert named <= there


def test_every_file_that_is_named_exists() -> None:
    for name in re.findall(r"`((?:src/openbont|web|tests)/[\w/.]+)`", PAGE):
        assert (ROOT / name).exists() or (ROOT / "src/openbont" / name).exists(), name


def test_no_requirement_is_both_met_and_out_of_scope() -> None:
    met, missing, out = (set(numbers(part)) for part in (MET, MISSING, OUT))
    assert not met & out
    assert not missing & out
    assert len(met) > 100
