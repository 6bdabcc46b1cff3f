"""What a trial does: Design, with criteria of entry, arms, visits and endpoints."""

import re
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from openbont.frozen import Many, Name, NonNegative, Noun, Positive
from openbont.patient import Patient
from openbont.plan import Injection, Plan, Session

Percent = Annotated[float, Field(ge=0, lt=100)]

_CLAUSE = re.compile(r"(change|value)\s*(<=|>=|=|<|>)\s*(-?\d+(?:\.\d+)?)\s*(%?)")

Clause = tuple[str, str, float, bool]
"""Change or value, comparison, number, whether in per cent."""


class Criterion(Noun):
    """Who enters: a noisy reading at entry from `at_least` to `at_most`."""

    scale: Name
    where: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("at_least lies above at_most")
        return self


class Arm(Noun):
    """What one group of patients is given, and in which weeks."""

    name: Name
    like: str = ""
    """Name of an earlier arm whose product, injections and weeks are taken."""
    product: str = ""
    dilution_u_per_ml: Positive | None = None
    injections: Many[Injection] = ()
    weeks: Many[NonNegative] = ()
    """When the injections are given; week 0 where nothing is said."""
    placebo: bool = False
    """The vials hold no toxin."""
    placebo_weeks: Many[NonNegative] = ()
    """Weeks in which the vials hold no toxin, where they do in others."""
    open_label: bool = False
    """Patient and rater know what is given."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        own = bool(self.product) + bool(self.injections) + (self.dilution_u_per_ml is not None)
        if own != (0 if self.like else 3):
            raise ValueError(
                "give product, dilution_u_per_ml and injections, or the name of an arm in like"
            )
        if list(self.weeks) != sorted(set(self.weeks)):
            raise ValueError("weeks must rise")
        return self

    @property
    def dose_u(self) -> float:
        """Units of one session with toxin; 0 of placebo."""
        return 0.0 if self.placebo else sum(injection.dose_u for injection in self.injections)

    def plan(self, patient: Patient) -> Plan:
        """The arm as a plan for one patient; an arm `like` another must be filled in before."""
        return Plan(
            patient=patient.id,
            disorder=patient.disorder.name,
            date=patient.date,
            sessions=tuple(self._session(week) for week in self.weeks or (0.0,)),
        )

    def filled(self, others: Mapping[str, "Arm"]) -> "Arm":
        """With what it takes from the arm that it is like."""
        if not self.like:
            return self
        of = others[self.like]
        taken = {name: getattr(of, name) for name in ("product", "dilution_u_per_ml", "injections")}
        return self.model_copy(update={**taken, "like": "", "weeks": self.weeks or of.weeks})

    def _session(self, week: float) -> Session:
        assert self.dilution_u_per_ml is not None
        session = Session(
            day=round(7 * week),
            product=self.product,
            dilution_u_per_ml=self.dilution_u_per_ml,
            injections=self.injections,
        )
        return session.untreated() if self.placebo or week in self.placebo_weeks else session


class Endpoint(Noun):
    """What is counted: the mean change of a reading since entry, or the share that meets a rule."""

    scale: Name
    where: str = ""
    week: NonNegative
    rule: str = ""
    """For instance change<=-50%, change<=-2 and value<=1, value=0; empty for the mean change."""
    also_at: Many[str] = ()
    """Further places of the scale at which the rule must be met too, for instance subject."""

    @model_validator(mode="after")
    def _rule_is_read(self) -> Self:
        parts = self.rule.split(" and ") if self.rule else []
        if wrong := [one for one in parts if not _CLAUSE.fullmatch(one)]:
            raise ValueError(
                f"rule {wrong[0]!r} is not read; write change<=-50%, change<=-2 or value<=1, "
                "joined by ' and '"
            )
        return self

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Scale and place of every reading that is needed."""
        return tuple((self.scale, where) for where in (self.where, *self.also_at))


class Design(Noun):
    """A trial as data."""

    name: Name
    words: str = ""
    source: str = ""
    """Where the design was read, or that it was recalled."""
    patient: Patient
    """A typical patient; the findings that `entry` names are replaced by what people read."""
    entry: Many[Criterion] = ()
    arms: Annotated[Many[Arm], Field(min_length=1)]
    weeks: Annotated[Many[NonNegative], Field(min_length=1)]
    """Visits at which endpoints are read."""
    endpoints: Annotated[Many[Endpoint], Field(min_length=1)]
    """The first one is the primary endpoint."""
    patients: Annotated[int, Field(ge=2, le=10_000_000)]
    """In each arm."""
    replicates: Annotated[int, Field(ge=1, le=100_000)] = 20
    """How often the trial is run, each time with other people, raters and vials."""
    dropout_percent: Percent = 0.0
    """Lost by the last visit, at a constant hazard."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        filled: dict[str, Arm] = {}
        for arm in self.arms:
            if arm.name in filled:
                raise ValueError(f"arms: {arm.name} is there twice")
            if arm.like and arm.like not in filled:
                raise ValueError(f"arms: {arm.name} is like {arm.like}, which does not stand above")
            filled[arm.name] = arm.filled(filled)
            given = filled[arm.name].weeks or (0.0,)
            if extra := set(arm.placebo_weeks) - set(given):
                raise ValueError(f"arms: {arm.name}: nothing is given in week {min(extra):g}")
        return self

    @model_validator(mode="after")
    def _endpoints_at_visits(self) -> Self:
        if late := [one.week for one in self.endpoints if one.week not in self.weeks]:
            raise ValueError(f"endpoints: week {late[0]:g} is not among the visits in weeks")
        return self

    @property
    def groups(self) -> tuple[Arm, ...]:
        """The arms, each with all that it is given."""
        filled: dict[str, Arm] = {}
        for arm in self.arms:
            filled[arm.name] = arm.filled(filled)
        return tuple(filled.values())

    @property
    def reference(self) -> int:
        """Number of the arm that others are compared with: placebo, or the first one."""
        return next((number for number, arm in enumerate(self.groups) if arm.dose_u == 0), 0)


def clauses(rule: str) -> list[Clause]:
    """What a rule asks for; empty where it says nothing that can be read."""
    found = _CLAUSE.findall(rule)
    return [(what, sign, float(number), bool(per)) for what, sign, number, per in found]
