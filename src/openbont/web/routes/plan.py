"""The plan editor: a form that saves itself, and the numbers that follow an edit.

What needs jax is imported where it is used: the workbench opens before it is loaded.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, HTTPException, Query, Request
from fastapi.responses import JSONResponse, Response

from openbont.catalog.muscles import base, words
from openbont.catalog.names import structures
from openbont.catalog.needles import needles
from openbont.catalog.products import product, products
from openbont.clinic.records import Records
from openbont.errors import BadInput, NoEvidence, NoPlan, UnknownName
from openbont.evidence import cite, tally
from openbont.patient import Patient
from openbont.plan import Plan
from openbont.planning.check import check
from openbont.planning.limits import limits
from openbont.report.grounds import relevant
from openbont.report.papers import as_plan
from openbont.report.words import listed, number, percent
from openbont.web.accounts import READ, SIGN, WRITE
from openbont.web.chart import Chart, chart
from openbont.web.context import TEMPLATES, fragment, need, page, records, refusal, user_of
from openbont.web.drafts import Draft, Fields
from openbont.web.edited import (
    fields_of,
    filled_rows,
    guidance,
    plan_of,
    predicted,
    sessions_of,
    sums,
)
from openbont.web.forms import Form, Wrong, Wrongs, at, rows
from openbont.web.steps import filled, stepped

if TYPE_CHECKING:
    from openbont.planning.proposal import Proposal
    from openbont.web.bodies import Standing
    from openbont.web.live import Live, Ready
    from openbont.web.proposing import Proposing

router = APIRouter()
STEP = "plan"
Held = TypeVar("Held")
_LOCK = threading.Lock()
TROUBLE = (BadInput, NoEvidence, NoPlan, UnknownName)


@router.get("/patients/{patient}/plan", dependencies=[need(*READ)])
def plan_page(request: Request, patient: str) -> Response:
    """The editor, with the draft or the last plan in it."""
    held = records(request)
    return _shown(request, held, chart(held, patient), {})


@router.post("/patients/{patient}/plan", dependencies=[need(*WRITE)])
def save_plan(request: Request, patient: str, form: Form) -> Response:
    """Keep the draft, or sign it; an injector signs."""
    if form.do == "sign" and not user_of(request).may(*SIGN):
        raise refusal(request, f"A plan is signed by: {listed(list(SIGN))}.")
    held = records(request)
    known = chart(held, patient)

    def again(wrong: Wrongs) -> Response:
        return _shown(request, held, known, wrong, 422)

    return stepped(request, held, known, STEP, form, _sign, "inject", again)


@router.post("/patients/{patient}/plan/live", dependencies=[need(*READ)])
def live(request: Request, patient: str, form: Form) -> Response:
    """Everything that follows from what stands in the form; `do` is settled when hands are off."""
    known = chart(records(request), patient)
    plan, wrong = plan_of(known, form.fields)
    answer: dict[str, Any] = {"wrong": {name: _told(one) for name, one in wrong.items()}}
    if plan is not None:
        answer |= _numbers(request, known.patient, plan, form.do == "settled")
        answer["order"] = filled_rows(form.fields)
    return JSONResponse(answer)


@router.get("/patients/{patient}/plan/body", dependencies=[need(*READ)])
def body(request: Request, patient: str) -> Response:
    """Skin and eyes in the patient's own shape, as `bodies.packed` writes them."""
    from openbont.web.bodies import skin

    return _asset(request, skin(_standing(request, chart(records(request), patient).patient)))


@router.get("/patients/{patient}/plan/muscles", dependencies=[need(*READ)])
def muscles(request: Request, patient: str) -> Response:
    """What lies under that skin and is in the model, in the same format."""
    from openbont.web.bodies import muscles as within

    return _asset(request, within(_standing(request, chart(records(request), patient).patient)))


@router.post("/patients/{patient}/plan/sites", dependencies=[need(*READ)])
def sites(request: Request, patient: str, form: Form) -> Response:
    """Where each needle enters the skin and ends, in mm; not where a region has its own map."""
    from openbont.web.placing import needles_of, ways_of

    known = chart(records(request), patient)
    plan, _ = plan_of(known, form.fields)
    live = _model(request, known.patient) if plan else None
    if plan is None or live is None:
        return JSONResponse({"sites": [], "ways": []})
    body = _standing(request, known.patient)
    found = needles_of(plan, live.model)
    template = TEMPLATES.get_template("plan_way.html")
    ways = [
        {"short": way["short"], "whole": template.render(way=way)}
        for way in ways_of(plan, found, body)
    ]
    return JSONResponse({"sites": [one.shown(body) for one in found], "ways": ways})


