"""The verbs of the records, on every kind of database."""

import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from openbont.clinic.nouns import (
    ClinicVisit,
    OutsideSession,
    PatientReport,
    Person,
    Vial,
)
from openbont.clinic.records import Records
from openbont.errors import BadInput, Damaged, EditConflict
from openbont.frozen import Noun
from openbont.io import load_patient
from openbont.patient import PastSession, Reading
from tests.records import (
    ABO,
    BICEPS,
    BRACHIALIS,
    DAY,
    PATIENT,
    WHO,
    Kept,
    consent,
    deviation,
    injection,
    plan,
    session,
    vial,
    waste,
)

ARM = Path(__file__).parents[2] / "examples" / "arm_after_stroke" / "patient.yaml"


COLUMNS = "at, clock_back, by, action, record, version, body, previous, digest"


def remaining(records: Records, key: str = "V1") -> Decimal:
    noun = records.held(key).noun
    assert isinstance(noun, Vial)
    return noun.remaining


# ---- drafts, signatures, corrections


def test_a_draft_is_changed_then_signed_then_fixed(kept: Kept) -> None:
    with kept.open() as records:
        draft = records.add(plan(), PATIENT, "plan-1")
        assert (draft.state, draft.version, draft.by) == ("draft", 1, WHO)
        changed = records.change("plan-1", plan(note="less"), seen=1)
        signed = records.sign("plan-1", seen=changed.version)
        assert (signed.state, signed.version) == ("signed", 3)
        assert signed == records.held("plan-1")
        with pytest.raises(BadInput, match="signed, and fixed since; correct it instead"):
            records.change("plan-1", plan(), seen=3)
        with pytest.raises(BadInput, match="a plan that is signed is not signed"):
            records.sign("plan-1", seen=3)


def test_a_stale_page_gets_both_versions_and_overwrites_nothing(kept: Kept) -> None:
    with kept.open() as records, kept.open(by="Dr Other") as other:
        records.add(plan(), PATIENT, "plan-1")
        other.change("plan-1", plan(note="theirs"), seen=1)
        yours = plan(note="yours")
        with pytest.raises(EditConflict, match=r"changed by Dr Other .*version 1, now 2") as raised:
            records.change("plan-1", yours, seen=1)
        assert raised.value.yours == yours
        assert raised.value.theirs == records.held("plan-1")
        with pytest.raises(EditConflict):
            records.sign("plan-1", seen=1)


def test_a_correction_replaces_and_the_error_stays(kept: Kept) -> None:
    with kept.open() as records:
        old = records.sign(records.add(consent("a"), PATIENT).key, seen=1)
        new = records.correct(old.key, consent("b"), "wrong words")
        assert (new.state, new.version, new.replaces) == ("signed", 1, old.key)
        assert new.reason == "wrong words"
        assert records.held(old.key).state == "entered in error"
        assert records.held(old.key).noun == old.noun
        assert [one.key for one in records.all(PATIENT)] == [new.key]
        assert len(records.all(PATIENT, withdrawn=True)) == 2
        with pytest.raises(BadInput, match="already entered in error"):
            records.correct(old.key, consent("c"), "again")


def test_a_draft_is_not_corrected(kept_file: Kept) -> None:
    with kept_file.open() as records:
        records.add(consent(), PATIENT, "c")
        with pytest.raises(BadInput, match="still a draft; change it"):
            records.correct("c", consent("b"), "words")


def test_withdrawing_needs_a_reason_and_happens_once(kept_file: Kept) -> None:
    with kept_file.open() as records:
        records.add(consent(), PATIENT, "c")
        with pytest.raises(BadInput, match="no reason is given"):
            records.withdraw("c", "  ")
        assert records.withdraw("c", "another patient").state == "entered in error"
        with pytest.raises(BadInput, match="already entered in error"):
            records.withdraw("c", "again")


# ---- giving


def test_what_is_given_is_taken_from_the_vials(kept: Kept) -> None:
    with kept.open() as records:
        records.add(vial("V1"), "")
        records.add(vial("V2"), "")
        given = records.give(session(draws={"V1": "40", "V2": "20"}), PATIENT)
        assert given.state == "given"
        assert (remaining(records, "V1"), remaining(records, "V2")) == (60, 80)
        records.correct(given.key, session(injection(units="50")), "misread")
        assert (remaining(records, "V1"), remaining(records, "V2")) == (50, 100)
        records.waste("V1", waste("50"), seen=records.held("V1").version)
        assert remaining(records) == 0
        assert records.verify().records == 4


def test_a_withdrawn_session_gives_back(kept: Kept) -> None:
    with kept.open() as records:
        records.add(vial(), "")
        given = records.give(session(), PATIENT)
        records.withdraw(given.key, "another patient")
        assert remaining(records) == 100
        assert records.held("V1").state == "draft"
        records.verify()


