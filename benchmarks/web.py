"""From an edit of a dose to its curves on the screen, beside a page of Streamlit.

In one Chromium, with the real model: a field of the plan editor and of the peer's page are filled
in turns with other doses. A time begins with the event of the edit and ends with the first frame
after the last curve was drawn, inside the page. The peer is Streamlit in a virtual environment of
its own: made for this run, which needs the network, or that of `--peer`; `--peer none` leaves it.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import venv
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from benchmarks.table import Row
from openbont.clinic.records import Records, create_records, open_records
from openbont.web.accounts import User
from openbont.web.app import create_app
from openbont.web.server import demo_records

CHROMIUM = "/usr/bin/chromium"
PATIENTS = ("arm-after-stroke", "overactive-bladder")
DOSES_U = (30, 45, 35, 50)
ROOT = Path(__file__).parents[1]
PEER = "streamlit==1.67.0"
PEER_PAGE = ROOT / "benchmarks" / "web_peer.py"
NONE = "none"
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


PEER_DRAWN = """
(dose) => new Promise((done) => {
  const field = document.querySelector("input[type='number']");
  const charts = () => [...document.querySelectorAll("[data-testid='stVegaLiteChart']")];
  const drawn = () => charts().every((one) => one.textContent.includes(`${dose} U`));
  const watch = new MutationObserver(() => {
    if (!drawn()) return;
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - begin)));
  });
  watch.observe(document.body, { subtree: true, childList: true, characterData: true });
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
  const begin = performance.now();
  set.call(field, String(dose));
  field.dispatchEvent(new Event("input", { bubbles: true }));
  const enter = { key: "Enter", code: "Enter", keyCode: 13, bubbles: true };
  field.dispatchEvent(new KeyboardEvent("keydown", enter));
  field.dispatchEvent(new KeyboardEvent("keypress", enter));
})
"""


def options(parser: argparse.ArgumentParser) -> None:
    """Command-line options of this benchmark."""
    parser.add_argument("--edits", type=int, default=60, help="edits of each patient's plan")
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between two edits")
    parser.add_argument("--peer", default="", help="a Python that has streamlit and this package")


def run(chosen: argparse.Namespace) -> list[Row]:
    """Each patient in the editor, and on the peer's page."""
    with ExitStack() as stack, sync_playwright() as play:
        address, app = stack.enter_context(_served())
        peer = "" if chosen.peer == NONE else stack.enter_context(_peer(chosen.peer))
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        rows = []
        for patient in PATIENTS:
            pages = {"openbont": _editor(browser, app, address, patient)}
            if peer:
                pages["streamlit"] = _peer_page(browser, peer, patient)
            rows += _rows(patient, _edited(pages, chosen.edits, chosen.pause))
        browser.close()
    return rows


def _editor(browser: Browser, app: FastAPI, address: str, patient: str) -> Page:
    context = browser.new_context()
    _sign_in(context, app, address)
    page = context.new_page()
    page.goto(f"{address}/patients/{patient}/plan")
    page.wait_for_selector(".curve canvas", timeout=120_000)
    return page


def _peer_page(browser: Browser, address: str, patient: str) -> Page:
    page = browser.new_page()
    page.goto(f"{address}/?patient={patient.replace('-', '_')}")
    page.wait_for_selector("[data-testid='stVegaLiteChart'] svg", timeout=240_000)
    return page


def _edited(pages: dict[str, Page], edits: int, pause: float) -> dict[str, list[float]]:
    """Milliseconds of each edit, the pages in turns; the first few are not counted."""
    found: dict[str, list[float]] = {name: [] for name in pages}
    for number in range(edits + 5):
        for name, page in pages.items():
            time.sleep(pause)
            script = DRAWN if name == "openbont" else PEER_DRAWN
            found[name].append(float(page.evaluate(script, DOSES_U[number % len(DOSES_U)])))
    return {name: times[5:] for name, times in found.items()}


def _rows(patient: str, found: dict[str, list[float]]) -> list[Row]:
    ours = float(np.median(found["openbont"]))
    return [
        {
            "page": f"{name}: {patient}",
            "edits": len(times),
            "median ms": float(np.median(times)),
            "95th percentile ms": float(np.quantile(times, 0.95)),
            "worst ms": max(times),
            "median / openbont": float(np.median(times)) / ours,
        }
        for name, times in found.items()
    ]


# ---- the peer


@contextmanager
def _peer(python: str) -> Iterator[str]:
    """Streamlit with its page, until it is not needed; it tells nobody that it runs."""
    with tempfile.TemporaryDirectory() as folder:
        interpreter = python or _made(Path(folder) / "venv")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        options = {
            "server.port": port,
            "server.address": "127.0.0.1",
            "server.headless": "true",
            "server.fileWatcherType": "none",
            "browser.gatherUsageStats": "false",
        }
        said = [f"--{name}={value}" for name, value in options.items()]
        command = [interpreter, "-m", "streamlit", "run", str(PEER_PAGE), *said]
        log = Path(folder) / "log"
        with log.open("wb") as out:
            known = os.environ | {"HOME": folder}
            process = subprocess.Popen(command, env=known, stdout=out, stderr=out)
        try:
            _wait_for(port, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def _made(folder: Path) -> str:
    """A virtual environment with the peer and this package; needs the network."""
    print(f"Installing {PEER} into an environment for this run.", file=sys.stderr)
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    quiet = ("--quiet", "--disable-pip-version-check")
    subprocess.run([python, "-m", "pip", "install", *quiet, "-e", ROOT, PEER], check=True)
    return str(python)


def _wait_for(port: int, log: Path) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"the peer does not start: {log.read_text()}")


# ---- the workbench


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
