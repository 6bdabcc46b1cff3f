"""All events as JSON lines, the first of which says how many follow and where the chain ends.

Nothing else needs to be kept: what the records say follows from their events.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from openbont.clinic import tables
from openbont.clinic.database import Database
from openbont.clinic.disk import write_private
from openbont.clinic.events import Event, canonical, chained, read
from openbont.clinic.rebuild import Tally, Verified, state_of
from openbont.errors import BadInput, Damaged

ABOUT = "OpenBoNT records"
WAY_OUT = "take another copy of it"


def write_archive(held: Database, file: Path) -> Verified:
    """Write all events to a file that only its owner may read; whole or not at all."""
    tally = Tally(held.place)
    with held.reading() as connection:
        events = list(tally.counted(read(connection)))
    about = {"about": ABOUT, "events": tally.number, "head": tally.head}
    lines = [canonical(about), *(canonical(asdict(event)) for event in events)]
    write_private(file, "".join(f"{line}\n" for line in lines).encode())
    records = {event.record for event in events} - {""}
    return Verified(tally.head, tally.number, len(records), tally.clock_back)


def read_archive(file: Path) -> list[Event]:
    """The events of an archive, chained and complete."""
    try:
        first, *lines = file.read_text("utf-8").splitlines()
        about = json.loads(first)
        assert about["about"] == ABOUT
        said = [json.loads(line) for line in lines]
    except OSError as error:
        raise BadInput(str(file), f"cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AssertionError):
        problem = "not, or not all of, an archive of OpenBoNT records"
        raise Damaged(str(file), problem, WAY_OUT) from None
    tally = Tally(str(file))
    events = list(tally.counted(_events(said, file)))
    if not events or (tally.number, tally.head) != (about["events"], about["head"]):
        problem = f"ends at event {tally.number} of {about['events']}"
        raise Damaged(str(file), problem, WAY_OUT)
    return events


def _events(said: Iterable[Any], file: Path) -> Iterator[Event]:
    for number, one in enumerate(said, start=1):
        try:
            yield Event(**one)
        except TypeError:
            raise Damaged(f"{file}: event {number}", "cannot be read", WAY_OUT) from None


def bring_in(connection: Connection, events: Iterable[Event]) -> None:
    """Write events as they are, and the records that follow from them, where there are none."""
    brought = list(chained(events, "archive"))
    for event in brought:
        connection.execute(insert(tables.event), asdict(event))
    for row in state_of(brought).values():
        connection.execute(insert(tables.record), row)
