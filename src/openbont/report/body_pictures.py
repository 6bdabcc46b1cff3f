"""Where the needle goes: sites on the body, seen from the sides that they face.

Drawn without a display. What lies on the body keeps its own dark colour, for the body stays light
on a page with a dark mode.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import AbstractPathEffect, withStroke

from openbont.anatomy.landmarks import limb_at, region_words
from openbont.anatomy.surface import Point, Surface, nearest
from openbont.report.figures import BLUE, INK, RED, WIDTH_INCH, Picture, drawn, styled
from openbont.report.render import VIEWS, Scene, View, scene
from openbont.report.words import listed, number

Points = Float[np.ndarray, "point 3"]
Place = Callable[[Float[np.ndarray, "... 3"]], Float[np.ndarray, "... 2"]]
"""Points -> where they appear on the page, mm to the right and up."""

DARK, PAPER = "#111111", "#fdfdfd"
HALO: list[AbstractPathEffect] = [withStroke(linewidth=1.6, foreground=PAPER)]
"""Keeps words readable on lines and shades."""
_APART_MM = 220.0
"""Sites nearer than this to each other share a panel."""
_LEAST_WINDOW_MM, _MARGIN_MM, _AIR_MM = 170.0, 26.0, 12.0
_FACING = 0.12
"""A site is shown from where its skin is turned this much towards the viewer (cosine)."""
_THUMB_MM = 20.0
_FRONTAL = np.array([1.0, 1.0, 0.45, 0.45])
"""Front and back are preferred to the sides: they show both halves of the body."""


@dataclass(frozen=True, eq=False)
class Mark:
    """One needle site."""

    number: int
    structure: str
    words: str
    """The structure in words."""
    site_mm: Point
    dose_u: float
    skin_mm: Point | None = None
    """Where the needle enters; the nearest skin where it is not said."""


# --- sites on the body ---------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Panel:
    """Some marks seen from one side; before those in `through` lies something else."""

    view: View
    marks: tuple[Mark, ...]
    through: tuple[Mark, ...] = ()


@styled
def sites_picture(
    body: Surface, marks: Sequence[Mark], outlines: Mapping[str, Points] | None = None
) -> Picture:
    """The body from the sides that show the sites, each site numbered, with a key.

    `outlines` are places within the injected structures; their outline is drawn as a broken line.
    """
    panels = [panel for group in _groups(marks) for panel in _panels(body, group)]
    scenes = [_scene(body, panel, outlines or {}) for panel in panels]
    columns = 2 if len(panels) in (2, 4) else min(len(panels), 3)
    rows = -(-len(panels) // columns)
    lines = key(marks)
    if any(panel.through for panel in panels):
        lines.append("dotted circle: hidden from here by another part of the body")
    deep = 0.14 * -(-len(lines) // 2) + 0.1
    figure = Figure(figsize=(WIDTH_INCH, 2.75 * rows + deep), layout="constrained")
    grid = figure.add_gridspec(rows + 1, columns, height_ratios=[*[2.75] * rows, deep])
    for k, (panel, shown) in enumerate(zip(panels, scenes, strict=True)):
        axes = figure.add_subplot(grid[k // columns, k % columns])
        _draw_body(axes, shown)
        places = {_arm_or_leg(body, mark) for mark in panel.marks} - {""}
        where = f"{places.pop()} " if len(places) == 1 else ""
        axes.set_title(f"{where}from the {panel.view.name}", loc="center")
        _draw_outlines(axes, panel.marks, panel.view.place, outlines or {})
        dots = np.array([panel.view.place(_skin(body, mark)) for mark in panel.marks])
        scale = _mm_an_inch(shown.extent_mm, columns)
        draw_marks(axes, panel.marks, dots, panel.through, scale)
    draw_key(figure.add_subplot(grid[rows, :]), lines)
    seen = listed(list(dict.fromkeys(panel.view.name for panel in panels)))
    total = number(sum(mark.dose_u for mark in marks), "U", 3)
    told = " ".join(
        f"{line}." for line in key(marks, lambda mark: region_words(body, mark.site_mm))
    )
    summary = f"{len(marks)} sites, {total} in all, seen from: {seen}. {told}"
    return shortened(drawn("sites", "Where the needle goes", figure, summary))


def _scale(axes: Axes, extent_mm: tuple[float, float, float, float]) -> None:
    """A bar of round length under the picture."""
    left, right, bottom, top = extent_mm
    length = 50 if right - left > 160 else 20
    start, low = (left + right - length) / 2, bottom - 0.035 * (top - bottom)
    axes.plot([start, start + length], [low, low], color=INK, linewidth=1.2, clip_on=False)
    axes.text(
        (left + right) / 2,
        low - 0.012 * (top - bottom),
        f"{length // 10} cm",
        ha="center",
        va="top",
        fontsize=6,
    )


def _skin(body: Surface, mark: Mark) -> Point:
    """Where the needle enters."""
    return nearest(body, mark.site_mm if mark.skin_mm is None else mark.skin_mm)[0]


def _faces(body: Surface, at: Point) -> Point:
    """Where the skin around a point faces, a thumb's breadth of it."""
    _, normal = nearest(body, at)
    near = np.linalg.norm(body.corner_mm.mean(axis=0) - at, axis=1) < _THUMB_MM
    around = body.normal[near & (body.normal @ normal > 0)].sum(axis=0) + normal
    return np.asarray(around / np.linalg.norm(around))


