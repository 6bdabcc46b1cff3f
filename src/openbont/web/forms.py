"""Forms and nouns: what was typed as plain data, what is wrong next to which field, and back.

Names of fields say where they stand: findings.0.scale is `scale` of the first of the findings.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, HTTPException, Request
from starlette.datastructures import UploadFile

from openbont.catalog.scales import scales
from openbont.clinic.files import LOOKUPS
from openbont.errors import BadInput
from openbont.frozen import Noun
from openbont.io import noun_of
from openbont.web.drafts import Fields

AnyNoun = TypeVar("AnyNoun", bound=Noun)
NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?")
LONGEST = 4_000
MOST_FIELDS = 900


@dataclass(frozen=True)
class Sent:
    """A form as it came."""

    fields: Fields
    seen: int
    """The version of the draft that it was made from."""
    do: str
    """What its button wants; save, where nothing was pressed."""
    files: dict[str, tuple[str, bytes]]
    """Field -> name and content of a file."""


@dataclass(frozen=True)
class Wrong:
    """What is wrong in one field, and the way out."""

    problem: str
    way_out: str = ""


Wrongs = dict[str, Wrong]
"""Name of a field -> what is wrong there; empty for the form as a whole."""


async def sent(request: Request) -> Sent:
    """The form of a request."""
    fields: Fields = {}
    files: dict[str, tuple[str, bytes]] = {}
    async with request.form(max_fields=MOST_FIELDS, max_files=1) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                files[name] = (value.filename or "", await value.read())
            elif len(value) > LONGEST or "\x00" in value or len(name) > 200:
                raise HTTPException(422, f"{name[:60]}: over {LONGEST} characters, or no text.")
            else:
                fields[name] = value.replace("\r\n", "\n").strip()
    seen, do = fields.pop("seen", "0"), fields.pop("do", "save")
    if not re.fullmatch("[0-9]{1,9}", seen):
        raise HTTPException(422, "seen: not the number of a version.")
    return Sent(fields, int(seen), do, files)


Form = Annotated[Sent, Depends(sent)]


# ---- what a form takes, for /openapi.json


def takes(
    *kinds: type[Noun], only: Collection[str] = (), file: str = "", **more: Any
) -> dict[str, Any]:
    """`openapi_extra` of a route: the fields of these nouns as text, and `more`; all optional."""
    fields: dict[str, Any] = {"seen": {"type": "string", "pattern": "^[0-9]{1,9}$"}}
    fields["do"] = {"type": "string", "enum": ["save", "keep", "sign"]}
    for kind in kinds:
        schema = kind.model_json_schema()
        asked = _asked(schema, schema.get("$defs", {}), "")
        fields |= {name: field for name, field in asked.items() if not only or name in only}
    media = "multipart/form-data" if file else "application/x-www-form-urlencoded"
    binary = {file: {"type": "string", "format": "binary"}} if file else {}
    body = {"type": "object", "properties": fields | more | binary, "additionalProperties": TEXT}
    return {"requestBody": {"content": {media: {"schema": body}}}}


TEXT: dict[str, Any] = {"type": "string", "maxLength": LONGEST}
_FORMATS: dict[str, dict[str, Any]] = {
    "number": {"type": "string", "pattern": f"^{NUMBER.pattern}$"},
    "integer": {"type": "string", "pattern": "^[0-9]{1,4}$"},
    "boolean": {"type": "string", "enum": ["", "yes"]},
}


def _asked(schema: Any, defs: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The fields that a part of a noun is typed into; of a list, two rows."""
    one = _resolved(schema, defs)
    match one.get("type"):
        case "object":
            parts = one.get("properties", {}).items()
        case "array":
            parts = [(str(i), one.get("items", {})) for i in range(2)]
        case _:
            return {name: _typed(one)}
    found = (_asked(part, defs, f"{name}.{key}".lstrip(".")) for key, part in parts)
    return {key: field for fields in found for key, field in fields.items()}


def _resolved(schema: Any, defs: Mapping[str, Any]) -> dict[str, Any]:
    """What stands behind a reference, or the first of several that says something."""
    while "$ref" in schema or "anyOf" in schema:
        if "$ref" in schema:
            schema = defs[schema["$ref"].rpartition("/")[2]]
        else:
            schema = next(one for one in schema["anyOf"] if one.get("type") != "null")
    said: dict[str, Any] = schema
    return said


def _typed(one: dict[str, Any]) -> dict[str, Any]:
    """One field as text."""
    if "enum" in one:
        return {"type": "string", "enum": [*one["enum"], ""]}
    kept: dict[str, Any] = {key: one[key] for key in ("format", "pattern") if key in one}
    return _FORMATS.get(one.get("type", ""), {**TEXT, **kept})


# ---- fields <-> plain data


