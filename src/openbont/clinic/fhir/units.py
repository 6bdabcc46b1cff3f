"""Quantities: UCUM where it has the unit, `[arb'U]` with the product named for units of toxin.

Arbitrary units are not commensurable, which is right: a unit belongs to its product. `U` is an
enzyme unit in UCUM and `[iU]` an international one; neither is a unit of toxin.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from openbont.clinic.words import units_in

UCUM = "http://unitsofmeasure.org"
ARBITRARY = "[arb'U]"
CODES = {
    "mL": "mL",
    "mm": "mm",
    "cm": "cm",
    "kg": "kg",
    "mg": "mg",
    "h": "h",
    "%": "%",
    "days": "d",
    "weeks": "wk",
    "months": "mo",
    "degrees": "deg",
    "cmH2O": "cm[H2O]",
    "g/min": "g/min",
    "prism dioptres": "[p'diop]",
    "% predicted": "%",
    "grade": "{grade}",
    "points": "{score}",
    "T score": "{Tscore}",
}
"""Unit as we write it -> UCUM; a unit that is not here is sent in words."""

Json = dict[str, Any]


def number(value: Decimal | float) -> int | float:
    """A number as JSON writes it, without a trailing .0; exact for what our nouns hold."""
    return int(value) if value == int(value) else float(value)


def quantity(value: Decimal | float, unit: str) -> Json:
    """An amount in one of our units."""
    coded = {"system": UCUM, "code": CODES[unit]} if unit in CODES else {}
    named = {"unit": unit} if unit else {}
    return {"value": number(value), **named, **coded}


def toxin(units: Decimal | float, product: str) -> Json:
    """Units of one product."""
    unit = {"unit": f"U {product}", "system": UCUM, "code": ARBITRARY}
    return {"value": number(units), **unit}


def value_of(found: Mapping[str, Any]) -> Decimal:
    """The number of a quantity, as it was written."""
    return Decimal(str(found["value"]))


def toxin_of(found: Any, product: str) -> Decimal | None:
    """Units of `product` in a quantity; None for any other unit, and for a number in words."""
    if not isinstance(found, Mapping) or isinstance(found.get("value"), bool | str | None):
        return None
    unit, code = str(found.get("unit", "")), str(found.get("code", ""))
    if code and (found.get("system") != UCUM or code != ARBITRARY):
        return None
    return units_in(format(value_of(found), "f"), unit or code, product)
