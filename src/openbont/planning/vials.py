"""Which vials to open for a session's dose: fewest units wasted, then fewest vials.

`given + wasted == opened`, exactly. A vial is for one session; what is left is discarded.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from openbont.errors import BadInput, UnitMismatch
from openbont.product import Dose, Product


@dataclass(frozen=True)
class VialChoice:
    """Vials to open for one dose, and what they leave over."""

    product: str
    counts: tuple[tuple[Decimal, int], ...]
    """Size of the vial in units and how many of it, largest first; no size with a count of 0."""
    given_u: Decimal
    opened_u: Decimal
    wasted_u: Decimal

    @property
    def vials(self) -> int:
        """Number of vials to open."""
        return sum(count for _, count in self.counts)


def vials(dose: Dose, product: Product) -> VialChoice:
    """The vials of `product` that hold `dose` with the fewest units wasted, then fewest vials."""
    if dose.product != product.name:
        raise UnitMismatch(dose.product, product.name)
    given_u = _exact(dose.value_u)
    sizes = sorted({_exact(size_u) for size_u in product.vials_u}, reverse=True)
    if given_u < 0 or not sizes:
        raise BadInput("vials", f"{dose} from vials of {list(product.vials_u)}")
    counts = min(_covers(given_u, sizes), key=lambda counts: (_held(counts, sizes), sum(counts)))
    opened_u = _held(counts, sizes)
    opened = tuple((size, count) for size, count in zip(sizes, counts, strict=True) if count)
    return VialChoice(product.name, opened, given_u, opened_u, opened_u - given_u)


def diluent_ml(vial_u: Decimal, dilution_u_per_ml: float) -> float:
    """Diluent for one vial so that each mL holds `dilution_u_per_ml`."""
    return float(vial_u) / dilution_u_per_ml


def _covers(need_u: Decimal, sizes: list[Decimal]) -> Iterator[tuple[int, ...]]:
    """Every choice that holds `need_u` and needs all of its smallest vials; sizes descend."""
    size, *smaller = sizes
    enough = max(0, math.ceil(need_u / size))
    if not smaller:
        yield (enough,)
        return
    for count in range(enough + 1):
        for rest in _covers(need_u - count * size, smaller):
            yield (count, *rest)


def _held(counts: tuple[int, ...], sizes: list[Decimal]) -> Decimal:
    return sum((count * size for count, size in zip(counts, sizes, strict=True)), Decimal(0))


def _exact(units: float) -> Decimal:
    """Units as a decimal number, rid of the dust that adding floats leaves."""
    return Decimal(f"{units:.6f}".rstrip("0").rstrip("."))
