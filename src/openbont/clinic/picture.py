"""The newest clinical picture of a patient, with everything that was given and measured put in."""

from collections.abc import Iterable
from typing import TypeVar

from openbont.clinic.held import Held
from openbont.clinic.nouns import ClinicVisit, GivenSession, Goals, OutsideSession, PatientReport
from openbont.errors import BadInput
from openbont.patient import PastSession, Patient, Visit

Dated = TypeVar("Dated", PastSession, Visit)


def picture(patient: str, held: Iterable[Held]) -> Patient:
    """The newest `Patient`, its history and visits completed from the other records."""
    records = list(held)
    known = [one.noun for one in records if isinstance(one.noun, Patient)]
    if not known:
        way_out = "add a patient file: openbont records add patient.yaml"
        raise BadInput(patient, "no clinical picture is recorded", way_out)
    newest = max(reversed(known), key=lambda one: one.date)  # of one day, the last written
    history = _once((*newest.history, *_past(records)))
    visits = _once((*newest.visits, *_visits(records)))
    date = max([newest.date, *(one.date for one in history), *(one.date for one in visits)])
    put_in = {"date": date, "history": history, "visits": visits} | _agreed(records, newest)
    return newest.model_copy(update=put_in)


def _agreed(records: Iterable[Held], newest: Patient) -> dict[str, object]:
    """Goals agreed on since stand for those of the patient file."""
    goals = (one.noun for one in records if isinstance(one.noun, Goals))
    agreed = [one for one in goals if one.date >= newest.date]
    return {"goals": agreed[-1].goals, "keep": agreed[-1].keep} if agreed else {}


def _past(records: Iterable[Held]) -> Iterable[PastSession]:
    """Sessions of this clinic, with the effect that the patient reported, and of others."""
    effect = {
        one.noun.session: one.noun.effect
        for one in records
        if isinstance(one.noun, PatientReport) and one.noun.effect
    }
    for one in records:
        if isinstance(one.noun, GivenSession):
            yield one.noun.past().model_copy(update={"effect": effect.get(one.key, "")})
        elif isinstance(one.noun, OutsideSession):
            yield one.noun.session


def _visits(records: Iterable[Held]) -> Iterable[Visit]:
    for one in records:
        if isinstance(one.noun, ClinicVisit):
            yield Visit(date=one.noun.date, readings=one.noun.readings)


def _once(things: Iterable[Dated]) -> tuple[Dated, ...]:
    return tuple(sorted(dict.fromkeys(things), key=lambda one: one.date))
