"""Eligibility: the clinical picture, what is asked first, what the rules say, and 12 weeks."""

import datetime
from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from openbont.catalog.movements import movements
from openbont.catalog.muscles import SIDES
from openbont.catalog.names import CAUSES, structures
from openbont.catalog.overview import overview
from openbont.catalog.questions import Question, questions, recorded
from openbont.catalog.scales import scales
from openbont.catalog.vocabulary import allergens, conditions, medicines
from openbont.clinic.ledger import with_history
from openbont.clinic.nouns import Eligibility
from openbont.clinic.records import Records
from openbont.patient import Patient
from openbont.planning.check import Finding, check, check_patient
from openbont.report.words import day, scale_words
from openbont.web.accounts import READ, WRITE
from openbont.web.chart import Chart, chart, visits
from openbont.web.context import need, page, place, records, shown
from openbont.web.drafts import Draft, Fields
from openbont.web.forms import (
    Form,
    Wrong,
    Wrongs,
    begun,
    flat,
    in_row,
    made,
    nested,
    number,
    reading_value,
    rows,
    same,
    takes,
    unfinished,
)
from openbont.web.steps import filled, stepped

router = APIRouter()
STEP = "eligibility"
CHOICES = {
    "pregnancy": same("no", "possible", "yes", "not applicable"),
    "outcomes": same("failed", "not tolerated", "contraindicated", "helped", "ongoing"),
    "sides": same("left", "right", "both"),
    "causes": same(*CAUSES),
}
DIRECTIONS = (
    *(f"{held}.{side}" for held in ("rotation", "tilt") for side in SIDES),
    "flexion",
    "extension",
)
"""Where the scale head_angle is read."""
PAINFUL = ("temporalis", "occipitalis", "trapezius")
"""Where headache may be worst."""
LIMBS = ("spasticity.", "dystonia.limb", "dystonia.writers_cramp", "dystonia.generalised")
LISTS = ("conditions", "medicines", "allergies", "infected")
OR_EMPTY = "fill it in, or empty the row"
PICTURE = {
    "weight_kg",
    "height_cm",
    "disorder",
    "pregnancy",
    "prior_treatments",
    "findings",
    *LISTS,
}


@router.get("/patients/{patient}/eligibility", dependencies=[need(*READ)])
def eligibility(request: Request, patient: str) -> Response:
    """The form, and what the rules say of what is recorded."""
    held = records(request)
    return _shown(request, held, chart(held, patient), {})


@router.post(
    "/patients/{patient}/eligibility",
    dependencies=[need(*WRITE)],
    openapi_extra=takes(Eligibility, Patient),
)
def save_eligibility(request: Request, patient: str, form: Form) -> Response:
    """Keep the draft, or sign it."""
    held = records(request)
    known = chart(held, patient)

    def again(wrong: Wrongs) -> Response:
        return _shown(request, held, known, wrong, 422)

    return stepped(request, held, known, STEP, form, _sign, "goals", again)


def _shown(
    request: Request, held: Records, known: Chart, wrong: Wrongs, status: int = 200
) -> Response:
    form = filled(held, known, STEP, lambda: _first(known), wrong)
    asked = questions(known.patient)
    return page(
        request,
        "eligibility.html",
        status=status,
        who=known.who,
        form=form,
        questions=asked,
        findings=found(known),
        ledger=known.ledger(),
        rows={group: rows(form.fields, group, 2) for group in (*LISTS, "prior_treatments")}
        | {"findings": rows(form.fields, "findings", 3)},
        known=_names(),
        earlier=_earlier(known, form.fields),
        answered=_answered(known),
        scales=scales_of(known.patient),
        choices=CHOICES,
        where=places(known.patient),
        woman=any(one.rule == "S12" for one in asked),
    )


def found(known: Chart) -> list[Finding]:
    """What the rules say: of the plan that is ahead, or of the patient alone."""
    patient = with_history(known.patient, known.ledger())
    if known.ahead:
        return check(known.ahead[1], patient)
    return check_patient(patient, known.today)


def _names() -> dict[str, list[str]]:
    """What may be typed, as suggestions."""
    return {
        "conditions": sorted(conditions()),
        "medicines": sorted(medicines()),
        "allergies": sorted(allergens()),
        "infected": sorted(structures()),
    }


