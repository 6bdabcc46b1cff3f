"""The skin of one body, as a closed mesh: made for a sex, age, height and weight.

Frame: mm, x to the person's left, y up, z to the front; arms hang 45 degrees out, palms turned in
and back. All bodies share their triangles, so a vertex number means the same place on everyone. The
mesh and its body types are CC0 (BODY_LICENCE.md); which age counts as grown up is assumed.
"""

import io
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from importlib.resources import files

import numpy as np
from jaxtyping import Bool, Float, Int

from openbont.errors import BadInput

Point = Float[np.ndarray, "3"]

AGES = {"baby": 1.0, "child": 10.0, "young": 18.0}
"""Years at which the mesh has the shapes of an infant, a child, an adult (assumed)."""
KG_PER_L = 1.0
"""Of the body without the air in its lungs, about; turns a weight into a volume (assumed)."""
_MALE = {"female": 0.0, "male": 1.0}
_EDGE = 1e-9  # a ray through an edge hits both of its triangles rather than none


@dataclass(frozen=True, eq=False)
class Surface:
    """The skin of one standing body, with its joints."""

    vertex_mm: Float[np.ndarray, "vertex 3"]
    """Skin first, then the eyes."""
    triangle: Int[np.ndarray, "triangle 3"]
    """Closed skin, counterclockwise from outside."""
    eye_triangle: Int[np.ndarray, "eye_triangle 3"]
    """Eyeballs, for pictures."""
    joint_mm: dict[str, Point]
    """Middle of each joint by name, for instance elbow.left, finger_5_1.right, neck."""

    @cached_property
    def corner_mm(self) -> Float[np.ndarray, "3 triangle 3"]:
        """First, second and third corner of every triangle of the skin."""
        return self.vertex_mm[self.triangle.T]

    @cached_property
    def normal(self) -> Float[np.ndarray, "triangle 3"]:
        """Where each triangle faces, outwards, of length one."""
        a, b, c = self.corner_mm
        normal = np.cross(b - a, c - a)
        return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)

    @cached_property
    def vertex_normal(self) -> Float[np.ndarray, "vertex 3"]:
        """Where the skin faces at each vertex, large triangles first; not of length one."""
        a, b, c = self.corner_mm
        total = np.zeros_like(self.vertex_mm)
        for corner in self.triangle.T:
            np.add.at(total, corner, np.cross(b - a, c - a))
        return total

    @property
    def height_cm(self) -> float:
        """Standing height."""
        return float(np.ptp(self.corner_mm[..., 1])) / 10

    @property
    def volume_l(self) -> float:
        """Volume inside the skin; in kg, about what this body weighs."""
        a, b, c = self.corner_mm
        return float(np.einsum("ij,ij->", a, np.cross(b, c))) / 6e6

    def scaled(self, size: float) -> "Surface":
        """The same body `size` times as long."""
        joints = {name: size * at for name, at in self.joint_mm.items()}
        return replace(self, vertex_mm=size * self.vertex_mm, joint_mm=joints)


@lru_cache(maxsize=8)
def surface(
    sex: str = "",
    age_years: float = 30.0,
    height_cm: float | None = None,
    weight_kg: float | None = None,
) -> Surface:
    """The body of this sex, age and height, as heavy as asked for where the mesh can be so.

    Sex neither female nor male: half way. Without a height or a weight: as the mesh has it.
    """
    if age_years < 0:
        raise BadInput("age_years", f"is {age_years:g}", "give years since birth")
    low, high = -1.0, 1.0
    body = _sized(sex, age_years, 0.0, height_cm)
    for _ in range(12 if weight_kg else 0):
        middle = (low + high) / 2
        body = _sized(sex, age_years, middle, height_cm)
        lighter = KG_PER_L * body.volume_l < (weight_kg or 0.0)
        low, high = (middle, high) if lighter else (low, middle)
    return body


def _sized(sex: str, age_years: float, build: float, height_cm: float | None) -> Surface:
    """Body with a build between -1 (lightest) and 1 (heaviest) at this height."""
    body = _shaped(_amounts(_MALE.get(sex, 0.5), age_years, build))
    return body if height_cm is None else body.scaled(height_cm / body.height_cm)


