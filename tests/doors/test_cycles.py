"""Two patients through the clinic's own door, from the first visit into the next cycle.

Only the browser is used, as an injector would; twelve weeks pass by putting the clock forward.
"""

import datetime
import re

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.doors.chromium import (
    TABLET,
    Clinic,
    browser,
    clinic,
    desk,
    office,
    patient_of,
    violations,
    watched,
)

__all__ = ["browser", "clinic", "desk", "office"]  # fixtures
WEEK = datetime.timedelta(weeks=1)
PLACES = ("elbow_flexors.right", "wrist_flexors.right", "finger_flexors.right")
DOSES = (("flexor_carpi_radialis.right", "50"), ("flexor_digitorum_superficialis.right", "50"))
SLOW_MS = 90_000
"""A model is made ready on a machine that does other things, too."""


@pytest.fixture(autouse=True)
def now_again(clinic: Clinic) -> None:
    clinic.ahead = datetime.timedelta(0)


def go(page: Page, step: str) -> None:
    page.locator(".steps").get_by_role("link", name=re.compile(f"^{step}")).click()
    expect(page.locator(".steps a[aria-current]")).to_contain_text(step)


def sign(page: Page, button: str, then: str) -> None:
    """Press a button; the next page comes up whole, and axe finds nothing on it."""
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(then)
    page.set_viewport_size(TABLET)
    assert page.evaluate("document.documentElement.scrollWidth") <= TABLET["width"]
    page.set_viewport_size({"width": 1280, "height": 900})


def answer_no(page: Page) -> None:
    for question in page.locator(".questions tbody tr").all():
        question.get_by_label("no", exact=True).check()


def read(page: Page, values: tuple[str, ...], first: int = 1) -> None:
    for i, value in enumerate(values, first):
        page.get_by_label(f"Value of reading {i}", exact=True).fill(value)


def row(page: Page, i: int) -> Locator:
    return page.locator("[data-row]").nth(i)


def new_patient(page: Page, name: str, disorder: str, **more: str) -> None:
    page.goto("/")
    page.get_by_role("link", name="New patient").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Born").fill("1959-07-02")
    page.get_by_label("Sex").select_option("female")
    page.get_by_label("Disorder").select_option(disorder)
    page.get_by_label("Weight").fill("68")
    for label, value in more.items():
        page.get_by_label(label, exact=True).select_option(value)
    sign(page, "Record, and go to eligibility", "Eligibility")


