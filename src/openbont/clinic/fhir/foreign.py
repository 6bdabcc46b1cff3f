"""A Bundle of any other system: what it says was given, and all that was not understood."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from openbont.catalog.names import NOT_STATED
from openbont.clinic.fhir.codes import OWN
from openbont.clinic.fhir.rules import refuse
from openbont.clinic.fhir.units import Json, toxin_of
from openbont.clinic.outside import Given, Outside
from openbont.clinic.words import date_in, disorder_in, may_be_toxin, product_in, structure_in
from openbont.errors import BadInput

QUIET = {
    *("Medication", "MedicationRequest", "CarePlan", "Goal", "ServiceRequest", "Consent"),
    *("Condition", "Observation", "AdverseEvent", "AllergyIntolerance", "BodyStructure"),
    *("RiskAssessment", "Provenance", "Organization", "Practitioner", "Location"),
}
"""Kinds that may name a toxin and never tell of its being given."""
STRUCTURES = f"{OWN}/structure"
NOT_GIVEN = ("not-done", "entered-in-error")


def read_bundle(bundle: Json, name: str) -> Outside:
    """What a FHIR R4 Bundle says was given; each MedicationAdministration is counted or listed.

    One that OpenBoNT wrote must also keep its rules.
    """
    if bundle.get("resourceType") != "Bundle" or not isinstance(bundle.get("entry"), list):
        raise BadInput(name, "not a FHIR Bundle with entries", "export a Bundle of one patient")
    identifier = bundle.get("identifier")
    if isinstance(identifier, Mapping) and identifier.get("system") == f"{OWN}/bundle":
        refuse(bundle, name)
    pile = Pile(bundle)
    out = Outside(name)
    for n, entry in enumerate(bundle["entry"]):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("resource"), dict):
            out.not_counted.append(f"entry {n}: {json.dumps(entry, default=str)} (no resource)")
    for resource in pile.resources:
        try:
            _resource(out, pile, resource)
        except (AttributeError, KeyError, TypeError, ArithmeticError):
            out.not_counted.append(_listed(resource, "not shaped as FHIR says"))
    return out


def _resource(out: Outside, pile: "Pile", found: Json) -> None:
    kind = found.get("resourceType")
    if kind == "Patient":
        _who(out, found)
    elif kind == "MedicationAdministration" and not {"modifierExtension", "implicitRules"} & {
        *found
    }:
        _administration(out, pile, found)
    elif kind == "MedicationAdministration":
        out.not_counted.append(_listed(found, "carries a modifier that is not known here"))
    elif kind not in QUIET and may_be_toxin(_words(found)) and not pile.is_parent(found):
        if found.get("status") in NOT_GIVEN:
            out.not_understood.append(_listed(found, f"{found['status']}: not counted"))
        else:
            out.not_counted.append(_listed(found, "no MedicationAdministration tells the dose"))


class Pile:
    """The resources of a Bundle, and what a reference in it means."""

    def __init__(self, bundle: Json) -> None:
        entries = [entry for entry in bundle["entry"] if isinstance(entry, Mapping)]
        self.by_name: dict[str, Json] = {}
        self.resources: list[Json] = []
        for entry in entries:
            resource = entry.get("resource")
            if not isinstance(resource, dict):
                continue
            self.resources.append(resource)
            self.by_name[f"{resource.get('resourceType')}/{resource.get('id')}"] = resource
            if entry.get("fullUrl"):
                self.by_name[str(entry["fullUrl"])] = resource

    def follow(self, source: Json, reference: Any) -> Json:
        """The resource that a reference leads to; empty where it leads nowhere."""
        name = str(reference.get("reference", "")) if isinstance(reference, Mapping) else ""
        if name.startswith("#"):
            inside = source.get("contained", [])
            return next((one for one in inside if one.get("id") == name[1:]), {})
        return self.by_name.get(name) or self.by_name.get("/".join(name.split("/")[-2:]), {})

    def is_parent(self, procedure: Json) -> bool:
        """True when a MedicationAdministration of toxin is part of it, and tells what was given."""
        return any(
            self.follow(one, part) is procedure
            for one in self.resources
            if one.get("resourceType") == "MedicationAdministration"
            and may_be_toxin(_words(one) + _medication(self, one))
            for part in one.get("partOf", [])
        )


def _administration(out: Outside, pile: Pile, found: Json) -> None:
    """Counted, or listed as it stands."""
    medication = _medication(pile, found)
    named = product_in(medication)
    if named is None and medication and not may_be_toxin(_words(found) + medication):
        out.not_understood.append(_listed(found, f"{medication!r} is no product known here"))
        return
    if found.get("status") in NOT_GIVEN:
        out.not_understood.append(_listed(found, f"{found['status']}: not counted"))
        return
    dosage = found.get("dosage", {})
    dose = dosage.get("dose") if isinstance(dosage, Mapping) else None
    units = toxin_of(dose, named) if named else None
    on = _day(found)
    wrong = {
        f"status {found.get('status')!r}": found.get("status") == "completed",
        f"product {medication!r}": named,
        f"dose {json.dumps(dose, default=str)}": units,
        "date": on,
    }
    if on is None or named is None or units is None or not all(wrong.values()):
        said = ", ".join(what for what, understood in wrong.items() if not understood)
        out.not_counted.append(_listed(found, f"not understood: {said}"))
        return
    out.given.append(
        Given(
            date=on,
            product=named,
            units=units,
            clinic=_clinic(pile, found) or f"not stated ({out.source})",
            disorder=_disorder(out, pile, found),
            structure=_structure(out, found),
        )
    )


def _medication(pile: Pile, found: Json) -> str:
    """The product in the words of the record; codes of other systems are not read."""
    concept = found.get("medicationCodeableConcept")
    if concept is None:
        concept = pile.follow(found, found.get("medicationReference")).get("code")
    if concept is None:
        concept = {"text": (found.get("medicationReference") or {}).get("display", "")}
    return _concept(concept)


def _concept(concept: Any) -> str:
    """The text of a concept, or else the words of its codings."""
    if not isinstance(concept, Mapping):
        return ""
    shown = [str(one.get("display", "")) for one in concept.get("coding", [])]
    return str(concept.get("text") or " ".join(filter(None, shown)))


def _day(found: Json) -> Any:
    period = found.get("effectivePeriod") or {}
    said = found.get("effectiveDateTime") or period.get("start") or ""
    return date_in(str(said))


def _parents(pile: Pile, found: Json) -> Iterator[Json]:
    yield found
    yield from filter(None, (pile.follow(found, part) for part in found.get("partOf", [])))


def _clinic(pile: Pile, found: Json) -> str:
    """Who gave it: an organization before a place, before a person."""
    for one in _parents(pile, found):
        for performer in one.get("performer", []):
            if name := _named(pile, one, performer.get("onBehalfOf")):
                return name
        if name := _named(pile, one, one.get("location")):
            return name
    for performer in found.get("performer", []):
        if name := _named(pile, found, performer.get("actor")):
            return name
    return ""


def _named(pile: Pile, source: Json, reference: Any) -> str:
    if not isinstance(reference, Mapping):
        return ""
    name = pile.follow(source, reference).get("name", "")
    return str(reference.get("display") or (name if isinstance(name, str) else ""))[:200]


def _disorder(out: Outside, pile: Pile, found: Json) -> str:
    """What was treated: by our words for it, or by an ICD-10-CM leaf that can mean nothing else."""
    said: list[str] = []
    for one in _parents(pile, found):
        concepts = [*one.get("reasonCode", [])]
        concepts += [
            pile.follow(one, reference).get("code") for reference in one.get("reasonReference", [])
        ]
        for concept in filter(None, concepts):
            codes = [str(coding.get("code", "")) for coding in concept.get("coding", [])]
            said += [_concept(concept), *codes]
    understood = {id_ for id_ in map(disorder_in, said) if id_}
    if len(understood) == 1:
        return understood.pop()
    if said:
        out.not_understood.append(_listed(found, f"reason {said}"))
    return NOT_STATED


def _structure(out: Outside, found: Json) -> str | None:
    concept = found.get("dosage", {}).get("site")
    site = _concept(concept)
    ours = [
        one["code"] for one in (concept or {}).get("coding", []) if one.get("system") == STRUCTURES
    ]
    structure = structure_in(" ".join(ours) or site)
    if site and structure is None:
        out.not_understood.append(_listed(found, f"site {site!r}"))
    return structure


def _who(out: Outside, found: Json) -> None:
    names = [str(one.get("text") or one.get("family", "")) for one in found.get("name", [])]
    out.patients.add(next(filter(None, names), str(found.get("id", "no name"))))
    born = date_in(str(found.get("birthDate", "")))
    if born:
        out.born.add(born)
    elif "birthDate" in found:
        out.not_understood.append(_listed(found, f"birthDate {found['birthDate']!r}"))
    if found.get("gender") in ("female", "male"):
        out.sexes.add(found["gender"])


def _words(resource: Json) -> str:
    return json.dumps(resource, default=str)


def _listed(resource: Json, why: str) -> str:
    """A resource as it stands, and what is the matter with it."""
    words = {key: value for key, value in resource.items() if key not in ("meta", "text")}
    return f"{json.dumps(words, default=str, ensure_ascii=False)[:3000]} ({why})"
