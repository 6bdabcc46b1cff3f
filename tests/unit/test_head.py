"""The head in space: mirrored, each structure in one piece, needles that find their layer."""

from functools import cache

import numpy as np
import pytest
from scipy import ndimage

from openbont.anatomy.atlas import BONE, COMMON, FAT, OUTSIDE
from openbont.anatomy.head import PAIRED, SINGLE, atlas, entry_mm
from openbont.anatomy.surface import nearest, surface
from openbont.catalog.muscles import layers

HEAD, BODY = atlas(), surface()
GRID = HEAD.grids[0]
SURE_MM, NEEDLE_MM = 2.0, 20.0
FORAMEN_MM = 722
"""The great foramen lies below this height."""
SITES = [
    (name, tuple(site["at"]))
    for name, row in layers().items()
    if name in (*PAIRED, *SINGLE) and row.get("region") != "salivary"
    for site in row["sites"]
]


def _sided(name: str) -> str:
    return name if name in SINGLE else f"{name}.left"


@cache
def _middles_mm(tissue: str) -> np.ndarray:
    return GRID.middle_mm(HEAD.number(tissue))


@cache
def _inside_of_the_skull() -> np.ndarray:
    """Labels that hang together with the middle of the brain, above the great foramen."""
    above = GRID.label[:, FORAMEN_MM - int(GRID.origin_mm[1]) :]
    piece, _ = ndimage.label(above != BONE)
    middle = np.rint(np.array([0.0, 800.0, 50.0]) - GRID.origin_mm).astype(int)
    middle[1] -= FORAMEN_MM - int(GRID.origin_mm[1])
    return above[piece == piece[tuple(middle)]]


def test_right_side_mirrors_the_left() -> None:
    other = HEAD.mirrored("head")
    number = np.array([other.tissues.index(name) for name in HEAD.tissues])
    assert np.array_equal(number[GRID.label], other.grids[0].label[::-1])


@pytest.mark.parametrize("name", [f"{name}.left" for name in PAIRED] + list(SINGLE))
def test_structures_are_in_one_piece(name: str) -> None:
    place = (_middles_mm(name) - GRID.origin_mm).astype(int)
    there = np.zeros(np.ptp(place, axis=0) + 1, bool)
    there[tuple((place - place.min(axis=0)).T)] = True
    _, pieces = ndimage.label(there)
    assert pieces == 1


@pytest.mark.parametrize("name", PAIRED)
def test_structures_keep_to_their_side(name: str) -> None:
    assert (_middles_mm(f"{name}.left")[:, 0] > 0).all()


@pytest.mark.parametrize(("name", "at"), SITES)
def test_needles_find_their_layer(name: str, at: tuple[float, float, float]) -> None:
    skin, outwards = nearest(BODY, np.array(at))
    pushed = skin - np.arange(0.0, NEEDLE_MM, 0.5)[:, None] * outwards
    way = np.concatenate([pushed, [at]])
    near = _middles_mm(_sided(name))
    near = near[np.linalg.norm(near - at, axis=1) < 40]
    assert np.linalg.norm(near[:, None] - way, axis=-1).min() <= SURE_MM


def test_skull_is_closed_over_the_brain() -> None:
    inside = _inside_of_the_skull()
    assert not np.isin(inside, (OUTSIDE, FAT)).any()
    assert 900 < inside.size / 1000 < 2000


def test_no_muscle_lies_in_the_skull() -> None:
    assert (_inside_of_the_skull() < len(COMMON)).all()


@pytest.mark.parametrize(("name", "low_cm3", "high_cm3"), [
    ("parotid.left", 23.0, 27.0),
    ("submandibular.left", 8.0, 10.0),
    ("masseter.left", 12.0, 30.0),
    ("temporalis.left", 25.0, 45.0),
    ("medial_rectus.right", 0.5, 1.1),
])  # fmt: skip
def test_volumes_are_as_remembered(name: str, low_cm3: float, high_cm3: float) -> None:
    assert low_cm3 < HEAD.volume_cm3(name) < high_cm3


def test_skin_and_fat_lie_over_every_structure() -> None:
    bare = ndimage.binary_dilation(GRID.label == OUTSIDE) & (GRID.label >= len(COMMON))
    assert not bare.any()


def test_needle_enters_from_outside_where_the_mouth_is_nearer() -> None:
    gland = _middles_mm("submandibular.left").mean(axis=0)
    mouth, _ = nearest(BODY, gland)
    entry = entry_mm(gland)
    assert entry[1] < gland[1] < mouth[1]
    assert HEAD.at(entry) == OUTSIDE
