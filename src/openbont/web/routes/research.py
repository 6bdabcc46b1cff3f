"""Research: a virtual trial, published rows against the model, two plans side by side.

What takes long runs in a thread of its own; its page tells how far it is and then shows the result.
"""

import tempfile
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from openbont.catalog.disorders import MODELLED
from openbont.catalog.endpoints import endpoints
from openbont.design import Design
from openbont.errors import BadInput
from openbont.io import load_design, load_patient, load_plan
from openbont.patient import Patient
from openbont.plan import Plan
from openbont.report.plain import plain
from openbont.report.words import band, percent, share_band
from openbont.web.accounts import RESEARCH
from openbont.web.context import need, page, user_of
from openbont.web.jobs import Job, Jobs, Tell
from openbont.web.server import examples

router = APIRouter()
WHO = need(*RESEARCH)
MOST_PEOPLE = 100_000
POWER, DRAWS, SEED = 0.9, 100, 1
LONGEST = 100_000
Pasted = Annotated[str, Form(max_length=LONGEST)]
Short = Annotated[str, Form(max_length=100)]
Seed = Annotated[int, Form(ge=0, le=2**31 - 1)]
Noun = TypeVar("Noun", Patient, Plan, Design)


@router.get("/research", dependencies=[WHO])
def research(request: Request) -> Response:
    """What can be asked, and what was asked."""
    mine = jobs(request).of(user_of(request).login)
    return page(request, "research.html", jobs=[_told(one) for one in mine])


# ---- a virtual trial


@router.get("/research/trial", dependencies=[WHO])
def trial_form(
    request: Request, example: Annotated[str, Query(max_length=60)] = "preempt"
) -> Response:
    """A design to be changed, from an example."""
    texts = designs()
    if example not in texts:
        raise HTTPException(404, f"There is no such example; there are: {', '.join(texts)}.")
    return _trial(request, texts[example], example)


@router.post("/research/trial", dependencies=[WHO])
def trial(request: Request, design: Pasted, seed: Seed = SEED) -> Response:
    """Start the trial, or say what is wrong in the design."""
    try:
        asked = bounded(parsed(design, load_design, "trial.yaml"))
    except BadInput as wrong:
        return _trial(request, design, "", str(wrong), 422)

    def work(tell: Tell) -> Any:
        from openbont.trials.run import run_trial

        return run_trial(asked, seed, tell)

    return _start(request, "trial", asked.name, work)


def bounded(design: Design) -> Design:
    """The design, if the workbench can run it in minutes. Raises BadInput."""
    people = design.patients * design.replicates * len(design.arms)
    if people > MOST_PEOPLE:
        way_out = "fewer patients or replicates, or run it with: openbont trial"
        raise BadInput("trial", f"{people:,} people; here at most {MOST_PEOPLE:,}", way_out)
    return design


def _trial(
    request: Request, text: str, example: str, problem: str = "", status: int = 200
) -> Response:
    return page(
        request,
        "trial_form.html",
        status=status,
        text=text,
        example=example,
        examples=list(designs()),
        problem=problem,
        most=MOST_PEOPLE,
        seed=SEED,
    )


# ---- published rows


@router.get("/research/validation", dependencies=[WHO])
def validation_form(request: Request) -> Response:
    """How well published trials are predicted, and how to ask."""
    return page(request, "validation_form.html", disorders=published())


@router.post("/research/validation", dependencies=[WHO])
def validation(request: Request, disorder: Short = "", seed: Seed = SEED) -> Response:
    """Predict every scored row of one disorder, or of all."""
    if disorder and disorder not in published():
        problem = f"nothing was published about {disorder!r}"
        raise BadInput("disorder", problem, f"known: {', '.join(published())}")

    def work(tell: Tell) -> Any:
        from openbont.trials.validate import validate

        return validate(None, disorder, seed, tell)

    return _start(request, "validation", disorder or "all disorders", work)


