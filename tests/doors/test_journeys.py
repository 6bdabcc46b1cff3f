"""A person with a browser: a real Chromium, a real server, the six invented patients.

Every page that a journey opens is held to the same: no host but ours, nothing logged as an error,
and no violation of WCAG A or AA that axe can find.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from openbont.io import load_patient
from openbont.planning.rules import refusals
from openbont.web.app import PAGES
from openbont.web.context import STEPS as PATH
from openbont.web.server import DEMO, examples
from tests.doors.chromium import (
    PASSWORD,
    TABLET,
    Served,
    browser,
    context,
    page,
    patient_of,
    served,
    serving,
    sign_in,
    violations,
)

__all__ = ["browser", "context", "page", "served"]  # fixtures
ROUTES = {getattr(route, "path", "") for module in PAGES for route in module.router.routes}
STEPS = {step: words for step, words in PATH if f"/patients/{{patient}}/{step}" in ROUTES}


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
    page.set_viewport_size(TABLET)
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
    database = tmp_path / "clinic.db"
    shutil.copy(demo, database)
    started = ("--database", str(database))
    goals, words = "/patients/arm-after-stroke/goals", "Goal 1 in words"
    with serving(*started, OPENBONT_ADMIN_PASSWORD=PASSWORD) as (address, _, process):
        page = browser.new_page(base_url=address)
        page.goto("/login")
        sign_in(page, Served(address, PASSWORD, "admin"))
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
        sign_in(page, Served(address, PASSWORD, "admin"))
        page.goto(goals)
        expect(page.get_by_label(words)).to_have_value("hold a cup")
        page.close()


def test_words_that_never_reached_the_server_are_put_back(page: Page) -> None:
    at = f"/patients/{patient_of('cervical_dystonia')}/eligibility"
    page.goto(at)
    page.route("**/eligibility", lambda route: route.abort())
    for i in range(1, 5):  # rows that the page did not have grow with them
        page.get_by_label(f"Allergies {i}").fill(f"nut {i}")
    expect(page.locator("[data-saved]")).to_contain_text("kept in this browser")
    page.unroute("**/eligibility")
    page.goto(at)
    page.get_by_role("button", name="Put them back").click()
    expect(page.get_by_label("Allergies 4")).to_have_value("nut 4")
    expect(page.locator("[data-saved]")).to_contain_text("Draft saved")
    page.reload()
    expect(page.get_by_label("Allergies 4")).to_have_value("nut 4")
    expect(page.get_by_role("button", name="Put them back")).to_have_count(0)


def held_back(page: Page, at: str, scripts: str) -> Callable[[], None]:
    """Open a page whose scripts are long on their way; what lets them come."""
    held: list[Route] = []
    page.route(f"**/static/{scripts}", lambda route: held.append(route))
    page.goto(at, wait_until="commit")

    def come() -> None:
        while held:
            held.pop().continue_()
        page.unroute(f"**/static/{scripts}")

    return come


def test_a_plan_that_is_edited_before_its_script_has_run(page: Page) -> None:
    at = f"/patients/{patient_of('arm_after_stroke')}/plan"
    come = held_back(page, at, "plan.js")
    lines = page.locator("[data-row]")
    dose, place = (lines.first.get_by_label(label) for label in ("Units", "Exact place"))
    before = dose.input_value()
    expect(page.locator("#add")).to_be_visible()
    assert page.locator("main button[type=button]:enabled").count() == 0
    dose.fill("33")
    page.route("**/pictures", lambda route: route.fulfill(body="drawn"))
    page.locator("#pictures").evaluate("(one) => { one.open = true; }")
    lines.nth(1).get_by_label("Structure").select_option("flexor_carpi_ulnaris.left")
    expect(page.locator("[data-saved]")).to_contain_text("Draft saved")
    come()
    expect(page.locator("#pictures-here")).to_have_text("drawn")
    count = lines.count()
    page.get_by_role("button", name="Add a structure").click()
    expect(lines).to_have_count(count + 1)
    page.click("#undo")
    page.click("#undo")
    expect(dose).to_have_value(before)
    page.click("#redo")
    expect(dose).to_have_value("33")
    expect(place).to_have_value("")


def test_a_form_that_is_typed_into_before_its_scripts_have_run(page: Page) -> None:
    at = f"/patients/{patient_of('cervical_dystonia')}/eligibility"
    page.goto(at)
    count = page.locator("[data-grow=medicines] input").count()
    come = held_back(page, at, "*.js")
    page.get_by_label(f"Medicines {count}").fill("baclofen")
    page.get_by_label("not known", exact=True).first.check()
    come()
    page.get_by_label(f"Medicines {count + 1}").fill("vitamin D")
    expect(page.locator("[data-saved]")).to_contain_text("Draft saved")
    page.reload()
    expect(page.get_by_label(f"Medicines {count}")).to_have_value("baclofen")
    expect(page.get_by_label("not known", exact=True).first).to_be_checked()


def test_a_row_of_a_plan_that_never_reached_the_server_is_put_back(page: Page) -> None:
    at = f"/patients/{patient_of('arm_after_stroke')}/plan"
    page.goto(at)
    lines = page.locator("[data-row]")
    count = lines.count()
    page.route("**/plan", lambda route: route.abort())
    page.get_by_role("button", name="Add a structure").click()
    lines.nth(count).get_by_label("Units").fill("17")
    expect(page.locator("[data-saved]")).to_contain_text("kept in this browser")
    page.unroute("**/plan")
    page.goto(at)
    page.get_by_role("button", name="Put them back").click()
    expect(lines.nth(count).get_by_label("Units")).to_have_value("17")
    expect(page.locator("[data-saved]")).to_contain_text("Draft saved")


def test_who_signs_while_a_save_is_on_its_way_is_no_stranger_to_himself(page: Page) -> None:
    page.goto(f"/patients/{patient_of('overactive_bladder')}/goals")
    held: list[Route] = []
    page.route("**/goals", lambda route: held.append(route) if not held else route.continue_())
    with page.expect_request("**/goals"):
        page.get_by_label("Goal 1 in words").fill("sleep through the night")
    page.get_by_role("button", name="Sign, and go to the plan").click(no_wait_after=True)
    held[0].continue_()
    expect(page.get_by_role("heading", level=1)).to_have_text("Plan")


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
