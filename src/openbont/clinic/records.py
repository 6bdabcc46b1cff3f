"""Records of treatment: add, change, sign, give, waste, correct, withdraw; nothing is deleted.

    with open_records("openbont.db", by="Dr Vega") as records:
        plan = records.add(load_plan("plan.yaml"), "arm-after-stroke")
        records.sign(plan.key, seen=plan.version)

Each verb is one transaction that writes the new state and its event; when it returns, both are on
disk.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from openbont.clinic import giving, opening
from openbont.clinic.database import Database
from openbont.clinic.events import Event, newest, read
from openbont.clinic.held import IN_ERROR, Held, Pen, found, kind_of, listed, new_key
from openbont.clinic.nouns import GivenSession, State, Vial, Waste
from openbont.clinic.opening import Clock, Created
from openbont.clinic.picture import picture
from openbont.clinic.rebuild import Verified, verified
from openbont.clinic.rules import a_key, a_person, a_reason, fits, may_be_corrected, same_kind
from openbont.errors import BadInput
from openbont.frozen import Noun
from openbont.patient import Patient


def utc_now() -> datetime:
    """What the clock says."""
    return datetime.now(UTC)


def create_records(
    place: str | Path,
    *,
    by: str,
    passphrase: str | None = None,
    now: Clock = utc_now,
    events: Iterable[Event] | None = None,
) -> Created:
    """Make a database, encrypted if there is a passphrase; empty, or of the events of another."""
    return opening.create(place, a_person(by), now, passphrase, events)


def open_records(
    place: str | Path, *, by: str, passphrase: str | None = None, now: Clock = utc_now
) -> "Records":
    """Open a database, in the name of `by`; the recovery key opens it as the passphrase does."""
    return Records(opening.opened(place, a_person(by), now, passphrase), by, now)


class Records:
    """An open database of records. `seen` is the version that the caller has read."""

    def __init__(self, database: Database, by: str, now: Clock = utc_now) -> None:
        self.database, self.by, self.now = database, by, now

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    @contextmanager
    def writing(self) -> Iterator[Pen]:
        """One transaction; all that is written in it is kept, or nothing."""
        with self.database.writing() as connection:
            yield Pen(connection, self.by, self.now())

    # ---- verbs

    def add(self, noun: Noun, patient: str, key: str | None = None) -> Held:
        """A new draft; `patient` is empty for a vial."""
        held = Held(a_key(key or new_key(noun)), kind_of(noun), patient, 1, "draft", noun)
        if isinstance(noun, GivenSession):
            raise BadInput(held.key, "a session is not added but given", "use give")
        fits(held)
        with self.writing() as pen:
            return pen.add("add", held)

    def change(self, key: str, noun: Noun, seen: int) -> Held:
        """Another content for a draft."""
        with self.writing() as pen:
            held = pen.seen(key, seen, noun)
            if held.state != "draft":
                problem = f"{held.state}, and fixed since"
                raise BadInput(key, problem, "correct it instead, with a reason")
            fits(replace(same_kind(held, noun), noun=noun))
            return pen.put("change", held, noun=noun)

    def sign(self, key: str, seen: int) -> Held:
        """Fix a draft for good."""
        with self.writing() as pen:
            held = pen.seen(key, seen, None)
            if held.state != "draft" or held.kind == "vial":
                raise BadInput(key, f"a {held.kind} that is {held.state} is not signed", "")
            return pen.put("sign", held, state="signed")

    def give(self, session: GivenSession, patient: str, key: str | None = None) -> Held:
        """Record what was injected, and take it from the vials."""
        held = Held(a_key(key or new_key(session)), "session", patient, 1, "given", session)
        fits(held)
        with self.writing() as pen:
            return _given(pen, "give", held)

    def waste(self, vial: str, waste: Waste, seen: int) -> Held:
        """Throw away units of a vial, with the reason."""
        with self.writing() as pen:
            return giving.waste(pen, pen.seen(vial, seen, None), waste)

    def correct(self, key: str, noun: Noun, reason: str) -> Held:
        """Replace what was signed or given; the old record stays, entered in error."""
        a_reason(reason)
        with self.writing() as pen:
            old = may_be_corrected(found(pen.connection, key))
            state: State = old.state
            new = replace(
                same_kind(old, noun),
                key=new_key(noun),
                version=1,
                state=state,
                noun=noun,
                replaces=key,
                reason=reason,
            )
            fits(new)
            _in_error(pen, "correct", old, reason)
            return _given(pen, "correct", new)

    def withdraw(self, key: str, reason: str) -> Held:
        """Say that a record should never have been; it stays, entered in error."""
        a_reason(reason)
        with self.writing() as pen:
            held = found(pen.connection, key)
            if not held.live:
                raise BadInput(key, "already entered in error", "")
            return _in_error(pen, "withdraw", held, reason)

    # ---- what is there

    def held(self, key: str) -> Held:
        """One record."""
        with self.database.reading() as connection:
            return found(connection, key)

    def all(
        self, patient: str | None = None, kind: str | None = None, *, withdrawn: bool = False
    ) -> list[Held]:
        """Records of a patient or a kind, the last written last; those in error on request."""
        with self.database.reading() as connection:
            return list(listed(connection, patient, kind, withdrawn))

    def patient(self, patient: str) -> Patient:
        """The newest clinical picture, with all sessions and visits put in."""
        return picture(patient, self.all(patient))

    def events(self, key: str | None = None) -> list[Event]:
        """What happened, in order; only to one record where `key` is given."""
        with self.database.reading() as connection:
            return list(read(connection, key))

    def head(self) -> Event:
        """The newest event; its digest stands for everything before it."""
        with self.database.reading() as connection:
            return newest(connection)

    def verify(self) -> Verified:
        """Look at everything that is stored; `Damaged` where it is not what was written."""
        return verified(self.database)


def _given(pen: Pen, action: str, held: Held) -> Held:
    """A new record; a session takes from its vials."""
    if isinstance(held.noun, GivenSession):
        giving.explained(pen, held.noun, held.patient)
        giving.take(pen, held.key, held.noun)
    return pen.add(action, held)


def _in_error(pen: Pen, action: str, held: Held, reason: str) -> Held:
    """A record that stays only as an error; a session gives back to its vials."""
    if isinstance(held.noun, Vial) and (held.noun.taken or held.noun.wasted):
        way_out = "first correct the sessions that drew from it"
        raise BadInput(held.key, "units were taken from this vial", way_out)
    if isinstance(held.noun, GivenSession):
        giving.give_back(pen, held.key, held.noun, action)
    return pen.put(action, held, state=IN_ERROR, reason=reason)
