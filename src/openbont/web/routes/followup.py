"""Follow-up: the scales that are due, unwanted effects, how it felt, the diary."""

import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from openbont.catalog.followup import FollowUp
from openbont.clinic.diary import Kept, diary_of
from openbont.clinic.nouns import AdverseEvent, ClinicVisit, Diary, PatientReport
from openbont.clinic.records import Records
from openbont.errors import BadInput
from openbont.frozen import Noun
from openbont.report.observed import HOURS
from openbont.report.words import day
from openbont.web.accounts import READ, WRITE
from openbont.web.chart import Chart, chart, visits
from openbont.web.context import need, page, records
from openbont.web.drafts import Draft, Fields
from openbont.web.forms import (
    Form,
    Sent,
    Wrong,
    Wrongs,
    at,
    in_row,
    made,
    named,
    nested,
    number,
    reading_value,
    rows,
    same,
    takes,
)
from openbont.web.routes.eligibility import places, scales_of, unread, usual_scales
from openbont.web.steps import Filled, filled, stepped

router = APIRouter()
STEP = "followup"
CHOICES = {
    "severity": same("mild", "moderate", "severe"),
    "related": same("yes", "possibly", "no", "not known"),
    "outcome": same("recovered", "recovering", "not recovered", "fatal", "not known"),
    "effect": same("good", "partial", "none"),
}
DAYS = ("onset_day", "peak_day", "end_day")
REPORT = ("date", "effect", "note", *DAYS)
EVENT = ("date", "what", "severity", "serious", "related", "outcome", "note")


@router.get("/patients/{patient}/followup", dependencies=[need(*READ)])
def followup(request: Request, patient: str) -> Response:
    """What is due after the last session, and what was read so far."""
    held = records(request)
    return _shown(request, held, chart(held, patient), {})


@router.post(
    "/patients/{patient}/followup", dependencies=[need(*WRITE)], openapi_extra=takes(ClinicVisit)
)
def save_visit(request: Request, patient: str, form: Form) -> Response:
    """Keep the draft of the visit, or sign it."""
    held = records(request)
    known = chart(held, patient)

    def again(wrong: Wrongs) -> Response:
        return _shown(request, held, known, {STEP: wrong}, status=422)

    return stepped(request, held, known, STEP, form, _sign, "followup", again)


@router.post(
    "/patients/{patient}/followup/event",
    dependencies=[need(*WRITE)],
    openapi_extra=takes(AdverseEvent, only=EVENT),
)
def save_event(request: Request, patient: str, form: Form) -> Response:
    """Record something unwanted."""
    said = named(form.fields, EVENT) | {"serious": bool(form.fields.get("serious"))}
    return _recorded(request, patient, form, "event", AdverseEvent, said)


@router.post(
    "/patients/{patient}/followup/report",
    dependencies=[need(*WRITE)],
    openapi_extra=takes(PatientReport, only=REPORT),
)
def save_report(request: Request, patient: str, form: Form) -> Response:
    """Record how the patient felt it."""
    said = named(form.fields, REPORT)
    said |= {name: number(said[name]) for name in DAYS if name in said}
    if said.keys() <= {"date"}:
        wrong = {"effect": Wrong("nothing is said of it", "fill in a day, or the effect")}
        held, typed = records(request), {"report": form.fields}
        return _shown(request, held, chart(held, patient), {"report": wrong}, typed, status=422)
    return _recorded(request, patient, form, "report", PatientReport, said)


@router.post(
    "/patients/{patient}/followup/diary",
    dependencies=[need(*WRITE)],
    openapi_extra=takes(file="diary"),
)
def save_diary(request: Request, patient: str, form: Form) -> Response:
    """Read a diary; what could not be read is listed, the rest is recorded."""
    held = records(request)
    known = chart(held, patient)
    try:
        kept = _diary(form, known.today)
    except BadInput as error:
        return _shown(request, held, known, {"diary": at("diary", error)}, status=422)
    if kept.diary:
        _signed(held, kept.diary, known.id)
    return _shown(request, held, chart(held, patient), {}, kept=kept)


def _shown(
    request: Request,
    held: Records,
    known: Chart,
    wrong: dict[str, Wrongs],
    typed: dict[str, Fields] | None = None,
    kept: Kept | None = None,
    status: int = 200,
) -> Response:
    first = known.today.isoformat()
    form = filled(held, known, STEP, lambda: _first(known), wrong.get(STEP, {}))
    typed = typed or {}
    action = f"/patients/{known.id}/followup/"
    beside = {
        name: Filled(
            f"{known.id}/{name}",
            action + name,
            0,
            typed.get(name, {"date": first}),
            wrong.get(name, {}),
        )
        for name in ("event", "report", "diary")
    }
    return page(
        request,
        "followup.html",
        status=status,
        who=known.who,
        form=form,
        forms=beside,
        rows=rows(form.fields, "readings", 2),
        due=schedule(known),
        session=known.last,
        compare=_was_read(known),
        scales=scales_of(known.patient),
        where=places(known.patient),
        choices=CHOICES,
        kept={"days": len(kept.diary.days) if kept.diary else 0, "bad": kept.bad} if kept else None,
        before=[(one, one.state) for one, _ in known.of(ClinicVisit)],
        columns=_daily(known),
    )


