"""Structures in space: where the end plates are, which way the fibres run.

Each structure holds nodes that stand for its end plates (or gland cells). A muscle of a mapped
region brings the nodes of its own end-plate zone (muscles.py); a flat muscle, gland or shell is an
ellipsoid in the frame of its region, filled with them.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

NODES = 128

Kind = Literal["muscle", "layer", "gland"]
"""A gland, like the bladder wall, follows release itself and has no safety factor."""


@dataclass(frozen=True, eq=False)
class Structure:
    """A muscle, layer or gland with nodes in its end-plate zone.

    Shapes: centre_mm and half_mm (3,), frame (3, 3) with the fibre direction, the direction
    across and the depth as rows, pattern_mm (site, 3).
    """

    id: str
    kind: Kind
    region: str
    """Structures of one region share a frame and may spill into each other."""
    compartment: str
    centre_mm: Float[np.ndarray, "3"]
    frame: Float[np.ndarray, "3 3"]
    half_mm: Float[np.ndarray, "3"]
    """Half axes along the fibres, across, and in depth."""
    plate_share: float = 0.5
    """Length of the end-plate zone / length of the structure."""
    pattern_mm: Float[np.ndarray, "site 3"] | None = None
    """Label sites, where a label fixes them; in the frame of the region."""
    plate_mm: Float[np.ndarray, "node 3"] | None = None
    """End plates of a muscle of a mapped region, in the frame of the region."""
    solid_cm3: float | None = None
    """Volume of such a muscle."""
    size: float = 1.0
    """Length of the body relative to the reference one."""

    @property
    def volume_cm3(self) -> float:
        """Volume in the map, or of the ellipsoid."""
        if self.solid_cm3 is not None:
            return self.solid_cm3
        return float(4 / 3 * np.pi * np.prod(self.half_mm) / 1000)

    @cached_property
    def node_mm(self) -> Float[np.ndarray, "node 3"]:
        """End plates, spread evenly over the end-plate zone, in the frame of the region."""
        if self.plate_mm is not None:
            return self.plate_mm
        return self.centre_mm + _filled_zone(self.half_mm, self.plate_share) @ self.frame

    def filled_mm(self, count: int) -> Float[np.ndarray, "point 3"]:
        """Points spread evenly over the whole volume."""
        return self.centre_mm + _filled_zone(self.half_mm, 1.0, count) @ self.frame

    def scaled(self, size: float) -> "Structure":
        """The same structure in a body `size` times as long, region and all."""
        return replace(
            self,
            centre_mm=size * self.centre_mm,
            half_mm=size * self.half_mm,
            pattern_mm=None if self.pattern_mm is None else size * self.pattern_mm,
            plate_mm=None if self.plate_mm is None else size * self.plate_mm,
            solid_cm3=None if self.solid_cm3 is None else size**3 * self.solid_cm3,
            size=size * self.size,
        )

    def place(self, local_mm: Float[np.ndarray, "site 3"]) -> Float[np.ndarray, "site 3"]:
        """Points given along, across and deep from the centre, in the frame of the region."""
        return self.centre_mm + local_mm @ self.frame

    def local_mm(self, point_mm: Float[np.ndarray, "3"]) -> tuple[float, float, float]:
        """The other way round, to a tenth of a millimetre."""
        along, across, deep = self.frame @ (point_mm - self.centre_mm)
        return round(float(along), 1), round(float(across), 1), round(float(deep), 1)

    def holds(self, point_mm: Float[np.ndarray, "point 3"]) -> Bool[np.ndarray, "point"]:
        """Which points lie within the ellipsoid."""
        return np.asarray((self._shares(point_mm) ** 2).sum(1) <= 1)

    def under(self, point_mm: Float[np.ndarray, "point 3"]) -> Bool[np.ndarray, "point"]:
        """Which points lie over the ellipsoid, under it or within it."""
        return np.asarray((self._shares(point_mm)[:, :2] ** 2).sum(1) <= 1)

    def _shares(self, point_mm: Float[np.ndarray, "point 3"]) -> Float[np.ndarray, "point 3"]:
        return np.asarray((point_mm - self.centre_mm) @ self.frame.T / self.half_mm)


def frame_along(
    fibre: Float[np.ndarray, "3"], deep: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "3 3"]:
    """Right-handed frame from the fibre direction and a direction that is roughly deep."""
    fibre = fibre / np.linalg.norm(fibre)
    across = np.cross(deep, fibre)
    across /= np.linalg.norm(across)
    return np.stack([fibre, across, np.cross(fibre, across)])


def _filled_zone(
    half_mm: Float[np.ndarray, "3"], plate_share: float, count: int = NODES
) -> Float[np.ndarray, "point 3"]:
    """The first `count` points of a Kronecker sequence that fall inside the zone."""
    unit = _kronecker(8 * count) * np.array([plate_share, 1.0, 1.0])
    inside = unit[(unit**2).sum(axis=1) < 1]
    return inside[:count] * half_mm


def _kronecker(count: int) -> Float[np.ndarray, "count 3"]:
    """Evenly spread points in [-1, 1]^3 (R3 sequence of Roberts, the plastic-number lattice)."""
    root = 1.2207440846057594759  # the positive root of x^4 = x + 1
    steps = root ** -np.arange(1.0, 4.0)
    points: Float[np.ndarray, "count 3"] = (0.5 + np.outer(np.arange(1, count + 1), steps)) % 1
    return 2 * points - 1
