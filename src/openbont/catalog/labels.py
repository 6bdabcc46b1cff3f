"""What labels say, one row a dose, and the rows that hold for one patient.

A row's `dose_min` and `dose_max` mean nothing without its `dose_basis` and `side_rule`:
`range_u` applies the first, `side_share` the second. Rows of two jurisdictions are never merged.
"""

import csv
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from openbont.errors import NoEvidence, UnknownName
from openbont.evidence import Source
from openbont.frozen import Many, Name, Noun
from openbont.patient import Patient

Kind = Literal["muscle", "limb", "session", "cap", "extra", "caution", "descriptive"]
SideRule = Literal["per_side", "both_sides_total", "midline", "limb", "total"]
DoseRole = Literal["range", "fixed", "initial", "described"]
DoseBasis = Literal["U", "U_per_kg", "U_per_site", "percent_of_total"]
JURISDICTIONS = ("US", "EU", "IL")
MIDLINE = frozenset({"procerus", "detrusor", "bladder_neck", "pharyngeal_constrictors"})
"""Structures without a left and a right."""

Number = Annotated[float | None, BeforeValidator(lambda text: float(text) if text else None)]
Count = Annotated[int | None, BeforeValidator(lambda text: int(text) if text else None)]
Words = Annotated[Many[str], BeforeValidator(lambda text: tuple(filter(None, text.split("|"))))]
Counts = Annotated[
    Many[int], BeforeValidator(lambda text: tuple(int(n) for n in text.split("|") if n))
]
Numbers = Annotated[
    Many[float], BeforeValidator(lambda text: tuple(float(n) for n in text.split("|") if n))
]
YesNo = Annotated[bool, BeforeValidator(lambda text: {"yes": True, "no": False}[text])]


class LabelRow(Noun):
    """One dose of one label."""

    id: Name
    product: Name
    brand: Name
    disorder: Words
    """Disorders it holds for; "any" is every use of the product."""
    population: Literal["adult", "child", "both"]
    age_min: Number
    age_below: Number
    weight_min_kg: Number
    weight_below_kg: Number
    requires: str
    """What the label also asks of the patient, for instance self_catheterising."""
    jurisdiction: Words
    kind: Kind
    """extra: added by pain in trials and the EU; caution: a total to stay under;
    descriptive: what a trial injected, never a limit and never advice."""
    structures: Words
    sites_each: Counts
    """Sites of each of `structures`, both sides together, where the dose is shared by sites."""
    side_rule: SideRule
    dose_role: DoseRole
    """initial: a first dose, later ones go up to `dose_cap_u`; described: not a limit."""
    dose_basis: DoseBasis
    dose_min: Number
    dose_max: Number
    dose_cap_u: Number
    """Most units whatever the weight, or at later treatments."""
    sites_min: Count
    sites_max: Count
    site_max_u: Number
    site_max_ml: Number
    limb_max_u: Number
    limb_max_u_per_kg: Number
    session_max_u: Number
    session_max_u_per_kg: Number
    rolling_max_u: Number
    rolling_max_u_per_kg: Number
    rolling_days: Count
    retreat_min_weeks: Number
    dilution_u_per_ml: Numbers
    verified: YesNo
    unverified_fields: Words
    """The fields that were recalled, when not the whole row was."""
    source: str
    address: str
    note: str

    def read(self, *fields: str) -> bool:
        """True when all of `fields` were read in a source."""
        if not self.unverified_fields:
            return self.verified
        return not set(fields) & set(self.unverified_fields)

    def cite(self, *fields: str) -> Source:
        """The source of `fields`; unverified when one of them was recalled."""
        where = "/".join(self.jurisdiction)
        read = self.read(*fields)
        return Source(
            id=f"label:{self.id}" if read else f"label:{self.id}:recalled",
            text=f"{self.brand} label, {where}: {self.source}",
            address=self.address,
            verified=read,
        )

    def range_u(self, weight_kg: float) -> tuple[float | None, float | None]:
        """Least and most units for a patient of this weight; None where not stated."""
        if self.dose_role == "described" or self.kind == "descriptive":
            return None, None
        factor = self._factor(weight_kg)
        least = None if self.dose_min is None else self.dose_min * factor
        most = None if self.dose_max is None else self.dose_max * factor
        cap = self.dose_cap_u
        if self.dose_role == "initial":
            return None, cap
        if cap is None:
            return least, most
        return (None if least is None else min(least, cap)), min(most or cap, cap)

    def start_u(self, weight_kg: float) -> float | None:
        """Most units of a first treatment, where later ones may be higher."""
        if self.dose_role != "initial" or self.dose_max is None:
            return None
        return self.dose_max * self._factor(weight_kg)

    def side_share(self, structure: str) -> float:
        """Share of this row's dose that one side of `structure` may take."""
        sides = 1 if structure in MIDLINE or self.side_rule != "both_sides_total" else 2
        if not self.sites_each:
            return 1 / sides
        return self.sites_each[self.structures.index(structure)] / sum(self.sites_each) / sides

    def holds_for(self, patient: Patient) -> bool:
        """True when the patient's age and weight lie inside the row."""
        return _inside(self.age_min, patient.age_years, self.age_below) and _inside(
            self.weight_min_kg, patient.weight_kg, self.weight_below_kg
        )

    def _factor(self, weight_kg: float) -> float:
        if self.dose_basis == "percent_of_total":
            raise NoEvidence(f"{self.id} says how a trial divided its dose, not how much to give")
        factors = {"U": 1.0, "U_per_kg": weight_kg, "U_per_site": float(self.sites_max or 1)}
        return factors[self.dose_basis]


