"""Four pictures of a course, as SVG text that is the same byte for byte on every run.

Nothing is told by colour alone: lines differ in style and are named beside them.
Colours are those of Okabe and Ito (2008), safe for colour-blind readers.
"""

import io
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MultipleLocator, NullFormatter, PercentFormatter
from numpy.typing import NDArray

from openbont.catalog.muscles import words
from openbont.forward.outcome import GoalOutcome, Outcome
from openbont.patient import Patient
from openbont.plan import Plan
from openbont.report.words import listed, number, percent

if TYPE_CHECKING:  # the chain needs jax; a picture does not
    from openbont.forward.chain import Course

Array = NDArray[np.float64]

INK = "#1a1a1a"
"""The one colour of text and axes; a page with a dark mode replaces it."""
BLUE, RED, GREEN = "#0072B2", "#D55E00", "#009E73"
PURPLE, ORANGE, SKY = "#CC79A7", "#E69F00", "#56B4E9"
LOOKS: tuple[tuple[str, Any], ...] = (
    (BLUE, "-"),
    (RED, "--"),
    (GREEN, "-."),
    (PURPLE, (0, (1, 1))),
    (ORANGE, (0, (6, 1.5))),
    (SKY, (0, (3, 1, 1, 1, 1, 1))),
)
WIDTH_INCH = 6.7  # text of an A4 page with 20 mm margins
SPARED_SHOWN = 5
STYLE: dict[str, Any] = {
    "svg.hashsalt": "openbont",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "axes.titlesize": 7.5,
    "axes.labelsize": 7.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "text.parse_math": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.linewidth": 0.6,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.4,
}
_styled = style.context(["default", STYLE])


@dataclass(frozen=True)
class Picture:
    """A figure with the sentence that says what it shows."""

    name: str
    title: str
    svg: str
    summary: str


def pictures(
    course: "Course", untreated: "Course", outcome: Outcome, plan: Plan, patient: Patient
) -> list[Picture]:
    """The four pictures of one course, in the order of the report."""
    return [
        course_picture(course, untreated, outcome),
        strength_picture(course, plan, patient),
        exposure_picture(course, plan),
        chain_picture(course, plan),
    ]


@_styled
def course_picture(course: "Course", untreated: "Course", outcome: Outcome) -> Picture:
    """Each goal's reading by week, with and without toxin, beside the goal."""
    figure, panels = _panels(len(outcome.goals), columns=3, height=1.75)
    for axes, goal in zip(panels, outcome.goals, strict=True):
        treated, natural = (_array(c.of(goal.scale, goal.where)) for c in (course, untreated))
        _fan(axes, _weeks(course), treated, BLUE)
        axes.plot(_weeks(untreated), np.median(natural, axis=0), color=RED, linestyle="--")
        axes.axhline(goal.target, color=INK, linestyle=":", linewidth=1)
        _at_goal_bar(axes, _weeks(course), np.median(treated, axis=0) <= goal.target)
        _titled(axes, goal.words)
        axes.set_ylabel(goal.unit)
        axes.margins(y=0.12)
    _legend(
        figure,
        Line2D([], [], color=BLUE, label="with toxin, median"),
        *_band_keys(BLUE),
        Line2D([], [], color=RED, linestyle="--", label="without toxin, median"),
        Line2D([], [], color=INK, linestyle=":", linewidth=1, label="goal"),
        Line2D([], [], color=GREEN, linewidth=3, label="weeks in which the median meets the goal"),
    )
    summary = "; ".join(_goal_sentence(goal) for goal in outcome.goals)
    return _picture("course", "Expected course", figure, f"Median of the draws: {summary}.")


@_styled
def strength_picture(course: "Course", plan: Plan, patient: Patient) -> Picture:
    """Strength kept by week: the functions watched, then each injected muscle."""
    floors = {keep.function: keep.at_least for keep in patient.keep}
    kept = _strengths(course, plan)
    groups: dict[str, list[str]] = {}
    for where in kept:
        groups.setdefault(where.split(".")[0], []).append(where)
    figure, panels = _panels(len(groups), columns=4, height=1.3)
    for axes, members in zip(panels, groups.values(), strict=True):
        for where in members:
            line = "--" if where.endswith(".right") and len(members) > 1 else "-"
            _fan(axes, _weeks(course), kept[where], RED if line == "--" else BLUE, line)
            if where in floors:
                axes.axhline(floors[where], color=INK, linestyle=":", linewidth=1)
        name = words(members[0])
        _titled(axes, name if len(members) == 1 else name.partition(" ")[2], wrap=26)
        _share_axis(axes)
    two_sided = any(len(members) > 1 for members in groups.values())
    _legend(figure, *_strength_keys(two_sided, bool(floors)))
    return _picture("strength", "Strength kept", figure, _strength_sentence(course, kept))


