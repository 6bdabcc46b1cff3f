"""Predicted against observed: the last session, as it was expected and as it was read."""

from collections import OrderedDict
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

from openbont.catalog.overview import overview
from openbont.clinic.held import Held
from openbont.errors import BadInput, NoEvidence, UnknownName
from openbont.report.observed import Compared, observed
from openbont.web.accounts import READ
from openbont.web.chart import Chart, chart
from openbont.web.context import need, page, records

router = APIRouter()
KEPT = 8
"""Comparisons that are not worked out again while nothing new was recorded."""


@router.get("/patients/{patient}/followup/observed", dependencies=[need(*READ)])
def predicted(request: Request, patient: str) -> Response:
    """What was expected of the last session beside what was read since; takes some seconds."""
    known = chart(records(request), patient)
    return page(
        request,
        "observed.html",
        who=known.who,
        session=known.last,
        misfit=overview()[known.patient.disorder.name].misfit,
        **_compared(request.app, known),
    )


def _compared(app: FastAPI, known: Chart) -> dict[str, Any]:
    if known.last is None:
        return {"compared": None, "picture": "", "problem": ""}
    try:
        found = _kept(app, known.last[0].key, known.held)
    except (BadInput, NoEvidence, UnknownName) as error:
        return {"compared": None, "picture": "", "problem": str(error)}
    drawn = f"data:image/svg+xml,{quote(found.drawn.svg)}" if found.drawn else ""
    return {"compared": found, "picture": drawn, "problem": ""}


def _kept(app: FastAPI, key: str, held: tuple[Held, ...]) -> Compared:
    """Worked out once for the same records."""
    if not hasattr(app.state, "compared"):
        app.state.compared = OrderedDict()
    kept: OrderedDict[Any, Compared] = app.state.compared
    state = (key, tuple((one.key, one.version) for one in held))
    if state not in kept:
        kept[state] = observed(held, key)
        while len(kept) > KEPT:
            kept.popitem(last=False)
    return kept[state]
