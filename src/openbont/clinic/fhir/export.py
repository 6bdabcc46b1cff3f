"""A session as a FHIR R4 Bundle, the same bytes whenever it is the same session.

Products, structures, disorders and scales carry our own codes and their words; ICD-10-CM where one
leaf is determined. What R4 has no place for stands in extensions under https://openbont.org/fhir.
"""

import json
import uuid
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from openbont.catalog.muscles import base, words
from openbont.catalog.overview import overview
from openbont.catalog.products import product
from openbont.catalog.scales import scales
from openbont.clinic.fhir.chart import Chart
from openbont.clinic.fhir.codes import ICD, OWN, determined
from openbont.clinic.fhir.units import Json, number, quantity, toxin
from openbont.clinic.nouns import AdverseEvent, ClinicVisit, GivenInjection, Vial
from openbont.patient import Reading
from openbont.plan import Injection, Session

OUTCOMES = {
    "recovered": "resolved",
    "recovering": "recovering",
    "not recovered": "ongoing",
    "fatal": "fatal",
    "not known": "unknown",
}
"""How an adverse event ended: our word -> code of FHIR."""
TERMS = "http://terminology.hl7.org/CodeSystem"
VALUE = {bool: "Boolean", int: "Integer", str: "String", Decimal: "Decimal", float: "Decimal"}


