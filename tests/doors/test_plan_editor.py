"""The plan editor in a real Chromium: a site is dragged, stepped, a muscle clicked, all undone."""

import math
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from openbont.web.accounts import User
from openbont.web.app import create_app
from openbont.web.drafts import draft, save
from tests.web import demo, opener

__all__ = ["demo"]
CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here")
NO_WEBGL = """
const context = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
  return kind.startsWith("webgl") ? null : context.call(this, kind, ...more);
};
"""
SHEET = """(one) => {
  const [sheet, words] = [getComputedStyle(one), getComputedStyle(one.querySelector("strong"))];
  return [sheet.backgroundColor, words.color, sheet.paddingLeft > "0px"];
}"""
SHEETS = ["rgb(255, 255, 255)", "rgb(27, 36, 38)", True]
"""A picture in ink lies on paper, by night too, and its words are of the same ink."""
CURVE = "document.querySelector('.curve canvas').toDataURL()"
ARM = "arm-after-stroke"
ROWS = ("flexor_carpi_radialis.left 45 1", "biceps_brachii.left 60 2")
"""What stands in the editor of the arm: structure, units, sites. Few, for each is solved."""
FORM = {"product": "onabotulinumtoxinA", "dilution_u_per_ml": "50", "date": "2026-11-16"} | {
    f"injections.{number}.{name}": text
    for number, row in enumerate(ROWS)
    for name, text in zip(("structure", "dose_u", "sites"), row.split(), strict=True)
}
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def served(
    demo: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str, Callable[[], None]]]:
    """Address and cookie of a workbench that listens, and how the arm is made as it was."""
    place = tmp_path_factory.mktemp("editor") / "records.db"
    shutil.copy(demo, place)
    app = create_app(opener(place), demo=True)
    cookie = app.state.sessions.begin(User("injector", "The injector", ("injector",)))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)

    def again() -> None:
        with opener(place)("the clinic") as records:
            save(records, ARM, "plan", FORM, draft(records, ARM, "plan").version)

    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", cookie, again
    server.should_exit = True
    thread.join()
    app.state.records.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        arguments = ["--no-sandbox", "--enable-unsafe-swiftshader"]
        started = play.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield started
        started.close()


@pytest.fixture
def editor(browser: Browser, served: tuple[str, str, Callable[[], None]]) -> Iterator[Open]:
    """Opens the editor of a patient; whatever goes wrong in it is complained of at the end."""
    address, cookie, again = served
    again()
    context = browser.new_context(
        base_url=address, color_scheme="light", viewport={"width": 1280, "height": 900}
    )
    context.add_cookies([{"name": "openbont", "value": cookie, "url": address}])
    complaints: list[str] = []

    def opened(patient: str, script: str = "") -> Page:
        page = context.new_page()
        page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if script:
            page.add_init_script(script)
        page.goto(f"/patients/{patient}/plan", timeout=120_000)
        ready = "#pictures[open]" if script else "#body-canvas[data-ready]"
        page.locator(ready).wait_for(state="attached", timeout=60_000)
        page.locator("#site option:nth-child(2)").wait_for(state="attached", timeout=60_000)
        return page

    yield opened
    context.close()
    assert complaints == []


def choose(page: Page, row: int, site: int = 0) -> tuple[float, float]:
    """Choose a site in the list; where its ring is on the page."""
    page.select_option("#site", f"{row}.{site}")
    page.locator("#stage").scroll_into_view_if_needed()
    stage, ring = page.locator("#stage").bounding_box(), page.locator("#body-labels circle")
    assert stage
    return (
        stage["x"] + float(ring.get_attribute("cx") or "nan"),
        stage["y"] + float(ring.get_attribute("cy") or "nan"),
    )


def rows(page: Page) -> list[str]:
    """Structure, dose, sites and place of every row."""
    return page.evaluate(
        "() => [...document.querySelectorAll('#rows [data-row]')].map((line) =>"
        " [...line.querySelectorAll('[name]')].map((one) => one.value).join(' | '))"
    )


def test_a_site_is_dragged_along_the_skin_and_undone(editor):
    page = editor(ARM)
    before = rows(page)
    x, y = choose(page, 1, 1)  # the second site of biceps
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 5):
        page.mouse.move(x + 3 * step, y + 4 * step)
    expect(page.locator("#site-said")).to_contain_text("left biceps brachii: ")
    page.mouse.up()
    expect(page.locator("#rows [data-row]")).to_have_count(len(before) + 1)
    first, second = rows(page)[1:3]
    assert first.startswith("biceps_brachii.left | 30 | 1 | ")
    assert second.startswith("biceps_brachii.left | 30 | 1 | ")
    expect(page.locator("#rows .chosen [data-spot]")).to_have_text("3")
    expect(page.locator("#total")).to_contain_text("105 U onabotulinumtoxinA at 3 sites")
    page.click("#undo")
    assert rows(page) == before
    page.click("#redo")
    assert rows(page)[1:3] == [first, second]
    page.click("#undo")


