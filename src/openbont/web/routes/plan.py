"""The plan editor: a form that saves itself, and the numbers that follow an edit."""

import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import quote

import numpy as np
from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, Response

from openbont.anatomy.surface import surface
from openbont.catalog.muscles import base, words
from openbont.catalog.needles import needles
from openbont.catalog.products import product, products
from openbont.clinic.records import Records
from openbont.errors import BadInput, NoEvidence, NoPlan, UnknownName
from openbont.evidence import cite, tally
from openbont.forward.exposure import toxin, unsolved
from openbont.patient import Patient
from openbont.plan import Plan
from openbont.planning.check import check
from openbont.planning.limits import limits
from openbont.planning.proposal import Proposal
from openbont.planning.task import dilutions_u_per_ml
from openbont.report.grounds import relevant
from openbont.report.places import APART, marks, places
from openbont.report.words import listed, number, percent
from openbont.web.accounts import READ, SIGN, WRITE
from openbont.web.chart import Chart, chart
from openbont.web.context import TEMPLATES, fragment, need, page, records, user_of
from openbont.web.drafts import Draft, Fields
from openbont.web.edited import fields_of, filled_rows, guidance, plan_of, predicted, sums
from openbont.web.forms import Form, Wrong, Wrongs, at, rows
from openbont.web.live import Live, Ready, one_session
from openbont.web.proposing import Proposing
from openbont.web.steps import filled, stepped

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
        raise HTTPException(403, f"A plan is signed by: {listed(list(SIGN))}.")
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
    """Skin and eyes: counts of corners and triangles, corners in mm, triangles; little-endian."""
    one = _body(request, chart(records(request), patient).patient)
    triangle = np.concatenate([one.triangle, one.eye_triangle])
    head = struct.pack("<II", len(one.vertex_mm), len(triangle))
    content = head + one.vertex_mm.astype("<f4").tobytes() + triangle.astype("<u4").tobytes()
    return Response(content, media_type="application/octet-stream")


@router.post("/patients/{patient}/plan/sites", dependencies=[need(*READ)])
def sites(request: Request, patient: str, form: Form) -> Response:
    """Where each needle enters the skin and ends, in mm; not where a region has its own map."""
    known = chart(records(request), patient)
    plan, _ = plan_of(known, form.fields)
    return JSONResponse({"sites": _sites(request, known.patient, plan) if plan else []})


@router.post("/patients/{patient}/plan/pictures", dependencies=[need(*READ)])
def pictures(request: Request, patient: str, form: Form) -> Response:
    """The regions with their sites, and sections with what the toxin reaches."""
    known = chart(records(request), patient)
    plan, wrong = plan_of(known, form.fields)
    if plan is None:
        raise HTTPException(422, _first_problem(wrong))
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
    planned = known.plan
    form = filled(held, known, STEP, lambda: _first(known), wrong)
    chosen = form.get("product")
    return page(
        request,
        "plan.html",
        status=status,
        who=known.who,
        form=form,
        rows=rows(form.fields, "injections", 0),
        signed=bool(planned and planned[0].state == "signed" and not known.draft(STEP)),
        may_sign=user_of(request).may(*SIGN),
        may_write=user_of(request).may(*WRITE),
        products=[(one.name, f"{one.name} ({one.brand})") for one in products().values()],
        structures=_structures(request, known.patient),
        dilutions=_dilutions(known, chosen),
        several=bool(planned and len(planned[1].sessions) > 1),
    )


def _first(known: Chart) -> Fields:
    """The last plan; where there is none, an empty one for today."""
    if known.plan and len(known.plan[1].sessions) == 1:
        return fields_of(known.plan[1])
    return {"date": known.today.isoformat(), "product": "", "dilution_u_per_ml": "", "note": ""}


def _structures(request: Request, patient: Patient) -> list[dict[str, str]]:
    """What the model of this patient has, by name."""
    try:
        there = _ready(request).wait(patient).model.structures
    except TROUBLE:
        return []
    named = [{"id": one.id, "words": words(one.id), "way": guidance(one.id)} for one in there]
    return sorted(named, key=lambda one: one["words"])


def _dilutions(known: Chart, name: str) -> list[str]:
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
    empty = {"injections.0.structure": "any", "injections.0.dose_u": "0"}
    return {"dilution_u_per_ml": dilution, **({} if filled_rows(fields) else empty)}


def _sites(request: Request, patient: Patient, plan: Plan) -> list[dict[str, Any]]:
    model = _model(request, patient)
    if model is None:
        return []
    whole = [one.model_copy(update={"dose_u": max(one.dose_u, 1.0), "volume_ml": None})
             for one in plan.sessions[0].injections]  # fmt: skip
    session = plan.sessions[0].model_copy(update={"injections": tuple(whole)})
    drawn = marks(unsolved(plan.model_copy(update={"sessions": (session,)}), model.model))
    regions = {one.id: one.region for one in model.model.structures}
    row = [number for number, one in enumerate(whole) for _ in range(one.sites)]
    return [
        {
            "row": number,
            "words": mark.words,
            "structure": mark.structure,
            "at_mm": mark.site_mm.round(1).tolist(),
            "skin_mm": (mark.site_mm if mark.skin_mm is None else mark.skin_mm).round(1).tolist(),
        }
        for number, mark in zip(row, drawn, strict=True)
        if regions[mark.structure] not in APART
    ]


def _body(request: Request, patient: Patient) -> Any:
    """The reference body at the patient's size: that is where the sites of the model lie."""
    model = _model(request, patient)
    size = max(one.size for one in model.model.structures) if model else 1.0
    return surface().scaled(size)


def _model(request: Request, patient: Patient) -> Live | None:
    try:
        return _ready(request).wait(patient)
    except TROUBLE:
        return None


def _proposed(one: Proposal) -> dict[str, Any]:
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


def _ready(request: Request) -> Ready:
    return _kept(request.app, Ready)


def _proposing(request: Request) -> Proposing:
    return _kept(request.app, Proposing)


def _kept(app: FastAPI, kind: type[Held]) -> Held:
    """The one of this kind that the app has; made when it is first wanted."""
    with _LOCK:
        if not hasattr(app.state, kind.__name__):
            setattr(app.state, kind.__name__, kind())
        one: Held = getattr(app.state, kind.__name__)
        return one
