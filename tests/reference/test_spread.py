"""The field of a site: closed point source, a grid solution, its integral; quantiles of nodes."""

from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openbont.anatomy.structure import NODES as STRUCTURE_NODES
from openbont.catalog import model as catalog
from openbont.forward import chain
from openbont.forward.arrays import Body, Shots, shots
from openbont.forward.kinetics import graded_grid
from openbont.forward.spread import Spread
from openbont.io import load_patient, load_plan

EXAMPLES = Path(__file__).parents[2] / "examples"
REACH_MM, ANISOTROPY, WET, ASPECT = 1.35, 1.5, 0.2, 4.0


def influence(
    along_mm: np.ndarray, off_mm: np.ndarray, volume_ml: float, wet_fraction: float = WET
) -> np.ndarray:
    """Our captured density per unit, 1/cm3, around one site in a muscle along x."""
    places = np.stack([along_mm.ravel(), off_mm.ravel(), np.zeros(along_mm.size)], axis=1)
    body = Body(np.stack([places, places]), np.stack([np.eye(3)] * 2), np.zeros((2, 2)))
    one = np.array([0])
    shot = Shots(np.ones(1), np.array([volume_ml]), np.zeros((1, 3)), one, one)
    with jax.enable_x64(True):
        numbers = (REACH_MM, ANISOTROPY, wet_fraction, ASPECT, 0.77, 0.25, 5e-5, np.ones((1, 1)))
        field = Spread(*map(jnp.asarray, numbers)).influence(shot, body)
    return np.asarray(field[0, 0]).reshape(along_mm.shape)


def test_far_from_a_tiny_volume_it_is_a_point_source() -> None:
    along, off = np.meshgrid(np.linspace(0, 30, 31), np.linspace(0.5, 20, 31))
    r_mm = np.hypot(along / ANISOTROPY, off)
    point = np.exp(-r_mm / REACH_MM) / (4 * np.pi * REACH_MM**2 * r_mm * ANISOTROPY) * 1000
    ours = influence(along, off, 0.0, wet_fraction=1e6)
    assert np.abs(ours / point - 1).max() < 1e-3, "reached 6e-5"


@pytest.mark.parametrize("volume_ml", [0.02, 0.1, 0.5, 2.0])
def test_all_that_is_injected_is_captured(volume_ml: float) -> None:
    along, off = np.linspace(-80, 80, 1601), (np.arange(600) + 0.5) * 0.1
    field = influence(*np.meshgrid(along, off, indexing="ij"), volume_ml)
    ring_mm3 = 2 * np.pi * off * (off[1] - off[0]) * (along[1] - along[0])
    total = (field * ring_mm3).sum() / 1000
    assert abs(total - 1) < 1e-3, "reached 1e-4"


def bolus_radius_mm(volume_ml: float) -> float:
    return float(np.cbrt(1000 * volume_ml / WET * 3 / (4 * np.pi * ASPECT)))


@pytest.mark.parametrize("volume_ml", [0.1, 0.5])
def test_width_and_length_are_those_of_the_ellipsoid(volume_ml: float) -> None:
    """Second moments: a^2 / 5 of the ellipsoid, and 2 reach^2 of the spread."""
    along, off = np.linspace(-80, 80, 801), (np.arange(600) + 0.5) * 0.1
    share = influence(*np.meshgrid(along, off, indexing="ij"), volume_ml) * off
    share /= share.sum()
    radius = bolus_radius_mm(volume_ml)
    length = (radius * ASPECT) ** 2 / 5 + 2 * (REACH_MM * ANISOTROPY) ** 2
    width = 2 * (radius**2 / 5 + 2 * REACH_MM**2)
    assert share.sum(1) @ along**2 == pytest.approx(length, rel=2e-3), "reached 1e-3"
    assert share.sum(0) @ off**2 == pytest.approx(width, rel=2e-3), "reached 1e-3"


@pytest.mark.parametrize("volume_ml", [0.02, 0.1, 0.5])
def test_field_solves_the_equation_on_a_grid(volume_ml: float) -> None:
    step = bolus_radius_mm(volume_ml) / 10
    axes = tuple((np.arange(n) - n // 2) * step for n in (192, 96, 96))
    source = drawn_source(axes, step, volume_ml)
    waves = [2 * np.pi * np.fft.fftfreq(len(axis), step) for axis in axes]
    x, y, z = np.meshgrid(*waves, indexing="ij", sparse=True)
    spreading = 1 + REACH_MM**2 * ((ANISOTROPY * x) ** 2 + y**2 + z**2)
    solved = np.fft.ifftn(np.fft.fftn(source) / spreading).real[:, :, 48]
    ours = influence(*np.meshgrid(axes[0], axes[1], indexing="ij"), volume_ml)
    assert np.abs(ours - solved).max() < 0.01 * solved.max(), "reached 7e-3 of the peak"


def drawn_source(axes: tuple[np.ndarray, ...], step: float, volume_ml: float) -> np.ndarray:
    """Density of the injected unit, 1/cm3: five balls in stretched space, cell by cell."""
    radius, fine = bolus_radius_mm(volume_ml), 3
    string = np.sqrt((radius * ASPECT / ANISOTROPY) ** 2 - radius**2)
    place, weight = np.polynomial.legendre.leggauss(5)
    weight = weight * (1 - place**2)
    within = (np.arange(fine) - (fine - 1) / 2) * step / fine
    x, y, z = (np.add.outer(axis, within).ravel() for axis in axes)
    source = np.zeros([len(axis) for axis in axes])
    off2 = (y**2)[:, None] + z**2
    for centre, share in zip(place * string, weight / weight.sum(), strict=True):
        room = radius**2 - (x / ANISOTROPY - centre) ** 2
        for number in np.flatnonzero(room > 0):
            inside = (off2 < room[number]).reshape(len(axes[1]), fine, len(axes[2]), fine)
            source[number // fine] += share * inside.mean((1, 3))
    return 1000 * source / (source.sum() * step**3)


@pytest.mark.parametrize("example", ["arm_after_stroke", "chronic_migraine"])
def test_sixteen_quantiles_stand_for_all_nodes(
    example: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = force(example)
    monkeypatch.setattr(chain, "NODES", STRUCTURE_NODES)
    apart = np.abs(few - force(example)).max()
    assert apart < 0.02, f"reached {apart:.4f} of the untouched force"


def force(example: str) -> np.ndarray:
    """Force of every structure by day for a few draws."""
    patient = load_patient(EXAMPLES / example / "patient.yaml")
    plan = load_plan(EXAMPLES / example / "plan.yaml")
    model = catalog.model(patient, draws=6, seed=3)
    needles, sessions = shots(chain.given(plan, patient, model), model.structures, model.products)
    needles = chain.in_place(needles, model)
    grid = graded_grid(sessions.day, [0.0, 168.0])

    @eqx.filter_jit
    def one(stages: chain.Stages) -> jax.Array:
        return chain.chain(stages, model.body, needles, sessions, grid)[3].force

    with jax.enable_x64(True):
        return np.asarray(eqx.filter_vmap(one)(model.stages))
