"""Structures in space and where the needle goes."""

import numpy as np
import pytest

from openbont.anatomy.muscles import atlas
from openbont.anatomy.sites import sites_mm
from openbont.anatomy.structure import NODES, frame_along
from openbont.catalog.anatomy import Limb, solved
from openbont.catalog.muscles import landmarks, modelled, structure, words
from openbont.errors import UnknownName

FLAT = [name for name in modelled() if structure(name).plate_mm is None]
MAPPED = [name for name in modelled() if name not in FLAT]


@pytest.mark.parametrize("name", FLAT)
def test_end_plates_lie_inside_a_flat_structure(name: str) -> None:
    one = structure(name)
    local = (one.node_mm - one.centre_mm) @ one.frame.T
    assert one.node_mm.shape == (NODES, 3)
    assert (((local / one.half_mm) ** 2).sum(axis=1) < 1).all()
    assert np.abs(local[:, 0]).max() <= one.plate_share * one.half_mm[0]
    np.testing.assert_allclose(one.frame @ one.frame.T, np.eye(3), atol=1e-12)


def test_end_plates_are_spread_evenly() -> None:
    one = structure("corrugator.left")
    local = (one.node_mm - one.centre_mm) @ one.frame.T
    assert np.abs(local.mean(axis=0) / one.half_mm).max() < 0.05


@pytest.mark.parametrize("name", MAPPED)
def test_end_plates_and_sites_lie_inside_a_mapped_muscle(name: str) -> None:
    one = structure(name)
    around = atlas(one.region)
    assert one.node_mm.shape == (NODES, 3)
    assert (around.at(one.node_mm) == around.number(name)).all()
    for count in (1, 2, 4):
        sites = sites_mm(one, count)
        assert len({tuple(site) for site in sites}) == count
        assert (around.at(sites) == around.number(name)).all()


def test_sites_of_a_mapped_muscle_serve_its_whole_zone() -> None:
    one = structure("soleus.left")
    least = [
        np.linalg.norm(one.node_mm[:, None] - sites_mm(one, count)[None], axis=-1).min(1).mean()
        for count in (1, 2, 4, 8)
    ]
    assert least == sorted(least, reverse=True)
    assert least[-1] < 0.6 * least[0]


@pytest.mark.parametrize(
    "limb",
    [
        Limb("leg.left", 0.5),
        Limb("leg.right", 1.1, kept=(("soleus.right", 0.5),)),
        Limb("arm.left", girth_mm=(("forearm", 230.0),)),
    ],
)
def test_a_limb_of_ones_own(limb: Limb) -> None:
    around, muscles = solved(limb)
    usual = {one.id: one for one in solved(Limb(limb.region))[1]}
    for one in muscles:
        assert (around.at(one.node_mm) == around.number(one.id)).mean() > 0.97, one.id
        assert around.volume_cm3(one.id) == pytest.approx(one.volume_cm3, rel=0.02)
        share = dict(limb.kept).get(one.id, 1.0)
        room = 0.5 if limb.girth_mm else 0.95  # a thin skin has no room for all
        most = share * limb.size**3 * usual[one.id].volume_cm3
        assert room * most <= one.volume_cm3 <= 1.05 * most


@pytest.mark.parametrize("name", [n for n in modelled() if n.endswith(".left")])
def test_left_and_right_mirror(name: str) -> None:
    left, right = structure(name), structure(name.replace(".left", ".right"))
    np.testing.assert_allclose(left.node_mm * [-1, 1, 1], right.node_mm, atol=1e-4)


def test_label_sites_come_first() -> None:
    temporalis = structure("temporalis.left")
    assert temporalis.pattern_mm is not None
    np.testing.assert_array_equal(sites_mm(temporalis, 4), temporalis.pattern_mm)
    assert sites_mm(temporalis, 6).shape == (6, 3)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8])
def test_sites_without_a_label_lie_inside_a_flat_structure(count: int) -> None:
    one = structure("flexor_pollicis_brevis_opponens.left")
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
        "web between thumb and index, from the back; end-plate zone not known: middle of the muscle"
    ]


def test_unknown_structure_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="biceps_brachii"):
        structure("bicepss_brachii.left")
