"""The pictures of where the needle goes and what the toxin reaches, from the fields of a plan."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from openbont.anatomy.muscles import bellies
from openbont.anatomy.surface import Point, Surface, enter_mm, nearest, surface
from openbont.catalog.muscles import base, words
from openbont.report.body_pictures import Mark, sites_picture
from openbont.report.figures import Picture
from openbont.report.section_pictures import Histogram, cut, histogram_picture, section_picture

if TYPE_CHECKING:  # the chain needs jax; a report only reads its results
    from openbont.forward.exposure import Toxin


_A_PICTURE = 4
"""Sections in one picture: half a page."""


def places(toxin: "Toxin") -> list[Picture]:
    """Sites on the body, a section through each injected structure, and what each one gets."""
    model = toxin.model
    size = max(one.size for one in model.structures)
    body = surface().scaled(size)
    marks = _marks(toxin, body)
    outlines = {
        one.id: toxin.filled_mm(one)
        for one in model.structures
        if any(mark.structure == one.id for mark in marks)
    }
    frames = {one.id: one.frame for one in model.structures}
    cuts = [
        cut(body, atlas, mark, frames[mark.structure][0])
        for mark in _largest(marks)
        for atlas in model.atlases
        if mark.structure in atlas.tissues
    ]
    drawn = [sites_picture(body, marks, outlines)]
    for first in range(0, len(cuts), _A_PICTURE):
        name = f"sections-{first // _A_PICTURE + 1}"
        drawn.append(section_picture(cuts[first : first + _A_PICTURE], toxin.at, name))
    return [*drawn, histogram_picture(_histograms(toxin))]


def _marks(toxin: "Toxin", body: Surface) -> list[Mark]:
    """Every site, numbered in the order of the plan."""
    return [
        Mark(
            number,
            site.structure,
            words(site.structure),
            site_mm := toxin.shots.site_mm[site.number],
            site.dose_u,
            _entry(body, site.structure, site_mm),
        )
        for number, site in enumerate(toxin.sites, start=1)
    ]


def _entry(body: Surface, structure: str, site_mm: Point) -> Point:
    """Where the needle enters: on the usual way to a mapped muscle, else at the nearest skin."""
    if structure in bellies():
        along = enter_mm(body, site_mm, -bellies()[structure].approach)
        if np.isfinite(along).all():
            return along
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
