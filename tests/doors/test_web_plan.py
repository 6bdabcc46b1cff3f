"""The plan editor: numbers that follow an edit, drafts, signing, and the page in a browser."""

import datetime
import json
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import Page, sync_playwright

from openbont.plan import Injection, Plan, Session
from openbont.web.accounts import User
from tests.web import app, clock, demo, signed_in_as

__all__ = ["app", "clock", "demo"]

BLADDER = "/patients/overactive-bladder/plan"
REFUSED = "/patients/als-refused/plan"
FORM = {
    "product": "onabotulinumtoxinA",
    "dilution_u_per_ml": "10",
    "date": "2026-11-16",
    "injections.0.structure": "detrusor",
    "injections.0.dose_u": "100",
    "injections.0.sites": "20",
}
JSON = {"Accept": "application/json"}
SESSIONS = Plan(
    patient="arm-after-stroke",
    disorder="spasticity.upper_limb",
    date=datetime.date(2026, 11, 16),
    sessions=tuple(
        Session(
            product="onabotulinumtoxinA",
            day=day,
            dilution_u_per_ml=50,
            injections=(Injection(structure="biceps_brachii.left", dose_u=60),),
        )
        for day in (0, 91)
    ),
)


@pytest.fixture
def injector(app: FastAPI) -> TestClient:
    return signed_in_as(app, "injector")


def settled(client: TestClient, form: dict[str, str]) -> dict:
    """The numbers when nothing is being solved any more."""
    for _ in range(600):
        said = client.post(f"{BLADDER}/live", data={**form, "do": "settled"}, headers=JSON).json()
        if said.get("state") not in ("preparing", "solving", "near"):
            return said
        time.sleep(0.1)
    raise AssertionError("never settled")


def test_an_edit_of_a_dose_is_followed_at_once(injector):
    first = settled(injector, FORM)
    assert first["state"] == "exact"
    assert first["total"].startswith("100 U onabotulinumtoxinA at 20 sites")
    less = {**FORM, "injections.0.dose_u": "40"}
    edited = injector.post(f"{BLADDER}/live", data=less, headers=JSON).json()
    assert edited["state"] == "near"
    before, after = (one["predicted"]["curves"][0] for one in (first, edited))
    assert before["id"] == after["id"]
    assert before["without"] == after["without"]
    assert before["middle"][0] == after["middle"][0]
    assert min(after["middle"]) > min(before["middle"])
    assert all(low <= high for low, high in zip(after["low"], after["high"], strict=True))
    assert settled(injector, FORM)["predicted"] == first["predicted"]


def test_totals_vials_and_findings_follow(injector):
    said = injector.post(f"{BLADDER}/live", data=FORM, headers=JSON).json()
    assert said["rows"][0]["site_u"] == "5 U"
    assert said["rows"][0]["site_ml"] == "0.5 mL"
    assert {"used_u": 100.0, "max_u": 100.0}.items() <= said["totals"][0].items()
    over = injector.post(
        f"{BLADDER}/live", data={**FORM, "injections.0.dose_u": "240"}, headers=JSON
    ).json()
    assert over["vials"]["waste"] != said["vials"]["waste"] or over["vials"]["open"]
    assert over["findings"] != said["findings"]


def test_totals_name_muscles_in_words(injector):
    neck = {**FORM, "injections.0.structure": "splenius_capitis.left", "injections.0.sites": "2"}
    said = injector.post("/patients/cervical-dystonia/plan/live", data=neck, headers=JSON).json()
    words = [one["words"] for one in said["totals"]]
    assert any(one.startswith("splenius capitis and splenius cervicis: ") for one in words)
    assert "_" not in "".join(words)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("injections.0.dose_u", "2,5"),
        ("injections.0.dose_u", "-5"),
        ("injections.0.dose_u", "nan"),
        ("injections.0.sites", "1.5"),
        ("injections.0.structure", "nowhere"),
        ("dilution_u_per_ml", "0"),
        ("product", "Botox"),
        ("date", "16.11.2026"),
    ],
)
def test_what_cannot_be_is_refused_where_it_was_typed(injector, field, text):
    said = injector.post(f"{BLADDER}/live", data={**FORM, field: text}, headers=JSON).json()
    assert list(said["wrong"]) == [field]
    assert "predicted" not in said


