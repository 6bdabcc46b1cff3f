"""Are the names in a patient or a plan known? One table says which catalog answers for a field."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from typing import Any

from openbont.catalog.labels import MIDLINE, label_rows
from openbont.catalog.movements import functions
from openbont.catalog.muscles import SIDES, base, layers, muscles
from openbont.catalog.overview import disorders
from openbont.catalog.products import product
from openbont.catalog.scales import number, scale, scales
from openbont.catalog.vocabulary import condition
from openbont.design import Arm, Criterion, Endpoint
from openbont.errors import BadInput, UnknownName
from openbont.frozen import Noun
from openbont.patient import Disorder, Goal, Keep, PastSession, Patient, Reading
from openbont.plan import Injection, Plan, Session

Place = tuple[str | int, ...]
Lookup = Callable[[Any, str], Any]
"""name, place -> the thing; raises BadInput that says the nearest right names."""
Lookups = Mapping[tuple[type[Noun], str], Lookup]
"""noun, field -> which catalog answers for it"""

SPASTIC_CAUSES = (
    "stroke",
    "multiple sclerosis",
    "brain trauma",
    "spinal cord injury",
    "tumour",
    "hypoxia",
    "aneurysm",
    "cerebral palsy",
)
NOT_STATED = "not stated"
"""What was treated in an earlier session whose record does not say it."""
CAUSES = (*SPASTIC_CAUSES, "amyotrophic lateral sclerosis")
"""Causes of spasticity; for the last one every plan is stopped."""


def structure(name: str, place: str = "") -> str:
    """The structure called `name`, with its side unless it lies in the midline."""
    if name in structures():
        return name
    if base(name) in structures():
        raise BadInput(place, f"{base(name)} lies in the midline", f"write {base(name)}")
    if f"{name}.left" in structures():
        raise BadInput(place, f"{name} needs its side", f"write {name}.left or {name}.right")
    raise UnknownName(place, "structure", name, structures())


@cache
def structures() -> frozenset[str]:
    """Every structure that may be injected, with its side."""
    named = {one for row in label_rows() for one in row.structures} | {*muscles(), *layers()}
    return frozenset(_sided(named - MIDLINE) | (named & MIDLINE))


def function(name: str, place: str = "") -> str:
    """The function whose strength may be kept, with its side unless it lies in the midline."""
    midline = {group.id for group in functions().values() if group.midline}
    known = _sided(functions().keys() - midline) | midline
    if name not in known:
        raise UnknownName(place, "function", name, known)
    return name


def cause(name: str, place: str = "") -> str:
    """The cause of spasticity called `name`; empty where not known."""
    if name and name not in CAUSES:
        raise UnknownName(place, "cause", name, CAUSES)
    return name


def _sided(names: Iterable[str]) -> set[str]:
    return {f"{name}.{side}" for name in names for side in SIDES}


def disorder(name: str, place: str = "") -> str:
    """The disorder called `name`."""
    if name not in disorders():
        raise UnknownName(place, "disorder", name, disorders())
    return name


def treated(name: str, place: str = "") -> str:
    """What an earlier session treated, or that its record does not say it."""
    return name if name == NOT_STATED else disorder(name, place)


LOOKUPS: Lookups = {
    (Disorder, "name"): disorder,
    (Plan, "disorder"): disorder,
    (PastSession, "disorder"): treated,
    (Session, "product"): product,
    (PastSession, "product"): product,
    (Injection, "structure"): structure,
    (Patient, "infected"): structure,
    (Reading, "scale"): scale,
    (Goal, "scale"): scale,
    (Keep, "function"): function,
    (Patient, "conditions"): condition,
    (Criterion, "scale"): scale,
    (Endpoint, "scale"): scale,
    (Arm, "product"): product,
}


def wrong_names(
    noun: Noun, where: Callable[[Place], str], lookups: Lookups = LOOKUPS
) -> dict[Place, BadInput]:
    """Every name in `noun` that no catalog knows; `where` writes a place for the reader."""
    wrong: dict[Place, BadInput] = {}
    for place, name, lookup in _names(noun, (), lookups):
        try:
            lookup(name, where(place))
        except BadInput as mistake:
            wrong[place] = mistake
    return wrong


def _names(noun: Noun, place: Place, lookups: Lookups) -> Iterator[tuple[Place, Any, Lookup]]:
    """Each name that stands in a field of the table, and each value that another name rules."""
    for field in type(noun).model_fields:
        lookup = lookups.get((type(noun), field)) or _ruled(noun, field)
        for at, value in _items(getattr(noun, field), (*place, field)):
            if isinstance(value, Noun):
                yield from _names(value, at, lookups)
            elif lookup and value not in (None, ""):
                yield at, value, lookup


def _ruled(noun: Noun, field: str) -> Lookup | None:
    """The lookup of a field whose meaning hangs on another: a reading on its scale."""
    if isinstance(noun, Reading | Goal) and field in {"value", "at_most", "at_least"}:
        return partial(number, noun.scale) if noun.scale in scales() else None
    spastic = isinstance(noun, Disorder) and noun.name.startswith("spasticity.")
    return cause if spastic and field == "cause" else None


def _items(value: Any, place: Place) -> list[tuple[Place, Any]]:
    """The values of a field, each with its place."""
    if isinstance(value, tuple):
        return [((*place, n), item) for n, item in enumerate(value)]
    return [(place, value)]
