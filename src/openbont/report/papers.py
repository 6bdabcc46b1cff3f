"""Papers out of the records: what sheet, leaflet and note say of a plan or a session kept there."""

import datetime
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openbont.clinic.held import Held
from openbont.clinic.ledger import refuse_uncounted, uncounted
from openbont.clinic.nouns import AdverseEvent, GivenSession, Person, Vial
from openbont.clinic.records import Records
from openbont.errors import BadInput, NoEvidence
from openbont.patient import Patient
from openbont.plan import Plan, Session
from openbont.planning.check import check
from openbont.planning.rules import Finding
from openbont.report.leaflet import Forecast, forecast
from openbont.report.leaflet import leaflet as leaflet_page
from openbont.report.note import Given
from openbont.report.note import note as note_page
from openbont.report.sheet import sheet as sheet_page
from openbont.report.tables import Content

if TYPE_CHECKING:  # pictures are slow to import, and a stopped plan has none
    from openbont.report.places import Sites


@dataclass(frozen=True)
class Case:
    """A plan with its patient, and where it stands in the records."""

    plan: Plan
    patient: Patient
    person: Person | None = None
    head: str = ""
    given: bool = False
    """It is a session that was given, told as a plan."""
    draft: bool = False

    def findings(self, label: str = "US") -> list[Finding]:
        """What the rules say of it."""
        return check(self.plan, self.patient, label)


def case(records: Records, key: str) -> Case:
    """The plan or the session that is recorded under a key."""
    held = live(records, key)
    if not isinstance(held.noun, Plan | GivenSession):
        raise BadInput(key, f"is a {held.kind}", "name a plan or a session")
    who, person = records.patient(held.patient), person_of(records, held.patient)
    head = records.head().digest
    if isinstance(held.noun, GivenSession):
        before = [past for past in who.history if past.date < held.noun.date]
        who = who.model_copy(update={"history": tuple(before)})
        return Case(as_plan(held.noun, held.patient), who, person, head, given=True)
    refuse_uncounted(uncounted(records.all(held.patient)))
    return Case(held.noun, who, person, head, draft=held.state == "draft")


def sheet(of: Case, at: int = 0, label: str = "US") -> Content:
    """The injection sheet of session number `at`; of a stopped plan it says so, without units."""
    if of.given:
        raise BadInput("plan", "was given already", "name a plan, or print the note")
    if not 0 <= at < len(of.plan.sessions):
        raise BadInput("session", f"the plan has {len(of.plan.sessions)}", "name one of them")
    findings = of.findings(label)
    alone = of.plan.model_copy(update={"sessions": (of.plan.sessions[at],)})
    sites = None if stopped(findings) else pictures(alone, of.patient)
    return sheet_page(of.plan, of.patient, findings, at, sites, of.person, of.head, of.draft)


def leaflet(
    of: Case, telephone: str = "", draws: int = 200, seed: int = 1, label: str = "US"
) -> Content:
    """The patient's page. Raises BadInput for a plan that a rule stops."""
    findings = of.findings(label)
    stops = [one.reason for one in findings if one.level == "stop"]
    if stops and not of.given:
        raise BadInput("plan", f"stopped: {stops[0]}", "a stopped plan has no page for the patient")
    expected = None if stops else expected_of(of.plan, of.patient, draws, seed)
    return leaflet_page(
        of.plan,
        of.patient,
        findings,
        expected,
        given=of.given,
        person=of.person,
        telephone=telephone,
        head=of.head,
    )


def note(records: Records, key: str) -> Content:
    """The visit note of a recorded session."""
    held = live(records, key)
    if not isinstance(held.noun, GivenSession):
        raise BadInput(key, f"is a {held.kind}", "name a session")
    drawn = [records.held(draw.vial).noun for draw in held.noun.draws]
    events = [one.noun for one in records.all(held.patient, "adverse_event")]
    given = Given(
        held.noun,
        key,
        tuple(one for one in drawn if isinstance(one, Vial)),
        tuple(one for one in events if isinstance(one, AdverseEvent) and one.session == key),
    )
    who, person = records.patient(held.patient), person_of(records, held.patient)
    return note_page(given, who, person, _found_on(records, held.patient), records.head().digest)


def live(records: Records, key: str) -> Held:
    """A record that nobody took back."""
    held = records.held(key)
    if not held.live:
        raise BadInput(key, "was entered in error", "name the record that stands in its place")
    return held


def person_of(records: Records, patient: str) -> Person | None:
    """Who a patient is, where the records say it."""
    known = [one.noun for one in records.all(patient, "person")]
    return next((one for one in reversed(known) if isinstance(one, Person)), None)


def as_plan(session: GivenSession, patient: str) -> Plan:
    """What was given, as a plan that can be predicted."""
    given = [one.model_copy(update={"volume_ml": None}) for one in session.past().injections]
    only = Session(
        product=session.product,
        injections=tuple(given),
        dilution_u_per_ml=float(session.dilution_u_per_ml),
    )
    return Plan(patient=patient, disorder=session.disorder, date=session.date, sessions=(only,))


def stopped(findings: Sequence[Finding]) -> bool:
    """True where a rule stops the plan."""
    return any(finding.level == "stop" for finding in findings)


def pictures(plan: Plan, patient: Patient) -> "Sites | None":
    """Pictures of the sites; None where there is no model of the place."""
    from openbont.catalog.model import model
    from openbont.forward.exposure import toxin
    from openbont.report.places import sites

    with suppress(NoEvidence):
        return sites(toxin(plan, model(patient, draws=2, seed=1)))
    return None


def expected_of(plan: Plan, patient: Patient, draws: int, seed: int) -> Forecast | None:
    """The forecast for the patient's page; None where there is no model."""
    from openbont.catalog.model import model
    from openbont.forward.chain import simulate
    from openbont.forward.outcome import outcome
    from openbont.planning.limits import limits

    last = plan.sessions[-1]
    interval = limits(patient, last.product, plan.date_of(last), plan.disorder).interval_min_weeks
    with suppress(NoEvidence):
        basis = model(patient, draws, seed)
        days = range(7 * basis.horizon_weeks + 1)
        course, without = (simulate(p, patient, basis, days) for p in (plan, plan.untreated()))
        return forecast(course, without, outcome(course, without, plan, patient, interval))
    return None


def _found_on(records: Records, patient: str) -> datetime.date:
    """When the findings of the newest clinical picture were taken."""
    known = [one.noun for one in records.all(patient, "patient")]
    return max(one.date for one in known if isinstance(one, Patient))
