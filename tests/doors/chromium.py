"""A real Chromium before a real server: fixtures and what every page is held to."""

import datetime
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

from openbont.clinic.records import Records, open_records, utc_now
from openbont.io import load_patient
from openbont.web.accounts import add_account
from openbont.web.app import create_app
from openbont.web.server import Door, examples, listening

CHROMIUM = "/usr/bin/chromium"
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
PASSWORD = "seven quiet herons"
EXPECTED = ("GPU", "GL Driver", "ERR_FAILED", "status of 401", "status of 409", "status of 422")
"""Chromium's own words: no graphics here, a wire that a test cut, a form that we refused."""
TABLET = {"width": 820, "height": 1180}
PATIENCE_MS = 180_000
"""For one page or click, on a machine that does other things, too."""


@dataclass(frozen=True)
class Served:
    """Where the workbench is, and how to come in."""

    address: str
    password: str
    login: str = "demo"


@contextmanager
def serving(*options: str, **settings: str) -> Iterator[tuple[str, str, "subprocess.Popen[str]"]]:
    """`openbont serve` as anybody would start it: address, what it said, process."""
    command = [sys.executable, "-m", "openbont.cli", "serve", "--port", "0", *options]
    known = os.environ | {"PYTHONUNBUFFERED": "1"} | settings
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=known)
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            break
    else:
        raise AssertionError(f"no address: {said}")
    yield found[0], said, process
    process.terminate()
    process.wait(20)
    process.stdout.close()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """The demonstration."""
    with serving("--demo") as (address, said, _):
        password = re.search(r"Password:\s+(\S+)", said)
        assert password
        yield Served(address, password[1])


class Clinic(Served):
    """A workbench whose clock can be put forward: twelve weeks are too long for a test."""

    ahead = datetime.timedelta(0)

    def now(self) -> datetime.datetime:
        """What its clock says."""
        return utc_now() + self.ahead

    @property
    def today(self) -> datetime.date:
        """The day that it takes for today."""
        return self.now().astimezone().date()


@pytest.fixture(scope="module")
def clinic(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """The six patients, one injector, and a clock."""
    place = tmp_path_factory.mktemp("clinic") / "records.db"
    shutil.copy(demo, place)
    with listening(Door(port=0)) as at:
        here = Clinic(f"http://127.0.0.1:{at.getsockname()[1]}", PASSWORD, "vega")

        def opened(by: str) -> Records:
            return open_records(place, by=by, now=here.now)

        with opened("the clinic") as records:
            add_account(records, here.login, "Dr Elena Vega", ["injector"], PASSWORD)
        app = create_app(opened)
        server = uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [at]})
        thread.start()
        yield here
        server.should_exit = True
        thread.join(20)
        app.state.records.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def context(browser: Browser, served: Served) -> Iterator[BrowserContext]:
    """A browser that has signed in to the demonstration."""
    yield from inside(browser, served)


@pytest.fixture(scope="module")
def office(browser: Browser, clinic: Clinic) -> Iterator[BrowserContext]:
    """A browser that has signed in to the clinic."""
    yield from inside(browser, clinic)


def inside(browser: Browser, served: Served) -> Iterator[BrowserContext]:
    opened = browser.new_context(base_url=served.address, viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(PATIENCE_MS)
    page = opened.new_page()
    page.goto("/")
    sign_in(page, served)
    page.close()
    yield opened
    opened.close()


def sign_in(page: Page, served: Served) -> None:
    page.get_by_label("Login").fill(served.login)
    page.get_by_label("Password").fill(served.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Today")


@dataclass
class Watch:
    """What one page asked for and complained about."""

    home: str
    strangers: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def over(self, page: Page) -> Page:
        """Listen to a page from now on."""
        page.on("request", self._asked)
        page.on("console", lambda one: self._said(one.type, one.text))
        page.on("pageerror", lambda one: self.complaints.append(str(one)))
        return page

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and not request.url.startswith(self.home):
            self.strangers.append(request.url)

    def _said(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not any(words in text for words in EXPECTED):
            self.complaints.append(text)


@contextmanager
def watched(context: BrowserContext, served: Served) -> Iterator[Page]:
    """A page whose deeds are judged at the end."""
    watch = Watch(served.address)
    opened = watch.over(context.new_page())
    yield opened
    opened.close()
    assert watch.strangers == []
    assert watch.complaints == []


@pytest.fixture
def page(context: BrowserContext, served: Served) -> Iterator[Page]:
    """A watched page of the demonstration."""
    with watched(context, served) as opened:
        yield opened


@pytest.fixture
def desk(office: BrowserContext, clinic: Clinic) -> Iterator[Page]:
    """A watched page of the clinic."""
    with watched(office, clinic) as opened:
        yield opened


def patient_of(folder: str) -> str:
    return load_patient(examples() / folder / "patient.yaml").id


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG A and AA, in words."""
    found = Axe().run(page, options=WCAG).response["violations"]
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]
