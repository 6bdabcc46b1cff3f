"""Commands that exchange records: other clinics, diaries, FHIR, research."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openbont.cli.place import By, DatabasePlace, opened
from openbont.cli.records import PatientId, Sign, records
from openbont.cli.shared import AsJson, Folder, example, plain, show, writing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from openbont.clinic.held import Held

SECRET = "OPENBONT_RESEARCH_SECRET"


@records.command(epilog=example("records outside record.json --patient ida"))
def outside(
    record: Annotated[Path, typer.Argument(metavar="RECORD", help="FHIR R4 Bundle or CSV.")],
    patient: PatientId,
    database: DatabasePlace = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Take in another clinic's record; what may be toxin and cannot be counted is kept as such."""
    from openbont.clinic.imports import read_outside

    with opened(database, by) as held:
        read = read_outside(record).of(held.patient(patient))
        added = [held.add(noun, patient) for noun in read.nouns()]
        kept = [held.sign(one.key, one.version) for one in added]
    lists = {"not counted": read.not_counted, "not understood": read.not_understood}
    _say(kept, lists, as_json)


@records.command(epilog=example("records diary diary.csv --patient arm-after-stroke"))
def diary(
    diary: Annotated[Path, typer.Argument(metavar="DIARY", help="CSV: date, scale, value.")],
    patient: PatientId,
    sign: Sign = False,
    database: DatabasePlace = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Take in a patient's diary; rows that are not plain are listed and left out."""
    from openbont.clinic.diary import read_diary

    with opened(database, by) as held:
        read = read_diary(diary, until=held.now().date())
        kept = [held.add(read.diary, patient)] if read.diary else []
        if sign:
            kept = [held.sign(one.key, one.version) for one in kept]
    _say(kept, {"left out": read.bad}, as_json)


@records.command(epilog=example("records fhir session-3f2a9c01b7de --out session.json"))
def fhir(
    session: Annotated[str, typer.Argument(metavar="SESSION", help="Key of a given session.")],
    out: Annotated[Path, typer.Option("--out", help="File to write.")],
    icd10: Annotated[
        str, typer.Option("--icd10", help="The leaf, where the disorder leaves several.")
    ] = "",
    database: DatabasePlace = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Write one session as a FHIR R4 Bundle."""
    from openbont.clinic.fhir.codes import source
    from openbont.clinic.fhir.export import bundle, text
    from openbont.clinic.fhir.gather import gathered
    from openbont.io import replace_file

    with opened(database, by) as held:
        made = bundle(gathered(held, session, icd10 or None))
    with writing(out):
        replace_file(out, text(made).encode())
    data = {"file": str(out), "resources": len(made["entry"]), "codes": plain(source())}
    words = f"{out}: {len(made['entry'])} resources; not checked by the official validator"
    show(as_json, data, lambda page: page.print(words, markup=False, soft_wrap=True))


@records.command(epilog=example("records research --out tables"))
def research(
    out: Folder = Path("research"),
    database: DatabasePlace = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Write tables without names, numbers, days or free text (secret: OPENBONT_RESEARCH_SECRET)."""
    from openbont.clinic.research import research as tables
    from openbont.clinic.research import secret_of
    from openbont.io import replace_file

    with opened(database, by) as held:
        given = os.environ.get(SECRET, "").encode()
        made = tables(held.all(), given or secret_of(held))
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            replace_file(out / f"{name}.csv", text.encode())
    rows = {name: text.count("\n") - 1 for name, text in made.items()}
    words = "\n".join(f"{out / name}.csv: {count} rows" for name, count in rows.items())
    data = {"folder": str(out), "rows": rows}
    show(as_json, data, lambda page: page.print(words, markup=False, soft_wrap=True))


def _say(kept: "list[Held]", lists: "Mapping[str, Sequence[str]]", as_json: bool) -> None:
    """What was kept, and what was not understood, word for word."""

    def text(page: "Console") -> None:
        for one in kept:
            page.print(f"{one.key}: {one.kind}, {one.state}", markup=False)
        for words, listed in lists.items():
            for left in listed:
                page.print(f"{words}: {left}", markup=False, soft_wrap=True)

    told = {words.replace(" ", "_"): list(listed) for words, listed in lists.items()}
    show(as_json, {"kept": plain(kept), **told}, text)
