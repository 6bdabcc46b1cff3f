"""Whatever is done in whatever order, the records agree with a plain dictionary."""

import itertools
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from openbont.clinic.nouns import GivenSession, Vial
from openbont.errors import BadInput, EditConflict
from openbont.frozen import Noun
from tests.records import (
    BICEPS,
    PATIENT,
    Kept,
    consent,
    deviation,
    injection,
    plan,
    session,
    vial,
    waste,
)

Nothing = MultipleResults[str]
Units = st.integers(1, 60).map(str)


@dataclass(frozen=True)
class Known:
    """What the model has of a record."""

    noun: Noun
    state: str = "draft"
    version: int = 1


class Crash(Exception):
    """In the midst of a transaction."""


class Recording(RuleBasedStateMachine):
    """Records beside a dictionary."""

    vials, plans, sessions, others = map(Bundle, ("vials", "plans", "sessions", "others"))
    keys = st.one_of(vials, plans, sessions, others)

    def __init__(self, kept: Kept) -> None:
        super().__init__()
        kept.create()
        self.kept, self.records = kept, kept.open()
        self.known: dict[str, Known] = {}
        self.events = 1
        self.numbers = itertools.count()

    def teardown(self) -> None:
        found = self.records.verify()
        assert (found.events, found.records) == (self.events, len(self.known))
        self.records.close()

    # ---- the model

    def put(self, key: str, noun: Noun, state: str, events: int = 1) -> None:
        version = self.known[key].version + 1 if key in self.known else 1
        self.known[key] = Known(noun, state, version)
        self.events += events

    def move(self, given: GivenSession, key: str, sign: int) -> None:
        """Units out of the vials of a session, or back into them."""
        for name in {draw.vial for draw in given.draws}:
            noun = self.known[name].noun
            assert isinstance(noun, Vial)
            taken = {one.session: one.units for one in noun.taken}
            if sign > 0:
                taken[key] = sum(one.units for one in given.draws if one.vial == name)
            else:
                del taken[key]
            said = [{"session": one, "units": units} for one, units in taken.items()]
            changed = Vial.model_validate(noun.model_dump() | {"taken": said})
            self.put(name, changed, "given" if changed.taken or changed.wasted else "draft")

    def left(self, name: str) -> Decimal:
        noun = self.known[name].noun if name in self.known else None
        state = self.known[name].state if name in self.known else ""
        live = isinstance(noun, Vial) and state != "entered in error"
        return noun.remaining if live else Decimal(-1)  # type: ignore[union-attr]

    # ---- what people do

    @initialize(target=vials)
    def a_first_vial(self) -> str:
        return self.add_vial()

    @rule(target=vials)
    def add_vial(self) -> str:
        key = f"v{next(self.numbers)}"
        self.records.add(vial(key, "100"), "")
        self.put(key, vial(key, "100"), "draft")
        return key

    @rule(target=plans, dose_u=st.sampled_from([20.0, 60.0]))
    def add_plan(self, dose_u: float) -> str:
        key = f"p{next(self.numbers)}"
        self.records.add(plan(dose_u), PATIENT, key)
        self.put(key, plan(dose_u), "draft")
        return key

    @rule(target=others)
    def add_consent(self) -> str:
        key = f"c{next(self.numbers)}"
        self.records.add(consent(), PATIENT, key)
        self.put(key, consent(), "draft")
        return key

    @rule(key=keys, note=st.text(max_size=8))
    def change(self, key: str, note: str) -> None:
        known = self.known[key]
        noun = _another(key, known.noun, note)
        if known.state == "draft":
            self.records.change(key, noun, known.version)
            self.put(key, noun, "draft")
        else:
            with pytest.raises(BadInput):
                self.records.change(key, noun, known.version)

    @rule(key=keys)
    def change_from_a_stale_tab(self, key: str) -> None:
        known = self.known[key]
        with pytest.raises(EditConflict) as told:
            self.records.change(key, _another(key, known.noun, "stale"), known.version - 1)
        assert told.value.theirs.noun == known.noun

    @rule(key=keys | plans)
    def sign(self, key: str) -> None:
        known = self.known[key]
        if known.state == "draft" and not isinstance(known.noun, Vial):
            self.records.sign(key, known.version)
            self.put(key, known.noun, "signed")
        else:
            with pytest.raises(BadInput):
                self.records.sign(key, known.version)

    @rule(target=sessions, name=vials | keys, units=Units, plan_key=st.none() | plans)
    def give(self, name: str, units: str, plan_key: str | None) -> str | Nothing:
        given = _given(name, units, plan_key)
        key = f"s{next(self.numbers)}"
        if self.left(name) >= given.units and self.may_follow(plan_key):
            self.records.give(given, PATIENT, key)
            self.move(given, key, +1)
            self.put(key, given, "given")
            return key
        with pytest.raises(BadInput):
            self.records.give(given, PATIENT, key)
        return multiple()

    def may_follow(self, plan_key: str | None) -> bool:
        if plan_key is None:
            return True
        return plan_key.startswith("p") and self.known[plan_key].state == "signed"

    @rule(name=vials | keys, units=Units)
    def waste(self, name: str, units: str) -> None:
        known = self.known[name]
        if self.left(name) >= Decimal(units):
            assert isinstance(known.noun, Vial)
            self.records.waste(name, waste(units), known.version)
            wasted = [*known.noun.wasted, waste(units)]
            self.put(name, known.noun.model_copy(update={"wasted": tuple(wasted)}), "given")
        else:
            with pytest.raises(BadInput):
                self.records.waste(name, waste(units), known.version)

    @rule(target=sessions, key=sessions, units=Units)
    def correct_a_session(self, key: str, units: str) -> str | Nothing:
        return self.correct(key, units)

    @rule(target=others, key=vials | plans | others, units=Units)
    def correct_another(self, key: str, units: str) -> str | Nothing:
        return self.correct(key, units)

    def correct(self, key: str, units: str) -> str | Nothing:
        known = self.known[key]
        noun = _another(key, known.noun, units)
        if isinstance(known.noun, GivenSession):
            noun = _given(known.noun.draws[0].vial, units, known.noun.plan)
        if known.state not in ("signed", "given") or not self.can_be_corrected(key, noun):
            with pytest.raises(BadInput):
                self.records.correct(key, noun, "wrong")
            return multiple()
        new = self.records.correct(key, noun, "wrong").key
        if isinstance(known.noun, GivenSession) and isinstance(noun, GivenSession):
            self.move(known.noun, key, -1)
            self.move(noun, new, +1)
        self.put(key, known.noun, "entered in error")
        self.put(new, noun, known.state)
        return new

    def can_be_corrected(self, key: str, noun: Noun) -> bool:
        old = self.known[key].noun
        if isinstance(old, GivenSession) and isinstance(noun, GivenSession):
            room = self.left(old.draws[0].vial) + old.units
            return room >= noun.units and self.may_follow(noun.plan)
        return not isinstance(old, Vial)

    @rule(key=keys)
    def withdraw(self, key: str) -> None:
        known = self.known[key]
        used = isinstance(known.noun, Vial) and known.state == "given"
        if known.state == "entered in error" or used:
            with pytest.raises(BadInput):
                self.records.withdraw(key, "wrong")
            return
        self.records.withdraw(key, "wrong")
        if isinstance(known.noun, GivenSession):
            self.move(known.noun, key, -1)
        self.put(key, known.noun, "entered in error")

    @rule(key=keys)
    def crash(self, key: str) -> None:
        """Half a transaction, and the process is gone."""
        with suppress(Crash), self.records.writing() as pen:
            pen.put("change", self.records.held(key), state="signed")
            raise Crash
        self.records.close()
        self.records = self.kept.open()

    # ---- what must hold after each of it

    @invariant()
    def they_agree(self) -> None:
        held = self.records.all(withdrawn=True)
        assert {one.key: Known(one.noun, one.state, one.version) for one in held} == self.known
        assert self.records.head().number == self.events


def _another(key: str, noun: Noun, note: str) -> Noun:
    if isinstance(noun, Vial):
        return vial(key, "90")
    if isinstance(noun, GivenSession):
        return noun
    return consent(note or "more") if key.startswith("c") else plan(note="")


def _given(name: str, units: str, plan_key: str | None) -> GivenSession:
    """A session that says why it leaves its plan."""
    return session(
        injection(units=units), draws={name: units}, plan=plan_key, deviations=(deviation(BICEPS),)
    )


@pytest.mark.parametrize("kind", ["file", "server"])
def test_records_agree_with_a_plain_model(kind: str, request: pytest.FixtureRequest) -> None:
    numbers = itertools.count()
    with tempfile.TemporaryDirectory() as folder:

        def machine() -> Recording:
            if kind == "server":
                return Recording(Kept(request.getfixturevalue("server")()))
            return Recording(Kept(str(Path(folder) / f"{next(numbers)}.db")))

        run_state_machine_as_test(
            machine, settings=settings(max_examples=40, stateful_step_count=50)
        )
