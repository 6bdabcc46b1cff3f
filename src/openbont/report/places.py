"""The pictures of where the needle goes and what the toxin reaches, from the fields of a plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from openbont.anatomy.atlas import Atlas
from openbont.anatomy.head import atlas as head
from openbont.anatomy.head import entry_mm
from openbont.anatomy.needle import needle
from openbont.anatomy.surface import Point, Surface, enter_mm, nearest, surface
from openbont.catalog.muscles import base, words
from openbont.report.body_pictures import Mark, Points, sites_picture
from openbont.report.figures import Picture
from openbont.report.map_pictures import layer_section_picture, map_picture
from openbont.report.section_pictures import Histogram, cut, histogram_picture, section_picture

if TYPE_CHECKING:  # the chain needs jax; a report only reads its results
    from openbont.forward.exposure import Toxin


APART = ("axilla", "palm", "bladder")
"""Regions with a map of their own: they do not show on a standing body."""
ORBIT = ("medial_rectus", "lateral_rectus", "superior_rectus", "inferior_rectus")
"""Reached beside the eyeball, not through the skin before them."""
_PLACES = 2000
_LAYER_MM = 2.0
"""The middle of the layer is sought within this of its nearest place."""
_A_PICTURE = 4
"""Sections in one picture: half a page."""


def places(toxin: "Toxin") -> list[Picture]:
    """Sites on the body, a section through each injected structure, and what each one gets."""
    body = _body(toxin)
    standing, apart = _apart(toxin, marks(toxin))
    drawn = []
    if standing:
        drawn.append(sites_picture(body, standing, _outlines(toxin, standing)))
        drawn += _sections(toxin, body, standing)
    for name, some in apart.items():
        drawn += [
            map_picture(name, some, _size(toxin)),
            layer_section_picture(name, some, toxin.at, _size(toxin)),
        ]
    return [*drawn, histogram_picture(_histograms(toxin))]


@dataclass(frozen=True)
class Sites:
    """Needle sites, numbered in the order of the plan, with the pictures that show them."""

    marks: tuple[Mark, ...]
    pictures: tuple[Picture, ...]
    mapped: frozenset[str]
    """Structures whose depth under the skin the map of the body tells."""


def sites(toxin: "Toxin") -> Sites:
    """Where the needle goes, without what the toxin reaches."""
    body, numbered = _body(toxin), marks(toxin)
    standing, apart = _apart(toxin, numbered)
    drawn = [sites_picture(body, standing, _outlines(toxin, standing))] if standing else []
    drawn += [map_picture(name, some, _size(toxin)) for name, some in apart.items()]
    names = {mark.structure for mark in standing if base(mark.structure) not in ORBIT}
    mapped = {name for name in names if _mapped(toxin, name) or name in head().tissues}
    return Sites(tuple(numbered), tuple(drawn), frozenset(mapped))


def _body(toxin: "Toxin") -> Surface:
    return surface().scaled(_size(toxin))


def _size(toxin: "Toxin") -> float:
    """Length of the patient's body relative to the reference one."""
    return max(one.size for one in toxin.model.structures)


def _apart(toxin: "Toxin", marks: Sequence[Mark]) -> tuple[list[Mark], dict[str, list[Mark]]]:
    """Marks on the standing body, and those of each region with a map of its own."""
    regions = {one.id: one.region for one in toxin.model.structures}
    apart = {name: [m for m in marks if regions[m.structure] == name] for name in APART}
    standing = [mark for mark in marks if regions[mark.structure] not in APART]
    return standing, {name: some for name, some in apart.items() if some}


def _outlines(toxin: "Toxin", marks: Sequence[Mark]) -> dict[str, Points]:
    """Places within the injected structures, from the map that shows them best."""
    structures = {one.id: one for one in toxin.model.structures}
    found = {}
    for name in dict.fromkeys(mark.structure for mark in marks):
        layer = name in head().tissues and not _mapped(toxin, name)
        if layer:
            found[name] = _head(toxin).filled_mm(name, _PLACES)
        else:
            found[name] = toxin.filled_mm(structures[name])
    return found


