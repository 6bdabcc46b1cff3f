"""Published rows as a forest plot whose lines are rows of a table: where each mark stands."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from openbont.report.words import number

Row = Mapping[str, Any]
WIDTH, EDGE = 320.0, 6.0
"""Of the picture in a row, and what stays free at either side."""
INSIDE = 1.96
KINDS = {
    "mean_change": "change",
    "median_change": "change",
    "diff_vs_placebo": "change",
    "responder_percent": "responders",
    "ae_percent": "people with an unwanted effect",
    "time_to_event": "time",
    "auc": "area under the curve",
}
"""What a row counts, in words; changes of one unit share a panel."""
SIGNS = (("<=", " ≤ "), (">=", " ≥ "), ("-", "−"))


def panels(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """A panel a unit, the longest first: its axis, and the rows with their marks."""
    groups = [list(group) for _, group in groupby(sorted(rows, key=_panel), key=_panel)]
    return [_drawn(group) for group in sorted(groups, key=len, reverse=True)]


def _panel(row: Row) -> tuple[str, str]:
    kind = str(row["value_type"])
    unit = "%" if row["unit"] == "percent" else row["unit"] or "no unit"
    return unit, KINDS.get(kind, kind.replace("_", " "))


def _drawn(rows: Sequence[Row]) -> dict[str, Any]:
    unit, kind = _panel(rows[0])
    spans = [span for row in rows for span in (_span(row, "observed"), _span(row, "predicted"))]
    low, high = min(0.0, *(one[0] for one in spans)), max(0.0, *(one[2] for one in spans))
    scale = (WIDTH - 2 * EDGE) / ((high - low) or 1.0)

    def at(value: float) -> float:
        return round(EDGE + (value - low) * scale, 1)

    return {
        "unit": unit,
        "kind": kind,
        "zero": at(0.0),
        "ends": [number(low), number(high)],
        "rows": [_line(row, at) for row in rows],
    }


def _line(row: Row, at: Any) -> dict[str, Any]:
    """One row in words and marks."""
    return {
        **{
            name: row[name]
            for name in ("row", "trial_id", "arm", "week", "inside", "use", "remark")
        },
        "measure": f"{row['measure'].replace('_', ' ')} {_rule(row['rule'])}".strip(),
        "z": row["z"],
        "observed": [at(value) for value in _span(row, "observed")],
        "predicted": [at(value) for value in _span(row, "predicted")],
        "observed_words": _words(row, "observed"),
        "predicted_words": _words(row, "predicted"),
    }


def _rule(rule: str) -> str:
    for written, printed in SIGNS:
        rule = rule.replace(written, printed)
    return rule


def _span(row: Row, name: str) -> tuple[float, float, float]:
    """Low end of the 95 % interval, middle, high end."""
    half = INSIDE * (row[f"se_{name}"] or 0.0)
    return row[name] - half, row[name], row[name] + half


def _words(row: Row, name: str) -> str:
    low, middle, high = _span(row, name)
    return f"{number(middle)} ({number(low, digits=2)} to {number(high, digits=2)})"
