"""Is the database what was written? The chain holds, the state follows from it, vials add up."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, text

from openbont.clinic import database
from openbont.clinic.database import Database
from openbont.clinic.events import START, Event, chained, read
from openbont.clinic.giving import drawn
from openbont.clinic.held import IN_ERROR, row_of
from openbont.clinic.nouns import KINDS, GivenSession, Vial
from openbont.errors import Damaged

Rows = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found whole."""

    head: str
    """Digest of the newest event: it stands for everything before it."""
    events: int
    records: int
    clock_back: int
    """How often the clock stood before that of the event before."""


def verified(held: Database) -> Verified:
    """Look at everything; `Damaged` names the first place that is wrong."""
    if held.file:
        _pages(held)
    with held.reading() as connection:
        return verified_rows(connection, held.place)


def verified_rows(connection: Connection, place: str) -> Verified:
    """The same for what one transaction sees."""
    events = Tally(place)
    rebuilt = state_of(events.counted(read(connection)))
    rows = connection.execute(text("SELECT * FROM record"))  # of earlier schemas, too
    kept = {row.key: dict(row._mapping) for row in rows}
    _same(rebuilt, kept, place)
    _vials_add_up(rebuilt, place)
    return Verified(events.head, events.number, len(kept), events.clock_back)


class Tally:
    """Counts events as they pass, chained."""

    def __init__(self, place: str) -> None:
        self.place, self.head, self.number, self.clock_back = place, START, 0, 0

    def counted(self, events: Iterable[Event]) -> Iterable[Event]:
        """The same events."""
        for event in chained(events, self.place):
            self.head, self.number = event.digest, event.number
            self.clock_back += event.clock_back
            yield event


def state_of(events: Iterable[Event]) -> Rows:
    """What the records say, from events alone."""
    return {event.record: row_of(event) for event in events if event.record}


def _same(rebuilt: Rows, kept: Rows, place: str) -> None:
    for key in sorted(rebuilt.keys() | kept.keys()):
        row = rebuilt.get(key, {})
        if {name: row.get(name) for name in kept.get(key, row)} != kept.get(key):
            raise Damaged(f"{place}: record {key}", "is not what its events say", database.RESCUE)


def _vials_add_up(rows: Rows, place: str) -> None:
    """Every vial has given what the sessions drew from it, and no more than it held."""
    taken = _taken(rows)
    for key, row in rows.items():
        noun = _noun(key, row, place)
        if isinstance(noun, Vial):
            said = {one.session: one.units for one in noun.taken}
            if said != taken.pop(key, {}) or len(said) != len(noun.taken):
                problem = "what was taken is not what the sessions drew"
                raise Damaged(f"{place}: vial {key}", problem, database.RESCUE)
    if taken:
        raise Damaged(f"{place}: vial {min(taken)}", "drawn from, but missing", database.RESCUE)


def _taken(rows: Rows) -> dict[str, dict[str, Decimal]]:
    """vial -> session -> units"""
    taken: dict[str, dict[str, Decimal]] = {}
    for key, row in rows.items():
        if row["kind"] == "session" and row["state"] != IN_ERROR:
            session = GivenSession.model_validate_json(row["body"])
            for vial, units in drawn(session).items():
                taken.setdefault(vial, {})[key] = units
    return taken


def _noun(key: str, row: dict[str, Any], place: str) -> Any:
    try:
        return KINDS[row["kind"]].model_validate_json(row["body"])
    except (KeyError, ValidationError):
        raise Damaged(f"{place}: record {key}", "cannot be read", database.RESCUE) from None


def _pages(held: Database) -> None:
    """SQLite's own look at its pages, on a connection that has nothing of them in memory."""
    assert held.file
    with database.said(held.place):
        connection = database.connected(held.file, held.key, held.mode)
        try:
            sealed = connection.execute("PRAGMA cipher_integrity_check").fetchall()
            sound = connection.execute("PRAGMA integrity_check(1)").fetchall()
        finally:
            connection.close()
    if sealed or sound != [("ok",)]:
        found = (sealed or sound)[0][0]
        raise Damaged(held.place, str(found).splitlines()[0], database.RESCUE)