def _groups(marks: Sequence[Mark]) -> list[list[Mark]]:
    """Marks that lie together: chains of neighbours."""
    groups: list[list[Mark]] = []
    for mark in marks:
        near = [one for one in groups if any(_apart_mm(mark, other) < _APART_MM for other in one)]
        groups = [one for one in groups if one not in near]
        groups.append([*(member for one in near for member in one), mark])
    return sorted(
        (sorted(one, key=lambda mark: mark.number) for one in groups),
        key=lambda one: one[0].number,
    )


def _apart_mm(one: Mark, other: Mark) -> float:
    return float(np.linalg.norm(one.site_mm - other.site_mm))


def _panels(body: Surface, marks: list[Mark]) -> list[_Panel]:
    """As few views as show every mark; each mark in the one that it faces most."""
    places = np.array([_skin(body, mark) for mark in marks])
    ways = np.array([_faces(body, at) for at in places])
    facing = np.stack([ways @ view.toward for view in VIEWS], axis=1)
    window = [_around(body, view, view.place(places)) for view in VIEWS]
    near = [scene(body, view, box, 2.0) for view, box in zip(VIEWS, window, strict=True)]
    clear = np.array([[one.seen(at) for one in near] for at in places])
    clear &= facing > _FACING
    shown = np.where(clear, facing * _FRONTAL, 0.0)
    used: list[int] = []
    while not (fine := clear[:, used].any(axis=1) | ~clear.any(axis=1)).all():
        used.append(int(shown[~fine].sum(axis=0).argmax()))
    glass = ~clear.any(axis=1)
    best = np.where(glass, facing.argmax(axis=1), 0)
    if used:
        best[~glass] = np.array(used)[shown[~glass][:, used].argmax(axis=1)]
    return [
        _Panel(view, _chosen(marks, best == k), _chosen(marks, glass & (best == k)))
        for k, view in enumerate(VIEWS)
        if (best == k).any()
    ]


def _chosen(marks: list[Mark], which: Bool[np.ndarray, "mark"]) -> tuple[Mark, ...]:
    return tuple(mark for mark, chosen in zip(marks, which, strict=True) if chosen)


