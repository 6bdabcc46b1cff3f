"""The outside of a structure as triangles, for pictures: naive surface nets (Gibson 1998)."""

from itertools import product

import numpy as np
from jaxtyping import Float, Int
from scipy import ndimage

from openbont.anatomy.atlas import Atlas, Grid
from openbont.anatomy.structure import Structure

Mesh = tuple[Float[np.ndarray, "vertex 3"], Int[np.ndarray, "triangle 3"]]
"""Places in mm, and corners counterclockwise from outside."""
DETAIL, COARSEST_MM = 0.09, 3.2
"""Voxels are put together up to this share of the edge of a cube of the same volume."""
BLUR, LEVEL = 0.6, 0.37
"""Places are blurred a little; inside is above this, so that a thin sheet is still seen."""
_CORNERS = np.array(list(product((0, 1), repeat=3)))
_EDGES = [(a, b) for a in range(8) for b in range(a) if bin(a ^ b).count("1") == 1]


def mesh(atlas: Atlas, tissue: str) -> Mesh:
    """All stretches of a tissue; where two grids meet, both show."""
    label = atlas.number(tissue)
    parts = [_of_grid(one, label) for one in atlas.grids if (one.label == label).any()]
    shift = np.cumsum([0, *(len(vertex) for vertex, _ in parts[:-1])])
    triangles = [triangle + more for (_, triangle), more in zip(parts, shift, strict=True)]
    return np.concatenate([vertex for vertex, _ in parts]), np.concatenate(triangles)


def ball(structure: Structure) -> Mesh:
    """The ellipsoid of a structure that no atlas knows."""
    place = np.indices((25,) * 3) / 10.0 - 1.2
    vertex, triangle = net(1 - np.sqrt((place**2).sum(0)))
    local = (vertex / 10.0 - 1.2) * structure.half_mm
    return structure.centre_mm + local @ structure.frame, _faced(triangle, structure.frame)


def _of_grid(grid: Grid, label: int) -> Mesh:
    here = ndimage.find_objects(grid.label, label)[-1]
    first = np.array([one.start for one in here])
    inside = (grid.label[here] == label).astype(float)
    edge_mm = np.cbrt(inside.sum() * np.prod(grid.step_mm))
    step_mm = min(DETAIL * edge_mm, COARSEST_MM)
    few = np.maximum(np.rint(step_mm / grid.step_mm), 1).astype(int)
    room = [(int(n), int(n + -size % n)) for n, size in zip(few, inside.shape, strict=True)]
    share = ndimage.gaussian_filter(_pooled(np.pad(inside, room), few), BLUR)
    vertex, triangle = net(share - LEVEL)
    place = vertex * few + (few - 1) / 2 - few + first
    return grid.origin_mm + place * grid.step_mm @ grid.axes, _faced(triangle, grid.axes)


def _pooled(value: Float[np.ndarray, "x y z"], few: Int[np.ndarray, "3"]) -> np.ndarray:
    """The mean of every `few` places in each direction."""
    x, y, z = np.array(value.shape) // few
    return np.asarray(value.reshape(x, few[0], y, few[1], z, few[2]).mean(axis=(1, 3, 5)))


def _faced(triangle: Int[np.ndarray, "triangle 3"], axes: np.ndarray) -> np.ndarray:
    """Turned round where the axes are those of a mirror."""
    return triangle if np.linalg.det(axes) > 0 else triangle[:, ::-1]


def net(value: Float[np.ndarray, "x y z"]) -> Mesh:
    """The surface where `value` is 0, positive inside; places are counted in steps of the grid."""
    cell = np.array(value.shape) - 1
    corner = np.stack([_shifted(value, at, cell) for at in _CORNERS])
    inside = corner > 0
    mixed = inside.any(0) & ~inside.all(0)
    number = np.cumsum(mixed).reshape(mixed.shape) - 1
    vertex = np.argwhere(mixed) + _middles(corner[:, mixed])
    quads = [_quads(value > 0, number, axis) for axis in range(3)]
    quad = np.concatenate(quads)
    return vertex, np.concatenate([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]])


def _shifted(value: np.ndarray, at: np.ndarray, size: np.ndarray) -> np.ndarray:
    return value[tuple(slice(start, start + many) for start, many in zip(at, size, strict=True))]


def _middles(corner: Float[np.ndarray, "8 cell"]) -> Float[np.ndarray, "cell 3"]:
    """Mean of the places where the surface cuts the edges of a cell."""
    total, count = np.zeros((corner.shape[1], 3)), np.zeros(corner.shape[1])
    for a, b in _EDGES:
        cut = (corner[a] > 0) != (corner[b] > 0)
        share = np.where(cut, corner[a] / np.where(cut, corner[a] - corner[b], 1.0), 0.0)
        total += cut[:, None] * (_CORNERS[a] + share[:, None] * (_CORNERS[b] - _CORNERS[a]))
        count += cut
    return np.asarray(total / count[:, None])


def _quads(
    inside: np.ndarray, number: Int[np.ndarray, "x y z"], axis: int
) -> Int[np.ndarray, "quad 4"]:
    """The four cells around each edge along an axis that the surface cuts."""
    turned = np.moveaxis(inside, [axis, (axis + 1) % 3, (axis + 2) % 3], [0, 1, 2])
    cells = np.moveaxis(number, [axis, (axis + 1) % 3, (axis + 2) % 3], [0, 1, 2])
    start, end = turned[:-1, 1:-1, 1:-1], turned[1:, 1:-1, 1:-1]
    x, y, z = np.nonzero(start != end)
    around = np.stack([cells[x, y + dy, z + dz] for dy, dz in ((0, 0), (1, 0), (1, 1), (0, 1))], 1)
    return np.where(start[x, y, z][:, None], around, around[:, ::-1])
