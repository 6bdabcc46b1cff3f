"""What a patient is told besides the forecast: plain sentences by disorder and part of the body."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from openbont.catalog.products import read
from openbont.errors import UnknownName
from openbont.evidence import Source


@dataclass(frozen=True)
class Advice:
    """What to watch for and what to leave, for one part of the body or for everybody."""

    usual: tuple[str, ...]
    """What often happens and passes."""
    today: tuple[str, ...]
    """What to call the clinic for on the same day."""
    emergency: tuple[str, ...]
    """What to call an ambulance for."""
    avoid: tuple[str, ...]
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Talk:
    """How one disorder and its treatment are told."""

    why: str
    aim: str
    parts: tuple[Advice, ...]
    forecast: frozenset[str]
    """Of start, best, end and goals, what the model is trusted with."""
    instead: tuple[str, ...]
    """What labels say of the course, where the model is not."""
    caution: str
    sources: tuple[Source, ...]


@cache
def talk(disorder: str) -> Talk:
    """The plain words for one disorder. Raises UnknownName."""
    rows = _read()["disorders"]
    if disorder not in rows:
        raise UnknownName("", "disorder with plain words", disorder, rows)
    row = rows[disorder]
    return Talk(
        why=row["why"],
        aim=row["aim"],
        parts=tuple(_advice(_read()["parts"][name]) for name in row["parts"]),
        forecast=frozenset(row["forecast"]),
        instead=tuple(row.get("instead", ())),
        caution=row["caution"],
        sources=_sources(row),
    )


@cache
def everyone() -> Advice:
    """What holds wherever toxin is injected."""
    return _advice(_read()["everyone"])


def boxed(child: bool) -> list[str]:
    """The boxed warning on spread, in plain words."""
    row = _read()["everyone"]
    return [*row["boxed"], *([row["boxed_child"]] if child else [])]


def personal(child: bool, pregnancy: bool) -> list[str]:
    """What else to leave, for a child or a grown-up, and where a pregnancy can be."""
    row = _read()["everyone"]
    return [row["child" if child else "grown_up"], *([row["pregnancy"]] if pregnancy else [])]


@cache
def plain_places() -> dict[str, str]:
    """Where each structure lies, in plain words, by its name without the side."""
    return {name: words for words, names in _read()["places"].items() for name in names}


@cache
def plain_functions() -> dict[str, str]:
    """What one does with each function: grip, bend the elbow."""
    return dict(_read()["functions"])


@cache
def _read() -> dict[str, Any]:
    return dict(read("leaflet.yaml"))


def _advice(row: dict[str, Any]) -> Advice:
    lists = ("usual", "today", "emergency", "avoid")
    usual, today, emergency, avoid = (tuple(row.get(name, ())) for name in lists)
    return Advice(usual, today, emergency, avoid, _sources(row))


def _sources(row: dict[str, Any]) -> tuple[Source, ...]:
    known = _read()["sources"]
    return tuple(Source(id=f"leaflet:{name}", **known[name]) for name in row["sources"])
