"""From an edit of a dose to its curves on the screen.

In a Chromium, with the real model: one field of the plan editor is filled again and again with
other doses. A time begins with the event of the edit and ends with the first frame after the
curves were drawn, inside the page. No page of streamlit or panel is compared: neither is among
the requirements.
"""

import argparse
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import BrowserContext, Page, sync_playwright

from benchmarks.table import Row
from openbont.clinic.records import Records, create_records, open_records
from openbont.web.accounts import User
from openbont.web.app import create_app
from openbont.web.server import demo_records

CHROMIUM = "/usr/bin/chromium"
PATIENTS = ("arm-after-stroke", "overactive-bladder")
DOSES_U = (30, 45, 35, 50)
DRAWN = """
(dose) => new Promise((done) => {
  const editor = document.getElementById("editor");
  const field = document.querySelector("input[name='injections.0.dose_u']");
  const begin = performance.now();
  const look = (event) => {
    if (!event.detail.predicted || Number(field.value) !== dose) return;
    editor.removeEventListener("drawn", look);
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - begin)));
  };
  editor.addEventListener("drawn", look);
  field.value = String(dose);
  field.dispatchEvent(new Event("input", { bubbles: true }));
})
"""


def options(parser: argparse.ArgumentParser) -> None:
    """Command-line options of this benchmark."""
    parser.add_argument("--edits", type=int, default=60, help="edits of each patient's plan")
    parser.add_argument("--pause", type=float, default=0.7, help="seconds between two edits")


def run(chosen: argparse.Namespace) -> list[Row]:
    """Each patient in the editor."""
    print("Not compared with streamlit or panel.")
    return list(_ours(chosen.edits, chosen.pause))


def _ours(edits: int, pause: float) -> Iterator[Row]:
    with _served() as (address, app), sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context()
        _sign_in(context, app, address)
        for patient in PATIENTS:
            page = context.new_page()
            page.goto(f"{address}/patients/{patient}/plan")
            page.wait_for_selector(".curve canvas", timeout=120_000)
            yield _row(patient, _edited(page, edits, pause))
            page.close()
        browser.close()


def _edited(page: Page, edits: int, pause: float) -> list[float]:
    """Milliseconds of each edit; the first few are not counted."""
    found = []
    for number in range(edits + 5):
        time.sleep(pause)
        found.append(float(page.evaluate(DRAWN, DOSES_U[number % len(DOSES_U)])))
    return found[5:]


def _row(name: str, milliseconds: list[float]) -> Row:
    return {
        "page": f"openbont: {name}",
        "edits": len(milliseconds),
        "median ms": float(np.median(milliseconds)),
        "95th percentile ms": float(np.quantile(milliseconds, 0.95)),
        "worst ms": max(milliseconds),
    }


def _sign_in(context: BrowserContext, app: FastAPI, address: str) -> None:
    cookie = app.state.sessions.begin(User("injector", "The injector", ("injector",)))
    context.add_cookies([{"name": "openbont", "value": cookie, "url": address}])


@contextmanager
def _served() -> Iterator[tuple[str, FastAPI]]:
    """The workbench with its invented patients."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as at:
        place = str(Path(folder) / "records.db")
        create_records(place, by="the benchmark")

        def opened(by: str) -> Records:
            return open_records(place, by=by)

        with opened("the benchmark") as held:
            demo_records(held)
        app = create_app(opened, demo=True)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [at]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{at.getsockname()[1]}", app
        finally:
            server.should_exit = True
            thread.join()
            app.state.records.close()