def _amounts(male: float, age_years: float, build: float) -> dict[str, float]:
    """How much of each morph makes this body."""
    amounts = {}
    for age, share in _age_shares(age_years).items():
        weight = f"{age}_light" if build < 0 else f"{age}_heavy"
        for name, amount in ((age, share), (weight, share * abs(build))):
            amounts[name] = amount
            amounts[f"{name}_male"] = amount * (male - 0.5)
    return amounts


def _age_shares(age_years: float) -> dict[str, float]:
    """The two neighbouring ages, weighted by how near they are."""
    knots = np.array(list(AGES.values()))
    return {
        name: float(np.interp(age_years, knots, row))
        for name, row in zip(AGES, np.eye(len(knots)), strict=True)
    }


def _shaped(amounts: dict[str, float]) -> Surface:
    data = _data()
    amount = np.array([amounts.get(name, 0.0) for name in data["morph"].tolist()])
    shift = float(data["step_mm"]) * np.tensordot(amount, data["shift"], 1).T
    placed = data["vertex_mm"] + shift
    names = data["joint"].tolist()
    joints = dict(zip(names, placed[-len(names) :], strict=True))
    triangle, eyes = (data[name].astype(np.int64) for name in ("triangle", "eye_triangle"))
    return Surface(placed[: -len(names)], triangle, eyes, joints)


@cache
def _data() -> dict[str, np.ndarray]:
    held = files("openbont.anatomy").joinpath("body.npz").read_bytes()
    with np.load(io.BytesIO(held)) as arrays:
        return {name: arrays[name] for name in arrays.files}


# --- needles -------------------------------------------------------------------------------------


def enter_mm(
    body: Surface, start_mm: Float[np.ndarray, "... 3"], direction: Float[np.ndarray, "... 3"]
) -> Float[np.ndarray, "... 3"]:
    """First point of the skin that a ray from `start_mm` meets; NaN where it meets none."""
    starts, ways = np.broadcast_arrays(start_mm, _unit(direction))
    flat = zip(starts.reshape(-1, 3), ways.reshape(-1, 3), strict=True)
    first = [start + _first_hit_mm(body, start, way) * way for start, way in flat]
    return np.array(first).reshape(starts.shape)


def depth_mm(body: Surface, point_mm: Point, needle: Point) -> float:
    """Length of needle from the skin to a point inside, pushed in the direction `needle`."""
    return _first_hit_mm(body, point_mm, -_unit(needle))


def nearest(body: Surface, point_mm: Point) -> tuple[Point, Point]:
    """Nearest point of the skin, and where the skin faces there."""
    triangle, point = on_skin(body, point_mm)
    return point, body.normal[triangle]


def on_skin(body: Surface, point_mm: Point) -> tuple[int, Point]:
    """Number of the triangle nearest to a point, and its nearest point."""
    middle = body.corner_mm.mean(axis=0)
    reach = np.linalg.norm(body.corner_mm - middle, axis=2).max(axis=0)
    away = np.linalg.norm(middle - point_mm, axis=1)
    near = np.flatnonzero(away - reach <= away.min())
    points = _on_triangles(point_mm, body.corner_mm[:, near], body.normal[near])
    best = int(np.linalg.norm(points - point_mm, axis=1).argmin())
    return int(near[best]), points[best]


def _first_hit_mm(body: Surface, start: Point, way: Point) -> float:
    """Distance along a unit ray to the nearest triangle (Möller and Trumbore 1997), or NaN."""
    a, b, c = body.corner_mm
    across = np.cross(way, c - a)
    scale = np.einsum("ij,ij->i", b - a, across)
    with np.errstate(divide="ignore", invalid="ignore"):
        u = np.einsum("ij,ij->i", start - a, across) / scale
        turned = np.cross(start - a, b - a)
        v = turned @ way / scale
        along = np.einsum("ij,ij->i", c - a, turned) / scale
        hit = (u >= -_EDGE) & (v >= -_EDGE) & (u + v <= 1 + _EDGE) & (along >= 0)
    return float(along[hit].min()) if hit.any() else float("nan")


