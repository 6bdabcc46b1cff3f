"""Places are shared out as asked, wherever the muscles lie."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from openbont.anatomy.power import share

SIDE = 40
PLACES = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), axis=-1).reshape(-1, 2) + 0.0


@st.composite
def layouts(draw):
    """Centres at least 2 mm apart and off the lattice, and the area of each."""
    count = draw(st.integers(2, 8))
    coordinate = st.integers(0, SIDE // 4 - 1)
    cells = draw(
        st.lists(st.tuples(coordinate, coordinate), min_size=count, max_size=count, unique=True)
    )
    wanted = np.array(draw(st.lists(st.integers(1, 9), min_size=count, max_size=count)), float)
    filled = draw(st.sampled_from([0.3, 0.7, 0.97, 1.0]))
    off = np.array(draw(st.lists(st.floats(-0.9, 0.9), min_size=2 * count, max_size=2 * count)))
    centre = (
        np.array(cells) * 4.0 + 2.0 + off.reshape(-1, 2) + np.outer(range(count), (0.0271, 0.0137))
    )
    return centre, np.floor(filled * SIDE**2 * wanted / wanted.sum())


def shared(centre, area):
    cost = ((PLACES[:, None] - centre) ** 2).sum(-1)
    owner, weight = share(cost, area, 1.0, np.zeros(len(area)))
    return cost, owner, weight


@given(layouts())
def test_every_muscle_gets_the_area_it_asks_for(layout):
    centre, area = layout
    _, owner, _ = shared(centre, area)
    got = np.bincount(owner, minlength=len(area) + 1)[: len(area)]
    assert np.abs(got - area).max() <= max(4, 0.02 * area.max())


@given(layouts())
def test_a_place_belongs_to_the_least_cost_less_weight(layout):
    cost, owner, weight = shared(*layout)
    owned = owner < len(weight)
    value = cost - weight
    assert np.array_equal(owner[owned], value[owned].argmin(axis=1))


@given(layouts(), st.integers(-500, 500))
def test_moving_everything_moves_nothing_between_muscles(layout, shift):
    centre, area = layout
    cost = ((PLACES[:, None] - centre) ** 2).sum(-1)
    moved = ((PLACES[:, None] + shift - (centre + shift)) ** 2).sum(-1)
    start = np.zeros(len(area))
    assert np.array_equal(share(cost, area, 1.0, start)[0], share(moved, area, 1.0, start)[0])


@given(layouts())
def test_alone_a_muscle_is_a_disc(layout):
    centre, area = layout
    cost, owner, _ = shared(centre[:1], area[:1])
    inside, outside = cost[owner == 0, 0], cost[owner == 1, 0]
    assert inside.max(initial=0.0) <= outside.min(initial=np.inf)
