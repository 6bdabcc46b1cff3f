"""Which vials to open for a dose: fewest units wasted, then fewest vials.

`given + wasted == opened`, exactly. A vial is for one patient; what is left is discarded.
"""

import math
from collections.abc import Iterator, Mapping
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
    given_u = exact(dose.value_u)
    sizes = {exact(size_u) for size_u in product.vials_u}
    if given_u < 0 or not sizes:
        raise BadInput("vials", f"{dose} from vials of {list(product.vials_u)}")
    counts = least_waste(given_u, {size: math.ceil(given_u / size) for size in sizes})
    assert counts is not None
    opened_u = sum((size * count for size, count in counts), Decimal(0))
    return VialChoice(product.name, counts, given_u, opened_u, opened_u - given_u)


def least_waste(
    need_u: Decimal, there: Mapping[Decimal, int]
) -> tuple[tuple[Decimal, int], ...] | None:
    """Sizes and counts out of `there` that hold `need_u`; None when all of it is not enough."""
    sizes = sorted(there, reverse=True)
    covers = list(_covers(need_u, sizes, there))
    if not covers:
        return None
    best = min(covers, key=lambda counts: (_held(counts, sizes), sum(counts)))
    return tuple((size, count) for size, count in zip(sizes, best, strict=True) if count)


def diluent_ml(vial_u: Decimal, dilution_u_per_ml: float) -> float:
    """Diluent for one vial so that each mL holds `dilution_u_per_ml`."""
    return float(vial_u) / dilution_u_per_ml


def exact(units: float) -> Decimal:
    """Units as a decimal number, rid of the dust that adding floats leaves."""
    return Decimal(f"{units:.6f}".rstrip("0").rstrip("."))


def _covers(
    need_u: Decimal, sizes: list[Decimal], there: Mapping[Decimal, int]
) -> Iterator[tuple[int, ...]]:
    """Every choice that holds `need_u` and needs all of its smallest vials; sizes descend."""
    if not sizes:
        if need_u <= 0:
            yield ()
        return
    size, *smaller = sizes
    enough = max(0, math.ceil(need_u / size))
    fewest = enough if not smaller else 0
    for count in range(fewest, min(enough, there[size]) + 1):
        for rest in _covers(need_u - count * size, smaller, there):
            yield (count, *rest)


def _held(counts: tuple[int, ...], sizes: list[Decimal]) -> Decimal:
    return sum((count * size for count, size in zip(counts, sizes, strict=True)), Decimal(0))