def usual_scales(patient: Patient) -> list[str]:
    """Scales of the disorder, those of the first visit first."""
    named = overview()[patient.disorder.name].scales
    read = [one.scale for one in patient.findings]
    ours = dict.fromkeys((*_wanted(patient), *named, *read))
    return [name for name in ours if name in scales()]


def scales_of(patient: Patient) -> list[tuple[str, str]]:
    """All scales, the usual ones first: a rule may ask for any of them."""
    usual = usual_scales(patient)
    others = sorted(scales().keys() - set(usual), key=lambda name: scale_label(name).casefold())
    return [(name, scale_label(name)) for name in (*usual, *others)]


def _found_on(known: Chart) -> datetime.date:
    """When the clinical picture was last written down."""
    return max(one.date for _, one in known.of(Patient))


def _earlier(known: Chart, fields: Fields) -> dict[int, str]:
    """Row -> what the same scale read at the same place on another day."""
    found = {}
    for i in rows(fields, "findings", 0):
        key = (fields.get(f"findings.{i}.scale", ""), fields.get(f"findings.{i}.where", ""))
        value, on = known.read.get(key, ("", known.today))
        if on < known.today:
            found[i] = f"{shown(value)}, {day(on)}"
    return found


def _answered(known: Chart) -> dict[str, str]:
    """Question -> what was answered on another day: it is asked again."""
    asked = [one for _, one in known.of(Eligibility)][-1:]
    return {
        one.question: f"{one.answer} on {day(last.date)}"
        for last in asked
        if last.date < known.today
        for one in last.answers
    }


def _wanted(patient: Patient) -> tuple[str, ...]:
    """What is read at the first visit."""
    first = visits(patient.disorder.name)[:1]
    return first[0].scales if first else ()


def scale_label(name: str) -> str:
    """A scale in a list: its name, where it has one, and what it counts."""
    words = scales()[name].words.partition(";")[0]
    return f"{scale_words(name)}: {words}" if scale_words(name) else words


def places(patient: Patient) -> list[tuple[str, str]]:
    """Where a reading may be taken, in words."""
    seen = [one.where for one in patient.findings] + [one.where for one in patient.goals]
    sided = [f"{name}.{side}" for name in movements() for side in SIDES]
    ours = [*seen, *(sided if patient.disorder.name.startswith(LIMBS) else ())]
    head = DIRECTIONS if patient.disorder.name == "dystonia.cervical" else ()
    if patient.disorder.name.startswith(("migraine.", "headache.")):
        head = tuple(f"{muscle}.{side}" for muscle in PAINFUL for side in SIDES)
    return [(name, place(name)) for name in dict.fromkeys((*ours, *head)) if name]


def _first(known: Chart) -> Fields:
    """The form from what is recorded."""
    patient = known.patient.model_dump(mode="json", include=PICTURE)
    fields = flat(patient) | {"breastfeeding": "yes" if known.patient.breastfeeding else ""}
    if not patient["findings"]:
        fields |= {f"findings.{i}.scale": name for i, name in enumerate(_wanted(known.patient))}
    if _found_on(known) < known.today:
        fields |= dict.fromkeys((name for name in fields if name.endswith(".value")), "")
    asked = known.of(Eligibility)
    said = {one.question: one for one in asked[-1][1].answers} if asked else {}
    again = bool(asked) and asked[-1][1].date < known.today
    for i, question in enumerate(questions(known.patient)):
        if question.ask in said:
            fields[f"answers.{i}.answer"] = "" if again else said[question.ask].answer
            fields[f"answers.{i}.note"] = said[question.ask].note
    return fields


# ---- signing


