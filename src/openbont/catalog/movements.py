"""Movements, functions and pain territories: which muscles carry them, with which share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from openbont.catalog.evidence import sources
from openbont.catalog.muscles import base, side
from openbont.catalog.products import read
from openbont.evidence import Source


@dataclass(frozen=True)
class Group:
    """Muscles that act together, with shares that add up to one."""

    id: str
    words: str
    limb: str
    midline: bool
    weights: Mapping[str, float]
    sources: tuple[Source, ...]
    crossed: frozenset[str] = frozenset()
    """Those of the muscles that act towards the other side."""

    def row(self, structures: Sequence[str], one_side: str) -> np.ndarray:
        """Share of each structure; a midline group takes both sides."""
        shares = np.array(
            [
                self.weights.get(base(name), 0.0) if self._acts(name, one_side) else 0.0
                for name in structures
            ]
        )
        total = shares.sum()
        return np.asarray(shares / total if total else shares)

    def _acts(self, name: str, one_side: str) -> bool:
        if self.midline or not side(name):
            return True
        return (side(name) == one_side) != (base(name) in self.crossed)


@cache
def movements() -> dict[str, Group]:
    """Movements whose stretch reflex is graded, by id."""
    return _groups("movements")


@cache
def treated_movements() -> dict[str, str]:
    """Muscle -> the movement for whose tone it is injected."""
    table = read("movements.yaml")["treated_by"]
    return {muscle: movement for movement, muscles in table.items() for muscle in muscles}


@cache
def functions() -> dict[str, Group]:
    """Functions whose strength may be lost, by id."""
    return _groups("functions")


@cache
def territories() -> tuple[Group, float]:
    """Pain territories of chronic migraine, and the factor where the pain is worst."""
    row = read("movements.yaml")["territories"]
    cited = tuple(sources()[name] for name in row["sources"])
    return Group("territories", "", "head", True, row["weights"], cited), row["pain_factor"]


def _groups(kind: str) -> dict[str, Group]:
    return {
        id_: Group(
            id_,
            row["words"],
            row["limb"],
            row.get("midline", False),
            row["weights"],
            tuple(sources()[name] for name in row["sources"]),
            frozenset(row.get("crossed", ())),
        )
        for id_, row in read("movements.yaml")[kind].items()
    }
