"""One dose followed through the stages: what a knob does, and what it may not."""

import numpy as np
import pytest

from openbont.errors import BadInput, UnknownName
from openbont.trials.bench import inject
from openbont.trials.follow import DAYS, Followed, Knob, conditions, follow, knobs

MUSCLE, ONA = "flexor_carpi_radialis.left", "onabotulinumtoxinA"


def seen(nerve: str = "healthy", **turned: float) -> Followed:
    at = {knob.name: knob.start for knob in knobs()} | turned
    return follow(MUSCLE, ONA, nerve=nerve, **at)


def test_the_same_as_the_bench() -> None:
    knob = {one.name: one.start for one in knobs()}
    bench = inject(MUSCLE, 40, volume_ml=knob["volume_ml"], off_mm=5, days=DAYS)
    here = seen(dose_u=40, off_mm=5)
    np.testing.assert_allclose(here.tone, 1 - bench.cmap, atol=1e-6)
    np.testing.assert_allclose(here.strength, 1 - bench.voluntary, atol=1e-6)


def test_more_toxin_leaves_less_and_longer() -> None:
    few, many = seen(dose_u=10), seen(dose_u=60)
    assert many.least("release")[0] < few.least("release")[0]
    assert (many.intact <= few.intact + 1e-9).all()


def test_a_needle_off_the_end_plates_does_less() -> None:
    assert seen(off_mm=40).least("tone")[0] > seen().least("tone")[0]


def test_a_small_safety_factor_changes_firing_and_never_release() -> None:
    low, usual = seen(safety_factor=knobs()[3].low), seen()
    np.testing.assert_array_equal(low.release, usual.release)
    assert low.least("strength")[0] < usual.least("strength")[0]


def test_a_disease_brings_what_the_model_gives_to_a_patient_with_it() -> None:
    ill = conditions()["amyotrophic_lateral_sclerosis"]
    slow, usual = seen(ill.name), seen()
    assert (ill.safety_factor, ill.slower) == (1.8, 1.5)
    assert slow.release[-1] < usual.release[-1]
    assert conditions()["myasthenia_gravis"].safety_factor == 1.3
    assert knobs()[3].low == min(one.safety_factor for one in conditions().values())


def test_a_condition_without_numbers_is_refused() -> None:
    with pytest.raises(UnknownName, match="condition"):
        seen("cold")


@pytest.mark.parametrize("knob", knobs(), ids=lambda one: one.name)
def test_beyond_the_range_is_refused(knob: Knob) -> None:
    with pytest.raises(BadInput, match="out of range"):
        seen(**{knob.name: knob.high * 1.01})