def _around(
    body: Surface, view: View, points: Float[np.ndarray, "point 2"]
) -> tuple[float, float, float, float]:
    """A window around points on a view: left, right, bottom, top. No more empty air than needed."""
    low, high = points.min(axis=0) - _MARGIN_MM, points.max(axis=0) + _MARGIN_MM
    half = np.maximum((high - low) / 2, _LEAST_WINDOW_MM / 2)
    half = np.maximum(half, [half[1] / 1.35, half[0]])
    skin = view.place(body.vertex_mm)
    least, most = skin.min(axis=0) - _AIR_MM + half, skin.max(axis=0) + _AIR_MM - half
    middle = np.clip((low + high) / 2, least, np.maximum(least, most))
    (left, bottom), (right, top) = middle - half, middle + half
    return float(left), float(right), float(bottom), float(top)


def _scene(body: Surface, panel: _Panel, outlines: Mapping[str, Points]) -> Scene:
    """The body behind a panel, about 300 pixels wide, with the joints beside the sites."""
    places = [_skin(body, mark) for mark in panel.marks] + [
        body.joint_mm[f"{joint}.{_arm_or_leg(body, mark).split()[0]}"]
        for mark in panel.marks
        if (limb := limb_at(body, mark.site_mm))
        for joint in (limb.start, limb.end)
    ]
    shapes = [outlines[name] for name in _structures(panel) if name in outlines]
    shown = panel.view.place(np.concatenate([np.array(places), *shapes]))
    box = _around(body, panel.view, shown)
    return scene(body, panel.view, box, (box[1] - box[0]) / 300)


def _arm_or_leg(body: Surface, mark: Mark) -> str:
    """`left arm`, or nothing for a site in the head, neck and trunk."""
    limb = limb_at(body, mark.site_mm)
    if limb is None:
        return ""
    side = region_words(body, mark.site_mm).split()[0]
    return f"{side} {'arm' if limb.words in ('upper arm', 'forearm', 'hand') else 'leg'}"


def _structures(panel: _Panel) -> list[str]:
    return list(dict.fromkeys(mark.structure for mark in panel.marks))


def _draw_body(axes: Axes, shown: Scene) -> None:
    """The body, which side is which, and a scale."""
    left, right, bottom, top = shown.extent_mm
    grey = shown.grey
    axes.imshow(
        np.concatenate([grey[..., :1]] * 3 + [grey[..., 1:]], axis=2),
        extent=shown.extent_mm,
        interpolation="none",
    )
    axes.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
    sides = {
        "front": ("person's right", "person's left"),
        "back": ("person's left", "person's right"),
    }
    words = sides.get(shown.view.name) or (
        ("front", "back") if shown.view.name[0] == "l" else ("back", "front")
    )
    for x, word, align in ((0.0, words[0], "left"), (1.0, words[1], "right")):
        axes.text(x, -0.01, word, ha=align, va="top", fontsize=6, transform=axes.transAxes)
    _scale(axes, shown.extent_mm)


def _draw_outlines(
    axes: Axes, marks: Sequence[Mark], place: Place, outlines: Mapping[str, Points]
) -> None:
    """The shadow of each structure on the page."""
    for name in dict.fromkeys(mark.structure for mark in marks):
        if name in outlines:
            right, up, dark = _shadow(place(outlines[name]))
            axes.contourf(right, up, dark, [0.5, 2], colors=[BLUE], alpha=0.12)
            axes.contour(right, up, dark, [0.5], colors=[BLUE], linewidths=0.8, linestyles="--")


def _shadow(
    points: Float[np.ndarray, "point 2"],
) -> tuple[Float[np.ndarray, "column"], Float[np.ndarray, "row"], Float[np.ndarray, "row column"]]:
    """Columns, rows and a smooth mask of where points lie, as fine as they are dense."""
    low, high = points.min(axis=0), points.max(axis=0)
    cell = max(2.0, 2.0 * float(np.sqrt(np.prod(high - low) / len(points))))
    right, up = (
        np.arange(a - 3 * cell, b + 4 * cell, cell) for a, b in zip(low, high, strict=True)
    )
    there, _, _ = np.histogram2d(points[:, 1], points[:, 0], [up, right])
    near = smooth((there > 0).astype(float)) > 0.3
    dark = smooth(smooth(near.astype(float)))
    return right[:-1] + cell / 2, up[:-1] + cell / 2, dark


