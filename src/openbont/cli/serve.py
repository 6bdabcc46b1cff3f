"""The workbench in the browser."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openbont.cli.place import DatabasePlace, asked, passphrase_for, place
from openbont.cli.shared import NOT_A_DEVICE, app, example
from openbont.errors import BadInput

if TYPE_CHECKING:
    from socket import socket

    from fastapi import FastAPI

    from openbont.clinic.records import Records
    from openbont.web.server import Door

PASSWORD = "OPENBONT_ADMIN_PASSWORD"
FIRST = ("injector", "pharmacist", "researcher", "admin")
"""Roles of the first account."""


@app.command(epilog=example("serve --demo --open"))
def serve(
    open_browser: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8000,
    demo: Annotated[
        bool, typer.Option("--demo", help="Six invented patients; forgotten at the end.")
    ] = False,
    host: Annotated[str, typer.Option(help="Name of this machine; others need TLS.")] = "127.0.0.1",
    certificate: Annotated[Path | None, typer.Option(help="TLS certificate, as PEM.")] = None,
    key: Annotated[Path | None, typer.Option(help="Its private key, as PEM.")] = None,
    database: DatabasePlace = "",
) -> None:
    """Serve the workbench to the browser of this machine."""
    import tempfile

    from openbont.web import server
    from openbont.web.app import create_app

    door = server.safe(server.Door(host, port, certificate, key))
    with server.listening(door) as at, tempfile.TemporaryDirectory(prefix="openbont-") as folder:
        door = server.Door(host, at.getsockname()[1], certificate, key)
        where = str(Path(folder) / "demo.db") if demo else place(database)
        opened = _opener(where, demo)
        _first_account(opened, demo)
        built = create_app(opened, demo=demo, hosts=door.names, tls=door.tls)
        print(f"\nOpenBoNT workbench: {door.address}\n{NOT_A_DEVICE} Stop it with Ctrl+C.")
        if open_browser:
            _open_soon(door.address)
        _run(built, door, at)


def _run(built: "FastAPI", door: "Door", at: "socket") -> None:
    from openbont.web import server

    try:
        server.serve(built, door, at)
    finally:
        if built.state.records:
            built.state.records.close()


def _opener(where: str, demo: bool) -> "Callable[[str], Records]":
    """How the records are opened in a name; made where there are none."""
    from openbont.clinic.database import is_url
    from openbont.clinic.records import create_records, open_records

    if not is_url(where) and not Path(where).expanduser().exists():
        create_records(where, by="the workbench")
        if not demo:
            print(f"New database: {where}")
    secret = None if demo else passphrase_for(where)

    def opened(by: str) -> "Records":
        return open_records(where, by=by, passphrase=secret)

    if demo:
        from openbont.web.server import demo_records

        with opened("the demonstration") as records:
            demo_records(records)
    return opened


def _first_account(opened: "Callable[[str], Records]", demo: bool) -> None:
    """Somebody has to be able to sign in: asked at the terminal, or with a password made up."""
    import os
    import secrets

    from openbont.web.accounts import accounts, add_account, once

    with opened("the workbench") as records:
        if accounts(records):
            return
        ask = not demo and (sys.stdin.isatty() or PASSWORD in os.environ)
        made = f"try-{secrets.token_urlsafe(12)}" if demo else once()
        password = _password() if ask else made
        login, name = ("demo", "Dr Demo") if demo else ("admin", "The first account")
        add_account(records, login, name, FIRST, password)
    print(f"\nSign in as: {login}")
    if not ask:
        then = "" if demo else "; you choose another when you sign in"
        print(f"Password:   {password}   (shown once{then})")


def _password() -> str:
    first = asked("Password for the account admin", PASSWORD)
    if sys.stdin.isatty() and asked("The same again", PASSWORD) != first:
        raise BadInput("password", "the two are not the same", "try again")
    return first


def _open_soon(address: str) -> None:
    """In the browser, as soon as the door is open."""
    import threading
    import webbrowser

    threading.Timer(0.8, webbrowser.open, [address]).start()
