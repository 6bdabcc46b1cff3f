"""Where records are kept: keys, places, and what happens when the place does not do its part."""

import datetime
import os
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlcipher3 import dbapi2

from openbont.clinic import database, keys, tables
from openbont.clinic.held import Held
from openbont.clinic.opening import change_passphrase
from openbont.clinic.records import create_records, open_records
from openbont.errors import BadInput, Busy, Damaged, DiskFull, NotStored
from tests.records import PASSPHRASE, PATIENT, WHO, Kept, consent

FIXED = keys.Cost(passes=1, memory_kib=64, lanes=1)


# ---- keys


def test_a_passphrase_opens_what_it_wrapped_and_no_other_does(tmp_path: Path) -> None:
    key, file = keys.new_key(), tmp_path / "a.key"
    keys.keep_key(file, key, PASSPHRASE, FIXED)
    assert keys.open_key(file, PASSPHRASE) == key
    assert keys.open_key(file, keys.recovery_key(key).lower().replace("-", " ")) == key
    with pytest.raises(BadInput, match="does not open it; type it again, or give the recovery"):
        keys.open_key(file, PASSPHRASE + ".")
    assert key.hex() not in file.read_text()


def test_a_slip_in_the_recovery_key_is_noticed() -> None:
    printed = keys.recovery_key(bytes(range(32)))
    assert keys.key_of(printed) == bytes(range(32))
    for at, letter in enumerate(printed):
        other = "B" if letter != "B" else "C"
        slip = printed[:at] + other + printed[at + 1 :]
        assert keys.key_of(slip) is None


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"passes": 1}', "\udcff"])
def test_a_key_file_that_is_not_one_says_what_to_do(tmp_path: Path, text: str) -> None:
    file = tmp_path / "a.key"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(Damaged, match="the wrapped key cannot be read; put it back from a backup"):
        keys.open_key(file, PASSPHRASE)


def test_the_passphrase_is_changed_and_the_recovery_key_stays(tmp_path: Path) -> None:
    made = Kept(str(tmp_path / "a.db"), PASSPHRASE)
    recovery = made.create()
    assert recovery is not None
    change_passphrase(made.place, recovery, "another phrase")
    with pytest.raises(BadInput, match="the passphrase does not open it"):
        made.open()
    for secret in ("another phrase", recovery):
        with open_records(made.place, by=WHO, passphrase=secret) as records:
            assert records.verify().events == 1


def test_the_recovery_key_opens_though_the_key_file_is_lost(tmp_path: Path) -> None:
    made = Kept(str(tmp_path / "a.db"), PASSPHRASE)
    recovery = made.create()
    keys.key_file(made.file).unlink()
    with pytest.raises(BadInput, match="the file with the wrapped key is not there"):
        made.open()
    with open_records(made.place, by=WHO, passphrase=recovery) as records:
        records.verify()


def test_the_recovery_key_of_another_database_changes_nothing(kept_secret: Kept) -> None:
    wrapped = keys.key_file(kept_secret.file).read_bytes()
    with pytest.raises(Damaged):
        change_passphrase(kept_secret.place, keys.recovery_key(keys.new_key()), "another phrase")
    assert keys.key_file(kept_secret.file).read_bytes() == wrapped


def test_nothing_of_an_encrypted_database_can_be_read_from_its_files(kept_secret: Kept) -> None:
    with kept_secret.open() as records:
        records.add(consent("a word that is looked for"), PATIENT)
        files = list(kept_secret.file.parent.iterdir())
        assert len(files) == 4  # the database, its WAL, the index of that, the wrapped key
        for file in files:
            assert b"looked for" not in file.read_bytes()
            assert b"SQLite format" not in file.read_bytes()


def test_only_the_owner_may_read_the_files(kept_secret: Kept) -> None:
    with kept_secret.open() as records:
        records.add(consent(), PATIENT)
        for file in kept_secret.file.parent.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


# ---- places


def test_writes_are_on_disk_when_they_return(kept_file: Kept) -> None:
    with kept_file.open() as records, records.database.reading() as connection:
        asked = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
        for pragma, answer in asked.items():
            assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == answer


def test_a_server_writes_to_disk_too(server: Callable[[], str]) -> None:
    made = Kept(server())
    made.create()
    with made.open() as records, records.database.reading() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


def test_a_database_is_never_made_over_another(kept: Kept) -> None:
    with kept.open() as records:
        records.add(consent(), PATIENT)
    with pytest.raises(BadInput, match="there is already a database"):
        kept.create()
    with kept.open() as records:
        assert records.verify().events == 2


def test_a_failure_while_a_database_is_made_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "keep_key", _no_room)
    with pytest.raises(OSError, match="no room"):
        Kept(str(tmp_path / "a.db"), PASSPHRASE).create()
    assert list(tmp_path.iterdir()) == []


