"""The ledger: every session of every product and clinic, and what the last 12 weeks add up to.

Units are added for each product by itself and are never converted. A session that two sources tell
alike is one; where they differ, both are counted and said to be doubtful.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from openbont.catalog.vials import exact
from openbont.clinic.held import Held
from openbont.clinic.nouns import GivenSession, NotCounted, OutsideSession
from openbont.errors import BadInput
from openbont.patient import ROLLING_DAYS, PastSession, Patient

OWN_FILE = "patient file"


@dataclass(frozen=True)
class Line:
    """One session, and who tells of it."""

    session: PastSession
    sources: tuple[str, ...]
    days_ago: int
    counted: bool
    """It lies in the last 12 weeks."""

    @property
    def units(self) -> Decimal:
        """Units of its product."""
        return exact(self.session.total_u)


@dataclass(frozen=True)
class Sum:
    """Units of one product in the last 12 weeks: in all, at one clinic, or for one disorder."""

    product: str
    of: str
    """Clinic or disorder; empty for all."""
    units: Decimal
    sessions: int


@dataclass(frozen=True)
class Ledger:
    """What was given up to one day."""

    patient: str
    on: datetime.date
    since: datetime.date
    """First day of the 12 weeks."""
    lines: tuple[Line, ...]
    """The whole history, latest first."""
    totals: tuple[Sum, ...]
    by_clinic: tuple[Sum, ...]
    by_disorder: tuple[Sum, ...]
    days_since_last: int | None
    doubtful: tuple[str, ...]
    """Sessions that may be one and the same, counted as two."""
    not_counted: tuple[str, ...]
    """What may be toxin and could not be counted, word for word."""


def ledger(
    patient: str,
    sources: Mapping[str, Iterable[PastSession]],
    on: datetime.date,
    not_counted: Iterable[str] = (),
) -> Ledger:
    """All sessions that `sources` (who tells -> sessions) know of, as seen on `on`."""
    lines = _lines(sources, on)
    past = [line.days_ago for line in lines if line.days_ago >= 0]
    return Ledger(
        patient=patient,
        on=on,
        since=on - datetime.timedelta(days=ROLLING_DAYS - 1),
        lines=lines,
        totals=_sums(lines, ""),
        by_clinic=_sums(lines, "clinic"),
        by_disorder=_sums(lines, "disorder"),
        days_since_last=min(past, default=None),
        doubtful=_doubtful(lines),
        not_counted=tuple(not_counted),
    )


def with_history(patient: Patient, found: Ledger) -> Patient:
    """The patient as `check` must see it: with everything that the ledger counts."""
    history = tuple(line.session for line in reversed(found.lines))
    for past in history:
        if past.date > patient.date:
            problem = f"{past.dose} given by {past.clinic} on {past.date}, after the findings"
            way_out = f"see the patient again: these are the findings of {patient.date}"
            raise BadInput("patient.date", problem, way_out)
    return Patient.model_validate({**dict(patient), "history": history})


def refuse_uncounted(words: Sequence[str]) -> None:
    """Nothing may be planned while something may be toxin and was not counted."""
    if words:
        problem = f"may be toxin and could not be counted: {words[0]}"
        refused = BadInput("record", problem, "ask that clinic what was given, and mend the record")
        for other in words[1:]:
            refused.add_note(other)
        raise refused


def _lines(sources: Mapping[str, Iterable[PastSession]], on: datetime.date) -> tuple[Line, ...]:
    """Latest first; what several sources tell alike stands once, with the most said of it."""
    told: dict[tuple[object, ...], tuple[PastSession, tuple[str, ...]]] = {}
    for source, sessions in sources.items():
        repeats: dict[tuple[object, ...], int] = {}
        for past in sessions:
            alike = _alike(past)
            repeats[alike] = repeats.get(alike, 0) + 1
            key = (*alike, repeats[alike])
            before, named = told.get(key, (past, ()))
            told[key] = (past if past.injections else before), (*named, source)
    lines = [
        Line(past, named, (on - past.date).days, past.counts_on(on))
        for past, named in told.values()
    ]
    return tuple(sorted(lines, key=lambda line: line.days_ago))


def _alike(past: PastSession) -> tuple[object, ...]:
    """What makes two reports the same session."""
    return (past.date, past.product, past.clinic.casefold(), past.disorder, exact(past.total_u))


def _sums(lines: Iterable[Line], field: str) -> tuple[Sum, ...]:
    sums: dict[tuple[str, str], tuple[Decimal, int]] = {}
    for line in lines:
        if line.counted:
            key = (line.session.product, getattr(line.session, field) if field else "")
            units, sessions = sums.get(key, (Decimal(0), 0))
            sums[key] = units + line.units, sessions + 1
    return tuple(Sum(*key, *sums[key]) for key in sorted(sums))


def _doubtful(lines: tuple[Line, ...]) -> tuple[str, ...]:
    """Pairs of one product and nearly one day that no source tells both of."""
    return tuple(
        f"{one.session.dose} on {one.session.date} ({', '.join(one.sources)}) and "
        f"{other.session.dose} on {other.session.date} ({', '.join(other.sources)}) may be one "
        "session; both are counted"
        for i, one in enumerate(lines)
        for other in lines[i + 1 :]
        if one.session.product == other.session.product
        and abs(one.days_ago - other.days_ago) <= 1
        and not set(one.sources) & set(other.sources)
    )


def told_by(held: Sequence[Held]) -> dict[str, list[PastSession]]:
    """Who tells of which sessions, in the records of one patient."""
    told: dict[str, list[PastSession]] = {}
    pictures = [one.noun for one in held if isinstance(one.noun, Patient)]
    if pictures:
        told[OWN_FILE] = list(max(reversed(pictures), key=lambda one: one.date).history)
    for one in held:
        if isinstance(one.noun, GivenSession):
            told.setdefault("records", []).append(one.noun.past())
        elif isinstance(one.noun, OutsideSession):
            sessions = told.setdefault(one.noun.source, [])
            if one.noun.session not in sessions:  # the same file, taken in twice
                sessions.append(one.noun.session)
    return told


def uncounted(held: Iterable[Held]) -> list[str]:
    """What other clinics' records say that may be toxin and could not be counted."""
    return [
        f"{one.noun.source}: {words}"
        for one in held
        if isinstance(one.noun, NotCounted)
        for words in one.noun.words
    ]
