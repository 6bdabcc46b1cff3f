"""Understand: one dose from the needle to the symptom, for students and for patients."""

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from openbont.catalog.muscles import words
from openbont.catalog.products import products
from openbont.report.plain import plain
from openbont.report.words import number, percent
from openbont.web.accounts import READ
from openbont.web.context import need, page

if TYPE_CHECKING:
    from openbont.trials.follow import Followed

router = APIRouter()
WHO = need(*READ, "researcher")
WEEKS = (0, 1, 2, 4, 6, 8, 10, 12, 16, 20, 24, 30, 36)
Number = Annotated[float, Query(allow_inf_nan=False)]
Text = Annotated[str, Query(max_length=100)]
STAGES = (
    ("Captured", "captured_u_per_cm3", "What the needle leaves where"),
    ("Intact SNAP-25", "intact", "The protein that the toxin cuts"),
    ("Release", "release", "Acetylcholine that nerve endings still let go"),
    ("Fibres that fire", "fires", "Muscle fibres that answer one impulse of the nerve"),
    ("Pull", "strength", "What the muscle does: by reflex, and at will"),
)
"""Words, name of the values, title."""


@router.get("/understand", dependencies=[WHO])
def understand(
    request: Request,
    muscle: Text = "flexor_carpi_radialis.left",
    product: Text = "onabotulinumtoxinA",
    nerve: Text = "healthy",
    dose_u: Number | None = None,
    off_mm: Number | None = None,
    volume_ml: Number | None = None,
    safety_factor: Number | None = None,
) -> Response:
    """The page; it works without a script too."""
    from openbont.trials.follow import MUSCLES, conditions, knobs

    asked = {"dose_u": dose_u, "off_mm": off_mm}
    asked |= {"volume_ml": volume_ml, "safety_factor": safety_factor}
    start = {one.name: one.start for one in knobs()}
    if nerve in conditions():
        start["safety_factor"] = conditions()[nerve].safety_factor
    at = {name: start[name] if value is None else value for name, value in asked.items()}
    return page(
        request,
        "understand.html",
        muscle=muscle,
        product=product,
        nerve=nerve,
        muscles=[(name, words(name)) for name in MUSCLES],
        products=list(products()),
        nerves=list(conditions().values()),
        knobs=knobs(),
        at=at,
        stages=STAGES,
        seen=_seen(muscle, product, nerve, at),
    )


@router.get("/understand/course", dependencies=[WHO])
def course(
    muscle: Text,
    product: Text,
    dose_u: Number,
    off_mm: Number,
    volume_ml: Number,
    safety_factor: Number,
    nerve: Text = "healthy",
) -> JSONResponse:
    """The curves of the five stages, for the sliders."""
    at = {"dose_u": dose_u, "off_mm": off_mm}
    at |= {"volume_ml": volume_ml, "safety_factor": safety_factor}
    return JSONResponse(plain(_seen(muscle, product, nerve, at)))


def _seen(muscle: str, product: str, nerve: str, at: dict[str, Any]) -> dict[str, Any]:
    """Curves, the same as a table by week, and a sentence a stage."""
    from openbont.trials.follow import HEALTHY, conditions, follow

    found = follow(muscle, product, nerve=nerve, **at)
    names = ("intact", "release", "fires", "tone", "strength")
    rows = [
        [str(week), *(percent(getattr(found, name)[7 * week]) for name in names)] for week in WEEKS
    ]
    most, middle = found.captured_u_per_cm3[[0, len(found.captured_u_per_cm3) // 2]]
    said = {name: _sentence(found, name) for name in names}
    said["captured"] = (
        f"Where most, {number(most, 'U/cm³', 2)}; half of the muscle captures less than "
        f"{number(middle, 'U/cm³', 2)}."
    )
    said["short"] = _short(found, f"{number(at['dose_u'], 'U')} {product}", words(muscle))
    if nerve != HEALTHY:
        said["short"] += f" In {conditions()[nerve].words} no dose is known to be safe."
    return {"curves": found, "rows": rows, "said": said}


def _short(found: "Followed", dose: str, muscle: str) -> str:
    """All of it in two sentences."""
    (tone, day), (strength, _) = found.least("tone"), found.least("strength")
    return (
        f"{dose} into the {muscle}: by day {day:g} its stiff pull is {percent(tone)} of what it "
        f"was, and its strength at will {percent(strength)}. Strength {_back(found, 'strength')}."
    )


def _sentence(found: "Followed", name: str) -> str:
    """Lowest share, when, and when it is back."""
    least, day = found.least(name)
    return f"Lowest {percent(least)}, on day {day:g}; {_back(found, name)}."


def _back(found: "Followed", name: str) -> str:
    day = found.back(name)
    if day is None:
        return f"is not back at 80 % within {found.day[-1] / 7:.0f} weeks"
    return f"is back at 80 % in week {day / 7:.0f}" if day else "stays above 80 %"
