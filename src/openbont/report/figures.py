"""Pictures of a course, as SVG text that is the same byte for byte on every run.

Nothing is told by colour alone: lines differ in style and are named beside them.
Colours are those of Okabe and Ito (2008), safe for colour-blind readers.
"""

import io
import re
import textwrap
from collections.abc import Sequence
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

from openbont.catalog.muscles import base, words
from openbont.forward.outcome import GoalOutcome, Outcome
from openbont.patient import Patient
from openbont.plan import Plan
from openbont.report.readings import other_readings, reading_name, side_by_side
from openbont.report.words import listed, number, percent, scale_words, week

if TYPE_CHECKING:  # the chain needs jax; a picture does not
    from openbont.forward.chain import Course
    from openbont.forward.disorders.interface import Measure

Array = NDArray[np.float64]

INK = "#1a1a1a"
"""The one colour of text and axes; a page with a dark mode replaces it."""
BLUE, RED, GREEN = "#0072B2", "#D55E00", "#009E73"
PURPLE, ORANGE, SKY = "#CC79A7", "#E69F00", "#56B4E9"
COLOURS = (BLUE, RED, GREEN, PURPLE, ORANGE, SKY, INK)
WIDTH_INCH = 6.7  # text of an A4 page with 20 mm margins
MOST_PANELS = 12
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
styled = style.context(["default", STYLE])
"""Decorates what draws."""


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
    """The pictures of one course, in the order of the report."""
    more = other_readings(course, untreated, patient)[:MOST_PANELS]
    return [
        course_picture(course, untreated, outcome),
        *([readings_picture(course, untreated, more)] if more else []),
        *([strength_picture(course, patient)] if _has_strength(course) else []),
        muscles_picture(course, plan),
        chain_picture(course, plan),
    ]


@styled
def course_picture(course: "Course", untreated: "Course", outcome: Outcome) -> Picture:
    """Each goal's reading by week, with and without toxin, beside the goal."""
    figure, panels = _panels(len(outcome.goals), columns=3, height=1.6)
    for axes, goal in zip(panels, outcome.goals, strict=True):
        treated, natural = (_array(c.of(goal.scale, goal.where)) for c in (course, untreated))
        _fan(axes, _weeks(course), treated, BLUE)
        axes.plot(_weeks(untreated), np.median(natural, axis=0), color=RED, linestyle="--")
        axes.axhline(goal.target, color=INK, linestyle=":", linewidth=1)
        sign = 1 if goal.better == "lower" else -1
        better = sign * np.median(natural - treated, axis=0) >= _margin(course, goal)
        reached = sign * np.median(treated, axis=0) <= sign * goal.target
        _bar(axes, _weeks(course), reached, GREEN, 3, 0.02)
        _bar(axes, _weeks(course), better, INK, 1, 0.06)
        _titled(axes, goal.words)
        axes.set_ylabel(", ".join(filter(None, [scale_words(goal.scale), goal.unit])))
        axes.margins(y=0.16)
    _legend(
        figure,
        Line2D([], [], color=BLUE, label="with toxin, median"),
        *_band_keys(BLUE),
        Line2D([], [], color=RED, linestyle="--", label="without toxin, median"),
        Line2D([], [], color=INK, linestyle=":", linewidth=1, label="goal"),
        Line2D([], [], color=GREEN, linewidth=3, label="weeks with the median at the goal"),
        Line2D([], [], color=INK, linewidth=1, label="weeks noticeably better than without"),
    )
    summary = "; ".join(_goal_sentence(goal) for goal in outcome.goals)
    return drawn("course", "Expected course", figure, f"Median of the draws: {summary}.")


