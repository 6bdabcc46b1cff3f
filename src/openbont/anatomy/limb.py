"""A limb cut into slices: the skin of a body on a grid along the bones of a segment.

The axes of a segment: along the line between its joints, to the lateral side and to the front in
the anatomical position. The front of the upper arm is where the forearm bends to; the forearm
turns with pronation, from the bending of the elbow to the line of the knuckles.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from openbont.anatomy.section import Skin
from openbont.anatomy.surface import Point, Surface, outline

FRONT = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Line:
    """Where a segment runs: between two joints of the left side, and how finely it is cut."""

    joints: tuple[str, str]
    shift: tuple[tuple[float, float, float], ...]
    """Added to the joints, in shares of their distance, where the bone is not on their line."""
    front: tuple[str, ...]
    """Joints between which lies the direction to the front; straight ahead without them."""
    knuckles: tuple[str, ...]
    """Joints from the little finger to the index where the segment turns, else none."""
    spans: tuple[float, float]
    step_mm: tuple[float, float, float]
    half_mm: float
    """Half width of the square that is cut out."""


def skin(body: Surface, line: Line) -> Skin:
    """The inside of the skin around a segment, and how the segment turns."""
    first, last = _ends(body, line)
    axes = _axes(body, line, first, last)
    step = np.array(line.step_mm)
    along = np.arange(*line.spans, step[0] / np.linalg.norm(last - first))
    middles = first + along[:, None] * (last - first)
    place = np.arange(-line.half_mm, line.half_mm + step[1] / 2, step[1])
    inside = np.stack([_inside(outline(body, middle, axes), place) for middle in middles])
    turn = _turn_rad(body, line, axes) * np.clip(along, 0.0, 1.0)
    origin = middles[0] - line.half_mm * (axes[1] + axes[2])
    return _cropped(Skin(inside, origin, axes, step, along, turn))


def _ends(body: Surface, line: Line) -> tuple[Point, Point]:
    first, last = (_joint(body, name) for name in line.joints)
    shift = np.array(line.shift or np.zeros((2, 3))) * np.linalg.norm(last - first)
    return first + shift[0], last + shift[1]


def _joint(body: Surface, name: str) -> Point:
    return body.joint_mm[name if name in body.joint_mm else f"{name}.left"]


def _axes(body: Surface, line: Line, first: Point, last: Point) -> Float[np.ndarray, "3 3"]:
    along = _unit(last - first)
    front = FRONT
    if line.front:
        start, end = (_joint(body, name) for name in line.front)
        front = end - start
    front = _unit(front - along * (front @ along))
    return np.stack([along, np.cross(front, along), front])


def _turn_rad(body: Surface, line: Line, axes: Float[np.ndarray, "3 3"]) -> float:
    if not line.knuckles:
        return 0.0
    little, index = (_joint(body, name) for name in line.knuckles)
    return float(np.arctan2((index - little) @ axes[2], (index - little) @ axes[1]))


def _inside(
    corner: Float[np.ndarray, "corner 2"], place: Float[np.ndarray, "place"]
) -> Bool[np.ndarray, "place place"]:
    """Places u, v inside a closed line: those with an odd number of its edges beyond them in u."""
    (u, v), (u2, v2) = corner.T, np.roll(corner, -1, axis=0).T
    edge, row = np.nonzero((v[:, None] > place) != (v2[:, None] > place))
    share = (place[row] - v[edge]) / (v2[edge] - v[edge])
    at = np.searchsorted(place, u[edge] + share * (u2[edge] - u[edge]))
    crossed = np.zeros((len(place) + 1, len(place)), int)
    np.add.at(crossed, (at, row), 1)
    return np.cumsum(crossed, axis=0)[:-1] % 2 == 1


def _cropped(whole: Skin) -> Skin:
    """Without empty rows and columns but one on each side; the middle of u stays where it is."""
    _, u, v = np.nonzero(whole.inside)
    last = np.array(whole.inside.shape[1:]) - 1
    low_u = max(min(u.min(), last[0] - u.max()) - 1, 0)
    low_v, high_v = max(v.min() - 1, 0), min(v.max() + 1, last[1])
    inside = whole.inside[:, low_u : last[0] - low_u + 1, low_v : high_v + 1]
    shift = whole.step_mm[1:] * (low_u, low_v) @ whole.axes[1:]
    return replace(whole, inside=inside, origin_mm=whole.origin_mm + shift)


def _unit(direction: Point) -> Point:
    return direction / np.linalg.norm(direction)
