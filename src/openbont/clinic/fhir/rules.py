"""What must be true of a Bundle beyond its shape: units, sums, dates, codes and sides.

Each rule looks at the whole Bundle and yields what is wrong, with its place. The rules are our own,
for what we write and read back; the official validator of HL7 was not run.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from openbont.catalog.names import structures
from openbont.catalog.overview import disorders
from openbont.catalog.products import products
from openbont.catalog.scales import number, scales
from openbont.clinic.fhir.asked import (
    coded,
    extended,
    key_of,
    preparations,
    quantities,
    vials,
)
from openbont.clinic.fhir.codes import ICD, OWN, candidates
from openbont.clinic.fhir.measured import OUTCOMES
from openbont.clinic.fhir.parts import TERMS
from openbont.clinic.fhir.shapes import Index, misshapen
from openbont.clinic.fhir.units import CODES, UCUM, Json, toxin_of, value_of
from openbont.errors import BadInput
from openbont.patient import Disorder

ONCE = ("Patient", "Condition", "Procedure", "Provenance")
TERM_CODES = {
    "condition-clinical": {"active"},
    "condition-ver-status": {"confirmed"},
    "adverse-event-seriousness": {"serious", "non-serious"},
    "adverse-event-severity": {"mild", "moderate", "severe"},
    "adverse-event-outcome": set(OUTCOMES.values()),
}
"""Codes of HL7's own systems that may stand here."""
TERMS_OF = {
    ("Condition", "clinicalStatus"): "condition-clinical",
    ("Condition", "verificationStatus"): "condition-ver-status",
    ("AdverseEvent", "seriousness"): "adverse-event-seriousness",
    ("AdverseEvent", "severity"): "adverse-event-severity",
    ("AdverseEvent", "outcome"): "adverse-event-outcome",
}
NEEDS = {
    "units-discarded": {"focus", "performer", "valueQuantity", "note"},
    "body-weight": {"valueQuantity"},
    "visit": {"performer"},
}
"""Elements that an observation of ours cannot do without."""
Faults = Iterator[str]


def faults(bundle: Any) -> list[str]:
    """Everything that is wrong with a Bundle; empty when it may be read."""
    wrong = misshapen(bundle)
    if wrong:
        return wrong
    index = Index(bundle)
    wrong = list(_counts(index))
    return wrong or [fault for rule in RULES for fault in rule(index)]


def refuse(bundle: Any, name: str) -> None:
    """Raise the first fault of a Bundle, if there is one; the others are its notes."""
    wrong = faults(bundle)
    if wrong:
        refused = BadInput(name, wrong[0], "nothing of it was read")
        for other in wrong[1:]:
            refused.add_note(other)
        raise refused


def _counts(index: Index) -> Faults:
    for kind in ONCE:
        if len(index.of(kind)) != 1:
            yield f"Bundle: {len(index.of(kind))} of {kind}, one is needed"
    if not index.of("MedicationAdministration"):
        yield "Bundle: no MedicationAdministration"
    if len(preparations(index)) != 1 or not vials(index):
        yield "Bundle: one preparation and the vials it was drawn from are needed"
        return
    yield from _drawn_up(preparations(index)[0])
    for _, one in index.entries:
        if one["resourceType"] != "Provenance" and not key_of(one):
            yield f"{one['resourceType']}: no identifier of {OWN}/key"
    if len(index.of("CarePlan")) > 1:
        yield "Bundle: several CarePlans, one at most"


def _drawn_up(preparation: Json) -> Faults:
    """Vials with what was drawn from each, and one diluent."""
    parts = preparation["ingredient"]
    if not extended(preparation, "dilution"):
        yield "Medication.extension: dilution is missing"
    if sum("itemCodeableConcept" in one for one in parts) != 1:
        yield "Medication.ingredient: one diluent is needed"
    for one in parts:
        if ("itemReference" in one) != ("strength" in one) or len(one.keys() & ITEM) != 1:
            yield "Medication.ingredient: a vial with the units drawn, or the diluent"


ITEM = {"itemReference", "itemCodeableConcept"}


def _codes(index: Index) -> Faults:
    """Only codes that are known here: ours, HL7's few, and ICD-10-CM leaves that fit."""
    for place, coding in _codings(index):
        system, code = coding["system"], coding["code"]
        short = system.removeprefix(f"{TERMS}/")
        if system.startswith(f"{OWN}/"):
            known = KNOWN.get(system.removeprefix(f"{OWN}/"))
            if known is not None and code not in known():
                yield f"{place}: {code!r} is not known in {system}"
        elif system == ICD:
            if not place.startswith("Condition."):
                yield f"{place}: ICD-10-CM belongs on the Condition"
        elif short in TERM_CODES:
            if code not in TERM_CODES[short]:
                yield f"{place}: {code!r} is not in the required value set {short}"
        else:
            yield f"{place}: code {code!r} of {system} is not verified here"