def test_nothing_is_predicted_for_whom_no_dose_is_known_to_be_safe(injector):
    form = {**FORM, "injections.0.structure": "tibialis_posterior.left"}
    said = injector.post(f"{REFUSED}/live", data=form, headers=JSON).json()
    assert said["state"] == "stopped"
    assert "predicted" not in said
    signed = injector.post(REFUSED, data={**form, "seen": "0", "do": "sign"})
    assert signed.status_code == 422


def test_a_plan_is_signed_by_an_injector_alone(app, injector):
    assistant = signed_in_as(app, "assistant")
    assert assistant.post(BLADDER, data={**FORM, "seen": "0", "do": "sign"}).status_code == 403
    kept = assistant.post(BLADDER, data={**FORM, "seen": "0", "do": "save"}, headers=JSON)
    assert kept.json()["version"] == 1
    signed = injector.post(BLADDER, data={**FORM, "seen": "1", "do": "sign"})
    assert signed.headers["location"] == "/patients/overactive-bladder/inject"
    assert ">signed<" in injector.get(BLADDER).text


def test_every_number_says_its_sources(injector):
    for what in ("totals", "vials", "curves", "0"):
        said = injector.post(f"{BLADDER}/why?what={what}", data=FORM)
        assert "<li>" in said.text
        assert "None is known here" not in said.text
    assert injector.post(f"{BLADDER}/why?what=9", data=FORM).status_code == 404


ARM = "/patients/arm-after-stroke/plan"
BICEPS = {**FORM, "injections.0.structure": "biceps_brachii.left", "injections.0.sites": "3"}


def parts(content: bytes) -> list[dict]:
    """What an asset holds; its size is just what its parts need."""
    (length,) = struct.unpack("<I", content[:4])
    heads = json.loads(content[4 : 4 + length])
    assert len(content) == 4 + length + 6 * sum(x["corners"] + x["triangles"] for x in heads)
    return heads


