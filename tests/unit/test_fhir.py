"""FHIR: a session there and back without loss; every seeded fault refused with a message."""

import copy
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from openbont.clinic.fhir.chart import Chart
from openbont.clinic.fhir.codes import ICD, candidates, determined, leaves, source
from openbont.clinic.fhir.export import bundle, text
from openbont.clinic.fhir.foreign import read_bundle
from openbont.clinic.fhir.parse import chart as parsed
from openbont.clinic.fhir.rules import faults
from openbont.errors import BadInput
from openbont.patient import Disorder
from tests.charts import NAMES, chart

ABO = "abobotulinumtoxinA"
SNOMED = {"system": "http://snomed.info/sct", "code": "442695005"}


def read(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


@pytest.fixture(scope="module")
def arm() -> Any:
    return bundle(chart("arm_after_stroke"))


@pytest.mark.parametrize("name", NAMES)
def test_a_session_of_every_example_comes_back_whole(name):
    one = chart(name)
    sent = text(bundle(one))
    back = parsed(read(sent))
    assert back == one
    assert text(bundle(back)) == sent
    Bundle.model_validate_json(sent)


@pytest.mark.parametrize("name", NAMES)
def test_other_systems_count_what_was_given(name):
    one = chart(name)
    out = read_bundle(read(text(bundle(one))), "a.json")
    assert out.not_counted == []
    (past,) = out.sessions
    given = one.session.past()
    assert (past.date, past.product, past.total_u) == (given.date, given.product, given.total_u)
    assert (past.clinic, past.disorder) == (given.clinic, given.disorder)
    assert [one.structure for one in past.injections] == [one.structure for one in given.injections]


def test_what_is_optional_may_be_missing():
    one = chart("glabellar_lines")
    session = one.session.model_copy(update={"plan": None, "deviations": (), "note": ""})
    bare = Chart(
        key=one.key,
        person=one.person.model_copy(update={"note": "", "number": "", "telephone": ""}),
        disorder=one.disorder,
        session=session,
        vials=one.vials,
        signed=one.signed,
    )
    assert parsed(read(text(bundle(bare)))) == bare
    Bundle.model_validate(bundle(bare))


def test_half_units_stay_exact():
    one = chart("glabellar_lines")
    first, *others = one.session.injections
    odd = Decimal("0.35")
    second = others[0].model_copy(update={"units": others[0].units + odd})
    injections = (first.model_copy(update={"units": first.units - odd}), second, *others[1:])
    session = one.session.model_copy(update={"injections": injections})
    back = parsed(read(text(bundle(one.model_copy(update={"session": session})))))
    assert [i.units for i in back.session.injections] == [i.units for i in injections]


# ---- codes


def test_units_of_toxin_are_arbitrary_and_name_their_product(arm):
    doses = [
        one["resource"]["dosage"]["dose"]
        for one in arm["entry"]
        if one["resource"]["resourceType"] == "MedicationAdministration"
    ]
    assert doses
    for dose in doses:
        assert (dose["unit"], dose["code"]) == ("U onabotulinumtoxinA", "[arb'U]")


@pytest.mark.parametrize("name", NAMES)
def test_no_code_that_was_not_verified_leaves_the_house(name):
    systems = {coding["system"] for _, coding in codings(bundle(chart(name)), ())}
    assert all(
        system == ICD or system.startswith(("https://openbont.org/fhir", "http://terminology.hl7"))
        for system in systems
    )


def codings(found: Any, place: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(found, dict):
        for coding in found.get("coding", []):
            yield place, coding
    items = found.items() if isinstance(found, dict) else enumerate(found)
    for key, value in items:
        if isinstance(value, dict | list):
            yield from codings(value, (*place, key))


def test_a_leaf_is_written_only_where_it_is_determined():
    assert determined(Disorder(name="dystonia.cervical")) == "G24.3"
    assert determined(Disorder(name="migraine.chronic")) is None
    arm = Disorder(name="spasticity.upper_limb", cause="stroke", side="left")
    assert determined(arm) is None
    assert {"I69.352", "I69.354", "G81.12"} <= set(candidates(arm))
    assert "I69.351" not in candidates(arm)
    assert source().verified
    assert len({(one.code, one.disorder) for one in leaves()}) == len(leaves())


def test_a_leaf_that_a_clinician_chose_must_fit():
    one = chart("chronic_migraine")
    chosen = Chart.model_validate({**dict(one), "icd10": "G43.709"})
    assert parsed(read(text(bundle(chosen)))) == chosen
    with pytest.raises(ValueError, match=r"G24\.3 does not fit"):
        Chart.model_validate({**dict(one), "icd10": "G24.3"})


# ---- seeded faults


def of(found: Any, kind: str, n: int = 0) -> Any:
    """The n-th resource of a kind."""
    return [one["resource"] for one in found["entry"] if one["resource"]["resourceType"] == kind][n]


def vial(found: Any) -> Any:
    return next(one["resource"] for one in found["entry"] if "amount" in one["resource"])


def prepared(found: Any) -> Any:
    return next(one["resource"] for one in found["entry"] if "ingredient" in one["resource"])


def reading(found: Any) -> Any:
    return next(
        one["resource"]
        for one in found["entry"]
        if one["resource"].get("code", {}).get("coding", [{}])[0].get("code") == "MAS"
    )


def dose(found: Any) -> Any:
    return of(found, "MedicationAdministration")["dosage"]["dose"]


def drop(kind: str, name: str) -> Any:
    return lambda b: of(b, kind).pop(name)


def put(kind: str, **values: Any) -> Any:
    return lambda b: of(b, kind).update(values)


FAULTS: dict[str, tuple[Any, str]] = {
    "no bundle": (lambda b: b.update(resourceType="List"), "not a FHIR Bundle"),
    "bundle type": (lambda b: b.update(type="batch"), "is not one of collection"),
    "no entries": (lambda b: b.pop("entry"), "Bundle.entry: missing"),
    "same name twice": (lambda b: b["entry"].append(copy.deepcopy(b["entry"][-1])), "stands twice"),
    "unknown resource": (lambda b: of(b, "Provenance").update(resourceType="Prov"), "unknown kind"),
    "reference to nothing": (
        put("Condition", subject={"reference": "Patient/9"}),
        "leads nowhere",
    ),
    "reference to the wrong kind": (
        lambda b: of(b, "Condition").update(subject=of(b, "Procedure")["reasonReference"][0]),
        "leads to a Condition, not a Patient",
    ),
    "gender": (put("Patient", gender="f"), "'f' is not one of female, male"),
    "birth date of two days": (put("Patient", birthDate="03/04/1968"), "not a date"),
    "impossible date": (put("Patient", birthDate="1968-02-30"), "not a date"),
    "born after the session": (put("Patient", birthDate="2031-01-01"), "after the session"),
    "two patients": (
        lambda b: b["entry"].append(
            {"fullUrl": "urn:uuid:2", "resource": {**of(b, "Patient"), "id": "2"}}
        ),
        "2 of Patient",
    ),
    "procedure status": (put("Procedure", status="done"), "'done' is not one of completed"),
    "administration status": (put("MedicationAdministration", status="given"), "'given' is not"),
    "observation status": (drop("Observation", "status"), "status: missing"),
    "request intent": (put("MedicationRequest", intent="wish"), "'wish' is not one of plan"),
    "plan intent": (drop("CarePlan", "intent"), "intent: missing"),
    "event actuality": (drop("AdverseEvent", "actuality"), "actuality: missing"),
    "event severity": (
        lambda b: of(b, "AdverseEvent")["severity"]["coding"][0].update(code="awful"),
        "not in the required value set adverse-event-severity",
    ),
    "event outcome": (
        lambda b: of(b, "AdverseEvent")["outcome"]["coding"][0].update(code="recovered"),
        "not in the required value set adverse-event-outcome",
    ),
    "clinical status": (
        lambda b: of(b, "Condition")["clinicalStatus"]["coding"][0].update(code="current"),
        "not in the required value set condition-clinical",
    ),
    "condition without status code": (
        lambda b: of(b, "Condition")["verificationStatus"].pop("coding"),
        "one code of condition-ver-status",
    ),
    "probability": (
        lambda b: of(b, "RiskAssessment")["prediction"][0].update(probabilityDecimal=1.5),
        "ras-2",
    ),
    "time without zone": (put("Provenance", recorded="2026-11-16T16:05:00"), "not an instant"),
    "recorded before given": (
        put("Provenance", recorded="2020-01-01T16:05:00Z"),
        "before the session",
    ),
    "nobody signed": (
        lambda b: of(b, "Provenance")["agent"][0].pop("who"),
        "agent[0].who: missing",
    ),
    "dose without product": (lambda b: dose(b).update(unit="U"), "the unit must be 'U onab"),
    "dose in enzyme units": (lambda b: dose(b).update(code="U"), "toxin is [arb'U]"),
    "dose in international units": (lambda b: dose(b).update(code="[iU]"), "toxin is [arb'U]"),
    "dose in mg": (lambda b: dose(b).update(code="mg", unit="mg"), "not [arb'U] of onabot"),
    "dose without system": (lambda b: dose(b).pop("system"), "qty-3"),
    "dose in words": (lambda b: dose(b).update(value="40"), "not a decimal"),
    "dose below zero": (lambda b: dose(b).update(value=-40), "not [arb'U] of onabot"),
    "dose missing": (lambda b: of(b, "MedicationAdministration")["dosage"].pop("dose"), "mad-1"),
    "dose of another product": (
        lambda b: dose(b).update(unit=f"U {ABO}"),
        "the unit must be 'U onabotulinumtoxinA'",
    ),
    "vial of another product": (
        lambda b: vial(b)["code"]["coding"][0].update(code=ABO),
        "holds another product",
    ),
    "unknown product": (
        lambda b: prepared(b)["code"]["coding"][0].update(code="botulin"),
        "'botulin' is not known",
    ),
    "sums": (lambda b: dose(b).update(value=41), "drawn from the vials"),
    "vial overdrawn": (
        lambda b: vial(b)["amount"]["numerator"].update(value=10),
        "more given or wasted than it holds",
    ),
    "vial expired": (
        lambda b: vial(b)["batch"].update(expirationDate="2020-01-31"),
        "expired on 2020-01-31",
    ),
    "vial without lot": (lambda b: vial(b)["batch"].pop("lotNumber"), "lotNumber: missing"),
    "half a ratio": (lambda b: vial(b)["amount"].pop("denominator"), "rat-1"),
    "header of ICD-10-CM": (
        lambda b: of(b, "Condition")["code"]["coding"].append({"system": ICD, "code": "G81.1"}),
        "no ICD-10-CM leaf that fits",
    ),
    "leaf of the other side": (
        lambda b: of(b, "Condition")["code"]["coding"].append({"system": ICD, "code": "I69.351"}),
        "no ICD-10-CM leaf that fits",
    ),
    "code that was not verified": (
        lambda b: of(b, "Procedure")["code"]["coding"].append(SNOMED),
        "is not verified here",
    ),
    "value and its absence": (
        lambda b: reading(b).update(dataAbsentReason={"text": "refused"}),
        "obs-6",
    ),
    "grade outside the scale": (
        lambda b: reading(b)["valueCodeableConcept"].update(text="5"),
        "MAS has no grade '5'",
    ),
    "unknown scale": (
        lambda b: reading(b)["code"]["coding"][0].update(code="MAS-9"),
        "'MAS-9' is not known",
    ),
    "side of another structure": (
        lambda b: of(b, "BodyStructure")["locationQualifier"][0]["coding"][0].update(code="right"),
        "is not its BodyStructure",
    ),
    "structure without side": (
        lambda b: of(b, "MedicationAdministration")["dosage"]["site"]["coding"][0].update(
            code="biceps_brachii"
        ),
        "dosage.site",
    ),
    "unknown element": (put("Procedure", dossage={}), "dossage: unknown element"),
    "unknown extension": (
        put("Procedure", extension=[{"url": "http://example.org/x", "valueString": "x"}]),
        "unknown extension",
    ),
    "extension of the wrong type": (
        lambda b: of(b, "MedicationAdministration")["dosage"]["extension"].__setitem__(
            0, {"url": "https://openbont.org/fhir/StructureDefinition/sites", "valueString": "3"}
        ),
        "valueInteger alone is needed",
    ),
    "modifier": (
        put("MedicationAdministration", modifierExtension=[{"url": "http://x", "valueCode": "n"}]),
        "modifierExtension: unknown element",
    ),
    "empty text": (lambda b: of(b, "Patient")["name"][0].update(text=" "), "not a string"),
    "list for one": (put("Procedure", performedDateTime=["2026-11-16"]), "one value, not a list"),
    "one for a list": (
        lambda b: of(b, "Procedure").update(performer=of(b, "Procedure")["performer"][0]),
        "a list is needed",
    ),
    "other day": (
        put("MedicationAdministration", effectiveDateTime="2026-11-15"),
        "not the day of the session",
    ),
}


def test_there_are_thirty_faults_and_more():
    assert len(FAULTS) >= 30


@pytest.mark.parametrize("name", FAULTS)
def test_a_seeded_fault_is_refused_with_a_message(arm, name):
    spoil, words = FAULTS[name]
    bad = copy.deepcopy(arm)
    assert faults(bad) == []
    spoil(bad)
    with pytest.raises(BadInput) as refused:
        parsed(bad, "session.json")
    said = [str(refused.value), *getattr(refused.value, "__notes__", [])]
    assert any(words in one for one in said), said
    assert str(refused.value).startswith("session.json: ")
    with pytest.raises(BadInput, match=r"^session\.json: "):
        read_bundle(bad, "session.json")


def spots(found: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of everything in a document."""
    items = found.items() if isinstance(found, dict) else enumerate(found)
    for key, value in items:
        yield (*place, key)
        if isinstance(value, dict | list):
            yield from spots(value, (*place, key))


@pytest.mark.parametrize("spoilt", [None, 0, "x", [], {}, [{}]], ids=repr)
def test_whatever_is_missing_or_spoilt_is_read_right_or_refused(spoilt):
    """Nothing but a chart or a refusal comes out, whatever part of a bundle is replaced."""
    whole = bundle(chart("glabellar_lines"))
    right, read_anyway = chart("glabellar_lines"), 0
    for place in spots(whole):
        bad = copy.deepcopy(whole)
        *way, last = place
        inner = bad
        for step in way:
            inner = inner[step]
        if spoilt is None:
            del inner[last]
        else:
            inner[last] = spoilt
        try:
            found = parsed(bad)
        except BadInput:
            continue
        read_anyway += 1
        assert found.session.units == right.session.units
    assert read_anyway < 300
