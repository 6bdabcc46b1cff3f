"""From one body to another, along the skin, and from the skin into a muscle."""

import numpy as np
import pytest

from openbont.anatomy.aim import aim, lies_in
from openbont.anatomy.carried import along_skin, carried_mm, place, same_place
from openbont.anatomy.head import atlas as head
from openbont.anatomy.muscles import atlas, belly
from openbont.anatomy.surface import nearest, surface
from openbont.catalog.muscles import structure

BODY = surface()
OTHER = surface("male", 58.0, 190.0, 110.0)


def skin_over(name: str) -> np.ndarray:
    """Where the needle to the middle of a muscle enters."""
    one = belly(name)
    return nearest(BODY, one.centre_mm - one.depth_mm * one.approach)[0]


def test_a_place_of_the_skin_goes_to_another_body_and_comes_back():
    start = skin_over("biceps_brachii.left")
    there = same_place(BODY, OTHER, start)
    assert np.linalg.norm(nearest(OTHER, there)[0] - there) < 1e-6
    assert np.linalg.norm(there - start) > 10
    assert np.allclose(same_place(OTHER, BODY, there), start, atol=1e-6)


def test_what_lies_inside_is_carried_as_a_scaled_body_is_scaled():
    inner = belly("biceps_brachii.left").node_mm
    assert np.allclose(carried_mm(BODY, BODY, inner), inner)
    assert np.abs(carried_mm(BODY, BODY.scaled(1.1), inner) - 1.1 * inner).max() < 3.0


def test_what_lies_inside_stays_inside():
    inner = belly("biceps_brachii.left").node_mm
    for point in carried_mm(BODY, OTHER, inner)[::16]:
        skin, outward = nearest(OTHER, point)
        assert (point - skin) @ outward < 0


def test_the_skin_faces_outwards_evenly():
    start = skin_over("biceps_brachii.left")
    there = place(BODY, start)
    assert there.share.sum() == pytest.approx(1)
    assert np.allclose(there.on(BODY), start)
    assert there.outward(BODY) @ nearest(BODY, start)[1] > 0.95


@pytest.mark.parametrize("step", [(2.0, 0.0), (-2.0, 0.0), (0.0, 2.0), (0.0, -2.0)])
def test_a_step_along_the_skin(step):
    start = skin_over("biceps_brachii.left")
    end = along_skin(BODY, start, *step)
    assert np.linalg.norm(end - start) == pytest.approx(2.0, abs=0.3)
    assert np.linalg.norm(nearest(BODY, end)[0] - end) < 1e-6
    if step[0]:
        assert np.sign(end[1] - start[1]) == np.sign(step[0])


def test_right_is_right_for_who_looks_at_it():
    chest = nearest(BODY, BODY.joint_mm["spine_1"] + np.array([0.0, 0.0, 300.0]))[0]
    assert along_skin(BODY, chest, 0.0, 5.0)[0] > chest[0] + 4  # the patient's left


def test_a_needle_straight_in_ends_within_the_muscle():
    there = place(BODY, skin_over("biceps_brachii.left"))
    found = aim(
        structure("biceps_brachii.left"),
        atlas("arm.left"),
        there.on(BODY),
        -there.outward(BODY),
    )
    assert found is not None
    arm = atlas("arm.left")
    assert arm.tissues[arm.at(found.site_mm)] == "biceps_brachii.left"
    assert np.linalg.norm(found.site_mm - there.on(BODY)) == pytest.approx(found.depth_mm)
    assert not found.through_bone
    assert found.crossed == ()


def test_a_needle_tells_what_it_passes_and_what_it_cannot_reach():
    skin = place(BODY, skin_over("biceps_brachii.left"))
    way = (atlas("arm.left"), skin.on(BODY), -skin.outward(BODY))
    under = aim(structure("brachialis.left"), *way)
    assert under is not None
    assert under.crossed == ("biceps_brachii.left",)
    behind = aim(structure("triceps_brachii.left"), *way)
    assert behind is None or behind.through_bone
    assert aim(structure("flexor_carpi_radialis.left"), *way) is None


def test_a_flat_muscle_ends_where_the_shape_of_the_model_does():
    one, known = structure("temporalis.left"), head()
    under = []
    for right_mm in range(0, 60, 3):
        skin = place(BODY, along_skin(BODY, one.centre_mm, 0.0, right_mm))
        path = skin.on(BODY) - np.arange(12)[:, None] * skin.outward(BODY)
        mapped = (known.at(path) == known.number(one.id)).any()
        found = aim(one, known, skin.on(BODY), -skin.outward(BODY))
        assert found is None or one.under(found.site_mm[None]).all()
        under.append((bool(mapped), found is not None))
    assert under[0] == (True, True)
    assert (True, False) in under  # the map goes on where the model's own shape has ended


def test_without_a_map_the_ellipsoid_is_aimed_at():
    one = structure("frontalis.left")
    found = aim(one, None, one.centre_mm - 20 * one.frame[2], one.frame[2])
    assert found is not None
    assert np.allclose(found.site_mm, one.centre_mm, atol=0.5)


@pytest.mark.parametrize("name", ["biceps_brachii.left", "biceps_brachii.right", "frontalis.right"])
def test_a_place_in_a_structures_terms_and_back(name):
    one = structure(name)
    local = (3.0, -2.0, 1.5)
    assert one.local_mm(one.place(np.array(local))) == local


@pytest.mark.parametrize(
    ("name", "where"), [("biceps_brachii.right", atlas("arm.right")), ("frontalis.left", None)]
)
def test_a_place_in_or_outside_a_structure(name, where):
    one = structure(name)
    assert lies_in(one, where, one.centre_mm)
    assert not lies_in(one, where, one.centre_mm + 2 * one.half_mm[1] * one.frame[1])