@pytest.mark.parametrize(
    ("held", "given", "words"),
    [
        (vial(units="50"), session(), "vial V1: 60 U drawn, 50 U are left in it"),
        (vial(expiry=datetime.date(2026, 3, 1)), session(), "expired on 2026-03-01, before the"),
        (vial(product=ABO), session(), "holds abobotulinumtoxinA, the session gives onabot"),
        (vial(), session(draws={"V3": "60"}), "V3: there is no such record"),
        (vial(), session(plan="V1"), "V1: not a plan for this patient"),
        (
            vial(),
            session(discard_by=datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)),
            "to be discarded by 2026-03-01",
        ),
    ],
)
def test_a_wrong_vial_or_plan_is_refused_and_nothing_is_written(
    kept_file: Kept, held: Vial, given: Noun, words: str
) -> None:
    with kept_file.open() as records:
        records.add(held, "")
        with pytest.raises(BadInput, match=words):
            records.give(given, PATIENT)  # type: ignore[arg-type]
        assert records.head().number == 2
        assert records.all(PATIENT) == []


def test_a_plan_is_followed_or_the_difference_explained(kept: Kept) -> None:
    less = injection(units="40")
    with kept.open() as records:
        records.add(vial(), "")
        records.add(plan(), PATIENT, "plan-1")
        with pytest.raises(BadInput, match="plan-1: the plan is draft; sign it first"):
            records.give(session(plan="plan-1"), PATIENT)
        records.sign("plan-1", seen=1)
        words = rf"{BICEPS}: planned 60 U in 1.2 mL at 2 sites, given 40 U in 0.8 mL at 2 sites"
        with pytest.raises(BadInput, match=words):
            records.give(session(less, plan="plan-1"), PATIENT)
        more = injection(), injection(BRACHIALIS, "20")
        with pytest.raises(BadInput, match=f"{BRACHIALIS}: planned nothing, given 20 U"):
            records.give(session(*more, plan="plan-1"), PATIENT)
        explained = session(less, plan="plan-1", deviations=(deviation(BICEPS),))
        assert records.give(explained, PATIENT).state == "given"
        assert records.give(session(plan="plan-1"), PATIENT).state == "given"


def test_waste_is_at_most_what_is_left(kept_file: Kept) -> None:
    with kept_file.open() as records:
        records.add(vial(), "")
        with pytest.raises(BadInput, match="101 U wasted, 100 U are left in it"):
            records.waste("V1", waste("101"), seen=1)
        records.waste("V1", waste(), seen=1)
        with pytest.raises(EditConflict):
            records.waste("V1", waste(), seen=1)
        with pytest.raises(BadInput, match="units were taken from this vial"):
            records.withdraw("V1", "twice in the book")


# ---- what belongs to whom


@pytest.mark.parametrize(
    ("noun", "patient", "words"),
    [
        (plan(), "p2", "is 'p1''s, not 'p2''s; name the right patient"),
        (consent(), "", "no patient is named"),
        (consent(), "p 1", "not a key"),
        (vial(), PATIENT, "a vial belongs to the clinic"),
        (session(), PATIENT, "a session is not added but given"),
        (waste(), PATIENT, "a Waste is not recorded"),
    ],
)
def test_a_record_that_fits_nowhere_is_refused(
    kept_file: Kept, noun: Noun, patient: str, words: str
) -> None:
    with kept_file.open() as records:
        with pytest.raises(BadInput, match=words):
            records.add(noun, patient)
        assert records.head().number == 1


def test_a_key_is_used_once_and_an_unknown_one_names_the_nearest(kept_file: Kept) -> None:
    with kept_file.open() as records:
        records.add(consent(), PATIENT, "consent-1")
        with pytest.raises(BadInput, match="already a record of this key"):
            records.add(consent(), PATIENT, "consent-1")
        with pytest.raises(BadInput, match="did you mean consent-1"):
            records.held("consent-2")


def test_nobody_writes_without_a_name(kept_file: Kept) -> None:
    with pytest.raises(BadInput, match="nobody is named"):
        kept_file.open(by=" ")


def test_the_picture_of_a_patient_has_everything_in_it(kept: Kept) -> None:
    known = load_patient(ARM)
    outside = PastSession(
        date=DAY, clinic="Hill clinic", product=ABO, disorder="spasticity.lower_limb", total_u=500.0
    )
    with kept.open() as records:
        who = known.id
        records.add(known, who)
        records.add(vial(), "")
        given = records.give(session(), who)
        report = PatientReport(session=given.key, date=DAY, onset_day=3, effect="good")
        records.add(report, who)
        records.add(OutsideSession(session=outside, source="letter"), who)
        reading = Reading(scale="MAS", value="1+", where="elbow_flexors.left")
        records.add(ClinicVisit(date=DAY, by=WHO, readings=(reading,)), who)
        person = Person(id=who, name="N", born=datetime.date(1960, 1, 1), sex="male")
        records.add(person, who)
        seen = records.patient(who)
        newest = [one for one in seen.history if one.date == DAY]
    assert {one.clinic: one.effect for one in newest} == {"Hill clinic": "", "River clinic": "good"}
    assert {one.clinic: one.total_u for one in newest} == {"Hill clinic": 500, "River clinic": 60}
    assert reading in seen.visits[-1].readings
    assert type(seen).model_validate(seen.model_dump()) == seen


