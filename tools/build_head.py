"""Build the head in space that ships with the package, from the skin of the reference body.

    python tools/build_head.py

Thickness of skin and fat, and the places of layers, glands and bones, are assumed: recalled
anatomy, set out conformal to the skin. Only the left half is built; the right one is its mirror
image. Same body, same bytes.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8
from npz import save
from scipy import ndimage

from openbont.anatomy.atlas import BONE, COMMON, FAT, OTHER, OUTSIDE
from openbont.anatomy.head import OF_THE_NECK, ORIGIN_MM, PAIRED, SINGLE
from openbont.anatomy.muscles import atlas
from openbont.anatomy.surface import Surface, surface

Map = Float[np.ndarray, "x y z"]
Mask = Bool[np.ndarray, "x y z"]
Line = tuple[tuple[float, ...], ...]
"""Points x, y, z, or radii at them."""

PLACE = Path(__file__).parents[1] / "src/openbont/anatomy/head.npz"
SHAPE = (161, 301, 256)
LABELS = {name: len(COMMON) + i for i, name in enumerate((*PAIRED, *SINGLE))}
LABELS |= {"bone": BONE, "fat": FAT, "other": OTHER}
EYE_MM = (29.3, 752.0, 122.3)
EYE_RADIUS_MM = 12.0

EYE_MUSCLES: dict[str, Line] = {
    "levator_palpebrae": (
        (18.5, 764, 86),
        (24, 770, 104),
        (27, 771.5, 114),
        (28.5, 769, 123),
        (29, 764.5, 130),
    ),
    "superior_rectus": ((18.5, 761.5, 85), (25, 766.5, 104), (29, 767, 112), (29.3, 765.5, 121)),
    "inferior_rectus": ((18.5, 756, 85), (25, 747, 104), (29, 744.8, 112), (29.3, 739, 121)),
    "medial_rectus": ((15.5, 759, 85), (17.3, 756.3, 104), (17.9, 755.5, 112), (16.2, 752, 122)),
    "lateral_rectus": ((21.5, 759, 85), (33, 756.8, 102), (40, 755.5, 112), (42.4, 752, 121)),
}

FAT_MM = (  # skin and fat together: place on the skin, mm
    ((0, 858, 55), 5.0),
    ((40, 840, 55), 5.0),
    ((0, 830, -20), 5.0),
    ((20, 835, 115), 4.0),
    ((18, 805, 138), 3.5),
    ((45, 805, 118), 3.5),
    ((17, 780, 147), 3.5),
    ((40, 776, 140), 3.5),
    ((0, 770, 149), 3.0),
    ((0, 754, 147), 2.5),
    ((18, 762, 139), 1.5),
    ((18, 745, 136), 1.5),
    ((30, 760, 138), 1.2),
    ((30, 753, 138), 1.0),
    ((30, 745, 137), 1.2),
    ((43, 752, 131), 1.5),
    ((30, 732, 135), 3.0),
    ((55, 757, 122), 3.0),
    ((62, 785, 85), 4.0),
    ((68, 760, 50), 4.0),
    ((66, 800, 45), 4.5),
    ((60, 730, 95), 5.0),
    ((45, 705, 122), 9.0),
    ((55, 695, 100), 8.0),
    ((57, 695, 75), 5.0),
    ((60, 710, 60), 4.0),
    ((0, 730, 158), 2.0),
    ((15, 720, 145), 4.0),
    ((20, 690, 142), 4.0),
    ((0, 662, 145), 7.0),
    ((25, 665, 130), 6.5),
    ((0, 645, 115), 8.0),
    ((25, 648, 105), 6.0),
    ((50, 672, 75), 5.0),
    ((45, 640, 55), 5.0),
    ((45, 650, 20), 6.0),
    ((0, 620, 85), 4.5),
    ((30, 600, 72), 5.0),
    ((0, 680, -15), 7.0),
    ((25, 690, -8), 7.0),
    ((0, 640, -20), 7.0),
    ((0, 726, -33), 6.0),
    ((30, 735, -25), 5.0),
    ((20, 780, -40), 5.0),
    ((55, 720, 15), 5.0),
    ((80, 600, -20), 7.0),
    ((108, 590, -10), 7.0),
    ((150, 580, -5), 7.0),
    ((110, 585, 30), 7.0),
    ((30, 590, -50), 8.0),
)


# --- the skin ------------------------------------------------------------------------------------


def inside(body: Surface) -> Mask:
    """Places of the half grid with an odd number of the skin's triangles beyond them in x."""
    corner = body.vertex_mm[body.triangle] - ORIGIN_MM - 1.3e-4  # off the planes of vertices
    low, high = corner.min(axis=1), corner.max(axis=1)
    near = (high[:, 1:] > 0).all(axis=1) & (low[:, 1:] < np.array(SHAPE[1:]) - 1).all(axis=1)
    crossed = np.zeros((SHAPE[0] + 1, *SHAPE[1:]), np.int16)
    for triangle in corner[near]:
        _cross(crossed, triangle)
    return np.cumsum(crossed[::-1], axis=0)[::-1][1:] % 2 == 1


