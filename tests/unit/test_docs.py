"""The docs: examples run, links lead somewhere, made parts are what code and catalog say now."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from openbont.cli import app

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)


def with_blocks(language: str) -> list[object]:
    named = ((page, page.relative_to(DOCS).as_posix()) for page in PAGES)
    return [pytest.param(page, id=name) for page, name in named if blocks(page, language)]


def commands(page: Path) -> list[list[str]]:
    """Arguments of each `$ openbont ...` line."""
    text = "".join(blocks(page, "console"))
    return [line.split("#")[0].split() for line in re.findall(r"^\$ openbont (.*)$", text, re.M)]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("draw_docs", ROOT / "tools" / "draw_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", with_blocks("python"))
def test_the_examples_of_a_page_run(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    code = "\n".join(blocks(page, "python"))
    exec(compile(code, page.name, "exec"), {"__name__": page.stem})


@pytest.mark.parametrize("page", with_blocks("console"))
def test_commands_exist_with_their_options(page: Path) -> None:
    assert commands(page)
    for name, *arguments in commands(page):
        group = [name, *arguments[:1]] if name == "records" else [name]
        helped = CliRunner().invoke(app, [*group, "--help"])
        assert helped.exit_code == 0, group
        assert [a for a in arguments if a.startswith("--") and a not in helped.output] == []
        files = [a for a in arguments if a.startswith("examples/")]
        assert [a for a in files if not (ROOT / a).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    targets = [t for t in LINK.findall(page.read_text("utf-8")) if "://" not in t]
    assert [t for t in targets if not (page.parent / t).exists()] == []


def test_every_page_is_reached_from_the_index() -> None:
    linked = {(DOCS / t).resolve() for t in LINK.findall((DOCS / "index.md").read_text("utf-8"))}
    assert {page.resolve() for page in PAGES} - linked == {(DOCS / "index.md").resolve()}


def test_made_parts_are_up_to_date(tool: ModuleType) -> None:
    assert tool.stale() == []


def test_a_changed_table_or_drawing_is_noticed(tool: ModuleType) -> None:
    page = (DOCS / "chain" / "spread.md").read_text("utf-8")
    assert not tool.same(page, tool.filled(page.replace("spread.reach_mm", "spread.reach")) + " ")
    assert tool.filled(page.replace("| 1.35 | mm |", "| 1.36 | mm |")) == page
    drawing = "<?xml?><path d='M 1.0004 2.5'/>"
    assert tool.same(drawing, drawing.replace("1.0004", "1.0005"))
    assert not tool.same(drawing, drawing.replace("1.0004", "1.3"))
