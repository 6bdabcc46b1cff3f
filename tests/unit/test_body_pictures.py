"""Pictures of the body: the same bytes each time, every site told, none on the wrong side."""

import re
from collections.abc import Sequence

import numpy as np
import pytest

from openbont.anatomy.atlas import BONE, COMMON, FAT, OUTSIDE, Atlas, Grid
from openbont.anatomy.landmarks import landmark_mm
from openbont.anatomy.surface import nearest, surface
from openbont.report.body_pictures import Mark, sites_picture
from openbont.report.figures import INK
from openbont.report.render import VIEWS, scene
from openbont.report.section_pictures import (
    Cut,
    Histogram,
    cut,
    histogram_picture,
    section_picture,
)

BODY = surface()
FRONT, BACK, LEFT, RIGHT = VIEWS


def _mark(number: int, structure: str, at: Sequence[float]) -> Mark:
    return Mark(number, structure, structure.replace("_", " "), np.array(at, float), 5.0)


def _at(name: str) -> np.ndarray:
    return landmark_mm(BODY, name)


FOREHEAD = _mark(1, "procerus", _at("glabella"))
NAPE = _mark(2, "occipitalis", _at("inion"))
TEMPLE = _mark(3, "temporalis", _at("tragus.left") + np.array([0, 45, 10]))


def _cylinder() -> Atlas:
    """An arm of bone, two muscles and fat, upright around the middle of the left upper arm."""
    label = np.zeros((80, 80, 20), np.uint8)
    x, y = np.meshgrid(np.arange(80) - 39.5, np.arange(80) - 39.5, indexing="ij")
    far = np.hypot(x, y)
    label[far < 38] = FAT
    label[(far < 34) & (y > 0)] = len(COMMON)
    label[(far < 34) & (y <= 0)] = len(COMMON) + 1
    label[far < 9] = BONE
    names = (*COMMON, "biceps_brachii.left", "triceps_brachii.left")
    along = _unit(BODY.joint_mm["elbow.left"] - BODY.joint_mm["shoulder.left"])
    across = _unit(np.cross(along, [0.0, 0.0, 1.0]))
    axes = np.stack([across, np.cross(along, across), along])
    middle = (BODY.joint_mm["elbow.left"] + BODY.joint_mm["shoulder.left"]) / 2
    grid = Grid(label, middle - np.array([39.5, 39.5, 9.5]) @ axes, axes, np.ones(3))
    return Atlas("arm.left", names, ("", "", "", "", "front", "back"), (grid,))


def _unit(way: np.ndarray) -> np.ndarray:
    return way / np.linalg.norm(way)


ATLAS = _cylinder()


def _cut(dose_u: float = 50.0) -> Cut:
    grid = ATLAS.grids[0]
    middle = grid.middle_mm(len(COMMON))
    site = middle[np.linalg.norm(middle - middle.mean(axis=0), axis=1).argmin()]
    skin, _ = nearest(BODY, site)
    mark = Mark(7, "biceps_brachii.left", "left biceps brachii", site, dose_u, skin)
    return cut(BODY, ATLAS, mark, grid.axes[2])


def _toxin(point_mm: np.ndarray) -> np.ndarray:
    return 20 * np.exp(-((point_mm - _cut().mark.site_mm) ** 2).sum(axis=-1) / 200)


def _words(svg: str) -> list[str]:
    """What is written in a picture; matplotlib notes each text beside its shapes."""
    return [text.strip() for text in re.findall(r"<!--(.*?)-->", svg, flags=re.DOTALL)]


def test_sites_are_the_same_bytes_each_time() -> None:
    marks = [FOREHEAD, NAPE, TEMPLE]
    assert sites_picture(BODY, marks).svg == sites_picture(BODY, marks).svg


def test_every_site_has_its_number_and_units() -> None:
    picture = sites_picture(BODY, [FOREHEAD, NAPE, TEMPLE])
    written = _words(picture.svg)
    for mark in (FOREHEAD, NAPE, TEMPLE):
        assert written.count(str(mark.number)) == 1
        assert f"{mark.number}  {mark.words}, 5 U: " in picture.summary
        assert f"{mark.number}  {mark.words}, 5 U" in written
    assert "3 sites, 15 U in all" in picture.summary


