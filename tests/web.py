"""The workbench with invented patients, and a browser for each role."""

import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from openbont.clinic.records import Records, create_records, open_records
from openbont.web.accounts import ROLES, Role, User, add_account
from openbont.web.app import create_app
from openbont.web.server import demo_records

with warnings.catch_warnings():  # it wants a successor of httpx that is not out for long
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient

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


def opener(place: Path) -> Callable[[str], Records]:
    """How the records of a place are opened in a name."""

    def opened(by: str) -> Records:
        return open_records(place, by=by)

    return opened


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the six patients; to be copied."""
    place = tmp_path_factory.mktemp("demo") / "records.db"
    create_records(place, by="the clinic")
    with opener(place)("the clinic") as records:
        demo_records(records)
    return place


@pytest.fixture
def clock() -> Tick:
    return Tick()


@pytest.fixture
def app(demo: Path, tmp_path: Path, clock: Tick) -> Iterator[FastAPI]:
    """The workbench over the six patients."""
    place = tmp_path / "records.db"
    shutil.copy(demo, place)
    built = create_app(opener(place), demo=True, clock=clock)
    yield built
    if built.state.records:
        built.state.records.close()


def accounts_for_all(app: FastAPI) -> None:
    """An account a role, whose login is its name; this is slow, for passwords are."""
    with app.state.open_records("the clinic") as records:
        for role in ROLES:
            add_account(records, role, NAMES[role], [role], PASSWORD)
