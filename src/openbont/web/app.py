"""The workbench as an application: guard, errors in words, pages."""

import time
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as StarletteHTTPException

from openbont.clinic.held import Held
from openbont.clinic.records import Records
from openbont.errors import BadInput, Busy, EditConflict, NoEvidence, NoPlan, NotStored
from openbont.frozen import Noun
from openbont.web.accounts import IDLE_S, Sessions, Throttle
from openbont.web.context import HERE, page
from openbont.web.drafts import Draft, Fields
from openbont.web.forms import flat
from openbont.web.guard import LOOPBACK, Guard, log_without_values
from openbont.web.openapi import describe
from openbont.web.readers import Readers
from openbont.web.routes import (
    admin,
    compare,
    data,
    eligibility,
    followup,
    goals,
    inject,
    login,
    observed,
    patients,
    plan,
    prints,
    research,
    results,
    today,
    understand,
    vials,
)
from openbont.web.routes import next as next_visit

PAGES = (
    login,
    today,
    patients,
    eligibility,
    goals,
    plan,
    inject,
    followup,
    observed,
    next_visit,
    vials,
    admin,
    understand,
    prints,
    data,
    research,
    compare,
    results,
)
"""Each module of `routes` brings its own router."""


def create_app(
    open_records: Callable[[str], Records],
    *,
    demo: bool = False,
    hosts: frozenset[str] = LOOPBACK,
    tls: bool = False,
    idle_s: float = IDLE_S,
    clock: Callable[[], float] = time.monotonic,
) -> FastAPI:
    """The workbench over the records that `open_records` opens in a name."""
    app = FastAPI(
        title="OpenBoNT workbench",
        docs_url=None,
        redoc_url=None,
        telemetry={"auto_configure": False},
    )
    app.state.open_records, app.state.records = open_records, None
    app.state.demo, app.state.tls, app.state.readers = demo, tls, Readers()
    app.state.sessions, app.state.throttle = Sessions(clock, idle_s), Throttle(clock)
    app.add_middleware(Guard, sessions=app.state.sessions, hosts=hosts, tls=tls)
    _pages(app)
    _errors(app)
    describe(app)
    return app


def _pages(app: FastAPI) -> None:
    app.mount("/static", StaticFiles(directory=HERE / "static"))
    for module in PAGES:
        app.include_router(module.router)
    routes = (route for module in PAGES for route in module.router.routes)
    app.state.paths = {getattr(route, "path", "") for route in routes}


# ---- errors in words

STATUS: dict[type[Exception], int] = {
    EditConflict: 409,
    Busy: 503,
    NotStored: 500,
    BadInput: 422,
    NoPlan: 422,
    NoEvidence: 422,
}


def _errors(app: FastAPI) -> None:
    for kind in STATUS:
        app.add_exception_handler(kind, _ours)
    app.add_exception_handler(StarletteHTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)


def _ours(request: Request, error: Exception) -> Response:
    """An error of the house: place, problem, way out."""
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    if status == 500:
        log_without_values(error)
    if isinstance(error, EditConflict):
        return _conflict(request, error)
    said = {name: getattr(error, name, "") for name in ("place", "problem", "way_out")}
    return _wrong(request, status, said if said["problem"] else {**said, "problem": str(error)})


def _conflict(request: Request, error: EditConflict) -> Response:
    """Both versions side by side; what was typed goes along, so that nothing is lost."""
    mine, theirs = fields_of(error.yours), fields_of(error.theirs)
    rows = [
        {
            "name": name,
            "mine": mine.get(name, ""),
            "theirs": theirs.get(name, ""),
            "same": mine.get(name, "") == theirs.get(name, ""),
        }
        for name in dict.fromkeys((*theirs, *mine))
        if mine.get(name) or theirs.get(name)
    ]
    return page(
        request,
        "conflict.html",
        status=409,
        by=error.theirs.by,
        at=error.theirs.at,
        version=error.theirs.version,
        seen=error.seen,
        rows=rows,
        mine=mine,
        typed=isinstance(error.yours, Draft),
        signed=isinstance(error.theirs, Draft) and not theirs,
    )


def fields_of(version: Any) -> Fields:
    """A form, a record or what one says, as names and values."""
    if isinstance(version, Draft):
        return version.fields
    noun = version.noun if isinstance(version, Held) else version
    return flat(noun.model_dump(mode="json")) if isinstance(noun, Noun) else {}


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    return _wrong(request, error.status_code, {"problem": str(error.detail)})


def _invalid(request: Request, error: Exception) -> Response:
    """What FastAPI itself refused."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(step) for step in first["loc"][1:])
    return _wrong(request, 422, {"place": place, "problem": first["msg"]})


def _wrong(request: Request, status: int, said: dict[str, str]) -> Response:
    error = {"place": "", "problem": "", "way_out": "", **said}
    return page(request, "error.html", status=status, error=error)
