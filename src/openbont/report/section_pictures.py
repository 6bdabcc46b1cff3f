"""What the toxin reaches: cuts through the sites, and histograms by volume.

A cut shows muscles by name, the needle and the toxin captured, on a raster of places that are
looked up in an atlas. Tints differ between neighbours only; a muscle is told by its name.
"""

import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, NullFormatter, PercentFormatter

from openbont.anatomy.atlas import BONE, COMMON, OTHER, OUTSIDE, Atlas
from openbont.anatomy.landmarks import directions
from openbont.anatomy.surface import Point, Surface
from openbont.catalog.muscles import base, side, words
from openbont.report.body_pictures import DARK, HALO, PAPER, Mark, shortened, smooth
from openbont.report.figures import BLUE, COLOURS, INK, RED, WIDTH_INCH, Picture, drawn, styled
from openbont.report.words import listed, number, percent

Toxin = Callable[[Float[np.ndarray, "... 3"]], Float[np.ndarray, "..."]]
"""Places (mm) -> toxin captured there, U/cm3."""

_LEADER = "#777777"
_MOST_LINES, _MOST_NAMES = 9, 16
_FAT, _REST = "#FFF4D6", "#ECECEC"
_TINTS = ("#F6C9B8", "#CFE6F5", "#CDEBDD", "#F3DCE9", "#FBE3B3", "#DAD7F0", "#E9D9C6", "#D7E9B9")
_WIDEST_MM, _WINDOW_MM, _PART_MM = 160.0, 100.0, 60.0
"""How far a cut is searched; half of the largest limb shown whole; half of the part else shown."""
HEAD, _HEAD_MM = "head", 36.0
"""A region of thin layers, shown from near: half of the part shown."""
HERE = np.zeros(3)
_LEAST_MM2 = 8.0
"""Smaller parts of a muscle in a cut are not named."""


# --- cuts through sites --------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Cut:
    """A plane through a site, across the fibres of the structure there."""

    mark: Mark
    atlas: Atlas
    axes: Float[np.ndarray, "3 3"]
    """To the right, up, towards the viewer."""
    sides: tuple[str, str, str, str]
    """What lies on the left, right, bottom and top of the picture, in words."""
    shift_mm: Point
    """From where the site is drawn to where the model has it."""

    def place_mm(
        self, right: Float[np.ndarray, "..."], up: Float[np.ndarray, "..."]
    ) -> Float[np.ndarray, "... 3"]:
        """Places of the picture in the body."""
        plane = np.stack([right, up], axis=-1) @ self.axes[:2]
        return np.asarray(self.mark.site_mm + plane)

    def seen_mm(self, point_mm: Point) -> Point:
        """Right, up and nearness of a point as seen from before the plane."""
        return np.asarray(self.axes @ (point_mm - self.mark.site_mm))


def cut(body: Surface, atlas: Atlas, mark: Mark, fibre: Point, shift_mm: Point = HERE) -> Cut:
    """The plane across the fibres, as sections are shown: a limb from its end, front on top."""
    ways = directions(body, mark.site_mm)
    toward = fibre / np.linalg.norm(fibre)
    level = abs(toward @ ways.get("up", toward)) > 0.7
    top = "front" if "front" in ways and level else next(iter(ways))
    if abs(toward @ ways[top]) > 0.9:  # fibres run to where the top should be
        top = next(word for word in ways if abs(toward @ ways[word]) < 0.7)
    viewer = next(
        word for word in ("towards the end", "down", "front") if word in ways and word != top
    )
    toward = toward if toward @ ways[viewer] >= 0 else -toward
    up = ways[top] - (ways[top] @ toward) * toward
    up /= np.linalg.norm(up)
    right = np.cross(up, toward)
    sides = [max(ways, key=lambda word: ways[word] @ way) for way in (-right, right, -up, up)]
    around = (sides[0], sides[1], sides[2], sides[3])
    return Cut(mark, atlas, np.stack([right, up, toward]), around, shift_mm)


