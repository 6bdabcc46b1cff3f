"""What every page needs: who asks, the records in that name, and one way to answer."""

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from openbont.catalog.muscles import words as structure_words
from openbont.clinic.records import Records
from openbont.errors import NotStored
from openbont.report.plain import plain
from openbont.report.tables import in_words
from openbont.report.words import NOTICE, counted, day, listed, number, percent, title_words
from openbont.web.accounts import ADMIN, READ, RESEARCH, STOCK, Role, Session, User, note
from openbont.web.guard import log_without_values

HERE = Path(__file__).parent
OPENING = threading.Lock()
NAV: tuple[tuple[str, str, tuple[Role, ...]], ...] = (
    ("/", "Today", READ),
    ("/patients", "Patients", READ),
    ("/vials", "Vials", STOCK),
    ("/research", "Research", RESEARCH),
    ("/understand", "Understand", (*READ, "researcher")),
    ("/data", "Data", RESEARCH),
    ("/accounts", "Accounts", ADMIN),
)
"""Address, words, and for whom; shown where the page is there."""
STEPS = (
    ("eligibility", "Eligibility"),
    ("goals", "Goals"),
    ("plan", "Plan"),
    ("inject", "Inject"),
    ("followup", "Follow-up"),
    ("next", "Next visit"),
)
"""The path of a patient."""

SNAKE = re.compile(r"\b[A-Za-z0-9]+(?:_[A-Za-z0-9]+)+\b")


def spoken(text: str) -> str:
    """Names and dates in a text as one says them: dose_u -> dose u."""
    return SNAKE.sub(lambda name: name[0].replace("_", " "), in_words(text))


def shown(value: float | str) -> str:
    """A reading: 20.0 -> 20, grades as they are written."""
    return value if isinstance(value, str) else f"{value:.6g}"


def field_words(name: str) -> str:
    """goals.0.words -> goals 1, words"""
    steps = [str(int(step) + 1) if step.isdecimal() else step for step in name.split(".")]
    return re.sub(r", (\d+)", r" \1", ", ".join(steps)).replace("_", " ")


def place(where: str) -> str:
    """wrist_flexors.left -> left wrist flexors"""
    name, _, side = where.partition(".")
    return f"{side} {name}".replace("_", " ").strip()


TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters |= {
    "day": day,
    "number": number,
    "percent": percent,
    "listed": listed,
    "in_words": spoken,
    "field_words": field_words,
    "place": place,
    "shown": shown,
    "structure": structure_words,
    "title_words": title_words,
    "fixed": "{:f}".format,
}
TEMPLATES.globals |= {"counted": counted, "notice": NOTICE, "steps": STEPS}


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page; the same values as data where the address ends in .json, or JSON is accepted."""
    if request.state.as_json:
        return JSONResponse(plain(values), status)
    text = TEMPLATES.get_template(template).render(**_base(request), **values)
    return HTMLResponse(text, status)


def fragment(request: Request, template: str, **values: Any) -> HTMLResponse:
    """A part of a page, without the frame around it."""
    return HTMLResponse(TEMPLATES.get_template(template).render(**_base(request), **values))


def home(request: Request) -> str:
    """The first page that is for this user."""
    nav = navigation(request, user_of(request))
    return next((at for at, _ in nav if at != "/"), "/password")


def navigation(request: Request, user: User) -> list[tuple[str, str]]:
    """Pages that are there and that this user may see."""
    there = request.app.state.paths
    return [(at, words) for at, words, roles in NAV if user.may(*roles) and at in there]


def _base(request: Request) -> dict[str, Any]:
    session: Session | None = request.state.session
    user = session.user if session and not session.locked else None
    return {
        "user": user,
        "role": ", ".join(user.roles) if user else "",
        "nav": navigation(request, user) if user and session and not session.new_password else [],
        "path": request.url.path,
        "demo": request.app.state.demo,
        "idle_s": round(request.app.state.sessions.idle_s),
    }


def session_of(request: Request) -> Session:
    """The session of who asks; the guard has seen to it that somebody is signed in."""
    session: Session = request.state.session
    return session


def user_of(request: Request) -> User:
    """Who asks."""
    return session_of(request).user


def need(*roles: Role) -> Any:
    """A dependency that refuses everybody without one of these roles."""
    return Depends(Need(roles))


class Need:
    """Refuses everybody without one of `roles`."""

    def __init__(self, roles: tuple[Role, ...]) -> None:
        self.roles = roles

    def __call__(self, request: Request) -> User:
        """The user, where allowed."""
        user = user_of(request)
        if not user.may(*self.roles):
            raise refusal(request, f"This page is for: {', '.join(self.roles)}.")
        if patient := request.path_params.get("patient"):
            note_read(request, patient)
        return user


def note_read(request: Request, patient: str) -> None:
    """Who asks reads this record; where that cannot be written down, treating goes on."""
    try:
        request.app.state.readers.note(opened(request), user_of(request).login, patient)
    except NotStored as error:
        log_without_values(error)


def refusal(request: Request, words: str) -> HTTPException:
    """To be raised: who asked may not. It stands in the log of events, without the address."""
    route = f"{request.method} {request.scope['route'].path}"
    note(opened(request), "refused", user_of(request).login, route=route)
    return HTTPException(403, words)


def records(request: Request) -> Records:
    """The records, written in the name of who asks."""
    base = opened(request)
    return Records(base.database, user_of(request).name, base.now)


def opened(request: Request) -> Records:
    """The records in the name of the workbench itself, as for signing in."""
    state = request.app.state
    with OPENING:
        if state.records is None:
            open_records: Callable[[str], Records] = state.open_records
            state.records = open_records("the workbench")
    held: Records = state.records
    return held
