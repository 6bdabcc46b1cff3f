"""The head in space, built by tools/build_head.py in the reference body.

Flat muscles, glands and eye muscles lie where they are remembered to lie (assumed; source
recalled_anatomy), conformal to the skin; the muscles of the neck come from its map. Good enough
to show what a needle passes; the model of spread has its own shapes.
"""

import io
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np

from openbont.anatomy.atlas import COMMON, OUTSIDE, Atlas, Grid
from openbont.anatomy.surface import Point

ORIGIN_MM: Final = np.array([0.0, 570.0, -80.0])
"""First place of the left half; 1 mm from one place to the next."""
OF_THE_NECK: Final = {
    "semispinalis_capitis": "cervical_paraspinal",
    "semispinalis_cervicis": "cervical_paraspinal",
    "splenius_capitis": "cervical_paraspinal",
    "splenius_cervicis": "cervical_paraspinal",
    "longissimus_capitis": "cervical_paraspinal",
    "obliquus_capitis_inferior": "cervical_paraspinal",
    "sternocleidomastoid": "sternocleidomastoid",
    "levator_scapulae": "levator_scapulae",
    "scalenus_anterior": "scalenus_anterior",
    "scalenus_medius": "scalenus_medius",
    "scalenus_posterior": "scalenus_posterior",
    "longus_capitis": "longus_capitis",
    "infrahyoid_muscles": "infrahyoid_muscles",
}
"""Muscle of the map of the neck -> structure of the head."""
_COMPARTMENT: Final = {
    "frontalis": "forehead",
    "corrugator": "forehead",
    "orbicularis_oculi": "lids",
    "temporalis": "temple",
    "masseter": "jaw",
    "occipitalis": "back of the head",
    "trapezius": "shoulder",
    "platysma": "front of the neck",
    "levator_palpebrae": "orbit",
    "medial_rectus": "orbit",
    "lateral_rectus": "orbit",
    "superior_rectus": "orbit",
    "inferior_rectus": "orbit",
    "parotid": "parotid bed",
    "submandibular": "floor of the mouth",
    "thyroarytenoid": "vocal fold",
    "cervical_paraspinal": "back of the neck",
    "sternocleidomastoid": "front of the neck",
    "levator_scapulae": "side of the neck",
    "scalenus_anterior": "side of the neck",
    "scalenus_medius": "side of the neck",
    "scalenus_posterior": "side of the neck",
    "longus_capitis": "front of the spine",
    "infrahyoid_muscles": "front of the neck",
}
PAIRED: Final = tuple(_COMPARTMENT)
SINGLE: Final = ("procerus",)
"""Structures of the midline."""
_REACH_MM = 40
"""No place of an injected structure lies deeper."""


@cache
def atlas() -> Atlas:
    """What lies where in the head, the neck and on the shoulders, both sides."""
    held = files("openbont.anatomy").joinpath("head.npz").read_bytes()
    with np.load(io.BytesIO(held)) as arrays:
        left = arrays["label"]
    label = np.concatenate([_right(left[:0:-1]), left])
    origin = ORIGIN_MM - np.array([len(left) - 1.0, 0.0, 0.0])
    left_names, right_names = ([f"{name}.{side}" for name in PAIRED] for side in ("left", "right"))
    names = (*COMMON, *left_names, *SINGLE, *right_names)
    compartments = (
        *[""] * len(COMMON),
        *[f"{of} left" for of in _COMPARTMENT.values()],
        "forehead",
        *[f"{of} right" for of in _COMPARTMENT.values()],
    )
    return Atlas("head", names, compartments, (Grid(label, origin, np.eye(3), np.ones(3)),))


def _right(left: np.ndarray) -> np.ndarray:
    """Labels of the left side's structures turned into those of the right side's."""
    number = np.arange(256, dtype=np.uint8)
    first, shift = len(COMMON), len(PAIRED) + len(SINGLE)
    number[first : first + len(PAIRED)] += shift
    return number[left]


def entry_mm(point_mm: Point) -> Point:
    """Nearest place outside the head; mouth and orbits, open in the mesh, do not count."""
    grid = atlas().grids[0]
    middle = np.rint(point_mm - grid.origin_mm).astype(int)
    first = np.maximum(middle - _REACH_MM, 0)
    near = grid.label[tuple(slice(a, b) for a, b in zip(first, middle + _REACH_MM, strict=True))]
    outside = np.argwhere(near == OUTSIDE) + first + grid.origin_mm
    return outside[np.linalg.norm(outside - point_mm, axis=1).argmin()]
