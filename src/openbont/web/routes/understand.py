"""Understand: one dose from the needle to the symptom, for students and for patients."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from openbont.catalog.muscles import words
from openbont.catalog.products import products
from openbont.report.plain import plain
from openbont.report.words import number, percent
from openbont.web.accounts import READ
from openbont.web.context import need, page

router = APIRouter()
WHO = need(*READ, "researcher")
WEEKS = (0, 1, 2, 4, 6, 8, 10, 12, 16, 20, 24)
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
    dose_u: Number | None = None,
    off_mm: Number | None = None,
    volume_ml: Number | None = None,
    safety_factor: Number | None = None,
) -> Response:
    """The page; it works without a script too."""
    from openbont.trials.follow import MUSCLES, knobs

    asked = {"dose_u": dose_u, "off_mm": off_mm}
    asked |= {"volume_ml": volume_ml, "safety_factor": safety_factor}
    at = {one.name: one.start if asked[one.name] is None else asked[one.name] for one in knobs()}
    return page(
        request,
        "understand.html",
        muscle=muscle,
        product=product,
        muscles=[(name, words(name)) for name in MUSCLES],
        products=list(products()),
        knobs=knobs(),
        at=at,
        stages=STAGES,
        seen=_seen(muscle, product, at),
    )


@router.get("/understand/course", dependencies=[WHO])
def course(
    muscle: Text,
    product: Text,
    dose_u: Number,
    off_mm: Number,
    volume_ml: Number,
    safety_factor: Number,
) -> JSONResponse:
    """The curves of the five stages, for the sliders."""
    at = {"dose_u": dose_u, "off_mm": off_mm}
    at |= {"volume_ml": volume_ml, "safety_factor": safety_factor}
    return JSONResponse(plain(_seen(muscle, product, at)))


def _seen(muscle: str, product: str, at: dict[str, Any]) -> dict[str, Any]:
    """Curves, the same as a table by week, and a sentence a stage."""
    from openbont.trials.follow import follow

    found = follow(muscle, product, **at)
    names = ("intact", "release", "fires", "tone", "strength")
    rows = [
        [str(week), *(percent(getattr(found, name)[7 * week]) for name in names)] for week in WEEKS
    ]
    most, middle = found.captured_u_per_cm3[[0, len(found.captured_u_per_cm3) // 2]]
    said = {name: _sentence(*found.least(name), found.back(name)) for name in names}
    said["captured"] = (
        f"Where most, {number(most, 'U/cm³', 2)}; half of the muscle captures less than "
        f"{number(middle, 'U/cm³', 2)}."
    )
    return {"curves": found, "rows": rows, "said": said}


def _sentence(least: float, day: float, back: float | None) -> str:
    """Lowest share, when, and when it is back."""
    low = f"Lowest {percent(least)}, on day {day:g}"
    if back is None:
        return f"{low}; not back at 80 % within 24 weeks."
    return f"{low}; back at 80 % in week {back / 7:.0f}." if back else f"{low}."