@styled
def readings_picture(course: "Course", untreated: "Course", more: "Sequence[Measure]") -> Picture:
    """Readings that are no goal, by week, with and without toxin."""
    figure, panels = _panels(len(more), columns=4, height=1.25)
    for axes, measure in zip(panels, more, strict=True):
        treated, natural = (_array(c.of(measure.scale, measure.where)) for c in (course, untreated))
        _fan(axes, _weeks(course), treated, BLUE)
        axes.plot(_weeks(untreated), np.median(natural, axis=0), color=RED, linestyle="--")
        _titled(axes, reading_name(measure), wrap=24)
        axes.set_ylabel("" if measure.unit.startswith("share") else measure.unit)
        axes.xaxis.set_major_locator(MultipleLocator(8 if _weeks(course)[-1] <= 24 else 24))
        axes.margins(y=0.16)
    _legend(
        figure,
        Line2D([], [], color=BLUE, label="with toxin, median"),
        *_band_keys(BLUE),
        Line2D([], [], color=RED, linestyle="--", label="without toxin, median"),
        columns=4,
    )
    summary = f"Medians of {listed([measure.words for measure in more])}; numbers in the table."
    return drawn("readings", "Other readings", figure, summary)


@styled
def strength_picture(course: "Course", patient: Patient) -> Picture:
    """Strength of the watched functions by week, beside what the patient asked to keep."""
    kept = {
        measure.where: _array(course.of(measure.scale, measure.where))
        for measure in course.measures
        if measure.scale == "strength"
    }
    floors = {keep.function: keep.at_least for keep in patient.keep}
    figure = _kept_figure(course, kept, floors)
    summary = f"At its weakest {_weakest(course, kept)}."
    return drawn("strength", "Strength kept by function", figure, summary)


@styled
def patients_picture(names: tuple[str, str], first: "Course", second: "Course") -> Picture:
    """One plan in two patients: medians with their bands, of what differs most."""
    both = [one for one, _ in side_by_side(first, second) if one in first.measures]
    shared = [one for one in both if one in second.measures]
    shown = sorted(shared, key=lambda one: -_apart(one, first, second))[:MOST_PANELS]
    figure, panels = _panels(len(shown), columns=4, height=1.25)
    for axes, measure in zip(panels, shown, strict=True):
        for course, colour, line in ((first, BLUE, "-"), (second, RED, "--")):
            _fan(
                axes, _weeks(course), _array(course.of(measure.scale, measure.where)), colour, line
            )
        _titled(axes, reading_name(measure), wrap=24)
        axes.xaxis.set_major_locator(MultipleLocator(8 if _weeks(course)[-1] <= 24 else 24))
    _legend(
        figure,
        Line2D([], [], color=BLUE, label=names[0]),
        *_band_keys(BLUE),
        Line2D([], [], color=RED, linestyle="--", label=f"{names[1]} (thin: 90 % of draws)"),
        columns=4,
    )
    summary = "Medians with 90 % of the draws. No number here says that a dose is safe."
    return drawn("patients", "One plan in two patients", figure, summary)


@styled
def observed_picture(
    weeks: Array, panels: Sequence[tuple["Measure", Array, Sequence[tuple[float, float]]]]
) -> Picture:
    """Readings after a session in the band they were expected in, one panel a measure."""
    figure, axes = _panels(len(panels), columns=3, height=1.7)
    for panel, (measure, (low, median, high), points) in zip(axes, panels, strict=True):
        panel.fill_between(weeks, low, high, color=BLUE, alpha=0.2, linewidth=0)
        panel.plot(weeks, median, color=BLUE)
        panel.plot(*zip(*points, strict=True), color=RED, marker="D", linestyle="none")
        panel.set_xlabel("weeks")
        panel.xaxis.set_major_locator(MultipleLocator(4 if weeks[-1] <= 24 else 12))
        panel.set_xlim(0, weeks[-1])
        if measure.grades:
            panel.set_yticks([at for _, at in measure.grades], [name for name, _ in measure.grades])
            panel.set_ylim(min(low) - 0.2, max(high) + 0.2)
        _titled(panel, reading_name(measure))
    _legend(
        figure,
        Line2D([], [], color=BLUE, label="expected reading, median"),
        Patch(facecolor=BLUE, alpha=0.2, label="90 % of readings"),
        Line2D([], [], color=RED, marker="D", linestyle="none", label="read"),
    )
    return drawn(
        "observed", "Predicted against observed", figure, "What was read, beside what was expected."
    )