Millimetres = Annotated[float, Query(ge=-5000, le=5000)]


@router.post("/patients/{patient}/plan/move", dependencies=[need(*READ)])
def move(
    request: Request,
    patient: str,
    form: Form,
    row: Annotated[int, Query(ge=0, le=999)],
    site: Annotated[int, Query(ge=0, le=99)],
    x: Millimetres,
    y: Millimetres,
    z: Millimetres,
    step: Literal["", "up", "down", "left", "right"] = "",
) -> Response:
    """What a row becomes when one of its needles enters at x, y, z, or a step from there."""
    from openbont.web.placing import moved

    known = chart(records(request), patient)
    plan, wrong = plan_of(known, form.fields)
    if plan is None:
        raise HTTPException(422, _first_problem(wrong))
    live, injections = _model(request, known.patient), plan.sessions[0].injections
    if live is None or row >= len(injections) or site >= injections[row].sites:
        raise HTTPException(404, "There is no such site.")
    body = _standing(request, known.patient)
    try:
        return JSONResponse(moved(plan, live.model, body, (row, site), (x, y, z), step))
    except BadInput as error:
        return JSONResponse({"refused": f"{error.problem}; {error.way_out}"})


@router.post("/patients/{patient}/plan/pictures", dependencies=[need(*READ)])
def pictures(request: Request, patient: str, form: Form) -> Response:
    """The regions with their sites, and sections with what the toxin reaches."""
    known = chart(records(request), patient)
    plan, wrong = plan_of(known, form.fields)
    if plan is None:
        raise HTTPException(422, _first_problem(wrong))
    from openbont.forward.exposure import toxin
    from openbont.report.places import places

    drawn = places(toxin(plan, _ready(request).wait(known.patient).model))
    shown = [
        {
            "words": one.summary,
            "title": one.title,
            "address": f"data:image/svg+xml,{quote(one.svg)}",
        }
        for one in drawn
    ]
    return fragment(request, "plan_pictures.html", pictures=shown)


@router.post("/patients/{patient}/plan/propose", dependencies=[need(*WRITE)])
def proposals(request: Request, patient: str, form: Form) -> Response:
    """Proposals for the product and day of the form; asked again until they are there."""
    known = chart(records(request), patient)
    plan, wrong = plan_of(known, {**form.fields, **_some_row(form.fields)})
    if plan is None:
        raise HTTPException(422, _first_problem(wrong))
    asked = plan.sessions[0].product
    work = _proposing(request).begin(known.patient, asked, plan.date)
    if not work.result.done():
        return JSONResponse({"doing": work.doing})
    if problem := work.result.exception():
        if not isinstance(problem, TROUBLE):
            raise problem
        return JSONResponse({"problem": str(problem)})
    return JSONResponse({"proposals": [_proposed(one) for one in work.result.result()]})


@router.post("/patients/{patient}/plan/why", dependencies=[need(*READ)])
def why(request: Request, patient: str, form: Form, what: str) -> Response:
    """What a number rests on: `what` is totals, vials, curves, or a row."""
    known = chart(records(request), patient)
    plan, wrong = plan_of(known, form.fields)
    if plan is None:
        raise HTTPException(422, _first_problem(wrong))
    return fragment(request, "plan_why.html", **_why(request, known.patient, plan, what))


# ---- the page


def _shown(
    request: Request, held: Records, known: Chart, wrong: Wrongs, status: int = 200
) -> Response:
    planned = known.ahead
    form = filled(held, known, STEP, lambda: _first(known), wrong)
    chosen, (structures, problem) = form.get("product"), _structures(request, known.patient)
    return page(
        request,
        "plan.html",
        status=status,
        who=known.who,
        form=form,
        rows=rows(form.fields, "injections", 0),
        ways={one["id"]: one["way"] for one in structures},
        signed=bool(planned and planned[0].state == "signed" and not known.draft(STEP)),
        may_sign=user_of(request).may(*SIGN),
        may_write=user_of(request).may(*WRITE),
        products=[(one.name, f"{one.name} ({one.brand})") for one in products().values()],
        structures=structures,
        problem=problem,
        dilutions=_dilutions(known, chosen),
        several=sessions_of(planned[1]) if planned and len(planned[1].sessions) > 1 else [],
    )


