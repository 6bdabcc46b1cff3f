"""Which database a command opens, in whose name, and with what passphrase."""

import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openbont.errors import BadInput

if TYPE_CHECKING:
    from openbont.clinic.records import Records

PASSPHRASE, NEW_PASSPHRASE = "OPENBONT_PASSPHRASE", "OPENBONT_NEW_PASSPHRASE"
SHORTEST = 8

DatabasePlace = Annotated[
    str,
    typer.Option(
        "--database",
        envvar="OPENBONT_DATABASE",
        help="File, or postgresql+psycopg://...; by default openbont.db in your data folder.",
    ),
]
By = Annotated[
    str,
    typer.Option("--by", envvar="OPENBONT_USER", help="Who writes; by default your login name."),
]


def place(named: str) -> str:
    """The database that is meant."""
    from openbont.clinic.disk import data_folder

    return named or str(data_folder() / "openbont.db")


def writer(named: str) -> str:
    """Who writes."""
    try:
        return named or getpass.getuser()
    except (KeyError, OSError):
        return ""


def opened(database: str, by: str) -> "Records":
    """The records, asked for the passphrase where they are encrypted."""
    from openbont.clinic.records import open_records

    where = place(database)
    return open_records(where, by=writer(by), passphrase=passphrase_for(where))


def passphrase_for(where: str) -> str | None:
    """What opens the database; None where nothing is needed."""
    from openbont.clinic.database import encrypted, is_url

    if is_url(where) or not encrypted(Path(where).expanduser()):
        return None
    return asked("Passphrase or recovery key", PASSPHRASE)


def wanted_passphrase(encrypt: bool, where: str) -> str | None:
    """The passphrase of a new file: with --encrypt, or where one stands in the environment."""
    from openbont.clinic.database import is_url

    given = PASSPHRASE in os.environ and not is_url(where)
    return new_passphrase() if encrypt or given else None


def new_passphrase(variable: str = PASSPHRASE) -> str:
    """A passphrase to be, asked for twice."""
    first = asked("New passphrase", variable)
    if len(first) < SHORTEST:
        raise BadInput("passphrase", f"shorter than {SHORTEST} characters", "take a few words")
    if variable not in os.environ and asked("The same again", variable) != first:
        raise BadInput("passphrase", "the two are not the same", "try again")
    return first


def asked(words: str, variable: str) -> str:
    """A secret from the environment, or typed without being shown; never from the command line."""
    if variable in os.environ:
        return os.environ[variable]
    if not sys.stdin.isatty():
        raise BadInput("passphrase", "there is no terminal to ask at", f"set {variable}")
    return getpass.getpass(f"{words}: ", stream=sys.stderr)