@styled
def muscles_picture(course: "Course", plan: Plan) -> Picture:
    """Force of each injected muscle by week; release of an injected gland."""
    force, drive = (_array(share) for share in (course.response.force, course.response.drive))
    kept = {
        name: (drive if name in course.glands else force)[:, :, course.structures.index(name)]
        for name in _given_u(plan)
    }
    figure = _kept_figure(course, kept, {})
    summary = f"The most affected: {_weakest(course, kept)}."
    title = "Release in what is injected" if course.glands else "Force of the injected muscles"
    return drawn("muscles", title, figure, summary)


def _has_strength(course: "Course") -> bool:
    return any(measure.scale == "strength" for measure in course.measures)


@styled
def chain_picture(course: "Course", plan: Plan) -> Picture:
    """Captured toxin -> intact SNAP-25 -> release -> force, for what is injected most."""
    given_u = _given_u(plan)
    name = max(course.structures, key=lambda structure: given_u.get(structure, 0))
    at = course.structures.index(name)
    captured = _captured(course, plan)
    grid = _exposure_grid(captured)
    stages = {
        "2  SNAP-25 intact": _array(course.intact)[:, :, at].mean(axis=-1),
        "3  transmitter released": _array(course.release)[:, :, at].mean(axis=-1),
    }
    if name not in course.glands:  # a gland follows release itself
        stages["4  force"] = _array(course.response.force)[:, :, at]
    figure, panels = _panels(1 + len(stages), columns=4, height=1.3)
    _fan(panels[0], grid, _at_least(captured[:, at], grid), BLUE)
    _exposure_axis(panels[0], grid)
    _titled(panels[0], "1  toxin captured")
    for axes, (title, draws) in zip(panels[1:], stages.items(), strict=True):
        _fan(axes, _weeks(course), draws, BLUE)
        _share_axis(axes)
        _titled(axes, title)
    least = [
        f"{title[3:]} {percent(float(np.median(draws, axis=0).min()))}"
        for title, draws in stages.items()
    ]
    summary = f"In {words(name)}, the least in the median: {listed(least)} of what it was before."
    return drawn("chain", f"How it works, in {words(name)}", figure, summary)


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


def _margin(course: "Course", goal: GoalOutcome) -> float:
    """Smallest difference that matters, as the outcome uses it."""
    return next(
        measure.margin
        for measure in course.measures
        if (measure.scale, measure.where) == (goal.scale, goal.where)
    )


def _captured(course: "Course", plan: Plan) -> Array:
    """Captured from the plan's first session: [draw structure node]. The history comes before."""
    return _array(course.captured)[:, -len(plan.sessions)]


def _apart(measure: "Measure", first: "Course", second: "Course") -> float:
    """Largest difference of the medians, as a share of the scale."""
    medians = [np.median(_array(c.of(measure.scale, measure.where)), 0) for c in (first, second)]
    return float(np.abs(medians[0] - medians[1]).max() / (measure.high - measure.low))


def _exposure_grid(captured: Array) -> Array:
    """Three decades of U/cm3 up to the highest value captured."""
    top = max(float(np.quantile(captured, 0.999)), 1e-6)
    return np.asarray(np.geomspace(top / 1000, top, 121))


def _at_least(captured: Array, grid: Array) -> Array:
    """Share of nerve endings with at least `grid` captured: [draw node] -> [draw grid]."""
    return np.asarray((captured[..., None] >= grid).mean(axis=1))


# --- one sentence each ---------------------------------------------------------------------------


def _goal_sentence(goal: GoalOutcome) -> str:
    return (
        f"{goal.words} goes from {number(goal.baseline.median, digits=2)} to "
        f"{number(goal.best.median, goal.unit, 2)} in week {week(goal.best_week)}, "
        f"goal {number(goal.target)}"
    )


def _weakest(course: "Course", kept: dict[str, Array]) -> str:
    median = {where: np.median(draws, axis=0) for where, draws in kept.items()}
    where = min(median, key=lambda where: float(median[where].min()))
    weakest = week(float(_weeks(course)[int(median[where].argmin())]))
    return f"{words(where)} keeps {percent(float(median[where].min()))} in week {weakest}"


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