@cache
def published() -> tuple[str, ...]:
    """Disorders with scored rows."""
    return tuple(sorted({row.disorder for row in endpoints() if row.scored}))


# ---- two plans


@router.get("/research/compare", dependencies=[WHO])
def compare_form(
    request: Request, example: Annotated[str, Query(max_length=60)] = "arm_after_stroke"
) -> Response:
    """Two plans for one invented patient; both begin as the example's own."""
    known = patients()
    if example not in known:
        raise HTTPException(404, f"There is no such example; there are: {', '.join(known)}.")
    plan = (examples() / example / "plan.yaml").read_text("utf-8")
    return _compare(request, example, plan, plan)


@router.post("/research/compare", dependencies=[WHO])
def compare(request: Request, example: Short, first: Pasted, second: Pasted) -> Response:
    """Start the comparison, or say what is wrong in a plan."""
    try:
        patient = _patient(example)
        plans = [
            _for(patient, parsed(text, load_plan, name))
            for text, name in ((first, "first.yaml"), (second, "second.yaml"))
        ]
    except BadInput as wrong:
        return _compare(request, example, first, second, str(wrong), 422)

    def work(tell: Tell) -> Any:
        from openbont.planning.compare import compared

        found = compared(plans[0], plans[1], patient, DRAWS, SEED)
        tell(1.0)
        return found

    return _start(request, "comparison", f"two plans for {example.replace('_', ' ')}", work)


def _patient(example: str) -> Patient:
    if example not in patients():
        raise BadInput("example", "no such patient", f"known: {', '.join(patients())}")
    return load_patient(examples() / example / "patient.yaml")


def _for(patient: Patient, plan: Plan) -> Plan:
    if plan.patient != patient.id:
        problem = f"the plan is for {plan.patient!r}, the patient is {patient.id!r}"
        raise BadInput("plan: patient", problem, f"write patient: {patient.id}")
    return plan


def _compare(
    request: Request, example: str, first: str, second: str, problem: str = "", status: int = 200
) -> Response:
    return page(
        request,
        "compare_form.html",
        status=status,
        example=example,
        examples=list(patients()),
        first=first,
        second=second,
        problem=problem,
        draws=DRAWS,
    )


# ---- work and its result


@router.get("/research/jobs/{job}", dependencies=[WHO])
def job_page(request: Request, job: str) -> Response:
    """How far it is; the result when it is done."""
    found = mine(request, job)
    told = _told(found)
    if found.state != "done":
        return page(request, "job.html", job=told)
    return page(request, f"{found.kind}.html", job=told, **_SHOWN[found.kind](found.result))


@router.get("/research/jobs/{job}/state", dependencies=[WHO])
def job_state(request: Request, job: str) -> JSONResponse:
    """How far it is, for the page that waits."""
    return JSONResponse(_told(mine(request, job)))


@router.post("/research/jobs/{job}/stop", dependencies=[WHO])
def stop(request: Request, job: str) -> Response:
    """Not wanted any more; it ends at its next step."""
    mine(request, job).wanted = False
    return RedirectResponse("/research", 303)


@router.get("/research/jobs/{job}/report.html", dependencies=[WHO])
def report(request: Request, job: str) -> Response:
    """The report as a page of its own, to be kept: the same as on the command line."""
    found = mine(request, job)
    if found.state != "done" or found.kind not in _WRITTEN:
        raise HTTPException(404, "There is no such report.")
    with tempfile.TemporaryDirectory() as folder:
        content = _WRITTEN[found.kind](Path(folder), found.result).read_bytes()
    saved = {"content-disposition": f'attachment; filename="{found.kind}.html"'}
    return Response(content, media_type="text/html; charset=utf-8", headers=saved)


def jobs(request: Request) -> Jobs:
    """Those of this server."""
    state = request.app.state
    if not hasattr(state, "jobs"):
        state.jobs = Jobs()
    held: Jobs = state.jobs
    return held


