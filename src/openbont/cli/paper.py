"""Commands that print paper: the injection sheet, the visit note and the patient's page."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from openbont.cli.place import By, DatabasePlace, opened
from openbont.cli.plans import (
    Label,
    PatientFile,
    findings_of,
    leave,
    load,
    model_of,
    predict,
    stopped,
)
from openbont.cli.shared import AsJson, Draws, Folder, Seed, app, example, plain, show, writing
from openbont.errors import BadInput, NoEvidence

if TYPE_CHECKING:
    from openbont.clinic.held import Held
    from openbont.clinic.nouns import GivenSession, Person
    from openbont.clinic.records import Records
    from openbont.patient import Patient
    from openbont.plan import Plan
    from openbont.report.leaflet import Forecast
    from openbont.report.note import Given
    from openbont.report.places import Sites
    from openbont.report.tables import Content

PlanOrKey = Annotated[
    str, typer.Argument(metavar="PLAN", help="Plan as YAML or JSON, or the key of its record.")
]
SessionOrKey = Annotated[
    str,
    typer.Argument(metavar="SESSION", help="Session as YAML or JSON, or the key of its record."),
]


@app.command(epilog=example("sheet examples/arm_after_stroke/plan.yaml --out out"))
def sheet(
    plan: PlanOrKey,
    patient: PatientFile = None,
    out: Folder = Path("out"),
    label: Label = "US",
    database: DatabasePlace = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Write the injection sheet: doses, sites on the body, vials, fields to fill in and to sign."""
    case = _planned(plan, patient, database, by)
    if case.given:
        raise BadInput(plan, "was given already", "name a plan, or print the note")
    findings = findings_of(case.plan, case.patient, label)
    from openbont.report import sheet as page

    files, said = [], []
    for at, one in enumerate(case.plan.sessions):
        alone = case.plan.model_copy(update={"sessions": (one,)})
        sites = None if stopped(findings) else _sites(alone, case.patient)
        said.append(
            page.sheet(
                case.plan, case.patient, findings, at, sites, case.person, case.head, case.draft
            )
        )
        several = f"-{at + 1}" if len(case.plan.sessions) > 1 else ""
        files.append(_write(out, f"sheet{several}.pdf", said[-1], page.TEMPLATES))
    data = {"sheets": said, "stopped": stopped(findings)}
    _say(files, data, as_json)
    leave(findings)