def _cross(crossed: np.ndarray, triangle: Float[np.ndarray, "3 3"]) -> None:
    """Count a triangle at every place just below it in x."""
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = triangle
    double = (by - ay) * (cz - az) - (cy - ay) * (bz - az)
    low = np.maximum(np.ceil(triangle.min(axis=0)[1:]), 0).astype(int)
    high = np.minimum(np.floor(triangle.max(axis=0)[1:]), np.array(SHAPE[1:]) - 1).astype(int)
    if double == 0 or (high < low).any():
        return
    y, z = np.mgrid[low[0] : high[0] + 1, low[1] : high[1] + 1]
    b = ((y - ay) * (cz - az) - (cy - ay) * (z - az)) / double
    c = ((by - ay) * (z - az) - (y - ay) * (bz - az)) / double
    hit = (b >= 0) & (c >= 0) & (b + c <= 1)
    x = ax + b * (bx - ax) + c * (cx - ax)
    at = np.clip(np.ceil(x), 0, SHAPE[0]).astype(int)
    np.add.at(crossed, (at[hit], y[hit], z[hit]), 1)


def both(half: np.ndarray) -> np.ndarray:
    """A left half with its mirror image."""
    return np.concatenate([half[:0:-1], half])


def closed(skin: Mask) -> Mask:
    """Without mouth, nostrils and the gaps between lids and eyes."""
    eye = np.array((29.1, 750.9, 121.0)) - ORIGIN_MM
    skin = skin | (sum((g - e) ** 2 for g, e in zip(np.indices(SHAPE), eye, strict=True)) < 15.5**2)
    wide = np.pad(both(skin), 8, mode="edge")
    wide = ndimage.distance_transform_edt(~wide) <= 4
    wide = ndimage.distance_transform_edt(wide) > 4
    filled = wide[8:-8, 8:-8, 8:-8][SHAPE[0] - 1 :] | skin
    for level in range(SHAPE[1]):
        filled[:, level] = ndimage.binary_fill_holes(both(filled[:, level]))[SHAPE[0] - 1 :]
    return filled


def depth_mm(skin: Mask) -> Map:
    """Depth under the skin of a head without ears; the body goes on beyond the grid."""
    pad = ((0, 12), (12, 0), (0, 0))
    wide = np.pad(skin, pad, mode="edge")
    wide = ndimage.distance_transform_edt(wide) > 7
    wide = ndimage.distance_transform_edt(~wide) <= 7
    signed = ndimage.distance_transform_edt(wide) - ndimage.distance_transform_edt(~wide)
    smooth = ndimage.gaussian_filter(signed.astype(np.float32), 1.0, mode="mirror")
    return smooth[:-12, 12:]


def fat_mm() -> Map:
    """Thickness of skin and fat, between the places of FAT_MM by inverse distance."""
    every = 4
    coarse = [np.arange(0, n + every, every, dtype=float) for n in SHAPE]
    place = np.stack(np.meshgrid(*coarse, indexing="ij"), axis=-1) + ORIGIN_MM
    total, weight = np.zeros(place.shape[:3]), np.zeros(place.shape[:3])
    for at, thick in FAT_MM:
        near = (((place - at) ** 2).sum(-1) + 9.0) ** -2
        total, weight = total + near * thick, weight + near
    index = np.indices(SHAPE, dtype=np.float32) / every
    return ndimage.map_coordinates((total / weight).astype(np.float32), index, order=1)


# --- the builder ---------------------------------------------------------------------------------


