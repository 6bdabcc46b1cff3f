"""Commands that record what was planned, given and measured."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from openbont.cli.place import By, DatabasePlace, opened, place, wanted_passphrase, writer
from openbont.cli.shared import AsJson, app, example, plain, show

if TYPE_CHECKING:
    from rich.console import Console

    from openbont.clinic.held import Held
    from openbont.clinic.records import Records

records = typer.Typer(
    help="Record what was planned, given and measured, so that nothing is lost.",
    epilog=example("records init"),
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(records, name="records")

PatientId = Annotated[str, typer.Option("--patient", help="The patient's id.")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="The record, as `records show` names it.")]
Seen = Annotated[
    int | None, typer.Option(min=1, help="The version you have read; by default the newest.")
]
Reason = Annotated[str, typer.Option(help="Why, in a few words.")]
Sign = Annotated[bool, typer.Option("--sign", help="Sign it at once.")]


def file(what: str) -> Any:
    """The argument of a command that reads a file."""
    return typer.Argument(metavar=what.upper(), help=f"{what} as YAML or JSON.")


@records.command(epilog=example("records init --encrypt"))
def init(
    database: DatabasePlace = "",
    encrypt: Annotated[
        bool, typer.Option("--encrypt", help="Ask for a passphrase (OPENBONT_PASSPHRASE).")
    ] = False,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Make an empty database."""
    from openbont.clinic.records import create_records

    where = place(database)
    secret = wanted_passphrase(encrypt, where)
    made = create_records(where, by=writer(by), passphrase=secret)

    def text(page: "Console") -> None:
        page.print(f"made: {made.place}", soft_wrap=True, markup=False)
        if secret is None:
            page.print("not encrypted: who reads the file reads the records; see --encrypt")
        if made.recovery_key:
            page.print(
                "\nRecovery key: print it, keep it in a safe place, and not beside the database."
                f"\nWithout it a forgotten passphrase loses everything.\n\n{made.recovery_key}",
                soft_wrap=True,
                markup=False,
            )

    show(as_json, plain(made), text)


