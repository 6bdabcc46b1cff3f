"""A person with a browser: a real Chromium, a real server, the six invented patients.

Every page that a journey opens is held to the same: no host but ours, nothing logged as an error,
and no violation of WCAG A or AA that axe can find.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

from openbont.io import load_patient
from openbont.planning.rules import refusals
from openbont.web.app import PAGES
from openbont.web.context import STEPS as PATH
from openbont.web.server import DEMO, examples

CHROMIUM = "/usr/bin/chromium"
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
ROUTES = {getattr(route, "path", "") for module in PAGES for route in module.router.routes}
STEPS = {step: words for step, words in PATH if f"/patients/{{patient}}/{step}" in ROUTES}


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
    until_open(urlsplit(found[0]).port or 0)
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


def until_open(port: int) -> None:
    """The address is said a moment before the door is open."""
    for _ in range(200):
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise AssertionError("nobody answers")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def context(browser: Browser, served: Served) -> Iterator[BrowserContext]:
    """A browser that has signed in."""
    opened = browser.new_context(base_url=served.address, viewport={"width": 1280, "height": 900})
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

    def over(self, page: Page) -> None:
        """Listen to a page from now on."""
        page.on("request", self._asked)
        page.on("console", lambda one: self._said(one.type, one.text))
        page.on("pageerror", lambda one: self.complaints.append(str(one)))

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and not request.url.startswith(self.home):
            self.strangers.append(request.url)

    def _said(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "GPU" not in text and "GL Driver" not in text:
            self.complaints.append(text)


@pytest.fixture
def page(context: BrowserContext, served: Served) -> Iterator[Page]:
    """A page that is watched; what it did is judged when the test is over."""
    opened, watch = context.new_page(), Watch(served.address)
    watch.over(opened)
    yield opened
    opened.close()
    assert watch.strangers == []
    assert watch.complaints == []


def patient_of(folder: str) -> str:
    return load_patient(examples() / folder / "patient.yaml").id


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG A and AA, in words."""
    found = Axe().run(page, options=WCAG).response["violations"]
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("folder", DEMO)
def test_the_path_of_every_demo_patient_opens(page: Page, folder: str) -> None:
    patient = patient_of(folder)
    page.goto("/patients")
    page.get_by_role("main").get_by_role("link", name=DEMO[folder][0]).click()
    expect(page.locator(".patient-name")).to_have_text(DEMO[folder][0])
    for step, words in STEPS.items():
        page.locator(".steps").get_by_role("link", name=re.compile(f"^{words}")).click()
        expect(page.locator(".steps a[aria-current]")).to_contain_text(words)
        assert urlsplit(page.url).path == f"/patients/{patient}/{step}"
    page.goto(f"/patients/{patient}/papers")
    expect(page.get_by_role("heading", level=1)).to_have_text("Papers and data")


LOOKED_AT = (
    "/",
    "/patients",
    "/patients/new",
    "/patients/arm-after-stroke",
    *(f"/patients/arm-after-stroke/{step}" for step in STEPS),
    "/patients/arm-after-stroke/papers",
    "/understand",
    "/research",
    "/research/trial",
    "/research/compare",
    "/research/validation",
    "/data",
    "/vials",
    "/accounts",
    "/password",
)


@pytest.mark.parametrize("path", LOOKED_AT)
def test_axe_finds_nothing_and_nothing_runs_off_a_tablet(page: Page, path: str) -> None:
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == 200
    page.wait_for_load_state("networkidle")
    assert violations(page) == []
    page.set_viewport_size({"width": 820, "height": 1180})
    assert page.evaluate("document.documentElement.scrollWidth") <= 820


@pytest.mark.parametrize("path", ["/", "/understand", "/patients/arm-after-stroke/eligibility"])
def test_axe_finds_nothing_in_the_dark(page: Page, path: str) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(path)
    assert violations(page) == []


