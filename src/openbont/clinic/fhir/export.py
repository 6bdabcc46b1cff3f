"""A session as a FHIR R4 Bundle, the same bytes whenever it is the same session.

Products, structures, disorders and scales carry our own codes and their words; ICD-10-CM where one
leaf is determined. What R4 has no place for stands in extensions under https://openbont.org/fhir.
"""

import json
from collections.abc import Iterator

from openbont.clinic.fhir import measured, treatment
from openbont.clinic.fhir.chart import Chart
from openbont.clinic.fhir.codes import OWN
from openbont.clinic.fhir.parts import Names, urn
from openbont.clinic.fhir.units import Json


def text(bundle: Json) -> str:
    """The Bundle as JSON text."""
    return json.dumps(bundle, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def bundle(chart: Chart) -> Json:
    """The Bundle of one session."""
    entries = [{"fullUrl": urn(one["id"]), "resource": one} for one in _resources(chart)]
    return {
        "resourceType": "Bundle",
        "identifier": {"system": f"{OWN}/bundle", "value": chart.key},
        "type": "collection",
        "timestamp": chart.signed.at.isoformat(),
        "entry": entries,
    }


def _resources(chart: Chart) -> Iterator[Json]:
    """All resources, each after those it needs."""
    names = Names(chart)
    yield treatment.patient(names)
    yield treatment.condition(names)
    if chart.plan:
        yield from treatment.plan(names)
    yield from (treatment.vial(names, one) for one in chart.vials)
    yield treatment.preparation(names)
    yield treatment.procedure(names)
    for structure in dict.fromkeys(one.structure for one in chart.session.injections):
        yield treatment.body_structure(names, structure)
    for n, injection in enumerate(chart.session.injections):
        yield treatment.administration(names, n, injection)
    for vial in chart.vials:
        yield from measured.waste(names, vial)
    if chart.weight_kg is not None:
        yield measured.weight(names, chart.weight_kg)
    for n, visit in enumerate(chart.visits):
        yield from measured.visit(names, n, visit)
    for n, event in enumerate(chart.adverse_events):
        yield measured.adverse_event(names, n, event)
    if chart.risks:
        yield measured.risks(names)
    yield measured.provenance(names)