@app.command(epilog=example("leaflet examples/arm_after_stroke/plan.yaml --phone '555 0100'"))
def leaflet(
    plan: PlanOrKey,
    patient: PatientFile = None,
    out: Folder = Path("out"),
    phone: Annotated[str, typer.Option(help="Telephone of the clinic.")] = "",
    label: Label = "US",
    draws: Draws = 200,
    seed: Seed = 1,
    database: DatabasePlace = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Write the patient's page in plain words: why, what to expect, whom to call, what next.

    With the key of a session that was given, it speaks of what was given.
    """
    case = _planned(plan, patient, database, by)
    findings = findings_of(case.plan, case.patient, label)
    from openbont.report import leaflet as page
    from openbont.report import terminal
    from openbont.report.reading_age import grade

    if stopped(findings) and not case.given:
        refused = {"findings": plain(findings), "stopped": True}
        show(as_json, refused, lambda console: terminal.show_findings(console, findings))
        leave(findings)
    expected = None if stopped(findings) else _forecast(case.plan, case.patient, draws, seed)
    said = page.leaflet(
        case.plan,
        case.patient,
        findings,
        expected,
        given=case.given,
        person=case.person,
        telephone=phone,
        head=case.head,
    )
    file = _write(out, "leaflet.pdf", said, page.TEMPLATES)
    hard = round(grade(page.spoken(said)), 1)
    _say([file], {"leaflet": said, "reading_grade": hard}, as_json)


@app.command(epilog=example("note session-3f2a9c01b7de --out out"))
def note(
    session: SessionOrKey,
    patient: PatientFile = None,
    vial: Annotated[
        list[Path] | None, typer.Option(help="A vial that was used, as a file; may be repeated.")
    ] = None,
    out: Folder = Path("out"),
    database: DatabasePlace = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Write the visit note for the payer: why, what was given, vials and waste, last effect."""
    from openbont.report import note as page

    if Path(session).is_file():
        given, who = _given_file(Path(session), patient, vial or [])
        said = page.note(given, who)
    else:
        with opened(database, by) as records:
            said = _note_of(records, session)
    _say([_write(out, "note.pdf", said, page.TEMPLATES)], {"note": said}, as_json)


@dataclass(frozen=True)
class _Case:
    """A plan with its patient, from files or from the records."""

    plan: "Plan"
    patient: "Patient"
    person: "Person | None" = None
    head: str = ""
    given: bool = False
    draft: bool = False


def _planned(named: str, patient: Path | None, database: str, by: str) -> _Case:
    """The plan in a file, or the plan or session that is recorded under a key."""
    if Path(named).is_file() or Path(named).suffix in (".yaml", ".yml", ".json"):
        return _Case(*load(Path(named), patient))
    from openbont.clinic.ledger import refuse_uncounted, uncounted
    from openbont.clinic.nouns import GivenSession
    from openbont.plan import Plan

    with opened(database, by) as records:
        held = _live(records, named)
        if not isinstance(held.noun, Plan | GivenSession):
            raise BadInput(named, f"is a {held.kind}", "name a plan or a session")
        who, person = records.patient(held.patient), _person(records, held.patient)
        head = records.head().digest
        if isinstance(held.noun, Plan):
            refuse_uncounted(uncounted(records.all(held.patient)))
    if isinstance(held.noun, GivenSession):
        before = [past for past in who.history if past.date < held.noun.date]
        who = who.model_copy(update={"history": tuple(before)})
        return _Case(_as_given(held.noun, held.patient), who, person, head, given=True)
    return _Case(held.noun, who, person, head, draft=held.state == "draft")


def _live(records: "Records", key: str) -> "Held":
    """A record that nobody took back."""
    held = records.held(key)
    if not held.live:
        raise BadInput(key, "was entered in error", "name the record that stands in its place")
    return held


def _as_given(session: "GivenSession", patient: str) -> "Plan":
    """What was given, as a plan that can be predicted."""
    from openbont.plan import Plan, Session

    given = [one.model_copy(update={"volume_ml": None}) for one in session.past().injections]
    return Plan(
        patient=patient,
        disorder=session.disorder,
        date=session.date,
        sessions=(
            Session(
                product=session.product,
                injections=tuple(given),
                dilution_u_per_ml=float(session.dilution_u_per_ml),
            ),
        ),
    )


def _person(records: "Records", patient: str) -> "Person | None":
    from openbont.clinic.nouns import Person

    known = [one.noun for one in records.all(patient, "person")]
    return next((one for one in reversed(known) if isinstance(one, Person)), None)


def _sites(plan: "Plan", patient: "Patient") -> "Sites | None":
    """Pictures of the sites; None where there is no model of the place."""
    from openbont.forward.exposure import toxin
    from openbont.report.places import sites

    with suppress(NoEvidence):
        return sites(toxin(plan, model_of(patient, draws=2, seed=1)))
    return None


def _forecast(plan: "Plan", patient: "Patient", draws: int, seed: int) -> "Forecast | None":
    from openbont.report.leaflet import forecast

    with suppress(NoEvidence):
        seen = predict(plan, patient, draws, seed)
        return forecast(seen.course, seen.untreated, seen.outcome)
    return None


def _given_file(
    session: Path, patient: Path | None, vials: Sequence[Path]
) -> tuple["Given", "Patient"]:
    """A session with its vials; without its key, a vial is taken to have served it alone."""
    from openbont.clinic.files import load_record
    from openbont.clinic.nouns import GivenSession, Vial
    from openbont.io import load_patient
    from openbont.report.note import Given

    said = load_record(session, "session")
    assert isinstance(said, GivenSession)
    found = [one for one in (load_record(file, "vial") for file in vials) if isinstance(one, Vial)]
    keys = {taken.session for vial in found for taken in vial.taken}
    if len(keys) > 1:
        problem = f"serve {len(keys)} sessions: {', '.join(sorted(keys))}"
        raise BadInput("--vial", problem, "record the session, and name its key")
    given = Given(said, next(iter(keys), ""), tuple(found))
    return given, load_patient(patient or session.parent / "patient.yaml")


def _note_of(records: "Records", key: str) -> "Content":
    """The note of a recorded session."""
    from openbont.clinic.nouns import AdverseEvent, GivenSession, Vial
    from openbont.report.note import Given
    from openbont.report.note import note as note_of

    held = _live(records, key)
    if not isinstance(held.noun, GivenSession):
        raise BadInput(key, f"is a {held.kind}", "name a session")
    drawn = [records.held(draw.vial).noun for draw in held.noun.draws]
    events = [one.noun for one in records.all(held.patient, "adverse_event")]
    given = Given(
        held.noun,
        key,
        tuple(one for one in drawn if isinstance(one, Vial)),
        tuple(one for one in events if isinstance(one, AdverseEvent) and one.session == key),
    )
    who, person = records.patient(held.patient), _person(records, held.patient)
    return note_of(given, who, person, _found_on(records, held.patient), records.head().digest)


def _found_on(records: "Records", patient: str) -> date:
    """When the findings of the newest clinical picture were taken."""
    from openbont.patient import Patient

    known = [one.noun for one in records.all(patient, "patient")]
    return max(one.date for one in known if isinstance(one, Patient))


def _write(folder: Path, name: str, said: "Content", templates: Sequence[str]) -> Path:
    from openbont.io import replace_file
    from openbont.report.page import pdf

    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(folder / name, pdf(said, templates))
    return folder / name


def _say(files: Sequence[Path], data: dict[str, Any], as_json: bool) -> None:
    """Where it was written; pictures are left out of what a program reads."""
    told = _bare(data) | {"files": [str(file) for file in files]}
    lines = "\n".join(map(str, files))
    show(as_json, told, lambda page: page.print(lines, soft_wrap=True, markup=False))


def _bare(said: Any) -> Any:
    if isinstance(said, dict):
        return {name: _bare(value) for name, value in said.items() if name != "svg"}
    return [_bare(one) for one in said] if isinstance(said, list) else said
