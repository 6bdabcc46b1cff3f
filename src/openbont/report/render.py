"""The body as seen from one side, without perspective: a depth buffer and light, in numpy."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from openbont.anatomy.surface import Surface

_LIGHT = np.array([-0.35, 0.45, 0.82])  # from above left of the viewer
_DARKEST, _LIGHTEST, _LINE = 0.62, 0.97, 0.42
_LEVELS = 90  # fewer greys make a smaller file; more cannot be told apart in print
_FINER = 2  # samples across a pixel, for smooth edges
_HIDDEN_MM = 2.0
"""What lies this much behind the skin that is seen counts as hidden."""


@dataclass(frozen=True, eq=False)
class View:
    """A side from which the body is seen; rows of `axes`: to the right, up, towards the viewer."""

    name: str
    axes: Float[np.ndarray, "3 3"]

    @property
    def toward(self) -> Float[np.ndarray, "3"]:
        """From the body to the viewer."""
        return np.asarray(self.axes[2])

    def place(self, point_mm: Float[np.ndarray, "... 3"]) -> Float[np.ndarray, "... 2"]:
        """Where a point appears: mm to the right and up."""
        return np.asarray(point_mm @ self.axes[:2].T)


def _view(name: str, toward: tuple[float, float, float]) -> View:
    up, to = np.array([0.0, 1.0, 0.0]), np.array(toward)
    return View(name, np.stack([np.cross(up, to), up, to]))


VIEWS: Final = (
    _view("front", (0.0, 0.0, 1.0)),
    _view("back", (0.0, 0.0, -1.0)),
    _view("left side", (1.0, 0.0, 0.0)),
    _view("right side", (-1.0, 0.0, 0.0)),
)


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture of the body within a window."""

    view: View
    extent_mm: tuple[float, float, float, float]
    """Left, right, bottom, top, in the mm of the view."""
    grey: UInt8[np.ndarray, "row column 2"]
    """Lightness and opacity, the top row first."""
    depth_mm: Float[np.ndarray, "row column"]
    """How far towards the viewer the skin lies; -inf beside the body."""

    def seen(self, point_mm: Float[np.ndarray, "3"]) -> bool:
        """Whether a point on the skin is on the near side and nothing lies before it."""
        left, right, bottom, top = self.extent_mm
        rows, columns = self.depth_mm.shape
        x, y = self.view.place(point_mm)
        row, column = (
            int((top - y) / (top - bottom) * rows),
            int((x - left) / (right - left) * columns),
        )
        if not (0 <= row < rows and 0 <= column < columns):
            return False
        step = (right - left) / columns
        near = self.depth_mm[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2].min()
        return bool(point_mm @ self.view.toward > near - _HIDDEN_MM - step)


def scene(
    body: Surface, view: View, extent_mm: tuple[float, float, float, float], step_mm: float
) -> Scene:
    """Draw the body seen from `view` inside a window, `step_mm` to a pixel."""
    left, right, bottom, top = extent_mm
    rows, columns = (int(np.ceil(size / step_mm)) for size in (top - bottom, right - left))
    fine = step_mm / _FINER
    triangle = np.concatenate([body.triangle, body.eye_triangle])
    placed = (body.vertex_mm @ view.axes.T - [left, top, 0]) * [1 / fine, -1 / fine, 1]
    shape = (_FINER * rows, _FINER * columns)
    pixel, corner, share = _covered(placed[triangle], shape)
    depth = np.einsum("pc,pc->p", share, placed[triangle][corner][..., 2])
    order = np.argsort(depth, kind="stable")
    pixel, corner, share, depth = (a[order] for a in (pixel, corner, share, depth))
    nearest = np.full(shape[0] * shape[1], -np.inf)
    normal = np.zeros((len(nearest), 3))
    nearest[pixel] = depth
    normals = (_vertex_normals(body.vertex_mm, triangle) @ view.axes.T)[triangle]
    normal[pixel] = np.einsum("pc,pcx->px", share, normals[corner])
    buffer = nearest.reshape(shape)
    extent = (left, left + columns * step_mm, top - rows * step_mm, top)
    return Scene(view, extent, _grey(buffer, normal.reshape(*shape, 3), fine), buffer)


