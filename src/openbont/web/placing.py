"""Needles of the editor: where they lie in the patient's own body, and where one is moved to.

A plan keeps where a needle ends, in the terms of its structure. Where it enters the skin follows
from that, as on paper. A hand on the skin gives the way straight in, and so the place it ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from openbont.anatomy.aim import Aim, aim, lies_in
from openbont.anatomy.carried import along_skin, carried_mm, place, same_place
from openbont.anatomy.landmarks import region_words
from openbont.anatomy.sites import sites_mm
from openbont.anatomy.structure import Structure
from openbont.anatomy.surface import Point
from openbont.catalog.muscles import middle_mm, words
from openbont.errors import BadInput
from openbont.forward.chain import Model
from openbont.forward.exposure import unsolved
from openbont.plan import Injection, Plan
from openbont.report.places import APART, marks
from openbont.report.words import listed
from openbont.web.bodies import Standing
from openbont.web.edited import Place, apart, guidance

STEPS_MM = {"up": (2.0, 0.0), "down": (-2.0, 0.0), "right": (0.0, 2.0), "left": (0.0, -2.0)}
"""Up along the skin and to the right of who looks at it."""
ELSEWHERE_MM = 20.0
"""A needle that would be drawn to enter farther off than this is not the one that was meant."""
OUTSIDE = "▲ outside it, at the exact place that was typed"


@dataclass(frozen=True, eq=False)
class Needle:
    """One needle of the plan, in the reference body."""

    row: int
    site: int
    """Number within its row."""
    structure: str
    end_mm: Point
    entry_mm: Point
    inside: bool = True
    """Whether its end lies in the structure; a place that was typed may not."""

    @property
    def deep_mm(self) -> int:
        """From the skin to the end."""
        return round(float(np.linalg.norm(self.end_mm - self.entry_mm)))

    def told(self, body: Standing) -> str:
        """`left biceps brachii: 14 mm deep; left upper arm, front, 40 % from ...`"""
        where = region_words(body.reference, self.entry_mm)
        deep = f"{self.deep_mm} mm deep" if self.inside else OUTSIDE
        return f"{words(self.structure)}: {deep}; {where}"

    def shown(self, body: Standing) -> dict[str, Any]:
        """As it lies in the patient's own body."""
        end = carried_mm(body.reference, body.own, self.end_mm[None])[0]
        entry = same_place(body.reference, body.own, self.entry_mm)
        return {
            "row": self.row,
            "site": self.site,
            "structure": self.structure,
            "words": self.told(body),
            "at_mm": end.round(1).tolist(),
            "skin_mm": entry.round(1).tolist(),
        }


def needles_of(plan: Plan, model: Model) -> list[Needle]:
    """Needles of the first session; not where a region has its own map, or is not modelled."""
    known = {one.id: one for one in model.structures}
    injections = plan.sessions[0].injections
    kept = [(row, one) for row, one in enumerate(injections) if one.structure in known]
    drawn = iter(_marks(plan, model, [one for _, one in kept]))
    found = []
    for row, one in kept:
        inside = _inside(known[one.structure], model, one, plan.disorder)
        for site, mark in zip(range(one.sites), drawn, strict=False):
            entry = mark.site_mm if mark.skin_mm is None else mark.skin_mm
            found.append(Needle(row, site, one.structure, mark.site_mm, entry, inside))
    return [one for one in found if known[one.structure].region not in APART]


def _inside(structure: Structure, model: Model, one: Injection, disorder: str) -> bool:
    """Whether an exact place is in its structure, or in the midline, where a label puts it."""
    if one.site_mm is None or one.site_mm == middle_mm(one.structure, disorder):
        return True
    atlas = next((each for each in model.atlases if structure.id in each.tissues), None)
    return lies_in(structure, atlas, structure.place(np.array(one.site_mm)))


def _marks(plan: Plan, model: Model, injections: Sequence[Injection]) -> list[Any]:
    """Marks of some injections, whatever their dose."""
    if not injections:
        return []
    some = tuple(one.model_copy(update={"dose_u": 1.0, "volume_ml": None}) for one in injections)
    session = plan.sessions[0].model_copy(update={"injections": some})
    return marks(unsolved(plan.model_copy(update={"sessions": (session,)}), model))


