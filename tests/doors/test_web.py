"""Who may see what, and what is refused before any page looks at it."""

import datetime
import itertools
import logging
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from openbont import web
from openbont.cli import main
from openbont.clinic.records import Records
from openbont.errors import BadInput, DiskFull
from openbont.web.accounts import (
    FREE_TRIES,
    IDLE_S,
    LONGEST_S,
    LONGEST_WAIT_S,
    ROLES,
    Role,
    User,
    accounts,
    add_account,
    change_account,
    once,
    signed_in,
)
from openbont.web.app import PAGES, create_app
from openbont.web.context import Need
from openbont.web.guard import CSP, HEADERS, HSTS, LARGEST_BYTES
from openbont.web.readers import READ, Readers
from tests.web import HERE, OURS, PASSWORD, TestClient, Tick, browser, signed_in_as

ARM = "arm-after-stroke"
FREE = {"/login", "/unlock", "/logout", "/alive"}
"""Where no role is asked for."""


def routes() -> Iterator[tuple[str, str, APIRoute]]:
    """Method, address and route of every page."""
    for module in PAGES:
        for route in flattened(module.router):
            for method in sorted(route.methods - {"HEAD"}):
                yield method, route.path, route


def flattened(router: APIRouter) -> Iterator[APIRoute]:
    """Routes of a router and of those within it."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from flattened(route.original_router)  # type: ignore[attr-defined]


def roles_of(route: APIRoute) -> tuple[Role, ...] | None:
    """The roles that a route asks for; None where it asks for none."""
    asked = [one.call for one in route.dependant.dependencies if isinstance(one.call, Need)]
    return asked[0].roles if asked else None


def filled_in(path: str) -> str:
    """An address with something for every name in it."""
    known = {"patient": ARM, "login": "nobody"}
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda name: known.get(name[1], "nothing"), path)


def ask(client: TestClient, method: str, path: str) -> Any:
    return client.request(method, filled_in(path), headers={"Accept": "application/json"})


def test_every_route_says_for_whom_it_is() -> None:
    silent = {path for _, path, route in routes() if roles_of(route) is None}
    assert silent == FREE


def test_all_routes_by_all_roles(app: FastAPI) -> None:
    clients = {role: signed_in_as(app, role) for role in ROLES}
    for (method, path, route), role in itertools.product(routes(), ROLES):
        wanted = roles_of(route)
        if wanted is None:
            continue
        if role not in wanted:
            assert ask(clients[role], method, path).status_code == 403, (method, path, role)
        elif method == "GET" and "{" not in path:
            assert ask(clients[role], method, path).status_code not in (401, 403, 500), (path, role)


def test_nothing_is_there_for_strangers(app: FastAPI) -> None:
    stranger = browser(app)
    for method, path, _ in routes():
        if path in ("/login",):
            continue
        assert ask(stranger, method, path).status_code == 401, (method, path)
    assert stranger.get("/openapi.json", headers={"Accept": "text/html"}).status_code == 303
    back = stranger.get("/patients?page=2", headers={"Accept": "text/html"})
    assert back.headers["location"] == "/login?next=/patients%3Fpage%3D2"


def test_who_treats_is_hidden_from_researcher_and_admin(app: FastAPI) -> None:
    for role in ("researcher", "admin"):
        client = signed_in_as(app, role)
        for method, path, _ in routes():
            if method == "GET":
                assert "Berger" not in client.get(filled_in(path)).text, (path, role)


# ---- headers


def test_every_answer_carries_the_headers(app: FastAPI) -> None:
    injector, stranger = signed_in_as(app, "injector"), browser(app)
    paths = [filled_in(path) for method, path, _ in routes() if method == "GET" and path in FREE]
    paths += ["/", "/patients", f"/patients/{ARM}", "/nothing", "/static/app.css", "/static/x.js"]
    answers = [client.get(path) for client in (injector, stranger) for path in paths]
    answers.append(injector.post("/patients/new", data={}))
    answers.append(injector.get("/", headers={"Host": "evil.example"}))
    for answer in answers:
        for name, value in HEADERS.items():
            assert answer.headers[name] == value, (answer.url, name)


def test_the_policy_lets_nothing_run_that_is_not_ours() -> None:
    assert "unsafe" not in CSP
    assert "http" not in CSP
    assert CSP.startswith("default-src 'none'")


def test_pages_hold_no_script_style_or_handler_of_their_own(app: FastAPI) -> None:
    injector = signed_in_as(app, "injector")
    steps = ("", "/eligibility", "/goals", "/inject", "/followup", "/next")
    for at in ("/", "/patients", "/vials", *(f"/patients/{ARM}{step}" for step in steps)):
        text = injector.get(at).text
        assert not re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", text), at
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text)), at


def test_a_button_that_only_a_script_answers_waits_for_it() -> None:
    pages = [one.read_text() for one in Path(web.__file__).parent.glob("templates/*.html")]
    buttons = [tag for text in pages for tag in re.findall(r"<button[^>]*>", text)]
    scripted = [tag for tag in buttons if 'type="button"' in tag]
    assert len(scripted) > 10
    assert [tag for tag in scripted if " disabled" not in tag] == []


def test_pages_of_patients_are_not_kept_by_the_browser(app: FastAPI) -> None:
    page = signed_in_as(app, "injector").get(f"/patients/{ARM}")
    assert page.headers["cache-control"] == "no-store"


# ---- where it comes from


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::2]:8000"])
def test_another_name_is_refused(app: FastAPI, host: str) -> None:
    answer = signed_in_as(app, "injector").get("/patients", headers={"Host": host})
    assert answer.status_code == 421
    assert "Berger" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": ""},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        {"Origin": HERE, "Sec-Fetch-Site": "same-site"},
        {"Origin": "http://127.0.0.1:9000", "Sec-Fetch-Site": ""},
        {"Origin": "", "Sec-Fetch-Site": ""},
    ],
)
def test_another_site_writes_nothing(app: FastAPI, headers: dict[str, str]) -> None:
    client = signed_in_as(app, "injector")
    for name in OURS:
        del client.headers[name]
    typed = {"goals.0.words": "not ours", "seen": "0"}
    kept = {name: value for name, value in headers.items() if value}
    assert client.post(f"/patients/{ARM}/goals", data=typed, headers=kept).status_code == 403
    client.headers.update(OURS)
    assert "not ours" not in client.get(f"/patients/{ARM}/goals").text


def test_another_site_may_link_to_us_but_not_read_us(app: FastAPI) -> None:
    client = signed_in_as(app, "injector")
    foreign = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert client.get("/patients", headers=foreign).status_code == 403
    embedded = foreign | {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    assert client.get("/patients", headers=embedded).status_code == 403
    followed = foreign | {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert client.get("/patients", headers=followed).status_code == 200


def test_what_is_too_large_is_refused_unread(app: FastAPI) -> None:
    client = signed_in_as(app, "injector")
    much = b"x" * (LARGEST_BYTES + 1)
    assert client.post("/vials", content=much).status_code == 413
    assert client.post("/vials", content=iter([b"x"])).status_code == 411


# ---- signing in


def test_signing_in_and_out(app: FastAPI) -> None:
    with app.state.open_records("the clinic") as records:
        add_account(records, "vega", "Dr Vega", ["injector"], PASSWORD)
    client = browser(app)
    typed = {"login": "vega", "password": PASSWORD, "next": "/patients"}
    answer = client.post("/login", data=typed)
    assert (answer.status_code, answer.headers["location"]) == (303, "/patients")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Dr Vega" in client.get("/patients").text
    client.post("/logout")
    client.cookies.set("openbont", re.findall("openbont=([^;]+)", cookie)[0])
    assert client.get("/patients").status_code == 303  # the cookie of an ended session is nothing


@pytest.mark.parametrize("next_", ["//evil.example", "https://evil.example", "/\\evil", "x", ""])
def test_signing_in_leads_nowhere_else(app: FastAPI, next_: str) -> None:
    text = browser(app).get("/login", params={"next": next_}).text
    assert 'name="next" value="/"' in text


def test_guessing_gets_slower(app: FastAPI, clock: Tick) -> None:
    with app.state.open_records("the clinic") as records:
        add_account(records, "vega", "Dr Vega", ["injector"], PASSWORD)
    client, wrong = browser(app), {"login": "vega", "password": "wrong"}
    for _ in range(FREE_TRIES):
        assert "is wrong" in client.post("/login", data=wrong).text
    right = {"login": "vega", "password": PASSWORD}
    refused = client.post("/login", data=right)
    assert refused.status_code == 401
    assert "Try again in 15 s" in refused.text
    clock.now += 15
    assert "is wrong" in client.post("/login", data=wrong).text
    assert "Try again in 30 s" in client.post("/login", data=right).text
    clock.now += LONGEST_WAIT_S
    assert client.post("/login", data=right).status_code == 303


def test_a_session_locks_and_ends_and_the_draft_stays(app: FastAPI, clock: Tick) -> None:
    with app.state.open_records("the clinic") as records:
        add_account(records, "injector", "The injector", ["injector"], PASSWORD)
    client, page = signed_in_as(app, "injector"), f"/patients/{ARM}/goals"
    client.post(page, data={"goals.0.words": "hold the cup", "seen": "0", "do": "save"})
    clock.now += IDLE_S
    locked = client.get(page)
    assert locked.headers["location"] == f"/unlock?next={page}"
    late = {"goals.0.words": "late", "seen": "1", "do": "save"}
    assert client.post(page, data=late).status_code == 401
    assert "Berger" not in client.get(locked.headers["location"]).text
    assert client.post("/unlock", data={"password": "wrong"}).status_code == 401
    answer = client.post("/unlock", data={"password": PASSWORD, "next": page})
    assert answer.headers["location"] == page
    assert "hold the cup" in client.get(page).text
    for _ in range(int(LONGEST_S / IDLE_S) + 1):
        clock.now += IDLE_S / 2
        client.get("/alive")
    clock.now += LONGEST_S
    assert client.get(page).headers["location"].startswith("/login")


def test_an_account_that_is_closed_is_out_at_once(app: FastAPI) -> None:
    with app.state.open_records("the clinic") as records:
        add_account(records, "admin", "The admin", ["admin"], PASSWORD)
        add_account(records, "vega", "Dr Vega", ["injector"], PASSWORD)
    vega = browser(app)
    vega.cookies.set("openbont", app.state.sessions.begin(User("vega", "Dr Vega", ("injector",))))
    assert vega.get("/patients").status_code == 200
    closed = {"vega.injector": "yes", "do": "close"}
    assert signed_in_as(app, "admin").post("/accounts/vega", data=closed).status_code == 200
    assert vega.get("/patients").status_code == 303
    with app.state.open_records("the clinic") as records:
        assert signed_in(records, "vega", PASSWORD) is None


def test_the_last_admin_stays(app: FastAPI) -> None:
    with app.state.open_records("the clinic") as records:
        only = add_account(records, "admin", "The admin", ["admin"], PASSWORD)
        with pytest.raises(BadInput, match="nobody would be admin"):
            change_account(records, User(only.login, only.name, ("viewer",)))
        assert accounts(records) == [only]


GUESSED = ("short", "aaaaaaaaaaaaaa", "lvega lvega lvega", "x" * 257, "Password123456789")
GUESSED += (
    "P@ssw0rd!2026",
    "qwertyuiop1234",
    "Welcome to Botox",
    "Elena and the cat",
    "1234567890123",
    "correcthorsebatterystaple"[:7] * 2,
    "Elena.Vega.1978",
    "openbont clinic 2026",
    "liverpoolliverpool",
    "x y z x y z x y z",
)


@pytest.mark.parametrize("password", GUESSED)
def test_a_password_that_is_easily_guessed_is_refused(app: FastAPI, password: str) -> None:
    with (
        app.state.open_records("the clinic") as records,
        pytest.raises(BadInput, match="password"),
    ):
        add_account(records, "lvega", "Dr Elena Vega", ["injector"], password)


def test_words_that_have_nothing_to_do_with_anybody_are_taken(app: FastAPI) -> None:
    words = ("correct horse battery staple", "drei kleine Katzen", "seven quiet herons " * 9)
    with app.state.open_records("the clinic") as records:
        for i, password in enumerate(words):
            add_account(records, f"vega{i}", "Dr Elena Vega", ["injector"], password)
            assert signed_in(records, f"vega{i}", password)


def test_the_log_of_events_knows_of_accounts_and_not_of_passwords(app: FastAPI) -> None:
    with app.state.open_records("the clinic") as records:
        add_account(records, "vega", "Dr Vega", ["injector"], PASSWORD)
        event = records.events()[-1]
        assert (event.action, event.data["login"]) == ("account", "vega")
        assert "argon2" not in "".join(one.body for one in records.events())
        assert records.verify().events == len(records.events())


def test_a_password_for_once_opens_nothing_but_the_page_for_another(app: FastAPI) -> None:
    typed = {"login": "nurse", "name": "N. Urse", "role.assistant": "yes"}
    made = signed_in_as(app, "admin").post("/accounts", data=typed)
    password = re.findall(r"<code>(once-[^<]+)</code>", made.text)[0]
    client = browser(app)
    answer = client.post("/login", data={"login": "nurse", "password": password, "next": "/vials"})
    assert answer.headers["location"] == "/password"
    assert client.get("/patients").headers["location"] == "/password"
    assert client.get("/patients.json").status_code == 403
    assert client.post("/patients/new", data={}).status_code == 403
    again = {"old": password, "new": "once-more the same", "again": "once-more the same"}
    assert client.post("/password", data=again).status_code == 422
    other = {"old": password, "new": "another few words", "again": "another few words"}
    assert client.post("/password", data=other).status_code == 303
    assert client.get("/patients").headers["location"].startswith("/login")
    client.post("/login", data={"login": "nurse", "password": "another few words"})
    assert client.get("/patients").status_code == 200


def test_what_happens_at_the_door_stands_in_the_log_of_events(app: FastAPI, clock: Tick) -> None:
    with app.state.open_records("the clinic") as records:
        nurse = add_account(records, "nurse", "N. Urse", ["assistant"], PASSWORD)
        add_account(records, "admin", "The admin", ["admin"], once())
        before = records.head().number
    client, wrong = browser(app), {"login": "nurse", "password": "wrong"}
    for _ in range(FREE_TRIES):
        client.post("/login", data=wrong)
    client.post(
        "/login", data={"login": "seven quiet herons", "password": "typed in the wrong box"}
    )
    clock.now += LONGEST_WAIT_S
    client.post("/login", data={"login": "nurse", "password": PASSWORD})
    client.post(f"/patients/{ARM}/inject", data={"do": "sign"})
    client.get("/accounts")
    with app.state.open_records("the clinic") as records:
        change_account(records, User("nurse", nurse.name, ("injector",)))
        events = [one for one in records.events() if one.number > before and one.action != READ]
        assert records.verify().events == len(records.events())
    assert [one.action for one in events] == [
        *["sign-in refused"] * FREE_TRIES, "sign-in", "refused", "refused", "account"
    ]  # fmt: skip
    assert [one.data["wait_s"] for one in events[:FREE_TRIES]] == [0, 0, 0, 0, 15]
    assert events[-3].data == {"login": "nurse", "route": "POST /patients/{patient}/inject"}
    door = signed_in_as(app, "admin").get("/accounts.json").json()["door"]
    assert [one["what"] for one in door[:3]] == ["account changed", "page refused", "page refused"]
    assert door[4]["more"] == "to wait 15 s"
    said = "".join(one.body for one in events)
    for word in (ARM, "Berger", "herons", "wrong"):
        assert word not in said


def opened(app: FastAPI) -> list[tuple[str, str]]:
    """Login and patient of every record that was opened, in order."""
    with app.state.open_records("the clinic") as records:
        assert records.verify().events == len(records.events())
        read = [one.data for one in records.events() if one.action == READ]
    return [(one["login"], one["patient"]) for one in read]


def test_who_opened_whose_record_is_written_down_once_a_day(app: FastAPI) -> None:
    viewer, injector = signed_in_as(app, "viewer"), signed_in_as(app, "injector")
    for at in ("/", "/patients", f"/patients/{ARM}", f"/patients/{ARM}/goals", "/patients/nobody"):
        viewer.get(at)
    assert signed_in_as(app, "researcher").get(f"/patients/{ARM}").status_code == 403
    typed = {"first": f"records/{ARM}/", "second": "records/chronic-migraine/"}
    injector.get("/research/compare", params=typed)
    assert opened(app) == [
        ("viewer", ARM),
        ("injector", ARM),
        ("injector", "chronic-migraine"),
    ]
    app.state.readers = Readers()  # as after a new start
    viewer.get(f"/patients/{ARM}")
    assert len(opened(app)) == 3
    later = app.state.records.now() + datetime.timedelta(days=1)
    app.state.records.now = lambda: later
    viewer.post(f"/patients/{ARM}/plan/live", data={})
    viewer.get(f"/patients/{ARM}")
    assert opened(app)[3:] == [("viewer", ARM)]


def test_an_admin_sees_who_opened_the_record_of_somebody(app: FastAPI) -> None:
    viewer, admin = signed_in_as(app, "viewer"), signed_in_as(app, "admin")
    for patient in (ARM, "chronic-migraine"):
        viewer.get(f"/patients/{patient}")
    said = admin.get("/accounts.json").json()["opened"]
    assert [(one["login"], one["patient"]) for one in said] == [
        ("viewer", "chronic-migraine"),
        ("viewer", ARM),
    ]
    found = admin.post("/readers.json", data={"patient": ARM}).json()["opened"]
    assert [one["patient"] for one in found] == [ARM]
    assert admin.post("/readers.json", data={"patient": "arm-after"}).json()["opened"] == []
    assert viewer.post("/readers", data={"patient": ARM}).status_code == 403


def test_a_record_can_be_read_when_that_cannot_be_written_down(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Any) -> Any:
        raise DiskFull("records.db", "the disk is full; nothing was written", "make room")

    viewer = signed_in_as(app, "viewer")
    with monkeypatch.context() as patched:
        patched.setattr(Records, "writing", full)
        assert viewer.get(f"/patients/{ARM}").status_code == 200
    assert opened(app) == []
    viewer.get(f"/patients/{ARM}")
    assert opened(app) == [("viewer", ARM)]


def test_pages_asked_for_at_once_are_one_reading(app: FastAPI) -> None:
    viewer = signed_in_as(app, "viewer")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(viewer.get, [f"/patients/{ARM}"] * 8))
    assert opened(app) == [("viewer", ARM)]


# ---- logs, errors, doors


def test_logs_name_nobody(app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = signed_in_as(app, "injector")
    client.post("/patients", data={"q": "Berger"})
    for at in ("/patients?found=yes", f"/patients/{ARM}", f"/patients/{ARM}/eligibility"):
        client.get(at)
    client.post(f"/patients/{ARM}/goals", data={"goals.0.words": "a secret wish", "seen": "0"})
    kept, app.state.records = app.state.records, None
    app.state.open_records = None  # everything breaks now, with the patient at hand
    assert client.get(f"/patients/{ARM}").status_code == 500
    app.state.records = kept
    ours = [one for one in caplog.records if one.name != "httpx"]
    assert ours
    said = " ".join(one.getMessage() for one in ours)
    for word in ("Berger", ARM, "secret", "1968"):
        assert word not in said


def test_unknown_patients_and_pages_are_said_to_be_so(app: FastAPI) -> None:
    client = signed_in_as(app, "injector")
    assert client.get("/patients/nobody").status_code == 404
    twin = client.get("/patients/nobody.json")
    assert twin.json()["error"]["problem"] == "No patient is called 'nobody'."
    assert client.get("/nothing").status_code == 404


def test_with_tls_the_cookie_and_the_browser_know_it(app: FastAPI) -> None:
    with app.state.open_records("the clinic") as records:
        add_account(records, "vega", "Dr Vega", ["injector"], PASSWORD)
    secure = create_app(app.state.open_records, hosts=frozenset({"clinic.example"}), tls=True)
    home = "https://clinic.example"
    headers = {"Origin": home, "Sec-Fetch-Site": "same-origin"}
    client = TestClient(secure, base_url=home, headers=headers, follow_redirects=False)
    answer = client.post("/login", data={"login": "vega", "password": PASSWORD})
    secure.state.records.close()
    assert answer.headers["set-cookie"].startswith("__Host-openbont=")
    assert "Secure" in answer.headers["set-cookie"]
    assert answer.headers["strict-transport-security"] == HSTS
    plain = client.post("/login", headers={"Origin": "http://clinic.example"})
    assert plain.status_code == 403


def test_serve_prints_where_it_is_and_a_password_for_once() -> None:
    command = [sys.executable, "-m", "openbont.cli", "serve", "--demo", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1)
    assert server.stdout
    try:
        said = ""
        while "Ctrl+C" not in said and server.poll() is None:
            said += server.stdout.readline()
        address = re.findall(r"http://127\.0\.0\.1:\d+/", said)[0]
        password = re.findall(r"Password:\s+(\S+)", said)[0]
        with httpx.Client(base_url=address, headers={"Origin": address[:-1]}) as client:
            typed = {"login": "demo", "password": password}
            client.post("/login", data=typed, follow_redirects=True)
            assert "Anton Berger" in client.get("/patients").text
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=20) in (0, 130)
        assert server.stdout.read() == ""  # no request is logged
    finally:
        server.kill()
        server.stdout.close()
        server.wait()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--host", "clinic.example"], "can be reached by other machines"),
        (["--host", "0.0.0.0"], "every address of this machine"),
        (["--certificate", "here.pem"], "certificate and key belong together"),
    ],
)
def test_serve_refuses_a_door_that_is_not_safe(
    given: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--demo", *given])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err
