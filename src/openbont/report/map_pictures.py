"""Maps of what does not show on a standing body: armpit, palm and bladder, spread flat.

Sites lie in the frame of their region (catalog/layers). Of a pair, the right side stands on the
left, as the viewer meets the person. Outlines around the sites are schematic; thicknesses of
layers are assumed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Ellipse, Polygon

from openbont.anatomy.structure import Structure
from openbont.catalog.muscles import side, structure
from openbont.report.body_pictures import (
    DARK,
    HALO,
    PAPER,
    Mark,
    draw_key,
    draw_marks,
    key,
    shortened,
)
from openbont.report.figures import BLUE, INK, RED, WIDTH_INCH, Picture, drawn, styled
from openbont.report.section_pictures import Toxin
from openbont.report.words import number

_SKIN, _MUSCLE, _LINE = "#F9EFE5", "#F6C9B8", "#8A7A6C"
_HALF_MM, _DEEP_MM, _ABOVE_MM = 20.0, 12.0, 4.0
"""Half of the width of a section, its depth, and what is shown above the surface."""
NECK_MM: Final = (0.0, -62.0)
"""Neck of the bladder, from the middle of the posterior wall."""
TRIGONE_MM: Final = np.array([NECK_MM, (-13.0, -42.0), (13.0, -42.0)])
"""Neck and the two openings of the ureters."""
_DOME_MM, _DISC_MM = 41.0, 66.0
"""Half a meridian above the neck; radius of a disc as large as a bladder of 150 mL."""


@dataclass(frozen=True)
class _Layer:
    """One layer of a wall, from the surface downwards."""

    words: str
    top_mm: float
    bottom_mm: float
    colour: str


@dataclass(frozen=True)
class _Map:
    """How one region is drawn; what is said of directions holds for the left side."""

    main: str
    """Structure that bears the sites."""
    title: str
    extent_mm: tuple[float, float, float, float]
    high_inch: float
    draw: Callable[[Axes], None]
    """Draws what lies around the sites, the picture turned over for the other side."""
    right: tuple[float, float, float]
    out: tuple[float, float, float]
    """Directions in the frame of the region: to the right of the picture, and to the viewer."""
    ends: tuple[str, str]
    """What lies to the left and right in the picture."""
    above: str
    site_mm: float
    """Depth of the middle of the injected layer."""
    slant: float
    """The needle enters this share of the depth beside the site."""
    layers: tuple[_Layer, ...]

    def one(self, mark: Mark) -> Structure:
        """The bearing structure on the side of a mark."""
        return structure(f"{self.main}.{at}" if (at := side(mark.structure)) else self.main)

    def ways(self, mark: Mark) -> Float[np.ndarray, "3 3"]:
        """To the right of the picture, up and out, on the side of a mark."""
        flip = np.array([-1.0 if side(mark.structure) == "right" else 1.0, 1.0, 1.0])
        return np.stack([_turned(mark) * flip * self.right, [0.0, 1.0, 0.0], flip * self.out])

    def page_mm(self, mark: Mark, size: float) -> Float[np.ndarray, "2"]:
        """Where a site lies on the page of the reference body."""
        local = mark.site_mm / size - self.one(mark).centre_mm
        return np.asarray(self.ways(mark)[:2] @ local)


def place_mm(region: str, mark: Mark, size: float = 1.0) -> Float[np.ndarray, "2"]:
    """Where a site lies in the map, right and up from the middle of its region."""
    return _MAPS[region].page_mm(mark, size)


def _turned(mark: Mark) -> float:
    """-1 where the picture is turned over."""
    return -1.0 if side(mark.structure) == "right" else 1.0


# --- maps ----------------------------------------------------------------------------------------


@styled
def map_picture(region: str, marks: Sequence[Mark], size: float = 1.0) -> Picture:
    """Numbered sites with their units on an axilla, palm or bladder spread flat.

    `size` is the length of the body relative to the reference one.
    """
    shown = _MAPS[region]
    there = {side(mark.structure) for mark in marks}
    sides = [one for one in ("right", "left", "") if one in there]
    lines = key(marks)
    deep = 0.14 * -(-len(lines) // 2) + 0.1
    figure = Figure(figsize=(WIDTH_INCH, shown.high_inch + deep), layout="constrained")
    grid = figure.add_gridspec(2, len(sides), height_ratios=[shown.high_inch, deep])
    for k, one in enumerate(sides):
        here = [mark for mark in marks if side(mark.structure) == one]
        _draw_map(figure.add_subplot(grid[0, k]), shown, here, size)
    draw_key(figure.add_subplot(grid[1, :]), lines)
    total = number(sum(mark.dose_u for mark in marks), "U", 3)
    told = [f"{len(marks)} sites, {total} in all.", *(f"{line}." for line in lines)]
    if region == "bladder":
        near = min(_from_trigone_mm(shown.page_mm(mark, size)) for mark in marks)
        told.append(f"The nearest lies {number(size * near, 'mm', 2)} from the trigone.")
    return shortened(drawn(f"map-{region}", "Where the needle goes", figure, " ".join(told)))


def _draw_map(axes: Axes, shown: _Map, marks: Sequence[Mark], size: float) -> None:
    left, right, bottom, top = shown.extent_mm
    shown.draw(axes)
    turned = _turned(marks[0])
    dots = np.array([shown.page_mm(mark, size) for mark in marks]) * [turned, 1.0]
    draw_marks(axes, marks, dots, (), (top - bottom) / shown.high_inch)
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    if turned < 0:
        axes.invert_xaxis()
    _bare(axes)
    axes.set_title(f"{side(marks[0].structure)} {shown.title}".strip(), loc="center")
    _bar(axes, 10 / size)


def _bare(axes: Axes) -> None:
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _bar(axes: Axes, length: float) -> None:
    """A scale of one centimetre in the lower left corner."""
    left, right = axes.get_xlim()
    start = left + np.sign(right - left) * 3
    low = min(axes.get_ylim()) + 0.02 * np.ptp(axes.get_ylim())
    end = start + np.sign(right - left) * length
    axes.plot([start, end], [low, low], color=INK, linewidth=1.2)
    axes.text(end + np.sign(right - left) * 2, low, "1 cm", fontsize=6, va="center")


def _named(axes: Axes, x: float, y: float, words: str, **more: Any) -> None:
    style: dict[str, Any] = {
        "fontsize": 6.3,
        "fontstyle": "italic",
        "ha": "center",
        "va": "center",
    } | more
    axes.text(x, y, words, color=DARK, path_effects=HALO, **style)


def _shape(axes: Axes, corners: Sequence[tuple[float, float]], smooth: int = 4) -> None:
    """A closed shape of skin with rounded corners."""
    line = np.array(corners)
    for _ in range(smooth):  # cuts each corner at a quarter of its edges
        after = np.roll(line, -1, axis=0)
        line = np.stack([0.75 * line + 0.25 * after, 0.25 * line + 0.75 * after], 1).reshape(-1, 2)
    axes.add_patch(Polygon(line, facecolor=_SKIN, edgecolor=_LINE, linewidth=0.9))


def _draw_axilla(axes: Axes) -> None:
    """Seen from the side with the arm raised: front on the left."""
    edge = [(-40, 150), (-40, 95), (-47, 55), (-50, 0), (-60, -50), (-78, -95), (-88, -150)]
    other = [(88, -150), (80, -95), (64, -50), (52, 0), (48, 55), (40, 95), (40, 150)]
    _shape(axes, edge + other)
    for sign in (-1, 1):
        x, y = _curve([(41, 62), (50, 25), (47, -20), (56, -66)])
        axes.plot(sign * x, y, color=_LINE, linewidth=0.6)
    axes.add_patch(Ellipse((0, 0), 80, 120, fill=False, edgecolor=DARK, linewidth=0.7, ls=":"))
    axes.add_patch(Ellipse((0, 0), 80, 60, facecolor=BLUE, alpha=0.12, linewidth=0))
    axes.add_patch(Ellipse((0, 0), 80, 60, fill=False, edgecolor=BLUE, linewidth=0.8, ls="--"))
    _named(axes, 0, 70, "arm, raised")
    _named(axes, 0, -70, "chest")
    _named(axes, 0, 44, "skin of the armpit")
    _named(axes, 0, -37, "hair and sweat glands")
    _named(axes, -72, 30, "front\n(fold of\npectoralis\nmajor)")
    _named(axes, 72, 30, "back\n(fold of\nlatissimus\ndorsi)")


def _draw_palm(axes: Axes) -> None:
    """The palm of a left hand, fingers up: thumb on the left."""
    x, y = np.meshgrid(np.arange(-85, 86, 1.0), np.arange(-100, 131, 1.0))
    axes.contourf(x, y, _hand_mm(-x, y), [-1e3, 0], colors=[_SKIN])
    axes.contour(x, y, _hand_mm(-x, y), [0], colors=[_LINE], linewidths=0.9)
    for line in _CREASES:
        axes.plot(*_curve(line), color=_LINE, linewidth=0.7)
    skin, thumb = structure("palm.left"), structure("flexor_pollicis_brevis_opponens.left")
    at = thumb.centre_mm - skin.centre_mm
    angle = np.degrees(np.arctan2(thumb.frame[0, 1], -thumb.frame[0, 0]))
    wide, high = 2 * thumb.half_mm[:2]
    axes.add_patch(
        Ellipse((-at[0], at[1]), wide, high, angle=angle, fill=False, edgecolor=BLUE, ls="--")
    )
    axes.annotate(
        "short thumb muscles,\nunder the skin",
        (-at[0] - 7, at[1] - 14),
        (-58, -52),
        color=DARK,
        fontsize=6.3,
        fontstyle="italic",
        ha="center",
        va="center",
        arrowprops={"arrowstyle": "-", "color": DARK, "linewidth": 0.5},
    )
    _named(axes, -66, 66, "thumb side")
    _named(axes, 60, 8, "little-finger\nside")
    _named(axes, 0, -76, "wrist")


_CREASES: Final = (
    ((-35, 14), (-14, 10), (-5, -14), (-12, -41)),  # around the thumb
    ((-35, 15), (-12, 13), (14, 2), (30, -12)),
    ((37, 14), (16, 17), (-4, 24), (-10, 36)),
    ((-24, -46), (-8, -48), (8, -48), (24, -46)),  # of the wrist
)
_FINGERS: Final = (  # from, to, thickness at both; the thumb positive
    ((28, 30), (37, 98), 9.6, 7.8),
    ((9.4, 32), (12.5, 110), 9.6, 8.0),
    ((-9.4, 31), (-13, 102), 9.4, 7.6),
    ((-27.5, 28), (-39, 78), 8.8, 6.8),
    ((24, -24), (47, 8), 17.0, 11.0),
    ((47, 8), (64, 46), 11.0, 8.0),
)


def _hand_mm(x: Float[np.ndarray, "..."], y: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Distance outside the outline of a hand, its corners rounded."""
    parts = [_box_mm(x, y + 4, (38, 42), 12), _box_mm(x, y + 90, (27, 60), 8)]
    parts += [_finger_mm(x, y, *finger) for finger in _FINGERS]
    soft = 1.0
    return np.asarray(-soft * np.log(sum(np.exp(-np.clip(part, -60, 60) / soft) for part in parts)))