def test_without_a_clinical_picture_there_is_none_to_show(kept_file: Kept) -> None:
    with kept_file.open() as records, pytest.raises(BadInput, match="no clinical picture"):
        records.patient(PATIENT)


# ---- the log


def test_every_verb_stands_in_the_log(kept: Kept) -> None:
    with kept.open() as records:
        records.add(vial(), "")
        records.sign(records.add(plan(), PATIENT, "plan-1").key, seen=1)
        records.give(session(plan="plan-1"), PATIENT, "s")
        actions = [(one.action, one.record) for one in records.events()]
        assert records.head() == records.events()[-1]
        assert [one.action for one in records.events("plan-1")] == ["add", "sign"]
    added = [("add", "V1"), ("add", "plan-1"), ("sign", "plan-1")]
    assert actions == [("create", ""), *added, ("give", "V1"), ("give", "s")]


def test_a_clock_that_goes_back_is_noted_and_changes_no_order(kept: Kept) -> None:
    hours = iter((12, 9, 10))

    def clock() -> datetime.datetime:
        return datetime.datetime(2100, 1, 1, next(hours), tzinfo=datetime.UTC)

    with kept.open(now=clock) as records:
        for key in "abc":
            records.add(consent(), PATIENT, key)
        noted = [(one.record, one.clock_back) for one in records.events()[1:]]
        assert noted == [("a", False), ("b", True), ("c", False)]
        assert records.verify().clock_back == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET by = 'somebody' WHERE number = 1",
        "DELETE FROM event WHERE number = 2",
        "DELETE FROM record",
        f"INSERT INTO event (number, {COLUMNS}) SELECT number + 7, {COLUMNS} FROM event",
    ],
)
def test_the_database_itself_refuses_to_forget(kept: Kept, statement: str) -> None:
    with kept.open() as records:
        records.add(consent(), PATIENT, "c")
        with pytest.raises(DBAPIError, match=r"only grows|is deleted"), _raw(records) as connection:
            connection.execute(text(statement))
        assert records.verify().events == 2


def test_a_server_does_not_empty_its_tables(server: object) -> None:
    kept = Kept(server())  # type: ignore[operator]
    kept.create()
    with kept.open() as records:
        for table in ("event", "record"):
            with pytest.raises(DBAPIError, match="nothing is deleted"), _raw(records) as connection:
                connection.execute(text(f"TRUNCATE {table}"))


def test_rows_are_not_replaced_behind_the_triggers(kept_file: Kept) -> None:
    with kept_file.open() as records:
        with pytest.raises(DBAPIError, match="only grows"), _raw(records) as connection:
            connection.execute(text("INSERT OR REPLACE INTO event SELECT * FROM event"))
        records.verify()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE record SET state = 'signed' WHERE key = 'c'", "record c: is not what its events"),
        ("UPDATE record SET by = 'Dr No' WHERE key = 'V1'", "record V1: is not what its events"),
        ("UPDATE event SET by = 'Dr No' WHERE number = 2", "event 2: does not match its digest"),
        ("DELETE FROM event WHERE number = 2", "event 3: follows event 1: events are missing"),
        ("DELETE FROM record WHERE key = 'c'", "record c: is not what its events say"),
    ],
)
def test_whoever_gets_behind_the_triggers_is_found(kept: Kept, statement: str, words: str) -> None:
    with kept.open() as records:
        records.add(consent(), PATIENT, "c")
        records.add(vial(), "")
        records.give(session(), PATIENT, "s")
        with _raw(records) as connection:
            _disarm(connection)
            connection.execute(text(statement))
        with pytest.raises(Damaged, match=words):
            records.verify()


def test_units_that_no_session_drew_are_found(kept: Kept) -> None:
    """Even where the log itself says so: written by something that does not know the rules."""
    with kept.open() as records:
        records.add(vial(), "")
        with records.writing() as pen:
            taken = {"session": "nobody", "units": Decimal(5)}
            noun = Vial.model_validate(vial().model_dump() | {"taken": [taken]})
            pen.put("give", records.held("V1"), noun=noun)
        with pytest.raises(Damaged, match="vial V1: what was taken is not what the sessions drew"):
            records.verify()


def _raw(records: Records):  # type: ignore[no-untyped-def]
    """A connection of the engine, around all that the house does."""
    return records.database.engine.begin()


def _disarm(connection) -> None:  # type: ignore[no-untyped-def]
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET session_replication_role = replica"))
        return
    names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
    for name in names.scalars().all():
        connection.execute(text(f"DROP TRIGGER {name}"))
