"""Places on the body in words: named landmarks, and the region in which a point lies.

Everything is measured from the joints and landmarks of the body at hand, never from its x, y and z:
moving or turning body and point together changes no word. A landmark is a vertex of the skin; the
grade says whether the mesh shows it (an ear, a heel) or it was placed by proportion (an inion).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import numpy as np
from jaxtyping import Float

from openbont.anatomy.surface import Point, Surface
from openbont.errors import UnknownName

Grade = Literal["mesh", "assumed"]
Side = Literal["left", "right"]


@dataclass(frozen=True)
class Landmark:
    """A place that a hand or an eye can find."""

    words: str
    vertices: tuple[int, int]
    """On the left and on the right; the same on the midline."""
    grade: Grade


LANDMARKS: Final[Mapping[str, Landmark]] = {
    "crown": Landmark("top of the head", (881, 881), "mesh"),
    "glabella": Landmark("between the brows", (227, 227), "mesh"),
    "nasion": Landmark("root of the nose", (136, 136), "mesh"),
    "nose_tip": Landmark("tip of the nose", (297, 297), "mesh"),
    "chin": Landmark("front of the chin", (733, 733), "mesh"),
    "under_chin": Landmark("lower edge of the chin", (732, 732), "mesh"),
    "inion": Landmark("external occipital protuberance", (941, 941), "assumed"),
    "c7": Landmark("spine of the seventh cervical vertebra", (858, 858), "assumed"),
    "jugular_notch": Landmark("upper edge of the breastbone", (1522, 1522), "mesh"),
    "tragus": Landmark("tragus", (12077, 5478), "mesh"),
    "medial_canthus": Landmark("inner corner of the eye", (6852, 68), "mesh"),
    "lateral_canthus": Landmark("outer corner of the eye", (11472, 4854), "mesh"),
    "brow_medial": Landmark("inner end of the brow", (6983, 208), "assumed"),
    "brow_middle": Landmark("middle of the brow", (6996, 222), "assumed"),
    "brow_lateral": Landmark("outer end of the brow", (6999, 225), "assumed"),
    "infraorbital_rim": Landmark("lower rim of the orbit", (11857, 5249), "assumed"),
    "zygomatic_arch": Landmark("middle of the zygomatic arch", (7038, 269), "assumed"),
    "mouth_corner": Landmark("corner of the mouth", (10406, 3738), "mesh"),
    "gonion": Landmark("angle of the jaw", (7695, 1001), "assumed"),
    "mastoid_tip": Landmark("tip of the mastoid process", (11884, 5277), "assumed"),
    "sternoclavicular_joint": Landmark("sternoclavicular joint", (8198, 1514), "assumed"),
    "acromion": Landmark("acromion", (8235, 1557), "assumed"),
    "axilla": Landmark("top of the armpit", (8336, 1664), "mesh"),
    "asis": Landmark("anterior superior iliac spine", (10910, 4280), "assumed"),
    "greater_trochanter": Landmark("greater trochanter", (10923, 4293), "assumed"),
    "olecranon": Landmark("olecranon", (10059, 3391), "mesh"),
    "lateral_epicondyle": Landmark("lateral epicondyle of the humerus", (10039, 3371), "assumed"),
    "medial_epicondyle": Landmark("medial epicondyle of the humerus", (10062, 3394), "assumed"),
    "cubital_fossa": Landmark("crease of the elbow", (9981, 3313), "mesh"),
    "wrist_crease": Landmark("volar crease of the wrist", (10582, 3917), "mesh"),
    "wrist_back": Landmark("back of the wrist", (10561, 3896), "mesh"),
    "radial_styloid": Landmark("styloid process of the radius", (10438, 3771), "assumed"),
    "ulnar_styloid": Landmark("styloid process of the ulna", (10555, 3890), "assumed"),
    "patella": Landmark("kneecap", (11242, 4624), "mesh"),
    "popliteal_crease": Landmark("crease behind the knee", (11259, 4641), "mesh"),
    "fibular_head": Landmark("head of the fibula", (11283, 4665), "assumed"),
    "tibial_tuberosity": Landmark("tuberosity of the tibia", (11280, 4662), "assumed"),
    "lateral_malleolus": Landmark("lateral malleolus", (13036, 6440), "mesh"),
    "medial_malleolus": Landmark("medial malleolus", (12940, 6343), "mesh"),
    "calcaneal_tuberosity": Landmark("heel, at the Achilles tendon", (12453, 5856), "mesh"),
}


def landmark_mm(body: Surface, name: str) -> Point:
    """Where a landmark is: `inion`, or with its side, `tragus.left`."""
    stem, _, side = name.partition(".")
    if stem not in LANDMARKS:
        raise UnknownName("", "landmark", stem, LANDMARKS)
    return body.vertex_mm[LANDMARKS[stem].vertices[side == "right"]]


# --- directions ----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Limb:
    """A straight part of an arm or leg."""

    words: str
    start: str
    end: str
    thick_mm: float
    """How far its skin lies from its middle, about: tells which part a point belongs to."""
    span: str
    """From where to where its length is counted."""
    faces: tuple[str, str, str, str]
    """Words for its front, back, outer and inner face as the limb hangs with the palm in front."""


_ANATOMICAL = ("front", "back", "lateral", "medial")
LIMBS: Final = (
    Limb("upper arm", "shoulder", "elbow", 45, "the shoulder to the elbow", _ANATOMICAL),
    Limb(
        "forearm",
        "elbow",
        "hand",
        32,
        "the elbow to the wrist",
        ("volar", "dorsal", "radial", "ulnar"),
    ),
    Limb(
        "hand",
        "hand",
        "finger_3_4",
        32,
        "the wrist to the fingertips",
        ("palm", "back", "thumb side", "little-finger side"),
    ),
    Limb("thigh", "upper_leg", "knee", 80, "the hip to the knee", _ANATOMICAL),
    Limb("leg", "knee", "ankle", 52, "the knee to the ankle", _ANATOMICAL),
    Limb(
        "foot", "ankle", "foot_2", 42, "the ankle to the toes", ("sole", "top", "lateral", "medial")
    ),
)


def limb_axes(body: Surface, limb: Limb, side: Side, share: float) -> Float[np.ndarray, "3 3"]:
    """Down the limb, to its front, to its outer face, at a share of its length.

    The front of the upper arm is where the elbow bends to; it turns with the hand along the
    forearm. The front of thigh and leg is where the foot points. Palm and sole are fronts.
    """
    joint = _joints(body, side)
    along = _unit(joint[limb.end] - joint[limb.start])
    bend = _unit(joint["hand"] - joint["elbow"]) - _unit(joint["elbow"] - joint["shoulder"])
    toes = joint["foot_2"] - joint["ankle"]
    thumb = joint["finger_2_1"] - joint["finger_5_1"]
    mirror = 1.0 if side == "left" else -1.0
    palm = mirror * np.cross(along, thumb)
    front = {
        "upper arm": bend,
        "forearm": _turned(bend, palm, along, share),
        "hand": palm,
        "foot": joint["ankle"] - joint["knee"],
    }.get(limb.words, toes)
    front = _unit(_across(front, along))
    return np.stack([along, front, mirror * np.cross(front, along)])


def _turned(start: Point, end: Point, along: Point, share: float) -> Point:
    """Direction that turns evenly about `along` from `start` to `end`."""
    first = _unit(_across(start, along))
    second = np.cross(along, first)
    angle = share * np.arctan2(end @ second, end @ first)
    return np.cos(angle) * first + np.sin(angle) * second


@dataclass(frozen=True, eq=False)
class _Body:
    """Directions of the trunk and head: left, up and front, rows of `axes`."""

    body: Surface

    @cached_property
    def axes(self) -> Float[np.ndarray, "3 3"]:
        joint = self.body.joint_mm
        up = _unit(joint["head_2"] - joint["pelvis"])
        left = _unit(_across(joint["shoulder.left"] - joint["shoulder.right"], up))
        return np.stack([left, up, np.cross(left, up)])

    @cached_property
    def stem(self) -> float:
        """Height of the head above the ear, which scales with the head."""
        return self.beyond(self.at("crown"), self.at("tragus.left"))[1] / 131

    @cached_property
    def arm(self) -> float:
        """Length of the upper arm, in that of the reference body."""
        joint = self.body.joint_mm
        return float(np.linalg.norm(joint["elbow.left"] - joint["shoulder.left"])) / 244

    def at(self, name: str) -> Point:
        return landmark_mm(self.body, name)

    def beyond(self, point: Point, origin: Point) -> Point:
        """How far a point lies left, above and in front of another."""
        return self.axes @ (point - origin)


_JAW = ("inion", "mastoid_tip.left", "gonion.left", "under_chin")
_COLLAR = ("c7", "jugular_notch")


# --- a point in words ----------------------------------------------------------------------------


def region_words(body: Surface, point_mm: Point) -> str:
    """Where a point of the body lies, for instance `left forearm, volar-ulnar, 32 % from the elbow
    to the wrist`."""
    frame, side = _Body(body), _side(body, point_mm)
    limb = limb_at(body, point_mm)
    if limb is not None:
        return _limb_words(body, limb, side, point_mm)
    if _in_armpit(frame, side, point_mm):
        return f"{side} armpit"
    if _above(frame, point_mm, _JAW):
        return _head_words(frame, side, point_mm)
    if _in_neck(frame, point_mm):
        return _neck_words(frame, point_mm)
    near_shoulder = _shoulder_distance(body, side, point_mm) < _trunk_distance(body, point_mm)
    if near_shoulder and _over_collarbone(frame, side, point_mm):
        return _shoulder_words(frame, side, point_mm)
    return _trunk_words(frame, point_mm)


def limb_at(body: Surface, point_mm: Point) -> Limb | None:
    """The part of a limb that holds a point, None in the head, neck and trunk."""
    frame, side = _Body(body), _side(body, point_mm)
    joint = _joints(body, side)
    away = [_distance(point_mm, joint[one.start], joint[one.end]) / one.thick_mm for one in LIMBS]
    middle = min(_trunk_distance(body, point_mm), _shoulder_distance(body, side, point_mm))
    elsewhere = _in_armpit(frame, side, point_mm) or _above(frame, point_mm, _JAW)
    if elsewhere or _in_neck(frame, point_mm) or min(away) >= middle:
        return None
    near, *after = LIMBS[int(np.argmin(away)) :]
    past = _share(point_mm, joint[near.start], joint[near.end]) > 1
    return after[0] if past and after and after[0].start == near.end else near


def directions(body: Surface, point_mm: Point) -> dict[str, Point]:
    """Directions at a point by name: volar, radial ... on a limb, else front, left, up ..."""
    limb, side = limb_at(body, point_mm), _side(body, point_mm)
    if limb is None:
        left, up, front = _Body(body).axes
        return _both_ways({("up", "down"): up, ("front", "back"): front, ("left", "right"): left})
    joint = _joints(body, side)
    share = min(max(_share(point_mm, joint[limb.start], joint[limb.end]), 0.0), 1.0)
    along, front, outer = limb_axes(body, limb, side, share)
    words = limb.faces
    return _both_ways(
        {words[:2]: front, words[2:]: outer, ("towards the end", "towards the trunk"): along}
    )


def _both_ways(ways: dict[tuple[str, str], Point]) -> dict[str, Point]:
    return {
        word: sign * way
        for words, way in ways.items()
        for word, sign in zip(words, (1, -1), strict=True)
    }


def _limb_words(body: Surface, limb: Limb, side: Side, point: Point) -> str:
    joint = _joints(body, side)
    share = _share(point, joint[limb.start], joint[limb.end])
    axes = limb_axes(body, limb, side, min(max(share, 0.0), 1.0))
    _, front, outer = axes @ (point - joint[limb.start])
    face = _face(front, outer, limb.faces)
    return f"{side} {limb.words}, {face}, {_percent(share)} from {limb.span}"


def _shoulder_words(frame: _Body, side: Side, point: Point) -> str:
    start, end = frame.body.joint_mm["neck"], frame.body.joint_mm[f"shoulder.{side}"]
    share = _share(point, start, end)
    _, up, ahead = frame.beyond(point, start + share * (end - start))
    face = _face(up, ahead, ("top", "underside", "front", "back"))
    return f"{side} shoulder, {face}, {_percent(share)} from the neck to the shoulder joint"


def _trunk_words(frame: _Body, point: Point) -> str:
    low, high = frame.body.joint_mm["pelvis"], frame.body.joint_mm["neck"]
    share = _share(point, low, high)
    left, _, ahead = frame.beyond(point, low + share * (high - low))
    name = ("chest" if share > 0.55 else "belly") if ahead > 0 else "back"
    name = "pelvis" if share < 0.08 else name
    return f"{_side_words(left)} {name}, {_percent(share)} from the pelvis to the neck"


def _neck_words(frame: _Body, point: Point) -> str:
    low, high = frame.body.joint_mm["neck"], frame.body.joint_mm["head"]
    share = _share(point, low, high)
    left, _, ahead = frame.beyond(point, low + share * (high - low))
    face = _face(ahead, abs(left), ("front", "back", "side", "side"))
    return f"{_side_words(left)} neck, {face}, {_percent(share)} from its root to the skull"


def _head_words(frame: _Body, side: Side, point: Point) -> str:
    """Part of the head and how far from the landmark by which that part is found."""
    left, _, _ = frame.beyond(point, frame.at("crown"))
    _, up, ahead = frame.beyond(point, frame.at(f"tragus.{side}")) / frame.stem
    _, over_brow, past_brow = frame.beyond(point, frame.at(f"brow_lateral.{side}")) / frame.stem
    where = _side_words(left)
    if abs(left) < 10 * frame.stem and -6 < over_brow < 8 and past_brow > 0:
        return f"{where} forehead, between the brows"
    if up > 105:
        return f"{where} top of the head"
    if over_brow > -3 and past_brow > -25:
        return f"{where} forehead, {_offsets(frame, point, 'brow_middle', side)}"
    if ahead < -22:
        return f"{where} back of the head, {_offsets(frame, point, 'inion', side)}"
    if up > 4 and past_brow < -12:
        return f"{where} temple, {_offsets(frame, point, 'tragus', side)}"
    return f"{where} {_face_part(frame, side, point)}"


def _face_part(frame: _Body, side: Side, point: Point) -> str:
    """Part of the face below the brows."""
    out, up, ahead = np.abs(frame.beyond(point, frame.at(f"lateral_canthus.{side}"))) / frame.stem
    lateral = abs(frame.beyond(point, frame.at("nasion"))[0]) / frame.stem
    _, over_nose, _ = frame.beyond(point, frame.at("nose_tip")) / frame.stem
    _, over_mouth, past_mouth = frame.beyond(point, frame.at(f"mouth_corner.{side}")) / frame.stem
    if lateral < 14 and over_nose > -12:
        return "nose"
    if up < 24 and out < 30 and ahead < 32:
        return f"face around the eye, {_offsets(frame, point, 'lateral_canthus', side)}"
    if past_mouth > -22 and lateral < 32:
        return "chin" if over_mouth < -12 else "face around the mouth"
    part = "jaw" if over_mouth < 4 else "cheek"
    return f"{part}, {_offsets(frame, point, 'tragus', side)}"


def _offsets(frame: _Body, point: Point, name: str, side: Side) -> str:
    """`30 mm above and 4 mm behind the tragus`; sideways unless from the tragus."""
    middle = LANDMARKS[name].vertices[0] == LANDMARKS[name].vertices[1]
    left, up, ahead = frame.beyond(point, frame.at(name if middle else f"{name}.{side}"))
    out = abs(left) if middle else (left if side == "left" else -left)
    across = (
        (ahead, "in front of", "behind") if name == "tragus" else (out, "lateral to", "medial to")
    )
    told = [f"{abs(up):.0f} mm {'above' if up > 0 else 'below'}"] if abs(up) >= 1 else []
    if abs(across[0]) >= 1:
        told.append(f"{abs(across[0]):.0f} mm {across[1] if across[0] > 0 else across[2]}")
    return f"{' and '.join(told) or 'at'} the {LANDMARKS[name].words}"


# --- small geometry ------------------------------------------------------------------------------


def _joints(body: Surface, side: Side) -> dict[str, Point]:
    """Joints of one side, without its name."""
    end = f".{side}"
    return {name.removesuffix(end): at for name, at in body.joint_mm.items() if name.endswith(end)}


def _side(body: Surface, point: Point) -> Side:
    frame = _Body(body)
    return "left" if frame.beyond(point, frame.at("crown"))[0] >= 0 else "right"


def _shoulder_distance(body: Surface, side: Side, point: Point) -> float:
    """Distance from the line between neck and shoulder, in shares of its thickness."""
    return _distance(point, body.joint_mm["neck"], body.joint_mm[f"shoulder.{side}"]) / 60


def _trunk_distance(body: Surface, point: Point) -> float:
    """Distance from the spine or from the line between the hips, in shares of their thickness."""
    joint = body.joint_mm
    spine = _distance(point, joint["pelvis"], joint["spine_1"]) / 115
    return min(spine, _distance(point, joint["upper_leg.left"], joint["upper_leg.right"]) / 95)


def _above(frame: _Body, point: Point, names: tuple[str, ...]) -> bool:
    """Above a line of landmarks as seen from the side, the hindmost first."""
    line = np.array([frame.beyond(frame.at(name), frame.at("crown"))[1:] for name in names])
    _, up, ahead = frame.beyond(point, frame.at("crown"))
    return bool(up >= np.interp(ahead, line[:, 1], line[:, 0]) - 1e-6)


def _over_collarbone(frame: _Body, side: Side, point: Point) -> bool:
    """Above the line from the root of the neck to the shoulder joint."""
    start, end = frame.body.joint_mm["neck"], frame.body.joint_mm[f"shoulder.{side}"]
    return bool(frame.beyond(point, start + _share(point, start, end) * (end - start))[1] > 0)


def _in_neck(frame: _Body, point: Point) -> bool:
    """Above the collar and no wider than a neck."""
    return _above(frame, point, _COLLAR) and _beside(frame, point) < 62 * frame.arm


def _in_armpit(frame: _Body, side: Side, point: Point) -> bool:
    return bool(np.linalg.norm(point - frame.at(f"axilla.{side}")) < 48 * frame.arm)


def _beside(frame: _Body, point: Point) -> float:
    """Distance from the midline."""
    return abs(float(frame.beyond(point, frame.at("crown"))[0]))


def _face(front: float, outer: float, words: tuple[str, str, str, str]) -> str:
    """One word near an axis, two between: `volar`, `volar-ulnar`."""
    ahead, beside = words[0] if front >= 0 else words[1], words[2] if outer >= 0 else words[3]
    steep = np.tan(np.pi * 3 / 8)
    if abs(front) >= steep * abs(outer):
        return ahead
    return beside if abs(outer) >= steep * abs(front) else f"{ahead}-{beside}"


def _side_words(left_mm: float) -> str:
    if abs(left_mm) < 2.5:
        return "middle of the"
    return "left" if left_mm > 0 else "right"


def _percent(share: float) -> str:
    return f"{100 * min(max(share, 0.0), 1.0):.0f} %"


def _share(point: Point, start: Point, end: Point) -> float:
    return float((point - start) @ (end - start) / ((end - start) @ (end - start)))


def _distance(point: Point, start: Point, end: Point) -> float:
    share = min(max(_share(point, start, end), 0.0), 1.0)
    return float(np.linalg.norm(point - start - share * (end - start)))


def _across(direction: Point, along: Point) -> Point:
    return direction - (direction @ along) * along


def _unit(direction: Point) -> Point:
    return direction / np.linalg.norm(direction)
