"""The outside of a structure as triangles: closed, facing outwards, as large as it is."""

from collections import Counter

import numpy as np
import pytest

from openbont.anatomy.atlas import Atlas
from openbont.anatomy.head import atlas as head
from openbont.anatomy.mesh import Mesh, ball, mesh, net
from openbont.anatomy.muscles import atlas
from openbont.catalog.muscles import structure


def volume_cm3(one: Mesh) -> float:
    """Positive where the triangles face outwards."""
    a, b, c = (one[0][corner] for corner in one[1].T)
    return float(np.einsum("ij,ij->", a, np.cross(b, c))) / 6000


def closed(one: Mesh) -> bool:
    edges = Counter(map(tuple, one[1][:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2).tolist()))
    return all(edges[end, start] == count for (start, end), count in edges.items())


def test_a_ball():
    place = np.indices((30,) * 3) - 14.5
    vertex, triangle = net(10 - np.sqrt((place**2).sum(0)))
    assert closed((vertex, triangle))
    assert np.allclose(np.linalg.norm(vertex - 14.5, axis=1), 10, atol=0.1)
    assert 1000 * volume_cm3((vertex, triangle)) == pytest.approx(4 / 3 * np.pi * 1000, rel=0.02)


@pytest.mark.parametrize(
    ("where", "name"),
    [
        (atlas("arm.left"), "biceps_brachii.left"),
        (atlas("arm.right"), "flexor_carpi_radialis.right"),
        (atlas("neck"), "sternocleidomastoid.right"),
        (head(), "corrugator.left"),
        (head(), "platysma.right"),
    ],
    ids=lambda one: one if isinstance(one, str) else one.region,
)
def test_a_muscle(where: Atlas, name: str):
    found = mesh(where, name)
    assert closed(found)
    assert volume_cm3(found) == pytest.approx(where.volume_cm3(name), rel=0.12)


@pytest.mark.parametrize("name", ["frontalis.left", "frontalis.right"])
def test_an_ellipsoid(name: str):
    one = structure(name)
    assert closed(ball(one))
    assert volume_cm3(ball(one)) == pytest.approx(one.volume_cm3, rel=0.02)