def test_a_stroke_patient_from_the_first_visit_to_the_second_cycle(
    desk: Page, clinic: Clinic
) -> None:
    page = desk
    new_patient(page, "Hanna Lind", "spasticity.upper_limb", Side="right")

    # eligibility: every question, three readings on the scale of the first visit
    answer_no(page)
    for i, place in enumerate(PLACES, 1):
        page.get_by_label(f"Scale of reading {i}").select_option("MAS")
        page.get_by_label(f"Where reading {i} was taken").select_option(place)
    read(page, ("2", "3", "3"))
    for i in range(4):  # one more row is always empty
        page.get_by_label(f"Medicines {i + 1}").fill("baclofen" if i == 0 else f"vitamin {i}")
    assert violations(page) == []
    page.get_by_role("button", name="Sign, and go to goals").click()
    expect(page.get_by_role("alert")).to_contain_text("tone changes by its cause")
    page.get_by_label("Cause").select_option("stroke")
    sign(page, "Sign, and go to goals", "Goals")

    page.get_by_label("Goal 1 in words").fill("open the hand to wash the palm")
    page.get_by_label("Scale of goal 1").select_option("MAS")
    page.get_by_label("Where, goal 1").select_option("finger_flexors.right")
    page.get_by_label("Kind of target of goal 1").select_option("at_most")
    page.get_by_label("Target of goal 1", exact=True).fill("1+")
    sign(page, "Sign, and go to the plan", "Plan")

    # plan: two muscles, their course, signed
    page.get_by_label("Product").select_option("onabotulinumtoxinA")
    page.get_by_label("Dilution").fill("50")
    for i, (structure, units) in enumerate(DOSES):
        page.get_by_role("button", name="Add a structure").click()
        row(page, i).get_by_label("Structure").select_option(structure)
        row(page, i).get_by_label("Units").fill(units)
        row(page, i).get_by_label("Sites").fill("2")
    expect(page.locator("#total")).to_contain_text("100 U")
    expect(page.locator("#curves .curve").first).to_be_visible(timeout=SLOW_MS)
    sign(page, "Sign this plan", "Inject")

    # inject: less than planned, with the reason; from a vial of the shelf
    page.get_by_label("Reconstituted").fill(f"{clinic.today} 00:05")
    page.get_by_label("Clinic", exact=True).fill("River clinic")
    page.get_by_label("Units given, row 1").fill("40")
    page.get_by_label("Volume in mL, row 1").fill("0.8")
    page.get_by_label("Depth in mm, row 1").fill("12")
    expect(page.locator("#drawn-units")).to_contain_text("10 U more than is given")
    page.get_by_label("Units drawn from vial 1").fill("90")
    page.get_by_role("button", name="Sign as given").click()
    expect(page.get_by_role("alert")).to_contain_text("no reason")
    page.get_by_label("Why row 1 differs from the plan").fill("weak grip")
    page.get_by_role("button", name="Sign as given").click()
    expect(page.get_by_role("heading", name="Given on")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("weak grip")
    page.get_by_role("button", name="Throw away 10 U").click()
    expect(page.get_by_role("main")).to_contain_text("rest of the vial")

    # five weeks later Today knows; the visit's scales stand ready where they were read
    clinic.ahead = 5 * WEEK
    page.goto("/")
    page.get_by_role("link", name="Hanna Lind at the peak").click()
    for i, place in enumerate(PLACES, 1):
        expect(page.get_by_label(f"Scale of reading {i}")).to_have_value("MAS")
        expect(page.get_by_label(f"Where, reading {i}")).to_have_value(place)
    read(page, ("1", "1+", "1+"))
    page.get_by_role("button", name="Sign the visit").click()
    compared = page.locator("table.observed tbody tr")
    expect(compared).to_have_count(3, timeout=SLOW_MS)
    expect(compared.first).to_contain_text("week 5")
    expect(compared.last).to_contain_text(re.compile("(as|better than|worse than) expected"))
    expect(page.locator("[data-saved]")).to_be_empty()  # nothing that was signed is offered again
    assert violations(page) == []

    # the next visit: not before the label allows it, and into the calendar
    go(page, "Next visit")
    earliest = clinic.today + 7 * WEEK
    expect(page.get_by_label("Date")).to_have_value(earliest.isoformat())
    expect(page.get_by_role("main")).to_contain_text("Not before")
    page.get_by_role("button", name="Agree on it").click()
    with page.expect_download() as calendar:
        page.get_by_role("link", name="For the calendar").click()
    event = events_of(calendar.value.path().read_bytes().decode())
    assert event["DTSTART"] == f"{earliest:%Y%m%d}T090000"
    assert "Lind" not in "".join(event.values())

    # too early: the second plan begins with what was given, and the interval stops it
    clinic.ahead = 10 * WEEK
    go(page, "Plan")
    expect(page.get_by_label("Day")).to_have_value(clinic.today.isoformat())
    expect(row(page, 0).get_by_label("Units")).to_have_value("40")
    expect(page.locator("#findings")).to_contain_text("at least 12 weeks apart", timeout=SLOW_MS)
    expect(page.locator("#findings .stop")).to_have_count(1)
    page.get_by_role("button", name="Sign this plan").click()
    expect(page.get_by_role("alert")).to_contain_text("S05")

    # thirteen weeks: read again, with the history in view; the same plan may be signed
    clinic.ahead = 13 * WEEK
    go(page, "Eligibility")
    expect(page.get_by_role("main")).to_contain_text("90 U onabotulinumtoxinA on")
    expect(page.get_by_label("Value of reading 1", exact=True)).to_have_value("")
    expect(page.get_by_role("main")).to_contain_text(re.compile(r"1\+, \d+ \w+ \d{4}"))
    expect(page.get_by_role("main")).to_contain_text("S01; no on")
    expect(page.get_by_label("no", exact=True).first).not_to_be_checked()
    answer_no(page)
    read(page, ("2", "2", "2"))
    sign(page, "Sign, and go to goals", "Goals")
    sign(page, "Sign, and go to the plan", "Plan")
    page.get_by_label("Day").fill(clinic.today.isoformat())
    expect(page.locator("#findings .stop")).to_have_count(0, timeout=SLOW_MS)
    expect(page.locator("#curves .curve").first).to_be_visible(timeout=SLOW_MS)
    sign(page, "Sign this plan", "Inject")
    expect(page.get_by_label("Units given, row 1")).to_have_value("40")


def events_of(text: str) -> dict[str, str]:
    """The one event of a calendar file: lines unfolded, each a name and a value."""
    lines = text.replace("\r\n ", "").removesuffix("\r\n").split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-1] == "END:VCALENDAR"
    event = lines[lines.index("BEGIN:VEVENT") + 1 : lines.index("END:VEVENT")]
    return dict(line.split(":", 1) for line in event)


