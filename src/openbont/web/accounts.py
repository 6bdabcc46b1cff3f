"""Who may sign in, as what, and who has: accounts in the database, sessions in memory.

Passwords are kept as argon2id digests. Signing in, what is refused, and what is done to an account
stand in the log of events; a password, its digest, or anything about a patient never does.
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import Row, insert, select, update

from openbont.clinic import tables
from openbont.clinic.events import Event
from openbont.clinic.records import Records
from openbont.clinic.rules import CONTROL, KEY
from openbont.errors import BadInput

Role = Literal["viewer", "assistant", "injector", "pharmacist", "researcher", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
READ: tuple[Role, ...] = ("viewer", "assistant", "injector", "pharmacist")
"""Who may see who a patient is; a researcher and an admin see nobody by name."""
WRITE: tuple[Role, ...] = ("assistant", "injector")
SIGN: tuple[Role, ...] = ("injector",)
STOCK: tuple[Role, ...] = ("pharmacist", "injector")
RESEARCH: tuple[Role, ...] = ("researcher", "injector")
ADMIN: tuple[Role, ...] = ("admin",)

DOOR = ("sign-in", "sign-in refused", "refused", "account", "password")
"""Events that are about people who work here."""
SHORTEST, LONGEST = 12, 256
ONCE = "once-"
"""How a password begins that somebody else made: it opens nothing but the page for another."""
OURS = ("openbont", "clinic", "hospital", "botox", "dysport", "xeomin", "botulinum", "toxin")
"""Words of this trade: in a password here they are the first to be tried."""
SAFE, JUDGED = 3, 72
"""The least score of zxcvbn, of 0 to 4, and how many characters it takes at most."""
IDLE_S, LONGEST_S = 15 * 60.0, 12 * 3600.0
FREE_TRIES, FIRST_WAIT_S, LONGEST_WAIT_S = 5, 15.0, 900.0
HASHER = PasswordHasher()
NOBODY = HASHER.hash(secrets.token_hex(16))
"""Compared with where there is no such account, so that both take as long."""


@dataclass(frozen=True)
class User:
    """One who may sign in."""

    login: str
    name: str
    """Stands in the records as the writer."""
    roles: tuple[Role, ...]
    open: bool = True

    def may(self, *roles: Role) -> bool:
        """Has at least one of these roles."""
        return bool(set(roles) & set(self.roles))


# ---- accounts


def accounts(records: Records) -> list[User]:
    """Everybody, by login."""
    rows = select(tables.account).order_by(tables.account.c.login)
    with records.database.reading() as connection:
        return [_user(row) for row in connection.execute(rows)]


def add_account(
    records: Records, login: str, name: str, roles: Iterable[str], password: str
) -> User:
    """Somebody new."""
    user = _sound(User(login, name.strip(), _known(roles)))
    row = {"login": login, **_columns(user), "digest": _digest(password, user)}
    with records.writing() as pen:
        if pen.connection.execute(_called(login)).first():
            raise BadInput("login", f"{login} is taken", "choose another")
        pen.connection.execute(insert(tables.account), row)
        pen.note("account", login=login, **_columns(user))
    return user


def change_account(records: Records, user: User) -> None:
    """Another name, other roles, or closed; somebody who may do this has to stay."""
    _sound(user)
    with records.writing() as pen:
        kept = [_user(row) for row in pen.connection.execute(select(tables.account))]
        others = [one for one in kept if one.login != user.login]
        if not any(one.open and one.may("admin") for one in (*others, user)):
            raise BadInput("roles", "nobody would be admin", "make another one admin first")
        _put(pen.connection, user.login, _columns(user))
        pen.note("account", login=user.login, **_columns(user))


def change_password(records: Records, user: User, password: str) -> None:
    """Another password."""
    digest = _digest(password, user)
    with records.writing() as pen:
        _put(pen.connection, user.login, {"digest": digest})
        pen.note("password", login=user.login)


def once() -> str:
    """A password to be handed over; whoever signs in with it has to choose another."""
    return ONCE + secrets.token_urlsafe(12)


def note(records: Records, action: str, login: str, **about: Any) -> None:
    """Write down what was done or refused at the door; nothing about a patient."""
    with records.writing() as pen:
        pen.note(action, login=login, **about)


def signed_in(records: Records, login: str, password: str) -> User | None:
    """Who this is; None where login or password is wrong."""
    with records.database.reading() as connection:
        row = connection.execute(_called(login)).first()
    try:
        HASHER.verify(row.digest if row else NOBODY, password[:LONGEST])
    except VerifyMismatchError:
        return None
    return _user(row) if row and row.open else None


def lately(records: Records, most: int = 30) -> list[Event]:
    """What was last done or refused at the door, the newest first."""
    rows = select(tables.event).where(tables.event.c.action.in_(DOOR))
    with records.database.reading() as connection:
        newest = connection.execute(rows.order_by(tables.event.c.number.desc()).limit(most))
        return [Event(*row) for row in newest]


def exists(records: Records, login: str) -> bool:
    """There is an account of this login."""
    with records.database.reading() as connection:
        return connection.execute(_called(login)).first() is not None


def _put(connection: Any, login: str, columns: dict[str, Any]) -> None:
    changed = connection.execute(
        update(tables.account).where(tables.account.c.login == login).values(columns)
    )
    if not changed.rowcount:
        raise BadInput("login", f"there is no account {login!r}", "")


def _called(login: str) -> Any:
    return select(tables.account).where(tables.account.c.login == login)


def _user(row: Row[Any]) -> User:
    return User(row.login, row.name, _known(row.roles.split()), row.open)


def _columns(user: User) -> dict[str, Any]:
    return {"name": user.name, "roles": " ".join(user.roles), "open": user.open}


def _known(roles: Iterable[str]) -> tuple[Role, ...]:
    named = set(roles)
    if unknown := named - set(ROLES):
        raise BadInput("roles", f"unknown role {min(unknown)!r}", f"known: {', '.join(ROLES)}")
    return tuple(role for role in ROLES if role in named)


def _sound(user: User) -> User:
    if not KEY.fullmatch(user.login):
        raise BadInput("login", "not a login", "letters, digits, . _ - up to 64")
    if not user.name or len(user.name) > 200 or CONTROL.search(user.name):
        raise BadInput("name", "no name", "the name that shall stand in the records")
    if not user.roles:
        raise BadInput("roles", "no role is chosen", f"choose of: {', '.join(ROLES)}")
    return user


def _digest(password: str, user: User) -> str:
    if not SHORTEST <= len(password) <= LONGEST:
        problem = f"has {len(password)} characters"
        raise BadInput("password", problem, f"{SHORTEST} to {LONGEST}; a few words are best")
    if not password.startswith(ONCE) and _guessable(password, user):
        way_out = "take three words or more that have nothing to do with you or this work"
        raise BadInput("password", "easily guessed", way_out)
    return HASHER.hash(password)


def _guessable(password: str, user: User) -> bool:
    """As it is typed, or in what is left without signs, the user's own words and ours."""
    from zxcvbn import zxcvbn  # late: its lists of words take a while to load

    own = [one.lower() for one in re.findall(r"\w{4,}", f"{user.login} {user.name}")]
    words = sorted([*OURS, *own], key=len, reverse=True)
    left = re.sub("|".join(map(re.escape, words)), "", password.lower())
    judged = [password, re.sub(r"[\W_]", "", left)]
    return any(not one or zxcvbn(one[:JUDGED], words)["score"] < SAFE for one in judged)


