"""Work that takes minutes: one piece at a time, in a process of its own, so that it can be ended.

What it found is kept as files (`results`); what is about somebody in the records is kept nowhere
and forgotten when the server stops.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, Literal

from openbont.errors import Busy, OpenBoNTError
from openbont.web.guard import log_without_values
from openbont.web.results import About, Result, Results

Tell = Callable[[float], None]
Work = Callable[[Tell], Result]
"""Has to travel to another process: a function of a module, its arguments bound by `partial`."""
State = Literal["waiting", "running", "done", "failed", "stopped"]
OPEN = ("waiting", "running")
KEPT, MOST_WAITING = 20, 4
SPAWN = multiprocessing.get_context("spawn")


@dataclass
class Job:
    """One piece of work."""

    about: About
    keep: bool = True
    """As files; not where it is about a patient of the records."""
    state: State = "waiting"
    share: float = 0.0
    problem: str = ""
    result: Result | None = None
    process: SpawnProcess | None = None

    @property
    def open(self) -> bool:
        """It waits or runs."""
        return self.state in OPEN


@dataclass
class Jobs:
    """What was asked for, the newest last."""

    results: Results
    held: dict[str, Job] = field(default_factory=dict)
    """Open, failed and stopped; and done, where nothing is kept."""
    turn: threading.Lock = field(default_factory=threading.Lock)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, about: About, work: Work, keep: bool = True) -> Job:
        """Put work into the queue. Raises Busy where too much waits."""
        job = Job(about, keep)
        with self.lock:
            over = [one for one in self.held.values() if not one.open]
            if len(self.held) - len(over) >= MOST_WAITING:
                raise Busy("research", "too much is waiting", "try again when something is done")
            for old in over[: -KEPT + 1]:
                del self.held[old.about.id]
            self.held[about.id] = job
        threading.Thread(target=self._run, args=(job, work), daemon=True).start()
        return job

    def of(self, owner: str) -> list[Job]:
        """Somebody's own that are not kept as files, the newest first."""
        with self.lock:
            return [one for one in reversed(self.held.values()) if one.about.owner == owner]

    def stop(self, job: Job) -> None:
        """End it where it is."""
        with self.lock:
            if job.open:
                job.state = "stopped"
            if job.process:
                job.process.kill()

    def forget(self, job: Job) -> None:
        """End it, and its result with it."""
        self.stop(job)
        with self.lock:
            self.held.pop(job.about.id, None)

    def _run(self, job: Job, work: Work) -> None:
        with self.turn:
            heard, told = SPAWN.Pipe(duplex=False)
            with self.lock:
                if not job.open:
                    return
                job.process = SPAWN.Process(target=_work, args=(work, told), daemon=True)
                job.process.start()
                job.state = "running"
            told.close()
            said = _heard(job, heard)
            heard.close()
            job.process.join()
        if isinstance(said, Result):
            self._done(job, said)
        elif job.open:
            job.problem, job.state = said, "failed"

    def _done(self, job: Job, result: Result) -> None:
        """Kept as files where that is meant; else it stays here."""
        try:
            if job.keep and job.open:
                self.results.keep(job.about, result)
                with self.lock:
                    self.held.pop(job.about.id, None)
        except OSError as error:
            job.problem = f"It could not be kept ({error.strerror}) and goes when we stop."
        job.result, job.share = result, 1.0
        job.state = "done" if job.open else job.state


def _heard(job: Job, heard: Connection) -> Result | str:
    """How far the process is, until it has a result; or why it has none."""
    try:
        while True:
            said = heard.recv()
            if not isinstance(said, float):
                return said if isinstance(said, Result) else str(said)
            job.share = said
    except (EOFError, OSError):  # between two messages, or within one
        return "It was ended from outside; perhaps there was not memory enough."


# ---- in the other process


def _work(work: Work, to: Connection) -> None:
    """Do it, and say how far it is; nothing goes on once the server is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C ends the server, and that ends us
    threading.Thread(target=_end_with_server, daemon=True).start()
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # the server has its share
    to.send(_outcome(work, lambda share: to.send(float(share))))


def _end_with_server() -> None:
    server = multiprocessing.parent_process()
    if server:
        server.join()
        os._exit(1)


def _outcome(work: Work, tell: Tell) -> Any:
    try:
        return work(tell)
    except OpenBoNTError as error:
        return str(error)
    except Exception as error:
        log_without_values(error)
        return "Something broke here; the log says where."
