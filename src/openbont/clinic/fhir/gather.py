"""The chart of one given session, out of the records."""

from datetime import datetime
from typing import TypeVar

from openbont.clinic.fhir.chart import Chart, Signed
from openbont.clinic.held import Held
from openbont.clinic.nouns import AdverseEvent, ClinicVisit, GivenSession, Person, Vial
from openbont.clinic.records import Records
from openbont.errors import BadInput
from openbont.patient import Disorder, Patient
from openbont.plan import Plan

AnyNoun = TypeVar("AnyNoun")


def gathered(records: Records, key: str, icd10: str | None = None) -> Chart:
    """A session with its patient, plan, vials, visits and adverse events."""
    held = records.held(key)
    session = held.noun
    if not isinstance(session, GivenSession) or not held.live:
        problem = f"a {held.kind} that is {held.state}, not a session that was given"
        raise BadInput(key, problem, "see: openbont records show")
    theirs = records.all(held.patient)
    patient = records.patient(held.patient)
    vials = (records.held(name).noun for name in dict.fromkeys(d.vial for d in session.draws))
    plan = records.held(session.plan).noun if session.plan else None
    same = session.disorder == patient.disorder.name
    return Chart(
        key=key,
        person=_person(theirs, held.patient),
        disorder=patient.disorder if same else Disorder(name=session.disorder),
        icd10=icd10,
        session=session,
        vials=tuple(one for one in vials if isinstance(one, Vial)),
        plan=plan if isinstance(plan, Plan) else None,
        weight_kg=_weight(theirs, held, patient),
        visits=tuple(_about(theirs, key, ClinicVisit)),
        adverse_events=tuple(_about(theirs, key, AdverseEvent)),
        signed=Signed(by=held.by, at=datetime.fromisoformat(held.at)),
    )


def _person(theirs: list[Held], patient: str) -> Person:
    people = [one.noun for one in theirs if isinstance(one.noun, Person)]
    if not people:
        way_out = "add the person: name, birth date and sex"
        raise BadInput(patient, "the records do not say who this is", way_out)
    return people[-1]


def _weight(theirs: list[Held], session: Held, newest: Patient) -> float:
    """The weight as last measured up to the session."""
    assert isinstance(session.noun, GivenSession)
    day = session.noun.date
    known = [one.noun for one in theirs if isinstance(one.noun, Patient) and one.noun.date <= day]
    return max(known, key=lambda one: one.date, default=newest).weight_kg


def _about(theirs: list[Held], key: str, kind: type[AnyNoun]) -> list[AnyNoun]:
    """Records of a kind that follow this session."""
    return [
        one.noun
        for one in theirs
        if isinstance(one.noun, kind) and getattr(one.noun, "session", None) == key
    ]
