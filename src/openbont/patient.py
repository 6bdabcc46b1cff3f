"""Who is treated: Patient, with readings, goals, history, conditions and medicines."""

import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from openbont.frozen import Many, Name, NonNegative, Noun, Positive, Share
from openbont.plan import Injection
from openbont.product import Dose

ROLLING_DAYS = 84
"""Twelve weeks: the days over which units of all sessions are added up."""


class Disorder(Noun):
    """What the patient has, and why."""

    name: Name
    """For instance spasticity.upper_limb or migraine.chronic."""
    cause: str = ""
    """Spasticity: stroke, multiple sclerosis, brain trauma, spinal cord injury, tumour,
    hypoxia or aneurysm."""
    side: Literal["left", "right", "both", ""] = ""
    months_since_onset: NonNegative | None = None


class Reading(Noun):
    """One measurement on a named scale."""

    scale: Name
    """For instance MAS, Ashworth, headache_days_28."""
    value: float | str
    """A number, or the grade as written for ordinal scales ("1+")."""
    where: str = ""
    """Movement or structure with its side, for instance wrist_flexors.left."""


class Visit(Noun):
    """Readings taken on one date."""

    date: datetime.date
    readings: Many[Reading] = ()


class Goal(Noun):
    """A wanted reading: `scale` at `where` comes to `at_most`, or falls by `fall_percent`; where
    more is better, comes to `at_least`."""

    scale: Name
    where: str = ""
    at_most: float | str | None = None
    at_least: float | str | None = None
    fall_percent: Annotated[float, Field(gt=0, le=100)] | None = None
    weight: Positive = 1.0
    """Importance relative to the other goals."""
    words: str = ""
    """The goal as the patient says it."""

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if [self.at_most, self.at_least, self.fall_percent].count(None) != 2:
            raise ValueError("give exactly one of at_most, at_least and fall_percent")
        return self


class Keep(Noun):
    """A function to be spared: at least this share of its present strength is kept."""

    function: Name
    """For instance grip.left, elbow_flexion.right, neck_extension."""
    at_least: Share


class PastSession(Noun):
    """Toxin given earlier, by any clinic."""

    date: datetime.date
    clinic: Name
    product: Name
    disorder: Name
    """What was treated then."""
    total_u: Positive
    injections: Many[Injection] = ()
    """By structure where known; may be empty when only the total is known."""
    effect: Literal["good", "partial", "none", ""] = ""

    @property
    def dose(self) -> Dose:
        """All units of that session."""
        return Dose(self.total_u, self.product)

    def counts_on(self, day: datetime.date) -> bool:
        """True when it lies in the 12 weeks up to `day`."""
        return 0 <= (day - self.date).days < ROLLING_DAYS

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        listed_u = sum(injection.dose_u for injection in self.injections)
        if self.injections and abs(listed_u - self.total_u) > 1e-6:
            raise ValueError(
                f"injections add up to {listed_u:g} U, total_u says {self.total_u:g} U"
            )
        return self


class PriorTreatment(Noun):
    """A treatment tried before toxin."""

    name: Name
    outcome: Literal["failed", "not tolerated", "contraindicated", "helped", "ongoing"]


class Patient(Noun):
    """One person, as known on `date`."""

    id: Name
    date: datetime.date
    """When the findings were taken."""
    age_years: Annotated[float, Field(ge=0, le=120)]
    sex: Literal["female", "male", "other", "unknown"]
    weight_kg: Annotated[float, Field(gt=0.5, le=400)]
    height_cm: Annotated[float, Field(gt=30, le=260)] | None = None
    disorder: Disorder
    findings: Many[Reading] = ()
    goals: Many[Goal] = ()
    keep: Many[Keep] = ()
    conditions: Many[str] = ()
    """Names from the catalog; anything else as "other: ..."."""
    medicines: Many[str] = ()
    allergies: Many[str] = ()
    infected: Many[Name] = ()
    """Structures with infection of the overlying skin, or bladder for a urinary infection."""
    pregnancy: Literal["no", "possible", "yes", "not applicable", "not asked"] = "not asked"
    breastfeeding: bool = False
    prior_treatments: Many[PriorTreatment] = ()
    history: Many[PastSession] = ()
    visits: Many[Visit] = ()
    note: str = ""

    @property
    def child(self) -> bool:
        """Under 18 years: paediatric label rules apply."""
        return self.age_years < 18

    @model_validator(mode="after")
    def _findings_once(self) -> Self:
        seen = set()
        for scale, where in ((one.scale, one.where) for one in self.findings):
            if (scale, where) in seen:
                here = f"{scale} at {where}" if where else scale
                raise ValueError(f"findings: {here} is given twice; keep one of the two")
            seen.add((scale, where))
        return self

    @model_validator(mode="after")
    def _history_before_today(self) -> Self:
        for past in self.history:
            if past.date > self.date:
                raise ValueError(f"history: {past.date} lies after the patient's date {self.date}")
        return self
