"""Structures that toxin is meant not to reach, by disorder, with what they must still do."""

from dataclasses import dataclass
from functools import cache

from openbont.catalog.evidence import sources
from openbont.catalog.products import read
from openbont.evidence import Grade, Source


@dataclass(frozen=True)
class Spared:
    """One structure, without its side."""

    structure: str
    words: str
    least: float
    """Share of its answer to keep, at the median and in the worst week."""
    grade: Grade
    sources: tuple[Source, ...]


@cache
def spared(disorder: str) -> tuple[Spared, ...]:
    """Structures to spare in this disorder, unless they are themselves treated."""
    known = sources()
    return tuple(
        Spared(
            name,
            row["words"],
            row["least"],
            row["grade"],
            tuple(known[one] for one in row["sources"]),
        )
        for name, row in read("spared.yaml").get(disorder, {}).items()
    )
