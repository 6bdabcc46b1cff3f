"""A session out of a FHIR R4 Bundle that OpenBoNT wrote: the same chart, or every fault in it."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from openbont.clinic.fhir.asked import coded, extended, key_of, preparations, vials
from openbont.clinic.fhir.chart import Chart, Risk, Signed
from openbont.clinic.fhir.measured import OUTCOMES
from openbont.clinic.fhir.rules import refuse
from openbont.clinic.fhir.shapes import Index
from openbont.clinic.fhir.units import Json, value_of
from openbont.clinic.nouns import (
    AdverseEvent,
    ClinicVisit,
    Deviation,
    Draw,
    GivenInjection,
    GivenSession,
    Person,
    Taken,
    Vial,
    Waste,
)
from openbont.errors import BadInput
from openbont.patient import Disorder, Reading
from openbont.plan import Injection, Plan, Session

ENDED = {code: word for word, code in OUTCOMES.items()}


def chart(bundle: Any, name: str = "bundle") -> Chart:
    """The session in a Bundle. Raises BadInput with the first fault; the others are its notes."""
    refuse(bundle, name)
    try:
        return _Reader(Index(bundle)).chart()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise BadInput(f"{name}: {place}", first["msg"], "nothing of it was read") from None


class _Reader:
    """The nouns in a Bundle that has no fault."""

    def __init__(self, index: Index) -> None:
        self.index = index
        (self.procedure,) = index.of("Procedure")
        (self.preparation,) = preparations(index)
        self.product = coded(self.preparation["code"], "product")
        self.day = date.fromisoformat(self.procedure["performedDateTime"])

    def chart(self) -> Chart:
        """All of it."""
        (condition,) = self.index.of("Condition")
        (signed,) = self.index.of("Provenance")
        return Chart(
            key=key_of(self.procedure),
            person=self._person(),
            disorder=_disorder(condition),
            icd10=_one(condition, "chosen-leaf"),
            plan=self._plan(),
            session=self._session(condition),
            vials=tuple(self._vial(one) for one in vials(self.index)),
            weight_kg=self._weight(),
            visits=tuple(self._visit(one) for one in self._observed("visit")),
            adverse_events=tuple(map(_adverse, self.index.of("AdverseEvent"))),
            risks=tuple(
                risk
                for one in self.index.of("RiskAssessment")
                for risk in map(_risk, one["prediction"])
            ),
            signed=Signed(by=signed["agent"][0]["who"]["display"], at=_time(signed["recorded"])),
        )

    def _person(self) -> Person:
        (found,) = self.index.of("Patient")
        numbers = [
            one["value"] for one in found["identifier"] if one["system"].endswith("/clinic-number")
        ]
        return Person(
            id=key_of(found),
            name=found["name"][0]["text"],
            born=date.fromisoformat(found["birthDate"]),
            sex=found["gender"],
            number="".join(numbers),
            telephone="".join(one["value"] for one in found.get("telecom", [])),
            note=_one(found, "note") or "",
        )

    def _plan(self) -> Plan | None:
        plans = self.index.of("CarePlan")
        if not plans:
            return None
        (found,) = plans
        requests = [self.index.to(one["reference"]) for one in found["activity"]]
        sessions: dict[int, list[Json]] = {}
        for one in requests:
            sessions.setdefault(_one(one, "session-number"), []).append(one)
        (patient,) = self.index.of("Patient")
        (condition,) = self.index.of("Condition")
        return Plan(
            patient=key_of(patient),
            disorder=coded(condition["code"], "disorder"),
            date=date.fromisoformat(found["created"]),
            sessions=tuple(_planned(sessions[n]) for n in sorted(sessions)),
            note=_note(found),
        )

    def _session(self, condition: Json) -> GivenSession:
        drawn, found = self.preparation, self.procedure
        (performer,) = found["performer"]
        reconstituted = _one(drawn, "reconstituted")
        until = drawn.get("batch", {}).get("expirationDate")
        return GivenSession(
            date=self.day,
            disorder=coded(condition["code"], "disorder"),
            plan=_one(found, "plan"),
            injector=performer["actor"]["display"],
            clinic=performer["onBehalfOf"]["display"],
            product=self.product,
            diluent=next(
                one["itemCodeableConcept"]["text"]
                for one in drawn["ingredient"]
                if "itemCodeableConcept" in one
            ),
            dilution_u_per_ml=value_of(_one(drawn, "dilution")["numerator"]),
            reconstituted=_time(reconstituted) if reconstituted else None,
            discard_by=_time(until) if until else None,
            injections=tuple(map(_injection, self.index.of("MedicationAdministration"))),
            draws=tuple(
                Draw(
                    vial=key_of(self.index.to(one["itemReference"])),
                    units=value_of(one["strength"]["numerator"]),
                )
                for one in drawn["ingredient"]
                if "itemReference" in one
            ),
            deviations=tuple(Deviation(**one) for one in extended(found, "deviation")),
            note=_note(found),
        )

    def _vial(self, found: Json) -> Vial:
        opened = _one(found, "opened")
        return Vial(
            id=key_of(found),
            product=coded(found["code"], "product"),
            lot=found["batch"]["lotNumber"],
            expiry=date.fromisoformat(found["batch"]["expirationDate"]),
            units=value_of(found["amount"]["numerator"]),
            opened=_time(opened) if opened else None,
            taken=tuple(
                Taken(session=one["session"], units=value_of(one["units"]))
                for one in extended(found, "taken")
            ),
            wasted=tuple(
                Waste(
                    units=value_of(one["valueQuantity"]),
                    reason=_note(one),
                    date=date.fromisoformat(one["effectiveDateTime"]),
                    by=one["performer"][0]["display"],
                )
                for one in self._observed("units-discarded")
                if self.index.to(one["focus"][0]) is found
            ),
        )

    def _weight(self) -> float | None:
        found = self._observed("body-weight")
        return float(value_of(found[0]["valueQuantity"])) if found else None

    def _visit(self, found: Json) -> ClinicVisit:
        return ClinicVisit(
            date=date.fromisoformat(found["effectiveDateTime"]),
            by=found["performer"][0]["display"],
            session=_one(found, "session"),
            readings=tuple(_reading(self.index.to(one)) for one in found.get("hasMember", [])),
            note=_note(found),
        )

    def _observed(self, code: str) -> list[Json]:
        found = self.index.of("Observation")
        return [one for one in found if coded(one["code"], "observation") == code]


def _disorder(found: Json) -> Disorder:
    months = _one(found, "months-since-onset")
    sides = [coded(one, "side") for one in found.get("bodySite", [])]
    return Disorder.model_validate(
        {
            "name": coded(found["code"], "disorder"),
            "cause": _one(found, "cause") or "",
            "side": "".join(sides),
            "months_since_onset": None if months is None else float(months),
        }
    )


def _planned(requests: list[Json]) -> Session:
    first = requests[0]
    return Session(
        product=coded(first["medicationCodeableConcept"], "product"),
        day=_one(first, "session-day"),
        dilution_u_per_ml=float(value_of(_one(first, "dilution")["numerator"])),
        injections=tuple(_wanted(one["dosageInstruction"][0]) for one in requests),
    )


def _wanted(found: Json) -> Injection:
    volume, place = _one(found, "volume"), _one(found, "site-mm")
    return Injection(
        structure=coded(found["site"], "structure"),
        dose_u=float(value_of(found["doseAndRate"][0]["doseQuantity"])),
        sites=_one(found, "sites"),
        volume_ml=float(value_of(volume)) if volume else None,
        site_mm=tuple(float(place[n]) for n in "012") if place else None,
    )


def _injection(found: Json) -> GivenInjection:
    dosage = found["dosage"]
    depth = _one(dosage, "depth")
    return GivenInjection.model_validate(
        {
            "structure": coded(dosage["site"], "structure"),
            "units": value_of(dosage["dose"]),
            "sites": _one(dosage, "sites"),
            "named_sites": extended(dosage, "named-site"),
            "volume_ml": value_of(_one(dosage, "volume")),
            "depth_mm": float(value_of(depth)) if depth else None,
            "guidance": extended(dosage, "guidance"),
        }
    )


def _reading(found: Json) -> Reading:
    grade = found.get("valueCodeableConcept", {}).get("text")
    return Reading(
        scale=coded(found["code"], "scale"),
        value=grade if grade is not None else float(value_of(found["valueQuantity"])),
        where=coded(found.get("bodySite"), "where"),
    )


def _adverse(found: Json) -> AdverseEvent:
    return AdverseEvent.model_validate(
        {
            "date": date.fromisoformat(found["date"]),
            "session": _one(found, "session"),
            "what": found["event"]["text"],
            "severity": found["severity"]["coding"][0]["code"],
            "serious": found["seriousness"]["coding"][0]["code"] == "serious",
            "related": _one(found, "related"),
            "outcome": ENDED[found["outcome"]["coding"][0]["code"]],
            "note": _one(found, "note") or "",
        }
    )


def _risk(found: Json) -> Risk:
    return Risk(
        what=found["outcome"]["text"],
        chance=float(Decimal(str(found["probabilityDecimal"]))),
        within_weeks=int(value_of(found["whenRange"]["high"])),
        method=_one(found, "method"),
    )


def _one(found: Json, name: str) -> Any:
    """The one value of an extension; None where it is not there."""
    return next(iter(extended(found, name)), None)


def _note(found: Json) -> str:
    return "".join(one["text"] for one in found.get("note", []))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