@records.command(epilog=example("records add examples/arm_after_stroke/plan.yaml"))
def add(
    record: Annotated[Path, file("Record")],
    patient: PatientId = "",
    kind: Annotated[str, typer.Option(help="What it is; by default seen by its fields.")] = "",
    key: Annotated[str, typer.Option(help="Its key; by default a new one.")] = "",
    replace: Annotated[str, typer.Option(help="Key of a draft that it shall replace.")] = "",
    seen: Seen = None,
    sign: Sign = False,
    database: DatabasePlace = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Put a file into the records as a draft: patient, plan, person, consent, vial and so on."""
    from openbont.clinic.files import load_record

    noun = load_record(record, kind)
    with opened(database, by) as held:
        if replace:
            one = held.change(replace, noun, seen or held.held(replace).version)
        else:
            one = held.add(noun, patient or _patient_of(noun), key or None)
        if sign:
            one = held.sign(one.key, one.version)
        _say(held, one, as_json)


@records.command(epilog=example("records give session.yaml --patient arm-after-stroke"))
def give(
    session: Annotated[Path, file("Session")],
    patient: PatientId,
    key: Annotated[str, typer.Option(help="Its key; by default a new one.")] = "",
    database: DatabasePlace = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Record what was injected, and take it from the vials."""
    from openbont.clinic.files import load_record
    from openbont.clinic.nouns import GivenSession

    noun = load_record(session, "session")
    assert isinstance(noun, GivenSession)
    with opened(database, by) as held:
        _say(held, held.give(noun, patient, key or None), as_json)


@records.command(epilog=example('records waste V1 --units 10 --reason "rest of the vial"'))
def waste(
    vial: Annotated[str, typer.Argument(metavar="VIAL", help="Id of the vial.")],
    units: Annotated[str, typer.Option(help="Units thrown away.")],
    reason: Reason,
    date: Annotated[str, typer.Option(help="Day, as 2026-03-02; by default today.")] = "",
    seen: Seen = None,
    database: DatabasePlace = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Record units of a vial that were thrown away."""
    with opened(database, by) as held:
        noun = _waste(held, units, reason, date)
        version = seen or held.held(vial).version
        _say(held, held.waste(vial, noun, version), as_json)


@records.command(epilog=example("records visit visit.yaml --patient arm-after-stroke"))
def visit(
    visit: Annotated[Path, file("Visit")],
    patient: PatientId,
    sign: Sign = False,
    database: DatabasePlace = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Record readings on named scales at a visit."""
    add(visit, patient, "visit", sign=sign, database=database, by=by, as_json=as_json)


@records.command(epilog=example("records sign plan-3f2a9c01b7de"))
def sign(
    key: Key,
    seen: Seen = None,
    database: DatabasePlace = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Fix a draft for good."""
    with opened(database, by) as held:
        _say(held, held.sign(key, seen or held.held(key).version), as_json)


@records.command(epilog=example('records correct KEY session.yaml --reason "wrong side"'))
def correct(
    key: Key,
    record: Annotated[Path, file("Record")],
    reason: Reason,
    database: DatabasePlace = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Replace what was signed or given; the old record stays, entered in error."""
    from openbont.clinic.files import load_record

    with opened(database, by) as held:
        noun = load_record(record, held.held(key).kind)
        _say(held, held.correct(key, noun, reason), as_json)


@records.command(epilog=example('records withdraw KEY --reason "another patient"'))
def withdraw(
    key: Key,
    reason: Reason,
    database: DatabasePlace = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Say that a record should never have been; it stays, entered in error."""
    with opened(database, by) as held:
        _say(held, held.withdraw(key, reason), as_json)


@records.command("show", epilog=example("records show arm-after-stroke"))
def show_records(
    patient: Annotated[
        str, typer.Argument(metavar="[PATIENT]", help="The patient's id; by default vials.")
    ] = "",
    errors: Annotated[
        bool, typer.Option("--errors", help="Also what was entered in error.")
    ] = False,
    database: DatabasePlace = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """List the records of a patient, or the vials."""
    with opened(database, by) as held:
        found, head = held.all(patient, withdrawn=errors), held.head()
    data = {"records": plain(found), "head": head.digest, "events": head.number}
    show(as_json, data, lambda page: _table(page, found, head.digest))


def _say(records: "Records", held: "Held", as_json: bool) -> None:
    """What a record is now, and where the chain ends."""
    head = records.head()
    data = {
        "key": held.key,
        "kind": held.kind,
        "state": held.state,
        "version": held.version,
        "head": head.digest,
        "events": head.number,
    }

    def text(page: "Console") -> None:
        page.print(f"{held.key}: {held.state}, version {held.version}", markup=False)
        page.print(f"chain head {head.digest[:16]} at event {head.number}", style="dim")

    show(as_json, data, text)


def _table(page: "Console", found: "list[Held]", head: str) -> None:
    from rich.table import Table

    table = Table("key", "kind", "state", "version", "written", "by", "reason", box=None)
    for one in found:
        written = one.at[:16].replace("T", " ")
        table.add_row(one.key, one.kind, one.state, str(one.version), written, one.by, one.reason)
    page.print(table)
    page.print(f"chain head {head}", style="dim", soft_wrap=True)


def _patient_of(noun: Any) -> str:
    """Whose record it is, where the file says it itself."""
    from openbont.clinic.nouns import Person, Vial
    from openbont.errors import BadInput
    from openbont.patient import Patient
    from openbont.plan import Plan

    if isinstance(noun, Patient | Person):
        return noun.id
    if isinstance(noun, Plan):
        return noun.patient
    if isinstance(noun, Vial):
        return ""
    raise BadInput("--patient", "no patient is named", "add --patient with the patient's id")


def _waste(records: "Records", units: str, reason: str, date: str) -> Any:
    """The noun, read as strictly as from a file."""
    import json

    from pydantic import ValidationError

    from openbont.clinic.nouns import Waste
    from openbont.errors import BadInput

    day = date or records.now().date().isoformat()
    said = {"units": units, "reason": reason, "date": day, "by": records.by}
    try:
        return Waste.model_validate_json(json.dumps(said))
    except ValidationError as error:
        wrong = error.errors()[0]
        raise BadInput(f"--{wrong['loc'][0]}", wrong["msg"], "") from None