# ---- sessions


@dataclass
class Session:
    """One browser that signed in."""

    user: User
    started: float
    seen: float
    locked: bool = False
    new_password: bool = False
    """Signed in with a password for once: nothing is open but the page for another."""
    sought: str = ""
    """What was last searched for among the patients; it stands in no address."""


@dataclass
class Sessions:
    """Who is signed in; forgotten when the server stops, drafts are not."""

    clock: Callable[[], float]
    idle_s: float = IDLE_S
    held: dict[str, Session] = field(default_factory=dict)
    """SHA-256 of the cookie -> session."""

    def begin(self, user: User, new_password: bool = False) -> str:
        """A new session; the value of its cookie."""
        cookie, now = secrets.token_urlsafe(32), self.clock()
        self.held = {key: one for key, one in self.held.items() if now - one.started < LONGEST_S}
        self.held[_key(cookie)] = Session(user, now, now, new_password=new_password)
        return cookie

    def of(self, cookie: str) -> Session | None:
        """The session of a cookie; locked when nobody has used it for a while."""
        session, now = self.held.get(_key(cookie)), self.clock()
        if session is None or now - session.started >= LONGEST_S:
            self.end(cookie)
            return None
        session.locked = session.locked or now - session.seen >= self.idle_s
        if not session.locked:
            session.seen = now
        return session

    def end(self, cookie: str) -> None:
        """Sign out."""
        self.held.pop(_key(cookie), None)

    def end_of(self, login: str) -> None:
        """Sign somebody out everywhere."""
        self.held = {key: one for key, one in self.held.items() if one.user.login != login}


def _key(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()


# ---- throttle


@dataclass
class Throttle:
    """Makes guessing slow: after a few wrong passwords each further one waits, ever longer."""

    clock: Callable[[], float]
    failed: dict[str, tuple[int, float]] = field(default_factory=dict)
    """login -> wrong passwords in a row, and when the last was."""

    def wait_s(self, login: str) -> float:
        """Seconds until the next try is looked at; 0 when it may be made now."""
        count, last = self.failed.get(login, (0, 0.0))
        if count < FREE_TRIES:
            return 0.0
        wait = min(FIRST_WAIT_S * 2.0 ** (count - FREE_TRIES), LONGEST_WAIT_S)
        return max(0.0, last + wait - self.clock())

    def wrong(self, login: str) -> None:
        """One more wrong password."""
        now = self.clock()
        recent = {k: v for k, v in self.failed.items() if now - v[1] < LONGEST_WAIT_S}
        count, _ = recent.get(login, (0, 0.0))
        self.failed = {**recent, login: (count + 1, now)}

    def right(self, login: str) -> None:
        """The right one: start anew."""
        self.failed.pop(login, None)
