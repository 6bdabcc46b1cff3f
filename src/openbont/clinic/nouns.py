"""What is recorded about a person. One noun a kind of record; amounts of toxin are decimals.

A record is draft, then signed (or given), and never changes after that: a correction is a new
version, and what was wrong stays, entered in error, with the reason.
"""

import datetime
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from openbont.frozen import Many, Name, Noun, Positive
from openbont.patient import Goal, Keep, PastSession, Patient, Reading
from openbont.plan import Injection, Plan

Units = Annotated[Decimal, Field(gt=0, le=100_000, decimal_places=2)]
"""Units of one product; never converted."""
Millilitres = Annotated[Decimal, Field(gt=0, le=1_000, decimal_places=3)]
Key = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
"""Names one record or person for good."""
Words = Annotated[str, Field(max_length=4_000)]

State = Literal["draft", "signed", "given", "entered in error"]
Guidance = Literal["palpation", "EMG", "ultrasound", "stimulation", "endoscopy", "other"]


class Person(Noun):
    """Who a patient is; kept apart from what is known of the disorder."""

    id: Key
    """The same as `Patient.id`."""
    name: Name
    born: datetime.date
    sex: Literal["female", "male", "other", "unknown"]
    number: str = ""
    """Number in the clinic's own system."""
    telephone: str = ""
    note: Words = ""


class Consent(Noun):
    """Agreement to be treated, or its refusal or withdrawal."""

    date: datetime.date
    to: Name
    """What was agreed to, in words."""
    given: bool
    by: Name
    """Patient, or who decides for the patient."""
    taken_by: Name
    off_label: bool = False
    """That the use is outside the label was explained."""


class Answer(Noun):
    """One question of eligibility."""

    question: Name
    answer: Literal["yes", "no", "not known"]
    note: Words = ""


class Eligibility(Noun):
    """Questions asked before treatment."""

    date: datetime.date
    answers: Annotated[Many[Answer], Field(min_length=1)]


class Goals(Noun):
    """What patient and injector agreed to reach, and to spare."""

    date: datetime.date
    goals: Annotated[Many[Goal], Field(min_length=1)]
    keep: Many[Keep] = ()


class Draw(Noun):
    """Units taken from one vial for a session."""

    vial: Key
    units: Units


class GivenInjection(Noun):
    """One structure as it was really injected."""

    structure: Name
    """With its side, for instance flexor_carpi_radialis.left."""
    units: Units
    sites: Annotated[int, Field(ge=1, le=60)] = 1
    named_sites: Many[Name] = ()
    """Sites by name, where a pattern has names."""
    volume_ml: Millilitres
    depth_mm: Positive | None = None
    guidance: Many[Guidance] = ()

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        if self.named_sites and len(self.named_sites) != self.sites:
            raise ValueError(f"{len(self.named_sites)} names for {self.sites} sites")
        return self


class Deviation(Noun):
    """Where a session left the signed plan, and why."""

    structure: Name
    planned: str
    given: str
    reason: Annotated[Words, Field(min_length=1)]


class GivenSession(Noun):
    """One visit at which one product was injected, as it was done."""

    date: datetime.date
    disorder: Name
    plan: Key | None = None
    """The signed plan that was followed; None where there was none."""
    injector: Name
    clinic: Name
    product: Name
    diluent: Name
    dilution_u_per_ml: Units
    reconstituted: AwareDatetime | None = None
    """None for a ready-to-use solution."""
    discard_by: AwareDatetime | None = None
    injections: Annotated[Many[GivenInjection], Field(min_length=1)]
    draws: Annotated[Many[Draw], Field(min_length=1)]
    deviations: Many[Deviation] = ()
    note: Words = ""

    @property
    def units(self) -> Decimal:
        """All units of the session."""
        return sum((one.units for one in self.injections), Decimal(0))

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        drawn = sum((one.units for one in self.draws), Decimal(0))
        if drawn != self.units:
            raise ValueError(f"injections add up to {self.units} U, draws from vials to {drawn} U")
        return self

    def past(self) -> PastSession:
        """As history of a patient, for rules and predictions."""
        injections = tuple(
            Injection(
                structure=one.structure,
                dose_u=float(one.units),
                sites=one.sites,
                volume_ml=float(one.volume_ml),
            )
            for one in self.injections
        )
        return PastSession(
            date=self.date,
            clinic=self.clinic,
            product=self.product,
            disorder=self.disorder,
            total_u=float(self.units),
            injections=injections,
        )


