"""Everything that is recorded of one patient, and how far the path has come."""

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from fastapi import HTTPException
from sqlalchemy import ColumnElement, false, or_, select

from openbont.catalog.followup import FollowUp, follow_up
from openbont.catalog.overview import overview
from openbont.clinic import tables
from openbont.clinic.events import moment
from openbont.clinic.held import IN_ERROR, Held
from openbont.clinic.ledger import Ledger, ledger, told_by, uncounted
from openbont.clinic.nouns import ClinicVisit, GivenSession, Person
from openbont.clinic.picture import picture
from openbont.clinic.records import Records
from openbont.errors import UnknownName
from openbont.frozen import Noun
from openbont.patient import Patient
from openbont.plan import Plan
from openbont.planning.rules import refusals
from openbont.report.words import title_words
from openbont.web.drafts import Draft, drafts

AnyNoun = TypeVar("AnyNoun", bound=Noun)


@dataclass(frozen=True)
class Who:
    """The patient at a glance: stands on every page of the path."""

    id: str
    name: str
    born: datetime.date | None
    age_years: float | None
    number: str
    treated: str
    allergies: tuple[str, ...]
    refused: str
    """Why nothing may be injected at all; empty for nearly all."""
    done: dict[str, str]
    """Step of the path -> done, or draft."""


@dataclass(frozen=True)
class Chart:
    """The records of one patient, and the forms in work."""

    id: str
    held: tuple[Held, ...]
    drafts: tuple[Draft, ...]
    today: datetime.date

    @cached_property
    def patient(self) -> Patient:
        """The clinical picture of today."""
        return picture(self.id, self.held)

    @property
    def person(self) -> Person | None:
        """Who it is."""
        found = self.of(Person)
        return found[-1][1] if found else None

    def of(self, kind: type[AnyNoun], *states: str) -> list[tuple[Held, AnyNoun]]:
        """Records of a kind, the last written last."""
        return [
            (one, one.noun)
            for one in self.held
            if isinstance(one.noun, kind) and (not states or one.state in states)
        ]

    @property
    def plan(self) -> tuple[Held, Plan] | None:
        """The plan in work or signed, whichever was written last."""
        return next(reversed(self.of(Plan)), None)

    @property
    def ahead(self) -> tuple[Held, Plan] | None:
        """The plan from which nothing was given yet."""
        used = {session.plan for _, session in self.of(GivenSession)}
        return next((one for one in reversed(self.of(Plan)) if one[0].key not in used), None)

    @property
    def last(self) -> tuple[Held, GivenSession] | None:
        """The last session that was given here."""
        return max(self.of(GivenSession), key=lambda one: one[1].date, default=None)

    def ledger(self) -> Ledger:
        """What every clinic gave, up to today."""
        return ledger(self.id, told_by(self.held), self.today, uncounted(self.held))

    def draft(self, step: str) -> Draft | None:
        """The form of a step, where somebody has typed in it."""
        return next((one for one in self.drafts if one.step == step), None)

    @cached_property
    def who(self) -> Who:
        """The patient at a glance."""
        patient, person = self.patient, self.person
        side = patient.disorder.side
        where = f", {side}" if side and side != "both" else ""
        return Who(
            id=self.id,
            name=person.name if person else self.id,
            born=person.born if person else None,
            age_years=patient.age_years,
            number=person.number if person else "",
            treated=f"{title_words(patient.disorder.name)}{where}",
            allergies=patient.allergies,
            refused="; ".join(one.reason for one in refusals(patient)),
            done=self._done(),
        )

    def _done(self) -> dict[str, str]:
        """How far each step has come in this cycle; the next begins with the return visit."""
        since = self.last[1].date if self.last else datetime.date.min
        begun = self.last is None or self.today >= self._returns(self.last[1])
        done = {
            name: "done" for name in ("eligibility", "goals") if self._signed(name, since, begun)
        }
        if self.ahead:
            done["plan"] = "draft" if self.ahead[0].state == "draft" else "done"
        elif not begun:
            done |= {"plan": "done", "inject": "done"}
        if self.last and any(visit.date > since for _, visit in self.of(ClinicVisit)):
            done["followup"] = "done"
        typed = {one.step: "done" if one.step == "next" else "draft" for one in self.drafts}
        return done | typed

    def _signed(self, kind: str, since: datetime.date, begun: bool) -> bool:
        """A record of this cycle is signed."""
        dates = [getattr(one.noun, "date", since) for one in self.held if one.kind == kind]
        return any(date > since or not begun for date in dates)

    def _returns(self, session: GivenSession) -> datetime.date:
        """From when on the next session is decided."""
        days = [one.days(session.date)[0] for one in visits(session.disorder)]
        return max(days, default=session.date)

    @cached_property
    def read(self) -> dict[tuple[str, str], tuple[float | str, datetime.date]]:
        """Scale and where -> what was read last, and when."""
        pictures = [(one.date, one.findings) for _, one in self.of(Patient)]
        seen = [(one.date, one.readings) for _, one in self.of(ClinicVisit)]
        return {
            (one.scale, one.where): (one.value, date)
            for date, readings in sorted(pictures + seen, key=lambda pair: pair[0])
            for one in readings
        }