def _codings(index: Index) -> Iterator[tuple[str, Json]]:
    def within(found: Any, place: str) -> Iterator[tuple[str, Json]]:
        if isinstance(found, dict):
            for coding in found.get("coding", []):
                yield place, coding
            for name, value in found.items():
                yield from within(value, f"{place}.{name}")
        elif isinstance(found, list):
            for value in found:
                yield from within(value, place)

    for _, one in index.entries:
        yield from within(one, one["resourceType"])


def _disorder(index: Index) -> Faults:
    """The disorder is ours, and its ICD-10-CM code is a leaf that fits it."""
    condition = index.of("Condition")[0]
    name = coded(condition["code"], "disorder")
    if not name:
        yield "Condition.code: no disorder of ours"
        return
    cause, side = next(iter(extended(condition, "cause")), ""), ""
    for site in condition.get("bodySite", []):
        side = coded(site, "side")
    leaves = candidates(Disorder.model_construct(name=name, cause=cause, side=side))  # type: ignore[arg-type]
    for coding in condition["code"]["coding"]:
        if coding["system"] == ICD and coding["code"] not in leaves:
            yield f"Condition.code: {coding['code']} is no ICD-10-CM leaf that fits {name}"


def _terms(index: Index) -> Faults:
    """Elements that take one of HL7's own codes have it."""
    for (kind, element), term in TERMS_OF.items():
        for one in index.of(kind):
            codes = [coding["system"] for coding in one[element].get("coding", [])]
            if codes != [f"{TERMS}/{term}"]:
                yield f"{kind}.{element}: one code of {term} is needed"


def _units(index: Index) -> Faults:
    """UCUM as it must be, and units of toxin with the product that was given."""
    given = coded(preparations(index)[0]["code"], "product")
    for _, one in index.entries:
        kind = one["resourceType"]
        product = _product_of(one) or given
        for place, found in quantities(one, kind):
            code, system = found.get("code"), found.get("system")
            if (code is None) != (system is None):
                yield f"{place}: code and system come together (qty-3)"
            elif system is not None and system != UCUM:
                yield f"{place}: units of {system}, not UCUM"
            elif code == "[arb'U]" and (found.get("unit", "") != f"U {product}"):
                yield f"{place}: the unit must be 'U {product}', not {found.get('unit')!r}"
            elif code is not None and code != "[arb'U]" and code not in CODES.values():
                yield f"{place}: {code!r} is no unit that may stand here; toxin is [arb'U]"


def _product_of(found: Json) -> str:
    for element in ("code", "medicationCodeableConcept"):
        if name := coded(found.get(element), "product"):
            return name
    return ""


def _toxin(index: Index) -> Faults:
    """Doses in units of the product, above 0, and the sums of what was drawn, given and wasted."""
    preparation = preparations(index)[0]
    product = coded(preparation["code"], "product")
    if not product:
        yield "Medication.code: no product of ours"
        return
    for vial in vials(index):
        if coded(vial["code"], "product") != product:
            yield f"Medication.code: vial {key_of(vial)} holds another product than {product}"
            return
    given = [
        toxin_of(one["dosage"]["dose"], product) for one in index.of("MedicationAdministration")
    ]
    drawn = {
        key_of(index.to(one["itemReference"])): toxin_of(one["strength"]["numerator"], product)
        for one in preparation["ingredient"]
        if "itemReference" in one and "strength" in one
    }
    if None in given or None in drawn.values():
        yield f"MedicationAdministration.dosage.dose: not [arb'U] of {product} above 0"
        return
    total, out = sum(filter(None, given)), sum(filter(None, drawn.values()))
    if total != out:
        yield f"MedicationAdministration: {total} U given, {out} U drawn from the vials"
    for vial in vials(index):
        yield from _vial(index, vial, product, drawn.get(key_of(vial)))


