"""What was asked: how far it is, its result as page, table and report, and away with it."""

import threading
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from openbont.web.accounts import READ, RESEARCH
from openbont.web.context import need, opened, page, user_of
from openbont.web.forest import panels
from openbont.web.jobs import Job, Jobs, Work
from openbont.web.results import About, Result, beside
from openbont.web.studies import for_dark

router = APIRouter()
WHO = need(*RESEARCH)
SEED = 1
Text = Annotated[str, Query(max_length=200)]
Short = Annotated[str, Form(max_length=200)]
Seed = Annotated[int, Form(ge=0, le=2**31 - 1)]
KINDS = {".csv": "text/csv", ".html": "text/html", ".svg": "image/svg+xml"}
MAKING = threading.Lock()


@router.get("/research/jobs/{job}", dependencies=[WHO])
def job_page(request: Request, job: str, disorder: Text = "") -> Response:
    """How far it is; the result when it is done."""
    said, result = found(request, job)
    if result is None:
        return page(request, "job.html", job=said)
    shown = result.data
    if said["kind"] == "validation":
        shown = _of_disorder(result.data, disorder)
    return page(request, f"{said['kind']}.html", job=said, files=sorted(result.files), **shown)


@router.get("/research/jobs/{job}/state", dependencies=[WHO])
def job_state(request: Request, job: str) -> JSONResponse:
    """How far it is, for the page that waits."""
    return JSONResponse(found(request, job)[0])


@router.get("/research/jobs/{job}/files/{name}", dependencies=[WHO])
def file(request: Request, job: str, name: str, dark: bool = False) -> Response:
    """A table or report to be kept, or a picture to be seen; with light ink for a dark page."""
    said, result = found(request, job)
    if result is None or name not in result.files:
        raise _nothing()
    text, _, end = result.files[name], *name.partition(".")[1:]
    if end == "svg":
        return Response(for_dark(text) if dark else text, media_type=KINDS[".svg"])
    saved = {"content-disposition": f'attachment; filename="{said["kind"]}.{end}"'}
    return Response(text, media_type=f"{KINDS[f'.{end}']}; charset=utf-8", headers=saved)


@router.post("/research/jobs/{job}/stop", dependencies=[WHO])
def stop(request: Request, job: str) -> Response:
    """Not wanted any more; it ends where it is."""
    if one := _held(request, job):
        jobs(request).stop(one)
    return RedirectResponse(f"/research/jobs/{job}", 303)


@router.post("/research/jobs/{job}/delete", dependencies=[WHO])
def delete(request: Request, job: str) -> Response:
    """Away with it, by whom it belongs to."""
    about, work = about_of(request, job), jobs(request)
    if one := _held(request, job):
        work.forget(one)
    else:
        work.results.delete(about)
    return RedirectResponse("/research", 303)


def jobs(request: Request) -> Jobs:
    """Those of this server; results are beside its records."""
    state = request.app.state
    with MAKING:
        if not hasattr(state, "jobs"):
            state.jobs = Jobs(beside(opened(request).database))
    held: Jobs = state.jobs
    return held


def mine(request: Request) -> list[dict[str, Any]]:
    """All that was asked by who asks now, the newest first."""
    work, login = jobs(request), user_of(request).login
    told = [_told(one) for one in work.of(login) if _may(request, one)]
    told += [_kept(one) for one in work.results.of(login)]
    return sorted(told, key=lambda one: str(one["at"]), reverse=True)


def about_of(request: Request, job: str) -> About:
    """What was asked; 404 for anybody else."""
    one = _held(request, job)
    about = one.about if one else jobs(request).results.about(job)
    if about is None or about.owner != user_of(request).login:
        raise _nothing()
    return about


def found(request: Request, job: str) -> tuple[dict[str, Any], Result | None]:
    """What is told of a piece of work, and its result when there is one."""
    about = about_of(request, job)
    if one := _held(request, job):
        return _told(one), one.result
    try:
        return _kept(about), jobs(request).results.result(about)
    except (OSError, ValueError):
        raise HTTPException(404, "This result cannot be read any more.") from None


def start(request: Request, about: About, work: Work, keep: bool = True) -> Response:
    """Put it into the queue, and show how far it is."""
    jobs(request).results.room(about.owner)
    jobs(request).start(about, work, keep)
    return RedirectResponse(f"/research/jobs/{about.id}", 303)


def _held(request: Request, job: str) -> Job | None:
    one = jobs(request).held.get(job)
    return one if one and _may(request, one) else None


def _may(request: Request, job: Job) -> bool:
    """What is not kept is about patients of the records."""
    user = user_of(request)
    return job.about.owner == user.login and (job.keep or user.may(*READ))


def _told(job: Job) -> dict[str, Any]:
    return _kept(job.about) | {
        name: getattr(job, name) for name in ("state", "share", "problem", "keep")
    }


def _kept(about: About) -> dict[str, Any]:
    told = {**asdict(about), "state": "kept", "share": 1.0, "problem": "", "keep": True}
    del told["asked"]
    return told


def _nothing() -> HTTPException:
    return HTTPException(404, "There is no such result here.")


def _of_disorder(data: dict[str, Any], disorder: str) -> dict[str, Any]:
    """The rows of one disorder, drawn; of the first that has any where none is chosen."""
    rows = data["rows"]
    there = sorted({row["disorder"] for row in rows})
    named = disorder if disorder in there else there[0]
    ours = [row for row in rows if row["disorder"] == named]
    return {
        **{name: value for name, value in data.items() if name != "rows"},
        "disorders": there,
        "disorder": named,
        "panels": panels([row for row in ours if row["z"] is not None]),
        "missing": [row for row in ours if row["z"] is None],
    }
