import datetime

import pytest

from openbont.planning.limits import limits
from tests.cases import ABO, HEAD, ONA, TODAY, child, past, patient


@pytest.mark.parametrize(
    ("weight_kg", "disorder", "limb_u", "rolling_u"),
    [
        (20, "spasticity.upper_limb", 120, 200),
        (20, "spasticity.lower_limb", 160, 200),
        (40, "spasticity.upper_limb", 200, 340),
        (40, "spasticity.lower_limb", 300, 340),
    ],
)
def test_whichever_is_lower_in_children(
    weight_kg: float, disorder: str, limb_u: float, rolling_u: float
) -> None:
    now = limits(child(7, weight_kg), ONA, disorder=disorder)
    assert (now.limb_max_u, now.rolling_max_u) == (limb_u, rolling_u)
    assert now.budget_u == limb_u


def test_muscles_are_in_units_for_this_patient() -> None:
    biceps = limits(child(7, 20), ONA).structure("biceps_brachii.left")
    assert biceps is not None
    assert (biceps.min_u, biceps.max_u, biceps.sites_max) == (30, 60, 4)
    assert biceps.verified


def test_a_recalled_muscle_is_unverified_and_its_site_limit_is_there() -> None:
    biceps = limits(patient(), ONA).structure("biceps_brachii")
    assert biceps is not None
    assert not biceps.verified
    assert (biceps.max_u, biceps.site_max_u) == (200, 50)


def test_a_muscle_outside_the_label_has_no_limit() -> None:
    assert limits(patient(), ONA).structure("triceps_brachii.left") is None
    assert limits(patient(), ABO, jurisdiction="EU").structure("triceps_brachii.left") is not None


def test_trial_doses_give_no_limit_in_the_neck() -> None:
    neck = limits(patient(), ONA, disorder="dystonia.cervical")
    assert neck.structures == ()
    assert neck.session_max_u is None
    assert neck.rolling_max_u == 400


def test_the_pattern_of_chronic_migraine() -> None:
    now = limits(patient(HEAD), ONA)
    assert sum(one.dose_u for one in now.pattern) == 155
    assert sum(one.sites for one in now.pattern) == 31
    assert {one.muscle: one.max_u for one in now.extras} == {
        "temporalis": 10,
        "occipitalis": 10,
        "trapezius": 20,
    }
    assert now.session_max_u == 155


def test_only_the_same_product_counts_and_only_for_twelve_weeks() -> None:
    history = [
        past(83, ONA, 100, "bladder.overactive"),
        past(84, ONA, 150, "bladder.overactive"),
        past(20, ABO, 500, "dystonia.cervical"),
    ]
    now = limits(patient(history=history), ONA)
    assert (now.rolling_used_u, now.rolling_left_u) == (100, 300)
    assert now.earliest_date == TODAY - datetime.timedelta(days=20) + datetime.timedelta(weeks=12)


def test_a_long_interval_of_the_label_holds() -> None:
    now = limits(child(7, 20, history=[past(7, ABO, 100, "spasticity.upper_limb")]), ABO)
    assert now.interval_min_weeks == 16
    assert now.earliest_date == TODAY + datetime.timedelta(days=16 * 7 - 7)


def test_shoulder_muscles_add_to_the_arm_only_in_the_eu() -> None:
    eu = limits(patient(), ABO, jurisdiction="EU")
    limbs = {one.max_u: one.muscles for one in eu.totals if one.scope == "limb"}
    assert limbs[1500] == ()
    assert "biceps_brachii" in limbs[1000]
    assert "pectoralis_major" not in limbs[1000]
    assert limits(patient(), ABO).limb_max_u == 1000


def test_both_heads_share_the_dose_of_the_gastrocnemius() -> None:
    now = limits(child(7, 20), ABO, disorder="spasticity.lower_limb")
    group = next(one for one in now.totals if one.scope == "muscles")
    assert group.muscles == ("gastrocnemius_medial", "gastrocnemius_lateral")
    assert (group.min_u, group.max_u, group.verified) == (120, 180, False)


def test_a_first_dose_and_later_ones() -> None:
    lid = limits(patient(), "incobotulinumtoxinA", disorder="dystonia.blepharospasm").structures[0]
    assert (lid.start_u, lid.max_u) == (25, 50)
    armpit = limits(patient(), ABO, disorder="hyperhidrosis.axillary").structures[0]
    assert (armpit.start_u, armpit.max_u) == (100, 200)