def _first(known: Chart) -> Fields:
    """The plan that is ahead; after a session, what was given then, for today; else nothing yet."""
    if known.ahead and len(known.ahead[1].sessions) == 1:
        return fields_of(known.ahead[1])
    if known.last and not known.ahead:
        given = fields_of(as_plan(known.last[1], known.id))
        return given | {"date": known.today.isoformat()}
    return {"date": known.today.isoformat(), "product": "", "dilution_u_per_ml": "", "note": ""}


def _structures(request: Request, patient: Patient) -> tuple[list[dict[str, Any]], str]:
    """What the model of this patient has, by name; or why there is no model."""
    try:
        there = _ready(request).wait(patient).model.structures
    except TROUBLE as error:
        return [], str(error)
    named = [{"id": one.id, "words": words(one.id), "way": guidance(one.id)} for one in there]
    return sorted(named, key=lambda one: one["words"]), ""


def _dilutions(known: Chart, name: str) -> list[str]:
    from openbont.planning.task import dilutions_u_per_ml

    if name not in products():
        return []
    allowed = limits(known.patient, name, known.today)
    return [f"{one:g}" for one in dilutions_u_per_ml(allowed)]


def _sign(held: Records, known: Chart, draft: Draft) -> Wrongs:
    plan, wrong = plan_of(known, draft.fields)
    if plan is None:
        return wrong
    stops = [one for one in check(plan, known.patient) if one.level == "stop"]
    if stops:
        return {"": Wrong(f"{stops[0].rule}: {stops[0].reason}", stops[0].clears)}
    planned = known.plan
    try:
        if planned and planned[0].state == "draft":
            one = held.change(planned[0].key, plan, planned[0].version)
        else:
            one = held.add(plan, known.id, f"plan-{draft.record}")
        held.sign(one.key, one.version)
    except BadInput as error:
        return at("", error)
    return {}


# ---- numbers


def _numbers(request: Request, patient: Patient, plan: Plan, settled: bool) -> dict[str, Any]:
    with ThreadPoolExecutor(1) as beside:
        coming = beside.submit(_seen, request, patient, plan, settled)
        found = check(plan, patient)
        answer = sums(plan, patient)
    stopped = any(one.level == "stop" for one in found)
    template = TEMPLATES.get_template("plan_findings.html")
    answer |= {"findings": template.render(found=found), "stopped": stopped}
    return answer | ({"state": "stopped"} if stopped else coming.result())


def _seen(request: Request, patient: Patient, plan: Plan, settled: bool) -> dict[str, Any]:
    """Curves and outcome, or why there are none."""
    from openbont.web.live import one_session

    try:
        model = _ready(request).of(patient)
        seen = model.seen(one_session(plan), settled) if model else None
    except TROUBLE as error:
        return {"state": "none", "problem": str(error)}
    if seen is None:
        return {"state": "solving" if model else "preparing"}
    return {"state": "exact" if seen.exact else "near", "predicted": predicted(seen, patient)}


def _told(one: Wrong) -> str:
    return f"{one.problem}; {one.way_out}" if one.way_out else one.problem


def _first_problem(wrong: Wrongs) -> str:
    name, one = next(iter(wrong.items()))
    return f"{name}: {_told(one)}"


def _some_row(fields: Fields) -> Fields:
    """A proposal asks for product and day alone; a plan wants a row."""
    product_ = fields.get("product", "")
    own = product(product_).solution_u_per_ml if product_ in products() else None
    dilution = fields.get("dilution_u_per_ml") or f"{own or 50:g}"
    empty = {"injections.0.structure": min(structures()), "injections.0.dose_u": "0"}
    return {"dilution_u_per_ml": dilution, **({} if filled_rows(fields) else empty)}


def _standing(request: Request, patient: Patient) -> "Standing":
    from openbont.web.bodies import standing

    live = _model(request, patient)
    return standing(patient, live.model if live else None)


