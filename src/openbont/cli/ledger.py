"""The ledger of a patient, and the patient as `check` must see it."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openbont.cli.place import By, DatabasePlace, opened
from openbont.cli.shared import AsJson, app, example, plain, show
from openbont.errors import BadInput

if TYPE_CHECKING:
    from openbont.clinic.ledger import Ledger
    from openbont.patient import PastSession, Patient

OutsideFiles = Annotated[
    list[Path],
    typer.Option("--record", help="Record of another clinic, FHIR or CSV; may be repeated."),
]


@app.command(epilog=example("ledger examples/second_clinic/patient.yaml --on 2026-11-16"))
def ledger(
    patient: Annotated[
        str, typer.Argument(metavar="PATIENT", help="Patient file; or an id, with --database.")
    ],
    record: OutsideFiles = [],  # noqa: B006
    on: Annotated[str, typer.Option(help="Day to look back from; by default today.")] = "",
    database: DatabasePlace = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Add up every product of every clinic over the last 12 weeks; units are never converted."""
    from openbont.report.ledger import show_ledger

    day = _day(on)
    known = _of_file(patient) if Path(patient).exists() else None
    found = gathered(known or patient, record, day, database, by)
    show(as_json, plain(found), lambda page: show_ledger(page, found))


def gathered(
    patient: "Patient | str", records: Sequence[Path], on: date, database: str, by: str
) -> "Ledger":
    """The ledger of a patient file, other clinics' records, and the database where one is named."""
    from openbont.clinic.imports import read_outside
    from openbont.clinic.ledger import OWN_FILE, told_by, uncounted
    from openbont.clinic.ledger import ledger as added_up

    told: dict[str, list[PastSession]] = {}
    not_counted: list[str] = []
    name = patient if isinstance(patient, str) else patient.id
    if database or isinstance(patient, str):
        with opened(database, by) as held:
            theirs = held.all(name)
            seen = held.patient(name) if isinstance(patient, str) else patient
        told, not_counted = told_by(theirs), uncounted(theirs)
    else:
        seen = patient
    if not isinstance(patient, str):
        told[OWN_FILE] = list(patient.history)
    for file in records:
        read = read_outside(file).of(seen)
        told[file.name] = list(read.sessions)
        not_counted += [f"{file.name}: {words}" for words in read.not_counted]
    return added_up(name, told, on, not_counted)


def as_known(
    patient: "Patient", records: Sequence[Path], on: date, database: str, by: str
) -> "Patient":
    """The patient with everything that is known to have been given; refused while not all is."""
    from openbont.clinic.ledger import refuse_uncounted, with_history

    if not records and not database:
        return patient
    found = gathered(patient, records, on, database, by)
    refuse_uncounted(found.not_counted)
    return with_history(patient, found)


def _of_file(file: str) -> "Patient":
    from openbont.io import load_patient

    return load_patient(file)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text) if text else datetime.now().astimezone().date()
    except ValueError:
        way_out = "write year-month-day: 2026-03-02"
        raise BadInput("--on", f"not a date (value {text!r})", way_out) from None
