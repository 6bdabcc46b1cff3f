"""A patient's diary from CSV: one row for each reading, or one for each day with a column a scale.

    date,scale,value,where              date,headache_hours_per_day,pain_NRS
    2026-11-16,pain_NRS,4,              2026-11-16,5,4

A row that is not plain is listed as it stands; a day that gives one scale two values is taken from
neither row.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from openbont.catalog.scales import number, scales
from openbont.clinic.imports import rows_of, text_of
from openbont.clinic.nouns import Diary, DiaryDay
from openbont.clinic.words import date_in
from openbont.errors import BadInput, UnknownName
from openbont.patient import Reading

LONG = {"date", "scale", "value"}
PLAIN = re.compile(r"-?[0-9]{1,6}(\.[0-9]{1,6})?")


@dataclass(frozen=True)
class Kept:
    """What could be read of a diary, and what could not."""

    diary: Diary | None
    """None where no day could be read."""
    bad: tuple[str, ...]
    """Rows or cells as they stand, each with what is wrong."""


@dataclass(frozen=True)
class _Cell:
    """One reading as a file says it."""

    row: str
    date: str
    scale: str
    value: str
    where: str


def read_diary(path: str | Path, until: date | None = None) -> Kept:
    """The diary in a CSV file; days after `until` are listed as wrong."""
    path = Path(path)
    return diary_of(text_of(path), path.name, until)


def diary_of(text: str, name: str, until: date | None = None) -> Kept:
    """The diary in a CSV text."""
    rows = rows_of(text, name)
    heads = [head.strip() for head in rows[0]]
    bad: list[str] = []
    good: dict[tuple[date, str, str], list[tuple[_Cell, Reading]]] = {}
    for cell in _cells(heads, rows, name, bad):
        try:
            day, reading = _reading(cell, until)
        except BadInput as wrong:
            bad.append(f"{cell.row} ({wrong})")
            continue
        good.setdefault((day, reading.scale, reading.where), []).append((cell, reading))
    days: dict[date, list[Reading]] = {}
    for (day, _, _), found in sorted(good.items(), key=lambda item: item[0]):
        if len(found) > 1:
            bad += [f"{cell.row} ({day} is given twice: {cell.scale})" for cell, _ in found]
        else:
            days.setdefault(day, []).append(found[0][1])
    made = tuple(DiaryDay(date=day, readings=tuple(days[day])) for day in sorted(days))
    return Kept(Diary(days=made, source=name) if made else None, tuple(bad))


def _cells(heads: list[str], rows: list[list[str]], name: str, bad: list[str]) -> Iterator[_Cell]:
    """Every reading of a table, long or wide; rows of another width are listed."""
    long = set(heads) >= LONG
    repeated = [head for head, count in Counter(heads).items() if count > 1]
    if repeated or "date" not in heads:
        problem = f"column {repeated[0]!r} stands twice" if repeated else "no column called date"
        raise BadInput(f"{name}:1", problem, "columns: date,scale,value,where; or date and scales")
    unknown = [head for head in heads if not long and head != "date" and not _scale(head)]
    unknown += [head for head in heads if long and head not in LONG | {"where"}]
    if unknown:
        raise UnknownName(f"{name}:1", "column", unknown[0], scales())
    for n, row in enumerate(rows[1:], start=2):
        as_it_stands = f"line {n}: {','.join(row)}"
        if len(row) != len(heads) and any(row):
            bad.append(f"{as_it_stands} ({len(row)} cells under {len(heads)} headings)")
        elif any(cell.strip() for cell in row):
            yield from _row(as_it_stands, dict(zip(heads, map(str.strip, row), strict=True)), long)


def _row(as_it_stands: str, row: dict[str, str], long: bool) -> Iterator[_Cell]:
    if long:
        where = row.get("where", "")
        yield _Cell(as_it_stands, row["date"], row["scale"], row["value"], where)
        return
    for head, value in row.items():
        if head != "date" and value:
            scale, _, where = head.partition(" at ")
            yield _Cell(as_it_stands, row["date"], scale, value, where)


def _scale(head: str) -> bool:
    return head.partition(" at ")[0] in scales()


def _reading(cell: _Cell, until: date | None) -> tuple[date, Reading]:
    """One reading, with a value that its scale can have."""
    day = date_in(cell.date)
    if day is None or "T" in cell.date:
        raise BadInput("date", f"not a day (value {cell.date!r})", "write it as 2026-11-16")
    if until is not None and day > until:
        raise BadInput("date", f"{day} is still to come")
    value: float | str = cell.value
    if cell.scale in scales() and not scales()[cell.scale].grades:
        value = _number(cell.value)
    number(cell.scale, value, "value")
    return day, Reading(scale=cell.scale, value=value, where=cell.where)


def _number(text: str) -> float:
    """A plain number; no formula, no comma, no words."""
    if not PLAIN.fullmatch(text):
        raise BadInput("value", f"not a plain number (value {text!r})")
    return float(text)