def _vial(index: Index, vial: Json, product: str, drawn: Decimal | None) -> Faults:
    """Given + wasted never exceed what the vial holds; it was in date."""
    place, session = f"Medication {key_of(vial)}", index.of("Procedure")[0]
    holds = toxin_of(vial["amount"]["numerator"], product)
    taken = [(one["session"], toxin_of(one["units"], product)) for one in extended(vial, "taken")]
    wasted = [
        toxin_of(one.get("valueQuantity"), product)
        for one in index.of("Observation")
        if coded(one["code"], "observation") == "units-discarded"
        and any(index.to(focus) is vial for focus in one.get("focus", []))
    ]
    if holds is None or None in [units for _, units in taken] or None in wasted:
        yield f"{place}: amounts are not [arb'U] of {product} above 0"
        return
    left = holds - sum(units or 0 for _, units in taken) - sum(filter(None, wasted))
    if left < 0:
        yield f"{place}: {-left} U more given or wasted than it holds"
    here = sum(units or 0 for name, units in taken if name == key_of(session))
    if here != (drawn or 0):
        yield f"{place}: {here} U taken for this session, {drawn or 0} U drawn"
    if "batch" not in vial or "lotNumber" not in vial["batch"]:
        yield f"{place}.batch.lotNumber: missing"
    elif len(vial["batch"]["expirationDate"]) != 10:
        yield f"{place}.batch.expirationDate: a day is needed"
    elif vial["batch"]["expirationDate"] < session["performedDateTime"][:10]:
        yield f"{place}: expired on {vial['batch']['expirationDate']}, before the session"


def _dates(index: Index) -> Faults:
    """Born, then treated, then recorded; given on the day of the session."""
    day = index.of("Procedure")[0]["performedDateTime"][:10]
    if index.of("Patient")[0]["birthDate"] > day:
        yield f"Patient.birthDate: after the session of {day}"
    recorded = datetime.fromisoformat(index.of("Provenance")[0]["recorded"]).date()
    if recorded < date.fromisoformat(day) - timedelta(days=1):
        yield f"Provenance.recorded: before the session of {day}"
    for one in index.of("MedicationAdministration"):
        if one["effectiveDateTime"][:10] != day:
            yield f"MedicationAdministration.effectiveDateTime: not the day of the session ({day})"


def _sides(index: Index) -> Faults:
    """Each administration says the same structure and side in its code and its BodyStructure."""
    for one in index.of("MedicationAdministration"):
        name = coded(one["dosage"]["site"], "structure")
        shown = [index.to(found) for found in extended(one["dosage"], "body-structure")]
        for body in shown:
            side = "".join(
                f".{coded(found, 'side')}" for found in body.get("locationQualifier", [])
            )
            if coded(body["location"], "structure") + side != name:
                yield f"MedicationAdministration.dosage.site: {name} is not its BodyStructure"
        if name not in structures() or not shown:
            yield f"MedicationAdministration.dosage.site: no structure with its side ({name!r})"


def _observations(index: Index) -> Faults:
    """A reading has one value, inside its scale; no reason why it is absent beside it (obs-6)."""
    for one in index.of("Observation"):
        values = [name for name in one if name.startswith("value")]
        scale = coded(one["code"], "scale")
        needs = NEEDS.get(coded(one["code"], "observation"), set())
        if not scale and needs - one.keys():
            yield f"Observation: without {', '.join(sorted(needs - one.keys()))}"
        if values and "dataAbsentReason" in one:
            yield "Observation.dataAbsentReason: there is a value (obs-6)"
        if len(values) > 1 or (scale and not values):
            yield f"Observation: {len(values)} values of {scale}, one is needed"
        elif scale in scales():
            yield from _reading(one, scale)


def _reading(one: Json, scale: str) -> Faults:
    grade = one.get("valueCodeableConcept", {}).get("text")
    try:
        number(scale, grade if grade is not None else float(value_of(one["valueQuantity"])))
    except BadInput as wrong:
        yield f"Observation: {wrong}"


def _risks(index: Index) -> Faults:
    for one in index.of("RiskAssessment"):
        for prediction in one["prediction"]:
            if not 0 <= Decimal(str(prediction["probabilityDecimal"])) <= 1:
                yield "RiskAssessment.prediction.probabilityDecimal: not from 0 to 1 (ras-2)"


KNOWN: dict[str, Callable[[], Any]] = {
    "product": products,
    "structure": lambda: {*structures(), *(name.split(".")[0] for name in structures())},
    "disorder": disorders,
    "scale": scales,
    "side": lambda: ("left", "right", "both"),
    "observation": lambda: ("units-discarded", "body-weight", "visit"),
    "procedure": lambda: ("toxin-session",),
}
"""Our code systems whose codes are checked."""
RULES: tuple[Callable[[Index], Faults], ...] = (
    _codes, _terms, _disorder, _units, _toxin, _dates, _sides, _observations, _risks
)  # fmt: skip
"""Every rule beyond the shape."""
