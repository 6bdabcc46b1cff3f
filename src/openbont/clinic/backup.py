"""Copies that are known to be good, and the way back from them.

A backup of a file is a file of the same kind (VACUUM INTO, on disk, opened again, verified, then
named); of a server, an archive. Its name says how many events it holds, so that the order of
backups does not hang on the clock.
"""

import os
import re
import tempfile
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from openbont.clinic import database, keys
from openbont.clinic.archive import read_archive, write_archive
from openbont.clinic.database import Database
from openbont.clinic.disk import data_folder, flush, private, write_private
from openbont.clinic.events import Event, append
from openbont.clinic.opening import Clock, create, key_for, migrate, opened, schema_of
from openbont.clinic.rebuild import Verified, verified
from openbont.clinic.tables import SCHEMA
from openbont.errors import BadInput, Busy, Damaged, NotStored

STAMP = re.compile(r"-\d{9}-[0-9a-f]{8}\.(db|jsonl)")


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy that was verified."""

    file: Path
    verified: Verified
    removed: tuple[Path, ...] = ()
    """Older ones that made room."""


def backup(held: Database, folder: Path, keep: int, by: str, now: Clock) -> Backup:
    """Write a verified copy into `folder`; the newest `keep` stay."""
    if keep < 1:
        raise BadInput("--keep", f"{keep} backups", "keep at least one")
    copy = _copied(held, folder)
    with held.writing() as connection:
        about = {"file": copy.file.name, "head": copy.verified.head}
        append(connection, now(), by, "backup", "", 0, about)
    return Backup(copy.file, copy.verified, tuple(_rotated(copy.file, _stem(held), keep)))


def before_migration(held: Database) -> Path:
    """A verified copy beside the database, before its schema changes."""
    folder = held.file.parent if held.file else data_folder()
    return _copied(held, folder).file


def _copied(held: Database, folder: Path) -> Backup:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return _file_copied(held, folder) if held.file else _server_copied(held, folder)
    except OSError as error:
        problem = f"could not be written: {error.strerror}"
        raise NotStored(str(folder), problem, "no backup was made: see to the disk") from None


def _server_copied(held: Database, folder: Path) -> Backup:
    beside = folder / f".{_stem(held)}.{os.getpid()}.tmp"
    whole = write_archive(held, beside)
    read_archive(beside)
    return Backup(_named(beside, folder, _stem(held), whole, "jsonl"), whole)


def _file_copied(held: Database, folder: Path) -> Backup:
    assert held.file
    beside = folder / f".{_stem(held)}.{os.getpid()}.tmp"
    beside.unlink(missing_ok=True)
    try:
        private(beside)
        _vacuumed(held, beside)
        flush(beside)
        with closing(database.of_file(beside, held.key, "ro")) as copy:
            whole = verified(copy)
        named = _named(beside, folder, _stem(held), whole, "db")
    finally:
        beside.unlink(missing_ok=True)
    _with_key(held.file, named)
    return Backup(named, whole)


def _vacuumed(held: Database, beside: Path) -> None:
    assert held.file
    with database.said(held.place):
        connection = database.connected(held.file, held.key)
        try:
            connection.execute("VACUUM INTO ?", (str(beside),))
        finally:
            connection.close()


def _named(beside: Path, folder: Path, stem: str, whole: Verified, end: str) -> Path:
    """The copy under its own name, which it only gets once it is known to be good."""
    named = folder / f"{stem}-{whole.events:09}-{whole.head[:8]}.{end}"
    beside.replace(named)
    flush(folder)
    return named


def _with_key(file: Path, copy: Path) -> None:
    """The wrapped key goes with the file that it opens."""
    if keys.key_file(file).exists():
        _copy(keys.key_file(file), keys.key_file(copy))


def _copy(file: Path, to: Path) -> None:
    write_private(to, file.read_bytes())


def _stem(held: Database) -> str:
    return held.file.stem if held.file else "openbont"


def _rotated(newest: Path, stem: str, keep: int) -> list[Path]:
    files = newest.parent.glob(f"{stem}-*{newest.suffix}")
    ours = sorted(one for one in files if STAMP.fullmatch(one.name.removeprefix(stem)))
    old = [one for one in ours[:-keep] if one != newest]
    for one in old:
        one.unlink()
        keys.key_file(one).unlink(missing_ok=True)
    return old


# ---- the way back


def drill(copy: Path, by: str, now: Clock, passphrase: str | None = None) -> Verified:
    """Restore a backup where nobody sees it, and look at everything."""
    with tempfile.TemporaryDirectory(prefix=".drill-", dir=copy.resolve().parent) as folder:
        return restore(copy, Path(folder) / "drill.db", by, now, passphrase)


def restore(
    copy: Path,
    place: str | Path,
    by: str,
    now: Clock,
    passphrase: str | None = None,
    over: bool = False,
) -> Verified:
    """Make a database of a backup, and say what the backup held.

    A database that is there gives way only on request (`over`), and is kept aside.
    """
    if copy.suffix == ".jsonl":
        return _brought_in(read_archive(copy), place, by, now, passphrase)
    if database.is_url(place):
        raise BadInput(str(copy), "the copy of a file", "restore it to a file, then export that")
    file = Path(place).expanduser()
    if file.exists() and not over:
        raise BadInput(str(file), "there is already a database", "name another, or add --replace")
    return _put_back(copy, file, by, now, key_for(copy, passphrase))


def _brought_in(
    events: list[Event], place: str | Path, by: str, now: Clock, passphrase: str | None
) -> Verified:
    create(place, by, now, passphrase, events)
    with closing(opened(place, by, now, passphrase)) as restored:
        found = verified(restored)
    return replace(found, head=events[-1].digest, events=len(events))


def _put_back(copy: Path, file: Path, by: str, now: Clock, key: bytes | None) -> Verified:
    beside = file.with_name(f".{file.name}.{os.getpid()}.restored")
    try:
        _copy(copy, beside)
        with closing(database.of_file(beside, key)) as restored:
            whole = verified(restored)
            if (schema := schema_of(restored)) < SCHEMA:
                migrate(restored, schema, by, now, copy.name)
                verified(restored)
            with restored.writing() as connection:
                append(connection, now(), by, "restore", "", 0, {"file": copy.name})
        if file.exists():
            set_aside(file, key)
        beside.replace(file)
        _with_key(copy, file)
        flush(file.parent)
        return whole
    finally:
        for end in ("", "-wal", "-shm"):
            beside.with_name(f"{beside.name}{end}").unlink(missing_ok=True)


def set_aside(file: Path, key: bytes | None) -> Path:
    """Keep a database, whatever state it is in, in a folder beside it."""
    _only_ours(file, key)
    number = 1
    while (folder := file.with_name(f"{file.name}.replaced-{number}")).exists():
        number += 1
    folder.mkdir(mode=0o700)
    for end in ("", "-wal", ".key"):
        part = file.with_name(f"{file.name}{end}")
        if part.exists():
            _copy(part, folder / part.name)
    for end in ("-wal", "-shm"):
        file.with_name(f"{file.name}{end}").unlink(missing_ok=True)
    return folder


def _only_ours(file: Path, key: bytes | None) -> None:
    """Refuse while others have it open; leaving WAL needs it alone. Damaged files are nobody's."""
    try:
        with database.said(str(file)):
            connection = database.connected(file, key)
            try:
                mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
            finally:
                connection.close()
    except Damaged:
        return
    if mode == "wal":
        raise Busy(str(file), "others have it open", "let them close it first")
