"""What could be read out of another clinic's record."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from openbont.catalog.names import NOT_STATED
from openbont.clinic.nouns import NotCounted, OutsideSession
from openbont.errors import BadInput
from openbont.patient import PastSession, Patient
from openbont.plan import Injection

LONGEST = 4_000
"""Characters of one thing that was not understood, as far as they are kept."""


@dataclass(frozen=True)
class Given:
    """One amount of one product, as a row or a resource says it."""

    date: date
    product: str
    units: Decimal
    clinic: str
    disorder: str = NOT_STATED
    structure: str | None = None
    sites: int = 1
    volume_ml: float | None = None


@dataclass
class Outside:
    """A record as it is read."""

    source: str
    given: list[Given] = field(default_factory=list)
    not_counted: list[str] = field(default_factory=list)
    """May be toxin; word for word."""
    not_understood: list[str] = field(default_factory=list)
    """All else that was left aside; word for word."""
    patients: set[str] = field(default_factory=set)
    """Numbers or names of the people it speaks of."""
    born: set[date] = field(default_factory=set)
    sexes: set[str] = field(default_factory=set)

    @property
    def sessions(self) -> tuple[PastSession, ...]:
        """One for each day, product, clinic and disorder, earliest first."""
        groups: dict[tuple[date, str, str, str], list[Given]] = {}
        for one in self.given:
            key = (one.date, one.product, one.clinic, one.disorder)
            groups.setdefault(key, []).append(one)
        return tuple(_session(groups[key]) for key in sorted(groups))

    def nouns(self) -> tuple[OutsideSession | NotCounted, ...]:
        """What is kept of it in the records."""
        left = tuple(words[:LONGEST] for words in self.not_understood)
        read = tuple(
            OutsideSession(session=one, source=self.source, not_understood=left)
            for one in self.sessions
        )
        if not self.not_counted:
            return read
        return (
            *read,
            NotCounted(
                source=self.source, words=tuple(words[:LONGEST] for words in self.not_counted)
            ),
        )

    def of(self, patient: Patient) -> "Outside":
        """The same record, refused when it speaks of somebody else."""
        if len(self.patients) > 1 or len(self.born) > 1 or len(self.sexes) > 1:
            who = ", ".join(sorted(self.patients)) or "several"
            raise BadInput(self.source, f"speaks of more than one person ({who})", "one at a time")
        sex = next(iter(self.sexes), patient.sex)
        if {sex, patient.sex} == {"female", "male"}:
            self._refuse(patient, f"sex is {sex}, the patient's {patient.sex}")
        for born in self.born:
            years = (patient.date - born).days / 365.25
            if abs(years - patient.age_years) > 1.01:
                said = f"born {born}, {years:.0f} years old on {patient.date}; the patient is "
                self._refuse(patient, f"{said}{patient.age_years:g}")
        for one in self.given:
            if (patient.date - one.date).days / 365.25 > patient.age_years + 1.01:
                self._refuse(patient, f"{one.units} U on {one.date}, before the birth")
        return self

    def _refuse(self, patient: Patient, why: str) -> None:
        raise BadInput(self.source, f"not of {patient.id}: {why}", "give this patient's record")


def _session(given: Iterable[Given]) -> PastSession:
    """One session; by structure only where every structure is known."""
    given = list(given)
    first = given[0]
    known = all(one.structure for one in given)
    injections = tuple(
        Injection(
            structure=one.structure or "",
            dose_u=float(one.units),
            sites=one.sites,
            volume_ml=one.volume_ml,
        )
        for one in given
        if known
    )
    return PastSession(
        date=first.date,
        clinic=first.clinic,
        product=first.product,
        disorder=first.disorder,
        total_u=float(sum(one.units for one in given)),
        injections=injections,
    )
