"""Sections of a limb: muscles laid out in every slice of its skin, with the volumes they have.

In a slice a muscle asks for an area, its volume times a beta profile along its own length. The
deepest places of the slice, as many as are asked for, are muscle, the rest is fat; a power diagram
about the textbook places of the bellies shares them out (`power`). Bones, vessels and airways are
stamped first. Where the skin is too thin for what is asked, all muscles of the slice give way in
proportion, and `Layout.scale` says how much.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from scipy import ndimage

from openbont.anatomy.atlas import COMMON, FAT, OTHER, OUTSIDE, Grid
from openbont.anatomy.power import share

WALL_MM = 2.0
BESIDE = 0.6
"""A membrane reaches this share of its width from its middle: a little round the bones."""
BETWEEN = 0.03
"""Share of the room between muscles that is fascia and small vessels (assumed)."""
CATCH_UP = 0.1
"""Share of its area by which a muscle may make up for what slices before took or left."""
FAR = 0.5
"""Cost, in squares of the local radius, of a place behind the membrane or apart from the rest."""
ROUNDS = 4
"""Times a slice is solved again to keep each muscle in one piece."""
_ROOM = 255


@dataclass(frozen=True, eq=False)
class Muscle:
    """A muscle as the table has it; places (s, u, v) in shares of length and of local radius."""

    id: str
    compartment: str
    volume_cm3: float
    spans: tuple[float, float]
    """Share of the segment at which the belly starts and ends."""
    peak: float
    """Share of the segment at which it is thickest."""
    path: Float[np.ndarray, "knot 4"]
    """Middle of the belly along the segment, lateral, to the front; direction of its width (deg,
    from lateral towards the front)."""
    elongation: float = 1.0
    """Width / thickness that its section would have if it lay alone."""
    fullness: float = 2.0
    """Exponents of the beta profile, both together."""

    def area_mm2(self, along: Float[np.ndarray, "slice"], step_mm: float) -> np.ndarray:
        """Area asked for in each slice; their sum is the volume."""
        first, last = self.spans
        x = np.clip((along - first) / (last - first), 0.0, 1.0)
        peak = (self.peak - first) / (last - first)
        profile = x ** (self.fullness * peak) * (1 - x) ** (self.fullness * (1 - peak))
        profile[(along <= first) | (along >= last)] = 0.0
        return self.volume_cm3 * 1000 / step_mm * profile / profile.sum()


@dataclass(frozen=True, eq=False)
class Stamp:
    """A bone, vessel or airway: an ellipse in each slice, before any muscle."""

    label: int
    path: Float[np.ndarray, "knot 4"]
    """Along the segment, lateral, front, then the radius, in shares of the local radius."""
    elongation: float = 1.0
    angle_deg: float = 0.0


@dataclass(frozen=True, eq=False)
class Wall:
    """A membrane between the middles of two bones, and the compartments on its two sides."""

    lateral: Stamp
    medial: Stamp
    front: tuple[str, ...]
    back: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Segment:
    """The table of one segment."""

    muscles: tuple[Muscle, ...]
    stamps: tuple[Stamp, ...]
    wall: Wall | None
    fat_mm: float
    """Skin and fat, at least."""
    fat_share: float
    """Skin and fat, at most, in shares of the local radius."""
    fat_tilt_mm: float
    """How much thinner the fat is in front, and thicker behind."""
    free: tuple[float, float]
    """Stretch in which the skin around the axis is that of this segment alone."""
    reach: float
    """Beyond this share of the local radius lies another part of the body."""
    stamped: tuple[str, ...] = ()
    """Muscles that are stamps, numbered after the others."""
    half: bool = False
    """Only the left half is laid out; `both_sides` adds the other."""


@dataclass(frozen=True, eq=False)
class Skin:
    """Inside of the skin on a grid whose first axis runs along a segment, then lateral, front."""

    inside: Bool[np.ndarray, "slice u v"]
    origin_mm: Float[np.ndarray, "3"]
    axes: Float[np.ndarray, "3 3"]
    step_mm: Float[np.ndarray, "3"]
    along: Float[np.ndarray, "slice"]
    """Share of the segment's length at each slice."""
    turn_rad: Float[np.ndarray, "slice"]
    """How far lateral is turned towards the front in each slice: pronation of a forearm."""

    @property
    def girth_mm(self) -> float:
        """Girth at the thickest place away from the joints, taken as round."""
        middle = self.inside[(self.along > 0.15) & (self.along < 0.85)]
        area_mm2 = middle.sum((1, 2)).max() * self.step_mm[1] * self.step_mm[2]
        return float(2 * np.sqrt(np.pi * area_mm2))

    def fitted(self, girth: float) -> "Skin":
        """The limb with `girth` times its girth."""
        wide_mm = self.step_mm * (1, girth, girth)
        middle = (np.array(self.inside.shape[1:]) - 1) / 2
        shift = middle * (self.step_mm - wide_mm)[1:] @ self.axes[1:]
        return replace(self, origin_mm=self.origin_mm + shift, step_mm=wide_mm)


