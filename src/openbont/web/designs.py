"""A design of a trial as a form: what may be turned without writing YAML."""

from collections.abc import Iterator
from typing import Any

from openbont.design import Design, Endpoint
from openbont.web.drafts import Fields
from openbont.web.forms import Wrongs, flat, made, number

NUMBERS = ("patients", "replicates", "dropout_percent")


def fields_of(design: Design) -> Fields:
    """The form of a design."""
    fields = {"name": design.name, "weeks": _weeks(design.weeks), "primary": "0"}
    fields |= flat({name: getattr(design, name) for name in NUMBERS})
    fields |= flat(
        [{"at_least": one.at_least, "at_most": one.at_most} for one in design.entry], "entry"
    )
    for at, arm in enumerate(design.arms):
        fields[f"arms.{at}.weeks"] = _weeks(arm.weeks)
        for number_, one in enumerate(arm.injections):
            fields |= flat({"dose_u": one.dose_u}, f"arms.{at}.injections.{number_}")
    return fields


def designed(base: Design, fields: Fields) -> tuple[Design | None, Wrongs]:
    """`base` with what the form says, or what is wrong in which field."""
    data = base.model_dump(mode="json", exclude_defaults=True)
    data["name"] = fields.get("name", "")
    data |= {name: number(fields.get(name, "")) for name in NUMBERS}
    data["weeks"] = _listed(fields.get("weeks", ""))
    for at, one in enumerate(data.get("entry", ())):
        one |= {name: _known(fields, f"entry.{at}.{name}") for name in ("at_least", "at_most")}
    for at, arm in enumerate(data["arms"]):
        arm["weeks"] = _listed(fields.get(f"arms.{at}.weeks", ""))
        for number_, one in enumerate(arm.get("injections", ())):
            one["dose_u"] = number(fields.get(f"arms.{at}.injections.{number_}.dose_u", ""))
    _first(data["endpoints"], fields.get("primary", "0"))
    design, wrong = made(Design, data)
    return design, {_whole(name): problem for name, problem in wrong.items()}


def _first(endpoints: list[Any], chosen: str) -> None:
    """The primary endpoint stands first."""
    if chosen.isdecimal() and int(chosen) < len(endpoints):
        endpoints.insert(0, endpoints.pop(int(chosen)))


def _whole(name: str) -> str:
    """weeks.2 -> weeks: a list is one field."""
    head, _, last = name.rpartition(".")
    return head if last.isdecimal() and head.endswith("weeks") else name


def _known(fields: Fields, name: str) -> Any:
    return number(fields[name]) if fields.get(name) else None


def _listed(text: str) -> list[Any]:
    return [number(one.strip()) for one in text.split(",") if one.strip()]


def _weeks(weeks: tuple[float, ...]) -> str:
    return ", ".join(f"{week:g}" for week in weeks)


# ---- what the form shows around its fields


def units(design: Design) -> list[dict[str, Any]]:
    """A row a structure: the field of each arm that has injections of its own; empty for none."""
    arms = [at for at, arm in enumerate(design.arms) if not arm.like]
    named = {at: dict(_named(design, at)) for at in arms}
    rows = dict.fromkeys(key for at in arms for key in named[at])
    return [
        {"structure": name, "cells": [named[at].get((name, nth), "") for at in arms]}
        for name, nth in rows
    ]


def _named(design: Design, at: int) -> Iterator[tuple[tuple[str, int], str]]:
    """Structure and how often it came before -> field."""
    seen: dict[str, int] = {}
    for number_, one in enumerate(design.arms[at].injections):
        nth = seen[one.structure] = seen.get(one.structure, -1) + 1
        yield (one.structure, nth), f"arms.{at}.injections.{number_}.dose_u"


def said(endpoint: Endpoint) -> str:
    """An endpoint in words, with its week."""
    from openbont.report.trials import endpoint_words

    return f"{endpoint_words(endpoint)}, week {endpoint.week:g}"
