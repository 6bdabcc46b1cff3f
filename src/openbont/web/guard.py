"""What every request and every answer has to pass.

Host (a page of another name may not speak to us), origin (another site may not write, or embed),
size, sign-in (every page but a few wants it), headers (nothing runs that is not ours), and no word
about a patient in a log when something breaks.
"""

import json
import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from openbont.web.accounts import Session, Sessions

LOG = logging.getLogger("openbont.web")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
SAFE = ("GET", "HEAD", "OPTIONS")
OPEN = ("/login", "/favicon.ico")
"""Where nobody has to be signed in; nor for static files."""
LOCKED_TOO = ("/unlock", "/logout")
"""Where a locked session may go."""
FIRST = ("/password", "/logout", "/unlock", "/alive")
"""Where a session may go whose password was somebody else's."""
TWIN = ".json"
"""Ending of the address of a page's data."""
LARGEST_BYTES = 2_000_000
CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
HSTS = "max-age=31536000"


@dataclass(frozen=True)
class Guard:
    """Stands before the whole app."""

    app: ASGIApp
    sessions: Sessions
    hosts: frozenset[str] = LOOPBACK
    tls: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or let through, and put the headers on either."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        scope.setdefault("state", {})
        headers = Headers(scope=scope)
        refused = self._refused(scope, headers) or self._unknown(scope, headers)
        try:
            await (refused or self.app)(scope, receive, self._sealed(scope, send))
        except Exception as error:
            log_without_values(error)
            answer = plainly(scope, 500, "Something broke here; nothing was written. Try again.")
            await answer(scope, receive, self._sealed(scope, send))

    def _refused(self, scope: Scope, headers: Headers) -> Response | None:
        """What no page has to look at."""
        if host_of(headers.get("host", "")) not in self.hosts:
            return plainly(scope, 421, "This address is not served here.")
        if not self._ours(scope, headers):
            return plainly(scope, 403, "Another site asked for this; it is refused.")
        if scope["method"] not in SAFE and (problem := _too_large(headers)):
            return plainly(
                scope, problem, f"More than {LARGEST_BYTES // 1_000_000} MB, or no size."
            )
        return None

    def _ours(self, scope: Scope, headers: Headers) -> bool:
        """Asked by one of our own pages, or by a person who followed a link."""
        site = headers.get("sec-fetch-site", "")
        if scope["method"] in SAFE:
            followed = headers.get("sec-fetch-mode") == "navigate"
            return site in ("", "same-origin", "none") or (followed and _whole_page(headers))
        origin = f"{'https' if self.tls else 'http'}://{headers.get('host', '')}"
        named = headers.get("origin")
        return site in ("", "same-origin") and (named == origin or (not named and bool(site)))

    def _unknown(self, scope: Scope, headers: Headers) -> Response | None:
        """Whoever is not signed in may only sign in; who signed in is remembered in the scope."""
        path = scope["path"]
        cookie = cookie_of(headers, self.tls)
        session = self.sessions.of(cookie) if cookie else None
        scope["state"] |= {"session": session, "as_json": _twin(scope, headers)}
        if path in OPEN or path.startswith("/static/"):
            return None
        if session is None or (session.locked and path not in LOCKED_TOO):
            return _sign_in_first(scope, headers, session)
        if session.new_password and path not in FIRST:
            return _choose_first(scope)
        return None

    def _sealed(self, scope: Scope, send: Send) -> Send:
        """`send`, with our headers on every answer."""
        static = scope["path"].startswith("/static/")

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-cache" if static else "no-store")
                if self.tls:
                    headers["strict-transport-security"] = HSTS
            await send(message)

        return sealed


def cookie_name(tls: bool) -> str:
    """With TLS the browser itself keeps the cookie to this host."""
    return "__Host-openbont" if tls else "openbont"


def cookie_of(headers: Headers, tls: bool) -> str:
    """The value of our cookie; empty where there is none."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(cookie_name(tls))
    except CookieError:
        return ""
    return found.value if found else ""


def host_of(header: str) -> str:
    """The name in a Host header, without the port."""
    name = header.lower()
    return name.partition("]")[0] + "]" if name.startswith("[") else name.partition(":")[0]


def local(path: str) -> str:
    """Where to go after signing in: only within this server."""
    parts = urlsplit(path.replace("\\", "/"))
    inside = path.startswith("/") and not path.startswith(("//", "/\\", "/login", "/unlock"))
    return path if inside and not parts.netloc and path.isprintable() else "/"


def plainly(scope: Scope, status: int, words: str) -> Response:
    """A refusal in one sentence."""
    if scope["state"].get("as_json"):
        said = {"error": {"place": "", "problem": words, "way_out": ""}}
        return Response(json.dumps(said), status, media_type="application/json")
    return Response(words, status, media_type="text/plain")


def log_without_values(error: BaseException) -> None:
    """Where it broke; never with what, for that may be about a patient."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{one.name} ({one.filename}:{one.lineno})" for one in reversed(frames[-6:]))
    LOG.error("%s in %s", type(error).__name__, where)


def _whole_page(headers: Mapping[str, str]) -> bool:
    return headers.get("sec-fetch-dest", "document") == "document"


def _too_large(headers: Mapping[str, str]) -> int:
    """The status to refuse with; 0 where the size is fine."""
    if "transfer-encoding" in headers:
        return 411
    length = headers.get("content-length", "0")
    return 0 if length.isdecimal() and int(length) <= LARGEST_BYTES else 413


def _twin(scope: Scope, headers: Headers) -> bool:
    """Whether data are asked for; the ending .json is taken off the path."""
    path = scope["path"]
    if path.endswith(TWIN) and not path.startswith(("/static/", "/openapi")):
        scope["path"] = path.removesuffix(TWIN)
        return True
    return headers.get("accept", "").partition(",")[0].strip() == "application/json"


def _sign_in_first(scope: Scope, headers: Headers, session: Session | None) -> Response:
    page = "/unlock" if session else "/login"
    if scope["state"]["as_json"] or scope["method"] != "GET" or "hx-request" in headers:
        return plainly(scope, 401, "Signed out. What you typed is kept: sign in and go on.")
    query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
    back = quote(scope["path"] + query, safe="/")
    return RedirectResponse(f"{page}?next={back}", 303)


def _choose_first(scope: Scope) -> Response:
    """The password was made by somebody else: another one comes before everything."""
    if scope["state"]["as_json"] or scope["method"] != "GET":
        return plainly(scope, 403, "Choose a password of your own first, at /password.")
    return RedirectResponse("/password", 303)
