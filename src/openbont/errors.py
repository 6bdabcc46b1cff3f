"""Everything that OpenBoNT raises on purpose.

OpenBoNTError
├── BadInput            what was given is wrong: place, problem, way out
│   ├── UnknownName     a name that is in no catalog; carries the nearest right names
│   ├── UnitMismatch    units of two products met; they are never converted
│   └── EditConflict    a record was changed by another meanwhile; carries both versions
├── NotStored           the database cannot do it now: place, problem, way out
│   ├── Busy            others are writing
│   ├── DiskFull        there is no room; nothing was written
│   └── Damaged         what is stored is not what was written
├── NoPlan              the limits leave nothing to choose from
└── NoEvidence          there is no basis for a number, so none is shown
"""

import difflib
from collections.abc import Iterable
from typing import Any


class OpenBoNTError(Exception):
    """Base of all errors raised on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors travel between processes as they are, whatever made them."""
        return _again, (type(self), self.args), self.__dict__


class BadInput(OpenBoNTError):
    """What was given is wrong. Reads as `place: problem; way out`."""

    def __init__(self, place: str, problem: str, way_out: str = "") -> None:
        self.place, self.problem, self.way_out = place, problem, way_out
        super().__init__(_sentence(place, problem, way_out))


class UnknownName(BadInput):
    """A name that is in no catalog."""

    def __init__(self, place: str, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        self.nearest = nearest(name, names)
        way_out = (
            f"did you mean {' or '.join(self.nearest)}?"
            if self.nearest
            else f"known: {', '.join(names[:12])}{' ...' if len(names) > 12 else ''}"
        )
        super().__init__(place, f"unknown {kind} (value {name!r})", way_out)


class UnitMismatch(BadInput):
    """Units of two products met. A unit is defined by its maker's assay: there is no conversion."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(
            "",
            f"units of {one} and of {other} cannot be added or compared",
            "keep a total for each product",
        )


class EditConflict(BadInput):
    """A record was changed by another since it was read; nobody's work is overwritten."""

    def __init__(self, place: str, seen: int, yours: Any, theirs: Any) -> None:
        self.seen, self.yours, self.theirs = seen, yours, theirs
        super().__init__(
            place,
            f"changed by {theirs.by} since it was read (version {seen}, now {theirs.version})",
            "compare the two versions, then save again",
        )


class NotStored(OpenBoNTError):
    """The database cannot do it now; nothing of it was written."""

    def __init__(self, place: str, problem: str, way_out: str = "") -> None:
        self.place, self.problem, self.way_out = place, problem, way_out
        super().__init__(_sentence(place, problem, way_out))


class Busy(NotStored):
    """Others are writing."""


class DiskFull(NotStored):
    """There is no room."""


class Damaged(NotStored):
    """What is stored is not what was written."""


class NoPlan(OpenBoNTError):
    """The limits leave nothing to choose from."""


class NoEvidence(OpenBoNTError):
    """There is no basis for a number, so none is shown."""


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """At most two names most like `name`."""
    return difflib.get_close_matches(name, list(known), n=2, cutoff=0.6)


def _sentence(place: str, problem: str, way_out: str) -> str:
    text = f"{place}: {problem}" if place else problem
    return f"{text}; {way_out}" if way_out else text


def _again(kind: type[OpenBoNTError], args: tuple[Any, ...]) -> OpenBoNTError:
    return kind.__new__(kind, *args)
