"""What is to be injected: Injection, Session, Plan."""

import datetime
from typing import Annotated, Self

from pydantic import Field, model_validator

from openbont.frozen import Many, Name, NonNegative, Noun, Positive
from openbont.product import Dose


class Injection(Noun):
    """The dose for one structure, shared equally among its sites."""

    structure: Name
    """Muscle, gland or layer with its side, for instance flexor_carpi_radialis.left."""
    dose_u: NonNegative
    """Units of the session's product, all sites of this structure together."""
    sites: Annotated[int, Field(ge=1, le=60)] = 1
    """Number of needle sites, spread over the end-plate zone."""
    volume_ml: Positive | None = None
    """Volume of all sites together; by default dose / dilution of the session."""
    site_mm: Annotated[Many[float], Field(min_length=3, max_length=3)] | None = None
    """One exact place instead of the end-plate zone: along, across, deep from the centre."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.site_mm is not None and self.sites != 1:
            raise ValueError("site_mm names one place: write sites: 1, one entry for each place")
        return self

    @property
    def site_dose_u(self) -> float:
        """Units at each site."""
        return self.dose_u / self.sites


class Session(Noun):
    """One visit at which one product is injected."""

    product: Name
    injections: Annotated[Many[Injection], Field(min_length=1)]
    day: int = 0
    """Days after the plan's date."""
    dilution_u_per_ml: Positive
    """Units in each mL of the reconstituted product."""

    @property
    def dose(self) -> Dose:
        """All units of this session."""
        return Dose(sum(injection.dose_u for injection in self.injections), self.product)

    def volume_ml(self, injection: Injection) -> float:
        """mL for all sites of `injection`."""
        return injection.volume_ml or injection.dose_u / self.dilution_u_per_ml

    def untreated(self) -> "Session":
        """The same session with every dose 0."""
        return self.model_copy(update={"injections": tuple(map(_emptied, self.injections))})

    @model_validator(mode="after")
    def _volumes_agree(self) -> Self:
        for injection in self.injections:
            if injection.volume_ml is None:
                continue
            expected_ml = injection.dose_u / self.dilution_u_per_ml
            if abs(injection.volume_ml - expected_ml) > 0.02 * max(expected_ml, 0.05):
                raise ValueError(
                    f"{injection.structure}: {injection.dose_u:g} U at "
                    f"{self.dilution_u_per_ml:g} U/mL are {expected_ml:.3g} mL, "
                    f"not {injection.volume_ml:g} mL"
                )
        return self


class Plan(Noun):
    """Sessions for one patient and one disorder."""

    patient: Name
    """The patient's id."""
    disorder: Name
    """What is treated, for instance spasticity.upper_limb."""
    date: datetime.date
    """Calendar date of day 0."""
    sessions: Annotated[Many[Session], Field(min_length=1)]
    note: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        days = [session.day for session in self.sessions]
        if days != sorted(days):
            raise ValueError("sessions must be in order of day")
        return self

    def untreated(self) -> "Plan":
        """The same plan with every dose 0: the course without toxin."""
        sessions = tuple(session.untreated() for session in self.sessions)
        return self.model_copy(update={"sessions": sessions})

    def date_of(self, session: Session) -> datetime.date:
        """Calendar date of a session."""
        return self.date + datetime.timedelta(days=session.day)

    def totals(self) -> dict[str, Dose]:
        """Units by product; products are never added together."""
        totals: dict[str, Dose] = {}
        for session in self.sessions:
            held = totals.get(session.product, Dose(0.0, session.product))
            totals[session.product] = held + session.dose
        return totals


def _emptied(injection: Injection) -> Injection:
    return injection.model_copy(update={"dose_u": 0.0, "volume_ml": None})
