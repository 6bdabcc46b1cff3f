"""What `import openbont as bont` offers."""

import subprocess
import sys
from pathlib import Path

import pytest

import openbont as bont

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", bont.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(bont, name).__module__ == f"openbont.{bont._HOME[name]}"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'doze'"):
        bont.doze  # noqa: B018


def test_importing_loads_nothing_else() -> None:
    code = "import sys, openbont; print(*(m for m in sys.modules if m.startswith('openbont.')))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert loaded.split() == []


def test_the_example_of_the_readme_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = (ROOT / "README.md").read_text("utf-8").split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(ROOT)
    exec(compile(code.replace("draws=200", "draws=4"), "README.md", "exec"), {})
    assert "290 U" in capsys.readouterr().out
