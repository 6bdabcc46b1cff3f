"""Resources of what came of a session: waste, weight, readings, events, risks, signature."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from openbont.catalog.muscles import words
from openbont.catalog.scales import scales
from openbont.clinic.fhir.parts import Names, concept, extensions, note, term, urn
from openbont.clinic.fhir.units import Json, number, quantity, toxin
from openbont.clinic.nouns import AdverseEvent, ClinicVisit, Vial
from openbont.patient import Reading

OUTCOMES = {
    "recovered": "resolved",
    "recovering": "recovering",
    "not recovered": "ongoing",
    "fatal": "fatal",
    "not known": "unknown",
}
"""How an adverse event ended: our word -> code of FHIR."""


def waste(names: Names, vial: Vial) -> Iterator[Json]:
    """Units thrown away, one observation each."""
    for n, waste in enumerate(vial.wasted):
        yield _observation(
            names,
            f"{vial.id}.waste.{n}",
            concept("observation", "units-discarded", "Units discarded"),
            waste.date,
            focus=[names.to("Medication", vial.id)],
            performer=[{"display": waste.by}],
            valueQuantity=toxin(waste.units, vial.product),
            note=note(waste.reason),
        )


def weight(names: Names, kilograms: float) -> Json:
    """The weight that doses for children rest on."""
    code = concept("observation", "body-weight", "Body weight")
    weight = quantity(kilograms, "kg")
    return _observation(names, "weight", code, names.session.date, valueQuantity=weight)


def visit(names: Names, n: int, visit: ClinicVisit) -> Iterator[Json]:
    """The readings, then the visit that holds them together."""
    readings = [
        _reading(names, f"visit.{n}.{m}", visit.date, one) for m, one in enumerate(visit.readings)
    ]
    yield from readings
    yield _observation(
        names,
        f"visit.{n}",
        concept("observation", "visit", "Readings at one visit"),
        visit.date,
        extension=extensions(session=visit.session),
        focus=[names.treatment] if visit.session == names.chart.key else None,
        performer=[{"display": visit.by}],
        hasMember=[{"reference": urn(one["id"])} for one in readings],
        note=note(visit.note),
    )


def _reading(names: Names, name: str, day: date, reading: Reading) -> Json:
    scale = scales()[reading.scale]
    value: Json = (
        {"valueCodeableConcept": concept(f"scale/{scale.id}", reading.value, reading.value)}
        if isinstance(reading.value, str)
        else {"valueQuantity": quantity(reading.value, scale.unit)}
    )
    where = concept("where", reading.where, words(reading.where)) if reading.where else None
    code = concept("scale", scale.id, scale.words)
    return _observation(names, name, code, day, bodySite=where, **value)


def _observation(names: Names, name: str, code: Json, day: date, **more: Any) -> Json:
    return names.new(
        "Observation",
        name,
        status="final",
        code=code,
        subject=names.subject,
        effectiveDateTime=str(day),
        **more,
    )


def adverse_event(names: Names, n: int, event: AdverseEvent) -> Json:
    """Something unwanted after the session."""
    seriousness = "serious" if event.serious else "non-serious"
    ours = event.session == names.chart.key
    made = names.new(
        "AdverseEvent",
        f"{names.chart.key}.adverse.{n}",
        extension=extensions(session=event.session, related=event.related, note=event.note or None),
        actuality="actual",
        event={"text": event.what},
        subject=names.subject,
        date=str(event.date),
        seriousness=term("adverse-event-seriousness", seriousness),
        severity=term("adverse-event-severity", event.severity),
        outcome=term("adverse-event-outcome", OUTCOMES[event.outcome]),
        suspectEntity=[{"instance": names.treatment}] if ours else None,
    )
    return made | {"identifier": made["identifier"][0]}


def risks(names: Names) -> Json:
    """Predicted chances, apart from what was observed."""
    methods = {risk.method for risk in names.chart.risks}
    return names.new(
        "RiskAssessment",
        f"{names.chart.key}.risk",
        status="final",
        method={"text": "; ".join(sorted(methods))},
        subject=names.subject,
        occurrenceDateTime=names.day,
        condition=names.reason,
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
            for risk in names.chart.risks
        ],
    )


def provenance(names: Names) -> Json:
    """Who recorded it, and when."""
    signed = names.chart.signed
    given = range(len(names.session.injections))
    parts = [names.to("MedicationAdministration", f"{names.chart.key}.{n}") for n in given]
    made = names.new(
        "Provenance",
        f"{names.chart.key}.signed",
        target=[names.treatment, *parts],
        recorded=signed.at.isoformat(),
        activity={"text": "recorded as given"},
        agent=[{"who": {"display": signed.by}}],
    )
    del made["identifier"]
    return made
