"""Published rows beside predictions: text for a terminal, forest plots and a page."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from rich import box
from rich.console import Console
from rich.table import Table

from openbont.io import replace_file
from openbont.report.figures import BLUE, INK, RED, WIDTH_INCH, Picture, drawn, styled
from openbont.report.page import read_template
from openbont.report.words import NOT_KNOWN, number
from openbont.trials.summary import NAIVE
from openbont.trials.validate import INSIDE, SEEN, Validation

Row = Mapping[str, Any]
COLUMNS = ("rows", "trials", "inside", "95 %", "inside, trials alike", "bias, SE", "error, MID")
SKILLS = ("rows with toxin", "placebo alone", "one difference", "curve in dose")
ROWS = ("row", "trial", "arm", "measure", "week", "observed", "predicted", "z", "use", "remark")
_AXES = (
    ("by_read", "Read in a source, or recalled"),
    ("by_disorder", "By disorder"),
    ("by_disorder_and_use", "By disorder and use"),
    ("by_dose", "By dose: thirds of the doses of a disorder and product"),
    ("by_week", "By week"),
    ("by_product", "By product"),
    ("by_population", "By population"),
)
_ROW_INCH = 0.19


def show_validation(page: Console, found: Validation) -> None:
    """The summary and what is not predicted."""
    said = found.summary()
    page.print(f"{said['predicted']} of {said['rows']} scored rows of {found.evidence} predicted")
    page.print(_text_table("Inside the 95 % interval", COLUMNS, _first_lines(said)))
    page.print(_text_table("By disorder", COLUMNS, _figure_lines(said["by_disorder"])))
    page.print(_text_table("Skill against naive models", SKILLS, _skill_lines(said["skill"])))
    won = said["disorders_won"]
    page.print(f"better than all three in {won['won']} of the {won['of']} largest disorders")
    for one in said["not_predicted"]:
        page.print(f"row {one['row']} {one['trial_id']}, {one['measure']}: {one['reason']}")


def _text_table(title: str, columns: Sequence[str], lines: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, box=box.SIMPLE, title_justify="left")
    for at, name in enumerate(("", *columns)):
        table.add_column(name, justify="right" if at else "left")
    for line in lines:
        table.add_row(*line)
    return table


def _first_lines(said: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """All rows, calibrate and validate, and those for validation that nobody had seen."""
    groups = {"all": said["all"], **said["by_use"]}
    if SEEN and said["validate_not_seen"]["n"]:
        groups["validate, without rows that were seen"] = said["validate_not_seen"]
    return _figure_lines(groups)


def _figure_lines(groups: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, ...]]:
    return [(name, *_figures(one)) for name, one in groups.items() if one["n"]]


def _figures(one: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        str(one["n"]),
        str(one["trials"]),
        f"{one['coverage']:.0%}",
        _ends(one["coverage_interval"], "{:.0%}"),
        f"{one['coverage_without_between_trials']:.0%}",
        f"{one['bias_in_standard_errors']:+.2f}",
        _margins(one),
    )


def _margins(one: Mapping[str, Any]) -> str:
    if one["error_in_margins"] is None:
        return "none known"
    return f"{one['error_in_margins']:.2f} ({one['rows_with_a_margin']} rows)"


def _ends(ends: Sequence[float] | None, form: str) -> str:
    return NOT_KNOWN if ends is None else " to ".join(form.format(end) for end in ends)


def _skill_lines(skill: Mapping[str, Any]) -> list[tuple[str, ...]]:
    groups = {name: skill[name] for name in ("all", "calibrate", "validate")}
    groups |= skill["by_disorder"]
    return [(name, *_skills(one)) for name, one in groups.items() if one["n"]]


def _skills(one: Mapping[str, Any]) -> tuple[str, ...]:
    return (str(one["n"]), *(_skill(one, name) for name in NAIVE))


def _skill(one: Mapping[str, Any], name: str) -> str:
    if one[name] is None:
        return NOT_KNOWN
    ends = one[f"{name}_interval"]
    return f"{one[name]:+.2f}" + (f" ({_ends(ends, '{:+.2f}')})" if ends else "")


@styled
def forest(disorder: str, rows: Sequence[Row]) -> Picture:
    """Observed with its 95 % interval beside predicted with its own, a panel a unit."""
    panels = [list(group) for _, group in groupby(sorted(rows, key=_panel), key=_panel)]
    heights = [len(panel) + 2 for panel in panels]
    inches = _ROW_INCH * sum(heights) + 0.5 * len(panels) + 0.5
    figure = Figure(figsize=(WIDTH_INCH, inches), layout="constrained")
    grid = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights).ravel()
    for axes, panel in zip(grid, panels, strict=True):
        _draw(axes, panel)
    handles = [
        Line2D([], [], color=INK, marker="o", linestyle="-", label="observed"),
        Line2D([], [], color=BLUE, marker="s", linestyle="--", label="predicted, calibrate"),
        Line2D([], [], color=RED, marker="D", linestyle="--", label="predicted, validate or other"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    met = sum(bool(row["inside"]) for row in rows)
    summary = f"{disorder}: {met} of {len(rows)} rows inside the 95 % interval."
    return drawn(f"forest-{disorder.replace('.', '-')}", disorder, figure, summary)


def _panel(row: Row) -> tuple[str, str]:
    kind = "change" if row["value_type"] in ("diff_vs_placebo", "median_change") else ""
    return row["unit"] or "no unit", kind or str(row["value_type"]).replace("mean_change", "change")


def _draw(axes: Axes, rows: Sequence[Row]) -> None:
    at = np.arange(len(rows))[::-1]
    for place, row in zip(at, rows, strict=True):
        fitted = row["use"] == "calibrate"
        marks = (
            (0.16, row["observed"], row["se_observed"], INK, "o", "-"),
            (
                -0.16,
                row["predicted"],
                row["se_predicted"],
                BLUE if fitted else RED,
                "s" if fitted else "D",
                "--",
            ),
        )
        for up, middle, se, colour, marker, line in marks:
            ends = [middle - INSIDE * (se or 0), middle + INSIDE * (se or 0)]
            axes.plot(ends, [place + up] * 2, color=colour, linestyle=line, linewidth=0.9)
            axes.plot([middle], [place + up], color=colour, marker=marker, markersize=3)
    axes.set_yticks(at, [_row_words(row) for row in rows])
    axes.set_ylim(-0.8, len(rows) - 0.2)
    axes.set_xlabel(f"{rows[0]['unit']} ({_panel(rows[0])[1].replace('_', ' ')})")
    axes.axvline(0, color=INK, linewidth=0.4, alpha=0.4)


def _row_words(row: Row) -> str:
    when = f"week {row['week']}" if row["week"] else ""
    missed = "" if row["inside"] else " ✗"
    said = [row["trial_id"][:22], row["arm"][:24], row["measure"][:22], when]
    return f"{row['row']} " + ", ".join(filter(None, said)) + missed


def write_validation(folder: Path, found: Validation) -> Path:
    """Write validation.html into `folder`, which is made if need be."""
    said, rows = found.summary(), found.rows
    known = [row for row in rows if row["z"] is not None]
    disorders = sorted({row["disorder"] for row in known})
    plots = [forest(one, [row for row in known if row["disorder"] == one]) for one in disorders]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    page = environment.from_string(read_template("validation.html.j2")).render(
        evidence=found.evidence,
        seed=found.seed,
        said=said,
        seen=SEEN,
        plots=[(one, Markup(one.svg.replace(INK, "currentColor"))) for one in plots],
        tables=_tables(said),
        rows=[_cells(row) for row in known],
        columns=ROWS,
        unread=[row for row in rows if row["z"] is None],
        css=Markup(read_template("report.css")),
    )
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / "validation.html", page.encode())
    return folder / "validation.html"


def _tables(said: Mapping[str, Any]) -> list[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
    return [
        ("Inside the 95 % interval", COLUMNS, _first_lines(said)),
        ("Skill against models that know no toxin", SKILLS, _skill_lines(said["skill"])),
        *((title, COLUMNS, _figure_lines(said[name])) for name, title in _AXES),
    ]


def _cells(row: Row) -> tuple[str, ...]:
    rule = f"{row['measure']} {row['rule']}".strip()
    remark = "; ".join(filter(None, (row["remark"], "seen" if row["seen"] else "")))
    return (
        str(row["row"]),
        row["trial_id"],
        row["arm"],
        rule,
        row["week"],
        f"{number(row['observed'])} ({number(row['se_observed'], digits=2)})",
        f"{number(row['predicted'])} ({number(row['se_predicted'], digits=2)})",
        f"{row['z']:+.1f}" + ("" if row["inside"] else " ✗"),
        f"{row['use']}, {row['read']}".strip(", "),
        remark,
    )
