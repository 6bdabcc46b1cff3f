"""Commands that print paper: the injection sheet, the visit note and the patient's page."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from openbont.cli.place import By, DatabasePlace, opened
from openbont.cli.plans import Label, PatientFile, leave, load, stopped
from openbont.cli.shared import (
    AsJson,
    Draws,
    Folder,
    Seed,
    app,
    example,
    plain,
    progress,
    show,
    writing,
)
from openbont.errors import BadInput

if TYPE_CHECKING:
    from openbont.patient import Patient
    from openbont.report.note import Given
    from openbont.report.papers import Case
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
    findings = case.findings(label)
    from openbont.report import papers
    from openbont.report.sheet import TEMPLATES

    files, said = [], []
    for at in range(len(case.plan.sessions)):
        said.append(papers.sheet(case, at, label))
        several = f"-{at + 1}" if len(case.plan.sessions) > 1 else ""
        files.append(_write(out, f"sheet{several}.pdf", said[-1], TEMPLATES))
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
    findings = case.findings(label)
    from openbont.report import leaflet as page
    from openbont.report import papers, terminal
    from openbont.report.reading_age import grade

    if stopped(findings) and not case.given:
        refused = {"findings": plain(findings), "stopped": True}
        show(as_json, refused, lambda console: terminal.show_findings(console, findings))
        leave(findings)
    with progress("writing the patient's page"):
        said = papers.leaflet(case, phone, draws, seed, label)
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
    from openbont.report import papers

    if Path(session).is_file():
        given, who = _given_file(Path(session), patient, vial or [])
        said = page.note(given, who)
    else:
        with opened(database, by) as records:
            said = papers.note(records, session)
    _say([_write(out, "note.pdf", said, page.TEMPLATES)], {"note": said}, as_json)


def _planned(named: str, patient: Path | None, database: str, by: str) -> "Case":
    """The plan in a file, or the plan or session that is recorded under a key."""
    from openbont.report.papers import Case, case

    if Path(named).is_file() or Path(named).suffix in (".yaml", ".yml", ".json"):
        return Case(*load(Path(named), patient))
    with opened(database, by) as records:
        return case(records, named)


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
