"""Products and their units. A unit belongs to its product and is never converted."""

from dataclasses import dataclass
from typing import Literal

from openbont.errors import UnitMismatch
from openbont.evidence import Source
from openbont.frozen import Many, Name, Noun, Positive

Serotype = Literal["A", "B", "C", "E", "F"]


class Product(Noun):
    """A botulinum toxin product as sold."""

    name: Name
    """Non-proprietary name, for instance onabotulinumtoxinA."""
    brand: Name
    serotype: Serotype
    vials_u: Many[Positive]
    """Labelled units of the vials on sale."""
    solution_u_per_ml: Positive | None = None
    """Concentration of a ready-to-use solution; None for a powder."""
    complex_kda: float
    neurotoxin_ng_per_100u: float | None = None
    """Mass of the 150 kDa neurotoxin; None where not reliably published."""
    excipients: Many[str] = ()
    albumin: bool
    milk_protein: bool = False
    diluent: str = "0.9 % sodium chloride without preservative"
    use_within_h: float | None = None
    """Hours after reconstitution by the label; None where not known here."""
    sources: Many[Source] = ()


@dataclass(frozen=True, slots=True)
class Dose:
    """Units of one product. Adding or comparing doses of two products raises `UnitMismatch`."""

    value_u: float
    product: str

    def __add__(self, other: "Dose") -> "Dose":
        return Dose(self.value_u + self._same(other), self.product)

    def __sub__(self, other: "Dose") -> "Dose":
        return Dose(self.value_u - self._same(other), self.product)

    def __mul__(self, factor: float) -> "Dose":
        return Dose(self.value_u * factor, self.product)

    __rmul__ = __mul__

    def __lt__(self, other: "Dose") -> bool:
        return self.value_u < self._same(other)

    def __le__(self, other: "Dose") -> bool:
        return self.value_u <= self._same(other)

    def __gt__(self, other: "Dose") -> bool:
        return self.value_u > self._same(other)

    def __ge__(self, other: "Dose") -> bool:
        return self.value_u >= self._same(other)

    def __str__(self) -> str:
        return f"{self.value_u:g} U {self.product}"

    def _same(self, other: "Dose") -> float:
        if not isinstance(other, Dose):
            raise TypeError(f"a dose of {self.product} meets a bare {type(other).__name__}")
        if other.product != self.product:
            raise UnitMismatch(self.product, other.product)
        return other.value_u
