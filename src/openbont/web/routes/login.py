"""Signing in, unlocking after a while of idleness, signing out."""

import math
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import Headers

from openbont.web.accounts import (
    LONGEST_S,
    ONCE,
    Session,
    Sessions,
    Throttle,
    User,
    exists,
    note,
    signed_in,
)
from openbont.web.context import opened, page
from openbont.web.guard import LOG, cookie_name, cookie_of, local

router = APIRouter()
Typed = Annotated[str, Form(max_length=256)]
Next = Annotated[str, Form(alias="next", max_length=2_000)]
WRONG = "Login or password is wrong."


@router.get("/login")
def login_page(request: Request, next: str = "/") -> Response:
    """Ask who it is."""
    return page(request, "login.html", next=local(next), login="", problem="")


@router.post("/login")
def log_in(request: Request, login: Typed, password: Typed, next: Next = "/") -> Response:
    """Begin a session."""
    user, problem = _tried(request, login, password)
    if user is None:
        back = local(next)
        return page(request, "login.html", status=401, next=back, login=login, problem=problem)
    return _begun(request, user, next, new_password=password.startswith(ONCE))


@router.get("/unlock")
def unlock_page(request: Request, next: str = "/") -> Response:
    """Ask for the password again."""
    session: Session = request.state.session
    session.locked = True
    return page(request, "unlock.html", next=local(next), name=session.user.name, problem="")


@router.post("/unlock")
def unlock(request: Request, password: Typed, next: Next = "/") -> Response:
    """Go on where it was."""
    session: Session = request.state.session
    user, problem = _tried(request, session.user.login, password)
    if user is None:
        name = session.user.name
        return page(
            request, "unlock.html", status=401, next=local(next), name=name, problem=problem
        )
    _end(request)
    return _begun(request, user, next, new_password=session.new_password)


@router.get("/alive")
def alive() -> dict[str, bool]:
    """Somebody is still there; asked by the page while hands are on it."""
    return {"alive": True}


@router.post("/logout")
def log_out(request: Request) -> Response:
    """End the session."""
    _end(request)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(cookie_name(request.app.state.tls))
    answer.headers["clear-site-data"] = '"storage"'  # words that only this browser has
    return answer


def _tried(request: Request, login: str, password: str) -> tuple[User | None, str]:
    """Who it is, or what to say."""
    throttle: Throttle = request.app.state.throttle
    if wait_s := throttle.wait_s(login):
        return None, f"Too many wrong passwords. Try again in {math.ceil(wait_s)} s."
    user = signed_in(opened(request), login, password)
    if user is None:
        throttle.wrong(login)
        _refused(request, login)
        return None, WRONG
    throttle.right(login)
    note(opened(request), "sign-in", login)
    return user, ""


def _refused(request: Request, login: str) -> None:
    """Kept in the log of events where there is such an account; what else was typed is not kept."""
    throttle: Throttle = request.app.state.throttle
    if exists(opened(request), login):
        note(opened(request), "sign-in refused", login, wait_s=round(throttle.wait_s(login)))
    else:
        LOG.warning("sign-in refused: no such login")


def _begun(request: Request, user: User, next: str, *, new_password: bool) -> Response:
    sessions: Sessions = request.app.state.sessions
    tls: bool = request.app.state.tls
    answer = RedirectResponse("/password" if new_password else local(next), 303)
    answer.set_cookie(
        cookie_name(tls),
        sessions.begin(user, new_password),
        max_age=int(LONGEST_S),
        httponly=True,
        samesite="strict",
        secure=tls,
    )
    return answer


def _end(request: Request) -> None:
    sessions: Sessions = request.app.state.sessions
    sessions.end(cookie_of(Headers(scope=request.scope), request.app.state.tls))