class Head:
    """The left half of a head while its tissues are laid out, the first to come having the say."""

    def __init__(self, body: Surface) -> None:
        skin = inside(body)
        self.skin = closed(skin)
        self.depth = depth_mm(self.skin)
        self.fat = fat_mm()
        self.x, self.y, self.z = (
            axis.astype(np.float32) + start
            for axis, start in zip(np.ogrid[tuple(slice(n) for n in SHAPE)], ORIGIN_MM, strict=True)
        )
        self.under = self.depth - self.fat
        """Depth under skin and fat."""
        self.label = np.zeros(SHAPE, np.uint8)

    def give(self, name: str, there: Mask) -> None:
        """Label what is still free; a paired structure keeps off the midline."""
        free = there & (self.label == OUTSIDE) & self.skin
        if name in PAIRED:
            free[0] = False
        self.label[free] = LABELS[name]

    def tube(self, path: Line, radius: float | tuple[float, ...] | Line) -> Mask:
        """Ellipsoids side by side along a line of points, their radii along x, y, z."""
        points = np.array(path, float)
        radii = np.broadcast_to(np.array(radius, float), points.shape)
        share = np.linspace(0, len(points) - 1, 24 * (len(points) - 1) + 1)
        knot = np.arange(len(points))
        there = np.zeros(SHAPE, bool)
        for s in share:
            middle = [np.interp(s, knot, column) for column in points.T]
            half = [np.interp(s, knot, column) for column in radii.T]
            self._ball(there, middle, half)
        return there

    def ball(self, middle: tuple[float, ...], half: tuple[float, ...]) -> Mask:
        """One ellipsoid."""
        there = np.zeros(SHAPE, bool)
        self._ball(there, middle, half)
        return there

    def _ball(self, there: Mask, middle: Iterable[float], half: Iterable[float]) -> None:
        box, squares = [], []
        grid = (self.x.ravel(), self.y.ravel(), self.z.ravel())
        for values, m, h in zip(grid, middle, half, strict=True):
            first, last = np.searchsorted(values, [m - h, m + h])
            box.append(slice(first, last))
            squares.append(((values[first:last] - m) / h) ** 2)
        there[tuple(box)] |= squares[0][:, None, None] + squares[1][:, None] + squares[2] < 1

    def along(self, values: Map, knots: Line) -> Map:
        """A quantity given at knots of a coordinate."""
        at, what = zip(*knots, strict=True)
        return np.interp(values, at, what).astype(np.float32)


# --- skull ---------------------------------------------------------------------------------------


def fan(head: Head) -> tuple[Mask, Map, Map]:
    """Where temporalis lies seen from the side, the depth of its surface, and its thickness."""
    y, z = head.y, head.z
    wide = ((y - 757) / 54) ** 2 + ((z - 64) / 49) ** 2
    front = head.along(y, ((708, 90), (726, 101), (757, 112)))
    back = head.along(y, ((708, 82), (726, 72), (757, 40)))
    there = np.where(y >= 757, wide < 1, (y > 708) & (z > back) & (z < front))
    edge = np.clip(np.minimum(z - back, front - z) / 22, 0, 1)
    low = 8.8 * np.sqrt(1 - (1 - edge) ** 2) * head.along(y, ((708, 0.45), (735, 1), (757, 1)))
    high = 8.8 * np.clip(1 - wide, 0, 1) ** 0.5
    thick = np.where(y >= 757, np.minimum(high, 8.8), low)
    top = head.along(y, ((726, 10.0), (732, 9.0), (744, 1.5)))
    return there & (head.x > 25), top + 0 * z, np.maximum(thick, 1.2) * there


def floor_mm(head: Head) -> Map:
    """Height of the floor of the skull's inside: three steps, lower from front to back."""
    side = head.along(
        head.z, ((-30, 730), (-5, 718), (20, 714), (40, 722), (48, 734), (88, 734), (97, 778))
    )
    middle = head.along(
        head.z, ((-30, 730), (-5, 718), (20, 713), (44, 713), (66, 748), (92, 752), (100, 773))
    )
    share = np.clip((head.x - 10) / 12, 0, 1)
    return ndimage.gaussian_filter(middle + share * (side - middle), 2.0, mode="nearest")