def test_a_migraine_patient_with_31_sites_and_a_diary(desk: Page, clinic: Clinic) -> None:
    page, session = desk, clinic.today - 5 * WEEK
    page.goto("/")
    page.get_by_label("Name, number or disorder").fill("nowak")
    page.get_by_role("button", name="Search").click()
    assert "nowak" not in page.url.casefold()
    page.get_by_role("link", name="Clara Nowak").click()
    go(page, "Follow-up")

    # a diary of 34 days, one of which nobody can read: 11 headache days in the first 28
    days = [session + datetime.timedelta(days=i) for i in range(1, 35)]
    lines = [f"{day},{6 if i % 5 in (0, 2) else 0}" for i, day in enumerate(days)]
    table = "\n".join(["date,headache_hours_per_day", *lines[:30], f"{days[30]},much", *lines[31:]])
    file = {"name": "diary.csv", "mimeType": "text/csv", "buffer": table.encode()}
    page.get_by_label("CSV file").set_input_files([file])
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_role("status")).to_contain_text("33 days recorded; 1 row could not be read")
    expect(page.get_by_role("main")).to_contain_text("much")
    page.get_by_label("Value of reading 1", exact=True).fill("10")
    page.get_by_role("button", name="Sign the visit").click()
    compared = page.locator("table.observed tbody tr")
    expect(compared).to_have_count(2, timeout=SLOW_MS)
    expect(compared.first).to_contain_text("headache days")
    expect(compared.first.locator("td").nth(1)).to_have_text("12")
    expect(compared.first).to_contain_text("diary")
    expect(compared.last.locator("td").nth(1)).to_have_text("10")
    assert violations(page) == []

    # at the return visit the same 31 sites stand ready, and their course
    clinic.ahead = 8 * WEEK
    go(page, "Plan")
    expect(page.locator("#total")).to_have_text(re.compile("155 U onabotulinumtoxinA at 31 sites"))
    expect(page.locator("#curves")).to_contain_text("headache days", timeout=SLOW_MS)

    # a proposal is asked for and taken: its rows stand in the place of what was typed
    row(page, 0).get_by_label("Units").fill("4")
    expect(page.locator("#total")).to_contain_text("154 U")
    page.get_by_role("button", name="Propose").click()
    proposal = page.locator("#options .option").first
    expect(proposal).to_contain_text("155 U onabotulinumtoxinA", timeout=SLOW_MS)
    proposal.get_by_role("button", name="Take this plan").click()
    expect(page.locator("#total")).to_contain_text("155 U onabotulinumtoxinA at 31 sites")
    given = [float(one.input_value()) for one in page.locator("#rows [name$='.dose_u']").all()]
    assert sum(given) == 155
    assert 4 not in given
    expect(page.locator("[data-saved]")).to_contain_text("Draft saved")
    sign(page, "Sign this plan", "Inject")
    expect(page.locator("#given-units")).to_have_text("155 U")


def test_two_tabs_of_one_plan_lose_nothing_and_can_be_settled(
    office: BrowserContext, clinic: Clinic
) -> None:
    plan = f"/patients/{patient_of('arm_after_stroke')}/plan"
    with watched(office, clinic) as first, watched(office, clinic) as second:
        for tab in (first, second):
            tab.goto(plan)
            expect(tab.locator("#total")).to_contain_text("290 U")
        row(first, 0).get_by_label("Units").fill("20")
        expect(first.locator("[data-saved]")).to_contain_text("Draft saved")
        row(second, 1).get_by_label("Units").fill("35")
        expect(second.locator("[data-saved]")).to_contain_text("changed this meanwhile")
        expect(row(second, 1).get_by_label("Units")).to_have_value("35")

        second.get_by_role("button", name="Compare the two versions").click()
        expect(second.get_by_role("heading", level=1)).to_have_text("Two versions")
        differing = second.locator("table").first
        expect(differing).to_contain_text("20")
        expect(differing).to_contain_text("35")
        assert violations(second) == []
        second.get_by_role("button", name="Go on with mine").click()
        expect(row(second, 1).get_by_label("Units")).to_have_value("35")
        expect(row(second, 0).get_by_label("Units")).not_to_have_value("20")
        row(second, 0).get_by_label("Units").fill("20")  # and the other's, too
        expect(second.locator("[data-saved]")).to_contain_text("Draft saved")

        first.reload()
        expect(row(first, 0).get_by_label("Units")).to_have_value("20")
        expect(row(first, 1).get_by_label("Units")).to_have_value("35")
        expect(first.locator("[data-saved]")).not_to_contain_text("not saved")
