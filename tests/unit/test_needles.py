"""Every structure that can be injected says how the needle gets there and what it must not meet."""

import pytest

from openbont.catalog.labels import label_rows
from openbont.catalog.muscles import base, layers, modelled, muscles
from openbont.catalog.needles import needles

ONLY_SPILL = {"pharyngeal_constrictors", "bladder_neck"}


def test_every_muscle_of_a_label_has_a_needle() -> None:
    named = {one for row in label_rows() for one in row.structures}
    assert named <= set(needles())


def test_every_structure_that_may_be_injected_has_a_needle() -> None:
    may_be = {base(name) for name in modelled()} & {*muscles(), *layers()}
    assert may_be - ONLY_SPILL <= set(needles())


@pytest.mark.parametrize("name", sorted(needles()))
def test_a_needle_has_a_direction_and_a_danger(name: str) -> None:
    needle = needles()[name]
    assert needle.approach
    assert needle.avoid
    assert needle.sources
    own_sites = bool(layers().get(name, {}).get("sites"))
    assert needle.landmark or own_sites or "not injected" in needle.approach


def test_recalled_practice_is_shown_as_unverified() -> None:
    assert not needles()["biceps_brachii"].verified
    assert needles()["parotid"].verified
