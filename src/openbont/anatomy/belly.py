"""One muscle in its section: where its end plates are, how deep it lies, how to reach it."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import ndimage
from scipy.spatial import KDTree

from openbont.anatomy.atlas import Atlas, Grid
from openbont.anatomy.needle import needle
from openbont.anatomy.section import Skin
from openbont.anatomy.structure import NODES, frame_along

MIRROR = np.array([-1.0, 1.0, 1.0])
NEAR = 0.15
"""Share of a muscle's length on either side from which its direction is read."""


@dataclass(frozen=True)
class Zone:
    """Windows along a muscle with its end plates; the source says who found them.

    A fibre has its end plate at its middle. Fibres shorter than the belly lie one behind the other
    along it, so plates fill what the belly is longer than a fibre; windows, which say where the
    nerve branches most or a band was stained in a few people, are the middle of that.
    """

    windows: tuple[tuple[float, float], ...] = ((0.25, 0.75),)
    along: Literal["segment", "muscle"] = "muscle"
    edges: tuple[float, float] | None = None
    """Where an inverted V ends on the lateral and medial edge; the first window is its top."""
    fibre_mm: float | None = None
    """Length of the fibres; None where it is not known."""


@dataclass(frozen=True, eq=False)
class Belly:
    """A muscle in space, in the frame of its region."""

    id: str
    region: str
    segment: str
    compartment: str
    volume_cm3: float
    asked_cm3: float
    """Volume in the table; less was reached where the skin is too thin."""
    scale: float
    """Volume that found room / volume asked for."""
    centre_mm: Float[np.ndarray, "3"]
    """Middle of the end-plate zone."""
    frame: Float[np.ndarray, "3 3"]
    """Rows: along the fibres, across, deep; of a mirrored muscle, mirrored."""
    half_mm: Float[np.ndarray, "3"]
    """Half of its length, and half of its section at the centre across and deep."""
    node_mm: Float[np.ndarray, "node 3"]
    """End plates, spread evenly over the zone."""
    approach: Float[np.ndarray, "3"]
    """Way of the needle to the centre, from the skin inwards."""
    from_deg: float
    """Where the needle comes from in the anatomical position: 0 lateral, 90 front, 180 medial."""
    depth_mm: float
    """From the skin to the centre along the approach."""
    top_mm: float
    """From the skin to the near side of the muscle along the approach."""
    crossed: tuple[str, ...]
    """Muscles that the needle passes before."""

    def mirrored(self, region: str) -> "Belly":
        """The same muscle of the other side."""
        swap = {"left": "right", "right": "left"}
        names = [name.rpartition(".") for name in (self.id, *self.crossed)]
        turned = [f"{stem}.{swap[side]}" if stem else side for stem, _, side in names]
        return replace(
            self,
            id=turned[0],
            region=region,
            crossed=tuple(turned[1:]),
            centre_mm=self.centre_mm * MIRROR,
            frame=self.frame * MIRROR,
            node_mm=self.node_mm * MIRROR,
            approach=self.approach * MIRROR,
        )

    def scaled(self, size: float) -> "Belly":
        """The same muscle in a body `size` times as long."""
        lengths = ("centre_mm", "half_mm", "node_mm", "depth_mm", "top_mm")
        volumes = ("volume_cm3", "asked_cm3")
        changes = {name: size * getattr(self, name) for name in lengths}
        return replace(self, **changes, **{name: size**3 * getattr(self, name) for name in volumes})


def measure(
    atlas: Atlas,
    number: int,
    *,
    skin: Skin,
    zone: Zone,
    segment: str,
    asked_cm3: float,
    scale: float,
) -> Belly:
    """What the labels of the atlas's first grid say of one muscle."""
    grid = atlas.grids[0]
    muscle = grid.label == number
    window = _zone(muscle, skin.along, zone)
    plates = window | _staggered(muscle, window, zone, float(grid.step_mm[0]))
    centre = _centre(muscle, window, grid)
    path = needle(grid, _places_mm(grid, centre), number)
    frame = frame_along(_direction(muscle, centre[0], grid), path.way)
    zone_mm = _places_mm(grid, np.argwhere(plates))
    return Belly(
        id=atlas.tissues[number],
        region=atlas.region,
        segment=segment,
        compartment=atlas.compartments[number],
        volume_cm3=float(muscle.sum() * grid.voxel_cm3),
        asked_cm3=asked_cm3,
        scale=scale,
        centre_mm=_places_mm(grid, centre),
        frame=frame,
        half_mm=_half_mm(muscle, centre[0], grid, frame),
        node_mm=_both_halves(zone_mm)
        if _midline(atlas.tissues[number])
        else _nodes(zone_mm, NODES),
        approach=path.way,
        from_deg=float(np.degrees(path.angle_rad - skin.turn_rad[centre[0]]) % 360),
        depth_mm=path.depth_mm,
        top_mm=path.top_mm,
        crossed=tuple(atlas.tissues[one] for one in path.crossed),
    )


def _places_mm(grid: Grid, place: Int[np.ndarray, "... 3"]) -> Float[np.ndarray, "... 3"]:
    return grid.origin_mm + place * grid.step_mm @ grid.axes


