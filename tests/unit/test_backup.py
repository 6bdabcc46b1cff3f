"""Copies that are known to be good, the way back from them, and from earlier schemas."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import select

from openbont.clinic import backup as backups
from openbont.clinic import database, keys, migrations, opening, tables
from openbont.clinic.archive import read_archive, write_archive
from openbont.clinic.backup import Backup, drill, restore
from openbont.clinic.database import Database
from openbont.clinic.events import append
from openbont.clinic.held import Held, row_of
from openbont.clinic.opening import schema_of
from openbont.clinic.rebuild import verified
from openbont.clinic.records import Records, create_records, open_records, utc_now
from openbont.clinic.rescue import rescue
from openbont.errors import BadInput, Busy, Damaged, NotStored
from tests.records import PASSPHRASE, PATIENT, WHO, Kept, consent, session, vial


def fill(kept: Kept, count: int = 3) -> None:
    with kept.open() as records:
        records.add(vial(), "")
        given = records.give(session(), PATIENT)
        records.withdraw(given.key, "another patient")
        for _ in range(count):
            records.add(consent(), PATIENT)


def copied(records: Records, folder: Path, keep: int = 3) -> Backup:
    return backups.backup(records.database, folder, keep, records.by, records.now)


# ---- backups


def test_a_backup_holds_everything_and_can_be_restored(kept: Kept, tmp_path: Path) -> None:
    fill(kept)
    with kept.open() as records:
        before, head = records.all(withdrawn=True), records.head()
        made = copied(records, tmp_path / "copies")
        assert made.verified.head == head.digest
        assert records.head().action == "backup"
        assert records.head().data == {"file": made.file.name, "head": head.digest}
    assert drill(made.file, WHO, utc_now, kept.passphrase) == made.verified
    place = tmp_path / "elsewhere.db"
    restore(made.file, place, WHO, utc_now, kept.passphrase)
    with open_records(place, by=WHO, passphrase=kept.passphrase) as restored:
        assert restored.all(withdrawn=True) == before
        restored.verify()
        assert restored.add(consent(), PATIENT).version == 1


def test_the_newest_stay_by_the_order_of_events_not_of_the_clock(
    kept_secret: Kept, tmp_path: Path
) -> None:
    folder = tmp_path / "copies"
    (folder).mkdir()
    (folder / "secret-of-mine.db").write_text("not a backup")
    with kept_secret.open() as records:
        made = [copied(records, folder, keep=2) for _ in range(4)]
        assert [len(one.removed) for one in made] == [0, 0, 1, 1]
    stay = [made[2].file, made[3].file]
    assert sorted(folder.iterdir()) == sorted(
        [*stay, *map(keys.key_file, stay), folder / "secret-of-mine.db"]
    )


def test_only_the_owner_may_read_a_backup(kept: Kept, tmp_path: Path) -> None:
    with kept.open() as records:
        copied(records, tmp_path / "copies")
    for file in (tmp_path / "copies").iterdir():
        assert file.stat().st_mode & 0o777 == 0o600


def test_a_copy_that_does_not_verify_gets_no_name(
    kept_file: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(held: Database) -> None:
        raise Damaged(held.place, "wrong")

    monkeypatch.setattr(backups, "verified", wrong)
    with kept_file.open() as records, pytest.raises(Damaged):
        copied(records, tmp_path / "copies")
    assert list((tmp_path / "copies").iterdir()) == []


def test_a_damaged_database_is_not_backed_up(kept_file: Kept, tmp_path: Path) -> None:
    fill(kept_file)
    with kept_file.open() as records:
        with records.database.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE record SET by = 'Dr No'")
        with pytest.raises(Damaged):
            copied(records, tmp_path / "copies")
    assert list((tmp_path / "copies").iterdir()) == []


def test_a_folder_that_takes_no_file_is_said(kept_file: Kept, tmp_path: Path) -> None:
    (tmp_path / "copies").write_text("a file")
    with kept_file.open() as records, pytest.raises(NotStored, match="no backup was made"):
        copied(records, tmp_path / "copies")


def test_at_least_one_backup_stays(kept_file: Kept, tmp_path: Path) -> None:
    with kept_file.open() as records, pytest.raises(BadInput, match="keep at least one"):
        copied(records, tmp_path, keep=0)


# ---- the way back


def test_a_database_is_replaced_only_on_request_and_then_kept(
    kept_secret: Kept, tmp_path: Path
) -> None:
    fill(kept_secret)
    with kept_secret.open() as records:
        made = copied(records, tmp_path / "copies")
        records.add(consent("later"), PATIENT, "later")
    place = kept_secret.file
    with pytest.raises(BadInput, match="there is already a database; name another, or add --rep"):
        restore(made.file, place, WHO, utc_now, PASSPHRASE)
    restore(made.file, place, WHO, utc_now, PASSPHRASE, over=True)
    with kept_secret.open() as records, pytest.raises(BadInput, match="there is no such record"):
        records.held("later")
    aside = Path(f"{place}.replaced-1") / place.name
    with open_records(aside, by=WHO, passphrase=PASSPHRASE) as records:
        assert records.held("later").kind == "consent"
        records.verify()


def test_a_database_that_others_have_open_is_not_replaced(
    kept_file: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_S", 0.1)
    with kept_file.open() as records:
        made = copied(records, tmp_path / "copies")
        with pytest.raises(Busy):
            restore(made.file, kept_file.file, WHO, utc_now, over=True)
        records.add(consent(), PATIENT, "c")
    with kept_file.open() as records:
        assert records.held("c").version == 1


def test_a_damaged_database_is_kept_too(kept_file: Kept, tmp_path: Path) -> None:
    with kept_file.open() as records:
        made = copied(records, tmp_path / "copies")
    kept_file.file.write_bytes(b"torn" * 3000)
    restore(made.file, kept_file.file, WHO, utc_now, over=True)
    with kept_file.open() as records:
        records.verify()
    aside = Path(f"{kept_file.file}.replaced-1") / kept_file.file.name
    assert aside.read_bytes() == b"torn" * 3000


def test_a_damaged_backup_restores_nothing(kept_file: Kept, tmp_path: Path) -> None:
    fill(kept_file)
    with kept_file.open() as records:
        made = copied(records, tmp_path / "copies")
        records.add(consent(), PATIENT, "later")
    os.truncate(made.file, 8192)
    with pytest.raises(Damaged):
        restore(made.file, kept_file.file, WHO, utc_now, over=True)
    with kept_file.open() as records:
        assert records.held("later").version == 1
    assert [one.name for one in tmp_path.iterdir() if "restored" in one.name] == []


# ---- archives


def test_an_archive_carries_every_event_to_another_kind_of_database(
    kept: Kept, server: Callable[[], str], tmp_path: Path
) -> None:
    fill(kept)
    file = tmp_path / "records.jsonl"
    with kept.open() as records:
        written, before = write_archive(records.database, file), records.events()
        state = records.all(withdrawn=True)
        assert written == records.verify()
    place = str(tmp_path / "new.db") if kept.place.startswith("postgres") else server()
    create_records(place, by=WHO, events=read_archive(file))
    with open_records(place, by=WHO) as brought:
        assert brought.events()[:-1] == before
        assert brought.head().action == "import"
        assert brought.all(withdrawn=True) == state
        brought.verify()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda lines: lines[:-1], "ends at event 7 of 8"),
        (lambda lines: [*lines[:3], *lines[4:]], "event 4: follows event 2: events are missing"),
        (lambda lines: [one.replace("Vega", "Vego") for one in lines], "event 1: does not match"),
        (lambda lines: [lines[0], lines[1][:-9]], "not, or not all of, an archive"),
        (lambda lines: lines[1:], "not, or not all of, an archive"),
        (lambda lines: [lines[0], '{"number": 1}'], "event 1: cannot be read"),
        (lambda lines: [], "not, or not all of, an archive"),
    ],
)
def test_an_archive_that_is_not_whole_is_refused(
    kept_file: Kept, tmp_path: Path, spoil: Callable[[list[str]], list[str]], words: str
) -> None:
    fill(kept_file, count=2)
    file = tmp_path / "records.jsonl"
    with kept_file.open() as records:
        write_archive(records.database, file)
    file.write_text("\n".join(spoil(file.read_text("utf-8").splitlines())), "utf-8")
    with pytest.raises(Damaged, match=words):
        read_archive(file)


# ---- rescue


def test_what_is_left_of_a_damaged_file_is_read_and_the_file_stays(tmp_path: Path) -> None:
    """One page after the other is spoiled: most of the rows of the others are still read."""
    kept = Kept(str(tmp_path / "secret.db"), PASSPHRASE)
    raw = kept.create()
    fill(kept, count=60)
    with kept.open() as records:
        whole, events = records.verify(), {one.digest for one in records.events()}
    sound, partly = kept.file.read_bytes(), 0
    for page in range(len(sound) // 4096):
        spoiled = bytearray(sound)
        spoiled[4096 * page + 100] ^= 1
        kept.file.write_bytes(spoiled)
        found = rescue(kept.file, tmp_path / "out.json", raw)
        read = json.loads(found.file.read_text("utf-8"))
        assert len(read["events"]) == found.events == whole.events or found.lost
        assert {one["digest"] for one in read["events"]} <= events
        assert kept.file.read_bytes() == spoiled
        partly += 0 < found.events < whole.events and found.lost == tuple(read["lost"])
    assert partly >= 5


def test_an_event_that_was_altered_is_not_among_the_rescued(
    kept_file: Kept, tmp_path: Path
) -> None:
    fill(kept_file)
    with kept_file.open() as records, records.database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER event_unchanged")
        connection.exec_driver_sql("UPDATE event SET by = 'Dr No' WHERE number = 3")
    found = rescue(kept_file.file, tmp_path / "out.json")
    assert found.lost == ("event 3: does not match its digest",)
    assert (found.whole_to, found.events) == (2, 8)


def test_writes_that_are_only_in_the_wal_are_rescued_too(kept_file: Kept, tmp_path: Path) -> None:
    with kept_file.open() as records:
        records.add(consent(), PATIENT)
        assert rescue(kept_file.file, tmp_path / "out.json").events == 2


def test_of_a_file_that_is_no_database_nothing_is_rescued(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"nothing of ours" * 1000)
    found = rescue(tmp_path / "a.db", tmp_path / "out.json")
    assert (found.events, found.records) == (0, 0)
    assert found.lost == ("all of the table event", "all of the table record")
    with pytest.raises(BadInput, match="there is no such file"):
        rescue(tmp_path / "b.db", tmp_path / "out.json")


# ---- migrations


def newest() -> str | None:
    return ScriptDirectory.from_config(_settings()).get_current_head()


def _settings() -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(migrations.HERE))
    return settings


def test_the_tables_are_those_of_the_newest_migration(kept: Kept) -> None:
    assert newest() == tables.SCHEMA
    with kept.open() as records, records.database.reading() as connection:
        for table in (tables.record, tables.event):
            assert connection.execute(select(table)).keys()


@pytest.fixture
def old(spot: Kept, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """A database as the first version left it: a record, and the one that replaced it."""
    with monkeypatch.context() as then:
        then.setattr(migrations, "upgrade", partial(migrations.upgrade, to="0001"))
        spot.create()
    first = Held("c1", "consent", PATIENT, 1, "signed", consent("a"))
    written = [
        ("add", first),
        ("correct", replace(first, version=2, state="entered in error", reason="wrong words")),
        ("correct", replace(first, key="c2", noun=consent("b"), replaces="c1", reason="so")),
    ]
    with closing(_there(spot)) as held, held.writing() as connection:
        for action, one in written:
            event = append(connection, utc_now(), WHO, action, one.key, one.version, one.body())
            row = {name: value for name, value in row_of(event).items() if name != "reason"}
            new = one.version == 1
            changed = tables.record.update().where(tables.record.c.key == one.key)
            connection.execute(tables.record.insert() if new else changed, row)
    return spot


def _there(kept: Kept) -> Database:
    """The database as it is, whatever its schema."""
    if kept.place.startswith("postgres"):
        return database.of_url(kept.place)
    return database.of_file(kept.file, opening.key_for(kept.file, kept.passphrase))


def test_an_earlier_schema_is_backed_up_and_migrated(
    old: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with old.open() as records:
        assert schema_of(records.database) == tables.SCHEMA
        assert [records.held(key).reason for key in ("c1", "c2")] == ["wrong words", "so"]
        assert records.head().action == "migrate"
        before = records.head().data["backup"]
        records.verify()
        records.add(consent(), PATIENT)
    (kept,) = tmp_path.rglob(before)
    with old.open() as records:
        assert records.verify().events == 6
    assert drill(kept, WHO, utc_now, old.passphrase).events == 4


def test_who_comes_second_to_a_migration_finds_it_done(old: Kept) -> None:
    with closing(_there(old)) as held:
        with old.open() as first:
            done = first.verify()
        opening.migrate(held, "0001", WHO, utc_now, "copy.db")
        assert verified(held) == done


KILLED = """
import os, signal, sys
from openbont.clinic import backup, migrations
from openbont.clinic.records import open_records
from alembic import op

place, passphrase, point = sys.argv[1:]

def dying(real):
    def then(*said, **named):
        real(*said, **named)
        os.kill(os.getpid(), signal.SIGKILL)
    return then

owner, name = {
    "copying": (backup, "verified" if "://" not in place else "read_archive"),
    "copied": (backup, "before_migration"),
    "half": (op, "add_column"),
    "done": (migrations, "upgrade"),
}[point]
setattr(owner, name, dying(getattr(owner, name)))
open_records(place, by="x", passphrase=passphrase or None)
"""


@pytest.mark.parametrize("point", ["copying", "copied", "half", "done"])
def test_a_migration_that_is_killed_leaves_the_old_database(
    old: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    arguments = [old.place, old.passphrase or "", point]
    ended = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False)
    assert ended.returncode == -signal.SIGKILL
    with closing(_there(old)) as held:
        assert schema_of(held) == "0001"
        assert verified(held).events == 4
    with old.open() as records:
        assert records.verify().events == 5
        assert records.held("c1").reason == "wrong words"