def test_the_body_is_of_this_shape_and_sent_once(injector):
    there = injector.get(f"{ARM}/body")
    assert [one["id"] for one in parts(there.content)] == ["skin", "eyes"]
    again = injector.get(f"{ARM}/body", headers={"if-none-match": there.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert injector.get("/patients/child-arm/plan/body").content != there.content
    assert "no-store" not in there.headers["cache-control"]


def test_muscles_of_the_model_lie_under_the_skin(injector):
    names = {one["id"] for one in parts(injector.get(f"{ARM}/muscles").content)}
    assert {"biceps_brachii.left", "triceps_brachii.left"} <= names
    assert parts(injector.get(f"{BLADDER}/muscles").content) == []


def test_needles_and_the_way_to_them(injector):
    said = injector.post(f"{ARM}/sites", data=BICEPS, headers=JSON).json()
    assert [(one["row"], one["site"]) for one in said["sites"]] == [(0, 0), (0, 1), (0, 2)]
    assert all(one["skin_mm"][0] > 100 for one in said["sites"])
    assert all("mm deep; left upper arm" in one["words"] for one in said["sites"])
    [way] = said["ways"]
    assert "mm deep · unverified: " in way["short"]
    assert "brachial artery" in way["whole"]
    within = injector.post(f"{BLADDER}/sites", data=FORM, headers=JSON).json()
    assert within["sites"] == []  # no place of the skin stands for the wall of the bladder
    assert "cystoscope" in within["ways"][0]["short"]


def moved(client: TestClient, form: dict[str, str], place: list[float], **more: object) -> dict:
    """The answer to a hand that puts the first needle of the first row somewhere."""
    at = dict(zip("xyz", place, strict=True))
    asked = {"row": 0, "site": 0, **at, **more}
    return client.post(f"{ARM}/move", params=asked, data=form, headers=JSON).json()


def test_a_needle_that_is_moved_has_a_row_of_its_own(injector):
    first, *_ = injector.post(f"{ARM}/sites", data=BICEPS, headers=JSON).json()["sites"]
    said = moved(injector, BICEPS, first["skin_mm"], step="down")
    assert [one["sites"] for one in said["rows"]] == ["1", "1", "1"]
    assert sum(float(one["dose_u"]) for one in said["rows"]) == 100
    assert said["said"].startswith("left biceps brachii: ")
    form = dict(FORM)
    for row, one in enumerate(said["rows"]):
        form |= {f"injections.{row}.{name}": text for name, text in one.items()}
    sites = injector.post(f"{ARM}/sites", data=form, headers=JSON).json()["sites"]
    labels = [x["label"] for x in injector.post(f"{ARM}/live", data=form).json()["rows"]]
    assert all(one.endswith("100 U in all its rows") for one in labels)
    here, *others = (np.array(one["skin_mm"]) for one in sites)
    before = np.array(first["skin_mm"])
    assert here[1] < before[1]
    assert np.linalg.norm(here - before) < 10
    whole = injector.post(f"{ARM}/sites", data=BICEPS, headers=JSON).json()["sites"][1:]
    for old, now in zip(whole, others, strict=True):
        assert np.linalg.norm(now - old["skin_mm"]) < 1


def test_a_needle_goes_only_where_its_muscle_is(injector):
    forearm = {**FORM, "injections.0.structure": "flexor_carpi_radialis.left"}
    forearm["injections.0.sites"] = "1"
    [wrong] = injector.post(f"{ARM}/sites", data=forearm, headers=JSON).json()["sites"]
    refused = moved(injector, BICEPS, wrong["skin_mm"])["refused"]
    assert "the model has no left biceps brachii under this place (left forearm" in refused
    assert moved(injector, FORM, wrong["skin_mm"])["refused"].startswith("detrusor")
    gone = injector.post(
        f"{ARM}/move", params={"row": 0, "site": 3, "x": 0, "y": 0, "z": 0}, data=BICEPS
    )
    assert gone.status_code == 404


def test_a_typed_place_outside_its_muscle_says_so(injector):
    form = {**BICEPS, "injections.0.sites": "1", "injections.0.site_mm": "0 0 0"}
    said = injector.post(f"{ARM}/sites", data=form, headers=JSON).json()
    assert "outside it" not in said["ways"][0]["short"]
    form["injections.0.site_mm"] = "0 60 0"
    said = injector.post(f"{ARM}/sites", data=form, headers=JSON).json()
    assert "▲ outside it" in said["ways"][0]["short"]
    assert "▲ outside it" in said["sites"][0]["words"]


def test_every_session_of_a_longer_plan_can_be_read(app, injector):
    with app.state.open_records("the clinic") as records:
        records.add(SESSIONS, "arm-after-stroke")
    shown = injector.get(ARM).text
    assert "The plan on record has 2 sessions" in shown
    assert "15 Feb 2027" in shown
    assert "60 U onabotulinumtoxinA" in shown


def test_the_workbench_opens_before_what_is_slow_is_loaded():
    asked = "import sys, openbont.web.app; print(bool({'jax', 'zxcvbn'} & sys.modules.keys()))"
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


# ---- in a browser


@pytest.fixture
def served(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Address and cookie of a workbench that listens."""
    cookie = app.state.sessions.begin(User("injector", "The injector", ("injector",)))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}", cookie
    server.should_exit = True
    thread.join()


def until(page: Page, true: str) -> None:
    """Asked from here: the page itself may not evaluate strings."""
    for _ in range(300):
        if page.evaluate(true):
            return
        time.sleep(0.05)
    raise AssertionError(f"never: {true}")


@pytest.mark.skipif(not Path("/usr/bin/chromium").exists(), reason="no Chromium here")
def test_a_dose_is_changed_and_undone_in_a_browser(served):
    address, cookie = served
    complaints: list[str] = []
    with sync_playwright() as play:
        arguments = ["--no-sandbox", "--enable-unsafe-swiftshader"]
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        context = browser.new_context(color_scheme="light")
        context.add_cookies([{"name": "openbont", "value": cookie, "url": address}])
        page = context.new_page()
        page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda asked: (
                asked.url.startswith((address, "data:", "blob:")) or complaints.append(asked.url)
            ),
        )
        page.goto(address + BLADDER)
        page.wait_for_selector(".curve canvas", timeout=60_000)
        lowest = "Math.min(...document.getElementById('editor').latest.curves[0].middle)"
        until(page, "document.getElementById('state').textContent === ''")
        before = page.evaluate(lowest)
        dose = page.locator("input[name='injections.0.dose_u']")
        written = dose.input_value()
        dose.fill("20")
        until(page, f"{lowest} > {before}")
        page.click("#undo")
        assert dose.input_value() == written
        until(page, f"{lowest} === {before}")
        browser.close()
    assert complaints == []
