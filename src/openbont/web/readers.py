"""Who opened whose record: one event a person, patient and day, in the chained log.

Every page and paper of one patient counts, and comparing plans. The register and *Today* do not:
they list everybody.
"""

import datetime
import threading
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, select

from openbont.clinic import tables
from openbont.clinic.events import Event, canonical, moment
from openbont.clinic.records import Records

READ = "read"
"""The action of such an event; its data are the login and the key of the patient."""


@dataclass
class Readers:
    """What was noted today, kept at hand: asking the log at every answer would be slow."""

    day: datetime.date = datetime.date.min
    noted: set[tuple[str, str]] = field(default_factory=set)
    """Login and patient."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, records: Records, login: str, patient: str) -> None:
        """Write down that somebody reads a record, unless it was written today."""
        now, pair = records.now().astimezone(), (login, patient)
        if self.day == now.date() and pair in self.noted:
            return
        with self.lock:
            if self.day != now.date():
                self.noted, self.day = _noted(records, now), now.date()
            if pair not in self.noted and _is_there(records, patient):
                with records.writing() as pen:
                    pen.note(READ, login=login, patient=patient)
                self.noted.add(pair)


def lately_read(records: Records, patient: str = "", most: int = 30) -> list[Event]:
    """Who opened a record, or this one, the newest first."""
    rows = _reads().order_by(tables.event.c.number.desc()).limit(most)
    if patient:
        said = canonical({"patient": patient})[1:-1]
        rows = rows.where(tables.event.c.body.contains(said, autoescape=True))
    with records.database.reading() as connection:
        return [Event(*row) for row in connection.execute(rows)]


def _reads() -> Select[Any]:
    return select(tables.event).where(tables.event.c.action == READ)


def _noted(records: Records, now: datetime.datetime) -> set[tuple[str, str]]:
    """What the log says of this day."""
    begun = now.replace(hour=0, minute=0, second=0, microsecond=0)
    with records.database.reading() as connection:
        rows = connection.execute(_reads().where(tables.event.c.at >= moment(begun)))
        said = [Event(*row).data for row in rows]
    return {(one["login"], one["patient"]) for one in said}


def _is_there(records: Records, patient: str) -> bool:
    """There is such a patient; what else is typed into an address is kept nowhere."""
    rows = select(tables.record.c.key).where(tables.record.c.patient == patient).limit(1)
    with records.database.reading() as connection:
        return connection.execute(rows).first() is not None
