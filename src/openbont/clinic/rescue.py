"""What can still be read of a damaged file. The file itself is only ever copied, never written."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2  # type: ignore[import-untyped]

from openbont.clinic import database, keys
from openbont.clinic.disk import write_private
from openbont.clinic.events import Event, broken, digest
from openbont.errors import BadInput, Damaged

SMALLEST_ROW_BYTES = 64


@dataclass(frozen=True, slots=True)
class Rescued:
    """What was read."""

    file: Path
    events: int
    """Events that match their digest."""
    whole_to: int
    """The last event up to which the chain has no gap."""
    records: int
    lost: tuple[str, ...]
    """What could not be read."""


def rescue(place: Path, out: Path, passphrase: str | None = None) -> Rescued:
    """Write everything readable of a database to a JSON file that only its owner may read."""
    if not place.is_file():
        raise BadInput(str(place), "there is no such file", "name the database's file")
    key = _key(place, passphrase)
    lost: list[str] = []
    with tempfile.TemporaryDirectory(prefix="openbont-rescue-") as folder:
        copy = _copied(place, Path(folder), key, lost)
        events = [one for one in _rows(copy, key, "event", lost) if _sound(one, lost)]
        records = list(_rows(copy, key, "record", lost))
    data = {"place": str(place), "events": events, "records": records, "lost": lost}
    write_private(out, (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode())
    return Rescued(out, len(events), _whole_to(events), len(records), tuple(lost))


def _key(place: Path, passphrase: str | None) -> bytes | None:
    if not passphrase:
        return None
    return keys.open_key(keys.key_file(place), passphrase)


def _copied(place: Path, folder: Path, key: bytes | None, lost: list[str]) -> Path:
    """A copy with its WAL; without it where the two do not go together."""
    copy, wal = folder / "copy.db", place.with_name(f"{place.name}-wal")
    shutil.copyfile(place, copy)
    if wal.exists():
        shutil.copyfile(wal, folder / "copy.db-wal")
        try:
            list(_asked(copy, key, "SELECT count(*) FROM sqlite_master"))
        except Damaged:
            lost.append("the newest writes (WAL)")
            for end in ("-wal", "-shm"):
                copy.with_name(f"copy.db{end}").unlink(missing_ok=True)
    return copy


def _rows(copy: Path, key: bytes | None, table: str, lost: list[str]) -> Iterator[dict[str, Any]]:
    """Rows, one question for each where the table cannot be read in one go."""
    try:
        yield from list(_asked(copy, key, f"SELECT * FROM {table} ORDER BY rowid"))
    except Damaged:
        yield from _row_by_row(copy, key, table, lost)


def _row_by_row(
    copy: Path, key: bytes | None, table: str, lost: list[str]
) -> Iterator[dict[str, Any]]:
    last = _last_row(copy, key, table)
    for number in range(1, last + 1):
        try:
            yield from list(_asked(copy, key, f"SELECT * FROM {table} WHERE rowid = {number}"))
        except Damaged:
            lost.append(f"{table} {number}")
    if not last:
        lost.append(f"all of the table {table}")


def _last_row(copy: Path, key: bytes | None, table: str) -> int:
    with suppress(Damaged):
        for row in _asked(copy, key, f"SELECT max(rowid) AS last FROM {table}"):
            return int(row["last"] or 0)
    with suppress(Damaged):
        list(_asked(copy, key, f"SELECT 1 FROM {table} LIMIT 0"))
        return copy.stat().st_size // SMALLEST_ROW_BYTES
    return 0


def _asked(copy: Path, key: bytes | None, question: str) -> Iterator[dict[str, Any]]:
    """A fresh connection for each question: one that met a bad page answers nothing more."""
    try:
        with closing(database.connected(copy, key)) as connection:
            answer = connection.execute(question)
            names = [column[0] for column in answer.description]
            yield from (dict(zip(names, row, strict=True)) for row in answer)
    except dbapi2.Error:
        raise Damaged(str(copy), "cannot be read", "") from None


def _sound(row: dict[str, Any], lost: list[str]) -> bool:
    """Is an event what was written?"""
    said = {**row, "clock_back": bool(row["clock_back"])}
    if said.pop("digest") == digest(said):
        return True
    lost.append(f"event {row['number']}: does not match its digest")
    return False


def _whole_to(events: list[dict[str, Any]]) -> int:
    before: Event | None = None
    for row in events:
        now = Event(**{**row, "clock_back": bool(row["clock_back"])})
        if broken(now, before):
            break
        before = now
    return before.number if before else 0
