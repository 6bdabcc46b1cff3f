"""What travels: one session with all that belongs to it."""

from typing import Annotated, Self

from pydantic import AwareDatetime, Field, model_validator

from openbont.clinic.fhir.codes import candidates
from openbont.clinic.nouns import AdverseEvent, ClinicVisit, GivenSession, Key, Person, Vial
from openbont.frozen import Many, Name, Noun, Positive, Share
from openbont.patient import Disorder
from openbont.plan import Plan


class Risk(Noun):
    """A predicted chance; never mixed with what was observed."""

    what: Name
    chance: Share
    within_weeks: Annotated[int, Field(ge=1, le=520)]
    method: Name
    """What computed it, with its version."""


class Signed(Noun):
    """Who entered the session, and when."""

    by: Name
    at: AwareDatetime


class Chart(Noun):
    """One given session, its patient, plan, vials, what was measured and what came of it."""

    key: Key
    """Of the session."""
    person: Person
    disorder: Disorder
    session: GivenSession
    vials: Annotated[Many[Vial], Field(min_length=1)]
    signed: Signed
    plan: Plan | None = None
    weight_kg: Positive | None = None
    icd10: str | None = None
    """The leaf that a clinician chose where the disorder alone leaves several."""
    visits: Many[ClinicVisit] = ()
    adverse_events: Many[AdverseEvent] = ()
    risks: Many[Risk] = ()

    @model_validator(mode="after")
    def _one_story(self) -> Self:
        plan, session = self.plan, self.session
        held = {vial.id: vial for vial in self.vials}
        faults = {
            f"the session treats {session.disorder}, not {self.disorder.name}": (
                session.disorder != self.disorder.name
            ),
            "the plan is for somebody else": plan and plan.patient != self.person.id,
            "the plan treats another disorder": plan and plan.disorder != self.disorder.name,
            "a plan without the key by which the session names it": plan and not session.plan,
            "a vial stands twice": len(held) < len(self.vials),
            "a draw from a vial that is not there": any(
                draw.vial not in held for draw in session.draws
            ),
            "a vial of another product": any(
                vial.product != session.product for vial in self.vials
            ),
            f"{self.icd10} does not fit the disorder": (
                self.icd10 and self.icd10 not in candidates(self.disorder)
            ),
        }
        for fault, there in faults.items():
            if there:
                raise ValueError(fault)
        return self