def cranium(head: Head) -> None:
    """The vault and its floor, closed over the brain but for the spinal cord."""
    there, top, thick = fan(head)
    pad = np.where(there, top + thick, 1.5 + 0 * head.x)
    muscles = (head.z > 90) & (head.y > 770) | (head.z < 0) & (head.y < 770)
    pad = np.maximum(pad, np.where(muscles, 3.5, 0)).astype(np.float32)
    under = head.under - ndimage.gaussian_filter(pad, 2.5, mode="mirror")
    floor = floor_mm(head)
    wall = 6.0 - 2.5 * ndimage.gaussian_filter(there.astype(np.float32), 5.0, mode="mirror")
    orbits = ndimage.binary_dilation(head.label >= BONE, iterations=3)
    spine = ((0, 722, 31), (0, 700, 27), (0, 665, 25), (0, 640, 20), (0, 600, 8), (0, 575, 0))
    head.give("other", head.tube(spine, (7.5, 7, 6)))  # cord, through the great foramen
    inner = (under > wall) & (head.y > floor) & ~orbits
    head.give("other", inner)
    head.give("bone", (under > 0) & (head.y > floor - 5))


def face_bones(head: Head) -> None:
    """Brow, cheek bones, upper and lower jaw; cavities are other tissue."""
    for place, half in (
        ((26, 722, 112), (9, 12, 13)),  # maxillary sinus
        ((0, 728, 108), (9, 22, 34)),  # nasal cavity
        ((8, 748, 112), (5, 10, 20)),  # ethmoid
    ):
        head.give("other", head.ball(place, half))
    arch = ((41, 733, 121), (50, 731, 108), (56, 729, 92), (61, 730, 74), (60, 731, 60))
    brow = (head.y > 766) & (head.y < 790) & (head.z > 112) & (head.under < 9)
    roof = (head.y > 764) & (head.y < 780) & (head.z > 90) & (np.abs(head.x - 29) < 17)
    root = (head.x < 13) & (head.y > 742) & (head.y < 790) & (head.z > 120) & (head.under < 9)
    bones = [
        (brow | root | roof) & (head.under > 3.2),
        head.tube(arch, ((7, 6, 5), (4, 5, 5), (2, 3.5, 5), (2, 3.5, 5), (4, 5, 6))),
        head.tube(((47, 733, 118), (49, 750, 118), (46, 772, 124)), (3.5, 6, 5)),  # lateral rim
        head.tube(((26, 722, 113), (27, 700, 114)), ((11.5, 14, 15), (9, 8, 13))),  # maxilla
        head.tube(((0, 697, 133), (14, 697, 128), (24, 697, 112), (27, 697, 92)), (6, 9, 6)),
        head.tube(((0, 704, 128), (0, 704, 88)), (27, 3, 4)),  # palate
        head.tube(((5, 752, 138), (5, 738, 148)), (3.5, 6, 3)),  # nasal bones
        head.tube(((13, 735, 92), (13, 705, 88)), (5, 5, 5)),  # pterygoid
        head.ball((0, 742, 82), (14, 12, 14)),  # sphenoid
        head.ball((51, 716, 32), (8, 14, 12)),  # mastoid
        *jaw(head),
    ]
    for bone in bones:
        head.give("bone", bone & (head.under > 1.5))


def jaw(head: Head) -> Iterable[Mask]:
    """Body, ramus, condyle and coronoid process of the lower jaw, and its teeth."""
    body = ((0, 664, 130), (14, 664, 125), (26, 667, 110), (35, 672, 90), (37, 677, 74))
    yield head.tube(body, ((6, 11, 5.5), (6, 11, 5.5), (5, 11, 6), (4, 11, 6), (3, 9, 7)))
    yield head.tube(((36, 680, 78), (38, 694, 77), (40, 706, 76)), (3, 7, 12))
    yield head.tube(
        ((40, 706, 70), (44, 716, 62), (47, 722, 60)), ((3, 5, 6), (3.5, 5, 4), (7, 4, 4))
    )
    yield head.tube(((40, 706, 84), (41, 716, 88)), ((2.5, 5, 5), (2, 4, 3)))
    teeth = ((0, 680, 131), (13, 680, 126), (23, 681, 111), (30, 682, 92))
    yield head.tube(teeth, (3.5, 8, 4))


