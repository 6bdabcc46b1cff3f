"""What must not happen, whatever befalls the machine: nothing acknowledged is lost, nothing is
half there, and what was altered is found. Each test prints what it counted."""

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openbont.clinic.records import open_records
from openbont.errors import Damaged
from tests.records import PASSPHRASE, PATIENT, WHO, Kept, consent, injection, session, vial

ROOT = Path(__file__).parents[2]
Print = Callable[[str], None]


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Print:
    def say(words: str) -> None:
        with capsys.disabled():
            print(f"\n  {words}")

    return say


@pytest.fixture
def writers(spot: Kept) -> Callable[[str, int], dict[str, Any]]:
    """Run writers in processes of their own; an encrypted file opens quickly by its raw key."""
    secret = spot.create() or ""

    def run(what: str, count: int) -> dict[str, Any]:
        command = [sys.executable, "-m", "tests.writers", what, spot.place, secret, "1", str(count)]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        counted: dict[str, Any] = json.loads(ended.stdout)
        return counted

    return run


def test_200_writers_that_are_killed_lose_nothing_acknowledged(
    writers: Any, spot: Kept, told: Print
) -> None:
    counted = writers("kill_nine", 200)
    told(f"kill -9, {_kind(spot)}: {counted}")
    assert counted["kills"] == 200
    assert counted["acknowledged"] >= 150
    assert counted["lost"] == 0


def test_8_writers_at_once_spend_each_unit_once_and_overwrite_nothing(
    writers: Any, spot: Kept, told: Print
) -> None:
    counted = writers("crowd", 8)
    told(f"8 writers at once, {_kind(spot)}: {counted}")
    assert counted["added"] == counted["consents"] == 80
    assert (counted["given"], counted["refused"]) == (50, 30)
    assert counted["changed"] == 80
    assert counted["version"] == 81
    assert counted["events"] == 3 + 80 + 2 * 50 + 80


@pytest.mark.parametrize("secret", [None, PASSPHRASE], ids=["plain", "encrypted"])
def test_a_disk_that_fills_up_loses_nothing(
    secret: str | None, tmp_path: Path, told: Print
) -> None:
    for room in (90_000, 150_000, 400_000):
        spot = Kept(str(tmp_path / f"{room}.db"), secret)
        raw = spot.create() or ""
        command = [sys.executable, "-m", "tests.writers", "full_disk", spot.place, raw, "1"]
        ended = subprocess.run(
            [*command, str(room)], cwd=ROOT, capture_output=True, text=True, check=True
        )
        counted = json.loads(ended.stdout)
        told(f"disk full at {room} bytes, {_kind(spot)}: {counted}")
        assert counted["acknowledged"] > 0
        assert (counted["lost"], counted["unasked"]) == (0, 0)
        assert "nothing was written" in counted["said"]


@pytest.mark.parametrize("secret", [None, PASSPHRASE], ids=["plain", "encrypted"])
def test_200_torn_wals_leave_no_half_transaction(
    secret: str | None, tmp_path: Path, told: Print
) -> None:
    spot = Kept(str(tmp_path / "whole.db"), secret)
    raw = spot.create()
    chance, kept_events, whole = random.Random(2), [], 0
    with open_records(spot.place, by=WHO, passphrase=raw) as records:
        ends = [records.add(vial(units="100"), "") and records.head().number]
        for _ in range(25):
            records.give(session(injection(units="1"), draws={"V1": "1"}), PATIENT)
            ends.append(records.head().number)
        events = records.events()
        for number in range(200):
            torn = _copy_of(spot.file, tmp_path / f"torn{number}")
            _tear(Path(f"{torn}-wal"), chance)
            with open_records(torn, by=WHO, passphrase=raw) as found:
                there = found.events()
                found.verify()
            assert there == events[: len(there)]
            assert len(there) in [1, *ends]
            kept_events.append(len(there))
            whole += len(there) == len(events)
            shutil.rmtree(torn.parent)
    lost = len(events) - sum(kept_events) / 200
    told(
        f"torn WALs, {_kind(spot)}: 200 opened, 0 half transactions, {whole} whole;"
        f" on average {lost:.1f} of the newest {len(events)} events gone, always from the end"
    )
    assert min(kept_events) < max(kept_events)


def _copy_of(file: Path, folder: Path) -> Path:
    folder.mkdir()
    for end in ("", "-wal"):
        shutil.copyfile(f"{file}{end}", folder / f"{file.name}{end}")
    return folder / file.name


def _tear(wal: Path, chance: random.Random) -> None:
    """Cut it off, flip a bit, or lose a sector, as disks do."""
    content = bytearray(wal.read_bytes())
    at = chance.randrange(len(content))
    match chance.randrange(3):
        case 0:
            del content[at:]
        case 1:
            content[at] ^= 1 << chance.randrange(8)
        case _:
            content[at : at + 512] = bytes(min(512, len(content) - at))
    wal.write_bytes(content)


def test_each_of_200_flipped_bits_of_an_encrypted_file_is_found(
    tmp_path: Path, told: Print
) -> None:
    spot = Kept(str(tmp_path / "secret.db"), PASSPHRASE)
    raw = spot.create()
    with open_records(spot.place, by=WHO, passphrase=raw) as records:
        records.add(vial(), "")
        for _ in range(40):
            records.add(consent("x" * 150), PATIENT)
    sound, chance, found = spot.file.read_bytes(), random.Random(3), 0
    for _ in range(200):
        flipped = bytearray(sound)
        flipped[chance.randrange(len(sound))] ^= 1 << chance.randrange(8)
        spot.file.write_bytes(flipped)
        with (
            pytest.raises(Damaged),
            open_records(spot.place, by=WHO, passphrase=raw) as records,
        ):
            records.verify()
        found += 1
        assert spot.file.read_bytes() == flipped
    told(f"flipped bits in an encrypted file of {len(sound)} bytes: {found} of 200 found")
    spot.file.write_bytes(sound)
    with open_records(spot.place, by=WHO, passphrase=raw) as records:
        assert records.verify().records == 41


def _kind(kept: Kept) -> str:
    if kept.place.startswith("postgres"):
        return "server"
    return "encrypted file" if kept.passphrase else "file"
