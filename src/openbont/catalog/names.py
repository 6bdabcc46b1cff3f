"""Are the names in a patient or a plan known? One table says which catalog answers for a field."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from openbont.catalog.labels import MIDLINE, label_rows
from openbont.catalog.products import product
from openbont.catalog.vocabulary import condition
from openbont.errors import BadInput, UnknownName
from openbont.frozen import Noun
from openbont.patient import Disorder, Goal, PastSession, Patient, Reading
from openbont.plan import Injection, Plan, Session

Place = tuple[str | int, ...]
Lookup = Callable[[str, str], Any]
"""name, place -> the thing; raises BadInput that says the nearest right names."""

DISORDERS = (
    "spasticity.upper_limb",
    "spasticity.lower_limb",
    "migraine.chronic",
    "dystonia.cervical",
    "dystonia.blepharospasm",
    "bladder.overactive",
    "bladder.neurogenic",
    "hyperhidrosis.axillary",
    "facial_lines.glabellar",
    "facial_lines.lateral_canthal",
    "facial_lines.forehead",
    "facial_lines.platysma",
    "sialorrhoea",
    "strabismus",
)

SCALES = (
    "MAS",
    "Ashworth",
    "Tardieu",
    "DAS",
    "GAS",
    "pain",
    "strength",
    "headache_days_28",
    "migraine_days_28",
    "headache_hours_per_day",
    "HIT-6",
    "MSQ",
    "MIDAS",
    "TWSTRS",
    "Tsui",
    "BFMDRS",
    "JRS",
    "HDSS",
    "sweat_mg_5min",
    "urgency_incontinence_3d",
    "incontinence_7d",
    "micturitions_per_day",
    "residual_urine_ml",
    "FWS",
    "DSFS",
)

UNLABELLED = ("deltoid", "teres_major", "masseter")
"""Muscles that are injected although no label row names them."""


def scale(name: str, place: str = "") -> str:
    """The scale called `name`."""
    if name not in SCALES:
        raise UnknownName(place, "scale", name, SCALES)
    return name


def structure(name: str, place: str = "") -> str:
    """The structure called `name`, with its side unless it lies in the midline."""
    if name in structures():
        return name
    bare, _, side = name.partition(".")
    if side and bare in structures():
        raise BadInput(place, f"{bare} lies in the midline", f"write {bare}")
    if f"{name}.left" in structures():
        raise BadInput(place, f"{name} needs its side", f"write {name}.left or {name}.right")
    raise UnknownName(place, "structure", name, structures())


@cache
def structures() -> frozenset[str]:
    """Every structure that may be injected, with its side."""
    named = {one for row in label_rows() for one in row.structures}.union(UNLABELLED)
    sided = {f"{one}.{side}" for one in named - MIDLINE for side in ("left", "right")}
    return frozenset(sided | (named & MIDLINE))


def disorder(name: str, place: str = "") -> str:
    """The disorder called `name`."""
    if name not in DISORDERS:
        raise UnknownName(place, "disorder", name, DISORDERS)
    return name


LOOKUPS: dict[tuple[type[Noun], str], Lookup] = {
    (Disorder, "name"): disorder,
    (Plan, "disorder"): disorder,
    (PastSession, "disorder"): disorder,
    (Session, "product"): product,
    (PastSession, "product"): product,
    (Injection, "structure"): structure,
    (Patient, "infected"): structure,
    (Reading, "scale"): scale,
    (Goal, "scale"): scale,
    (Patient, "conditions"): condition,
}


def wrong_names(noun: Noun, where: Callable[[Place], str]) -> dict[Place, BadInput]:
    """Every name in `noun` that no catalog knows; `where` writes a place for the reader."""
    wrong: dict[Place, BadInput] = {}
    for place, name, lookup in _names(noun, ()):
        try:
            lookup(name, where(place))
        except BadInput as mistake:
            wrong[place] = mistake
    return wrong


def _names(noun: Noun, place: Place) -> Iterator[tuple[Place, str, Lookup]]:
    """Each name that stands in a field of the table."""
    for field in type(noun).model_fields:
        lookup = LOOKUPS.get((type(noun), field))
        for at, value in _items(getattr(noun, field), (*place, field)):
            if isinstance(value, Noun):
                yield from _names(value, at)
            elif lookup:
                yield at, value, lookup


def _items(value: Any, place: Place) -> list[tuple[Place, Any]]:
    """The values of a field, each with its place."""
    if isinstance(value, tuple):
        return [((*place, n), item) for n, item in enumerate(value)]
    return [(place, value)]
