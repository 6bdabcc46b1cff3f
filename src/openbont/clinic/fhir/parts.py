"""Small parts of FHIR resources, and the names that resources of one chart have."""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from openbont.catalog.muscles import words
from openbont.catalog.products import product as find_product
from openbont.clinic.fhir.chart import Chart
from openbont.clinic.fhir.codes import OWN
from openbont.clinic.fhir.units import Json, number, quantity, toxin

TERMS = "http://terminology.hl7.org/CodeSystem"
VALUE = {bool: "Boolean", int: "Integer", str: "String", Decimal: "Decimal", float: "Decimal"}


class Names:
    """The names of the resources of one chart, the same whenever it is the same session."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self.session = chart.session
        self.day = str(chart.session.date)

    def new(self, kind: str, key: str, /, **more: Any) -> Json:
        """A resource with its id and its key."""
        known = {"system": f"{OWN}/key", "value": key}
        found = {"resourceType": kind, "id": self.id_of(kind, key), "identifier": [known]}
        return {
            **found,
            **{field: value for field, value in more.items() if value not in ([], None)},
        }

    def id_of(self, kind: str, name: str) -> str:
        """The id of a resource, from its kind and key."""
        whole = f"{OWN}/{self.chart.person.id}/{self.chart.key}/{kind}/{name}"
        return str(uuid.uuid5(uuid.NAMESPACE_URL, whole))

    def to(self, kind: str, name: str) -> Json:
        """A reference to a resource."""
        return {"reference": urn(self.id_of(kind, name))}

    @property
    def subject(self) -> Json:
        """A reference to the patient."""
        return self.to("Patient", self.chart.person.id)

    @property
    def reason(self) -> Json:
        """A reference to what is treated."""
        return self.to("Condition", self.chart.disorder.name)

    @property
    def treatment(self) -> Json:
        """A reference to the session."""
        return self.to("Procedure", self.chart.key)


def concept(system: str, code: str, shown: str) -> Json:
    """One of our own codes, with its words."""
    return {"coding": [{"system": f"{OWN}/{system}", "code": code}], "text": shown}


def site(name: str) -> Json:
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


def dilution(session: Any) -> Json:
    """Units in each mL."""
    units = toxin(session.dilution_u_per_ml, session.product)
    return {"dilution": {"numerator": units, "denominator": quantity(1, "mL")}}


def product(name: str) -> Json:
    """A product by our code, with its brand in words."""
    found = concept("product", name, name)
    return found | {"text": f"{name} ({find_product(name).brand})"}


def term(system: str, code: str) -> Json:
    """One of HL7's own codes."""
    return {"coding": [{"system": f"{TERMS}/{system}", "code": code}], "text": code}


def note(words: str) -> list[Json] | None:
    """Words as a note; None for none."""
    return [{"text": words}] if words else None


def urn(id_: str) -> str:
    """The full name of a resource."""
    return f"urn:uuid:{id_}"
