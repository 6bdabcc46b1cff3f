"""Nouns as the text of a file, and back: what is pasted is read just as strictly as a file."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from openbont.design import Design
from openbont.io import save
from openbont.plan import Plan

LONGEST = 100_000
"""Letters of a text that is pasted."""
Noun = TypeVar("Noun", Plan, Design)


def as_yaml(noun: Plan | Design) -> str:
    """The text of its file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "noun.yaml"
        save(noun, file)
        return file.read_text("utf-8")


def parsed(text: str, load: Callable[[Path], Noun], name: str) -> Noun:
    """What pasted text says. Raises BadInput with place and line."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_text(text, "utf-8")
        return load(file)