def test_a_site_that_is_dragged_off_its_muscle_stays(editor):
    page = editor(ARM)
    before = rows(page)
    start = choose(page, 0)  # forearm
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*choose_box(page, "1.0"), steps=6)
    page.mouse.up()
    said = page.locator("#site-said")
    expect(said).to_contain_text("Stays where it was: the model has no left flexor carpi radialis")
    assert rows(page) == before
    page.keyboard.press("Escape")
    assert choose(page, 0) == start


def choose_box(page: Page, key: str) -> tuple[float, float]:
    """Where the label of a site is on the page."""
    label = page.locator(f"#site option[value='{key}']").inner_text().split()[0]
    box = page.locator("#body-labels text").filter(has_text=label).first.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_arrow_keys_move_a_site_and_say_where_it_is(editor):
    page = editor("chronic-migraine")
    before = rows(page)
    choose(page, 0)
    page.focus("#body-canvas")
    place = page.locator("#rows [data-row] >> nth=0 >> input[name$='.site_mm']")
    said = page.locator("#site-said")
    told = [""]
    for key in ("ArrowUp", "ArrowUp", "ArrowRight"):
        page.keyboard.press(key)
        expect(said).not_to_have_text(told[-1])
        told.append(said.inner_text())
        assert "mm deep; left forehead" in told[-1]
    expect(place).not_to_have_value("")
    for _ in range(3):
        page.click("#undo")
    expect(place).to_have_value("")
    assert rows(page) == before


def test_a_muscle_that_is_clicked_has_its_row_or_is_offered_one(editor):
    page = editor(ARM)
    page.mouse.click(*found(page, 1, "left biceps brachii"))
    expect(page.locator("#rows .chosen select")).to_have_value("biceps_brachii.left")
    expect(page.locator("#site-said")).to_have_text("left biceps brachii: row 2, 60 U")
    page.click("#to-row")
    expect(page.locator("#rows .chosen input[name$='.dose_u']")).to_be_focused()
    page.mouse.click(*found(page, 0, "left brachioradialis"))
    expect(page.locator("#site-said")).to_have_text("left brachioradialis is not in the plan.")
    page.get_by_role("button", name="Add it to the plan").click()
    expect(page.locator("#rows [data-row]").last.locator("select")).to_have_value(
        "brachioradialis.left"
    )
    page.click("#undo")
    assert not any("brachioradialis" in row for row in rows(page))


def found(page: Page, row: int, muscle: str) -> tuple[float, float]:
    """A place near the site of a row where the pointer is told that a muscle is."""
    x, y = choose(page, row)
    for away in range(20, 90, 10):
        for turn in range(12):
            at = (x + away * math.cos(turn * math.pi / 6), y + away * math.sin(turn * math.pi / 6))
            page.mouse.move(*at)
            if page.locator("#body-over").inner_text() == muscle:
                return at
    raise AssertionError(f"no {muscle} in the picture")


def test_a_site_on_the_far_side_is_turned_to_the_front(editor):
    page = editor("chronic-migraine")
    page.click("[data-view=front]")
    shown = page.locator("#body-labels text")
    expect(shown.filter(has_text="10a")).to_have_count(0)
    choose(page, 9)  # neck
    expect(shown.filter(has_text="10a")).to_have_count(1)


def test_labels_of_31_sites_do_not_lie_on_each_other(editor):
    page = editor("chronic-migraine")
    for view in ("front", "left", "back", "right"):
        page.click(f"[data-view={view}]")
        boxes = [one.bounding_box() for one in page.locator("#body-labels text").all()]
        assert len(boxes) > 5
        for number, one in enumerate(boxes):
            for other in boxes[:number]:
                assert one
                assert other
                beside = abs(one["x"] - other["x"]) >= (one["width"] + other["width"]) / 2 - 4
                above = abs(one["y"] - other["y"]) >= 10
                assert beside or above


def test_body_and_curves_follow_the_light(editor):
    page = editor(ARM)
    page.locator(".curve canvas").first.wait_for()

    curve = page.evaluate(CURVE)
    body = page.locator("#body-canvas").screenshot()
    page.emulate_media(color_scheme="dark")
    until(page, CURVE, curve)
    assert page.locator("#body-canvas").screenshot() != body


def until(page: Page, asked: str, differs: str) -> None:
    """A page's own polling may not evaluate strings."""
    for _ in range(100):
        if page.evaluate(asked) != differs:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"still the same: {asked}")


def test_without_webgl_there_are_pictures_and_the_arrows_still_move(editor):
    page = editor(ARM, NO_WEBGL)
    expect(page.locator("#body-said")).to_contain_text("This browser draws no body in 3-D")
    expect(page.locator("#stage")).to_be_hidden()
    expect(page.locator("#pictures-here img").first).to_be_visible(timeout=60_000)
    page.emulate_media(color_scheme="dark")
    assert page.locator("#pictures-here figure").first.evaluate(SHEET) == SHEETS
    page.select_option("#site", "0.0")
    page.get_by_role("button", name="2 mm upwards").click()
    place = page.locator("#rows [data-row] >> nth=0 >> input[name$='.site_mm']")
    expect(place).not_to_have_value("")
    expect(page.locator("#site-said")).to_contain_text("left flexor carpi radialis: ")
    page.select_option("[name='injections.0.structure']", "flexor_carpi_ulnaris.left")
    expect(place).to_have_value("")  # it was a place of another muscle
