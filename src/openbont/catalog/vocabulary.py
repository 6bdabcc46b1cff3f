"""Words for conditions, allergens and medicines, and the class that a safety rule looks for."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Literal

from openbont.catalog.products import read
from openbont.errors import BadInput, UnknownName, nearest
from openbont.evidence import Source
from openbont.frozen import Many, Name, Noun

Kind = Literal["condition", "allergen", "medicine"]
OTHER = "other:"
STEM = 5
"""Shortest word that free text is searched for when misspelt; shorter ones must match exactly."""


class Term(Noun):
    """A condition, allergen or medicine, with the classes that safety rules look for."""

    name: Name
    kind: Kind
    words: str
    classes: Many[str] = ()
    synonyms: Many[str] = ()
    excipient: str = ""
    """Allergens: the excipient as products name it; empty when no product holds it."""
    migraine_preventive: bool = False
    sources: Many[Source] = ()


def condition(name: str, place: str = "") -> Term:
    """The condition called `name`; free text after "other:" is returned as a term of no class."""
    if name.lower().startswith(OTHER):
        return _free_text(name, place)
    return _find(name, "condition", place)


def ailments(conditions_named: Iterable[str], cause: str) -> list[tuple[str, Term]]:
    """Conditions of a patient with their places, and the cause of the disorder if it is one."""
    found = [
        (f"patient.conditions[{i}]", condition(name, f"patient.conditions[{i}]"))
        for i, name in enumerate(conditions_named)
    ]
    known = _index("condition").get(_plain(cause)) or _hidden(_plain(cause))
    if known and known not in {term.name for _, term in found}:
        found.append(("patient.disorder.cause", conditions()[known]))
    return found


def medicine(name: str, place: str = "") -> Term:
    """The medicine or other treatment called `name`, or one of its synonyms."""
    return _find(name, "medicine", place)


def allergen(name: str, place: str = "") -> Term:
    """What the patient is allergic to, where a product could hold it."""
    return _find(name, "allergen", place)


@cache
def conditions() -> dict[str, Term]:
    """All conditions by name."""
    table = read("conditions.yaml")
    return _terms("condition", table["conditions"], table["sources"])


@cache
def allergens() -> dict[str, Term]:
    """All allergens by name."""
    table = read("conditions.yaml")
    return _terms("allergen", table["allergens"], table["sources"])


@cache
def medicines() -> dict[str, Term]:
    """All medicines and other treatments by name; words and sources come from their classes."""
    table = read("medicines.yaml")
    rows = {
        name: _with_classes(row, [table["classes"][one] for one in row["classes"]])
        for name, row in table["medicines"].items()
    }
    return _terms("medicine", rows, table["sources"])


def _with_classes(row: dict[str, Any], classes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        **row,
        "words": " and ".join(one["words"] for one in classes),
        "sources": [source for one in classes for source in one["sources"]],
        "migraine_preventive": any(one.get("migraine_preventive", False) for one in classes),
    }


def _terms(kind: Kind, rows: dict[str, Any], sources: dict[str, Any]) -> dict[str, Term]:
    terms = {}
    for name, row in rows.items():
        cited = [{"id": f"{kind}:{one}", **sources[one]} for one in dict.fromkeys(row["sources"])]
        text = json.dumps({**row, "name": name, "kind": kind, "sources": cited})
        terms[name] = Term.model_validate_json(text)
    return terms


def _find(name: str, kind: Kind, place: str) -> Term:
    index, terms = _index(kind), _known(kind)
    found = index.get(_plain(name))
    if found is None:
        close = nearest(_plain(name), index)
        raise UnknownName(place, kind, name, {index[one] for one in close} or terms)
    return terms[found]


def _known(kind: Kind) -> Mapping[str, Term]:
    return {"condition": conditions, "allergen": allergens, "medicine": medicines}[kind]()


@cache
def _index(kind: Kind) -> dict[str, str]:
    """Every name and synonym, plainly written -> the name."""
    return {
        _plain(word): name
        for name, term in _known(kind).items()
        for word in (name, term.words, *term.synonyms)
    }


def _free_text(text: str, place: str) -> Term:
    hidden = _hidden(_plain(text[len(OTHER) :]))
    if hidden:
        raise BadInput(place, f"{text!r} holds a known condition", f"write {hidden}")
    return Term(name=text, kind="condition", words=text)


def _hidden(text: str) -> str:
    """The first condition with safety classes that the free text names, misspelt or not."""
    words = text.split()
    for phrase, name in _index("condition").items():
        size = len(phrase.split())
        spans = (" ".join(words[i : i + size]) for i in range(len(words) - size + 1))
        if conditions()[name].classes and any(_alike(span, phrase) for span in spans):
            return name
    return ""


def _alike(one: str, other: str) -> bool:
    if min(len(one), len(other)) < STEM:
        return one == other
    return difflib.SequenceMatcher(None, one, other).ratio() > 0.85


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()
