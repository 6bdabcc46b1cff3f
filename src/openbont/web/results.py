"""Results of research as files: a folder each, beside the records, for whoever asked alone.

Nothing about a patient of the records is ever kept here.
"""

import hashlib
import json
import re
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from openbont.clinic.database import Database
from openbont.clinic.disk import data_folder, flush, write_private
from openbont.errors import Busy

NAME = re.compile(r"[0-9a-f]{16}")
MOST = 200
ABOUT, DATA = "about.json", "data.json"


@dataclass(frozen=True)
class About:
    """What was asked, by whom and when."""

    owner: str
    """Login of who asked; nobody else sees it."""
    kind: str
    words: str
    seed: int
    asked: str = ""
    """A design as YAML, so that it can be changed and asked again."""
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    id: str = field(default_factory=lambda: secrets.token_hex(8))


@dataclass(frozen=True)
class Result:
    """What was found: plain data, and files made of them."""

    data: dict[str, Any]
    files: Mapping[str, str] = field(default_factory=dict)
    """Name of a picture or a report -> its text."""


@dataclass(frozen=True)
class Results:
    """All that is kept beside one database."""

    folder: Path

    def room(self, owner: str) -> None:
        """Raises Busy where somebody keeps as many as may be."""
        if len(self.of(owner)) >= MOST:
            raise Busy("research", f"you keep {MOST} results", "delete some that are not needed")

    def keep(self, about: About, result: Result) -> None:
        """Whole or not at all. Raises OSError."""
        beside = self.folder / f".{about.id}"
        written = {ABOUT: json.dumps(asdict(about)), DATA: json.dumps(result.data), **result.files}
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for name, text in written.items():
                write_private(beside / name, text.encode())
            beside.rename(self.folder / about.id)
            flush(self.folder)
        except OSError:
            shutil.rmtree(beside, ignore_errors=True)
            raise

    def of(self, owner: str) -> list[About]:
        """Somebody's own, the newest first."""
        names = [one.name for one in self.folder.glob("*") if NAME.fullmatch(one.name)]
        found = [one for one in map(self.about, names) if one and one.owner == owner]
        return sorted(found, key=lambda one: one.at, reverse=True)

    def about(self, name: str) -> About | None:
        """What was asked; None where there is no such result, or it cannot be read."""
        if not NAME.fullmatch(name):
            return None
        with suppress(OSError, ValueError, TypeError):
            return About(**json.loads((self.folder / name / ABOUT).read_bytes()))
        return None

    def result(self, about: About) -> Result:
        """What was found. Raises OSError and ValueError where it cannot be read."""
        folder = self.folder / about.id
        texts = {one.name: one.read_text("utf-8") for one in folder.iterdir()}
        texts.pop(ABOUT)
        return Result(json.loads(texts.pop(DATA)), texts)

    def delete(self, about: About) -> None:
        """For good."""
        shutil.rmtree(self.folder / about.id)


def beside(database: Database) -> Results:
    """Where the results of a database are; of a server's database among the user's data."""
    if database.file:
        return Results(database.file.with_name(f"{database.file.stem}-research"))
    name = hashlib.sha256(database.place.encode()).hexdigest()[:12]
    return Results(data_folder() / f"research-{name}")