@dataclass(frozen=True, eq=False)
class _Plane:
    """What lies in a cut: labels and toxin on a raster of places."""

    right: Float[np.ndarray, "row column"]
    up: Float[np.ndarray, "row column"]
    label: UInt8[np.ndarray, "row column"]
    u_per_cm3: Float[np.ndarray, "row column"]

    @property
    def window_mm(self) -> tuple[float, float, float, float]:
        """Left, right, bottom, top; not much wider than high, so that names have room."""
        left, right = float(self.right.min()), float(self.right.max())
        middle = (float(self.up.min()) + float(self.up.max())) / 2
        half = max(float(np.ptp(self.up)), 0.9 * (right - left)) / 2
        return left, right, middle - half, middle + half

    def tissues(self) -> list[int]:
        """Labels of structures that fill at least a little of the plane."""
        count = np.bincount(self.label.ravel(), minlength=256)
        step = self.right[0, 1] - self.right[0, 0]
        return [k for k in range(len(COMMON), 256) if count[k] * step**2 >= _LEAST_MM2]


@styled
def section_picture(cuts: Sequence[Cut], toxin: Toxin, name: str = "sections") -> Picture:
    """Cross-sections through the sites: muscles by name, the needle, and the toxin captured."""
    columns = min(len(cuts), 2)
    rows = -(-len(cuts) // columns)
    figure = Figure(figsize=(WIDTH_INCH, 2.95 * rows + 0.3), layout="compressed")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for spare in grid[len(cuts) :]:
        spare.remove()
    told = []
    for axes, one in zip(grid, cuts, strict=False):
        plane = _plane(one, toxin)
        _draw_tissues(axes, one, plane)
        _draw_toxin(axes, plane)
        _draw_needle(axes, one)
        _draw_names(axes, one, plane)
        _frame(axes, one, plane)
        told.append(_section_sentence(one, plane))
    handles: list[Any] = [
        Patch(facecolor=PAPER, edgecolor=DARK, hatch="/////", linewidth=0.5, label="bone"),
        Patch(facecolor=_FAT, edgecolor=DARK, linewidth=0.3, label="skin and fat"),
        Patch(facecolor=_REST, edgecolor=DARK, linewidth=0.3, label="other tissue"),
        Line2D([], [], color=RED, linewidth=1.6, label="needle"),
        Line2D([], [], color=BLUE, label="toxin captured, U/cm³"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=5)
    title = "Across the muscle at each site"
    return shortened(drawn(name, title, figure, " ".join(told)))


def _plane(one: Cut, toxin: Toxin) -> _Plane:
    """The part of the body around the site, or a window where that part is large."""
    coarse = np.arange(-_WIDEST_MM, _WIDEST_MM + 1, 2.0)
    right, up = np.meshgrid(coarse, coarse)
    body = _connected(one.atlas.at(one.place_mm(right, up)) != OUTSIDE)
    shown = body if body.any() else np.ones_like(body)
    thin = one.atlas.region == HEAD
    part = _HEAD_MM if thin else _PART_MM
    low, high = [], []
    for way in (right[shown], up[shown]):
        large = thin or np.ptp(way) > 2 * _WINDOW_MM
        low.append(-part if large else float(way.min()) - 3)
        high.append(part if large else float(way.max()) + 3)
    step = max(high[0] - low[0], high[1] - low[1]) / 120
    right, up = np.meshgrid(*(np.arange(a, b, step) for a, b in zip(low, high, strict=True)))
    places = one.place_mm(right, up)
    label = one.atlas.at(places)
    captured = np.where(label == OUTSIDE, 0.0, toxin(places + one.shift_mm))
    return _Plane(right, up, label, captured)


def _connected(there: Bool[np.ndarray, "row column"]) -> Bool[np.ndarray, "row column"]:
    """What hangs together with the middle of the raster."""
    seed = np.zeros_like(there)
    middle = there.shape[0] // 2
    seed[middle - 2 : middle + 3, middle - 2 : middle + 3] = True
    held, size = seed & there, -1
    while held.sum() > size:
        size = held.sum()
        held = (smooth(held.astype(float)) > 0) & there
    return np.asarray(held)


def _draw_tissues(axes: Axes, one: Cut, plane: _Plane) -> None:
    """Fat below, then other tissue and the muscles in light tints, the injected one outlined."""
    _fill(axes, plane, plane.label != OUTSIDE, _FAT, 0.9)
    _fill(axes, plane, plane.label == OTHER, _REST, 0.3)
    for label, tint in _tinted(plane).items():
        if not _injected(one, label):
            _fill(axes, plane, plane.label == label, tint, 0.5)
    _fill(axes, plane, plane.label == BONE, PAPER, 0.6, hatch="/////")
    if one.mark.structure in one.atlas.tissues:
        injected = one.atlas.number(one.mark.structure)
        tint = _tinted(plane).get(injected, _TINTS[0])
        _fill(axes, plane, plane.label == injected, tint, 1.7)


def _tinted(plane: _Plane) -> dict[int, str]:
    """A tint for each structure, another one than its neighbours have."""
    tints: dict[int, str] = {}
    for label in plane.tissues():
        around = set(plane.label[smooth(smooth((plane.label == label).astype(float))) > 0])
        taken = [tints[other] for other in around if other in tints]
        free = [tint for tint in _TINTS if tint not in taken]
        tints[label] = free[len(tints) % len(free)]
    return tints


def _fill(
    axes: Axes,
    plane: _Plane,
    there: Bool[np.ndarray, "row column"],
    colour: str,
    line: float,
    hatch: str = "",
) -> None:
    if there.any():
        soft = smooth(smooth(smooth(there.astype(float))))
        drawn = axes.contourf(
            plane.right, plane.up, soft, [0.5, 2], colors=[colour], hatches=[hatch or None]
        )
        drawn.set_edgecolor(DARK)
        drawn.set_linewidth(line)


def _draw_toxin(axes: Axes, plane: _Plane) -> None:
    levels = _levels(float(plane.u_per_cm3.max()))
    if levels:
        inside = np.ma.masked_where(plane.label == OUTSIDE, plane.u_per_cm3)
        lines = axes.contour(plane.right, plane.up, inside, levels, colors=BLUE, linewidths=0.8)
        labels = axes.clabel(lines, fontsize=5, fmt=lambda level: f"{level:g}")
        for text in labels:
            text.set_path_effects(HALO)


def _levels(most: float) -> list[float]:
    """The three powers of ten below the highest."""
    if most <= 0:
        return []
    top = math.floor(math.log10(0.8 * most))
    return [float(f"1e{k}") for k in range(top - 2, top + 1)]


def _draw_needle(axes: Axes, one: Cut) -> None:
    """From the skin to the site."""
    if one.mark.skin_mm is not None:
        x, y, _ = one.seen_mm(one.mark.skin_mm)
        out = 1 + 5 / max(np.hypot(x, y), 1e-6)
        axes.plot([out * x, 0], [out * y, 0], color=RED, linewidth=1.6, zorder=5)
    axes.plot(
        0, 0, "o", color=DARK, markersize=3, markeredgecolor=PAPER, markeredgewidth=0.6, zorder=6
    )


def _depth(mark: Mark) -> str:
    if mark.skin_mm is None:
        return "depth not said"
    return f"{np.linalg.norm(mark.site_mm - mark.skin_mm):.0f} mm deep"


def _draw_names(axes: Axes, one: Cut, plane: _Plane) -> None:
    """Names in two columns beside the section, each with a line to its structure."""
    left, right, bottom, top = plane.window_mm
    ends = _named(one, plane)
    order = sorted(ends, key=lambda label: ends[label][0])
    half = -(-len(order) // 2)
    gap = 0.04 * (right - left)
    for group, x, align in (
        (order[:half], left - gap, "right"),
        (order[half:], right + gap, "left"),
    ):
        column = sorted(group, key=lambda label: ends[label][1])
        room = [(x, float(y)) for y in np.linspace(bottom, top, 2 * len(column) + 1)[1::2]]
        for label, at in zip(_uncrossed(column, ends, room), room, strict=True):
            axes.plot(*zip(ends[label], at, strict=True), color=_LEADER, linewidth=0.5, zorder=4)
            axes.plot(*ends[label], ".", color=DARK, markersize=1.5, zorder=4)
            axes.text(
                at[0] + (gap / 4 if align == "left" else -gap / 4),
                at[1],
                _name(one, label),
                fontsize=5.6,
                ha=align,
                va="center",
                linespacing=0.95,
                fontweight="bold" if _injected(one, label) else "normal",
            )


def _named(one: Cut, plane: _Plane) -> dict[int, tuple[float, float]]:
    """The injected structure and the nearest others, as many as there is room for, and where."""
    ends = {label: _inmost(plane, label) for label in plane.tissues()}
    near = sorted(ends, key=lambda label: (not _injected(one, label), math.hypot(*ends[label])))
    return {label: ends[label] for label in near[:_MOST_NAMES]}


def _name(one: Cut, label: int) -> str:
    """Name of a structure, with its side where that is not the side of the injected one."""
    name = one.atlas.tissues[label]
    same = side(name) in ("", side(one.mark.structure))
    return textwrap.fill(words(base(name) if same else name), 18, break_long_words=False)


def _injected(one: Cut, label: int) -> bool:
    return one.atlas.tissues[label] == one.mark.structure


def _uncrossed(
    labels: list[int], ends: dict[int, tuple[float, float]], room: list[tuple[float, float]]
) -> list[int]:
    """The labels so ordered that no two of their lines cross."""
    order = list(labels)
    for _ in order:  # each exchange makes the lines shorter together
        for i, j in combinations(range(len(order)), 2):
            straight = math.dist(ends[order[i]], room[i]) + math.dist(ends[order[j]], room[j])
            turned = math.dist(ends[order[i]], room[j]) + math.dist(ends[order[j]], room[i])
            if turned < straight:
                order[i], order[j] = order[j], order[i]
    return order


def _inmost(plane: _Plane, label: int) -> tuple[float, float]:
    """The place of a tissue that lies deepest within it."""
    depth = (plane.label == label).astype(float)
    for _ in range(12):
        softer = np.where(plane.label == label, smooth(depth), 0.0)
        depth = softer
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(plane.right[row, column]), float(plane.up[row, column])


def _frame(axes: Axes, one: Cut, plane: _Plane) -> None:
    """Title, sides in words and a scale."""
    left, right, bottom, top = plane.window_mm
    wide, high = right - left, top - bottom
    axes.set_title(
        f"{one.mark.number}  {one.mark.words}\n"
        f"{number(one.mark.dose_u, 'U', 3)}, {_depth(one.mark)}",
        loc="center",
    )
    axes.set(
        xlim=(left - 0.42 * wide, right + 0.42 * wide),
        ylim=(bottom - 0.18 * high, top + 0.12 * high),
    )
    axes.set(aspect="equal", xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
    middle = (left + right) / 2
    style: dict[str, Any] = {"fontsize": 6, "fontstyle": "italic", "ha": "center"}
    axes.text(middle, top + 0.05 * high, one.sides[3], va="bottom", **style)
    axes.text(middle, bottom - 0.03 * high, one.sides[2], va="top", **style)
    low = bottom - 0.14 * high
    axes.text(left - 0.3 * wide, low, one.sides[0], va="center", **style)
    axes.text(right + 0.3 * wide, low, one.sides[1], va="center", **style)
    axes.plot([middle - 5, middle + 5], [low, low], color=INK, linewidth=1.2)
    axes.text(middle + 7, low, "1 cm", fontsize=6, va="center")


def _section_sentence(one: Cut, plane: _Plane) -> str:
    """Depth, the highest value in the plane, and what shares it."""
    most = float(plane.u_per_cm3.max())
    reached = [
        _name(one, label).replace("\n", " ")
        for label in plane.tissues()
        if not _injected(one, label)
        and plane.u_per_cm3[plane.label == label].max() >= 0.1 * most > 0
    ]
    beside = f"; a tenth of it or more also in {listed(reached)}" if reached else ""
    told = f"{one.mark.number}: {one.mark.words}, {_depth(one.mark)}, at most "
    return f"{told}{number(most, 'U/cm³', 2)} in this plane{beside}."


# --- histograms ----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Histogram:
    """What the places of one structure captured, and the effect there, with their volumes."""

    words: str
    injected: bool
    u_per_cm3: Float[np.ndarray, "place"]
    effect: Float[np.ndarray, "place"]
    """Share of the function that is lost at its most, 0 to 1."""
    volume: Float[np.ndarray, "place"]
    """In any unit; only shares are shown."""


@styled
def histogram_picture(histograms: Sequence[Histogram]) -> Picture:
    """Share of each structure's volume that gets at least so much toxin, and so much effect."""
    figure = Figure(figsize=(WIDTH_INCH, 2.7), layout="constrained")
    exposed, affected = figure.subplots(1, 2)
    most = max((float(one.u_per_cm3.max()) for one in histograms), default=0.0)
    dose = np.geomspace(max(most, 1e-6) / 1000, max(most, 1e-6), 121)
    effect = np.linspace(0.0, 1.0, 101)
    reached = [one for one in _paired(histograms) if one.u_per_cm3.max() >= dose[0]]
    shown = sorted(reached, key=lambda one: -_mean(one))[:_MOST_LINES]
    exposure = [_at_least(one, one.u_per_cm3, dose) for one in shown]
    _draw_shares(exposed, shown, dose, exposure)
    _draw_shares(affected, shown, effect, [_at_least(one, one.effect, effect) for one in shown])
    exposed.set(xscale="log", xlabel="U/cm³ captured, at least")
    exposed.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    exposed.xaxis.set_minor_formatter(NullFormatter())
    affected.set(xlabel="function lost, at least")
    affected.xaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    handles = [
        Line2D(
            [],
            [],
            color=_colour(k),
            linestyle=_line(one),
            label=f"{k + 1}  {one.words}{'' if one.injected else ' (spared)'}",
        )
        for k, one in enumerate(shown)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    told = "; ".join(_half_sentence(one) for one in shown)
    summary = f"Half of the volume gets at least: {told}."
    return shortened(
        drawn("histograms", "What the nerve endings of each structure get", figure, summary)
    )


def _paired(histograms: Sequence[Histogram]) -> list[Histogram]:
    """Left and right as one where both get about the same."""
    found: dict[str, Histogram] = {}
    for one in histograms:
        name = one.words.removeprefix("left ").removeprefix("right ")
        other = found.get(name)
        if other is None:
            found[name] = one
        elif _alike(one, other):
            found[name] = replace(one, words=f"{name}, both sides")
        else:
            found[one.words] = one
    return list(found.values())


def _alike(one: Histogram, other: Histogram) -> bool:
    """Means within a hundredth of each other, of what is captured and of the effect."""
    effects = [np.average(each.effect, weights=each.volume) for each in (one, other)]
    means = [_mean(one), _mean(other)]
    return one.injected == other.injected and all(
        abs(a - b) <= 0.01 * max(a, b) for a, b in (means, effects)
    )


def _half_sentence(one: Histogram) -> str:
    half = _half(one, one.u_per_cm3)
    got = number(half, "U/cm³", 2) if half >= 0.01 else "under 0.01 U/cm³"
    return f"{one.words} {got}, {percent(_half(one, one.effect))} of its function lost"


def _draw_shares(
    axes: Axes,
    shown: Sequence[Histogram],
    x: Float[np.ndarray, "x"],
    shares: list[Float[np.ndarray, "x"]],
) -> None:
    """One numbered line a structure, broken where it is spared; numbers at different places."""
    for k, (one, share) in enumerate(zip(shown, shares, strict=True)):
        axes.plot(x, share, color=_colour(k), linestyle=_line(one))
        at = int(len(x) * (0.12 + 0.6 * k / len(shown)))
        axes.text(
            x[at],
            share[at],
            str(k + 1),
            fontsize=7,
            fontweight="bold",
            color=DARK,
            ha="center",
            va="center",
            path_effects=HALO,
        )
    axes.set(ylim=(0, 1.04), ylabel="share of the volume")
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))


def _line(one: Histogram) -> Literal["-", "--"]:
    return "-" if one.injected else "--"


def _at_least(
    one: Histogram, value: Float[np.ndarray, "place"], x: Float[np.ndarray, "x"]
) -> Float[np.ndarray, "x"]:
    """Share of the volume where `value` is at least x."""
    order = np.argsort(value)
    above = np.append(np.cumsum(one.volume[order][::-1])[::-1], 0.0) / one.volume.sum()
    return np.asarray(above[np.searchsorted(value[order], x)])


def _half(one: Histogram, value: Float[np.ndarray, "place"]) -> float:
    """What half of the volume gets at least."""
    order = np.argsort(value)
    held = np.cumsum(one.volume[order])
    return float(value[order][np.searchsorted(held, held[-1] / 2)])


def _mean(one: Histogram) -> float:
    return float(np.average(one.u_per_cm3, weights=one.volume))


def _colour(k: int) -> str:
    return COLOURS[k % len(COLOURS)]
