"""Processes that write records and come to grief: python -m tests.writers WHAT PLACE SECRET SEED.

Each prints one line of JSON. The parent of the writers has nothing open while they are there, and
takes a write as acknowledged only once the writer has said so through a pipe.
"""

import json
import os
import random
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from openbont.clinic import database
from openbont.clinic.records import Records, open_records
from openbont.errors import BadInput, DiskFull, EditConflict, NotStored
from tests.records import PATIENT, consent, injection, plan, session, vial

Say = Callable[[str], object]
ONE_UNIT = injection(units="1")


def open_here(by: str) -> Records:
    place, secret = sys.argv[2:4]
    return open_records(place, by=by, passphrase=secret or None)


def forked(work: Callable[[Say], object]) -> tuple[int, Any]:
    """A writer in a process of its own, and the end of the pipe that it speaks through."""
    heard, said = os.pipe()
    if pid := os.fork():
        os.close(said)
        return pid, os.fdopen(heard)
    os.close(heard)
    try:
        work(lambda words: os.write(said, f"{words}\n".encode()))
    finally:
        os._exit(0)


def kill_nine(rounds: int) -> dict[str, Any]:
    """Kill a writer at a random moment, again and again; look for what it had acknowledged."""
    chance = random.Random(int(sys.argv[4]))
    acknowledged: list[str] = []
    idle = 0
    for number in range(rounds):
        pid, heard = forked(lambda say, number=number: write_for_ever(say, number))
        before = len(acknowledged)
        if number % 4:  # the others die at any moment, even before they are awake
            acknowledged.append(heard.readline().strip())
        time.sleep(chance.uniform(0, 0.04))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        acknowledged += [line.strip() for line in heard if line.endswith("\n")]
        idle += len(acknowledged) == before
    with open_here("after") as records:
        there = {one.key for one in records.all(withdrawn=True)}
        found = records.verify()
    return {
        "kills": rounds,
        "before the first write": idle,
        "acknowledged": len(acknowledged),
        "lost": len(set(acknowledged) - there),
        "events": found.events,
    }


def write_for_ever(say: Say, number: int) -> None:
    with open_here(f"writer {number}") as records:
        say(records.add(vial(f"v{number}", "1000"), "").key)
        for count in range(1000):
            given = session(ONE_UNIT, draws={f"v{number}": "1"})
            say(records.give(given, PATIENT, f"s{number}-{count}").key)


def crowd(writers: int) -> dict[str, Any]:
    """All write at once: to the same draft, and from the same vial of 50 U."""
    with open_here("before") as records:
        records.add(vial("shared", "50"), "")
        records.add(plan(), PATIENT, "shared-plan")
    at_work = [forked(lambda say, n=n: take_part(say, n)) for n in range(writers)]
    done: Counter[str] = Counter()
    for pid, heard in at_work:
        done.update(line.strip() for line in heard)
        os.waitpid(pid, 0)
    with open_here("after") as records:
        found, shared = records.verify(), records.held("shared-plan")
        there = len(records.all(PATIENT, "consent"))
    return {**done, "version": shared.version, "consents": there, "events": found.events}


def take_part(say: Say, number: int) -> None:
    with open_here(f"writer {number}") as records:
        for count in range(10):
            records.add(consent(), PATIENT, f"c{number}-{count}")
            say("added")
            say(given_from_shared(records))
            while (words := changed(records, f"{number} {count}")) == "conflict":
                say(words)
            say(words)


def given_from_shared(records: Records) -> str:
    try:
        records.give(session(ONE_UNIT, draws={"shared": "1"}), PATIENT)
    except BadInput:
        return "refused"
    return "given"


def changed(records: Records, note: str) -> str:
    seen = records.held("shared-plan").version
    try:
        records.change("shared-plan", plan(note=note), seen)
    except EditConflict:
        return "conflict"
    return "changed"


def full_disk(room: int) -> dict[str, Any]:
    """Files may not grow any further in the midst of writing."""
    pid, heard = forked(lambda say: write_until_full(say, room))
    said = [line.strip() for line in heard]
    os.waitpid(pid, 0)
    *keys, last = said
    with open_here("after") as records:
        there = {one.key for one in records.all(withdrawn=True)}
        found = records.verify()
        records.add(consent(), PATIENT, "after")
    return {
        "acknowledged": len(keys),
        "lost": len(set(keys) - there),
        "unasked": len(there - set(keys)),
        "said": last,
        "events": found.events,
    }


def write_until_full(say: Say, room: int) -> None:
    with open_here("writer") as records:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
        try:
            for count in range(10_000):
                say(records.add(consent("x" * 150), PATIENT, f"c{count}").key)
        except (DiskFull, NotStored) as error:
            say(error.problem)


WHAT: dict[str, Callable[[int], dict[str, Any]]] = {
    "kill_nine": kill_nine,
    "crowd": crowd,
    "full_disk": full_disk,
}

if __name__ == "__main__":
    database.BUSY_S = 60.0  # it is the count that is tested, not the patience
    with open_here("before") as warm:  # what it imports, writers need not import again
        warm.verify()
    print(json.dumps(WHAT[sys.argv[1]](int(sys.argv[5]))))
