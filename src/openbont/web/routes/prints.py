"""Papers of a patient: injection sheet, visit note, the patient's page, as PDF or as data."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from openbont.clinic.nouns import GivenSession
from openbont.plan import Plan
from openbont.report.plain import plain
from openbont.report.words import day
from openbont.web.accounts import READ
from openbont.web.chart import Chart, chart
from openbont.web.context import need, page, records

router = APIRouter()
PDF = "application/pdf"


@router.get("/patients/{patient}/papers", dependencies=[need(*READ)])
def papers(request: Request, patient: str) -> Response:
    """What can be printed and exported for one patient."""
    known = chart(records(request), patient)
    return page(
        request,
        "papers.html",
        who=known.who,
        step="papers",
        plans=[_plan(held, plan) for held, plan in reversed(known.of(Plan))],
        sessions=[_session(held, one) for held, one in reversed(known.of(GivenSession))],
    )


@router.get("/patients/{patient}/papers/{key}/sheet.pdf", dependencies=[need(*READ)])
def sheet(
    request: Request, patient: str, key: str, session: Annotated[int, Query(ge=1, le=60)] = 1
) -> Response:
    """The injection sheet of one session of a plan; a stopped plan's sheet says so."""
    from openbont.report import papers as paper
    from openbont.report.sheet import TEMPLATES

    held = records(request)
    of_patient(chart(held, patient), key)
    return _paper(request, paper.sheet(paper.case(held, key), session - 1), TEMPLATES, "sheet")


@router.get("/patients/{patient}/papers/{key}/note.pdf", dependencies=[need(*READ)])
def note(request: Request, patient: str, key: str) -> Response:
    """The visit note of a session that was given."""
    from openbont.report import papers as paper
    from openbont.report.note import TEMPLATES

    held = records(request)
    of_patient(chart(held, patient), key)
    return _paper(request, paper.note(held, key), TEMPLATES, "note")


@router.get("/patients/{patient}/papers/{key}/leaflet.pdf", dependencies=[need(*READ)])
def leaflet(
    request: Request, patient: str, key: str, phone: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    """The patient's page, of a plan or of a session that was given."""
    from openbont.report import papers as paper
    from openbont.report.leaflet import TEMPLATES

    held = records(request)
    of_patient(chart(held, patient), key)
    return _paper(request, paper.leaflet(paper.case(held, key), phone), TEMPLATES, "leaflet")


def of_patient(known: Chart, key: str) -> Any:
    """The record of this patient with that key; 404 where there is none."""
    from fastapi import HTTPException

    found = next((one for one in known.held if one.key == key), None)
    if found is None:
        raise HTTPException(404, "This patient has no such record.")
    return found


def _paper(request: Request, said: Any, templates: Any, name: str) -> Response:
    """The paper as PDF; what it says, as data."""
    from openbont.report.page import pdf

    if request.state.as_json:
        return JSONResponse(plain(said))
    shown = {"content-disposition": f'inline; filename="{name}.pdf"'}
    return Response(pdf(said, templates), media_type=PDF, headers=shown)


def _plan(held: Any, plan: Plan) -> dict[str, Any]:
    doses = "; ".join(str(dose) for dose in plan.totals().values())
    when, count = day(plan.date), len(plan.sessions)
    return {"key": held.key, "state": held.state, "day": when, "doses": doses, "sessions": count}


def _session(held: Any, one: GivenSession) -> dict[str, Any]:
    dose = f"{one.units.normalize():f} U {one.product}"
    return {"key": held.key, "day": day(one.date), "dose": dose}