def _was_read(known: Chart) -> bool:
    """Something since the last session that may be set beside what was expected."""
    since = known.last[1].date if known.last else datetime.date.max
    seen = any(one.date > since for _, one in known.of(ClinicVisit))
    return seen or any(one.days[-1].date > since for _, one in known.of(Diary))


def _daily(known: Chart) -> list[str]:
    """What a diary of this disorder has a column for."""
    headache = known.patient.disorder.name.startswith(("migraine.", "headache."))
    usual = [name for name in usual_scales(known.patient) if name.endswith("_per_day")]
    return list(dict.fromkeys([*([HOURS] if headache else []), *usual, "pain_NRS"]))[:2]


def schedule(known: Chart) -> list[dict[str, Any]]:
    """The visits after the last session: when each is due, and whether it was held."""
    if known.last is None:
        return []
    _, session = known.last
    held = [one.date for _, one in known.of(ClinicVisit)]
    return [_due(one, session.date, held, known.today) for one in visits(session.disorder)[1:]]


def _due(
    visit: FollowUp, session: datetime.date, held: list[datetime.date], today: datetime.date
) -> dict[str, Any]:
    first, last = visit.days(session)
    done = any(first <= one <= last for one in held)
    state = "held" if done else "due" if first <= today <= last else "past"
    return {
        "visit": visit.visit,
        "words": visit.words,
        "first": first,
        "last": last,
        "scales": visit.scales,
        "ask": visit.ask,
        "sources": visit.sources,
        "state": state if done or first <= today else "to come",
    }


def _first(known: Chart) -> Fields:
    """A row for every scale that is due today, wherever it was read before."""
    fields = {"date": known.today.isoformat()}
    now = next((one for one in schedule(known) if one["state"] == "due"), None)
    wanted = now["scales"] if now else [one.scale for one in known.patient.findings]
    pairs = [(scale, where) for scale in dict.fromkeys(wanted) for where in _places(scale, known)]
    for i, (scale, where) in enumerate(pairs):
        fields |= {f"readings.{i}.scale": scale, f"readings.{i}.where": where}
    return fields


def _places(scale: str, known: Chart) -> list[str]:
    """Where a scale was read before; one row without a place otherwise."""
    return [one.where for one in known.patient.findings if one.scale == scale] or [""]


# ---- signing


def _sign(held: Records, known: Chart, draft: Draft) -> Wrongs:
    said = nested(draft.fields)
    read = [row for row in said.get("readings", []) if "value" in row]
    data = {
        "date": said.get("date", ""),
        "by": held.by,
        "session": known.last[0].key if known.last else None,
        "readings": [{**r, "value": reading_value(r.get("scale", ""), r["value"])} for r in read],
        "note": said.get("note", ""),
    }
    visit, wrong = made(ClinicVisit, data)
    lacking = unread(draft.fields, "readings", _first(known))
    if visit is None or lacking:
        return {_field(name, draft.fields): one for name, one in wrong.items()} | lacking
    if not visit.readings and not visit.note:
        return {"": Wrong("nothing was read and nothing is noted", "fill in a value or a note")}
    if visit.date > known.today:
        return {"date": Wrong(f"{day(visit.date)} is still to come")}
    one = held.add(visit, known.id, f"visit-{draft.record}")
    held.sign(one.key, one.version)
    return {}


def _field(name: str, fields: Fields) -> str:
    """The row that was typed: rows without a value are not read."""
    read = [i for i in rows(fields, "readings", 0) if fields.get(f"readings.{i}.value")]
    return in_row(name, "readings", read)


def _recorded(
    request: Request, patient: str, form: Sent, name: str, kind: type[Noun], said: dict[str, Any]
) -> Response:
    """One record of a kind, signed at once."""
    held = records(request)
    known = chart(held, patient)
    last = {"session": known.last[0].key} if known.last else {}
    noun, wrong = made(kind, {**last, **said})
    if noun is None:
        typed = {name: form.fields}
        return _shown(request, held, known, {name: wrong}, typed, status=422)
    _signed(held, noun, known.id)
    return RedirectResponse(f"/patients/{known.id}/followup#recorded", 303)


def _signed(held: Records, noun: Noun, patient: str) -> None:
    one = held.add(noun, patient)
    held.sign(one.key, one.version)


def _diary(form: Sent, today: datetime.date) -> Kept:
    name, content = form.files.get("diary", ("", b""))
    if not content:
        raise BadInput("diary", "no file was chosen", "choose the CSV file of the diary")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput("diary", "not UTF-8 text", "save the table as CSV, UTF-8") from None
    return diary_of(text, name[:200] or "diary.csv", today)