def _kept_figure(course: "Course", kept: dict[str, Array], floors: dict[str, float]) -> Figure:
    """One panel a name; the two sides of one name share it."""
    groups: dict[str, list[str]] = {}
    for where in kept:
        groups.setdefault(base(where), []).append(where)
    columns = 5 if len(groups) == 5 else 4
    figure, panels = _panels(len(groups), columns, height=1.15)
    for axes, (name, members) in zip(panels, groups.items(), strict=True):
        for where, colour, line in zip(members, (BLUE, RED), ("-", "--"), strict=False):
            _fan(axes, _weeks(course), kept[where], colour, line)
            if where in floors:
                axes.axhline(floors[where], color=INK, linestyle=":", linewidth=1)
        _titled(axes, words(members[0] if len(members) == 1 else name), wrap=90 // columns)
        _share_axis(axes)
        axes.xaxis.set_major_locator(MultipleLocator(8 if _weeks(course)[-1] <= 24 else 24))
    two_sided = any(len(members) > 1 for members in groups.values())
    _legend(figure, *_strength_keys(two_sided, bool(floors.keys() & kept.keys())), columns=5)
    return figure


def _fan(axes: Axes, x: Array, draws: Array, colour: str, line: str = "-") -> None:
    """Median with the central 50 % and 90 % of the draws; bands only under a solid line."""
    low, quarter, median, three, high = np.quantile(draws, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0)
    if line == "-":
        axes.fill_between(x, low, high, color=colour, alpha=0.16, linewidth=0)
        axes.fill_between(x, quarter, three, color=colour, alpha=0.24, linewidth=0)
    else:
        axes.plot(x, low, x, high, color=colour, linestyle=line, linewidth=0.4)
    axes.plot(x, median, color=colour, linestyle=line)
    if axes.get_xscale() == "linear":
        axes.set_xlabel("weeks")
        axes.xaxis.set_major_locator(MultipleLocator(4 if x[-1] <= 24 else 12))
        axes.set_xlim(x[0], x[-1])


def _bar(
    axes: Axes, weeks: Array, held: NDArray[np.bool_], colour: str, thick: float, height: float
) -> None:
    """A bar at the foot of the panel over the weeks in which something held."""
    where = np.where(held, height, np.nan)
    axes.plot(weeks, where, color=colour, linewidth=thick, transform=axes.get_xaxis_transform())


def _share_axis(axes: Axes) -> None:
    axes.set_ylim(0, 1.04)
    axes.yaxis.set_major_locator(MultipleLocator(0.5))
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))


def _exposure_axis(axes: Axes, grid: Array) -> None:
    _share_axis(axes)
    axes.set_xscale("log")
    axes.set_xlim(grid[0], grid[-1])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("U/cm³ captured, at least")
    axes.set_ylabel("share of nerve endings")


def _titled(axes: Axes, title: str, wrap: int = 38) -> None:
    axes.set_title(textwrap.fill(title, wrap))


def _band_keys(colour: str) -> list[Patch]:
    return [
        Patch(facecolor=colour, alpha=0.4, label="50 % of draws"),
        Patch(facecolor=colour, alpha=0.16, label="90 % of draws"),
    ]


def _strength_keys(two_sided: bool, floors: bool) -> list[Line2D | Patch]:
    label = "left: median" if two_sided else "median"
    keys: list[Line2D | Patch] = [Line2D([], [], color=BLUE, label=label), *_band_keys(BLUE)]
    if two_sided:
        keys.append(Line2D([], [], color=RED, linestyle="--", label="right: median, 90 %"))
    if floors:
        keys.append(Line2D([], [], color=INK, linestyle=":", label="strength asked to be kept"))
    return keys


def _legend(figure: Figure, *keys: Any, columns: int = 3) -> None:
    figure.legend(handles=keys, loc="outside upper left", ncols=columns, borderaxespad=0.2)


def drawn(name: str, title: str, figure: Figure, summary: str) -> Picture:
    """The figure as a picture whose bytes depend on what is drawn alone."""
    held = io.StringIO()
    figure.savefig(held, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return Picture(name, title, _inline(held.getvalue(), name), summary)


def _inline(svg: str, name: str) -> str:
    """The svg element alone, its ids made unique to this picture so that several share a page."""
    element = svg[svg.index("<svg") :]
    element = re.sub(r"<metadata>.*?</metadata>\s*", "", element, flags=re.DOTALL)
    return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", element)
