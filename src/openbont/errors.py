"""Everything that OpenBoNT raises on purpose.

OpenBoNTError
├── BadInput            what was given is wrong: place, problem, way out
│   ├── UnknownName     a name that is in no catalog; carries the nearest right names
│   └── UnitMismatch    units of two products met; they are never converted
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
        text = f"{place}: {problem}" if place else problem
        super().__init__(f"{text}; {way_out}" if way_out else text)


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


class NoPlan(OpenBoNTError):
    """The limits leave nothing to choose from."""


class NoEvidence(OpenBoNTError):
    """There is no basis for a number, so none is shown."""


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """At most two names most like `name`."""
    return difflib.get_close_matches(name, list(known), n=2, cutoff=0.6)


def _again(kind: type[OpenBoNTError], args: tuple[Any, ...]) -> OpenBoNTError:
    return kind.__new__(kind, *args)
