"""A record as it is held, and the one way to write it: row and event in the same transaction."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from openbont.clinic import tables
from openbont.clinic.events import Event, append, canonical
from openbont.clinic.nouns import KINDS, State, Vial
from openbont.errors import BadInput, EditConflict, nearest
from openbont.frozen import Noun

KIND_OF = {noun: kind for kind, noun in KINDS.items()}
IN_ERROR: State = "entered in error"


@dataclass(frozen=True, slots=True)
class Held:
    """One record as it stands now."""

    key: str
    kind: str
    patient: str
    """The patient's id; empty for vials."""
    version: int
    state: State
    noun: Noun
    at: str = ""
    """When it came to stand so, in UTC."""
    by: str = ""
    replaces: str | None = None
    """Key of the record that this one corrects."""
    reason: str = ""
    """Of a correction or a withdrawal."""

    @property
    def live(self) -> bool:
        """Not entered in error."""
        return self.state != IN_ERROR

    def body(self) -> dict[str, Any]:
        """What its event says."""
        return {
            "kind": self.kind,
            "patient": self.patient,
            "state": self.state,
            "noun": self.noun.model_dump(mode="json"),
            "replaces": self.replaces,
            "reason": self.reason,
        }


def kind_of(noun: Noun) -> str:
    """The kind of record that a noun makes."""
    if type(noun) not in KIND_OF:
        known = ", ".join(KINDS)
        raise BadInput("", f"a {type(noun).__name__} is not recorded", f"kinds: {known}")
    return KIND_OF[type(noun)]


def new_key(noun: Noun) -> str:
    """A key that no other record has; a vial is known by its own."""
    return noun.id if isinstance(noun, Vial) else f"{kind_of(noun)}-{secrets.token_hex(6)}"


def row_of(event: Event) -> dict[str, Any]:
    """The row of `record` that follows from an event."""
    said = event.data
    stamped = {"key": event.record, "version": event.version, "at": event.at, "by": event.by}
    return {"body": canonical(said.pop("noun")), **said, **stamped}


def held_of(row: Row[Any]) -> Held:
    """A row of `record` as a record."""
    said = dict(row._mapping)
    noun = KINDS[said["kind"]].model_validate_json(said.pop("body"))
    return Held(noun=noun, **said)


def found(connection: Connection, key: str) -> Held:
    """The record called `key`."""
    row = connection.execute(_called(key)).first()
    if row is None:
        keys = connection.execute(select(tables.record.c.key)).scalars()
        likely = nearest(key, keys)
        way_out = f"did you mean {' or '.join(likely)}?" if likely else ""
        raise BadInput(key, "there is no such record", way_out)
    return held_of(row)


def listed(
    connection: Connection, patient: str | None, kind: str | None, withdrawn: bool = False
) -> Iterator[Held]:
    """Records in the order of their keys' last change."""
    rows = select(tables.record).order_by(tables.record.c.at, tables.record.c.key)
    for column, wanted in ((tables.record.c.patient, patient), (tables.record.c.kind, kind)):
        rows = rows if wanted is None else rows.where(column == wanted)
    if not withdrawn:
        rows = rows.where(tables.record.c.state != IN_ERROR)
    yield from map(held_of, connection.execute(rows))


def _called(key: str) -> Select[Any]:
    return select(tables.record).where(tables.record.c.key == key)


@dataclass(frozen=True, slots=True)
class Pen:
    """What one transaction may write, and in whose name."""

    connection: Connection
    by: str
    at: datetime

    def seen(self, key: str, version: int, yours: Noun | None) -> Held:
        """The record, if it is still the version that was read."""
        theirs = found(self.connection, key)
        if theirs.version != version:
            raise EditConflict(key, version, yours, theirs)
        return theirs

    def add(self, action: str, held: Held) -> Held:
        """Write a record that is new."""
        if self.connection.execute(_called(held.key)).first():
            raise BadInput(held.key, "there is already a record of this key", "choose another")
        row = self._log(action, held)
        self.connection.execute(insert(tables.record), row)
        return replace(held, at=row["at"], by=row["by"])

    def put(self, action: str, held: Held, **changed: Any) -> Held:
        """Write the next version of a record."""
        held = replace(held, version=held.version + 1, **changed)
        row = self._log(action, held)
        self.connection.execute(
            update(tables.record).where(tables.record.c.key == held.key).values(row)
        )
        return replace(held, at=row["at"], by=row["by"])

    def note(self, action: str, **about: Any) -> Event:
        """Write down something about the whole database."""
        return append(self.connection, self.at, self.by, action, "", 0, about)

    def _log(self, action: str, held: Held) -> dict[str, Any]:
        body = held.body()
        event = append(self.connection, self.at, self.by, action, held.key, held.version, body)
        return row_of(event)
