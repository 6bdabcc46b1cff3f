"""Fields among neighbours: toxin is kept, sides mirror, and only relative places matter."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openbont.anatomy.atlas import BONE, COMMON, FAT, Atlas, Grid
from openbont.anatomy.structure import NODES, Structure
from openbont.catalog.anatomy import Limb
from openbont.catalog.anatomy import solved as region_of
from openbont.forward.arrays import Shots
from openbont.forward.field import Medium, box, field, passing, read
from openbont.forward.influence import REACHES, Needle, reached, solved, surroundings

MEDIUM = Medium(1.35, 1.5, 0.2, 4.0, 0.77, 0.25)
NAMES = ("upper.left", "lower.left", "beside.left")
few = settings(max_examples=4, deadline=None)


def limb() -> tuple[Atlas, tuple[Structure, ...]]:
    """A round limb along x: two muscles of one compartment, one of another, bone, fat, air."""
    x, y, z = np.meshgrid(np.arange(60.0), np.arange(44.0), np.arange(44.0), indexing="ij")
    y, z = y - 21.7, z - 21.2
    label = np.zeros(x.shape, np.uint8)
    label[np.hypot(y, z) < 20] = FAT
    inside = np.hypot(y, z) < 17
    label[inside & (z >= 0) & (y < 8)] = len(COMMON)
    label[inside & (z < 0) & (y < 8)] = len(COMMON) + 1
    label[inside & (y >= 8)] = len(COMMON) + 2
    label[np.hypot(y, z + 6) < 4] = BONE
    grid = Grid(label, np.zeros(3), np.eye(3), np.ones(3))
    atlas = Atlas("limb.left", COMMON + NAMES, ("",) * 4 + ("front", "front", "side"), (grid,))
    return atlas, tuple(muscle(atlas, name) for name in NAMES)


def muscle(atlas: Atlas, name: str) -> Structure:
    nodes = atlas.filled_mm(name, NODES)
    centre = nodes[np.linalg.norm(nodes - nodes.mean(0), axis=1).argmin()]
    region, compartment = atlas.region, atlas.compartments[atlas.number(name)]
    frame, half = np.eye(3), np.array([30.0, 10.0, 8.0])
    volume = atlas.volume_cm3(name)
    return Structure(
        name, "muscle", region, compartment, centre, frame, half, plate_mm=nodes, solid_cm3=volume
    )


def moved(
    atlas: Atlas, structures: tuple[Structure, ...], turn: np.ndarray, shift: np.ndarray
) -> tuple[Atlas, tuple[Structure, ...]]:
    grids = [
        replace(g, origin_mm=g.origin_mm @ turn.T + shift, axes=g.axes @ turn.T)
        for g in atlas.grids
    ]
    bodies = [
        replace(
            one,
            centre_mm=one.centre_mm @ turn.T + shift,
            frame=one.frame @ turn.T,
            plate_mm=one.node_mm @ turn.T + shift,
        )
        for one in structures
    ]
    return replace(atlas, grids=tuple(grids)), tuple(bodies)


ATLAS, STRUCTURES = limb()
sites = st.tuples(st.floats(22, 38), st.floats(-6, 6), st.floats(2, 9)).map(
    lambda at: np.round(np.add(at, (0.0, 21.7, 21.2)), 3)
)
volumes = st.floats(0.02, 0.6)
angles = st.floats(-3.1, 3.1)


def density(
    atlas: Atlas, structures: tuple[Structure, ...], site_mm: np.ndarray, volume_ml: float
) -> np.ndarray:
    needle = Needle("upper.left", tuple(site_mm.tolist()), volume_ml, MEDIUM)
    return reached(surroundings(atlas, structures), needle).density


@few
@given(sites, volumes)
def test_toxin_is_kept(site_mm: np.ndarray, volume_ml: float) -> None:
    """Captured by muscles + captured by fat and the rest = injected, within 0.1 %."""
    needle = Needle("upper.left", tuple(site_mm.tolist()), volume_ml, MEDIUM)
    share = reached(surroundings(ATLAS, STRUCTURES), needle).share
    assert share.sum() == pytest.approx(1, abs=1e-3)
    assert share[BONE] == 0
    assert share[0] == 0


@few
@given(sites, volumes, angles, angles)
def test_only_relative_places_matter(
    site_mm: np.ndarray, volume_ml: float, first: float, second: float
) -> None:
    turn = rotation(first, 2) @ rotation(second, 0)
    shift = np.array([12.5, -40.0, 7.25])
    there = density(*moved(ATLAS, STRUCTURES, turn, shift), site_mm @ turn.T + shift, volume_ml)
    here = density(ATLAS, STRUCTURES, site_mm, volume_ml)
    np.testing.assert_allclose(there, here, rtol=1e-4, atol=1e-4 * here.max())


def rotation(angle: float, axis: int) -> np.ndarray:
    turn = np.eye(3)
    one, other = [k for k in range(3) if k != axis]
    turn[one, one] = turn[other, other] = np.cos(angle)
    turn[one, other], turn[other, one] = -np.sin(angle), np.sin(angle)
    return turn


@few
@given(sites, volumes)
def test_left_and_right_mirror(site_mm: np.ndarray, volume_ml: float) -> None:
    flip = np.array([-1.0, 1.0, 1.0])
    atlas = replace(ATLAS.mirrored("limb.right"), tissues=ATLAS.tissues)
    bodies = tuple(
        replace(
            one, centre_mm=one.centre_mm * flip, frame=one.frame * flip, plate_mm=one.node_mm * flip
        )
        for one in STRUCTURES
    )
    here = density(ATLAS, STRUCTURES, site_mm, volume_ml)
    there = density(atlas, bodies, site_mm * flip, volume_ml)
    np.testing.assert_allclose(there, here, rtol=1e-4, atol=1e-4 * here.max())


def test_fascia_keeps_toxin_in_its_compartment() -> None:
    site_mm = STRUCTURES[0].centre_mm
    needle = Needle("upper.left", tuple(site_mm.tolist()), 0.3, MEDIUM)
    tight = replace(needle, medium=replace(MEDIUM, compartment_passage=0.02))
    open_, closed = (
        reached(surroundings(ATLAS, STRUCTURES), one).share[-1] for one in (needle, tight)
    )
    assert closed < 0.3 * open_


def test_what_is_read_between_is_what_would_be_solved() -> None:
    """A volume and a reach that were not solved themselves; error relative to the highest."""
    site_mm, volume_ml, reach_mm = STRUCTURES[0].centre_mm, 0.37, 1.35 * 1.17
    around = solved(_one_shot(site_mm, volume_ml), STRUCTURES, (ATLAS,), MEDIUM).solved
    assert around is not None
    place = np.log(1.17) / np.log(REACHES[2])
    weight = np.array([place * (place - 1) / 2, 1 - place**2, place * (place + 1) / 2])
    between = np.exp(np.tensordot(weight, around.log_u[:, 0, :-1], 1))
    medium = replace(MEDIUM, reach_mm=reach_mm)
    whole = box(ATLAS, "upper.left", site_mm, np.eye(3), volume_ml, medium)
    with jax.enable_x64(True):
        u = np.asarray(field(whole, passing(ATLAS, medium), medium, site_mm, volume_ml))
    direct = np.stack(
        [1000 * read(whole, u, one.node_mm, ATLAS.number(one.id)) for one in STRUCTURES]
    )
    assert np.abs(between - direct).max() < 0.04 * direct.max()


def test_a_moved_site_moves_its_prediction() -> None:
    site_mm = STRUCTURES[0].centre_mm
    near, far = (
        density(ATLAS, STRUCTURES, site_mm - [0, 0, deeper], 0.1)[1].mean() for deeper in (0.0, 3.0)
    )
    assert far > 1.5 * near


@pytest.mark.parametrize("region", ["arm.left", "leg.left", "neck"])
def test_toxin_is_kept_in_the_body(region: str) -> None:
    atlas, structures = region_of(Limb(region))
    for one in structures[::4]:
        needle = Needle(one.id, tuple(one.centre_mm.tolist()), 0.5, MEDIUM)
        share = reached(surroundings(atlas, structures), needle).share
        assert share.sum() == pytest.approx(1, abs=1e-3)


def _one_shot(site_mm: np.ndarray, volume_ml: float) -> Shots:
    return Shots(
        np.array([10.0]), np.array([volume_ml]), site_mm[None], np.array([0]), np.array([0])
    )
