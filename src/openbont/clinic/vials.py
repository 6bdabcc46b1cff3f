"""Vials on the shelf: which to open for a patient, until when, and what is billed.

A vial is for one patient: units left in it may go into another session of that patient while the
label still allows its use, and are waste otherwise. given + wasted + remaining = units, always.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from openbont.catalog.billing import billing_codes
from openbont.catalog.products import product
from openbont.catalog.vials import least_waste
from openbont.clinic.nouns import Draw, Vial
from openbont.errors import BadInput
from openbont.evidence import Source


@dataclass(frozen=True)
class Billed:
    """Lines for a payer: whole billing units, given rounded up and discarded rounded down."""

    product: str
    code: str
    given: int
    discarded: int
    """With the modifier JW; 0 stands for the modifier JZ on the line of what was given."""
    sources: tuple[Source, ...]

    def lines(self) -> list[tuple[str, str, int]]:
        """Code, modifier and billing units of each line."""
        if not self.discarded:
            return [(self.code, "JZ", self.given)]
        return [(self.code, "", self.given), (self.code, "JW", self.discarded)]


def choose(
    need_u: Decimal, name: str, stock: Sequence[Vial], at: datetime, own: Collection[str] = ()
) -> tuple[Draw, ...]:
    """Draws with the least waste: first what is open for this patient, then vials of `stock`.

    `own` are the keys of the patient's sessions; an opened vial that served any other is left out.
    """
    there = [vial for vial in stock if vial.remaining > 0 and _fit(vial, name, at, own)]
    draws: list[Draw] = []
    for vial in sorted(there, key=lambda vial: (vial.expiry, vial.id)):
        if vial.opened and need_u > 0:
            draws.append(Draw(vial=vial.id, units=min(need_u, vial.remaining)))
            need_u -= draws[-1].units
    return (*draws, *_closed(need_u, name, [vial for vial in there if not vial.opened]))


def discard_by(vial: Vial) -> datetime | None:
    """When an opened vial must be used up; None where it is closed or its label was not read."""
    hours = product(vial.product).use_within_h
    return vial.opened + timedelta(hours=hours) if vial.opened and hours else None


def billed(vials: Iterable[Vial], own: Collection[str] = ()) -> Billed | None:
    """What a payer counts for the vials of one patient and day; None without a code that was read.

    Every vial must be used up: what is left in one has to be given or thrown away first. `own` are
    the keys of the sessions; by default the vials may have served only one.
    """
    vials = list(vials)
    served = {one.session for vial in vials for one in vial.taken}
    if len(served) > 1 and not served <= set(own):
        problem = f"the vials served several sessions ({', '.join(sorted(served))})"
        raise BadInput("billing", problem, "a vial is for one patient: bill by hand")
    names = sorted({vial.product for vial in vials})
    if len(names) != 1:
        raise BadInput("billing", f"one product is needed, not {names}", "bill each by itself")
    for vial in vials:
        if vial.remaining:
            way_out = "record the waste first"
            raise BadInput(f"vial {vial.id}", f"{vial.remaining} U are still in it", way_out)
    code = billing_codes().get(names[0])
    if code is None:
        return None
    given_u = sum((one.units for vial in vials for one in vial.taken), Decimal(0))
    wasted_u = sum((one.units for vial in vials for one in vial.wasted), Decimal(0))
    given, discarded = math.ceil(given_u / code.units), math.floor(wasted_u / code.units)
    return Billed(names[0], code.code, given, discarded, code.sources)


def _fit(vial: Vial, name: str, at: datetime, own: Collection[str]) -> bool:
    """Whether a vial may be used for this patient now."""
    if vial.product != name or vial.expiry < at.date():
        return False
    if not vial.opened:
        return not vial.taken
    until = discard_by(vial)
    ours = {one.session for one in vial.taken} <= set(own)
    return bool(vial.taken) and ours and until is not None and at <= until


def _closed(need_u: Decimal, name: str, there: Sequence[Vial]) -> list[Draw]:
    """Draws from closed vials, those that expire first."""
    sizes = {vial.units for vial in there}
    counts = least_waste(
        need_u, {size: sum(vial.units == size for vial in there) for size in sizes}
    )
    if counts is None:
        held = sum((vial.units for vial in there), Decimal(0))
        problem = f"{need_u} U {name} needed, usable vials hold {held} U"
        raise BadInput("vials", problem, "add the vials that are on the shelf")
    draws = []
    for size, count in counts:
        same = sorted((v for v in there if v.units == size), key=lambda v: (v.expiry, v.id))
        for vial in same[:count]:
            draws.append(Draw(vial=vial.id, units=min(need_u, vial.remaining)))
            need_u -= draws[-1].units
    return draws