def _sign(held: Records, known: Chart, draft: Draft) -> Wrongs:
    """A new clinical picture, and the answers."""
    said = nested(draft.fields)
    asked = questions(known.patient)
    answers, wrong = _answers(draft.fields, asked)
    patient, more = made(Patient, _picture(said, known) | _pregnancy(draft.fields))
    wrong |= {in_row(name, "findings", _read(draft.fields)): one for name, one in more.items()}
    wrong |= unread(draft.fields, "findings", _first(known)) | _half(draft.fields)
    if patient:
        wrong |= _not_recorded(draft.fields, asked, patient) | _missing(patient, known)
    eligible, also = made(Eligibility, {"date": known.today.isoformat(), "answers": answers})
    if wrong or patient is None or eligible is None:
        return wrong or also
    picture = held.add(patient, known.id, f"patient-{draft.record}")
    held.sign(picture.key, picture.version)
    answered = held.add(eligible, known.id, f"asked-{draft.record}")
    held.sign(answered.key, answered.version)
    return {}


def _picture(said: dict[str, Any], known: Chart) -> dict[str, Any]:
    """The patient as before, with what the form says."""
    before = known.patient.model_dump(mode="json")
    disorder = {**before["disorder"], "cause": "", "side": "", "months_since_onset": None}
    disorder |= {name: number(text) for name, text in said.get("disorder", {}).items()}
    disorder["name"] = before["disorder"]["name"]
    return before | {
        "date": known.today.isoformat(),
        "weight_kg": number(said.get("weight_kg")),
        "height_cm": number(said.get("height_cm")),
        "disorder": disorder,
        "prior_treatments": said.get("prior_treatments", []),
        "findings": [_reading(row) for row in said.get("findings", []) if "value" in row],
        **{name: said.get(name, []) for name in LISTS},
    }


def _read(fields: Fields) -> list[int]:
    """Rows with a value."""
    return [i for i in rows(fields, "findings", 0) if fields.get(f"findings.{i}.value")]


def unread(fields: Fields, group: str, offered: Fields) -> Wrongs:
    """Readings that somebody began; a row that the form itself offers may stay unread."""
    way_out = "fill in what was read, or empty the row"
    rows_of = begun(fields, group, offered)
    return unfinished(rows_of, group, scale="choose the scale that was read", value=way_out)


def _half(fields: Fields) -> Wrongs:
    """Treatments of which only half is said."""
    tried = begun(fields, "prior_treatments")
    return unfinished(tried, "prior_treatments", name=OR_EMPTY, outcome=OR_EMPTY)


def _pregnancy(fields: Fields) -> dict[str, Any]:
    """As asked; where nobody asks, it stays as it was."""
    if "pregnancy" not in fields:
        return {}
    breastfeeding = bool(fields.get("breastfeeding"))
    return {"pregnancy": fields["pregnancy"] or "not asked", "breastfeeding": breastfeeding}


def _reading(row: dict[str, Any]) -> dict[str, Any]:
    value = {"value": reading_value(row.get("scale", ""), row["value"])} if "value" in row else {}
    return {**row, **value}


def _answers(fields: Fields, asked: Iterable[Question]) -> tuple[list[dict[str, str]], Wrongs]:
    """Every question wants an answer; "not known" is one."""
    answers, wrong = [], {}
    for i, question in enumerate(asked):
        answer = fields.get(f"answers.{i}.answer", "")
        if not answer:
            wrong[f"answers.{i}.answer"] = Wrong("not answered", "not known is an answer, too")
        note = fields.get(f"answers.{i}.note", "")
        answers.append({"question": question.ask, "answer": answer, "note": note})
    return answers, wrong


def _missing(patient: Patient, known: Chart) -> Wrongs:
    """Nothing can be planned without it; what was read on another day is none of today's."""
    wrong = {}
    if patient.disorder.name.startswith("spasticity.") and not patient.disorder.cause:
        wrong["disorder.cause"] = Wrong("not chosen, and tone changes by its cause", "choose one")
    if known.patient.findings and not patient.findings:
        way_out = "read at least one scale again"
        wrong["findings"] = Wrong("nothing was read today", way_out)
    return wrong


def _not_recorded(fields: Fields, asked: Iterable[Question], patient: Patient) -> Wrongs:
    """A yes that no rule could see, for nothing of it is recorded."""
    wrong = {}
    for i, question in enumerate(asked):
        yes = fields.get(f"answers.{i}.answer") == "yes"
        if yes and question.classes and not recorded(patient, question.classes):
            way_out = f"name it under {question.record}, so that the rules see it"
            wrong[f"answers.{i}.answer"] = Wrong("yes, but nothing of it is recorded", way_out)
    return wrong