def mine(request: Request, job: str) -> Job:
    """A job of who asks; 404 where there is none."""
    found = jobs(request).held.get(job)
    if found is None or found.owner != user_of(request).login:
        raise HTTPException(404, "There is no such work; results are forgotten when we stop.")
    return found


def _start(request: Request, kind: str, words: str, work: Callable[[Tell], Any]) -> Response:
    job = jobs(request).start(user_of(request).login, kind, words, work)
    return RedirectResponse(f"/research/jobs/{job.id}", 303)


def _told(job: Job) -> dict[str, Any]:
    return {
        name: getattr(job, name) for name in ("id", "kind", "words", "state", "share", "problem")
    }


def _trial_shown(result: Any) -> dict[str, Any]:
    from openbont.report.trials import endpoint_words, sizes, trial_picture

    tables = [
        (endpoint_words(track), [row for row in result.rows() if _of(row, track)])
        for track in result.tracks
    ]
    picture = trial_picture(result)
    return {
        "design": result.design,
        "seed": result.seed,
        "tables": tables,
        "sizes": sizes(result, POWER),
        "summary": picture.summary,
        "image": f"data:image/svg+xml;base64,{b64encode(picture.svg.encode()).decode()}",
    }


def _of(row: dict[str, Any], track: Any) -> bool:
    return (row["scale"], row["where"], row["rule"]) == (track.scale, track.where, track.rule)


def _validation_shown(found: Any) -> dict[str, Any]:
    return {"said": found.summary(), "seed": found.seed, "evidence": str(found.evidence)}


def _compared_shown(found: Any) -> dict[str, Any]:
    first, second = _judged(found.plan), _judged(found.reference)
    names = dict.fromkeys([*first, *second])
    rows = [(name, first.get(name, "-"), second.get(name, "-")) for name in names]
    findings = {"First plan": found.plan.findings, "Second plan": found.reference.findings}
    return {"rows": rows, "findings": findings, "draws": DRAWS}


def _judged(side: Any) -> dict[str, str]:
    """What one plan reaches, leaves and spills, in words."""
    rows = {
        "Total": ", ".join(str(dose) for dose in side.totals.values()),
        "Needle sites": str(side.needles),
        "Part of the wanted effect": percent(side.effect),
    }
    rows |= {
        f"{one.words}: weeks at the goal": band(one.benefit.weeks) for one in side.outcome.goals
    }
    rows |= {f"Keeps {one.words}": share_band(one.kept) for one in side.outcome.unwanted}
    return rows | {f"Spares {one.ceiling.words}": percent(one.kept) for one in side.spill}


def _trial_written(folder: Path, result: Any) -> Path:
    from openbont.report.trials import sizes, write_trial

    return write_trial(folder, result, plain(sizes(result, POWER)))


def _validation_written(folder: Path, found: Any) -> Path:
    from openbont.report.validation import write_validation

    return write_validation(folder, found)


_SHOWN: dict[str, Callable[[Any], dict[str, Any]]] = {
    "trial": _trial_shown,
    "validation": _validation_shown,
    "comparison": _compared_shown,
}
_WRITTEN: dict[str, Callable[[Path, Any], Path]] = {
    "trial": _trial_written,
    "validation": _validation_written,
}


# ---- files


@cache
def designs() -> dict[str, str]:
    """Designs among the examples, as text."""
    files = sorted((examples() / "trials").glob("*.yaml"))
    return {file.stem: file.read_text("utf-8") for file in files}


@cache
def patients() -> tuple[str, ...]:
    """Examples with a patient whose disorder has a model, and a plan."""
    folders = sorted(file.parent for file in examples().glob("*/plan.yaml"))
    there = [one for one in folders if (one / "patient.yaml").is_file()]
    return tuple(one.name for one in there if _modelled(one))


def _modelled(folder: Path) -> bool:
    return load_patient(folder / "patient.yaml").disorder.name in MODELLED


def parsed(text: str, load: Callable[[Path], Noun], name: str) -> Noun:
    """What pasted text says, read as a file would be. Raises BadInput with place and line."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_text(text, "utf-8")
        return load(file)
