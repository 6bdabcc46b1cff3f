"""The body: closed, symmetric, as tall and heavy as asked, and named in words."""

import io
import zipfile
from collections import Counter
from importlib.resources import files

import numpy as np
import pytest

from openbont.anatomy.landmarks import LANDMARKS, directions, landmark_mm, region_words
from openbont.anatomy.surface import Surface, depth_mm, enter_mm, nearest, outline, surface
from openbont.catalog.muscles import layers
from openbont.errors import BadInput, UnknownName

REFERENCE = surface()
FRONT = np.array([0.0, 0.0, 1.0])
PATTERN = {  # muscle -> sites a side
    "corrugator": 1,
    "procerus": 1,
    "frontalis": 2,
    "temporalis": 4,
    "occipitalis": 3,
    "cervical_paraspinal": 2,
    "trapezius": 3,
}
FIRST_SITES = {  # label words of the pattern -> what the mesh says of the same place
    "corrugator": "left forehead",
    "frontalis": "left forehead",
    "procerus": "middle of the forehead, between the brows",
    "trapezius": "left shoulder, top-back",
    "cervical_paraspinal": "left neck, back",
}


def test_skin_is_closed() -> None:
    edges = Counter(
        tuple(sorted(pair))
        for a, b, c in REFERENCE.triangle.tolist()
        for pair in ((a, b), (b, c), (c, a))
    )
    assert set(edges.values()) == {2}


def test_reference_height_is_that_of_the_published_sites() -> None:
    assert REFERENCE.height_cm == pytest.approx(167.6, abs=0.01)


@pytest.mark.parametrize(
    ("sex", "age_years", "height_cm", "weight_kg"),
    [
        ("female", 35.0, 162.0, 60.0),
        ("male", 50.0, 180.0, 95.0),
        ("", 30.0, 170.0, 70.0),
        ("female", 7.0, 122.0, 23.0),
        ("male", 2.0, 88.0, 12.5),
    ],
)
def test_height_and_weight_are_reached(
    sex: str, age_years: float, height_cm: float, weight_kg: float
) -> None:
    body = surface(sex, age_years, height_cm, weight_kg)
    assert body.height_cm == pytest.approx(height_cm, abs=1e-6)
    assert body.volume_l == pytest.approx(weight_kg, rel=0.01)


def test_weight_beyond_the_mesh_stays_at_its_end() -> None:
    assert surface("female", 30.0, 160.0, 200.0).volume_l < 90


def test_child_has_a_larger_head() -> None:
    def head(body: Surface) -> float:
        return float(body.joint_mm["head_2"][1] - body.joint_mm["head"][1]) / body.height_cm

    assert head(surface("", 1.0)) > 1.4 * head(surface("", 10.0)) > 1.4 * head(surface())


def test_age_before_birth_is_refused() -> None:
    with pytest.raises(BadInput, match="age_years"):
        surface("", -1.0)


def test_left_and_right_mirror() -> None:
    for body in (REFERENCE, surface("male", 12.0, 150.0, 60.0)):
        left = {name for name, at in body.joint_mm.items() if name.endswith(".left")}
        for name in left:
            other = body.joint_mm[name.replace(".left", ".right")]
            np.testing.assert_allclose(body.joint_mm[name] * [-1, 1, 1], other, atol=0.2)
        for name, one in LANDMARKS.items():
            if one.vertices[0] != one.vertices[1]:
                mirrored = landmark_mm(body, f"{name}.left") * [-1, 1, 1]
                np.testing.assert_allclose(mirrored, landmark_mm(body, f"{name}.right"), atol=0.2)


def test_ray_enters_where_the_skin_is() -> None:
    nose = landmark_mm(REFERENCE, "nose_tip")
    hit = enter_mm(REFERENCE, nose + 200 * FRONT, -FRONT)
    np.testing.assert_allclose(hit, nose, atol=0.01)
    assert np.isnan(enter_mm(REFERENCE, nose + 200 * FRONT, FRONT)).all()


def test_depth_is_counted_along_the_needle() -> None:
    site = REFERENCE.joint_mm["knee.left"]
    straight = site - enter_mm(REFERENCE, site + 300 * FRONT, -FRONT)
    assert depth_mm(REFERENCE, site, -FRONT) == pytest.approx(np.linalg.norm(straight))
    assert depth_mm(REFERENCE, site, np.array([0.0, -0.7, -0.7])) > np.linalg.norm(straight)


