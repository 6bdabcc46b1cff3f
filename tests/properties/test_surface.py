"""What holds for every body and every point of it."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from openbont.anatomy.landmarks import region_words
from openbont.anatomy.surface import Surface, enter_mm, nearest, surface

REFERENCE = surface()
VERTICES = st.integers(0, 13379)
ANGLES = st.floats(-3.0, 3.0)
SHIFTS = st.tuples(*[st.floats(-1000, 1000)] * 3)


def _turn(about_x: float, about_y: float) -> np.ndarray:
    (c, s), (k, n) = ((np.cos(a), np.sin(a)) for a in (about_x, about_y))
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ np.array(
        [[k, 0, n], [0, 1, 0], [-n, 0, k]]
    )


def _moved(body: Surface, turn: np.ndarray, shift: np.ndarray) -> Surface:
    joints = {name: turn @ at + shift for name, at in body.joint_mm.items()}
    return replace(body, vertex_mm=body.vertex_mm @ turn.T + shift, joint_mm=joints)


@settings(max_examples=60)
@given(VERTICES, ANGLES, ANGLES, SHIFTS, st.floats(0.0, 6.0))
def test_moving_body_and_point_changes_no_word(
    vertex: int, about_x: float, about_y: float, shift: tuple[float, ...], deep: float
) -> None:
    at, normal = nearest(REFERENCE, REFERENCE.vertex_mm[vertex])
    point, turn = at - deep * normal, _turn(about_x, about_y)
    moved = _moved(REFERENCE, turn, np.array(shift))
    words = region_words(REFERENCE, point)
    assert region_words(moved, turn @ point + shift) == words


@settings(max_examples=60)
@given(VERTICES)
def test_mirrored_point_is_on_the_other_side(vertex: int) -> None:
    point = REFERENCE.vertex_mm[vertex] + [0.01, 0.0, 0.0]
    if abs(point[0]) < 3:
        return
    words, other = (region_words(REFERENCE, p) for p in (point, point * [-1, 1, 1]))
    side, across = ("left", "right") if point[0] > 0 else ("right", "left")
    assert words.startswith(side)
    assert other == words.replace(side, across, 1)


@settings(max_examples=30)
@given(st.sampled_from(["female", "male", ""]), st.floats(0, 90), st.floats(60, 220))
def test_height_is_exact(sex: str, age_years: float, height_cm: float) -> None:
    assert abs(surface(sex, age_years, height_cm).height_cm - height_cm) < 1e-6


@settings(max_examples=40)
@given(VERTICES, st.floats(0.5, 3.0))
def test_nearest_skin_is_no_farther_than_any_ray(vertex: int, far: float) -> None:
    at, normal = nearest(REFERENCE, REFERENCE.vertex_mm[vertex])
    outside = at + far * normal
    hit = enter_mm(REFERENCE, outside, -normal)
    close = np.linalg.norm(nearest(REFERENCE, outside)[0] - outside)
    assert close <= np.linalg.norm(hit - outside) + 1e-6


@settings(max_examples=40)
@given(VERTICES)
def test_vertex_is_its_own_nearest_skin(vertex: int) -> None:
    at = REFERENCE.vertex_mm[vertex]
    np.testing.assert_allclose(nearest(REFERENCE, at)[0], at, atol=1e-6)