def _zone(
    muscle: Bool[np.ndarray, "slice u v"], along: Float[np.ndarray, "slice"], zone: Zone
) -> Bool[np.ndarray, "slice u v"]:
    """Voxels of the muscle that hold end plates."""
    x = _own_length(muscle) if zone.along == "muscle" else along
    if zone.edges is not None:
        return muscle & _inverted_v(muscle, x, zone.windows[0], zone.edges)
    within = np.zeros(len(x), bool)
    for low, high in zone.windows:
        within |= (x >= low) & (x <= high)
    return muscle & within[:, None, None]


def _staggered(
    muscle: Bool[np.ndarray, "slice u v"],
    window: Bool[np.ndarray, "slice u v"],
    zone: Zone,
    step_mm: float,
) -> Bool[np.ndarray, "slice u v"]:
    """Voxels with the plates of fibres that lie one behind the other along the belly."""
    if zone.fibre_mm is None:
        return np.zeros_like(muscle)
    x = _own_length(muscle)
    length_mm = muscle.any(axis=(1, 2)).sum() * step_mm
    half = max(length_mm - zone.fibre_mm, 0.0) / length_mm / 2
    middle = np.clip(np.average(x, weights=window.sum((1, 2))), half, 1 - half)
    return muscle & (np.abs(x - middle) <= half)[:, None, None]


def _own_length(muscle: Bool[np.ndarray, "slice u v"]) -> Float[np.ndarray, "slice"]:
    held = np.flatnonzero(muscle.any(axis=(1, 2)))
    return (np.arange(len(muscle)) - held[0]) / (held[-1] - held[0])


def _inverted_v(
    muscle: Bool[np.ndarray, "slice u v"],
    x: Float[np.ndarray, "slice"],
    top: tuple[float, float],
    edges: tuple[float, float],
) -> Bool[np.ndarray, "slice u 1"]:
    """A band as long as `top` that runs from it down to both edges of the muscle."""
    u = np.arange(muscle.shape[1])
    count = np.maximum(muscle.sum((1, 2)), 1)
    middle = (muscle.sum(2) * u).sum(1) / count
    half = np.maximum(muscle.any(2).sum(1), 1) / 2
    offset = np.clip((u - middle[:, None]) / half[:, None], -1, 1)
    edge = np.where(offset > 0, edges[0], edges[1])
    centre, width = sum(top) / 2, top[1] - top[0]
    band = centre + np.abs(offset) * (edge - centre)
    return (np.abs(x[:, None] - band) <= width / 2)[:, :, None]


def _centre(
    muscle: Bool[np.ndarray, "slice u v"], plates: Bool[np.ndarray, "slice u v"], grid: Grid
) -> Int[np.ndarray, "3"]:
    """Voxel nearest to the middle of the zone among those well inside the muscle."""
    inner = ndimage.distance_transform_edt(muscle, grid.step_mm) * plates
    place = np.argwhere(inner >= 0.6 * inner.max())
    middle = np.argwhere(plates).mean(axis=0)
    return place[np.linalg.norm((place - middle) * grid.step_mm, axis=1).argmin()]


def _direction(
    muscle: Bool[np.ndarray, "slice u v"], at: int, grid: Grid
) -> Float[np.ndarray, "3"]:
    """Direction of the line of the middles of its sections near a slice."""
    held = np.flatnonzero(muscle.any(axis=(1, 2)))
    reach = max(round(NEAR * len(held)), 2)
    ends = [np.clip(at + sign * reach, held[0], held[-1]) for sign in (-1, 1)]
    first, last = (np.append(end, np.argwhere(muscle[end]).mean(axis=0)) for end in ends)
    return (last - first) * grid.step_mm @ grid.axes


def _half_mm(
    muscle: Bool[np.ndarray, "slice u v"], at: int, grid: Grid, frame: Float[np.ndarray, "3 3"]
) -> Float[np.ndarray, "3"]:
    """Half length, and twice the spread of the section at the centre: exact for an ellipse."""
    length = muscle.any(axis=(1, 2)).sum() * grid.step_mm[0]
    section = np.argwhere(muscle[at]) * grid.step_mm[1:] @ grid.axes[1:] @ frame[1:].T
    return np.append(length / 2, 2 * section.std(axis=0))


def _midline(structure: str) -> bool:
    return not structure.endswith((".left", ".right"))


def _both_halves(zone_mm: Float[np.ndarray, "voxel 3"]) -> Float[np.ndarray, "node 3"]:
    """Nodes of a structure of the midline: those of its left half, and their mirror images."""
    left = _nodes(zone_mm[zone_mm[:, 0] > 0], NODES // 2)
    return np.concatenate([left, left * MIRROR])


def _nodes(zone_mm: Float[np.ndarray, "voxel 3"], nodes: int) -> Float[np.ndarray, "node 3"]:
    """So many voxels, each for an equal share of the zone: the middles of Lloyd's cells."""
    node = zone_mm[np.linspace(0, len(zone_mm) - 1, nodes).round().astype(int)]
    for _ in range(12):
        cell = KDTree(node).query(zone_mm)[1]
        count = np.bincount(cell, minlength=nodes)
        sums = np.stack([np.bincount(cell, x, nodes) for x in zone_mm.T], axis=1)
        node[count > 0] = sums[count > 0] / count[count > 0, None]
    return zone_mm[KDTree(zone_mm).query(node)[1]]