def visits(disorder: str) -> tuple[FollowUp, ...]:
    """The visits of a disorder; none where the catalog has none."""
    try:
        return follow_up(disorder)
    except UnknownName:
        return ()


def chart(records: Records, patient: str) -> Chart:
    """The chart of a patient; 404 where there is none."""
    held = tuple(records.all(patient)) if patient else ()
    if not any(isinstance(one.noun, Patient) for one in held):
        raise HTTPException(404, f"No patient is called {patient!r}.")
    today = records.now().astimezone().date()
    return Chart(patient, held, tuple(drafts(records, patient)), today)


@dataclass(frozen=True)
class Entry:
    """One line of the register: enough to be found by."""

    id: str
    name: str
    number: str = ""


def register(records: Records, sought: str = "") -> list[Entry]:
    """Everybody, or whose name, number or disorder has these letters, by name."""
    asked, letters = tables.record, sought.strip().casefold()
    live = asked.c.state != IN_ERROR
    with records.database.reading() as connection:
        persons = select(asked.c.patient, asked.c.body).where(asked.c.kind == "person", live)
        known = list(connection.execute(persons.order_by(asked.c.at)))
        seen = select(asked.c.patient).where(asked.c.kind == "patient", live).distinct()
        ids = list(connection.execute(seen).scalars())
        ill = set(connection.execute(seen.where(_disorder(letters))).scalars())
    people = {patient: Person.model_validate_json(body) for patient, body in known}
    entries = [_entry(one, people.get(one)) for one in ids]
    found = [one for one in entries if one.id in ill or letters in _letters(one)]
    return sorted(found, key=lambda one: one.name.casefold())


def _entry(patient: str, person: Person | None) -> Entry:
    return Entry(patient, person.name, person.number) if person else Entry(patient, patient)


def _letters(one: Entry) -> str:
    return f"{one.name} {one.id} {one.number}".casefold()


def _disorder(letters: str) -> ColumnElement[bool]:
    """Their disorder is one whose name has these letters."""
    named = [id_ for id_ in overview() if letters and letters in title_words(id_).casefold()]
    texts = [f'%"name":"{id_}"%' for id_ in named]
    return or_(false(), *(tables.record.c.body.like(text) for text in texts))


def charts(records: Records, patients: Iterable[str] | None = None) -> Iterator[Chart]:
    """The charts of some in that order, or of everybody by name; each is read when it is asked."""
    wanted = (one.id for one in register(records)) if patients is None else patients
    return (chart(records, one) for one in wanted)


def worked_on(records: Records, since: datetime.datetime) -> list[str]:
    """Who has a record or a form that changed since then."""
    found: set[str] = set()
    with records.database.reading() as connection:
        for kept in (tables.record, tables.draft):
            rows = select(kept.c.patient).where(kept.c.at >= moment(since)).distinct()
            found |= set(connection.execute(rows).scalars())
    there = {one.id for one in register(records)}
    return sorted(found & there)
