"""Structures in space and where the needle goes."""

import numpy as np
import pytest

from openbont.anatomy.sites import sites_mm
from openbont.anatomy.structure import NODES, frame_along, solid_half_mm
from openbont.catalog.muscles import landmarks, modelled, structure, words
from openbont.errors import UnknownName


@pytest.mark.parametrize("name", modelled())
def test_end_plates_lie_inside_the_structure(name: str) -> None:
    one = structure(name)
    local = (one.node_mm - one.centre_mm) @ one.frame.T
    assert one.node_mm.shape == (NODES, 3)
    assert (((local / one.half_mm) ** 2).sum(axis=1) < 1).all()
    assert np.abs(local[:, 0]).max() <= one.plate_share * one.half_mm[0]
    np.testing.assert_allclose(one.frame @ one.frame.T, np.eye(3), atol=1e-12)


def test_end_plates_are_spread_evenly() -> None:
    one = structure("biceps_brachii.left")
    local = (one.node_mm - one.centre_mm) @ one.frame.T
    assert np.abs(local.mean(axis=0) / one.half_mm).max() < 0.05


@pytest.mark.parametrize("name", [n for n in modelled() if n.endswith(".left")])
def test_left_and_right_mirror(name: str) -> None:
    left, right = structure(name), structure(name.replace(".left", ".right"))
    mirror = np.array([-1.0, 1.0, 1.0]) if left.kind != "muscle" else np.ones(3)
    np.testing.assert_allclose(left.node_mm * mirror, right.node_mm, atol=1e-9)


def test_volume_of_a_solid_is_the_published_one() -> None:
    half_mm = solid_half_mm(143.7, 124.0)
    assert 4 / 3 * np.pi * half_mm.prod() / 1000 == pytest.approx(143.7)
    assert half_mm[0] == pytest.approx(62.0)
    assert structure("biceps_brachii.left").volume_cm3 == pytest.approx(143.7)


def test_label_sites_come_first() -> None:
    temporalis = structure("temporalis.left")
    assert temporalis.pattern_mm is not None
    np.testing.assert_array_equal(sites_mm(temporalis, 4), temporalis.pattern_mm)
    assert sites_mm(temporalis, 6).shape == (6, 3)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8])
def test_sites_differ_and_lie_inside(count: int) -> None:
    one = structure("biceps_brachii.left")
    sites = sites_mm(one, count)
    local = (sites - one.centre_mm) @ one.frame.T / one.half_mm
    assert len({tuple(np.round(site, 6)) for site in sites}) == count
    assert ((local**2).sum(axis=1) <= 1.05).all()


def test_frame_is_right_handed() -> None:
    frame = frame_along(np.array([1.0, 2.0, 0.5]), np.array([0.0, 0.0, -1.0]))
    assert np.linalg.det(frame) == pytest.approx(1.0)


def test_names_in_words() -> None:
    assert words("flexor_carpi_radialis.left") == "left flexor carpi radialis"
    assert words("procerus") == "procerus"
    assert len(landmarks("temporalis.right", 4)) == 4
    assert landmarks("adductor_pollicis.left", 1) == [
        "end-plate zone not known: middle of the muscle"
    ]


def test_unknown_structure_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="biceps_brachii"):
        structure("bicepss_brachii.left")