def _inside(low: float | None, value: float, below: float | None) -> bool:
    return (low is None or value >= low) and (below is None or value < below)


@cache
def label_rows() -> tuple[LabelRow, ...]:
    """Every row of labels.csv."""
    text = files("openbont.catalog").joinpath("labels.csv").read_text("utf-8")
    return tuple(_row(row) for row in csv.DictReader(text.splitlines()))


def _row(row: dict[str, Any]) -> LabelRow:
    return LabelRow.model_validate(row)


def label_row(name: str) -> LabelRow:
    """The row with this id."""
    return next(row for row in label_rows() if row.id == name)


def rows_for(
    product: str, disorder: str, patient: Patient, jurisdiction: str = "US"
) -> tuple[LabelRow, ...]:
    """Rows that may limit a dose: of `jurisdiction`, or of the first other one that has any."""
    rows = [row for row in _about(product, disorder) if row.holds_for(patient)]
    for wanted in _order(jurisdiction):
        chosen = tuple(row for row in rows if wanted in row.jurisdiction)
        if chosen:
            return chosen
    return ()


def jurisdiction_of(rows: Iterable[LabelRow], asked: str) -> str:
    """Where `rows`, chosen for `asked`, come from; `asked` when there are none."""
    rows = tuple(rows)
    for one in _order(asked):
        if rows and all(one in row.jurisdiction for row in rows):
            return one
    return asked


def labelled(product: str, disorder: str) -> tuple[LabelRow, ...]:
    """Rows of a product for a disorder at any age, weight and place; empty when off label."""
    return tuple(_about(product, disorder))


def extras_for(product: str, disorder: str, patient: Patient) -> tuple[LabelRow, ...]:
    """Doses that trials and the EU label add where the pain is; not in the US label."""
    rows = _of(product, disorder, "extra")
    return tuple(row for row in rows if row.holds_for(patient))


def cautions_for(product: str, disorder: str) -> tuple[LabelRow, ...]:
    """Totals that a label advises to stay under."""
    return tuple(_of(product, disorder, "caution"))


def described_for(product: str, disorder: str) -> tuple[LabelRow, ...]:
    """What trials gave: by muscle, in units or as a share of all, and in all."""
    rows = _of(product, disorder, "descriptive", "session")
    return tuple(row for row in rows if row.dose_role == "described")


def caps_for(product: str, patient: Patient) -> tuple[LabelRow, ...]:
    """Caps over all uses of a product in about three months."""
    return tuple(row for row in _of(product, "any", "cap") if row.holds_for(patient))


def _about(product: str, disorder: str) -> list[LabelRow]:
    return _of(product, disorder, "muscle", "limb", "session")


def _of(product: str, disorder: str, *kinds: Kind) -> list[LabelRow]:
    return [
        row
        for row in label_rows()
        if row.product == product and disorder in row.disorder and row.kind in kinds
    ]


def _order(jurisdiction: str) -> list[str]:
    if jurisdiction not in JURISDICTIONS:
        raise UnknownName("jurisdiction", "jurisdiction", jurisdiction, JURISDICTIONS)
    return [jurisdiction, *(one for one in JURISDICTIONS if one != jurisdiction)]
