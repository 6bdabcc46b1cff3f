"""The log of events: append-only, each chained to the one before by its digest.

digest = SHA-256 of the canonical JSON of everything else in the event, the digest before included.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, desc, insert, select

from openbont.clinic import tables
from openbont.errors import Damaged

START = "0" * 64
"""What the first event takes for the digest before it."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    number: int
    at: str
    """What the clock said, in UTC."""
    clock_back: bool
    """The clock stood before that of the last event; the order is that of `number`."""
    by: str
    action: str
    record: str
    """Key of the record; empty where the event is about the whole database."""
    version: int
    body: str
    """Canonical JSON of the record's whole new state, with the reason."""
    previous: str
    digest: str

    @property
    def data(self) -> dict[str, Any]:
        """The body as plain data."""
        data: dict[str, Any] = json.loads(self.body)
        return data


def canonical(data: Any) -> str:
    """JSON with one spelling: sorted names, no spaces."""
    return json.dumps(
        data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def moment(at: datetime) -> str:
    """A point in time as it is stored: UTC, microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def digest(said: dict[str, Any]) -> str:
    """The digest of an event, from everything else in it."""
    return hashlib.sha256(canonical(said).encode()).hexdigest()


def last(connection: Connection) -> Event | None:
    """The newest event."""
    rows = select(tables.event).order_by(desc(tables.event.c.number)).limit(1)
    row = connection.execute(rows).first()
    return Event(*row) if row else None


def newest(connection: Connection) -> Event:
    """The newest event of a database, which has one since it was made."""
    event = last(connection)
    assert event is not None
    return event


def append(
    connection: Connection, at: datetime, by: str, action: str, record: str, version: int, body: Any
) -> Event:
    """Write the next event; its state goes into the same transaction."""
    before, now = last(connection), moment(at)
    said: dict[str, Any] = {
        "number": before.number + 1 if before else 1,
        "at": now,
        "clock_back": bool(before and now < before.at),
        "by": by,
        "action": action,
        "record": record,
        "version": version,
        "body": canonical(body),
        "previous": before.digest if before else START,
    }
    event = Event(**said, digest=digest(said))
    connection.execute(insert(tables.event), asdict(event))
    return event


def read(connection: Connection, key: str | None = None) -> Iterator[Event]:
    """Events in order; only those of one record where `key` is given."""
    rows = select(tables.event).order_by(tables.event.c.number)
    if key is not None:
        rows = rows.where(tables.event.c.record == key)
    yield from (Event(*row) for row in connection.execute(rows))


def chained(events: Iterable[Event], place: str) -> Iterator[Event]:
    """The same events, as far as they follow from one another; else `Damaged` where they do not."""
    before: Event | None = None
    for event in events:
        if problem := broken(event, before):
            way_out = "restore the newest backup that verifies, or read on with: records recover"
            raise Damaged(f"{place}: event {event.number}", problem, way_out)
        yield event
        before = event


def broken(event: Event, before: Event | None) -> str:
    """Why an event does not follow from the one before; empty where it does."""
    said = asdict(event)
    if said.pop("digest") != digest(said):
        return "does not match its digest"
    if event.number != (before.number + 1 if before else 1):
        return f"follows event {before.number if before else 0}: events are missing"
    if event.previous != (before.digest if before else START):
        return "is not chained to the event before it"
    if event.clock_back != bool(before and event.at < before.at):
        return "says wrongly whether the clock went back"
    return ""