def flat(data: Any, name: str = "") -> Fields:
    """Plain data as fields; what is not known is an empty field."""
    if isinstance(data, Mapping):
        items: Iterable[tuple[Any, Any]] = data.items()
    elif isinstance(data, (list, tuple)):
        items = enumerate(data)
    else:
        return {name: _text(data)}
    within = (flat(value, f"{name}.{key}" if name else str(key)) for key, value in items)
    return {key: text for fields in within for key, text in fields.items()}


def nested(fields: Fields) -> dict[str, Any]:
    """Fields as plain data; empty ones are left out, and so are rows with nothing in them."""
    data: dict[str, Any] = {}
    for name, text in compact(fields).items():
        if text:
            _put(data, name.split("."), text)
    return {key: _listed(value) for key, value in data.items()}


def compact(fields: Fields) -> Fields:
    """The same, with empty rows taken out and the others counted anew."""
    filled: dict[str, list[int]] = {}
    for name, text in fields.items():
        group, row, _ = _row(name)
        if group and text and row not in filled.setdefault(group, []):
            filled[group].append(row)
    kept: Fields = {}
    for name, text in fields.items():
        group, row, rest = _row(name)
        if not group:
            kept[name] = text
        elif row in filled.get(group, ()):
            kept[f"{group}.{sorted(filled[group]).index(row)}{rest}"] = text
    return kept


def rows(fields: Fields, group: str, more: int = 1) -> list[int]:
    """Numbers of the rows of a group, and `more` to be filled."""
    there = {row for name in fields for found, row, _ in [_row(name)] if found == group}
    return list(range(max(there, default=-1) + 1 + more))


def begun(fields: Fields, group: str, offered: Fields | None = None) -> dict[int, Fields]:
    """Rows that somebody typed in: what stands in each. A row as it was `offered` is none."""
    found: dict[int, Fields] = {}
    for name, text in fields.items():
        at, row, rest = _row(name)
        if at == group and text:
            found.setdefault(row, {})[rest.lstrip(".")] = text
    theirs = list(begun(offered, group).values()) if offered else []
    return {row: said for row, said in found.items() if said not in theirs}


def unfinished(started: Mapping[int, Fields], group: str, **needed: str) -> Wrongs:
    """What rows still lack: each needed field, with the way out."""
    return {
        f"{group}.{row}.{name}": Wrong("still empty", way_out)
        for row, said in started.items()
        for name, way_out in needed.items()
        if name not in said
    }


def _row(name: str) -> tuple[str, int, str]:
    """findings.0.scale -> findings, 0, .scale"""
    found = re.fullmatch(r"([a-z_]+)\.([0-9]{1,3})(\..*)?", name)
    return (found[1], int(found[2]), found[3] or "") if found else ("", 0, "")


def _put(data: dict[str, Any], steps: list[str], text: str) -> None:
    for step in steps[:-1]:
        data = data.setdefault(step, {})
        if not isinstance(data, dict):
            raise HTTPException(422, f"{'.'.join(steps)}: two fields of one name.")
    data[steps[-1]] = text


def _listed(value: Any) -> Any:
    """Groups whose names are numbers are lists."""
    if not isinstance(value, dict):
        return value
    inner = {key: _listed(item) for key, item in value.items()}
    if all(key.isdecimal() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, float):
        return f"{value:.10g}"
    return "" if value is None else str(value)


def same(*names: str) -> list[tuple[str, str]]:
    """Choices that are shown as they are kept."""
    return [(name, name) for name in names]


# ---- plain data -> noun


def number(text: Any) -> Any:
    """A plain number as a number; all else stays, to be refused where it stands."""
    if not isinstance(text, str) or not NUMBER.fullmatch(text):
        return text
    return float(text) if "." in text else int(text)


def named(fields: Fields, names: Collection[str]) -> dict[str, Any]:
    """Plain data of these fields; what else was sent is not looked at."""
    return nested({name: text for name, text in fields.items() if name in names})


def reading_value(scale: str, text: str) -> Any:
    """A grade stays as it is written."""
    return text if scale in scales() and scales()[scale].grades else number(text)


def made(kind: type[AnyNoun], data: dict[str, Any]) -> tuple[AnyNoun | None, Wrongs]:
    """The noun, or what is wrong in which field."""
    noun, mistakes = noun_of(json.loads(json.dumps(data)), kind, LOOKUPS)
    named = {".".join(map(str, place)): mistake for place, mistake in mistakes.items()}
    return noun, {name: Wrong(one.problem, one.way_out) for name, one in named.items()}


def in_row(name: str, group: str, kept: Sequence[int]) -> str:
    """The field of the row that was typed, where rows that say nothing were left out."""
    parts = name.split(".")
    if parts[0] != group or len(parts) < 2:
        return name
    return ".".join([group, str(kept[int(parts[1])]), *parts[2:]])


def at(place: str, error: BadInput) -> Wrongs:
    """What a verb refused, at a field."""
    where = f"{error.place}: " if error.place and error.place != place else ""
    return {place: Wrong(f"{where}{error.problem}", error.way_out)}
