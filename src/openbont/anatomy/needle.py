"""The way of the needle to a site: the cheapest straight path from the skin within one slice."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import ndimage

from openbont.anatomy.atlas import BONE, COMMON, FAT, OTHER, OUTSIDE, Grid

DIRECTIONS = 72
STEP_MM = 0.5
EXTRA_MM = {BONE: 1e6, OTHER: 0.5, FAT: 0.0}
"""What a path costs beyond its length, for each mm of tissue it crosses (assumed)."""
ACROSS_MUSCLE_MM = 12.0
"""Longer path that is taken to spare a neighbouring muscle (assumed)."""


@dataclass(frozen=True, eq=False)
class Needle:
    """A straight path to a site and what it crosses."""

    angle_rad: float
    """Where it comes from, in the plane of the slice: from the second axis towards the third."""
    way: Float[np.ndarray, "3"]
    """Of length one, from the skin inwards."""
    label: Int[np.ndarray, "step"]
    """What lies at each step from the site outwards."""
    number: int
    """Label of the muscle that is aimed at."""

    @property
    def depth_mm(self) -> float:
        """From the skin to the site."""
        return len(self.label) * STEP_MM

    @property
    def top_mm(self) -> float:
        """From the skin to the near side of the muscle."""
        return len(self._before) * STEP_MM

    @property
    def crossed(self) -> tuple[int, ...]:
        """Labels of the muscles that the needle passes before, outermost first."""
        return tuple(_muscles(self._before[::-1]))

    @property
    def through_bone(self) -> bool:
        """No straight path of this slice spares the bone."""
        return bool((self.label == BONE).any())

    @property
    def _before(self) -> Int[np.ndarray, "step"]:
        return self.label[np.flatnonzero(self.label == self.number)[-1] + 1 :]


def needle(grid: Grid, site_mm: Float[np.ndarray, "3"], number: int) -> Needle:
    """The cheapest way to a site within the muscle of this label, of 72 directions in its slice."""
    at = np.rint((grid.axes @ (site_mm - grid.origin_mm)) / grid.step_mm).astype(int)
    section = grid.label[at[0]]
    air = ndimage.binary_fill_holes(section != OUTSIDE) & (section == OUTSIDE)
    angles = 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    paths = [_path(section, air, at[1:], angle, grid.step_mm[1:]) for angle in angles]
    best = int(np.argmin([_cost_mm(path, number) for path in paths]))
    way = -np.cos(angles[best]) * grid.axes[1] - np.sin(angles[best]) * grid.axes[2]
    return Needle(float(angles[best]), way, paths[best], number)


def _muscles(path: Int[np.ndarray, "step"]) -> list[int]:
    return [label for label in dict.fromkeys(path.tolist()) if label >= len(COMMON)]


def _path(
    section: Int[np.ndarray, "u v"],
    air: Int[np.ndarray, "u v"],
    start: Int[np.ndarray, "2"],
    angle: float,
    step_mm: Float[np.ndarray, "2"],
) -> Int[np.ndarray, "step"]:
    """Labels from a voxel outwards to the skin; bone at the end where there is no skin."""
    mm = STEP_MM * np.arange(2 * int(np.hypot(*(section.shape * step_mm))))[:, None]
    place = np.rint(start + mm * (np.cos(angle), np.sin(angle)) / step_mm).astype(int)
    inside = ((place >= 0) & (place < section.shape)).all(axis=1)
    place = place[: len(inside) if inside.all() else int(np.argmin(inside))]
    label = section[tuple(place.T)]
    out = np.flatnonzero(label == OUTSIDE)
    if not len(out) or air[tuple(place[out[0]])]:
        return np.append(label, BONE)
    return label[: out[0]]


def _cost_mm(path: Int[np.ndarray, "step"], number: int) -> float:
    extra = sum(EXTRA_MM[label] * int((path == label).sum()) for label in (BONE, OTHER, FAT))
    crossed = [one for one in _muscles(path) if one != number]
    return STEP_MM * (len(path) + extra) + ACROSS_MUSCLE_MM * len(crossed)
