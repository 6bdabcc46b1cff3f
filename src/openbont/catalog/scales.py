"""Scales and their codings: what a reading means as a number."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

from openbont.catalog.products import read
from openbont.errors import BadInput, UnknownName

TONE = ("MAS", "MAS_0_5", "Ashworth")
"""Scales that grade the tone of a movement."""


@dataclass(frozen=True)
class Scale:
    """Range, direction and coding of one clinical scale."""

    id: str
    words: str
    unit: str
    low: float
    high: float
    better: Literal["lower", "higher"]
    margin: float
    """Smallest difference that matters to patients; 0 where none is known."""
    grades: dict[str, float]
    """Grades as written -> number used in the model; empty for numeric scales."""


@cache
def scales() -> dict[str, Scale]:
    """All scales by id. The two numeric codings of MAS are two scales."""
    return {
        id_: Scale(
            id_,
            row["words"],
            row["unit"],
            float(row["low"]),
            float(row["high"]),
            row["better"],
            float(row.get("margin", 0)),
            {str(grade): float(number) for grade, number in row.get("grades", {}).items()},
        )
        for id_, row in read("scales.yaml").items()
    }


def scale(name: str, place: str = "") -> Scale:
    """The scale called `name`. Raises UnknownName."""
    if name not in scales():
        raise UnknownName(place, "scale", name, scales())
    return scales()[name]


def placed(scale_name: str, where: str) -> str:
    """A scale and where it is read, as one name."""
    return f"{scale_name} at {where}" if where else scale_name


def number(name: str, value: float | str, place: str = "") -> float:
    """A reading as a number in the model's unit. Raises BadInput outside the scale."""
    which = scale(name, place)
    if which.grades:
        grade = f"{value:g}" if isinstance(value, (int, float)) else value
        if grade not in which.grades:
            raise BadInput(
                place, f"{name} has no grade {grade!r}", f"grades: {', '.join(which.grades)}"
            )
        return which.grades[grade]
    if isinstance(value, str):
        raise BadInput(place, f"{name} takes a number (value {value!r})", f"in {which.unit}")
    if not which.low <= value <= which.high:
        raise BadInput(
            place,
            f"{name} of {value:g} {which.unit} is out of range",
            f"{which.low:g} to {which.high:g}",
        )
    return float(value)