def _on_triangles(
    point: Point, corner: Float[np.ndarray, "3 near 3"], normal: Float[np.ndarray, "near 3"]
) -> Float[np.ndarray, "near 3"]:
    """The point of each triangle that is nearest to `point`."""
    foot = point - np.einsum("ij,ij->i", point - corner[0], normal)[:, None] * normal
    step = np.roll(corner, -1, axis=0) - corner
    inside = (np.einsum("kij,kij->ki", np.cross(step, foot - corner), normal[None]) >= 0).all(0)
    length = np.maximum(np.einsum("kij,kij->ki", step, step), 1e-12)
    share = np.clip(np.einsum("kij,kij->ki", point - corner, step) / length, 0, 1)
    edge = corner + share[..., None] * step
    best = np.linalg.norm(edge - point, axis=2).argmin(axis=0)
    return np.where(inside[:, None], foot, edge[best, np.arange(len(best))])


def _unit(direction: Float[np.ndarray, "... 3"]) -> Float[np.ndarray, "... 3"]:
    return direction / np.linalg.norm(direction, axis=-1, keepdims=True)


# --- cuts ----------------------------------------------------------------------------------------


def outline(
    body: Surface, origin_mm: Point, frame: Float[np.ndarray, "3 3"]
) -> Float[np.ndarray, "corner 2"]:
    """Closed outline of the limb around `origin_mm`, cut across the first row of `frame`.

    Corners are counted from the origin along the second and third row. Other limbs that the plane
    meets are left out.
    """
    loops = [loop @ frame[1:].T for loop in _loops(body, origin_mm, frame[0])]
    if not loops:
        raise BadInput("origin_mm", "the plane does not meet the body", "give a point inside it")
    around = [loop for loop in loops if _contains_origin(loop)]
    if around:
        return max(around, key=lambda loop: abs(_area_mm2(loop)))
    return min(loops, key=lambda loop: float(np.linalg.norm(loop, axis=1).min()))


def _loops(body: Surface, origin: Point, normal: Point) -> list[Float[np.ndarray, "corner 3"]]:
    """All closed lines in which a plane cuts the skin, relative to the origin."""
    placed = body.vertex_mm - origin
    height = placed @ normal
    above = height >= 0
    sides = above[body.triangle]
    cut = body.triangle[sides.any(axis=1) & ~sides.all(axis=1)]
    onward = dict(_crossing(corners, above) for corners in cut.tolist())
    loops = []
    while onward:
        start, edge = onward.popitem()
        edges = [start]
        while edge != start:
            edges.append(edge)
            edge = onward.pop(edge)
        low, high = np.array(edges).T
        share = height[low] / (height[low] - height[high])
        loops.append(placed[low] + share[:, None] * (placed[high] - placed[low]))
    return loops


def _crossing(
    corners: list[int], above: Bool[np.ndarray, "vertex"]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """The edge by which the cut enters a triangle, and the one by which it leaves."""
    enter = leave = (0, 0)
    for first, second in zip(corners, corners[1:] + corners[:1], strict=True):
        if above[first] and not above[second]:
            enter = (min(first, second), max(first, second))
        elif above[second] and not above[first]:
            leave = (min(first, second), max(first, second))
    return enter, leave


def _contains_origin(loop: Float[np.ndarray, "corner 2"]) -> bool:
    """Whether a half line from the origin crosses the loop an odd number of times."""
    (x, y), (x2, y2) = loop.T, np.roll(loop, -1, axis=0).T
    crosses = (y > 0) != (y2 > 0)
    ahead = (x * y2 - x2 * y > 0) == (y2 > y)
    return bool((crosses & ahead).sum() % 2)


def _area_mm2(loop: Float[np.ndarray, "corner 2"]) -> float:
    (x, y), (x2, y2) = loop.T, np.roll(loop, -1, axis=0).T
    return float((x * y2 - x2 * y).sum()) / 2
