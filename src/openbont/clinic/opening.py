"""Make a database, or open one: key, schema, and the newest events, before anything is read."""

import contextlib
import os
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, desc, inspect, select, text

from openbont.clinic import database, keys, tables
from openbont.clinic.archive import bring_in
from openbont.clinic.database import Database
from openbont.clinic.disk import private
from openbont.clinic.events import Event, append, broken
from openbont.errors import BadInput, Damaged

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Created:
    """A database that was made."""

    place: str
    recovery_key: str | None
    """To be printed and kept in a safe place; None where nothing is encrypted."""


def create(
    place: str | Path,
    by: str,
    now: Clock,
    passphrase: str | None = None,
    events: Iterable[Event] | None = None,
) -> Created:
    """Make a database, empty or of `events`; one that is there is left as it is."""
    if database.is_url(place):
        return _create_on_server(str(place), by, now, passphrase, events)
    file = Path(place).expanduser()
    if file.exists():
        raise BadInput(str(file), "there is already a database", "name another place")
    key = keys.new_key() if passphrase else None
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}.new")
    private(beside)
    made = database.of_file(beside, key)
    try:
        _fill(made, by, now, events)
        if key and passphrase:
            keys.keep_key(keys.key_file(file), key, passphrase)
        os.link(beside, file)  # never over another file
    except FileExistsError:
        raise BadInput(str(file), "there is already a database", "name another place") from None
    finally:
        for end in ("", "-wal", "-shm"):
            beside.with_name(f"{beside.name}{end}").unlink(missing_ok=True)
    return Created(str(file), keys.recovery_key(key) if key else None)


def _create_on_server(
    place: str, by: str, now: Clock, passphrase: str | None, events: Iterable[Event] | None
) -> Created:
    if passphrase:
        way_out = "let the server encrypt its disk, and leave the passphrase out"
        raise BadInput("PostgreSQL", "a passphrase encrypts only a file", way_out)
    with contextlib.closing(database.of_url(place)) as made:
        if schema_of(made):
            raise BadInput(made.place, "there is already a database", "name another place")
        _fill(made, by, now, events)
    return Created(made.place, None)


def _fill(made: Database, by: str, now: Clock, events: Iterable[Event] | None) -> None:
    """The newest schema, then the first event, or all that are brought in and what they say."""
    from openbont.clinic.migrations import upgrade

    with contextlib.closing(made), made.beginning() as connection:
        upgrade(connection)
        if events is not None:
            bring_in(connection, events)
        action = "create" if events is None else "import"
        append(connection, now(), by, action, "", 0, {"schema": tables.SCHEMA})


def opened(place: str | Path, by: str, now: Clock, passphrase: str | None = None) -> Database:
    """An open database of the newest schema; an older one is backed up, then migrated."""
    held = _at(place, passphrase)
    try:
        schema = schema_of(held)
        if not schema:
            way_out = "make one: openbont records init"
            raise BadInput(held.place, "not a database of OpenBoNT", way_out)
        if schema > tables.SCHEMA:
            raise BadInput(held.place, f"made by a newer OpenBoNT (schema {schema})", "upgrade")
        if schema < tables.SCHEMA:
            from openbont.clinic.backup import before_migration

            migrate(held, schema, by, now, before_migration(held).name)
        _look_at_the_end(held)
    except BaseException:
        held.close()
        raise
    return held


def _at(place: str | Path, passphrase: str | None) -> Database:
    if database.is_url(place):
        return database.of_url(str(place))
    file = Path(place).expanduser()
    return database.of_file(file, key_for(file, passphrase))


def key_for(file: Path, passphrase: str | None) -> bytes | None:
    """The key of a file; None where it is not encrypted."""
    if not database.encrypted(file):
        if passphrase:
            way_out = "leave the passphrase out, or look whether this is the right file"
            raise BadInput(str(file), "the database is not encrypted", way_out)
        return None
    if passphrase:
        return keys.open_key(keys.key_file(file), passphrase)
    if keys.key_file(file).exists():
        raise BadInput(str(file), "the database is encrypted", "give its passphrase")
    raise Damaged(str(file), "damaged, or encrypted without its key file", database.RESCUE)


def change_passphrase(place: str | Path, old: str, new: str) -> None:
    """Another passphrase for the same key; `old` may be the recovery key."""
    file = Path(place).expanduser()
    if database.is_url(place) or (key := key_for(file, old)) is None:
        raise BadInput(str(place), "the database has no passphrase", "")
    with contextlib.closing(database.of_file(file, key)) as held:
        schema_of(held)  # a wrong recovery key is not kept
    keys.keep_key(keys.key_file(file), key, new)


def schema_of(held: Database) -> str:
    """The version of the schema; empty where there are no records."""
    with held.reading() as connection:
        return schema_in(connection)


def schema_in(connection: Connection) -> str:
    """The same, as one transaction sees it."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar())


def migrate(held: Database, schema: str, by: str, now: Clock, kept: str) -> None:
    """The newest schema, in one transaction; `kept` names the backup."""
    from openbont.clinic.migrations import upgrade

    with held.beginning() as connection:
        if schema_in(connection) == tables.SCHEMA:
            return  # another was quicker
        upgrade(connection)
        about = {"from": schema, "to": tables.SCHEMA, "backup": kept}
        append(connection, now(), by, "migrate", "", 0, about)


def _look_at_the_end(held: Database) -> None:
    """A log that ends wrongly is not written to; `verify` looks at all of it."""
    newest = select(tables.event).order_by(desc(tables.event.c.number)).limit(2)
    with held.reading() as connection:
        rows = [Event(*row) for row in connection.execute(newest)]
    if not rows:
        raise Damaged(held.place, "the log of events is empty", database.RESCUE)
    if len(rows) == 2 and (problem := broken(rows[0], rows[1])):
        raise Damaged(f"{held.place}: event {rows[0].number}", problem, database.RESCUE)
