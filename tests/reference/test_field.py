"""The solved field beside the closed forms of a point, a ball, a disc in a sheet and a fascia."""

from collections.abc import Callable

import jax
import numpy as np
import pytest
from scipy.special import i0, i1, k0, k1

from openbont.anatomy.atlas import COMMON, OUTSIDE
from openbont.forward.field import Box, Medium, box, field, passing, solve

REACH_MM = 1.35
TISSUE = len(COMMON)
ROUND = Medium(REACH_MM, 1.0, 0.2, 1.0, 0.77, 0.25)
LONG = Medium(REACH_MM, 1.5, 0.2, 4.0, 0.77, 0.25)
CUBE = (40, 40, 40)
HERE = np.zeros(3)


def solved(medium: Medium, volume_ml: float, cells: tuple[int, int, int]) -> tuple[Box, np.ndarray]:
    around = box(None, "", HERE, np.eye(3), volume_ml, medium, cells)
    with jax.enable_x64(True):
        return around, np.asarray(field(around, passing(None, medium), medium, HERE, volume_ml))


def ball(distance_mm: np.ndarray, radius_mm: float) -> np.ndarray:
    """Uniform ball in endless tissue, 1/mm3 (Green's function of the screened equation)."""
    r, big = np.maximum(distance_mm, 1e-9) / REACH_MM, radius_mm / REACH_MM
    inside = 1 - (1 + big) * np.exp(-big) * np.sinh(np.minimum(r, big)) / np.minimum(r, big)
    outside = (big * np.cosh(big) - np.sinh(big)) * np.exp(-r) / r
    return np.asarray(np.where(r < big, inside, outside)) / (4 / 3 * np.pi * radius_mm**3)


def off(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.sqrt(((found - wanted) ** 2).sum() / (wanted**2).sum()))


def radius_mm(volume_ml: float) -> float:
    return float(np.cbrt(1000 * volume_ml / ROUND.wet_fraction * 3 / (4 * np.pi)))


def distance_mm(around: Box) -> np.ndarray:
    return np.asarray(np.linalg.norm(around.middle_mm(), axis=-1))


@pytest.mark.parametrize("volume_ml", [0.05, 0.1, 0.4])
def test_a_ball_is_within_one_per_cent(volume_ml: float) -> None:
    around, u = solved(ROUND, volume_ml, CUBE)
    assert off(u, ball(distance_mm(around), radius_mm(volume_ml))) < 0.01


def test_the_error_falls_with_the_square_of_the_step() -> None:
    errors = []
    for cells in (20, 40, 60):
        around, u = solved(ROUND, 0.1, (cells,) * 3)
        errors.append(off(u, ball(distance_mm(around), radius_mm(0.1))))
    assert errors[1] < errors[0] / 3
    assert errors[2] < errors[1] / 1.8


def test_a_point_is_within_one_per_cent() -> None:
    """exp(-r) / (4 pi reach^3 r), r in reaches, from two reaches on."""
    around = box(None, "", HERE, np.eye(3), 1e-3, ROUND, (75, 75, 75))
    middle, point = around.local(HERE), np.array([1e-3, 1.0])
    with jax.enable_x64(True):
        through = passing(None, ROUND)
        u = np.asarray(
            solve(around.label, TISSUE, through, around.step_mm, REACH_MM, 1.0, middle, point)
        )
    away = np.maximum(distance_mm(around) / REACH_MM, 0.1)
    there = (away > 2) & (away < 6)
    wanted = np.exp(-away) / (4 * np.pi * REACH_MM**3 * away)
    assert off(u[there], wanted[there]) < 0.01


def test_a_disc_in_a_sheet_is_within_one_per_cent() -> None:
    around, u = _in_a_sheet()
    inside = around.label == TISSUE
    plane = np.hypot(*np.moveaxis(around.middle_mm()[..., :2], -1, 0))[inside]
    wet_mm3 = 1000 * 0.05 / ROUND.wet_fraction
    height_mm = _SHEET * around.step_mm[2]
    big, r = np.sqrt(wet_mm3 / (np.pi * height_mm)) / REACH_MM, plane / REACH_MM
    within = 1 - big * k1(big) * i0(np.minimum(r, big))
    beyond = big * i1(big) * k0(np.maximum(r, 1e-9))
    assert off(u[inside], np.where(r < big, within, beyond) / wet_mm3) < 0.01
    assert (u[~inside] < 1e-9 * u.max()).all()


@pytest.mark.parametrize("share", [0.25, 0.77])
def test_a_fascia_lets_its_share_through(share: float) -> None:
    """Far behind a fascia that a plane wave meets head on."""
    label = np.full((160, 3, 3), TISSUE, np.uint8)
    label[80:] += 1
    through = np.ones((TISSUE + 2, TISSUE + 2))
    bare = _along(label, through)
    through[TISSUE, TISSUE + 1] = through[TISSUE + 1, TISSUE] = share
    behind = _along(label, through)[95] / bare[95]
    assert behind == pytest.approx(share, rel=0.02)


@pytest.mark.parametrize("place", range(4))
def test_gradients_are_those_of_differences(place: int) -> None:
    """Toxin in a corner of the box, by place of the needle and by volume."""
    around = box(None, "", HERE, np.eye(3), 0.3, LONG, (36, 24, 24))
    share = passing(None, LONG)

    def corner(asked: np.ndarray) -> jax.Array:
        u = field(around, share, LONG, asked[:3], asked[3])
        return u[20:, 13:, 13:].sum() * around.cell_mm3

    with jax.enable_x64(True):
        at = np.array([0.3, 0.2, -0.4, 0.3])
        slope = float(jax.grad(corner)(at)[place])
        assert slope == pytest.approx(_difference(corner, at, place), rel=0.1, abs=1e-4)


def _difference(of: Callable[[np.ndarray], jax.Array], at: np.ndarray, place: int) -> float:
    step = np.zeros(4)
    step[place] = 0.05 if place < 3 else 0.01
    return float(of(at + step) - of(at - step)) / float(2 * step[place])


_SHEET = 4


def _in_a_sheet() -> tuple[Box, np.ndarray]:
    """0.05 mL in a sheet of four cells between air."""
    around = box(None, "", HERE, np.eye(3), 0.05, ROUND, (50, 50, 8))
    step_mm = np.full(3, 0.5)
    label = np.full((80, 80, 8), OUTSIDE, np.uint8)
    label[:, :, 2 : 2 + _SHEET] = TISSUE
    sheet = Box(-step_mm * (np.array(label.shape) - 1) / 2, around.axes, step_mm, label, TISSUE)
    # the ball that would be filled is wider than the sheet is high, so it is a disc
    with jax.enable_x64(True):
        wide = Medium(REACH_MM, 1.0, 0.2, 1.0, 0.77, 0.25)
        return sheet, np.asarray(field(sheet, passing(None, wide), wide, HERE, 0.05))


def _along(label: np.ndarray, through: np.ndarray) -> np.ndarray:
    with jax.enable_x64(True):
        step_mm = np.full(3, 0.2)
        at, wet = np.array([60.0, 1.0, 1.0]), np.array([0.2, 1.0])
        u = solve(label, TISSUE, through, step_mm, REACH_MM, 1.0, at, wet)
    return np.asarray(u)[:, 1, 1]