def _sections(toxin: "Toxin", body: Surface, marks: Sequence[Mark]) -> list[Picture]:
    """A section through the largest site of each structure, a few to a picture."""
    structures = {one.id: one for one in toxin.model.structures}
    maps = [*toxin.model.atlases, _head(toxin)]
    cuts = [
        cut(body, shown, mark, structures[mark.structure].frame[0], _shift_mm(toxin, mark))
        for mark in _largest(marks)
        if (shown := next((one for one in maps if mark.structure in one.tissues), None))
    ]
    return [
        section_picture(cuts[first : first + _A_PICTURE], toxin.at, f"sections-{number}")
        for number, first in enumerate(range(0, len(cuts), _A_PICTURE), start=1)
    ]


def _head(toxin: "Toxin") -> Atlas:
    return head().scaled(_size(toxin))


def _shift_mm(toxin: "Toxin", mark: Mark) -> Point:
    """From a site as it is drawn to the same site in the model."""
    return np.asarray(toxin.shots.site_mm[toxin.sites[mark.number - 1].number] - mark.site_mm)


def marks(toxin: "Toxin") -> list[Mark]:
    """Every site, numbered in the order of the plan, with the place where the needle enters."""
    body, found = _body(toxin), []
    for number, site in enumerate(toxin.sites, start=1):
        drawn_mm = _drawn_mm(toxin, site.structure, toxin.shots.site_mm[site.number])
        entry = _entry(toxin, body, site.structure, drawn_mm)
        named = words(site.structure)
        found.append(Mark(number, site.structure, named, drawn_mm, site.dose_u, entry))
    return found


def _mapped(toxin: "Toxin", structure: str) -> bool:
    return any(structure in atlas.tissues for atlas in toxin.model.atlases)


def _drawn_mm(toxin: "Toxin", structure: str, site_mm: Point) -> Point:
    """The site, or the nearest place of its layer on the map of the head."""
    if _mapped(toxin, structure) or structure not in head().tissues:
        return site_mm
    places = _layer_mm(structure, _size(toxin))
    away = np.linalg.norm(places - site_mm, axis=1)
    near = places[away <= away.min() + _LAYER_MM]
    return np.asarray(near[np.linalg.norm(near - near.mean(0), axis=1).argmin()])


@lru_cache(maxsize=64)
def _layer_mm(name: str, size: float) -> Points:
    """Places of a layer of the head in a body of this size."""
    return head().scaled(size).filled_mm(name, 100_000)


def _entry(toxin: "Toxin", body: Surface, structure: str, site_mm: Point) -> Point:
    """Where the needle enters: on the cheapest way to a mapped site, else at the nearest skin."""
    atlas = next((one for one in toxin.model.atlases if structure in one.tissues), None)
    if atlas is not None:
        number = atlas.number(structure)
        grid = next((one for one in atlas.grids if one.at(site_mm) == number), None)
        if grid is not None:
            along = enter_mm(body, site_mm, -needle(grid, site_mm, number).way)
            if np.isfinite(along).all():
                return along
    if structure in head().tissues:
        return _size(toxin) * entry_mm(site_mm / _size(toxin))
    return nearest(body, site_mm)[0]


def _largest(marks: Sequence[Mark]) -> list[Mark]:
    """One site of each structure, the one with most units; one side stands for both."""
    found: dict[str, Mark] = {}
    for mark in marks:
        held = found.setdefault(base(mark.structure), mark)
        if mark.dose_u > held.dose_u:
            found[base(mark.structure)] = mark
    return list(found.values())


def _histograms(toxin: "Toxin") -> list[Histogram]:
    """Of nerve endings, each standing for an equal part of its structure's."""
    injected = {site.structure for site in toxin.sites}
    return [
        Histogram(
            words(one.structure),
            one.structure in injected,
            one.at_endings,
            one.loss,
            np.ones_like(one.loss),
        )
        for one in toxin.exposures()
    ]
