"""From a body and the table of sections to an atlas of a region and its muscles, measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from openbont.anatomy.atlas import COMMON, Atlas
from openbont.anatomy.belly import Belly, Zone, measure
from openbont.anatomy.limb import Line, skin
from openbont.anatomy.section import Layout, Segment, Skin, both_sides, lay_out
from openbont.anatomy.surface import Surface


@dataclass(frozen=True, eq=False)
class Section:
    """One segment of the body as the table has it."""

    name: str
    region: str
    line: Line
    segment: Segment
    zones: Mapping[str, Zone]
    """End-plate zones by muscle, without its side; the middle half where there is none."""


@dataclass(frozen=True, eq=False)
class Region:
    """What lies where in a region, and the muscles of its left side and midline."""

    atlas: Atlas
    bellies: tuple[Belly, ...]


def solve(
    sections: Sequence[Section],
    body: Surface,
    *,
    atrophy: Mapping[str, float] | None = None,
    girth: Mapping[str, float] | None = None,
) -> Region:
    """The region made of these segments in a body, on the left.

    `atrophy` is the share of its volume that a muscle has kept, by id; `girth` the girth of a
    segment / that of the mesh, by name.
    """
    wide = girth or {}
    parts = [_part(one, body, atrophy or {}, wide.get(one.name, 1.0)) for one in sections]
    bellies = tuple(one for part in parts for one in part.bellies)
    return Region(_joined([part.atlas for part in parts]), bellies)


def _part(section: Section, body: Surface, atrophy: Mapping[str, float], girth: float) -> Region:
    around = skin(body, section.line).fitted(girth)
    layout = lay_out(around, section.segment, atrophy)
    if section.segment.half:
        layout = both_sides(layout)
    atlas = _atlas(section, layout)
    return Region(atlas, tuple(_bellies(section, around, layout, atlas)))


def _atlas(section: Section, layout: Layout) -> Atlas:
    half = section.segment.half
    compartment = {one.id: one.compartment for one in section.segment.muscles}
    compartments = tuple(_compartment(name, compartment, half) for name in layout.ids)
    region = section.region if half else f"{section.region}.left"
    empty = ("",) * len(COMMON)
    return Atlas(region, COMMON + layout.ids, empty + compartments, (layout.grid,))


def _compartment(name: str, compartment: Mapping[str, str], half: bool) -> str:
    """Of a muscle; one in the midline has its own, and where both sides meet each has its own."""
    stem, _, side = name.rpartition(".")
    if not stem:
        return name
    return compartment[f"{stem}.left"] + (f" {side}" if half else "")


def _bellies(section: Section, around: Skin, layout: Layout, atlas: Atlas) -> list[Belly]:
    return [
        measure(
            atlas,
            len(COMMON) + i,
            skin=around,
            zone=section.zones.get(name.removesuffix(".left"), Zone()),
            segment=section.name,
            asked_cm3=float(layout.asked_cm3[i]),
            scale=float(layout.scale[i]),
        )
        for i, name in enumerate(layout.ids)
        if not name.endswith(".right")
    ]


def _joined(atlases: list[Atlas]) -> Atlas:
    """Several segments of one region, their labels numbered one after the other."""
    whole = atlases[0]
    for more in atlases[1:]:
        shift = np.uint8(len(whole.tissues) - len(COMMON))
        label = more.grids[0].label
        label = np.where(label >= len(COMMON), label + shift, label)
        whole = Atlas(
            whole.region,
            whole.tissues + more.tissues[len(COMMON) :],
            whole.compartments + more.compartments[len(COMMON) :],
            (*whole.grids, replace(more.grids[0], label=label)),
        )
    return whole