def test_each_site_is_seen_from_the_side_it_faces() -> None:
    for mark, view in ((FOREHEAD, "front"), (NAPE, "back"), (TEMPLE, "left side")):
        written = _words(sites_picture(BODY, [mark]).svg)
        assert [text for text in written if text.startswith("from the")] == [f"from the {view}"]


def test_sides_of_the_person_are_named() -> None:
    front, back = (_words(sites_picture(BODY, [mark]).svg) for mark in (FOREHEAD, NAPE))
    assert front.index("person's right") < front.index("person's left")
    assert back.index("person's left") < back.index("person's right")


def test_far_side_is_not_seen() -> None:
    window = (-120.0, 120.0, 640.0, 880.0)
    front, back = (scene(BODY, view, window, 1.0) for view in (FRONT, BACK))
    assert front.seen(_at("glabella"))
    assert not front.seen(_at("inion"))
    assert back.seen(_at("inion"))
    assert not back.seen(_at("glabella"))


def test_site_beside_the_window_is_not_seen() -> None:
    assert not scene(BODY, FRONT, (-50.0, 50.0, 0.0, 50.0), 1.0).seen(_at("glabella"))


def test_scene_is_as_wide_as_the_body() -> None:
    view = scene(BODY, FRONT, (-700.0, 700.0, -900.0, 900.0), 5.0)
    shown = np.argwhere(view.grey[..., 1] > 127)
    assert np.ptp(shown[:, 0]) * 5 == pytest.approx(10 * BODY.height_cm, abs=12)


def test_sites_far_apart_have_their_own_panels() -> None:
    wrists = [_mark(k, "fcr", _at(f"wrist_crease.{s}")) for k, s in enumerate(("left", "right"), 1)]
    written = _words(sites_picture(BODY, wrists).svg)
    assert len([text for text in written if "from the" in text]) == 2


def test_cut_lies_across_the_fibres() -> None:
    one = _cut()
    assert abs(one.axes[2] @ ATLAS.grids[0].axes[2]) == pytest.approx(1)
    np.testing.assert_allclose(one.axes @ one.axes.T, np.eye(3), atol=1e-9)
    assert one.sides[2:] == ("back", "front")
    assert set(one.sides[:2]) == {"medial", "lateral"}


def test_section_names_what_it_shows() -> None:
    picture = section_picture([_cut()], _toxin)
    written = _words(picture.svg)
    assert {"biceps brachii", "triceps brachii", "front", "back", "1 cm"} <= set(written)
    assert "left biceps brachii" in picture.summary
    assert "mm deep" in picture.summary
    assert picture.svg == section_picture([_cut()], _toxin).svg


def test_section_without_toxin_has_no_lines() -> None:
    picture = section_picture([_cut()], lambda at: np.zeros(at.shape[:-1]))
    assert "at most 0 U/cm³" in picture.summary


def test_plane_outside_the_atlas_is_empty() -> None:
    one = _cut()
    assert (ATLAS.at(one.mark.site_mm + 500 * one.axes[0]) == OUTSIDE).all()


def test_histogram_tells_halves() -> None:
    captured = np.linspace(0.0, 10.0, 101)
    one = Histogram("left soleus", True, captured, captured / 10, np.ones(101))
    spared = Histogram("left tibialis posterior", False, captured / 5, captured / 50, np.ones(101))
    picture = histogram_picture([one, spared])
    assert "left soleus 5 U/cm³, 50 % of its function lost" in picture.summary
    assert "2  left tibialis posterior (spared)" in _words(picture.svg)


def test_equal_sides_are_one_line() -> None:
    captured = np.linspace(0.0, 10.0, 101)
    sides = [
        Histogram(f"{side} soleus", True, factor * captured, captured / 10, np.ones(101))
        for side, factor in (("left", 1.0), ("right", 1.001))
    ]
    assert "soleus, both sides 5 U/cm³" in histogram_picture(sides).summary


def test_no_dark_ink_of_the_page_on_the_body() -> None:
    """A page in dark mode lightens INK; numbers on the light body must keep their own colour."""
    svg = sites_picture(BODY, [FOREHEAD]).svg
    place = svg.index("<!-- 1 -->")
    assert INK not in svg[place : place + 200]