def _covered(
    corner: Float[np.ndarray, "triangle 3 3"], shape: tuple[int, int]
) -> tuple[Int[np.ndarray, "pixel"], Int[np.ndarray, "pixel"], Float[np.ndarray, "pixel 3"]]:
    """Pixels under each triangle: number of the pixel, of the triangle, shares of its corners."""
    limit = np.array([shape[1], shape[0]])
    low = np.clip(np.ceil(corner[..., :2].min(axis=1) - 0.5), 0, limit).astype(int)
    high = np.clip(np.floor(corner[..., :2].max(axis=1) - 0.5) + 1, 0, limit).astype(int)
    wide, tall = np.maximum(high - low, 0).T
    turned = _cross(corner[:, 1, :2] - corner[:, 0, :2], corner[:, 2, :2] - corner[:, 0, :2])
    boxes = wide * tall * (turned < 0)  # rows count downwards, so what faces the viewer turns back
    which = np.repeat(np.arange(len(corner)), boxes)
    count = np.arange(len(which)) - np.repeat(np.cumsum(boxes) - boxes, boxes)
    x, y = low[which, 0] + count % wide[which], low[which, 1] + count // wide[which]
    share = _shares(corner[which, :, :2], np.stack([x, y], axis=-1) + 0.5)
    inside = (share >= -1e-9).all(axis=1)
    return (y * shape[1] + x)[inside], which[inside], share[inside]


def _shares(
    corner: Float[np.ndarray, "pixel 3 2"], at: Float[np.ndarray, "pixel 2"]
) -> Float[np.ndarray, "pixel 3"]:
    """Barycentric shares of the corners; all -1 under a triangle seen from its edge."""
    a, b, c = corner[:, 0], corner[:, 1], corner[:, 2]
    whole = _cross(b - a, c - a)
    flat = np.abs(whole) < 1e-9
    second, third = (_cross(at - a, c - a), _cross(b - a, at - a)) / np.where(flat, 1.0, whole)
    shares = np.stack([1 - second - third, second, third], axis=-1)
    return np.asarray(np.where(flat[:, None], -1.0, shares))


def _cross(
    one: Float[np.ndarray, "n 2"], other: Float[np.ndarray, "n 2"]
) -> Float[np.ndarray, "n"]:
    return np.asarray(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0])


def _vertex_normals(
    vertex: Float[np.ndarray, "vertex 3"], triangle: Int[np.ndarray, "triangle 3"]
) -> Float[np.ndarray, "vertex 3"]:
    """Mean direction of the triangles around each vertex, the larger ones counting more."""
    a, b, c = vertex[triangle.T]
    face = np.cross(b - a, c - a)
    summed = np.stack(
        [np.bincount(triangle.ravel(), np.repeat(face[:, k], 3), len(vertex)) for k in range(3)], 1
    )
    return np.asarray(summed / np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-12))


def _grey(
    depth: Float[np.ndarray, "row column"],
    normal: Float[np.ndarray, "row column 3"],
    step_mm: float,
) -> UInt8[np.ndarray, "row column 2"]:
    """Light on the skin, with a line where it ends or one part lies before another."""
    length = np.maximum(np.linalg.norm(normal, axis=-1), 1e-9)
    light = np.clip(normal @ (_LIGHT / np.linalg.norm(_LIGHT)) / length, 0, 1)
    grey = _DARKEST + (_LIGHTEST - _DARKEST) * light
    grey = np.where(_steps(depth, 4 + 2 * step_mm), _LINE, grey)
    there = np.isfinite(depth)
    opaque = _mean(there.astype(float))
    levels = np.rint(_mean(grey * there) / np.maximum(opaque, 1e-9) * _LEVELS) / _LEVELS
    return np.asarray(np.rint(np.stack([255 * levels, 255 * opaque], axis=-1)), dtype=np.uint8)


def _mean(fine: Float[np.ndarray, "row column"]) -> Float[np.ndarray, "row column"]:
    """Mean of the samples of each pixel."""
    rows, columns = (size // _FINER for size in fine.shape)
    return np.asarray(fine.reshape(rows, _FINER, columns, _FINER).mean(axis=(1, 3)))


def _steps(
    depth: Float[np.ndarray, "row column"], jump_mm: float
) -> Bool[np.ndarray, "row column"]:
    """Pixels that lie before a neighbour by more than the slope of the skin explains."""
    known = np.where(np.isfinite(depth), depth, -1e6)
    pad = np.pad(known, 1, mode="edge")  # no line where the window ends
    up, down, left, right = pad[:-2, 1:-1], pad[2:, 1:-1], pad[1:-1, :-2], pad[1:-1, 2:]
    jumps = [
        known - one - np.clip(other - known, 0, None)
        for one, other in ((up, down), (down, up), (left, right), (right, left))
    ]
    return np.asarray(np.isfinite(depth) & (np.max(jumps, axis=0) > jump_mm))
