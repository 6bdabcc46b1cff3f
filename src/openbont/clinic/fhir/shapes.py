"""Is a Bundle shaped as it must be? Elements, how often, types, required codes, references."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from openbont.clinic.fhir.codes import OWN
from openbont.clinic.fhir.units import Json

EXTENSION = f"{OWN}/StructureDefinition/"
ALWAYS = {"resourceType", "id", "extension"}
ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
INVARIANTS = {
    "Dosage.dose": "mad-1: a dosage tells its dose",
    "Ratio.denominator": "rat-1: numerator and denominator come together",
    "Ratio.numerator": "rat-1: numerator and denominator come together",
}


class Index:
    """The resources of a Bundle by their names."""

    def __init__(self, bundle: Json) -> None:
        self.entries: list[tuple[str, Json]] = [
            (str(one.get("fullUrl")), one["resource"])
            for one in bundle["entry"]
            if isinstance(one, Mapping) and isinstance(one.get("resource"), dict)
        ]
        self.by_url = dict(self.entries)

    def of(self, kind: str) -> list[Json]:
        """All resources of a kind, in order."""
        return [one for _, one in self.entries if one.get("resourceType") == kind]

    def to(self, reference: Any) -> Json:
        """What a reference leads to; empty where it leads nowhere."""
        name = reference.get("reference") if isinstance(reference, Mapping) else None
        return self.by_url.get(str(name), {})


def misshapen(bundle: Any) -> list[str]:
    """Everything about the shape of a Bundle that is wrong, each with its place."""
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        return ["Bundle: not a FHIR Bundle"]
    if not isinstance(bundle.get("entry"), list):
        return ["Bundle.entry: missing"]
    index = Index(bundle)
    wrong = list(_object("Bundle", bundle, "Bundle", index))
    names = [name for name, _ in index.entries]
    wrong += [
        f"Bundle.entry: {name} stands twice"
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    return wrong


def _object(shape: str, found: Any, place: str, index: Index) -> Iterator[str]:
    """One object against its shape."""
    if not isinstance(found, dict):
        yield f"{place}: an object is needed, not {found!r}"
        return
    elements = shapes()[shape]
    for name in found.keys() - elements.keys() - ALWAYS:
        yield f"{place}.{name}: unknown element"
    if "id" in found and not (isinstance(found["id"], str) and ID.fullmatch(found["id"])):
        yield f"{place}.id: not an id ({found['id']!r})"
    for name, rule in elements.items():
        often, kind, more = rule
        why = INVARIANTS.get(f"{shape}.{name}", "")
        yield from _element(f"{place}.{name}", found.get(name), often, (kind, more), index, why)
    listed = _listed(found.get("extension", []))
    for n, extension in enumerate(listed):
        yield from _extension(f"{place}.extension[{n}]", extension, index)
    there = {str(one.get("url")) for one in listed if isinstance(one, dict)}
    for name in _file()["needed"].get(shape, ()):
        if f"{EXTENSION}{name}" not in there:
            yield f"{place}.extension: {name} is missing"


def _element(
    place: str, value: Any, often: str, rule: tuple[str, str], index: Index, why: str
) -> Iterator[str]:
    """One element: missing, too often, or wrong in itself."""
    many = often.endswith(("*", "[]"))
    if value is None:
        if not often.startswith("0"):
            yield f"{place}: missing" + (f" ({why})" if why else "")
        return
    if many != isinstance(value, list):
        yield f"{place}: {'a list' if many else 'one value, not a list,'} is needed"
        return
    items = value if many else [value]
    if not items or (not often.endswith("*") and len(items) > 1):
        yield f"{place}: {len(items)} given, {often.removesuffix('[]')} needed"
    for n, item in enumerate(items):
        yield from _value(f"{place}[{n}]" if many else place, item, *rule, index)


def _value(place: str, value: Any, kind: str, more: str, index: Index) -> Iterator[str]:
    if kind == "resource":
        yield from _resource(place, value, index)
    elif kind == "Reference":
        yield from _reference(place, value, more, index)
    elif kind in shapes():
        yield from _object(kind, value, place, index)
    elif kind == "code":
        if value not in more.split("|"):
            yield f"{place}: {value!r} is not one of {more.replace('|', ', ')}"
    elif not _is(kind, value):
        yield f"{place}: not {'an' if kind[0] in 'aei' else 'a'} {kind} ({value!r})"


def _resource(place: str, value: Any, index: Index) -> Iterator[str]:
    kind = value.get("resourceType") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in RESOURCES:
        yield f"{place}: unknown kind of resource {kind!r}"
        return
    if "id" not in value:
        yield f"{place}.id: missing"
    yield from _object(kind, value, kind + place.removeprefix("Bundle.entry"), index)


def _reference(place: str, value: Any, kinds: str, index: Index) -> Iterator[str]:
    if not isinstance(value, dict) or value.keys() != {"reference"}:
        yield f"{place}: a reference is needed, not {value!r}"
        return
    target = index.to(value)
    if not target:
        yield f"{place}: leads nowhere ({value['reference']})"
    elif target.get("resourceType") not in kinds.split("|"):
        right = kinds.replace("|", " or ")
        yield f"{place}: leads to a {target.get('resourceType')}, not a {right}"


def _extension(place: str, value: Any, index: Index) -> Iterator[str]:
    url = value.get("url") if isinstance(value, dict) else None
    known = extensions().get(str(url).removeprefix(EXTENSION)) if url else None
    if known is None or not str(url).startswith(EXTENSION):
        yield f"{place}: unknown extension ({url!r})"
    elif isinstance(known, str):
        yield from _extended(place, value, known, index)
    else:
        parts = _listed(value.get("extension", []))
        names = [part.get("url") for part in parts if isinstance(part, dict)]
        if sorted(map(str, names)) != sorted(known) or value.keys() != {"url", "extension"}:
            yield f"{place}: parts {names}, not {list(known)}"
            return
        for part in parts:
            yield from _extended(f"{place}.{part['url']}", part, known[part["url"]], index)


def _extended(place: str, value: Json, known: str, index: Index) -> Iterator[str]:
    """The one value of an extension."""
    kind, _, more = known.partition(" ")
    if value.keys() != {"url", f"value{kind}"}:
        yield f"{place}: value{kind} alone is needed"
        return
    type_ = kind if kind in shapes() or kind == "Reference" else kind[0].lower() + kind[1:]
    yield from _value(place, value[f"value{kind}"], type_, more, index)


def _is(kind: str, value: Any) -> bool:
    """Whether a value is of a primitive type."""
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "decimal":
        number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        return number and Decimal(str(value)).is_finite()
    if not isinstance(value, str) or not value.strip():
        return False
    if kind in ("uri", "token"):
        return not re.search(r"\s" if kind == "uri" else r"^\s|\s\s|\s$", value)
    return kind == "string" or _is_time(kind, value)


def _is_time(kind: str, value: str) -> bool:
    day = DAY.fullmatch(value) and kind in ("date", "dateTime")
    time = TIME.fullmatch(value) and kind in ("dateTime", "instant")
    try:
        if day:
            date.fromisoformat(value)
        elif time:
            datetime.fromisoformat(value)
    except ValueError:
        return False
    return bool(day or time)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@cache
def shapes() -> dict[str, dict[str, tuple[str, str, str]]]:
    """Shape -> element -> how often, type, and codes or kinds that it may hold."""
    found = {}
    for shape, elements in _file().items():
        if shape not in ("extensions", "needed"):
            rules = {name: f"{rule}  ".split(" ", 2) for name, rule in elements.items()}
            found[shape] = {name: (r[0], r[1], r[2].strip()) for name, r in rules.items()}
    return found


@cache
def extensions() -> dict[str, Any]:
    """Extension -> what it holds."""
    return dict(_file()["extensions"])


@cache
def _file() -> dict[str, Any]:
    text = files("openbont.clinic.fhir").joinpath("shapes.yaml").read_text("utf-8")
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return found


RESOURCES = {
    *("Patient", "Condition", "CarePlan", "MedicationRequest", "Procedure", "Observation"),
    *("MedicationAdministration", "Medication", "BodyStructure", "AdverseEvent"),
    *("RiskAssessment", "Provenance"),
}
