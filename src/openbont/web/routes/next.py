"""Next visit: from when on, why, a date, and a file for the calendar."""

import datetime
import re
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from openbont.clinic.ledger import with_history
from openbont.clinic.records import Records
from openbont.planning.limits import limits
from openbont.report.words import day
from openbont.web.accounts import READ, WRITE
from openbont.web.chart import Chart, chart
from openbont.web.context import need, page, records
from openbont.web.drafts import Draft, Fields, draft, save
from openbont.web.forms import TEXT, Form, Wrong, Wrongs, takes
from openbont.web.routes.followup import schedule
from openbont.web.steps import Filled

router = APIRouter()
STEP = "next"
CLOCK = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]")
HOUR = datetime.timedelta(hours=1)


@router.get("/patients/{patient}/next", dependencies=[need(*READ)])
def next_visit(request: Request, patient: str) -> Response:
    """When the label and the follow-up want it, and what is agreed."""
    held = records(request)
    return _shown(request, held, chart(held, patient), {})


@router.post(
    "/patients/{patient}/next",
    dependencies=[need(*WRITE)],
    openapi_extra=takes(date=TEXT, time=TEXT, reason=TEXT),
)
def agree(request: Request, patient: str, form: Form) -> Response:
    """Keep the date that is agreed."""
    held = records(request)
    known = chart(held, patient)
    kept = save(held, known.id, STEP, form.fields, form.seen)
    if form.do == "save" and request.state.as_json:
        return JSONResponse({"version": kept.version, "at": kept.at[11:19] + " UTC"})
    if wrong := _wrong(kept.fields, known.today):
        return _shown(request, held, known, wrong, 422)
    return RedirectResponse(request.url.path, 303)


@router.get("/patients/{patient}/next.ics", dependencies=[need(*READ)])
def calendar(request: Request, patient: str) -> Response:
    """The date as a file for a calendar; it names nobody and no disease."""
    held = records(request)
    known = chart(held, patient)
    agreed = agreed_on(draft(held, known.id, STEP))
    if agreed is None:
        raise HTTPException(404, "No date is agreed.")
    text = ics(known.who.number or known.id, agreed, held.now())
    headers = {"content-disposition": 'attachment; filename="visit.ics"'}
    return Response(text, media_type="text/calendar", headers=headers)


def agreed_on(kept: Draft | None) -> datetime.datetime | None:
    """Day and time of the next visit, as this clinic's clock shows them."""
    fields = kept.fields if kept else {}
    try:
        return datetime.datetime.fromisoformat(f"{fields['date']}T{fields.get('time') or '09:00'}")
    except (KeyError, ValueError):
        return None


def ics(number: str, at: datetime.datetime, now: datetime.datetime) -> str:
    """One event by RFC 5545, an hour long, in local time."""
    form = "%Y%m%dT%H%M%S"
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//OpenBoNT//workbench//EN",
        "BEGIN:VEVENT",
        f"UID:{number}-{at:{form}}@openbont",
        f"DTSTAMP:{now.astimezone(datetime.UTC):{form}}Z",
        f"DTSTART:{at:{form}}",
        f"DTEND:{at + HOUR:{form}}",
        f"SUMMARY:Injection clinic ({number})",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _folded(line: str) -> str:
    """Nothing in a line may end it; long lines go on after a space."""
    clean = "".join(sign for sign in line if sign.isprintable())
    return "\r\n ".join(clean[i : i + 60] for i in range(0, len(clean), 60))


def _shown(
    request: Request, held: Records, known: Chart, wrong: Wrongs, status: int = 200
) -> Response:
    kept = draft(held, known.id, STEP)
    fields = kept.fields or _first(known)
    action = f"/patients/{known.id}/{STEP}"
    form = Filled(kept.key, action, kept.version, fields, wrong)
    return page(
        request,
        "next.html",
        status=status,
        who=known.who,
        form=form,
        agreed=agreed_on(kept),
        today=known.today,
        label=_label(known),
        visits=schedule(known),
    )


def _wrong(fields: Fields, today: datetime.date) -> Wrongs:
    if not CLOCK.fullmatch(fields.get("time") or "09:00"):
        return {"time": Wrong("not a time", "write hour:minute, as 09:30")}
    agreed = agreed_on(Draft("", "", fields=fields))
    if agreed is None:
        return {"date": Wrong("not a day", "write year-month-day")}
    if agreed.date() < today:
        return {"date": Wrong(f"{day(agreed.date())} has passed", "choose a day to come")}
    return {}


def _label(known: Chart) -> dict[str, Any] | None:
    """The earliest day that the label of the last product allows, and why."""
    lines = known.ledger().lines
    if not lines:
        return None
    patient = with_history(known.patient, known.ledger())
    name, last = lines[0].session.product, lines[0].session
    allowed = limits(patient, name, known.today, patient.disorder.name)
    return {
        "product": name,
        "last": last.date,
        "clinic": last.clinic,
        "earliest": allowed.earliest_date,
        "weeks": allowed.interval_min_weeks,
        "sources": allowed.interval_sources,
    }


def _first(known: Chart) -> Fields:
    """The day to begin with: when the return visit is due, and not before the label allows it."""
    label, returns = _label(known), [one for one in schedule(known) if one["visit"] == "return"]
    days = [one["first"] for one in returns]
    days += [label["earliest"]] if label and label["earliest"] else []
    wanted = max([*days, known.today], default=known.today)
    reason = "decision about the next session" if returns else ""
    return {"date": wanted.isoformat() if days else "", "time": "09:00", "reason": reason}
