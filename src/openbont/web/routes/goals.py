"""Goals: what the patient wants to reach on which scale, and what must not be lost."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from openbont.catalog.movements import functions
from openbont.catalog.muscles import SIDES as BOTH_SIDES
from openbont.catalog.overview import overview
from openbont.catalog.scales import scales
from openbont.clinic.nouns import Goals
from openbont.clinic.records import Records
from openbont.patient import Patient
from openbont.web.accounts import READ, WRITE
from openbont.web.chart import Chart, chart
from openbont.web.context import need, page, place, records
from openbont.web.drafts import Draft, Fields
from openbont.web.forms import (
    Form,
    Wrongs,
    begun,
    made,
    nested,
    number,
    reading_value,
    rows,
    takes,
    unfinished,
)
from openbont.web.routes.eligibility import OR_EMPTY, places, scale_label
from openbont.web.steps import filled, stepped

router = APIRouter()
STEP = "goals"
TARGETS = [
    ("at_most", "comes to at most"),
    ("at_least", "comes to at least"),
    ("fall_percent", "falls by per cent"),
]


@router.get("/patients/{patient}/goals", dependencies=[need(*READ)])
def goals(request: Request, patient: str) -> Response:
    """The form, with what each scale reads now."""
    held = records(request)
    return _shown(request, held, chart(held, patient), {})


@router.post("/patients/{patient}/goals", dependencies=[need(*WRITE)], openapi_extra=takes(Goals))
def save_goals(request: Request, patient: str, form: Form) -> Response:
    """Keep the draft, or sign it."""
    held = records(request)
    known = chart(held, patient)

    def again(wrong: Wrongs) -> Response:
        return _shown(request, held, known, wrong, 422)

    return stepped(request, held, known, STEP, form, _sign, "plan", again)


def _shown(
    request: Request, held: Records, known: Chart, wrong: Wrongs, status: int = 200
) -> Response:
    form = filled(held, known, STEP, lambda: _first(known.patient), wrong)
    patient = known.patient
    names = overview()[patient.disorder.name].scales
    return page(
        request,
        "goals.html",
        status=status,
        who=known.who,
        form=form,
        rows={"goals": rows(form.fields, "goals", 1), "keep": rows(form.fields, "keep", 1)},
        scales=[(name, scale_label(name)) for name in names],
        about=[_about(name, patient) for name in names],
        targets=TARGETS,
        functions=_functions(),
        where=places(patient) + _functions(),
    )


def _about(name: str, patient: Patient) -> dict[str, Any]:
    """A scale, what it reads now, and the least difference that matters."""
    one = scales()[name]
    now = [(place(r.where), r.value) for r in patient.findings if r.scale == name]
    return {
        "name": name.replace("_", " "),
        "words": one.words,
        "unit": one.unit,
        "grades": list(one.grades),
        "low": one.low,
        "high": one.high,
        "better": one.better,
        "margin": one.margin,
        "now": now,
    }


def _functions() -> list[tuple[str, str]]:
    """Functions that may be spared, with their sides."""
    named = []
    for one in functions().values():
        sided = [one.id] if one.midline else [f"{one.id}.{side}" for side in BOTH_SIDES]
        named += [(name, place(name)) for name in sided]
    return sorted(named, key=lambda pair: pair[1])


def _first(patient: Patient) -> Fields:
    fields: Fields = {}
    for i, goal in enumerate(patient.goals):
        kind = next(name for name, _ in TARGETS if getattr(goal, name) is not None)
        row = {"scale": goal.scale, "where": goal.where, "words": goal.words, "kind": kind}
        row |= {"target": _plain(getattr(goal, kind)), "weight": _plain(goal.weight)}
        fields |= {f"goals.{i}.{name}": text for name, text in row.items()}
    for i, keep in enumerate(patient.keep):
        fields |= {f"keep.{i}.function": keep.function}
        fields |= {f"keep.{i}.percent": _plain(round(100 * keep.at_least, 3))}
    return fields


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


# ---- signing


def _sign(held: Records, known: Chart, draft: Draft) -> Wrongs:
    if lacking := _half(draft.fields):
        return lacking
    said = nested(draft.fields)
    data = {
        "date": known.today.isoformat(),
        "goals": [_goal(row) for row in said.get("goals", [])],
        "keep": [_keep(row) for row in said.get("keep", [])],
    }
    agreed, wrong = made(Goals, data)
    if agreed is None:
        return {_field(name): one for name, one in wrong.items()}
    one = held.add(agreed, known.id, f"goals-{draft.record}")
    held.sign(one.key, one.version)
    return {}


def _half(fields: Fields) -> Wrongs:
    """Goals and shares of which only half is said."""
    goals, keep = begun(fields, "goals"), begun(fields, "keep")
    wanted = dict.fromkeys(("scale", "kind", "target"), OR_EMPTY)
    lacking = unfinished(goals, "goals", **wanted)
    return lacking | unfinished(keep, "keep", function=OR_EMPTY, percent=OR_EMPTY)


def _goal(row: dict[str, Any]) -> dict[str, Any]:
    kind, scale = row.get("kind", ""), row.get("scale", "")
    goal: dict[str, Any] = {name: row[name] for name in ("scale", "where", "words") if name in row}
    if "weight" in row:
        goal["weight"] = number(row["weight"])
    if kind and "target" in row:
        text = row["target"]
        goal[kind] = number(text) if kind == "fall_percent" else reading_value(scale, text)
    return goal


def _keep(row: dict[str, Any]) -> dict[str, Any]:
    share = number(row.get("percent"))
    if isinstance(share, (int, float)):
        share = share / 100
    return {"function": row.get("function", ""), "at_least": share}


def _field(name: str) -> str:
    """The field of the form that a place in the noun was typed in."""
    if name.startswith("keep"):
        return name.replace(".at_least", ".percent")
    for kind, _ in TARGETS:
        name = name.replace(f".{kind}", ".target")
    parts = name.split(".")
    return f"{name}.target" if parts[0] == "goals" and len(parts) == 2 else name
