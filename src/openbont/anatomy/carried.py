"""From one body to another: the same place of the skin, and what lies under it.

All bodies share their triangles, so a place of the skin is a triangle and a share of each of its
corners. A place inside moves as the skin around it does, near skin more than far (Shepard 1968):
good enough to show where a muscle lies in a body of another shape; nothing is computed there.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy.spatial import KDTree

from openbont.anatomy.surface import Point, Surface, nearest, on_skin

NEIGHBOURS = 100
"""Corners of the skin that have a say in where an inner place moves."""
UPWARD = np.array([0.0, 1.0, -0.1])
"""Up along the skin; on the crown, backwards."""


@dataclass(frozen=True, eq=False)
class Place:
    """A place of the skin, the same on every body."""

    triangle: int
    share: Float[np.ndarray, "3"]

    def on(self, body: Surface) -> Point:
        """Where it is on a body."""
        return np.asarray(self.share @ body.corner_mm[:, self.triangle])

    def outward(self, body: Surface) -> Point:
        """Where the skin faces there, evenly from one triangle to the next."""
        return _unit(self.share @ body.vertex_normal[body.triangle[self.triangle]])


def place(body: Surface, point_mm: Point) -> Place:
    """The place of the skin that is nearest to a point."""
    triangle, point = on_skin(body, point_mm)
    a, b, c = body.corner_mm[:, triangle]
    parts = np.array([np.cross(b - point, c - point), np.cross(c - point, a - point)])
    whole = np.cross(b - a, c - a)
    first, second = parts @ whole / (whole @ whole)
    return Place(triangle, np.array([first, second, 1 - first - second]))


def same_place(start: Surface, end: Surface, point_mm: Point) -> Point:
    """Where the nearest place of the skin of `start` is on the skin of `end`."""
    return place(start, point_mm).on(end)


def carried_mm(
    start: Surface, end: Surface, point_mm: Float[np.ndarray, "point 3"]
) -> Float[np.ndarray, "point 3"]:
    """Where places inside `start` lie inside `end`."""
    away, near = _corners(start).query(point_mm, NEIGHBOURS)
    weight = np.maximum(away, 0.1) ** -4.0
    moved = (end.vertex_mm - start.vertex_mm)[near]
    return np.asarray(point_mm + (weight[..., None] * moved).sum(1) / weight.sum(1)[:, None])


@lru_cache(maxsize=8)
def _corners(body: Surface) -> KDTree:
    return KDTree(body.vertex_mm)


def along_skin(body: Surface, point_mm: Point, up_mm: float, right_mm: float) -> Point:
    """A step along the skin, up towards the head, right as one sees it who looks at the skin."""
    start, outward = nearest(body, point_mm)
    up = _unit(UPWARD - outward * (UPWARD @ outward))
    step = up_mm * up + right_mm * np.cross(up, outward)
    return nearest(body, start + step)[0]


def _unit(direction: Point) -> Point:
    return np.asarray(direction / np.linalg.norm(direction))
