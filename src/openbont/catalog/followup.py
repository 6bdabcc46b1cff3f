"""Which scale is read at which visit, by disorder."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from openbont.catalog.products import read
from openbont.errors import UnknownName
from openbont.evidence import Source


@dataclass(frozen=True)
class FollowUp:
    """One visit that is due after a session, and what is read at it."""

    visit: str
    words: str
    first_week: int
    last_week: int
    scales: tuple[str, ...]
    ask: tuple[str, ...]
    """What is asked in words."""
    sources: tuple[Source, ...]
    """Recalled practice is marked as not verified."""

    def days(self, session: date) -> tuple[date, date]:
        """From when to when it is due."""
        first, last = timedelta(weeks=self.first_week), timedelta(weeks=self.last_week)
        return session + first, session + last


def follow_up(disorder: str) -> tuple[FollowUp, ...]:
    """The visits of a disorder, in order. Raises UnknownName."""
    if disorder not in _table():
        raise UnknownName("disorder", "disorder", disorder, _table())
    return _table()[disorder]


@cache
def _table() -> dict[str, tuple[FollowUp, ...]]:
    table = read("followup.yaml")
    cited = {
        name: Source.model_validate({"id": f"followup:{name}", **row})
        for name, row in table["sources"].items()
    }
    return {
        disorder: tuple(
            _visit(visit, when, rows[visit], cited) for visit, when in table["visits"].items()
        )
        for disorder, rows in table["disorders"].items()
    }


def _visit(
    name: str, when: dict[str, Any], row: dict[str, Any], cited: dict[str, Source]
) -> FollowUp:
    names = dict.fromkeys([*when["sources"], "practice", *row.get("sources", ())])
    first, last = when["weeks"]
    return FollowUp(
        visit=name,
        words=when["words"],
        first_week=first,
        last_week=last,
        scales=tuple(row.get("scales", ())),
        ask=tuple(row.get("ask", ())),
        sources=tuple(cited[one] for one in names),
    )