def _asset(request: Request, content: bytes) -> Response:
    """Asked for again only where it has changed; kept by this browser alone."""
    from openbont.web.bodies import tag

    headers = {"etag": tag(content), "cache-control": "private, no-cache"}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="application/octet-stream", headers=headers)


def _model(request: Request, patient: Patient) -> "Live | None":
    try:
        return _ready(request).wait(patient)
    except TROUBLE:
        return None


def _proposed(one: "Proposal") -> dict[str, Any]:
    session = one.plan.sessions[0]
    return {
        "title": one.title,
        "total": str(session.dose),
        "why": one.why,
        "instead": one.instead,
        "value": f"{one.revalued:.3f} of at most {one.bound:.3f}",
        "binding": [f"{bound.limit}: {bound.words}" for bound in one.binding],
        "goals": [f"{goal.words}: {percent(goal.reached)}" for goal in one.outcome.goals],
        "rows": [f"{words(i.structure)}: {i.dose_u:g} U in {i.sites}" for i in session.injections],
        "fields": fields_of(one.plan),
    }


# ---- why


def _why(request: Request, patient: Patient, plan: Plan, what: str) -> dict[str, Any]:
    session = plan.sessions[0]
    allowed = limits(patient, session.product, plan.date, plan.disorder)
    if what == "totals":
        lines = [one.reason for one in (*allowed.totals, *allowed.described_totals)]
        rolling = [allowed.rolling_reason] if allowed.rolling_reason else []
        whence = cite(allowed.totals, allowed.described_totals, list(allowed.rolling_sources))
        return {"title": "Totals", "lines": lines + rolling, "sources": whence}
    if what == "vials":
        sold = product(session.product)
        sizes = listed([f"{size:g} U" for size in sold.vials_u])
        line = f"Vials of {sold.name} on sale: {sizes}. Fewest units wasted, then fewest vials."
        return {"title": "Vials", "lines": [line], "sources": cite(sold)}
    if what == "curves":
        return _why_curves(request, patient, plan)
    if not what.isdecimal() or int(what) >= len(session.injections):
        raise HTTPException(404, "Nothing is known of that number.")
    return _why_row(session.injections[int(what)].structure, allowed)


def _why_row(structure: str, allowed: Any) -> dict[str, Any]:
    limit, way = allowed.structure(structure), needles().get(base(structure))
    lines = []
    if limit is not None:
        most = number(limit.max_u, "U") if limit.max_u is not None else "not stated"
        least = number(limit.min_u, "U") if limit.min_u is not None else "not stated"
        lines.append(f"Least {least}, most {most} a side, {limit.basis}, {limit.jurisdiction}.")
    if way is not None:
        lines += [way.landmark, way.approach, f"Avoid: {way.avoid}"]
    sources = [*(limit.sources if limit else ()), *(way.sources if way else ())]
    return {"title": words(structure), "lines": [x for x in lines if x], "sources": cite(sources)}


def _why_curves(request: Request, patient: Patient, plan: Plan) -> dict[str, Any]:
    model = _model(request, patient)
    if model is None:
        return {"title": "Curves", "lines": ["No model of this disorder."], "sources": []}
    used = [product(plan.sessions[0].product)]
    parameters = relevant(model.model.rests_on, used)
    grades = ", ".join(f"{count} {grade}" for grade, count in tally(parameters).items())
    lines = [
        f"{model.model.draws} draws of the model; the band holds the middle 80 %.",
        f"They rest on {len(parameters)} numbers: {grades}.",
    ]
    return {"title": "Curves", "lines": lines, "sources": cite(parameters)}


# ---- what is kept between requests


def _ready(request: Request) -> "Ready":
    from openbont.web.live import Ready

    return _kept(request.app, Ready)


def _proposing(request: Request) -> "Proposing":
    from openbont.web.proposing import Proposing

    return _kept(request.app, Proposing)


def _kept(app: FastAPI, kind: type[Held]) -> Held:
    """The one of this kind that the app has; made when it is first wanted."""
    with _LOCK:
        if not hasattr(app.state, kind.__name__):
            setattr(app.state, kind.__name__, kind())
        one: Held = getattr(app.state, kind.__name__)
        return one
