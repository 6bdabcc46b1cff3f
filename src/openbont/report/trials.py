"""The result of a virtual trial as text for a terminal, as a picture and as a page."""

from pathlib import Path
from textwrap import fill
from typing import Any, Literal

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter
from rich import box
from rich.console import Console
from rich.table import Table

from openbont.catalog.muscles import words
from openbont.catalog.scales import placed, scale
from openbont.design import Endpoint
from openbont.io import replace_file
from openbont.report.figures import COLOURS, INK, WIDTH_INCH, Picture, drawn, styled
from openbont.report.page import read_template
from openbont.report.words import number
from openbont.trials.result import TrialResult

COLUMNS = ("arm", "week", "patients", "mean", "SD", "difference", "95 %", "power")
_TITLE = 42  # letters of a line above a panel
LINES: tuple[Literal["-", "--", ":", "-."], ...] = ("-", "--", ":", "-.")


def sizes(result: TrialResult, power: float) -> list[dict[str, Any]]:
    """Patients an arm that each arm needs for this power at the primary endpoint."""
    first = result.design.endpoints[0]
    track = result.tracks.index(first.model_copy(update={"week": 0.0}))
    visit = result.design.weeks.index(first.week)
    return [
        {
            "arm": arm.name,
            "endpoint": endpoint_words(first),
            "week": first.week,
            "power": power,
            "patients": result.patients_for(power, at, track, visit),
        }
        for at, arm in enumerate(result.design.groups)
        if at != result.design.reference
    ]


def show_trial(page: Console, result: TrialResult, needed: list[dict[str, Any]]) -> None:
    """A table an endpoint: arms by visits, then what differs and the power."""
    design = result.design
    page.print(f"{design.name}: {design.patients} patients an arm, {design.replicates} runs")
    for track, endpoint in enumerate(result.tracks):
        table = Table(title=endpoint_words(endpoint), box=box.SIMPLE, title_justify="left")
        for at, name in enumerate(COLUMNS):
            table.add_column(name, justify="right" if at else "left")
        for row in _lines(result, track):
            table.add_row(*row)
        page.print(table)
    page.print(
        "SD between patients; 95 % of trials of this size; power at a two-sided level of 5 %"
    )
    for one in needed:
        page.print(_size_words(one))


def _size_words(one: dict[str, Any]) -> str:
    wanted = f"{one['arm']}: for a power of {one['power']:.0%} at week {one['week']:g}"
    if one["patients"] is None:
        return f"{wanted} 100,000 patients an arm are not enough"
    return f"{wanted} about {one['patients']} patients an arm"


def _lines(result: TrialResult, track: int) -> list[tuple[str, ...]]:
    """Cells of one table, a row an arm and visit."""
    return [
        (
            row["arm"],
            f"{row['week']:g}",
            f"{row['patients']:.0f}",
            *_mean(row),
            *(_difference(row) if "difference" in row else ("", "", "")),
        )
        for row in result.rows()
        if _is(row, result.tracks[track])
    ]


def _is(row: dict[str, Any], endpoint: Endpoint) -> bool:
    named = (endpoint.scale, endpoint.where, endpoint.rule)
    return (row["scale"], row["where"], row["rule"]) == named


def _mean(row: dict[str, Any]) -> tuple[str, str]:
    if row["rule"]:
        return f"{100 * row['mean']:.0f} %", ""
    return number(row["mean"], digits=3), number(row["sd"], digits=2)


def _difference(row: dict[str, Any]) -> tuple[str, str, str]:
    factor, unit = (100, "%") if row["rule"] else (1, "")
    middle, low, high = (
        number(factor * row[name], unit, 2) for name in ("difference", "low", "high")
    )
    return middle, f"{low} to {high}", f"{row['power']:.0%}"


def endpoint_words(endpoint: Endpoint) -> str:
    """What an endpoint counts."""
    places = (endpoint.where, *endpoint.also_at)
    named = [words(one) if one else "rater" for one in places]
    where = " and ".join(named) if endpoint.also_at else named[0] if places[0] else ""
    read, unit = placed(scale(endpoint.scale).words, where), scale(endpoint.scale).unit
    return f"{read}: {_rule_words(endpoint.rule) if endpoint.rule else f'change, {unit}'}"


def _rule_words(rule: str) -> str:
    """A rule as it is printed: value<=1 as value ≤ 1."""
    for written, printed in (("<=", " ≤ "), (">=", " ≥ "), ("-", "−")):
        rule = rule.replace(written, printed)
    return rule


@styled
def trial_picture(result: TrialResult) -> Picture:
    """Mean change or responders by week, a panel an endpoint, a line an arm."""
    count = len(result.tracks)
    columns = min(count, 2)
    rows = -(-count // columns)
    figure = Figure(figsize=(WIDTH_INCH, 2.4 * rows + 0.4), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for spare in panels[count:]:
        spare.remove()
    for track, axes in enumerate(panels[:count]):
        _draw(axes, result, track)
    handles: list[Any] = [
        Line2D([], [], color=COLOURS[at % 7], linestyle=LINES[at % 4], label=arm.name)
        for at, arm in enumerate(result.design.groups)
    ]
    band = Patch(facecolor=INK, alpha=0.15, label="95 % of trials of this size")
    figure.legend(handles=[*handles, band], loc="outside lower center", ncols=2)
    summary = " ".join(_told(row) for row in result.rows() if _primary(row, result))
    return drawn("trial", result.design.name, figure, summary)


def _draw(axes: Axes, result: TrialResult, track: int) -> None:
    weeks = np.array(result.design.weeks)
    endpoint = result.tracks[track]
    for at in range(len(result.design.arms)):
        runs = result.mean[:, at, track]
        own = np.sqrt((result.variance[:, at, track] / result.sums[0][:, at, track]).mean(0))
        spread = runs.std(0, ddof=1) if len(runs) > 1 else 0.0
        half = 1.96 * np.hypot(own, spread)
        middle = runs.mean(0)
        colour = COLOURS[at % 7]
        axes.plot(weeks, middle, color=colour, linestyle=LINES[at % 4], marker="o", markersize=2.5)
        axes.fill_between(weeks, middle - half, middle + half, color=colour, alpha=0.15, lw=0)
    axes.set(title=fill(endpoint_words(endpoint), _TITLE), xlabel="week", xticks=weeks)
    if endpoint.rule:
        axes.yaxis.set_major_formatter(PercentFormatter(1))


def _primary(row: dict[str, Any], result: TrialResult) -> bool:
    first = result.design.endpoints[0]
    return _is(row, first) and row["week"] == first.week


def _told(row: dict[str, Any]) -> str:
    said = f"{row['arm']}, week {row['week']:g}: {_mean(row)[0]}"
    if "difference" in row:
        middle, band, power = _difference(row)
        said += f", difference {middle} ({band}), power {power}"
    return f"{said}."


def write_trial(folder: Path, result: TrialResult, needed: list[dict[str, Any]]) -> Path:
    """Write trial.html and trial.svg into `folder`, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    picture = trial_picture(result)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    page = environment.from_string(read_template("trial.html.j2")).render(
        design=result.design,
        seed=result.seed,
        picture=picture,
        svg=Markup(picture.svg.replace(INK, "currentColor")),
        tables=[
            (endpoint_words(endpoint), _lines(result, track))
            for track, endpoint in enumerate(result.tracks)
        ],
        columns=COLUMNS,
        sizes=[_size_words(one) for one in needed],
        css=Markup(read_template("report.css")),
    )
    replace_file(folder / "trial.svg", picture.svg.encode())
    replace_file(folder / "trial.html", page.encode())
    return folder / "trial.html"