def _no_room(*_: object) -> None:
    raise OSError(28, "no room")


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("mysql://root@host/records", "not the address of a database; a path, or postgresql"),
        ("postgres://me@host/records", "not the address of a database"),
    ],
)
def test_an_address_of_something_else_is_refused(place: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        open_records(place, by=WHO)


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(NotStored, match="cannot be reached; see that it is running") as raised:
        open_records("postgresql://me:hunter2@127.0.0.1:1/records", by=WHO)
    assert "hunter2" not in str(raised.value)


def test_a_passphrase_does_not_encrypt_a_server(server: Callable[[], str]) -> None:
    with pytest.raises(BadInput, match="a passphrase encrypts only a file"):
        create_records(server(), by=WHO, passphrase=PASSPHRASE)


def test_a_missing_database_is_not_made_by_opening_it(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no database; make one: openbont records init"):
        open_records(tmp_path / "a.db", by=WHO)
    assert list(tmp_path.iterdir()) == []


def test_a_passphrase_is_needed_only_where_there_is_a_key(
    kept_file: Kept, kept_secret: Kept
) -> None:
    with pytest.raises(BadInput, match="the database is not encrypted"):
        open_records(kept_file.place, by=WHO, passphrase=PASSPHRASE)
    with pytest.raises(BadInput, match="the database is encrypted; give its passphrase"):
        open_records(kept_secret.place, by=WHO)


def test_another_program_s_database_is_not_ours(tmp_path: Path) -> None:
    with closing(dbapi2.connect(str(tmp_path / "a.db"))) as connection:
        connection.execute("CREATE TABLE other (a)")
    with pytest.raises(BadInput, match="not a database of OpenBoNT"):
        open_records(tmp_path / "a.db", by=WHO)


def test_a_newer_schema_is_left_alone(kept: Kept) -> None:
    with kept.open() as records, records.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(BadInput, match=r"made by a newer OpenBoNT \(schema 9999\); upgrade"):
        kept.open()


@pytest.mark.parametrize(
    ("version", "refused"),
    [((3, 37, 0), True), ((3, 40, 1), True), ((3, 51, 2), True), ((3, 51, 3), False)],
)
def test_a_library_whose_wal_loses_commits_is_kept_from_it(
    kept_file: Kept, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], refused: bool
) -> None:
    with kept_file.open() as records:
        records.verify()
        monkeypatch.setattr(database.dbapi2, "sqlite_version_info", version)
        monkeypatch.setattr(database, "BUSY_S", 0.05)
        if refused:  # the WAL is in use, and cannot be left
            with pytest.raises((BadInput, Busy)):
                kept_file.open()
    with kept_file.open() as records, records.database.reading() as connection:
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
        assert mode == ("delete" if refused else "wal")


# ---- a place that does not do its part


def test_who_waits_too_long_is_told_so(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_S", 0.1)
    with kept.open() as records, kept.open(by="Dr Other") as other:
        with (
            other.database.writing(),
            pytest.raises(Busy, match=r"others have been writing for 0\.1 s; try again"),
        ):
            records.add(consent(), PATIENT, "c")
        assert records.add(consent(), PATIENT, "c").version == 1


def test_readers_do_not_wait_for_a_writer(kept: Kept) -> None:
    with kept.open() as records, kept.open() as other:
        records.add(consent(), PATIENT, "c")
        with other.writing() as pen:
            pen.note("import")
            assert [one.key for one in records.all(PATIENT)] == ["c"]
            assert records.verify().events == 2


def test_a_full_disk_is_said_and_nothing_is_lost(kept_file: Kept) -> None:
    with kept_file.open() as records:
        sqlalchemy.event.listen(records.database.engine, "connect", _little_room)
        records.database.engine.dispose()
        written: list[Held] = []
        with pytest.raises(DiskFull, match="the disk is full; nothing was written; make room"):
            written.extend(records.add(consent("x" * 180), PATIENT) for _ in range(1000))
    with kept_file.open() as records:
        assert written
        assert records.all(PATIENT) == written
        records.verify()
        records.add(consent(), PATIENT, "room")


def _little_room(connection: Any, _: object) -> None:
    connection.execute("PRAGMA max_page_count = 24")


def test_a_refusal_of_the_database_repeats_no_values(kept: Kept) -> None:
    said = {column.name: "Jane Doe" for column in tables.record.columns} | {"version": None}
    with (
        kept.open() as records,
        pytest.raises(NotStored, match="refused by the database") as told,
        records.writing() as pen,
    ):
        pen.connection.execute(sqlalchemy.insert(tables.record), said)
    assert "Jane" not in f"{told.value!r} {told.value.__cause__!r}"


@pytest.mark.parametrize("length", [0, 10, 4096, 10_000])
def test_a_cut_off_file_is_damaged_and_stays_as_it_is(kept_file: Kept, length: int) -> None:
    with kept_file.open() as records:
        for number in range(20):
            records.add(consent("x" * 180), PATIENT, f"c{number}")
    os.truncate(kept_file.file, length)
    torn = kept_file.file.read_bytes()
    words = "restore the newest backup that verifies, or read what is left"
    with pytest.raises(Damaged, match=words), kept_file.open() as records:
        records.verify()
    assert kept_file.file.read_bytes()[100:] == torn[100:]


def test_a_log_that_ends_wrongly_is_not_written_to(kept: Kept) -> None:
    with kept.open() as records:
        records.add(consent(), PATIENT, "c")
        with records.database.engine.begin() as connection:
            if kept.place.startswith("postgres"):
                connection.exec_driver_sql("SET session_replication_role = replica")
            else:
                connection.exec_driver_sql("DROP TRIGGER event_unchanged")
            connection.exec_driver_sql("UPDATE event SET action = 'no' WHERE number = 2")
    with pytest.raises(Damaged, match="event 2: does not match its digest"):
        kept.open()


def test_times_are_kept_in_utc_to_the_microsecond(kept: Kept) -> None:
    zone = datetime.timezone(datetime.timedelta(hours=2))
    at = datetime.datetime(2030, 5, 1, 1, 30, tzinfo=zone)
    with kept.open(now=lambda: at) as records:
        assert records.add(consent(), PATIENT).at == "2030-04-30T23:30:00.000000+00:00"
