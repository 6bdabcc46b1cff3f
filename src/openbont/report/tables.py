"""Tables as data, the marks of their sources, and the words for what files name."""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from openbont.catalog.muscles import words
from openbont.catalog.overview import disorders
from openbont.evidence import Source
from openbont.report.words import day, title_words

Content = dict[str, Any]
Table = dict[str, Any]
"""{caption, columns, align, rows, total, levels, widths}; every cell is text, ready to be read."""


def table(
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    total: Sequence[str] | None = None,
    widths: Sequence[float] = (),
) -> Table:
    """A table; columns of short numbers are set flush right; width 0 fits the content."""
    numeric = [all(_numeric(row[k]) for row in rows) for k in range(len(columns))]
    return {
        "caption": caption,
        "columns": list(columns),
        "align": ["right" if yes else "left" for yes in numeric],
        "rows": [list(row) for row in rows],
        "total": None if total is None else list(total),
        "levels": None,
        "widths": list(widths) or [1.0] * len(columns),
    }


def _numeric(cell: str) -> bool:
    return cell[:1].isdigit() and len(cell) <= 8


def marks(cited: Iterable[Source], sources: Sequence[Source]) -> str:
    """Numbers of the sources as printed: [1, 4]."""
    numbers = {_print(source): at for at, source in enumerate(sources, start=1)}
    found = sorted({numbers[_print(source)] for source in cited})
    return f"[{', '.join(map(str, found))}]" if found else ""


def distinct(sources: Iterable[Source]) -> list[Source]:
    """One source for each line as printed."""
    return list({_print(source): source for source in reversed(list(sources))}.values())[::-1]


def _print(source: Source) -> tuple[str, str, bool]:
    return source.text, source.address, source.verified


def in_words(text: str) -> str:
    """Text with names and dates as spoken: biceps_brachii.left -> left biceps brachii."""
    text = re.sub(r"\b[a-z_]+\.(?:left|right)\b", lambda name: words(name[0]), text)
    for disorder in disorders():
        text = text.replace(disorder, title_words(disorder))
    return re.sub(r"\b\d{4}-\d\d-\d\d\b", _day, text)


def _day(iso: re.Match[str]) -> str:
    """A date as spoken; what only looks like one stays."""
    try:
        return day(date.fromisoformat(iso[0]))
    except ValueError:
        return iso[0]
