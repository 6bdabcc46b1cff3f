"""Work that takes minutes: one at a time in a thread of its own, with its progress."""

import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

from openbont.errors import Busy, OpenBoNTError
from openbont.web.guard import log_without_values

Tell = Callable[[float], None]
State = Literal["waiting", "running", "done", "failed", "given up"]
KEPT, MOST_WAITING = 20, 4


class GivenUp(Exception):
    """Somebody does not want the result any more."""


@dataclass
class Job:
    """One piece of work."""

    id: str
    owner: str
    """Login of who asked; nobody else sees it."""
    kind: str
    words: str
    state: State = "waiting"
    share: float = 0.0
    problem: str = ""
    result: Any = None
    wanted: bool = True

    def told(self, share: float) -> None:
        """Hear how far the work is; ends it when nobody wants it."""
        if not self.wanted:
            raise GivenUp
        self.share = share


@dataclass
class Jobs:
    """What was asked for, the newest last; forgotten when the server stops."""

    held: dict[str, Job] = field(default_factory=dict)
    pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="job")
    )
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, owner: str, kind: str, words: str, work: Callable[[Tell], Any]) -> Job:
        """Put work into the queue. Raises Busy where too much waits."""
        job = Job(secrets.token_hex(8), owner, kind, words)
        with self.lock:
            open_ = [one for one in self.held.values() if one.state in ("waiting", "running")]
            if len(open_) >= MOST_WAITING:
                raise Busy("research", "too much is waiting", "try again when something is done")
            for old in [one for one in self.held.values() if one not in open_][: -KEPT + 1]:
                del self.held[old.id]
            self.held[job.id] = job
        self.pool.submit(_run, job, work)
        return job

    def of(self, owner: str) -> list[Job]:
        """Somebody's own, the newest first."""
        return [one for one in reversed(self.held.values()) if one.owner == owner]


def _run(job: Job, work: Callable[[Tell], Any]) -> None:
    try:
        job.told(0.0)
        job.state = "running"
        job.result = work(job.told)
        job.state, job.share = "done", 1.0
    except GivenUp:
        job.state = "given up"
    except OpenBoNTError as error:
        job.state, job.problem = "failed", str(error)
    except Exception as error:
        log_without_values(error)
        job.state, job.problem = "failed", "Something broke here; the log says where."
