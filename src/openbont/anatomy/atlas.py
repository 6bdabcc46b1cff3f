"""What lies where: every place of a region belongs to one tissue.

An atlas is one or more grids of labels, one for each stretch of a limb, in the frame of the
region (mm; x left, y up, z front, of the standing body). Muscles do not overlap: a place has one
label. The first four labels are the same everywhere.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, UInt8

OUTSIDE, FAT, BONE, OTHER = range(4)
COMMON = ("outside", "fat", "bone", "other tissue")
"""Names of the first four labels; other tissue is soft and has no name: vessels, organs, fascia."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Labels on a regular grid; the rows of `axes` are the directions in which it counts."""

    label: UInt8[np.ndarray, "x y z"]
    origin_mm: Float[np.ndarray, "3"]
    """Middle of the first voxel."""
    axes: Float[np.ndarray, "3 3"]
    step_mm: Float[np.ndarray, "3"]

    def at(self, point_mm: Float[np.ndarray, "... 3"]) -> UInt8[np.ndarray, "..."]:
        """Label of the voxel around each point, OUTSIDE beyond the grid."""
        place = np.rint((point_mm - self.origin_mm) @ self.axes.T / self.step_mm).astype(int)
        last = np.array(self.label.shape) - 1
        inside = ((place >= 0) & (place <= last)).all(-1)
        x, y, z = np.moveaxis(np.clip(place, 0, last), -1, 0)
        return np.where(inside, self.label[x, y, z], OUTSIDE).astype(np.uint8)

    def middle_mm(self, label: int) -> Float[np.ndarray, "voxel 3"]:
        """Middles of all voxels with this label."""
        return self.origin_mm + np.argwhere(self.label == label) * self.step_mm @ self.axes

    @property
    def voxel_cm3(self) -> float:
        """Volume of one voxel."""
        return float(np.prod(self.step_mm)) / 1000


@dataclass(frozen=True, eq=False)
class Atlas:
    """All tissues of one region, by name and compartment."""

    region: str
    tissues: tuple[str, ...]
    """Label -> name: COMMON, then ids of structures."""
    compartments: tuple[str, ...]
    """Label -> compartment; empty for the common ones."""
    grids: tuple[Grid, ...]
    """Where two grids meet at a joint, a muscle of the later one has the say, then the first."""

    def at(self, point_mm: Float[np.ndarray, "... 3"]) -> UInt8[np.ndarray, "..."]:
        """Label at each point."""
        found = np.zeros(point_mm.shape[:-1], np.uint8)
        for grid in self.grids:
            here = grid.at(point_mm)
            found = np.where((found == OUTSIDE) | (here >= len(COMMON)), here, found)
        return found

    def number(self, tissue: str) -> int:
        """Label of a tissue. Raises ValueError where the region does not have it."""
        return self.tissues.index(tissue)

    def volume_cm3(self, tissue: str) -> float:
        """Volume of a tissue, all grids together."""
        label = self.number(tissue)
        return sum(int((grid.label == label).sum()) * grid.voxel_cm3 for grid in self.grids)

    def filled_mm(self, tissue: str, count: int) -> Float[np.ndarray, "place 3"]:
        """Places spread evenly over a tissue, at most `count`."""
        label = self.number(tissue)
        voxels = np.concatenate([grid.middle_mm(label) for grid in self.grids])
        return voxels[np.linspace(0, len(voxels) - 1, min(count, len(voxels))).astype(int)]

    def scaled(self, size: float) -> "Atlas":
        """The same region in a body `size` times as long."""
        grown = [
            replace(one, origin_mm=size * one.origin_mm, step_mm=size * one.step_mm)
            for one in self.grids
        ]
        return replace(self, grids=tuple(grown))

    def mirrored(self, region: str) -> "Atlas":
        """The same region on the other side of the body; left and right change their names."""
        flip = np.array([-1.0, 1.0, 1.0])
        turned = [
            replace(one, origin_mm=one.origin_mm * flip, axes=one.axes * flip) for one in self.grids
        ]
        names = tuple(_other_side(name) for name in self.tissues)
        return replace(self, region=region, tissues=names, grids=tuple(turned))


def _other_side(name: str) -> str:
    stem, _, side = name.rpartition(".")
    return {"left": f"{stem}.right", "right": f"{stem}.left"}.get(side, name)