@dataclass(frozen=True, eq=False)
class Layout:
    """What was asked for and what was reached."""

    grid: Grid
    ids: tuple[str, ...]
    """Label - 4 -> muscle."""
    asked_cm3: Float[np.ndarray, "muscle"]
    scale: Float[np.ndarray, "muscle"]
    """Volume that found room within the skin / volume asked for."""


def lay_out(skin: Skin, segment: Segment, atrophy: Mapping[str, float] | None = None) -> Layout:
    """Muscles within a skin; `atrophy` says what share of its volume a muscle has kept."""
    kept = {} if atrophy is None else atrophy
    share_kept = np.array([kept.get(one.id, 1.0) for one in segment.muscles])
    profile = [one.area_mm2(skin.along, skin.step_mm[0]) for one in segment.muscles]
    asked = np.stack(profile) * share_kept[:, None]
    label, given = _filled(skin, segment, asked)
    scale = given.sum(1) / asked.sum(1)
    grid = Grid(_connected(label), skin.origin_mm, skin.axes, skin.step_mm)
    first = len(COMMON) + len(asked)
    stamped = np.array(
        [(grid.label == first + i).sum() for i in range(len(segment.stamped))], float
    )
    return Layout(
        grid,
        tuple(one.id for one in segment.muscles) + segment.stamped,
        np.append(asked.sum(1) * skin.step_mm[0] / 1000, stamped * grid.voxel_cm3),
        np.append(scale, np.ones(len(stamped))),
    )


def _filled(
    skin: Skin, segment: Segment, asked: Float[np.ndarray, "muscle slice"]
) -> tuple[UInt8[np.ndarray, "slice u v"], Float[np.ndarray, "muscle slice"]]:
    """Labels, and the areas there was room for; what a slice rounds away the next one owes."""
    centre, radius = outline(skin, segment.free)
    label = np.zeros(skin.inside.shape, np.uint8)
    given = np.zeros_like(asked)
    owed, weight = np.zeros(len(asked)), np.zeros(len(asked))
    for i in np.flatnonzero(skin.inside.any(axis=(1, 2))).tolist():
        section = _Section(skin, i, centre[i], radius[i])
        label[i], room = section.prepared(segment, asked[:, i].sum())
        given[:, i] = asked[:, i] * room
        owed = (owed + given[:, i]) * (given[:, i] > 0)
        wanted = np.clip(owed, (1 - CATCH_UP) * given[:, i], (1 + CATCH_UP) * given[:, i])
        weight = section.fill(label[i], segment, wanted, weight)
        owed -= section.areas(label[i], len(asked))
    return label, given


def both_sides(layout: Layout) -> Layout:
    """A left half and its mirror image, a fascia between; the right half's names come last."""
    paired = [i for i, name in enumerate(layout.ids) if name.endswith(".left")]
    number = np.arange(256, dtype=np.uint8)
    first = len(COMMON) + len(layout.ids)
    number[[len(COMMON) + i for i in paired]] = first + np.arange(len(paired))
    label = layout.grid.label.copy()
    middle = label.shape[1] // 2
    label[:, :middle] = number[label[:, middle + 1 :][:, ::-1]]
    between = label[:, middle]
    between[np.isin(between, np.flatnonzero(number != np.arange(256)))] = OTHER
    return Layout(
        replace(layout.grid, label=_connected(label)),
        layout.ids + tuple(layout.ids[i].replace(".left", ".right") for i in paired),
        np.append(layout.asked_cm3, layout.asked_cm3[paired]),
        np.append(layout.scale, layout.scale[paired]),
    )