@_styled
def exposure_picture(course: "Course", plan: Plan) -> Picture:
    """Share of a structure's end plates that captured at least so much, as a dose-volume plot."""
    given_u = _given_u(plan)
    target = [name for name in course.structures if given_u.get(name, 0) > 0]
    spared = [name for name in _most_exposed(course) if name not in given_u][:SPARED_SHOWN]
    grid = _exposure_grid(course)
    figure, panels = _panels(2, columns=2, height=2.3)
    for axes, names, title in zip(
        panels, (target, spared), ("injected", "spared, the most exposed"), strict=True
    ):
        for name, (colour, line) in zip(names, _looks(len(names)), strict=True):
            share = np.median(_at_least(course, name, grid), axis=0)
            axes.plot(grid, share, color=colour, linestyle=line, label=words(name))
        _titled(axes, title)
        _exposure_axis(axes, plan)
        if names:
            axes.legend(loc="upper left", bbox_to_anchor=(0, -0.24), ncols=2, borderaxespad=0)
    summary = _exposure_sentence(course, target, spared)
    return _picture("exposure", "Exposure of end plates", figure, summary)


@_styled
def chain_picture(course: "Course", plan: Plan) -> Picture:
    """Captured toxin -> intact SNAP-25 -> release -> force, for the most injected muscle."""
    given_u = _given_u(plan)
    name = max(course.structures, key=lambda structure: given_u.get(structure, 0))
    at = course.structures.index(name)
    grid = _exposure_grid(course)
    figure, panels = _panels(4, columns=4, height=1.55)
    _fan(panels[0], grid, _at_least(course, name, grid), BLUE)
    _exposure_axis(panels[0], plan)
    stages = (_mean(course, course.intact, at), _mean(course, course.release, at))
    stages = (*stages, _array(course.response.force)[:, :, at])
    for axes, draws in zip(panels[1:], stages, strict=True):
        _fan(axes, _weeks(course), draws, BLUE)
        _share_axis(axes)
    titles = ("1  toxin captured →", "2  SNAP-25 intact →", "3  transmitter released →", "4  force")
    for axes, title in zip(panels, titles, strict=True):
        _titled(axes, title)
    least = [percent(float(np.median(draws, axis=0).min())) for draws in stages]
    summary = (
        f"In {words(name)} the median share of intact SNAP-25 falls to {least[0]}, "
        f"transmitter release to {least[1]} and force to {least[2]} of what they were before."
    )
    return _picture("chain", f"How it works, in {words(name)}", figure, summary)


# --- what is drawn -------------------------------------------------------------------------------


def _array(values: Any) -> Array:
    return np.asarray(values, dtype=np.float64)


def _weeks(course: "Course") -> Array:
    return _array(course.day) / 7


def _given_u(plan: Plan) -> dict[str, float]:
    """Units by structure over all sessions, for choosing what to draw."""
    given_u: dict[str, float] = {}
    for session in plan.sessions:
        for injection in session.injections:
            held_u = given_u.get(injection.structure, 0.0)
            given_u[injection.structure] = held_u + injection.dose_u
    return given_u


def _mean(course: "Course", stage: Any, at: int) -> Array:
    """Mean over the end plates of one structure: [draw day]."""
    weight = _array(course.weight)[:, None, at]
    return np.asarray((_array(stage)[:, :, at] * weight).sum(axis=-1))


def _captured(course: "Course") -> Array:
    """Captured at the first session: [draw structure node]."""
    return _array(course.captured)[:, 0]


def _most_exposed(course: "Course") -> list[str]:
    mean = (_captured(course) * _array(course.weight)).sum(axis=-1)
    order = np.argsort(-np.median(mean, axis=0), kind="stable")
    return [course.structures[k] for k in order]


def _exposure_grid(course: "Course") -> Array:
    """Three decades of U/cm3 up to the highest value captured."""
    top = max(float(np.quantile(_captured(course), 0.999)), 1e-6)
    return np.asarray(np.geomspace(top / 1000, top, 121))


def _at_least(course: "Course", name: str, grid: Array) -> Array:
    """Share of end plates with at least `grid` captured: [draw grid]."""
    at = course.structures.index(name)
    reached = _captured(course)[:, at, :, None] >= grid
    return np.asarray((reached * _array(course.weight)[:, at, :, None]).sum(axis=1))


def _strengths(course: "Course", plan: Plan) -> dict[str, Array]:
    """Share of strength kept [draw day], by function, then by injected muscle."""
    kept = {
        measure.where: _array(course.of(measure.scale, measure.where))
        for measure in course.measures
        if measure.scale == "strength"
    }
    force = _array(course.response.force)
    for name in _given_u(plan):
        kept[name] = force[:, :, course.structures.index(name)]
    return kept


# --- one sentence each ---------------------------------------------------------------------------


