"""Commands that keep the records: backup, restore, archive, verification, rescue."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from openbont.cli.place import (
    NEW_PASSPHRASE,
    PASSPHRASE,
    By,
    DatabasePlace,
    asked,
    new_passphrase,
    opened,
    passphrase_for,
    place,
    wanted_passphrase,
    writer,
)
from openbont.cli.records import records
from openbont.cli.shared import AsJson, Folder, example, plain, show

if TYPE_CHECKING:
    from openbont.clinic.rebuild import Verified


@records.command(epilog=example("records verify"))
def verify(database: DatabasePlace = "", by: By = "", as_json: AsJson = False) -> None:
    """Look at everything: pages, the chain of events, the state that follows, units in vials."""
    with opened(database, by) as held:
        found = held.verify()
    _say("whole", found, {}, as_json)


@records.command(epilog=example("records backup --out backups"))
def backup(
    out: Folder = Path("backups"),
    keep: Annotated[int, typer.Option(min=1, help="How many of the newest stay.")] = 14,
    database: DatabasePlace = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Write a copy, look at all of it, and only then give it its name."""
    from openbont.clinic.backup import backup as copied

    with opened(database, by) as held:
        made = copied(held.database, out, keep, held.by, held.now)
    about = {"file": str(made.file), "removed": plain(made.removed)}
    _say(str(made.file), made.verified, about, as_json)


@records.command(epilog=example("records restore BACKUP --drill"))
def restore(
    backup: Annotated[Path, typer.Argument(metavar="BACKUP", help="A backup, or an archive.")],
    drill: Annotated[
        bool, typer.Option("--drill", help="Only try: restore aside, look at it, remove it.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="In place of a database, which is kept aside.")
    ] = False,
    database: DatabasePlace = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Make a database of a backup, and look at all of it."""
    from openbont.clinic import backup as backups
    from openbont.clinic.records import utc_now

    archive = backup.suffix == ".jsonl"
    secret = None if archive else passphrase_for(str(backup))
    who = writer(by)
    if drill:
        found = backups.drill(backup, who, utc_now, secret)
        _say("drill: can be restored", found, {"drill": True}, as_json)
        return
    where = place(database)
    found = backups.restore(backup, where, who, utc_now, secret, over=replace)
    _say(f"restored: {where}", found, {"database": where}, as_json)


@records.command("export", epilog=example("records export --out records.jsonl"))
def export_records(
    out: Annotated[Path, typer.Option("--out", help="File to write.")],
    database: DatabasePlace = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Write all events with their digests to a file that only its owner may read."""
    from openbont.clinic.archive import write_archive

    with opened(database, by) as held:
        found = write_archive(held.database, out)
    _say(str(out), found, {"file": str(out)}, as_json)


@records.command("import", epilog=example("records import records.jsonl --database new.db"))
def import_records(
    archive: Annotated[Path, typer.Argument(metavar="ARCHIVE", help="What export wrote.")],
    encrypt: Annotated[
        bool, typer.Option("--encrypt", help="Ask for a passphrase (OPENBONT_PASSPHRASE).")
    ] = False,
    database: DatabasePlace = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Make a database of everything that `export` wrote."""
    from openbont.clinic.archive import read_archive
    from openbont.clinic.records import create_records, open_records

    where, who = place(database), writer(by)
    secret = wanted_passphrase(encrypt, where)
    made = create_records(where, by=who, passphrase=secret, events=read_archive(archive))
    with open_records(where, by=who, passphrase=secret) as held:
        found = held.verify()
    key = f"\nrecovery key: {made.recovery_key}" if made.recovery_key else ""
    _say(f"imported: {made.place}{key}", found, plain(made), as_json)


@records.command(epilog=example("records recover --out rescued.json"))
def recover(
    out: Annotated[Path, typer.Option("--out", help="File to write.")],
    database: DatabasePlace = "",
    as_json: AsJson = False,
) -> None:
    """Read what is left of a damaged database; the database itself is never written."""
    from openbont.clinic.keys import key_file
    from openbont.clinic.rescue import rescue

    where = Path(place(database)).expanduser()
    sealed = key_file(where).exists()
    secret = os.environ.get(PASSPHRASE)
    if sealed:
        secret = asked("Passphrase or recovery key", PASSPHRASE)
    found = rescue(where, out, secret)
    words = [f"{out}: {found.events} events, {found.records} records"]
    words.append(f"the chain has no gap up to event {found.whole_to}")
    words += [f"lost: {one}" for one in found.lost]
    show(as_json, plain(found), lambda page: page.print("\n".join(words), markup=False))


@records.command(epilog=example("records passphrase"))
def passphrase(database: DatabasePlace = "", as_json: AsJson = False) -> None:
    """Change the passphrase; the recovery key opens too, and stays what it is."""
    from openbont.clinic.opening import change_passphrase

    where = place(database)
    old = passphrase_for(where) or ""
    change_passphrase(where, old, new_passphrase(NEW_PASSPHRASE))
    show(as_json, {"database": where}, lambda page: page.print(f"changed: {where}", markup=False))


def _say(words: str, found: "Verified", more: dict[str, Any], as_json: bool) -> None:
    lines = [
        words,
        f"{found.events} events, {found.records} records; the chain holds",
        f"chain head {found.head}",
    ]
    if found.clock_back:
        lines.append(f"the clock went back {found.clock_back} times; the order is that of events")
    data = {**plain(found), **more}
    show(as_json, data, lambda page: page.print("\n".join(lines), markup=False, soft_wrap=True))
