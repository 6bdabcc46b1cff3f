"""Accounts: who may sign in, as what."""

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from openbont.clinic.events import Event
from openbont.errors import BadInput
from openbont.web.accounts import (
    ADMIN,
    ONCE,
    ROLES,
    Role,
    Session,
    Sessions,
    User,
    accounts,
    add_account,
    change_account,
    change_password,
    lately,
    once,
    signed_in,
)
from openbont.web.context import need, page, records, user_of
from openbont.web.drafts import Fields
from openbont.web.forms import TEXT, Form, Wrong, Wrongs, at, takes
from openbont.web.readers import lately_read
from openbont.web.steps import Filled

router = APIRouter()
WHAT = {"refused": "page refused", "account": "account changed", "password": "new password"}
NOTHING = {"login": "", "password": ""}
MEANING: dict[Role, str] = {
    "viewer": "reads the path of every patient",
    "assistant": "types and signs all but plans and injections",
    "injector": "signs plans and what was given",
    "pharmacist": "reads, and keeps the vials",
    "researcher": "sees trials and tables without names",
    "admin": "makes accounts",
}


@router.get("/accounts", dependencies=[need(*ADMIN)])
def accounts_page(request: Request) -> Response:
    """Everybody who may sign in."""
    return _shown(request, {}, {})


@router.post("/accounts", dependencies=[need(*ADMIN)], openapi_extra=takes(login=TEXT, name=TEXT))
def add(request: Request, form: Form) -> Response:
    """An account for somebody new, with a password for once."""
    said = form.fields
    password = once()
    roles = [role for role in ROLES if said.get(f"role.{role}")]
    try:
        user = add_account(
            records(request), said.get("login", ""), said.get("name", ""), roles, password
        )
    except BadInput as error:
        return _shown(request, said, at(error.place, error), status=422)
    return _shown(request, {}, {}, {"login": user.login, "password": password})


@router.post("/accounts/{login}", dependencies=[need(*ADMIN)], openapi_extra=takes())
def change(request: Request, login: str, form: Form) -> Response:
    """Other roles, a new password for once, closed or open again; ends their sessions."""
    held = records(request)
    user = next((one for one in accounts(held) if one.login == login), None)
    if user is None:
        raise HTTPException(404, f"There is no account {login!r}.")
    told = _changed(request, user, form.fields, form.do)
    sessions: Sessions = request.app.state.sessions
    if login != user_of(request).login:
        sessions.end_of(login)
    return _shown(request, {}, {}, told)


@router.post("/readers", dependencies=[need(*ADMIN)], openapi_extra=takes(patient=TEXT))
def readers(request: Request, form: Form) -> Response:
    """Who opened the record of one patient; whose stands in no address."""
    return _shown(request, {}, {}, sought=form.fields.get("patient", ""))


@router.get("/password", dependencies=[need(*ROLES)])
def password_page(request: Request) -> Response:
    """A form for one's own password."""
    return _password(request, {})


@router.post(
    "/password", dependencies=[need(*ROLES)], openapi_extra=takes(old=TEXT, new=TEXT, again=TEXT)
)
def own_password(request: Request, form: Form) -> Response:
    """Another password of one's own; every session of it ends."""
    held, user, said = records(request), user_of(request), form.fields
    wrong: Wrongs = {}
    if said.get("new") != said.get("again"):
        wrong = {"again": Wrong("not the same as the first", "type it again")}
    elif said.get("new", "").startswith(ONCE):
        wrong = {"new": Wrong(f"begins with {ONCE}", "such passwords are for once only")}
    elif signed_in(held, user.login, said.get("old", "")) is None:
        request.app.state.throttle.wrong(user.login)
        wrong = {"old": Wrong("wrong")}
    else:
        try:
            change_password(held, user, said.get("new", ""))
        except BadInput as error:
            wrong = at("new", error)
    if wrong:
        return _password(request, wrong, 422)
    request.app.state.sessions.end_of(user.login)
    return RedirectResponse("/login", 303)


def _password(request: Request, wrong: Wrongs, status: int = 200) -> Response:
    session: Session = request.state.session
    form = Filled("password", "/password", 0, {}, wrong)
    return page(request, "password.html", status=status, form=form, first=session.new_password)


def _changed(request: Request, user: User, said: Fields, do: str) -> dict[str, str]:
    held = records(request)
    if do == "password":
        password = once()
        change_password(held, user, password)
        return {"login": user.login, "password": password}
    roles = tuple(role for role in ROLES if said.get(f"{user.login}.{role}"))
    change_account(held, replace(user, roles=roles, open=do != "close"))
    return NOTHING


def _told(event: Event) -> dict[str, str]:
    """One line of the door's log."""
    said, what = event.data, WHAT.get(event.action, event.action)
    wait = f"to wait {said['wait_s']} s" if said.get("wait_s") else ""
    more = said.get("route") or said.get("roles") or wait
    at = event.at[:16].replace("T", " ")
    return {"at": at, "login": said["login"], "what": what, "more": more}


def _opened(event: Event) -> dict[str, str]:
    """One line of who opened whose record."""
    return {**event.data, "at": event.at[:16].replace("T", " ")}


def _shown(
    request: Request,
    fields: Fields,
    wrong: Wrongs,
    told: dict[str, str] | None = None,
    sought: str = "",
    status: int = 200,
) -> Response:
    shown: dict[str, Any] = {"told": told or NOTHING, "roles": list(MEANING.items())}
    return page(
        request,
        "accounts.html",
        status=status,
        form=Filled("account", "/accounts", 0, fields, wrong),
        people=accounts(records(request)),
        door=[_told(one) for one in lately(records(request))],
        sought=sought,
        opened=[_opened(one) for one in lately_read(records(request), sought)],
        **shown,
    )
