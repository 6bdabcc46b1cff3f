"""Data out of the workbench: FHIR and Python of one patient; tables without names for research."""

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from openbont.plan import Plan
from openbont.web.accounts import READ, RESEARCH
from openbont.web.chart import chart
from openbont.web.context import need, page, records
from openbont.web.routes.prints import of_patient

router = APIRouter()
WORDS = {
    "patients": "age, sex, weight, disorder",
    "injections": "product, structure, units, sites, volume",
    "readings": "scales, diaries, with where and when",
    "adverse_events": "severity, relation, outcome",
    "reports": "onset, peak and end as patients felt them",
}


@router.get("/patients/{patient}/papers/{key}/fhir", dependencies=[need(*READ)])
def fhir(request: Request, patient: str, key: str) -> Response:
    """A session that was given, as a FHIR R4 Bundle."""
    from openbont.clinic.fhir.export import bundle, text
    from openbont.clinic.fhir.gather import gathered

    held = records(request)
    of_patient(chart(held, patient), key)
    made = text(bundle(gathered(held, key)))
    return _file(made, "application/fhir+json", "session.json")


@router.get("/patients/{patient}/papers/{key}/python", dependencies=[need(*READ)])
def python(request: Request, patient: str, key: str) -> Response:
    """A plan as Python that gives the same numbers."""
    from openbont.report.script import DRAWS, SEED, script

    known = chart(records(request), patient)
    plan = of_patient(known, key).noun
    if not isinstance(plan, Plan):
        raise HTTPException(404, "This patient has no such plan.")
    text = script(plan, known.patient)
    return page(
        request, "python.html", who=known.who, step="papers", text=text, draws=DRAWS, seed=SEED
    )


@router.get("/data", dependencies=[need(*RESEARCH)])
def data(request: Request) -> Response:
    """What can be taken out for research, and how people are hidden in it."""
    tables = _tables(request)
    rows = [(name, WORDS[name], text.count("\n") - 1) for name, text in tables.items()]
    return page(request, "data.html", tables=rows)


@router.get("/data/research.zip", dependencies=[need(*RESEARCH)])
def everything(request: Request) -> Response:
    """All tables in one archive, the same bytes for the same records."""
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, text in _tables(request).items():
            archive.writestr(ZipInfo(f"{name}.csv"), text)
    return _file(out.getvalue(), "application/zip", "research.zip")


@router.get("/data/{table}.csv", dependencies=[need(*RESEARCH)])
def table(request: Request, table: str) -> Response:
    """One table as CSV."""
    tables = _tables(request)
    if table not in tables:
        raise HTTPException(404, f"There is no such table; there are: {', '.join(tables)}.")
    return _file(tables[table], "text/csv; charset=utf-8", f"{table}.csv")


def _tables(request: Request) -> dict[str, str]:
    from openbont.clinic.research import research, secret_of

    held = records(request)
    return research(held.all(), secret_of(held))


def _file(content: str | bytes, kind: str, name: str) -> Response:
    saved = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=kind, headers=saved)
