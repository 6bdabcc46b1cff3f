"""Proposals that are being worked out in a thread, with what it is doing."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date

from openbont.patient import Patient
from openbont.planning.proposal import Proposal
from openbont.planning.propose import propose

Asked = tuple[str, str, date]
"""The patient as they are, product, day."""


@dataclass
class Work:
    """One set of proposals."""

    doing: str = "waiting"
    result: Future[list[Proposal]] = field(default_factory=Future)


class Proposing:
    """One at a time; the last few results stay."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._held: dict[Asked, Work] = {}

    def begin(self, patient: Patient, product: str, on: date) -> Work:
        """The work on this question; begun where nobody has asked it yet, or it failed."""
        asked = (patient.model_dump_json(), product, on)
        held = self._held.get(asked)
        if held is None or (held.result.done() and held.result.exception()):
            held = self._held[asked] = Work()
            held.result = self._pool.submit(_worked, held, patient, product, on)
            while len(self._held) > _KEPT:
                self._held.pop(next(iter(self._held)))
        return held


_KEPT = 8


def _worked(work: Work, patient: Patient, product: str, on: date) -> list[Proposal]:
    def tell(words: str) -> None:
        work.doing = words

    return propose(patient, product, on, tell=tell)
