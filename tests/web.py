"""The workbench with invented patients, and a browser for each role."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from openbont.clinic.records import Records, create_records, open_records
from openbont.web.accounts import ROLES, Role, User, add_account
from openbont.web.app import create_app
from openbont.web.server import demo_records

HERE = "http://127.0.0.1:8000"
PASSWORD = "seven quiet herons"
OURS = {"Origin": HERE, "Sec-Fetch-Site": "same-origin"}
NAMES = {role: f"The {role}" for role in ROLES}


class Tick:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def browser(app: FastAPI) -> TestClient:
    """One that nobody has signed in with."""
    return TestClient(app, base_url=HERE, headers=OURS, follow_redirects=False)


def signed_in_as(app: FastAPI, role: Role) -> TestClient:
    """One of the role's account; without the cost of a password."""
    client = browser(app)
    client.cookies.set("openbont", app.state.sessions.begin(User(role, NAMES[role], (role,))))
    return client


def made(place: Path) -> Callable[[str], Records]:
    """A database with the six patients, and how to open it."""
    create_records(place, by="the clinic")

    def opened(by: str) -> Records:
        return open_records(place, by=by)

    with opened("the clinic") as records:
        demo_records(records)
    return opened


@pytest.fixture
def clock() -> Tick:
    return Tick()


@pytest.fixture
def app(tmp_path: Path, clock: Tick) -> Iterator[FastAPI]:
    """The workbench; every role has an account whose login is its name."""
    opened = made(tmp_path / "records.db")
    built = create_app(opened, demo=True, clock=clock)
    yield built
    if built.state.records:
        built.state.records.close()


def accounts_for_all(app: FastAPI) -> None:
    """An account a role; this is slow, for passwords are."""
    with app.state.open_records("the clinic") as records:
        for role in ROLES:
            add_account(records, role, NAMES[role], [role], PASSWORD)
