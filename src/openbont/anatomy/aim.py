"""From a place of the skin straight into a structure: where that needle ends."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from openbont.anatomy.atlas import BONE, COMMON, Atlas
from openbont.anatomy.structure import Structure
from openbont.anatomy.surface import Point

DEEPEST_MM = 120.0
STEP_MM = 0.5
EXACT_MM = 2.0
OUTSIDE_MM = 10.0
"""A limb of a recorded girth may stand out of the skin that is drawn, by this much."""


@dataclass(frozen=True, eq=False)
class Aim:
    """A straight needle that ends half way through the structure it was meant for."""

    site_mm: Point
    depth_mm: float
    """From the skin to the site."""
    crossed: tuple[str, ...]
    """Other structures that it passes before, outermost first."""
    through_bone: bool


def aim(structure: Structure, atlas: Atlas | None, skin_mm: Point, inward: Point) -> Aim | None:
    """The needle pushed in at a place of the skin; None where the structure is not under it.

    Without an atlas that knows the structure, its ellipsoid stands for it.
    """
    deep_mm = np.arange(-OUTSIDE_MM, DEEPEST_MM, STEP_MM)
    path = skin_mm + deep_mm[:, None] * inward
    label = np.zeros(len(path), int) if atlas is None else atlas.at(path)
    hit = _hit(structure, atlas, path, label)
    if not hit.any():
        return None
    first = int(hit.argmax())
    middle = first + int(np.argmin(np.append(hit[first:], False))) // 2
    passed = dict.fromkeys(label[:first].tolist())
    return Aim(
        path[middle],
        max(float(deep_mm[middle]), 0.0),
        tuple(atlas.tissues[one] for one in passed if one >= len(COMMON)) if atlas else (),
        BONE in passed,
    )


def lies_in(structure: Structure, atlas: Atlas | None, point_mm: Point) -> bool:
    """Whether a place is in a structure, or beside it by no more than the maps are exact."""
    if structure.plate_mm is None or atlas is None:
        return bool(structure.under(point_mm[None]).all())
    near = point_mm + EXACT_MM * (np.indices((3, 3, 3)).reshape(3, -1).T - 1.0)
    return bool((atlas.at(near) == atlas.number(structure.id)).any())


def _hit(
    structure: Structure,
    atlas: Atlas | None,
    path: Float[np.ndarray, "step 3"],
    label: Int[np.ndarray, "step"],
) -> Bool[np.ndarray, "step"]:
    """Steps within the structure; a flat one ends where the model's own shape of it does."""
    if atlas is None:
        return structure.holds(path)
    within = label == atlas.number(structure.id)
    return within if structure.plate_mm is not None else within & structure.under(path)