def test_with_the_keyboard_alone_from_signing_in_to_a_patient(
    browser: Browser, served: Served
) -> None:
    context = browser.new_context(base_url=served.address)
    page = context.new_page()
    page.goto("/login")
    page.keyboard.type("demo")
    page.keyboard.press("Tab")
    page.keyboard.type(served.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Today")
    tab_to(page, "Patients")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Patients"))
    tab_to(page, "Anton Berger")
    page.keyboard.press("Enter")
    expect(page.locator(".patient-name")).to_have_text("Anton Berger")
    context.close()


def tab_to(page: Page, words: str) -> None:
    """Press Tab until a link of these words has the focus, and can be seen to have it."""
    page.wait_for_load_state()
    for _ in range(60):
        page.keyboard.press("Tab")
        at = page.evaluate(
            "() => { const one = document.activeElement;"
            " return [one.textContent.trim(), getComputedStyle(one).outlineStyle]; }"
        )
        if at[0] == words:
            assert at[1] != "none"
            return
    raise AssertionError(f"{words} cannot be reached with Tab")


def test_the_patient_with_als_is_refused_with_the_rule(page: Page) -> None:
    patient = load_patient(examples() / "als_refused" / "patient.yaml")
    page.goto(f"/patients/{patient.id}/eligibility")
    rule = refusals(patient)[0]
    expect(page.locator(".patient-bar .stop")).to_contain_text(rule.reason[:40])
    expect(page.get_by_role("main")).to_contain_text(rule.rule)


def test_sliders_move_the_curves_and_the_table(page: Page) -> None:
    page.goto("/understand")
    curve = page.locator("[data-plot=release] path.curve")
    expect(curve).to_have_count(1)
    before, cells = curve.get_attribute("d"), page.locator("#table tbody").inner_text()
    page.get_by_label("Dose").focus()
    page.keyboard.press("End")
    expect(page.locator("#told")).to_contain_text("Strength")
    expect(page.locator("[data-plot=release] path.before")).not_to_have_attribute("d", "")
    page.wait_for_load_state("networkidle")
    assert curve.get_attribute("d") != before
    assert page.locator("#table tbody").inner_text() != cells


def test_a_stopped_plan_prints_a_sheet_that_says_so(page: Page) -> None:
    patient = patient_of("als_refused")
    page.goto(f"/patients/{patient}/papers")
    link = page.get_by_role("link", name=re.compile("Injection sheet")).get_attribute("href")
    assert link
    answer = page.request.get(link)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.body().startswith(b"%PDF-")


def test_a_server_that_was_killed_in_the_middle_of_an_edit_has_the_draft(
    browser: Browser, demo: Path, tmp_path: Path
) -> None:
    database, password = tmp_path / "clinic.db", "seven quiet herons"
    shutil.copy(demo, database)
    started = ("--database", str(database))
    goals, words = "/patients/arm-after-stroke/goals", "Goal 1 in words"
    with serving(*started, OPENBONT_ADMIN_PASSWORD=password) as (address, _, process):
        page = browser.new_page(base_url=address)
        page.goto("/login")
        sign_in(page, Served(address, password, "admin"))
        page.goto(goals)
        page.get_by_label(words).fill("hold a cup")
        expect(page.locator("[data-saved]")).to_contain_text("Draft saved")
        process.kill()
        process.wait(20)
        page.get_by_label(words).fill("hold a full cup")
        expect(page.locator("[data-saved]")).to_contain_text("kept in this browser")
        page.close()
    with serving(*started) as (address, _, _):
        page = browser.new_page(base_url=address)
        page.goto("/login")
        sign_in(page, Served(address, password, "admin"))
        page.goto(goals)
        expect(page.get_by_label(words)).to_have_value("hold a cup")
        page.close()


def test_two_tabs_of_one_form_and_nothing_is_lost(context: BrowserContext) -> None:
    patient, words = patient_of("child_arm"), "Goal 1 in words"
    first, second = context.new_page(), context.new_page()
    for tab in (first, second):
        tab.goto(f"/patients/{patient}/goals")
    first.get_by_label(words).fill("catch a ball")
    expect(first.locator("[data-saved]")).to_contain_text("Draft saved")
    second.get_by_label(words).fill("draw a house")
    expect(second.locator("[data-saved]")).to_contain_text("changed this meanwhile")
    expect(second.get_by_label(words)).to_have_value("draw a house")
    second.locator("[data-compare]").click()
    expect(second.get_by_role("main")).to_contain_text("catch a ball")
    expect(second.get_by_role("main")).to_contain_text("draw a house")
    first.close()
    second.close()