def orbit(head: Head) -> None:
    """Eyeball, its muscles, the lifter of the upper lid and fat within thin walls."""
    head.give("other", head.ball(EYE_MM, (EYE_RADIUS_MM,) * 3))
    for name, path in EYE_MUSCLES.items():
        flat = (1.6, 4.7, 2) if name.startswith(("medial", "lateral")) else (4.7, 1.6, 2)
        head.give(name, head.tube(path, (6, 1.3, 2) if name.startswith("levator") else flat))
    axis = ((17.5, 759, 82), (24, 758, 100), (29, 756, 115), (31, 753, 132))
    hollow = head.tube(axis, ((4, 5, 3), (13, 15, 5), (18, 18, 6), (20, 17.5, 6)))
    walls = head.tube(axis, ((6, 7, 4), (15, 17, 6), (20, 20.5, 6), (22, 20, 5)))
    deep = head.under > 2.8
    head.give("fat", hollow & deep)
    head.give("bone", walls & deep & (head.y > 730))


# --- layers --------------------------------------------------------------------------------------


def forehead(head: Head) -> None:
    """Procerus, corrugator and frontalis; corrugator lies under frontalis."""
    x, y, under = head.x, head.y, head.under
    front = head.z > 94
    head.give("procerus", front & (x < 5) & (y > 755) & (y < 778) & (under > 0) & (under < 3))
    along = (x - 6) / 27
    off = np.abs(y - 772.5 - 11 * along)
    band = front & (along > 0) & (along < 1) & (off < 5 - 1.5 * along)
    over = front & (y > 779) & (y < 838) & (x > 3) & (x < 56 - 0.2 * np.abs(y - 805))
    head.give("corrugator", band & (under > np.where(over, 1.2, 0.3)) & (under < 4.0))
    thick = np.where(band, 1.2, 2.8)
    head.give("frontalis", over & (under > 0) & (under < thick))


def ring(head: Head) -> None:
    """Orbicularis oculi: the lids and around them, the slit between the lids left open."""
    dx, dy = head.x - 31, head.y - 753
    around = (dx / 27) ** 2 + (dy / 25) ** 2 < 1
    slit = (np.abs(dx) < 13) & (np.abs(dy + 2) < 1)
    thick = head.along(np.hypot(dx / 17, dy / 13), ((0.9, 1.4), (1.5, 2.4)))
    there = around & ~slit & (head.z > 105) & (head.under > 0) & (head.under < thick)
    head.give("orbicularis_oculi", there)


def side(head: Head) -> None:
    """Temporalis under its fascia, masseter, and the parotid gland over its back edge."""
    there, top, thick = fan(head)
    within = there & (head.under > top) & (head.under < top + thick)
    front = head.along(head.y, ((672, 90), (726, 112)))
    back = head.along(head.y, ((672, 60), (726, 70)))
    edge = np.minimum(np.minimum(head.z - back, front - head.z) / 9, 1)
    deep = 13.0 * np.sqrt(np.clip(edge, 0, 1))
    block = (head.x > 25) & (head.y > 671) & (head.y < 728) & (edge > 0)
    gland = parotid(head)
    head.give("parotid", gland)
    head.give("temporalis", within)
    head.give("masseter", block & (head.under > 0) & (head.under < deep))


def platysma(head: Head) -> None:
    """A sheet under the fat from the lower border of the jaw to the collar bone."""
    x, y, z, under = head.x, head.y, head.z, head.under
    angle = np.degrees(np.arctan2(x, z - 35 + 0 * x))
    upper = head.along(z, ((40, 668), (75, 690), (105, 676), (126, 668), (132, 640)))
    sheet = (y < upper) & (y > 572) & (x < 70) & (z > 25) & (x > 6 + 0 * z) & (angle < 95)
    head.give("platysma", sheet & (under > 0) & (under < 2.0))


def parotid(head: Head) -> Mask:
    """Thin over masseter, thick behind the jaw; as deep as 25 cm3 ask for."""
    dy, dz = (head.y - 699) / 27, (head.z - 61) / 26
    shape = np.sqrt(np.clip(1 - dy**2 - dz**2, 0, 1))
    depth = head.along(head.z, ((36, 20), (60, 20), (66, 9), (90, 5))) * shape
    free = (head.label == OUTSIDE) & head.skin & (head.x > 15) & (head.under > 0)
    scale = 1.0
    for _ in range(12):
        there = free & (head.under < scale * depth)
        scale *= (25_000 / there.sum()) ** 0.7
    return there