def text(bundle: Json) -> str:
    """The Bundle as JSON text."""
    return json.dumps(bundle, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def bundle(chart: Chart) -> Json:
    """The Bundle of one session."""
    return _Writer(chart).bundle()


class _Writer:
    """Resources of one chart, and their names."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self.session = chart.session
        self.day = str(chart.session.date)

    def bundle(self) -> Json:
        """All resources, each after those it needs."""
        entries = [{"fullUrl": _urn(one["id"]), "resource": one} for one in self._resources()]
        return {
            "resourceType": "Bundle",
            "identifier": {"system": f"{OWN}/bundle", "value": self.chart.key},
            "type": "collection",
            "timestamp": self.chart.signed.at.isoformat(),
            "entry": entries,
        }

    def _resources(self) -> Iterator[Json]:
        chart = self.chart
        yield self._patient()
        yield self._condition()
        if chart.plan:
            yield from self._plan()
        yield from (self._vial(vial) for vial in chart.vials)
        yield self._preparation()
        yield self._procedure()
        structures = dict.fromkeys(one.structure for one in self.session.injections)
        yield from (self._structure(name) for name in structures)
        for n, injection in enumerate(self.session.injections):
            yield self._administration(n, injection)
        for vial in chart.vials:
            yield from self._waste(vial)
        if chart.weight_kg is not None:
            yield self._weight(chart.weight_kg)
        for n, visit in enumerate(chart.visits):
            yield from self._visit(n, visit)
        yield from (self._adverse(n, one) for n, one in enumerate(chart.adverse_events))
        if chart.risks:
            yield self._risks()
        yield self._provenance()

    # ---- names

    def _new(self, kind: str, key: str, /, **more: Any) -> Json:
        """A resource with its id and its key."""
        known = {"system": f"{OWN}/key", "value": key}
        found = {"resourceType": kind, "id": self._id(kind, key), "identifier": [known]}
        return {
            **found,
            **{field: value for field, value in more.items() if value not in ([], None)},
        }

    def _id(self, kind: str, name: str) -> str:
        whole = f"{OWN}/{self.chart.person.id}/{self.chart.key}/{kind}/{name}"
        return str(uuid.uuid5(uuid.NAMESPACE_URL, whole))

    def _to(self, kind: str, name: str) -> Json:
        return {"reference": _urn(self._id(kind, name))}

    @property
    def _subject(self) -> Json:
        return self._to("Patient", self.chart.person.id)

    @property
    def _reason(self) -> Json:
        return self._to("Condition", self.chart.disorder.name)

    @property
    def _treatment(self) -> Json:
        return self._to("Procedure", self.chart.key)

    # ---- resources

    def _patient(self) -> Json:
        person = self.chart.person
        made = self._new(
            "Patient",
            person.id,
            extension=extensions(note=person.note or None),
            name=[{"text": person.name}],
            telecom=[{"system": "phone", "value": person.telephone}] if person.telephone else None,
            gender=person.sex,
            birthDate=str(person.born),
        )
        if person.number:
            made["identifier"].append({"system": f"{OWN}/clinic-number", "value": person.number})
        return made

    def _condition(self) -> Json:
        disorder = self.chart.disorder
        code = concept("disorder", disorder.name, overview()[disorder.name].words)
        if leaf := self.chart.icd10 or determined(disorder):
            code["coding"].append({"system": ICD, "code": leaf})
        return self._new(
            "Condition",
            disorder.name,
            extension=extensions(
                cause=disorder.cause or None,
                months_since_onset=disorder.months_since_onset,
                chosen_leaf=self.chart.icd10,
            ),
            clinicalStatus=_term("condition-clinical", "active"),
            verificationStatus=_term("condition-ver-status", "confirmed"),
            code=code,
            bodySite=[concept("side", disorder.side, disorder.side)] if disorder.side else None,
            subject=self._subject,
        )

    def _plan(self) -> Iterator[Json]:
        plan, key = self.chart.plan, self.session.plan
        assert plan is not None
        assert key is not None
        requests = [
            self._request(f"{key}.{i}.{j}", session, i, injection)
            for i, session in enumerate(plan.sessions)
            for j, injection in enumerate(session.injections)
        ]
        yield from requests
        yield self._new(
            "CarePlan",
            key,
            status="completed",
            intent="plan",
            subject=self._subject,
            created=str(plan.date),
            addresses=[self._reason],
            activity=[{"reference": {"reference": _urn(one["id"])}} for one in requests],
            note=_note(plan.note),
        )

    def _request(self, name: str, session: Session, n: int, injection: Injection) -> Json:
        plan = self.chart.plan
        assert plan is not None
        dose = toxin(injection.dose_u, session.product)
        told = f"{dose['value']} U {session.product}, {injection.sites} sites"
        return self._new(
            "MedicationRequest",
            name,
            extension=extensions(session_number=n, session_day=session.day, **_dilution(session)),
            status="completed",
            intent="plan",
            medicationCodeableConcept=_product(session.product),
            subject=self._subject,
            authoredOn=str(plan.date),
            reasonReference=[self._reason],
            dosageInstruction=[
                {
                    "extension": extensions(
                        sites=injection.sites,
                        volume=None
                        if injection.volume_ml is None
                        else quantity(injection.volume_ml, "mL"),
                        site_mm=injection.site_mm,
                    ),
                    "text": told,
                    "site": structure(injection.structure),
                    "doseAndRate": [{"doseQuantity": dose}],
                }
            ],
        )

    def _vial(self, vial: Vial) -> Json:
        taken = [
            {"session": one.session, "units": toxin(one.units, vial.product)} for one in vial.taken
        ]
        return self._new(
            "Medication",
            vial.id,
            extension=extensions(opened=vial.opened, taken=taken),
            code=_product(vial.product),
            status="active",
            amount={
                "numerator": toxin(vial.units, vial.product),
                "denominator": {"value": 1, "unit": "vial"},
            },
            batch={"lotNumber": vial.lot, "expirationDate": str(vial.expiry)},
        )

    def _preparation(self) -> Json:
        """What was drawn up for the session, from which vials."""
        session = self.session
        ingredients: list[Json] = [
            {
                "itemReference": self._to("Medication", draw.vial),
                "isActive": True,
                "strength": {
                    "numerator": toxin(draw.units, session.product),
                    "denominator": {"value": 1, "unit": "session"},
                },
            }
            for draw in session.draws
        ]
        diluent = {"itemCodeableConcept": {"text": session.diluent}, "isActive": False}
        until = session.discard_by
        return self._new(
            "Medication",
            f"{self.chart.key}.preparation",
            extension=extensions(reconstituted=session.reconstituted, **_dilution(session)),
            code=_product(session.product),
            status="active",
            ingredient=[*ingredients, diluent],
            batch={"expirationDate": until.isoformat()} if until else None,
        )

    def _procedure(self) -> Json:
        session = self.session
        based = None
        if session.plan and self.chart.plan:
            based = [self._to("CarePlan", session.plan)]
        return self._new(
            "Procedure",
            self.chart.key,
            extension=extensions(
                plan=session.plan, deviation=[dict(one) for one in session.deviations]
            ),
            basedOn=based,
            status="completed",
            code=concept("procedure", "toxin-session", "Injection of botulinum toxin"),
            subject=self._subject,
            performedDateTime=self.day,
            performer=[
                {"actor": {"display": session.injector}, "onBehalfOf": {"display": session.clinic}}
            ],
            reasonReference=[self._reason],
            note=_note(session.note),
        )

    def _structure(self, name: str) -> Json:
        side = name.partition(".")[2]
        return self._new(
            "BodyStructure",
            name,
            location=concept("structure", base(name), words(base(name))),
            locationQualifier=[concept("side", side, side)] if side else None,
            patient=self._subject,
        )

    def _administration(self, n: int, injection: GivenInjection) -> Json:
        dose = toxin(injection.units, self.session.product)
        given = f"{dose['value']} U {self.session.product} in {number(injection.volume_ml)} mL"
        depth = None if injection.depth_mm is None else quantity(injection.depth_mm, "mm")
        return self._new(
            "MedicationAdministration",
            f"{self.chart.key}.{n}",
            partOf=[self._treatment],
            status="completed",
            medicationReference=self._to("Medication", f"{self.chart.key}.preparation"),
            subject=self._subject,
            effectiveDateTime=self.day,
            performer=[{"actor": {"display": self.session.injector}}],
            reasonReference=[self._reason],
            dosage={
                "extension": extensions(
                    sites=injection.sites,
                    named_site=list(injection.named_sites),
                    volume=quantity(injection.volume_ml, "mL"),
                    depth=depth,
                    guidance=list(injection.guidance),
                    body_structure=self._to("BodyStructure", injection.structure),
                ),
                "text": f"{given}, {injection.sites} sites",
                "site": structure(injection.structure),
                "dose": dose,
            },
        )

    def _waste(self, vial: Vial) -> Iterator[Json]:
        for n, waste in enumerate(vial.wasted):
            yield self._observation(
                f"{vial.id}.waste.{n}",
                concept("observation", "units-discarded", "Units discarded"),
                waste.date,
                focus=[self._to("Medication", vial.id)],
                performer=[{"display": waste.by}],
                valueQuantity=toxin(waste.units, vial.product),
                note=_note(waste.reason),
            )

    def _weight(self, kilograms: float) -> Json:
        code = concept("observation", "body-weight", "Body weight")
        weight = quantity(kilograms, "kg")
        return self._observation("weight", code, self.session.date, valueQuantity=weight)

    def _visit(self, n: int, visit: ClinicVisit) -> Iterator[Json]:
        """The readings, then the visit that holds them together."""
        readings = [
            self._reading(f"visit.{n}.{m}", visit.date, one) for m, one in enumerate(visit.readings)
        ]
        yield from readings
        yield self._observation(
            f"visit.{n}",
            concept("observation", "visit", "Readings at one visit"),
            visit.date,
            extension=extensions(session=visit.session),
            focus=[self._treatment] if visit.session == self.chart.key else None,
            performer=[{"display": visit.by}],
            hasMember=[{"reference": _urn(one["id"])} for one in readings],
            note=_note(visit.note),
        )

    def _reading(self, name: str, day: date, reading: Reading) -> Json:
        scale = scales()[reading.scale]
        value: Json = (
            {"valueCodeableConcept": concept(f"scale/{scale.id}", reading.value, reading.value)}
            if isinstance(reading.value, str)
            else {"valueQuantity": quantity(reading.value, scale.unit)}
        )
        where = concept("where", reading.where, words(reading.where)) if reading.where else None
        code = concept("scale", scale.id, scale.words)
        return self._observation(name, code, day, bodySite=where, **value)

    def _observation(self, name: str, code: Json, day: date, **more: Any) -> Json:
        return self._new(
            "Observation",
            name,
            status="final",
            code=code,
            subject=self._subject,
            effectiveDateTime=str(day),
            **more,
        )

    def _adverse(self, n: int, event: AdverseEvent) -> Json:
        seriousness = "serious" if event.serious else "non-serious"
        ours = event.session == self.chart.key
        made = self._new(
            "AdverseEvent",
            f"{self.chart.key}.adverse.{n}",
            extension=extensions(
                session=event.session, related=event.related, note=event.note or None
            ),
            actuality="actual",
            event={"text": event.what},
            subject=self._subject,
            date=str(event.date),
            seriousness=_term("adverse-event-seriousness", seriousness),
            severity=_term("adverse-event-severity", event.severity),
            outcome=_term("adverse-event-outcome", OUTCOMES[event.outcome]),
            suspectEntity=[{"instance": self._treatment}] if ours else None,
        )
        return made | {"identifier": made["identifier"][0]}

    def _risks(self) -> Json:
        methods = {risk.method for risk in self.chart.risks}
        return self._new(
            "RiskAssessment",
            f"{self.chart.key}.risk",
            status="final",
            method={"text": "; ".join(sorted(methods))},
            subject=self._subject,
            occurrenceDateTime=self.day,
            condition=self._reason,
            prediction=[
                {
                    "extension": extensions(method=risk.method),
                    "outcome": {"text": risk.what},
                    "probabilityDecimal": number(risk.chance),
                    "whenRange": {
                        "low": quantity(0, "weeks"),
                        "high": quantity(risk.within_weeks, "weeks"),
                    },
                }
                for risk in self.chart.risks
            ],
        )

    def _provenance(self) -> Json:
        signed = self.chart.signed
        given = range(len(self.session.injections))
        parts = [self._to("MedicationAdministration", f"{self.chart.key}.{n}") for n in given]
        made = self._new(
            "Provenance",
            f"{self.chart.key}.signed",
            target=[self._treatment, *parts],
            recorded=signed.at.isoformat(),
            activity={"text": "recorded as given"},
            agent=[{"who": {"display": signed.by}}],
        )
        del made["identifier"]
        return made


# ---- small parts


def concept(system: str, code: str, shown: str) -> Json:
    """One of our own codes, with its words."""
    return {"coding": [{"system": f"{OWN}/{system}", "code": code}], "text": shown}


def structure(name: str) -> Json:
    """A structure with its side, by our code and in words."""
    return concept("structure", name, words(name))


def extensions(**values: Any) -> list[Json]:
    """Ours, in order; what is not known is left out, and a list gives one for each item."""
    made: list[Json] = []
    for name, value in values.items():
        url = f"{OWN}/StructureDefinition/{name.replace('_', '-')}"
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                made.append(_extension(url, one))
    return made


def _extension(url: str, value: Any) -> Json:
    if isinstance(value, tuple):
        return _extension(url, {str(n): one for n, one in enumerate(value)})
    if isinstance(value, datetime):
        return {"url": url, "valueDateTime": value.isoformat()}
    if not isinstance(value, dict):
        kept = number(value) if isinstance(value, Decimal | float) else value
        return {"url": url, f"value{VALUE[type(value)]}": kept}
    if "value" in value:
        return {"url": url, "valueQuantity": value}
    if "numerator" in value:
        return {"url": url, "valueRatio": value}
    if "reference" in value:
        return {"url": url, "valueReference": value}
    return {"url": url, "extension": [_extension(name, one) for name, one in value.items()]}


def _dilution(session: Any) -> Json:
    """Units in each mL."""
    units = toxin(session.dilution_u_per_ml, session.product)
    return {"dilution": {"numerator": units, "denominator": quantity(1, "mL")}}


def _product(name: str) -> Json:
    found = concept("product", name, name)
    return found | {"text": f"{name} ({product(name).brand})"}


def _term(system: str, code: str) -> Json:
    return {"coding": [{"system": f"{TERMS}/{system}", "code": code}], "text": code}


def _note(words: str) -> list[Json] | None:
    return [{"text": words}] if words else None


def _urn(id_: str) -> str:
    return f"urn:uuid:{id_}"