def outline(
    skin: Skin, free: tuple[float, float]
) -> tuple[Float[np.ndarray, "slice 2"], Float[np.ndarray, "slice"]]:
    """Middle (mm along u and v of the grid) and radius of every slice, as at the ends of `free`."""
    u, v = _places_mm(skin)
    size = skin.inside.sum((1, 2))
    held = np.clip(skin.along, *free)
    here = size > 0

    def smooth(values: np.ndarray) -> np.ndarray:
        return np.interp(held, skin.along[here], ndimage.gaussian_filter1d(values[here], 3.0))

    total = np.maximum(size, 1)
    centre = [smooth((skin.inside * x).sum((1, 2)) / total) for x in (u, v)]
    radius = smooth(np.sqrt(size * skin.step_mm[1] * skin.step_mm[2] / np.pi))
    return np.stack(centre, axis=1), radius


def _places_mm(skin: Skin) -> tuple[np.ndarray, np.ndarray]:
    _, nu, nv = skin.inside.shape
    return np.meshgrid(
        skin.step_mm[1] * np.arange(nu), skin.step_mm[2] * np.arange(nv), indexing="ij"
    )


class _Section:
    """One slice while it is being filled."""

    def __init__(self, skin: Skin, i: int, centre_mm: np.ndarray, radius_mm: float) -> None:
        u, v = _places_mm(skin)
        cos, sin = np.cos(skin.turn_rad[i]), np.sin(skin.turn_rad[i])
        du, dv = u - centre_mm[0], v - centre_mm[1]
        self.u, self.v = cos * du + sin * dv, cos * dv - sin * du
        """Lateral and front of the middle, as the textbook's section has them."""
        self.s, self.radius_mm = skin.along[i], radius_mm
        self.inside = skin.inside[i]
        self.place_mm2 = float(skin.step_mm[1] * skin.step_mm[2])
        filled = ndimage.binary_fill_holes(self.inside)
        far = ndimage.distance_transform_edt(np.pad(filled, 1), skin.step_mm[1:])
        self.depth_mm = far[1:-1, 1:-1] - skin.step_mm[1] / 2  # the skin lies between two voxels
        self.side = np.zeros(u.shape)
        """1 in front of the membrane, -1 behind it, 0 where there is none."""

    def prepared(
        self, segment: Segment, asked_mm2: float
    ) -> tuple[UInt8[np.ndarray, "u v"], float]:
        """Labels with room for the muscles, and the share of what they ask for that it holds."""
        label = np.where(self.inside, FAT, OUTSIDE).astype(np.uint8)
        if segment.wall:
            self._build(label, segment.wall)
        for stamp in segment.stamps:
            self._stamp(label, stamp)
        beyond = np.hypot(self.u, self.v) > segment.reach * self.radius_mm
        beyond |= segment.half & (self.u < 0)
        under_skin = (label == FAT) & (self.depth_mm >= segment.fat_mm)
        label[under_skin & beyond] = OTHER
        share = self._make_room(label, under_skin & ~beyond, segment, asked_mm2)
        return label, share

    def _make_room(
        self,
        label: UInt8[np.ndarray, "u v"],
        free: Bool[np.ndarray, "u v"],
        segment: Segment,
        asked_mm2: float,
    ) -> float:
        """Mark the deepest of the free places as room, and return the share there is."""
        deep_mm = self.depth_mm + segment.fat_tilt_mm * self.v / self.radius_mm
        limit_mm = segment.fat_share * self.radius_mm
        found = np.sort(deep_mm[free])[::-1]
        count = round(asked_mm2 / (1 - BETWEEN) / self.place_mm2)
        if count and len(found):
            limit_mm = min(found[min(count, len(found)) - 1], limit_mm)
        label[free & (deep_mm >= limit_mm)] = _ROOM
        return min(1.0, len(found) / max(count, 1))

    def _stamp(self, label: UInt8[np.ndarray, "u v"], stamp: Stamp) -> None:
        s = stamp.path[:, 0]
        if s[0] <= self.s <= s[-1]:
            u, v, r = (np.interp(self.s, s, x) * self.radius_mm for x in stamp.path[:, 1:].T)
            within = self._cost(u, v, stamp.elongation, stamp.angle_deg) <= r**2
            label[within & (label != OUTSIDE)] = stamp.label

    def _build(self, label: UInt8[np.ndarray, "u v"], wall: Wall) -> None:
        ends = [np.array(self._at(one.path)) for one in (wall.medial, wall.lateral)]
        width = np.hypot(*(ends[1] - ends[0]))
        across = (ends[1] - ends[0]) / width
        du, dv = self.u - ends[0][0], self.v - ends[0][1]
        between = np.abs(du * across[0] + dv * across[1] - width / 2) < BESIDE * width
        front_mm = dv * across[0] - du * across[1]
        self.side = between * np.sign(front_mm)
        label[between & (np.abs(front_mm) <= WALL_MM / 2) & (label == FAT)] = OTHER

    def _cost(self, u: float, v: float, elongation: float, angle_deg: float) -> np.ndarray:
        cos, sin = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
        du, dv = self.u - u, self.v - v
        return (cos * du + sin * dv) ** 2 / elongation + (cos * dv - sin * du) ** 2 * elongation

    def fill(
        self,
        label: UInt8[np.ndarray, "u v"],
        segment: Segment,
        wanted: np.ndarray,
        weight: np.ndarray,
    ) -> np.ndarray:
        """Give the room to the muscles, and return their weights for the next slice."""
        here, room = np.flatnonzero(wanted >= self.place_mm2), label == _ROOM
        label[room] = OTHER
        if not len(here) or not room.any():
            return weight
        muscles = [segment.muscles[m] for m in here]
        cost = np.stack([self._cost_of(one, segment.wall)[room] for one in muscles], axis=1)
        most_mm2 = (1 - BETWEEN / 2) * room.sum() * self.place_mm2
        area = wanted[here] * min(1.0, most_mm2 / wanted[here].sum())
        owner, found = self._owners(room, cost, area, weight[here])
        label[room] = np.append(here + len(COMMON), OTHER)[owner]
        new = weight.copy()
        new[here] = found
        return new

    def _owners(
        self,
        room: Bool[np.ndarray, "u v"],
        cost_mm2: Float[np.ndarray, "place muscle"],
        area_mm2: Float[np.ndarray, "muscle"],
        weight_mm2: Float[np.ndarray, "muscle"],
    ) -> tuple[Int[np.ndarray, "place"], Float[np.ndarray, "muscle"]]:
        """Muscle of each place, each in one piece; what cannot be had in one piece has no owner."""
        number = range(len(area_mm2))
        for _ in range(ROUNDS):
            owner, weight_mm2 = share(cost_mm2, area_mm2, self.place_mm2, weight_mm2)
            stray = np.stack([self._stray(room, owner == k, cost_mm2[:, k]) for k in number])
            owner[stray.any(axis=0)] = len(area_mm2)
            if not stray.any():
                break
            cost_mm2 = cost_mm2 + FAR * self.radius_mm**2 * stray.T
        return owner, weight_mm2

    def _stray(
        self,
        room: Bool[np.ndarray, "u v"],
        owned: Bool[np.ndarray, "place"],
        cost_mm2: Float[np.ndarray, "place"],
    ) -> Bool[np.ndarray, "place"]:
        """Places of a muscle apart from the piece that lies best where the muscle should be."""
        muscle = np.zeros(room.shape, bool)
        muscle[room] = owned
        piece, pieces = ndimage.label(muscle)
        if pieces < 2:
            return np.zeros_like(owned)
        wide = owned.sum() * self.place_mm2
        well = np.bincount(piece[room], np.exp(-cost_mm2 / wide) * owned, pieces + 1)
        return owned & (piece[room] != 1 + np.argmax(well[1:]))

    def _cost_of(self, muscle: Muscle, wall: Wall | None) -> np.ndarray:
        angle_deg = np.interp(self.s, muscle.path[:, 0], muscle.path[:, 3])
        cost = self._cost(*self._at(muscle.path), muscle.elongation, float(angle_deg))
        if wall is None:
            return cost
        behind = self.side * (
            (muscle.compartment in wall.front) - int(muscle.compartment in wall.back)
        )
        return cost + FAR * self.radius_mm**2 * (behind < 0)

    def _at(self, path: Float[np.ndarray, "knot 4"]) -> tuple[float, float]:
        s, u, v, _ = path.T
        return self.radius_mm * np.interp(self.s, s, u), self.radius_mm * np.interp(self.s, s, v)

    def areas(self, label: UInt8[np.ndarray, "u v"], count: int) -> np.ndarray:
        """Area of each muscle."""
        return self.place_mm2 * np.bincount(label.ravel(), minlength=256)[len(COMMON) :][:count]


def _connected(label: UInt8[np.ndarray, "slice u v"]) -> UInt8[np.ndarray, "slice u v"]:
    """Every muscle in one piece: what lies apart from it is other tissue."""
    whole = label.copy()
    for number in range(len(COMMON), int(label.max()) + 1):
        piece, pieces = ndimage.label(label == number)
        if pieces > 1:
            largest = np.bincount(piece.ravel())[1:].argmax() + 1
            whole[(piece > 0) & (piece != largest)] = OTHER
    return whole
