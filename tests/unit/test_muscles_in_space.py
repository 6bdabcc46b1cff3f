"""The muscles in space that ship with the package."""

import numpy as np
import pytest
from scipy import ndimage

from openbont.anatomy.atlas import BONE, COMMON, OUTSIDE
from openbont.anatomy.belly import MIRROR
from openbont.anatomy.muscles import atlas, bellies, belly, regions
from openbont.anatomy.region import solve
from openbont.anatomy.structure import NODES
from openbont.anatomy.surface import surface
from openbont.catalog.muscles import muscles
from openbont.catalog.sections import came_from, reached, reference_sections, section_sources
from openbont.errors import UnknownName

LEFT = [name for name in bellies() if name.endswith(".left")]
MIDLINE = [name for name in bellies() if not name.endswith((".left", ".right"))]
NEAR_SIDE_MM = {
    # From skin to the near side of the muscle: wide, assumed.
    "biceps_brachii": (2, 15),
    "brachialis": (2, 30),
    "triceps_brachii": (2, 15),
    "pronator_teres": (1, 15),
    "flexor_carpi_radialis": (1, 12),
    "flexor_digitorum_superficialis": (1, 20),
    "flexor_digitorum_profundus": (2, 25),
    "flexor_pollicis_longus": (3, 25),
    "pronator_quadratus": (2, 25),
    "gastrocnemius_medial": (3, 20),
    "gastrocnemius_lateral": (3, 20),
    "soleus": (3, 30),
    "tibialis_posterior": (15, 45),
    "flexor_hallucis_longus": (5, 35),
    "sternocleidomastoid": (2, 12),
    "splenius_capitis": (2, 20),
    "semispinalis_capitis": (6, 30),
    "levator_scapulae": (2, 20),
    "trapezius": (2, 12),
    "rectus_femoris": (4, 25),
    "adductor_longus": (4, 30),
}


def held(name):
    """Grids of the region, and where the muscle is in each."""
    region = atlas(belly(name).region)
    number = region.number(name)
    return [(grid, grid.label == number) for grid in region.grids if (grid.label == number).any()]


@pytest.mark.parametrize("name", LEFT + MIDLINE)
def test_volume_is_that_of_the_table_or_the_scale_says_how_much_less(name):
    one = belly(name)
    assert one.volume_cm3 == pytest.approx(one.asked_cm3 * one.scale, rel=0.03)
    assert 0.8 < one.scale <= 1
    assert atlas(one.region).volume_cm3(name) == pytest.approx(one.volume_cm3)


@pytest.mark.parametrize("name", LEFT + MIDLINE)
def test_a_muscle_is_in_one_piece_and_in_one_segment(name):
    ((_, muscle),) = held(name)
    assert ndimage.label(muscle)[1] == 1


@pytest.mark.parametrize("name", list(bellies()))
def test_end_plates_and_centre_lie_in_the_muscle(name):
    one = belly(name)
    region = atlas(one.region)
    assert one.node_mm.shape == (NODES, 3)
    assert (region.at(one.node_mm) == region.number(name)).all()
    assert region.at(one.centre_mm) == region.number(name)


@pytest.mark.parametrize("name", LEFT)
def test_the_right_side_is_the_mirror_image(name):
    left, right = belly(name), belly(name.replace(".left", ".right"))
    numbers = [atlas(one.region).number(one.id) for one in (left, right)]
    assert np.array_equal(left.node_mm * MIRROR, right.node_mm)
    for number, one in zip(numbers, (left, right), strict=True):
        assert (atlas(one.region).at(one.node_mm) == number).all()
    assert atlas(left.region).volume_cm3(left.id) == atlas(right.region).volume_cm3(right.id)


def test_both_halves_of_the_neck_are_mirror_images():
    region = atlas("neck")
    (grid,) = region.grids
    names = np.array([name.replace(".right", ".left") for name in region.tissues])[grid.label]
    inside = grid.label >= len(COMMON)
    assert np.array_equal(inside, inside[:, ::-1])
    assert (names == names[:, ::-1])[inside].all()


@pytest.mark.parametrize("region", regions())
def test_fat_or_other_tissue_covers_every_muscle(region):
    place = atlas(region)
    lumen = place.tissues.index("pharyngeal_constrictors") if region == "neck" else OUTSIDE
    for grid in place.grids:
        skin = np.stack([ndimage.binary_fill_holes(one) for one in grid.label != OUTSIDE])
        touching = skin & ndimage.binary_dilation(~skin, np.ones((1, 3, 3)))
        muscle = (grid.label >= len(COMMON)) & (grid.label != lumen)
        assert not (touching & muscle).any()


@pytest.mark.parametrize("name", LEFT)
def test_the_needle_meets_skin_then_muscle_and_no_bone(name):
    one = belly(name)
    region = atlas(one.region)
    depth = np.arange(0, one.depth_mm, 0.25)[:, None]
    way = region.at(one.centre_mm - depth * one.approach)
    assert BONE not in way
    assert region.at(one.centre_mm - (one.depth_mm + 1.5) * one.approach) == OUTSIDE
    assert 0 < one.top_mm < one.depth_mm
    assert {region.tissues[label] for label in way if label >= len(COMMON)} >= {name, *one.crossed}