def _box_mm(
    x: Float[np.ndarray, "..."],
    y: Float[np.ndarray, "..."],
    half: tuple[float, float],
    corner: float,
) -> Float[np.ndarray, "..."]:
    over_x, over_y = np.abs(x) - half[0] + corner, np.abs(y) - half[1] + corner
    away = np.hypot(np.maximum(over_x, 0), np.maximum(over_y, 0))
    return np.asarray(away + np.minimum(np.maximum(over_x, over_y), 0) - corner)


def _finger_mm(
    x: Float[np.ndarray, "..."],
    y: Float[np.ndarray, "..."],
    start: tuple[float, float],
    end: tuple[float, float],
    thick: float,
    thin: float,
) -> Float[np.ndarray, "..."]:
    along = np.subtract(end, start)
    share = np.clip(((x - start[0]) * along[0] + (y - start[1]) * along[1]) / (along @ along), 0, 1)
    away = np.hypot(x - start[0] - share * along[0], y - start[1] - share * along[1])
    return np.asarray(away - thick - share * (thin - thick))


def _curve(points: Sequence[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Bezier curve through the first and last of four points."""
    t = np.linspace(0, 1, 33)[:, None]
    a, b, c, d = np.array(points)
    line = (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d
    return line[:, 0], line[:, 1]


def _draw_bladder(axes: Axes) -> None:
    """Opened in front and spread flat, the posterior wall in the middle."""
    axes.add_patch(Circle((0, 0), _DISC_MM, facecolor=_SKIN, edgecolor=_LINE, linewidth=0.9))
    axes.add_patch(
        Polygon(TRIGONE_MM, facecolor=PAPER, edgecolor=DARK, hatch="....", linewidth=0.8)
    )
    axes.add_patch(Circle(NECK_MM, 3.5, facecolor=PAPER, edgecolor=DARK, linewidth=0.9))
    for x, y in TRIGONE_MM[1:]:
        axes.add_patch(Ellipse((x, y), 5, 2.2, angle=np.sign(x) * 20, facecolor=DARK))
        _named(axes, x + np.sign(x) * 17, y - 4, "opening of\nthe ureter")
    axes.plot(0, _DOME_MM, "+", color=DARK, markersize=5, markeredgewidth=0.8)
    _named(axes, 0, _DOME_MM + 6, "dome")
    _named(axes, 0, 58, "front wall, opened here")
    _named(axes, 0, 6.0, "posterior wall")
    _named(axes, 24, -58, "trigone: no sites", ha="left")
    axes.plot([4, 23], [-51, -57], color=DARK, linewidth=0.5)
    _named(axes, 0, -71, "bladder neck")
    _named(axes, -54, 0, "right\nwall")
    _named(axes, 54, 0, "left\nwall")


def _from_trigone_mm(at: Float[np.ndarray, "2"]) -> float:
    """Distance of a place from the trigone, 0 inside."""
    start, end = TRIGONE_MM, np.roll(TRIGONE_MM, -1, axis=0)
    along, to = end - start, at - start
    turn = along[:, 0] * to[:, 1] - along[:, 1] * to[:, 0]
    if (turn <= 0).all() or (turn >= 0).all():
        return 0.0
    share = np.clip((along * to).sum(1) / (along**2).sum(1), 0, 1)[:, None]
    return float(np.linalg.norm(to - share * along, axis=1).min())


# --- sections ------------------------------------------------------------------------------------


@styled
def layer_section_picture(
    region: str, marks: Sequence[Mark], toxin: Toxin, size: float = 1.0
) -> Picture:
    """A cut through the wall at the site with most units: layers by name, needle and toxin."""
    shown = _MAPS[region]
    mark = max(marks, key=lambda one: one.dose_u)
    across, down = np.meshgrid(
        np.arange(-_HALF_MM, _HALF_MM + 0.1, 0.2), np.arange(0, _DEEP_MM + 0.1, 0.2)
    )
    plane = np.stack([across, shown.site_mm - down], axis=-1) @ shown.ways(mark)[[0, 2]]
    place = mark.site_mm + size * plane
    figure = Figure(figsize=(WIDTH_INCH, 3.0), layout="constrained")
    axes = figure.subplots()
    _draw_layers(axes, shown)
    if region == "palm":
        _draw_thumb(axes, across, down, _in_thumb(mark, place / size))
    captured = toxin(place)
    _draw_toxin(axes, across, down, captured)
    _draw_needles(axes, shown, mark, marks, size)
    _frame(axes, shown, mark, size)
    handles = [
        Line2D([], [], color=RED, linewidth=1.6, label="needle"),
        Line2D([], [], color=BLUE, label="toxin captured, U/cm³"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    told = _told(shown, mark, size, float(captured.max()))
    return shortened(drawn(f"section-{region}", "Across the wall at a site", figure, told))


def _draw_layers(axes: Axes, shown: _Map) -> None:
    """Layers from the surface downwards, each named beside the cut."""
    ends = [-_HALF_MM, _HALF_MM]
    middles = [(one.top_mm + one.bottom_mm) / 2 for one in shown.layers]
    for one, middle, level in zip(shown.layers, middles, _apart_mm(middles), strict=True):
        axes.fill_between(ends, -one.top_mm, -one.bottom_mm, facecolor=one.colour, linewidth=0)
        axes.plot(ends, [-one.top_mm] * 2, color=DARK, linewidth=0.4)
        axes.plot(
            [_HALF_MM, _HALF_MM + 1.5], [-middle, -level], color=DARK, linewidth=0.5, clip_on=False
        )
        axes.text(_HALF_MM + 2, -level, one.words, fontsize=6.5, va="center")
        if one.words.startswith("sweat"):
            _draw_glands(axes, one)
    axes.plot(ends, [0, 0], color=DARK, linewidth=1.2)


def _apart_mm(middles: Sequence[float]) -> list[float]:
    """Heights of the names, at least a line apart."""
    levels: list[float] = []
    for middle in middles:
        levels.append(max(middle, levels[-1] + 1.3) if levels else middle)
    return levels


def _draw_glands(axes: Axes, layer: _Layer) -> None:
    """Coils of sweat glands with their ducts."""
    turn = np.linspace(0, 6 * np.pi, 60)
    for k, x in enumerate(np.arange(-_HALF_MM + 1.3, _HALF_MM - 1, 2.1)):
        y = -layer.top_mm - 0.75 - 0.5 * (k * 7 % 3) / 2
        coil = 0.15 + 0.4 * turn / turn[-1]
        axes.plot(x + coil * np.cos(turn), y + coil * np.sin(turn), color=_LINE, linewidth=0.4)
        duct = np.linspace(y + 0.55, 0, 24)
        axes.plot(x + 0.12 * np.sin(5 * duct), duct, color=_LINE, linewidth=0.4)


def _in_thumb(mark: Mark, place_mm: Float[np.ndarray, "... 3"]) -> Float[np.ndarray, "..."]:
    """Below 1 where the short muscles of the thumb lie."""
    muscle = structure(f"flexor_pollicis_brevis_opponens.{side(mark.structure)}")
    local = (place_mm - muscle.centre_mm) @ muscle.frame.T / muscle.half_mm
    return np.asarray((local**2).sum(axis=-1))


def _draw_thumb(
    axes: Axes,
    across: Float[np.ndarray, "row column"],
    down: Float[np.ndarray, "row column"],
    far: Float[np.ndarray, "row column"],
) -> None:
    if (far < 1).any():
        axes.contourf(across, -down, far, [0, 1], colors=[_MUSCLE], zorder=2.2)
        axes.contour(across, -down, far, [1], colors=[DARK], linewidths=0.6, zorder=2.3)
        x, y = across[far < 1].mean(), -down[far < 1].mean()
        _named(axes, x, y - 1, "short thumb muscles", fontstyle="normal")


def _draw_toxin(
    axes: Axes,
    across: Float[np.ndarray, "row column"],
    down: Float[np.ndarray, "row column"],
    captured: Float[np.ndarray, "row column"],
) -> None:
    levels = _levels(float(captured.max()))
    if levels:
        lines = axes.contour(
            across, -down, captured, levels, colors=BLUE, linewidths=0.8, zorder=2.4
        )
        for text in axes.clabel(lines, fontsize=5.5, fmt=lambda level: f"{level:g}"):
            text.set_path_effects(HALO)


def _levels(most: float) -> list[float]:
    """The four highest of 1, 2, 5, 10 ... below the highest value."""
    if most <= 0:
        return []
    top = int(np.floor(np.log10(most)))
    steps = [float(f"{first}e{top + k}") for k in (-2, -1, 0) for first in (1, 2, 5)]
    return [step for step in steps if step < 0.9 * most][-4:]


def _draw_needles(axes: Axes, shown: _Map, mark: Mark, marks: Sequence[Mark], size: float) -> None:
    """The needle at the site, and the sites beside it in the same plane."""
    right, up, _ = shown.ways(mark)
    for other in marks:
        apart = (other.site_mm - mark.site_mm) / size
        x = float(apart @ right)
        near = side(other.structure) == side(mark.structure) and abs(apart @ up) < 1
        if near and other is not mark and abs(x) < _HALF_MM:
            axes.plot(x, -shown.site_mm, "o", color=PAPER, markersize=3, markeredgecolor=DARK)
            _named(axes, x, -shown.site_mm - 1.3, str(other.number), fontstyle="normal")
    far = (shown.site_mm + _ABOVE_MM - 1) / shown.site_mm
    start = -shown.slant * shown.site_mm
    axes.plot(
        [far * start, 0],
        [(far - 1) * shown.site_mm, -shown.site_mm],
        color=RED,
        linewidth=1.6,
        zorder=5,
    )
    axes.plot(0, -shown.site_mm, "o", color=DARK, markersize=3.5, markeredgecolor=PAPER, zorder=6)


def _frame(axes: Axes, shown: _Map, mark: Mark, size: float) -> None:
    """Title, directions in words and a scale."""
    axes.set_title(
        f"{mark.number}  {mark.words}\n{number(mark.dose_u, 'U', 3)}, {_depth(shown, size)}",
        loc="center",
    )
    axes.set(xlim=(-_HALF_MM - 1, _HALF_MM + 14), ylim=(-_DEEP_MM - 2.2, _ABOVE_MM), aspect="equal")
    _bare(axes)
    turned = -1 if _turned(mark) < 0 else 1
    low = -_DEEP_MM - 1.3
    for x, word in zip((-_HALF_MM, _HALF_MM), shown.ends[::turned], strict=True):
        _named(axes, x, low, word, ha="left" if x < 0 else "right")
    _named(axes, 8, 2.2, shown.above)
    axes.plot([-2.5 / size, 2.5 / size], [low, low], color=INK, linewidth=1.2)
    axes.text(3.2 / size, low, "5 mm", fontsize=6, va="center")


def _depth(shown: _Map, size: float) -> str:
    return f"{number(size * shown.site_mm, 'mm', 2)} deep"


def _told(shown: _Map, mark: Mark, size: float, most: float) -> str:
    """Depth, layers and the highest value in the plane."""
    inside = next(one for one in shown.layers if one.bottom_mm >= shown.site_mm)
    return (
        f"{mark.number}: {mark.words}, {_depth(shown, size)}, in the layer {inside.words}, at most "
        f"{number(most, 'U/cm³', 2)} in this plane."
    )


# --- regions -------------------------------------------------------------------------------------

_MAPS: Final = {
    "axilla": _Map(
        main="axilla",
        title="armpit, arm raised",
        extent_mm=(-84, 84, -80, 80),
        high_inch=3.2,
        draw=_draw_axilla,
        right=(0, 0, -1),
        out=(1, 0, 0),
        ends=("front", "back"),
        above="skin of the armpit",
        site_mm=2.0,
        slant=1.7,
        layers=(
            _Layer("epidermis", 0, 0.1, "#E8C9B8"),
            _Layer("dermis", 0.1, 2, "#F9DDD0"),
            _Layer("sweat glands", 2, 4, "#E3ECF6"),
            _Layer("fat", 4, _DEEP_MM, "#FFF4D6"),
        ),
    ),
    "palm": _Map(
        main="palm",
        title="palm, fingers up",
        extent_mm=(-84, 84, -88, 122),
        high_inch=4.1,
        draw=_draw_palm,
        right=(-1, 0, 0),
        out=(0, 0, 1),
        ends=("thumb side", "little-finger side"),
        above="skin of the palm",
        site_mm=2.0,
        slant=1.7,
        layers=(
            _Layer("epidermis", 0, 0.7, "#E8C9B8"),
            _Layer("dermis", 0.7, 2, "#F9DDD0"),
            _Layer("sweat glands", 2, 4, "#E3ECF6"),
            _Layer("fat", 4, 6.5, "#FFF4D6"),
            _Layer("fascia of the palm", 6.5, 7.2, "#FFFFFF"),
            _Layer("tendons, vessels and nerves", 7.2, _DEEP_MM, "#ECECEC"),
        ),
    ),
    "bladder": _Map(
        main="detrusor",
        title="bladder, opened in front and spread flat, seen from inside",
        extent_mm=(-92, 92, -78, 70),
        high_inch=3.9,
        draw=_draw_bladder,
        right=(1, 0, 0),
        out=(0, 0, 1),
        ends=("person's right", "person's left"),
        above="inside of the bladder",
        site_mm=3.0,
        slant=0.0,
        layers=(
            _Layer("mucosa", 0, 1, "#F3DCE9"),
            _Layer("detrusor", 1, 5, _MUSCLE),
            _Layer("fat around the bladder", 5, _DEEP_MM, "#FFF4D6"),
        ),
    ),
}
