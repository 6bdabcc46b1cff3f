"""What is to be read next: the visits that follow a patient's last session."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from openbont.catalog.followup import FollowUp, follow_up
from openbont.clinic.held import Held
from openbont.clinic.nouns import ClinicVisit, GivenSession
from openbont.errors import BadInput


@dataclass(frozen=True)
class Due:
    """One visit after a session: when, what, and what is still missing."""

    session: str
    visit: FollowUp
    first: datetime.date
    last: datetime.date
    missing: tuple[str, ...]
    """Scales that no visit of these days has read."""
    state: Literal["done", "to come", "now", "missed"]


def due(held: Iterable[Held], on: datetime.date) -> list[Due]:
    """The visits of the last session, as seen on `on`."""
    records = list(held)
    given = [(one, one.noun) for one in records if isinstance(one.noun, GivenSession)]
    if not given:
        raise BadInput("session", "no session is recorded", "see: openbont records give --help")
    last, session = max(given, key=lambda pair: (pair[1].date, pair[0].key))
    visits = [one.noun for one in records if isinstance(one.noun, ClinicVisit)]
    return [
        _due(last.key, one, one.days(session.date), visits, on)
        for one in follow_up(session.disorder)
    ]


def _due(
    key: str,
    visit: FollowUp,
    days: tuple[datetime.date, datetime.date],
    visits: Iterable[ClinicVisit],
    on: datetime.date,
) -> Due:
    first, last = days
    seen = [one for one in visits if first <= one.date <= last]
    read = {reading.scale for one in seen for reading in one.readings}
    missing = tuple(name for name in visit.scales if name not in read)
    if seen and not missing:
        return Due(key, visit, first, last, missing, "done")
    if on < first:
        return Due(key, visit, first, last, missing, "to come")
    return Due(key, visit, first, last, missing, "now" if on <= last else "missed")
