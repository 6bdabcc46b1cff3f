"""Patients: list, search, a new one, and everything that is recorded of one."""

import datetime
import math
import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from openbont.catalog.names import CAUSES
from openbont.catalog.overview import overview
from openbont.clinic.held import Held
from openbont.clinic.nouns import (
    AdverseEvent,
    ClinicVisit,
    Diary,
    Eligibility,
    GivenSession,
    Goals,
    OutsideSession,
    PatientReport,
    Person,
)
from openbont.patient import Patient
from openbont.plan import Plan
from openbont.report.words import counted, day, title_words
from openbont.web.accounts import READ, WRITE
from openbont.web.chart import Chart, chart, charts, register
from openbont.web.context import need, page, records, session_of, shown
from openbont.web.drafts import Fields
from openbont.web.forms import TEXT, Form, Wrong, Wrongs, made, nested, number, same, takes
from openbont.web.steps import Filled

router = APIRouter()
OLDEST = datetime.timedelta(days=120 * 366)
PERSON = ("name", "born", "sex", "number", "telephone")
PAGE, LONGEST_SEARCH = 25, 100
SEX = same("female", "male", "other", "unknown")
SIDES = same("left", "right", "both")


@router.get("/patients", dependencies=[need(*READ)])
def patients(
    request: Request,
    found: bool = False,
    at: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Response:
    """Everybody, or who was found, a page at a time."""
    held, session = records(request), session_of(request)
    sought = session.sought if found else ""
    entries = register(held, sought)
    some = charts(held, [one.id for one in entries[PAGE * (at - 1) : PAGE * at]])
    rows = [{"who": one.who, "last": _last(one), "drafts": len(one.drafts)} for one in some]
    return page(
        request,
        "patients.html",
        q=sought,
        rows=rows,
        count=len(entries),
        page=at,
        pages=max(1, math.ceil(len(entries) / PAGE)),
    )


@router.post("/patients", dependencies=[need(*READ)], openapi_extra=takes(q=TEXT))
def search(request: Request, form: Form) -> Response:
    """Look for letters in name, number or disorder; what is sought stands in no address."""
    session_of(request).sought = form.fields.get("q", "")[:LONGEST_SEARCH]
    return RedirectResponse("/patients?found=yes", 303)


@router.get("/patients/new", dependencies=[need(*WRITE)])
def new_patient(request: Request) -> Response:
    """A form for somebody new."""
    return _new(request, {}, {})


@router.post("/patients/new", dependencies=[need(*WRITE)], openapi_extra=takes(Person, Patient))
def add_patient(request: Request, form: Form) -> Response:
    """Record somebody new, and go to eligibility."""
    held = records(request)
    today = held.now().astimezone().date()
    person, patient, wrong = _somebody(form.fields, today)
    if wrong or person is None or patient is None:
        return _new(request, form.fields, wrong, 422)
    held.add(person, person.id, f"person-{person.id}")
    held.add(patient, patient.id)
    return RedirectResponse(f"/patients/{patient.id}/eligibility", 303)


@router.get("/patients/{patient}", dependencies=[need(*READ)])
def patient_page(request: Request, patient: str) -> Response:
    """Everything that is recorded of one patient, the latest first."""
    known = chart(records(request), patient)
    lines = [_line(one) for one in known.held if not isinstance(one.noun, Person)]
    lines.sort(key=lambda one: (one["date"], one["written"]), reverse=True)
    return page(
        request,
        "patient.html",
        who=known.who,
        patient=known.patient,
        read=[
            {"scale": scale, "where": where, "value": value, "day": on}
            for (scale, where), (value, on) in known.read.items()
        ],
        ledger=known.ledger(),
        lines=lines,
        drafts=[
            {"step": one.step, "by": one.by, "at": one.at}
            for one in known.drafts
            if one.step != "next"
        ],
    )


def _new(request: Request, fields: Fields, wrong: Wrongs, status: int = 200) -> Response:
    disorders = [(id_, title_words(id_)) for id_ in overview()]
    return page(
        request,
        "patient_new.html",
        status=status,
        form=Filled("new", "/patients/new", 0, fields, wrong),
        disorders=disorders,
        causes=same(*CAUSES),
        sexes=SEX,
        sides=SIDES,
    )


def _somebody(fields: Fields, today: datetime.date) -> tuple[Person | None, Patient | None, Wrongs]:
    """Person and first clinical picture, or what is wrong in which field."""
    said, id_ = nested(fields), f"p-{secrets.token_hex(4)}"
    about: dict[str, Any] = {name: said[name] for name in PERSON if name in said}
    person, wrong = made(Person, {"id": id_, **about})
    if person and not datetime.timedelta(0) <= today - person.born <= OLDEST:
        wrong = {"born": Wrong("not within the last 120 years", "write year-month-day")}
    patient, more = made(Patient, _picture(said, id_, person, today))
    return person, patient, {**more, **wrong} if person else {**wrong, **_but_age(more)}


def _but_age(wrong: Wrongs) -> Wrongs:
    """Without what follows from a wrong day of birth."""
    return {name: one for name, one in wrong.items() if name not in ("age_years", "sex")}


def _picture(
    said: dict[str, Any], id_: str, person: Person | None, today: datetime.date
) -> dict[str, Any]:
    disorder = {"name": "", **said.get("disorder", {})}
    if "months_since_onset" in disorder:
        disorder["months_since_onset"] = number(disorder["months_since_onset"])
    picture: dict[str, Any] = {"id": id_, "date": today.isoformat(), "disorder": disorder}
    if person:
        picture |= {"age_years": age_years(person.born, today), "sex": person.sex}
    numbers = {name: number(said[name]) for name in ("weight_kg", "height_cm") if name in said}
    return picture | numbers


def age_years(born: datetime.date, on: datetime.date) -> int:
    """Whole years."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _last(known: Chart) -> str:
    lines = known.ledger().lines
    return f"{lines[0].session.dose}, {day(lines[0].session.date)}" if lines else ""


# ---- one line a record


def _line(held: Held) -> dict[str, Any]:
    return {
        "key": held.key,
        "kind": held.kind.replace("_", " "),
        "state": held.state,
        "date": _date(held).isoformat(),
        "day": day(_date(held)),
        "written": held.at,
        "by": held.by,
        "words": _words(held),
    }


def _date(held: Held) -> datetime.date:
    noun: Any = held.noun
    if isinstance(noun, OutsideSession):
        return noun.session.date
    if isinstance(noun, Diary):
        return noun.days[-1].date
    said = getattr(noun, "date", None)
    return said if isinstance(said, datetime.date) else datetime.date.fromisoformat(held.at[:10])


def _words(held: Held) -> str:
    """What a record says, in one line."""
    match held.noun:
        case GivenSession() as one:
            where = counted(len(one.injections), "structure")
            return f"{one.units.normalize():f} U {one.product}, {where}"
        case OutsideSession() as one:
            return f"{one.session.dose} at {one.session.clinic}"
        case Plan() as one:
            return "; ".join(str(dose) for dose in one.totals().values())
        case Patient() as one:
            ill = counted(len(one.conditions), "condition")
            return f"{counted(len(one.findings), 'reading')}, {ill}"
        case Goals() as one:
            return counted(len(one.goals), "goal")
        case Eligibility() as one:
            return f"{counted(len(one.answers), 'answer')}"
        case ClinicVisit() as one:
            return ", ".join(f"{r.scale} {shown(r.value)}" for r in one.readings) or one.note[:80]
        case Diary() as one:
            return f"{counted(len(one.days), 'day')} from {one.source}"
        case AdverseEvent() as one:
            return f"{one.what}, {one.severity}{', serious' if one.serious else ''}"
        case PatientReport() as one:
            return f"effect: {one.effect or 'not said'}"
    return ""
