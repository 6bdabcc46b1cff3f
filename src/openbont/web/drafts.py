"""Forms as they are typed: kept at once, right or not, until they are signed into a record.

A draft carries a version; whoever saves says which one was seen, and is told when another was
faster. A draft that was signed stays as an empty row, so that an old tab cannot bring it back.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from openbont.clinic import tables
from openbont.clinic.events import canonical, moment
from openbont.clinic.records import Records
from openbont.errors import EditConflict

EMPTY = canonical({})
Fields = dict[str, str]
"""Name of a field -> what stands in it."""


@dataclass(frozen=True)
class Draft:
    """One form of one patient, as it stands."""

    key: str
    patient: str
    version: int = 0
    """0: nobody has typed anything yet."""
    fields: Fields = field(default_factory=dict)
    at: str = ""
    by: str = ""

    @property
    def step(self) -> str:
        """Which form it is."""
        return self.key.rpartition("/")[2]

    @property
    def record(self) -> str:
        """Key of the record that it becomes: signing it twice makes one record."""
        return f"{self.key.replace('/', '.')}.{self.version}"[-64:].lstrip(".")


def draft(records: Records, patient: str, step: str) -> Draft:
    """The form as it stands; empty where nothing was typed."""
    with records.database.reading() as connection:
        return _held(connection, patient, step)


def drafts(records: Records, patient: str | None = None) -> list[Draft]:
    """Forms in work, the last touched first."""
    rows = select(tables.draft).order_by(tables.draft.c.at.desc())
    rows = rows.where(tables.draft.c.body != EMPTY)
    if patient is not None:
        rows = rows.where(tables.draft.c.patient == patient)
    with records.database.reading() as connection:
        return list(map(_draft, connection.execute(rows)))


def save(records: Records, patient: str, step: str, fields: Fields, seen: int) -> Draft:
    """Keep what is typed. Raises EditConflict where another was faster."""
    with records.writing() as pen:
        before = _held(pen.connection, patient, step)
        if before.version != seen and (before.fields != fields or not fields):
            mine = Draft(before.key, patient, seen, fields, moment(pen.at), pen.by)
            raise EditConflict(step, seen, mine, before)
        if before.fields == fields:
            return before
        after = Draft(before.key, patient, seen + 1, fields, moment(pen.at), pen.by)
        row = {"version": seen + 1, "body": canonical(fields), "at": after.at, "by": pen.by}
        if seen:
            changed = update(tables.draft).where(tables.draft.c.key == before.key)
            pen.connection.execute(changed.values(row))
        else:
            named = {"key": before.key, "patient": patient}
            pen.connection.execute(insert(tables.draft), named | row)
        return after


def finish(records: Records, done: Draft) -> Draft:
    """Empty a form that has become a record."""
    return save(records, done.patient, done.step, {}, done.version)


def _held(connection: Connection, patient: str, step: str) -> Draft:
    key = f"{patient}/{step}"
    row = connection.execute(select(tables.draft).where(tables.draft.c.key == key)).first()
    return _draft(row) if row else Draft(key, patient)


def _draft(row: Row[Any]) -> Draft:
    return Draft(row.key, row.patient, row.version, json.loads(row.body), row.at, row.by)