class Waste(Noun):
    """Units of a vial that were thrown away."""

    units: Units
    reason: Annotated[Words, Field(min_length=1)]
    date: datetime.date
    by: Name


class Taken(Noun):
    """Units of a vial that went into one session."""

    session: Key
    units: Units


class Vial(Noun):
    """One vial: given + wasted + remaining = its units, always."""

    id: Key
    product: Name
    lot: Name
    expiry: datetime.date
    units: Units
    opened: AwareDatetime | None = None
    taken: Many[Taken] = ()
    wasted: Many[Waste] = ()

    @property
    def remaining(self) -> Decimal:
        """Units that are still in it."""
        out = [one.units for one in self.taken] + [one.units for one in self.wasted]
        return self.units - sum(out, Decimal(0))

    @model_validator(mode="after")
    def _not_overdrawn(self) -> Self:
        if self.remaining < 0:
            raise ValueError(f"{-self.remaining} U more taken or wasted than the vial holds")
        return self


class AdverseEvent(Noun):
    """Something unwanted after a session."""

    date: datetime.date
    session: Key | None = None
    what: Name
    severity: Literal["mild", "moderate", "severe"]
    serious: bool
    """Death, danger to life, hospital, disability, or needing intervention to prevent these."""
    related: Literal["yes", "possibly", "no", "not known"]
    outcome: Literal["recovered", "recovering", "not recovered", "fatal", "not known"]
    note: Words = ""


class ClinicVisit(Noun):
    """Readings on named scales at one visit."""

    date: datetime.date
    by: Name
    session: Key | None = None
    """The session whose effect is followed."""
    readings: Many[Reading] = ()
    note: Words = ""


class DiaryDay(Noun):
    """What a patient wrote down for one day."""

    date: datetime.date
    readings: Annotated[Many[Reading], Field(min_length=1)]


class Diary(Noun):
    """Days of a patient's diary, each once."""

    days: Annotated[Many[DiaryDay], Field(min_length=1)]
    source: Name
    """The file it came from."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        dates = [day.date for day in self.days]
        if len(set(dates)) < len(dates):
            raise ValueError("a date stands twice in the diary")
        return self


class PatientReport(Noun):
    """How the patient felt the effect of one session; days after it."""

    session: Key
    date: datetime.date
    onset_day: Annotated[int, Field(ge=0, le=400)] | None = None
    peak_day: Annotated[int, Field(ge=0, le=400)] | None = None
    end_day: Annotated[int, Field(ge=0, le=800)] | None = None
    effect: Literal["good", "partial", "none", ""] = ""
    note: Words = ""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        days = [day for day in (self.onset_day, self.peak_day, self.end_day) if day is not None]
        if days != sorted(days):
            raise ValueError("onset, peak and end must follow one another")
        return self


class OutsideSession(Noun):
    """A session of another clinic, as its record says it."""

    session: PastSession
    source: Name
    """File or letter it was taken from."""
    not_understood: Many[Words] = ()
    """What the record said and we could not read, word for word."""


class NotCounted(Noun):
    """What another clinic's record says that may be toxin and could not be counted.

    While it stands, nobody knows all that was given; withdraw it when that clinic was asked.
    """

    source: Name
    """File or letter it was taken from."""
    words: Annotated[Many[Words], Field(min_length=1)]


KINDS: dict[str, type[Noun]] = {
    "person": Person,
    "patient": Patient,
    "consent": Consent,
    "eligibility": Eligibility,
    "goals": Goals,
    "plan": Plan,
    "session": GivenSession,
    "vial": Vial,
    "adverse_event": AdverseEvent,
    "visit": ClinicVisit,
    "diary": Diary,
    "report": PatientReport,
    "outside": OutsideSession,
    "not_counted": NotCounted,
}
"""Kind of record -> what it says."""