def ways_of(plan: Plan, found: Sequence[Needle], body: Standing) -> list[dict[str, Any]]:
    """Guidance of each row, with depth and place where they are known."""
    ways = []
    for row, one in enumerate(plan.sessions[0].injections):
        here = [needle for needle in found if needle.row == row]
        where = region_words(body.reference, here[0].entry_mm) if here else ""
        ways.append(guidance(one.structure, _deep(here), where))
    return ways


def _deep(needles: Sequence[Needle]) -> str:
    if not needles:
        return ""
    if not all(one.inside for one in needles):
        return OUTSIDE
    least, most = min(one.deep_mm for one in needles), max(one.deep_mm for one in needles)
    return f"{least} mm deep" if least == most else f"{least} to {most} mm deep"


# ---- a needle that is moved


def moved(
    plan: Plan,
    model: Model,
    body: Standing,
    which: tuple[int, int],
    skin_mm: tuple[float, float, float],
    step: str = "",
) -> dict[str, Any]:
    """The rows that take the place of one when its needle enters here, or a step from here.

    `which` is the row and the number of its needle. Raises BadInput, in words, where that is no
    way into the structure.
    """
    row, site = which
    one = plan.sessions[0].injections[row]
    structure = body.of(one.structure)
    start = np.array(skin_mm)
    hand = along_skin(body.own, start, *STEPS_MM[step]) if step else start
    there = _aimed(body, structure, hand)
    at = _exact(structure, there.site_mm)
    needle = _alone(plan, model, one, at)
    through = _passed(body, there, needle, hand)
    places = _places(one, structure)
    places[site] = at
    said = needle.told(body) + (f"; through {through}" if through else "")
    return {"rows": apart(one, places), "said": said, "skin_mm": hand.round(1).tolist()}


def _aimed(body: Standing, structure: Structure, hand_mm: Point) -> Aim:
    there, name = place(body.own, hand_mm), words(structure.id)
    entry, inward = there.on(body.reference), -there.outward(body.reference)
    found, here = (
        aim(structure, body.atlas(structure.id), entry, inward),
        region_words(body.reference, entry),
    )
    if found is None:
        raise BadInput("", f"the model has no {name} under this place ({here})", "stay over it")
    if found.through_bone:
        raise BadInput("", f"bone lies before {name} here ({here})", "come from elsewhere")
    return found


def _exact(structure: Structure, site_mm: Point) -> Place:
    """In the terms of the structure; in an ellipsoid a needle always ends half way through."""
    along, across, deep = structure.local_mm(site_mm)
    return along, across, 0.0 if structure.plate_mm is None else deep


def _alone(plan: Plan, model: Model, one: Injection, at: Place) -> Needle:
    """The needle as it will be drawn from the plan."""
    exact = one.model_copy(update={"sites": 1, "site_mm": at})
    [mark] = _marks(plan, model, [exact])
    entry = mark.site_mm if mark.skin_mm is None else mark.skin_mm
    return Needle(0, 0, one.structure, mark.site_mm, entry)


def _passed(body: Standing, there: Aim, needle: Needle, hand_mm: Point) -> str:
    """What the needle goes through. Raises BadInput where it would be drawn to enter elsewhere."""
    through = listed([words(name) for name in there.crossed])
    drawn = same_place(body.reference, body.own, needle.entry_mm)
    away_mm = float(np.linalg.norm(drawn - hand_mm))
    if away_mm > ELSEWHERE_MM:
        where = region_words(body.reference, needle.entry_mm)
        raise BadInput("", f"the way to that place enters at {where}", "come from there")
    return through


def _places(one: Injection, structure: Structure) -> list[Place]:
    """Where the needles of a row are now."""
    if one.site_mm is not None:
        along, across, deep = one.site_mm
        return [(along, across, deep)]
    return [structure.local_mm(site) for site in sites_mm(structure, one.sites)]
