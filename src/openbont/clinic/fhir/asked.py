"""Questions to a resource of ours: its key, its code, its extensions, its quantities."""

from collections.abc import Iterator
from typing import Any

from openbont.clinic.fhir.codes import OWN
from openbont.clinic.fhir.shapes import EXTENSION, Index
from openbont.clinic.fhir.units import Json


def coded(found: Any, system: str) -> str:
    """The code of one of our own systems in a concept; empty where there is none."""
    wanted = f"{OWN}/{system}"
    codings = found.get("coding", []) if isinstance(found, dict) else []
    return next((str(one["code"]) for one in codings if one["system"] == wanted), "")


def extended(found: Json, name: str) -> list[Any]:
    """Values of one of our extensions; one of several parts is a mapping."""
    return [
        _extended(one) for one in found.get("extension", []) if one["url"] == f"{EXTENSION}{name}"
    ]


def _extended(found: Json) -> Any:
    if "extension" in found:
        return {part["url"]: _extended(part) for part in found["extension"]}
    return next(value for name, value in found.items() if name.startswith("value"))


def key_of(found: Json) -> str:
    """Our key of a resource."""
    listed = found["identifier"]
    names = listed if isinstance(listed, list) else [listed]
    return next((str(one["value"]) for one in names if one["system"] == f"{OWN}/key"), "")


def vials(index: Index) -> list[Json]:
    """Medications that are vials."""
    return [one for one in index.of("Medication") if "amount" in one]


def preparations(index: Index) -> list[Json]:
    """Medications that were drawn up from vials."""
    return [one for one in index.of("Medication") if "ingredient" in one]


def quantities(found: Any, place: str) -> Iterator[tuple[str, Json]]:
    """Every quantity in a resource, with its place."""
    if isinstance(found, dict):
        if not isinstance(found.get("value", ""), str) and set(found) <= _QUANTITY:
            yield place, found
        for name, value in found.items():
            yield from quantities(value, f"{place}.{name}")
    elif isinstance(found, list):
        for n, value in enumerate(found):
            yield from quantities(value, f"{place}[{n}]")


_QUANTITY = {"value", "unit", "system", "code"}