@pytest.mark.parametrize("name", NEAR_SIDE_MM)
def test_depth_under_the_skin_is_plausible(name):
    low, high = NEAR_SIDE_MM[name]
    assert low <= belly(f"{name}.left").top_mm <= high


@pytest.mark.parametrize("name", LEFT)
def test_frame_is_right_handed_on_the_left_and_points_from_the_skin_inwards(name):
    one = belly(name)
    assert np.allclose(one.frame @ one.frame.T, np.eye(3))
    assert np.linalg.det(one.frame) == pytest.approx(1)
    assert one.frame[2] @ one.approach > 0
    assert np.linalg.det(belly(name.replace(".left", ".right")).frame) == pytest.approx(-1)


def test_neighbours_are_where_the_textbook_has_them():
    def crossed(name):
        return [one.removesuffix(".left") for one in belly(f"{name}.left").crossed]

    assert crossed("tibialis_posterior") == ["tibialis_anterior"]
    assert crossed("semispinalis_capitis") == ["trapezius"]
    assert crossed("adductor_brevis") == ["adductor_longus"]
    assert came_from(belly("flexor_carpi_radialis.left")).startswith("front")
    assert came_from(belly("soleus.left")).startswith("back")
    assert came_from(belly("gastrocnemius_medial.left")) == "back, medial side"
    assert came_from(belly("vastus_lateralis.left")) == "lateral side"


def test_a_published_zone_is_where_the_paper_has_it():
    biceps, deep = belly("biceps_brachii.left"), belly("tibialis_posterior.left")
    elbow, shoulder = (surface().joint_mm[f"{name}.left"] for name in ("elbow", "shoulder"))
    along = (elbow - shoulder) / ((elbow - shoulder) ** 2).sum()
    assert 0.55 < (biceps.centre_mm - shoulder) @ along < 0.75
    assert 0.5 < np.median((biceps.node_mm - shoulder) @ along) < 0.75
    assert deep.centre_mm[1] > belly("flexor_hallucis_longus.left").centre_mm[1]


@pytest.fixture(scope="module")
def upper_arm():
    (section,) = [one for one in reference_sections("arm") if one.name == "upper_arm"]
    return section


@pytest.fixture(scope="module")
def solved(upper_arm):
    return solve([upper_arm], surface())


def test_what_ships_is_what_the_table_gives(solved):
    shipped = atlas("arm.left").grids[0].label
    assert (solved.atlas.grids[0].label == shipped).mean() > 0.999


def test_a_wasted_muscle_halves_and_the_others_stay(upper_arm, solved):
    wasted = solve([upper_arm], surface(), atrophy={"biceps_brachii.left": 0.5})
    for before, after in zip(solved.bellies, wasted.bellies, strict=True):
        share = 0.5 if before.id == "biceps_brachii.left" else 1.0
        assert after.volume_cm3 == pytest.approx(share * before.volume_cm3, rel=0.03)


def test_a_thin_limb_holds_less_and_says_so(upper_arm):
    region = solve([upper_arm], surface(), girth={"upper_arm": 0.8})
    for one in region.bellies:
        assert one.volume_cm3 == pytest.approx(one.asked_cm3 * one.scale, rel=0.03)
    assert min(one.scale for one in region.bellies) < 0.85


def test_scaling_grows_volumes_by_the_cube():
    one = belly("soleus.left")
    grown = one.scaled(1.1)
    assert grown.volume_cm3 == pytest.approx(1.1**3 * one.volume_cm3)
    assert np.allclose(grown.node_mm, 1.1 * one.node_mm)
    region = atlas("leg.left").scaled(1.1)
    assert (region.at(grown.node_mm) == region.number("soleus.left")).all()


def test_every_row_has_its_sources_and_the_reference_is_what_ships():
    rows = reached()
    assert {row.muscle for row in rows} == {name.removesuffix(".left") for name in LEFT + MIDLINE}
    assert all(row.sources for row in rows)
    assert all(section_sources(row.muscle)[0].id for row in rows)


def test_volumes_agree_with_the_table_of_muscles():
    for name, muscle in muscles().items():
        section = {row.muscle: row for row in reached()}.get(name)
        if (
            section is not None
            and muscle.volume_cm3
            and section.segment in ("upper_arm", "forearm")
        ):
            assert section.asked_cm3 == pytest.approx(muscle.volume_cm3) or name == "deltoid"


def test_an_unknown_muscle_or_region_is_refused_with_the_nearest_name():
    with pytest.raises(UnknownName, match=r"soleus\.left"):
        belly("soleus.lef")
    with pytest.raises(UnknownName, match="neck"):
        atlas("nekc")