def back_of_the_head(head: Head) -> None:
    """Occipitalis above the ridge of the nape, trapezius from the nape to the acromion."""
    x, y, z, under = head.x, head.y, head.z, head.under
    patch = (z < 10) & (x > 6) & (x < 52) & (y > 724 + 0.12 * x) & (y < 766 + 0.05 * x)
    head.give("occipitalis", patch & (under > 0) & (under < 2.6))
    wide = head.along(y, ((570, 175), (600, 172), (612, 110), (640, 50), (680, 26), (722, 12)))
    thick = head.along(x, ((0, 2.5), (30, 4.0), (70, 9.0), (120, 9.0), (168, 4.0)))
    thick = np.minimum(thick, head.along(y, ((650, 9.0), (700, 2.5))))
    front = head.along(x, ((0, -5), (40, 5), (80, 8), (168, 12)))
    thick = np.minimum(thick, np.maximum((front - z) * 0.9, 2.0))
    sheet = (y < 722) & (x < wide) & (x > 1) & (x < 168) & (z < front)
    head.give("trapezius", sheet & (under > 0) & (under < thick))


def neck(head: Head) -> None:
    """The larynx, the submandibular gland and what the map of the neck has."""
    under = head.under
    head.give("thyroarytenoid", head.tube(((3, 640, 83), (6.5, 640, 66)), (2.4, 5, 2)))
    for end in (0.0, 4.0):
        plate = head.tube(
            ((0, 640 - end, 86), (9, 640 - end, 75), (16, 640 - end, 60)), (1.6, 13, 2)
        )
        head.give("bone", plate)
    head.give("bone", head.tube(((0, 662, 84), (12, 663, 80), (20, 665, 62)), (3, 3.5, 3)))  # hyoid
    collar = ((30, 564, 70), (80, 571, 48), (130, 573, 24), (165, 568, 8))
    head.give("bone", head.tube(collar, 5.5) & (under > 1.5))
    head.give("other", head.tube(((0, 690, 62), (0, 640, 68), (0, 570, 58)), (9, 14, 9)))
    head.give("submandibular", head.tube(((26, 660, 78), (22, 659, 101)), (10, 10.5, 10.5)))
    mapped(head)


def mapped(head: Head) -> None:
    """Muscles and spine as the map of the neck has them; the erectors of the head as one."""
    whole = atlas("neck")
    place = np.stack(np.meshgrid(head.x, head.y[:, :170], head.z, indexing="ij"), axis=-1)
    here = whole.at(place.reshape(-1, 3)).reshape(SHAPE[0], 170, SHAPE[2])
    found = np.zeros(SHAPE, np.uint8)
    found[:, :170] = here
    head.give("bone", found == BONE)
    for name, to in OF_THE_NECK.items():
        head.give(to, (found == whole.number(f"{name}.left")) & (head.under > 0.5))


# --- all -----------------------------------------------------------------------------------------


def build() -> UInt8[np.ndarray, "x y z"]:
    """Labels of the left half, the midline included."""
    head = Head(surface())
    bare = ndimage.distance_transform_edt(np.pad(head.skin, ((0, 2), (2, 0), (0, 0)), "edge"))
    head.give("fat", (head.under <= 0) | (bare[:-2, 2:] < 1.5))
    for part in (
        orbit,
        cranium,
        face_bones,
        forehead,
        ring,
        platysma,
        side,
        back_of_the_head,
        neck,
    ):
        part(head)
    head.give("other", head.skin)
    for name in (*PAIRED, *SINGLE):
        _connect(head.label, LABELS[name])
        print(f"{name:24} {(head.label == LABELS[name]).sum() / 1000:6.1f} cm3")
    return head.label


def _connect(label: UInt8[np.ndarray, "x y z"], number: int) -> None:
    """Keep the largest piece of a structure, the rest becomes other tissue."""
    piece, pieces = ndimage.label(label == number)
    if pieces > 1:
        count = np.bincount(piece.ravel())
        print("   pieces", sorted(count[1:])[::-1][:5])
        label[(piece > 0) & (piece != 1 + count[1:].argmax())] = OTHER


if __name__ == "__main__":
    save(PLACE, {"label": build()})
    print(f"{PLACE}: {PLACE.stat().st_size / 1000:.0f} kB")
