"""Inject: what was really given, from which vials, where it left the signed plan and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from openbont.catalog.names import structures
from openbont.catalog.products import product
from openbont.clinic.giving import differences
from openbont.clinic.nouns import GivenSession, Vial, Waste
from openbont.clinic.records import Records
from openbont.clinic.vials import choose
from openbont.errors import BadInput
from openbont.plan import Plan, Session
from openbont.report.words import counted
from openbont.web.accounts import READ, SIGN, STOCK, WRITE
from openbont.web.chart import Chart, chart
from openbont.web.context import need, page, records, refusal, user_of
from openbont.web.drafts import Draft, Fields
from openbont.web.forms import (
    TEXT,
    Form,
    Wrong,
    Wrongs,
    at,
    begun,
    in_row,
    made,
    nested,
    number,
    rows,
    takes,
    unfinished,
)
from openbont.web.routes.eligibility import OR_EMPTY, found
from openbont.web.steps import filled, stepped

router = APIRouter()
STEP = "inject"
GUIDANCE = ("palpation", "EMG", "ultrasound", "stimulation", "endoscopy", "other")
AMOUNTS = ("structure", "units", "volume_ml")
WASTE = ("units", "reason")
PLAIN = ("date", "product", "diluent", "clinic", "injector", "note")


@dataclass(frozen=True)
class Due:
    """The signed plan, and the session of it that is due."""

    key: str
    plan: Plan
    session: Session


@router.get("/patients/{patient}/inject", dependencies=[need(*READ)])
def inject(request: Request, patient: str) -> Response:
    """What is due as a form; what was given as a record."""
    held = records(request)
    return _shown(request, held, chart(held, patient), {})


@router.post(
    "/patients/{patient}/inject", dependencies=[need(*WRITE)], openapi_extra=takes(GivenSession)
)
def give(request: Request, patient: str, form: Form) -> Response:
    """Keep the draft, or record what was given."""
    held = records(request)
    known = chart(held, patient)
    if form.do == "sign" and not user_of(request).may(*SIGN):
        raise refusal(request, "What was given is signed by an injector. Save it as a draft.")

    def again(wrong: Wrongs) -> Response:
        return _shown(request, held, known, wrong, 422)

    return stepped(request, held, known, STEP, form, _sign, "inject", again)


@router.post(
    "/patients/{patient}/inject/waste",
    dependencies=[need(*STOCK)],
    openapi_extra=takes(Waste, only=WASTE, vial=TEXT),
)
def waste(request: Request, patient: str, form: Form) -> Response:
    """Throw away what is left in a vial."""
    held = records(request)
    known = chart(held, patient)
    throw_away(held, form.fields, form.seen)
    return RedirectResponse(f"/patients/{known.id}/inject", 303)


def throw_away(held: Records, fields: Fields, seen: int) -> None:
    """Units of a vial, with the reason."""
    today = held.now().astimezone().date().isoformat()
    said = {"units": fields.get("units", ""), "reason": fields.get("reason", "")}
    thrown, wrong = made(Waste, {**said, "date": today, "by": held.by})
    if thrown is None:
        name, first = next(iter(wrong.items()))
        raise BadInput(name, first.problem, first.way_out)
    held.waste(fields.get("vial", ""), thrown, seen)


def due(known: Chart) -> Due | None:
    """What is to be given; nothing while the plan is a draft."""
    if known.ahead is None or known.ahead[0].state != "signed":
        return None
    held, plan = known.ahead
    near = min(plan.sessions, key=lambda one: abs(plan.date_of(one) - known.today))
    return Due(held.key, plan, near)


def _shown(
    request: Request, held: Records, known: Chart, wrong: Wrongs, status: int = 200
) -> Response:
    wanted = due(known)
    findings = found(known)
    stops = [one for one in findings if one.level == "stop"]
    name = user_of(request).name
    form = None
    if wanted and not stops:
        form = filled(held, known, STEP, lambda: _first(wanted, held, known, name), wrong)
    return page(
        request,
        "inject.html",
        status=status,
        who=known.who,
        form=form,
        planned=_planned(wanted) if wanted else {},
        plan=known.ahead[0].state if known.ahead else "",
        stops=stops,
        warnings=[one for one in findings if one.level == "warn"] if form else [],
        rows={
            "injections": rows(form.fields, "injections", 1) if form else [],
            "draws": rows(form.fields, "draws", 1) if form else [],
        },
        guidance=GUIDANCE,
        structures=sorted(structures()) if form else [],
        vials=_stock(held, wanted.session.product) if wanted else [],
        given=_given(held, known),
    )


def _planned(wanted: Due) -> dict[str, str]:
    """Structure -> what the plan wants there."""
    session = wanted.session
    return {
        one.structure: f"{one.dose_u:g} U in {counted(one.sites, 'site')}, "
        f"{session.volume_ml(one):.3g} mL"
        for one in session.injections
    }


def _stock(held: Records, name: str) -> list[dict[str, Any]]:
    """Vials of a product that are not used up."""
    return [
        {"id": one.id, "lot": one.lot, "expiry": one.expiry, "remaining": one.remaining}
        for one in _vials(held)
        if one.product == name and one.remaining > 0
    ]


def _vials(held: Records) -> list[Vial]:
    return [one.noun for one in held.all("", "vial") if isinstance(one.noun, Vial)]


def _first(wanted: Due, held: Records, known: Chart, name: str) -> Fields:
    """The form from the signed plan."""
    session = wanted.session
    fields = {
        "date": known.today.isoformat(),
        "product": session.product,
        "diluent": product(session.product).diluent,
        "dilution_u_per_ml": f"{session.dilution_u_per_ml:g}",
        "clinic": known.last[1].clinic if known.last else "",
        "injector": name,
    }
    for i, one in enumerate(session.injections):
        row = {"structure": one.structure, "units": f"{one.dose_u:g}", "sites": str(one.sites)}
        row["volume_ml"] = f"{round(session.volume_ml(one), 3):g}"
        fields |= {f"injections.{i}.{key}": text for key, text in row.items()}
    for i, draw in enumerate(_draws(session, held, known)):
        fields |= {f"draws.{i}.vial": draw.vial, f"draws.{i}.units": f"{draw.units.normalize():f}"}
    return fields


def _draws(session: Session, held: Records, known: Chart) -> Sequence[Any]:
    """Which vials to open; none where the shelf does not hold enough."""
    own = [key.key for key, _ in known.of(GivenSession)]
    need_u = Decimal(str(session.dose.value_u))
    try:
        return choose(need_u, session.product, _vials(held), held.now(), own)
    except BadInput:
        return ()


def _given(held: Records, known: Chart) -> dict[str, Any] | None:
    """The last session, and what is left in its vials."""
    if known.last is None:
        return None
    key, session = known.last
    left = [held.held(draw.vial) for draw in session.draws]
    return {"key": key.key, "by": key.by, "at": key.at, "session": session, "vials": left}


# ---- signing


def _sign(held: Records, known: Chart, draft: Draft) -> Wrongs:
    wanted = due(known)
    if wanted is None:
        return {"": Wrong("there is no signed plan", "sign the plan first")}
    said = nested(draft.fields)
    session, wrong = made(GivenSession, _session(said, wanted))
    lacking = _half(wanted, draft.fields)
    if session is None or lacking:
        return {_field(name, draft.fields): one for name, one in wrong.items()} | lacking
    deviations, wrong = _deviations(wanted.plan, session, draft.fields)
    if wrong:
        return wrong
    whole = session.model_dump(mode="json") | {"deviations": deviations}
    signed, wrong = made(GivenSession, whole)
    if signed is None:
        return wrong
    try:
        held.give(signed, known.id, f"session-{draft.record}")
    except BadInput as error:
        return at("", error)
    return {}


def _half(wanted: Due, fields: Fields) -> Wrongs:
    """Rows beside the plan, and draws, of which only half is said."""
    others = {
        row: said
        for row, said in begun(fields, "injections").items()
        if said.get("structure") not in _planned(wanted)
    }
    lacking = unfinished(others, "injections", structure=OR_EMPTY, units=OR_EMPTY)
    return lacking | unfinished(begun(fields, "draws"), "draws", vial=OR_EMPTY, units=OR_EMPTY)


def _session(said: dict[str, Any], wanted: Due) -> dict[str, Any]:
    given = [row for row in said.get("injections", []) if row.get("units")]
    data = {name: said[name] for name in PLAIN if name in said} | {
        "disorder": wanted.plan.disorder,
        "plan": wanted.key,
        "dilution_u_per_ml": said.get("dilution_u_per_ml", ""),
        "injections": [_injection(row) for row in given],
        "draws": said.get("draws", []),
    }
    return data | _made_up(said.get("reconstituted", ""), wanted.session.product)


def _made_up(text: str, name: str) -> dict[str, Any]:
    """When it was dissolved, and until when the label lets it be used."""
    if not text:
        return {}
    try:
        moment = datetime.fromisoformat(text).astimezone()
    except ValueError:
        return {"reconstituted": text}
    hours = product(name).use_within_h
    until = moment + timedelta(hours=hours) if hours else None
    return {"reconstituted": moment.isoformat(), "discard_by": until.isoformat() if until else None}


def _injection(row: dict[str, Any]) -> dict[str, Any]:
    guided = [way for way in GUIDANCE if way in row]
    data: dict[str, Any] = {name: row[name] for name in AMOUNTS if name in row}
    if "depth_mm" in row:
        data["depth_mm"] = number(row["depth_mm"])
    return {**data, "sites": number(row.get("sites", "1")), "guidance": guided}


def _deviations(
    plan: Plan, session: GivenSession, fields: Fields
) -> tuple[list[dict[str, str]], Wrongs]:
    """Where it left the plan, each with its reason."""
    deviations, wrong = [], {}
    for structure, planned, given in differences(plan, session):
        i = next((i for i in rows(fields, "injections", 0) if _at(fields, i) == structure), None)
        name = f"injections.{i}.reason" if i is not None else ""
        reason = fields.get(name, "")
        if not reason:
            problem = f"{structure}: planned {planned}, given {given}, and no reason"
            wrong[name] = Wrong(problem, "say why in the last column")
        deviations.append(
            {"structure": structure, "planned": planned, "given": given, "reason": reason}
        )
    return deviations, wrong


def _at(fields: Fields, i: int) -> str:
    return fields.get(f"injections.{i}.structure", "")


def _field(name: str, fields: Fields) -> str:
    """The row that was typed: rows without units are no injections. Sums are mended in draws."""
    given = [i for i in rows(fields, "injections", 0) if fields.get(f"injections.{i}.units")]
    return in_row(name, "injections", given) or "draws.0.units"