def smooth(values: Float[np.ndarray, "row column"]) -> Float[np.ndarray, "row column"]:
    """Mean with the eight neighbours."""
    pad = np.pad(values, 1, mode="edge")
    tall = pad[:-2] + pad[1:-1] + pad[2:]
    return np.asarray(tall[:, :-2] + tall[:, 1:-1] + tall[:, 2:]) / 9


def _mm_an_inch(extent_mm: tuple[float, float, float, float], columns: int) -> float:
    """Scale of a panel on paper."""
    left, right, bottom, top = extent_mm
    return max((right - left) * columns / WIDTH_INCH, (top - bottom) / 2.5)


def draw_marks(
    axes: Axes,
    marks: Sequence[Mark],
    dots: Float[np.ndarray, "mark 2"],
    through: Sequence[Mark],
    mm_an_inch: float,
) -> None:
    """A dot at each site, its number in a circle beside it where sites are close, and its units."""
    circles = _spread(dots, 0.2 * mm_an_inch)
    for mark, dot, at in zip(marks, dots, circles, strict=True):
        axes.plot(*zip(dot, at, strict=True), color=DARK, linewidth=0.6)
        axes.plot(*dot, ".", color=DARK, markersize=2)
        axes.text(
            at[0],
            at[1],
            str(mark.number),
            color=DARK,
            fontsize=5.5,
            ha="center",
            va="center",
            bbox={
                "boxstyle": "circle,pad=0.18",
                "facecolor": PAPER,
                "edgecolor": RED,
                "linewidth": 0.9,
                "linestyle": ":" if mark in through else "-",
            },
        )
        axes.annotate(
            number(mark.dose_u, "U", 3),
            at,
            (0, -5.6),
            textcoords="offset points",
            color=DARK,
            fontsize=4.8,
            ha="center",
            va="top",
            path_effects=HALO,
        )


def _spread(dots: Float[np.ndarray, "mark 2"], apart: float) -> Float[np.ndarray, "mark 2"]:
    """Places near the dots at least about `apart` from each other; upright room counts less."""
    at = dots.copy()
    for _ in range(200):
        gap = at[:, None] - at[None]
        gap[..., 1] *= 0.72  # the units stand below the number
        far = np.linalg.norm(gap, axis=-1) + np.eye(len(at)) * 1e9
        push = np.clip(apart - far, 0, None)[..., None] * gap / np.maximum(far, 1e-3)[..., None]
        at = at + 0.3 * push.sum(axis=1) + 0.02 * (dots - at)
    return at


def key(marks: Sequence[Mark], where: Callable[[Mark], str] | None = None) -> list[str]:
    """`1–3  left biceps brachii, 25 U each`; with `where`, also where the first of them is."""
    lines = []
    for (muscle, dose_u), run in groupby(marks, key=lambda mark: (mark.words, mark.dose_u)):
        first, *more = run
        named = f"{first.number}–{more[-1].number}" if more else str(first.number)
        line = f"{named}  {muscle}, {number(dose_u, 'U', 3)}{' each' if more else ''}"
        at = f": {'the first at ' if more else ''}{where(first)}" if where else ""
        lines.append(line + at)
    return lines


def draw_key(axes: Axes, lines: list[str]) -> None:
    """Lines of a key in two columns."""
    axes.axis("off")
    rows = -(-len(lines) // 2)
    for column in range(2):
        text = "\n".join(lines[column * rows : (column + 1) * rows])
        axes.text(0.5 * column, 1.0, text, fontsize=6.5, va="top", linespacing=1.35)


def shortened(picture: Picture) -> Picture:
    """The same picture with its lines to a hundredth of a point."""

    def short(line: re.Match[str]) -> str:
        return re.sub(r"(\.\d\d)\d+", r"\1", line[0])

    return replace(picture, svg=re.sub(r' d="[^"]*"', short, picture.svg))