def _goal_sentence(goal: GoalOutcome) -> str:
    return (
        f"{goal.words} goes from {number(goal.baseline.median, digits=2)} to "
        f"{number(goal.best.median, goal.unit, 2)} in week {number(goal.best_week)}, "
        f"goal {number(goal.target)}"
    )


def _strength_sentence(course: "Course", kept: dict[str, Array]) -> str:
    lowest = {where: np.median(draws, axis=0) for where, draws in kept.items()}
    weakest = sorted(lowest, key=lambda where: float(lowest[where].min()))[:2]
    parts = [
        f"{words(where)} keeps {percent(float(lowest[where].min()))} of its strength in "
        f"week {number(float(_weeks(course)[int(lowest[where].argmin())]))}"
        for where in weakest
    ]
    return f"Median at the weakest moment: {listed(parts)}."


def _exposure_sentence(course: "Course", target: list[str], spared: list[str]) -> str:
    def half(name: str) -> str:
        at = course.structures.index(name)
        value = float(np.median(np.median(_captured(course)[:, at], axis=-1)))
        return f"{words(name)} ({number(value, digits=2)} U/cm³)"

    most = f"Half of the end plates capture most in {half(target[0])}" if target else "No dose"
    return f"{most}; of the spared structures in {half(spared[0])}." if spared else f"{most}."


# --- how it is drawn -----------------------------------------------------------------------------


def _panels(count: int, columns: int, height: float) -> tuple[Figure, list[Axes]]:
    """A figure as wide as the text, with `count` panels in rows."""
    columns = min(columns, max(count, 1))
    rows = -(-count // columns)
    figure = Figure(figsize=(WIDTH_INCH, height * rows + 0.45), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for spare in grid[count:]:
        spare.remove()
    return figure, list(grid[:count])


def _fan(axes: Axes, x: Array, draws: Array, colour: str, line: str = "-") -> None:
    """Median with the central 50 % and 90 % of the draws."""
    low, quarter, median, three, high = np.quantile(draws, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0)
    axes.fill_between(x, low, high, color=colour, alpha=0.16, linewidth=0)
    axes.fill_between(x, quarter, three, color=colour, alpha=0.24, linewidth=0)
    axes.plot(x, median, color=colour, linestyle=line)
    if axes.get_xscale() == "linear":
        axes.set_xlabel("weeks")
        axes.xaxis.set_major_locator(MultipleLocator(4))
        axes.set_xlim(x[0], x[-1])


def _at_goal_bar(axes: Axes, weeks: Array, meets: NDArray[np.bool_]) -> None:
    """A thick bar at the foot of the panel over the weeks at goal."""
    where = np.where(meets, 0.02, np.nan)
    axes.plot(weeks, where, color=GREEN, linewidth=3, transform=axes.get_xaxis_transform())


def _share_axis(axes: Axes) -> None:
    axes.set_ylim(0, 1.04)
    axes.yaxis.set_major_locator(MultipleLocator(0.5))
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))


def _exposure_axis(axes: Axes, plan: Plan) -> None:
    _share_axis(axes)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("U/cm³ captured, at least")
    axes.set_ylabel("share of end plates")


def _titled(axes: Axes, title: str, wrap: int = 38) -> None:
    axes.set_title(textwrap.fill(title, wrap))


def _looks(count: int) -> Iterable[tuple[str, Any]]:
    return (LOOKS[k % len(LOOKS)] for k in range(count))


def _band_keys(colour: str) -> list[Patch]:
    return [
        Patch(facecolor=colour, alpha=0.4, label="50 % of draws"),
        Patch(facecolor=colour, alpha=0.16, label="90 % of draws"),
    ]


def _strength_keys(two_sided: bool, floors: bool) -> list[Line2D | Patch]:
    label = "median, left" if two_sided else "median"
    keys: list[Line2D | Patch] = [Line2D([], [], color=BLUE, label=label), *_band_keys(BLUE)]
    if two_sided:
        keys.append(Line2D([], [], color=RED, linestyle="--", label="median, right"))
    if floors:
        keys.append(Line2D([], [], color=INK, linestyle=":", label="strength asked to be kept"))
    return keys


def _legend(figure: Figure, *keys: Any) -> None:
    figure.legend(handles=keys, loc="outside upper left", ncols=3, borderaxespad=0.2)


def _picture(name: str, title: str, figure: Figure, summary: str) -> Picture:
    held = io.StringIO()
    figure.savefig(held, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return Picture(name, title, _inline(held.getvalue(), name), summary)


def _inline(svg: str, name: str) -> str:
    """The svg element alone, its ids made unique to this picture so that several share a page."""
    element = svg[svg.index("<svg") :]
    element = re.sub(r"<metadata>.*?</metadata>\s*", "", element, flags=re.DOTALL)
    return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", element)