def test_outline_is_of_one_limb_only() -> None:
    elbow, hand = (REFERENCE.joint_mm[f"{name}.left"] for name in ("elbow", "hand"))
    along = (hand - elbow) / np.linalg.norm(hand - elbow)
    across = np.cross(along, [0.0, 0.0, 1.0])
    across /= np.linalg.norm(across)
    frame = np.stack([along, across, np.cross(along, across)])
    loop = outline(REFERENCE, (elbow + hand) / 2, frame)
    girth = np.linalg.norm(loop - np.roll(loop, 1, axis=0), axis=1).sum()
    assert 180 < girth < 280  # a forearm, in mm; the plane meets the trunk as well


def test_plane_beside_the_body_is_refused() -> None:
    with pytest.raises(BadInput, match="does not meet"):
        outline(REFERENCE, np.array([0.0, 3000.0, 0.0]), np.eye(3)[[1, 0, 2]])


@pytest.mark.parametrize("muscle", PATTERN)
def test_sites_of_the_31_pattern_lie_on_the_skin(muscle: str) -> None:
    for site in layers()[muscle]["sites"][: PATTERN[muscle]]:
        at = np.array(site["at"])
        assert np.linalg.norm(nearest(REFERENCE, at)[0] - at) < 3, site


def test_temporalis_sites_against_their_words() -> None:
    tragus = landmark_mm(REFERENCE, "tragus.left")
    first, second, third, fourth = (
        np.array(site["at"]) - tragus for site in layers()["temporalis"]["sites"]
    )
    assert first[1:] == pytest.approx([30, 0], abs=5)
    assert 15 <= (second - first)[1] <= 30
    assert 15 <= (third - (first + second) / 2)[2] <= 30
    assert (second - fourth)[2] == pytest.approx(15, abs=5)


def test_occipitalis_sites_against_their_words() -> None:
    inion, mastoid = (landmark_mm(REFERENCE, name) for name in ("inion", "mastoid_tip.left"))
    first, *above = (np.array(site["at"]) for site in layers()["occipitalis"]["sites"])
    assert first[0] == pytest.approx((inion + mastoid)[0] / 2, abs=5)
    assert inion[1] - 5 <= first[1] <= inion[1] + 15
    for site in above:
        assert 10 <= np.linalg.norm(site - first) <= 25


@pytest.mark.parametrize("muscle", FIRST_SITES)
def test_first_sites_in_words(muscle: str) -> None:
    at = np.array(layers()[muscle]["sites"][0]["at"])
    assert region_words(REFERENCE, at).startswith(FIRST_SITES[muscle])


@pytest.mark.parametrize(
    ("landmark", "words"),
    [
        ("tragus.left", "left cheek, at the tragus"),
        ("gonion.right", "right jaw"),
        ("inion", "middle of the back of the head, at the external occipital protuberance"),
        ("chin", "middle of the chin"),
        ("axilla.left", "left armpit"),
        ("acromion.right", "right shoulder, top"),
        ("wrist_back.left", "left forearm, dorsal, 100 % from the elbow to the wrist"),
        ("olecranon.left", "left forearm, dorsal, 0 % from the elbow to the wrist"),
        ("fibular_head.left", "left leg, back-lateral, 7 % from the knee to the ankle"),
        ("lateral_malleolus.right", "right leg, lateral, 99 % from the knee to the ankle"),
        ("asis.left", "left belly"),
        ("calcaneal_tuberosity.left", "left foot"),
    ],
)
def test_region_of_a_landmark(landmark: str, words: str) -> None:
    assert region_words(REFERENCE, landmark_mm(REFERENCE, landmark)).startswith(words)


def test_volar_side_turns_with_the_hand() -> None:
    elbow, hand = (REFERENCE.joint_mm[f"{name}.left"] for name in ("elbow", "hand"))
    near, far = (directions(REFERENCE, elbow + s * (hand - elbow))["volar"] for s in (0.05, 0.95))
    turned = np.degrees(np.arccos(near @ far))
    assert 70 < turned < 100  # the hand hangs half pronated


def test_unknown_landmark_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="tragus"):
        landmark_mm(REFERENCE, "tragis.left")


def test_shipped_file_says_no_time() -> None:
    held = files("openbont.anatomy").joinpath("body.npz").read_bytes()
    with zipfile.ZipFile(io.BytesIO(held)) as file:
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert len(held) < 900_000
