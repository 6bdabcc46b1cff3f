"""What a trial counts, and what it says about differences, power and size."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from scipy.stats import norm

from openbont.design import Arm, Design, Endpoint
from openbont.errors import UnknownName
from openbont.patient import Disorder, Patient, Reading
from openbont.plan import Injection
from openbont.trials.people import BLOCK
from openbont.trials.readings import Block, run_block
from openbont.trials.result import TrialResult, moments
from openbont.trials.rules import counted


def design(*endpoints: Endpoint, replicates: int = 4, patients: int = 64) -> Design:
    who = Patient(
        id="typical",
        date=date(2026, 1, 1),
        age_years=40,
        sex="female",
        weight_kg=65,
        disorder=Disorder(name="facial_lines.glabellar"),
        findings=(Reading(scale="FWS", value="3"),),
    )
    toxin = Arm(
        name="toxin",
        product="onabotulinumtoxinA",
        dilution_u_per_ml=40,
        injections=(Injection(structure="procerus", dose_u=20),),
    )
    return Design(
        name="t",
        patient=who,
        arms=(toxin, Arm(name="placebo", like="toxin", placebo=True)),
        weeks=(4, 12),
        endpoints=endpoints or (Endpoint(scale="FWS", week=4),),
        patients=patients,
        replicates=replicates,
    )


@pytest.mark.parametrize(
    ("rule", "met"),
    [
        ("change<=-50%", [True, True, False, False]),
        ("change<=-2", [True, True, False, False]),
        ("value<=1", [True, False, True, False]),
        ("change<=-2 and value<=1", [True, False, False, False]),
        ("value=0", [False, False, True, False]),
        ("change>=0", [False, False, True, True]),
        ("change>=25%", [False, False, False, True]),
    ],
)
def test_a_rule_is_met_or_not(rule: str, met: list[bool]) -> None:
    entry, value = np.array([3.0, 4.0, 0.0, 3.0]), np.array([1.0, 2.0, 0.0, 4.0])
    assert counted(Endpoint(scale="FWS", week=4, rule=rule), value, entry).tolist() == met


def test_no_rule_is_the_change_and_who_left_counts_nowhere() -> None:
    entry, value = np.array([3.0, 2.0]), np.array([1.0, np.nan])
    change = counted(Endpoint(scale="FWS", week=4), value, entry)
    share = counted(Endpoint(scale="FWS", week=4, rule="value<=1"), value, entry)
    assert change[0] == -2
    assert share[0] == 1
    assert np.isnan([change[1], share[1]]).all()


def result(asked: Design, arm: np.ndarray, placebo: np.ndarray) -> TrialResult:
    """A trial whose readings are given, (patient, visit) in every run; entry is 0."""
    count = asked.patients * asked.replicates
    value = np.stack([arm, placebo]).transpose(0, 2, 1)[:, None]
    everyone = np.tile(value, asked.replicates)
    run = np.repeat(np.arange(asked.replicates), asked.patients)
    block = Block(0, run, np.zeros((1, count)), everyone)
    return TrialResult(asked, 1, moments(asked, block))


@pytest.fixture
def known() -> TrialResult:
    draw = np.random.default_rng(2)
    asked = design()
    return result(asked, draw.normal(-1.0, 2.0, (64, 2)), draw.normal(-0.5, 2.0, (64, 2)))


def test_moments_are_means_and_spreads(known: TrialResult) -> None:
    draw = np.random.default_rng(2)
    arm, placebo = draw.normal(-1.0, 2.0, (64, 2)), draw.normal(-0.5, 2.0, (64, 2))
    assert known.mean[0, 0, 0] == pytest.approx(arm.mean(0))
    assert np.sqrt(known.variance[0, 1, 0]) == pytest.approx(placebo.std(0, ddof=1))
    assert known.difference[0, 0, 0] == pytest.approx((arm - placebo).mean(0))
    own = arm.var(0, ddof=1) / 64 + placebo.var(0, ddof=1) / 64
    assert known.standard_error[0, 0, 0] == pytest.approx(np.sqrt(own))


def test_power_is_that_of_a_z_test(known: TrialResult) -> None:
    z = np.abs(known.difference[0, 0, 0, 0]) / known.standard_error[0, 0, 0, 0]
    expected = norm.sf(1.959964 - z) + norm.cdf(-1.959964 - z)
    assert known.power[0, 0, 0] == pytest.approx(expected)
    assert known.power[1, 0, 0] == pytest.approx(0.05), "placebo against itself"


def test_the_size_named_reaches_the_power(known: TrialResult) -> None:
    """Formula for two arms: 2 (z_a + z_b)^2 sd^2 / d^2."""
    size = known.patients_for(0.9, 0, 0, 0)
    pooled = (known.variance[0, 0, 0, 0] + known.variance[0, 1, 0, 0]) / 2
    formula = 2 * (1.96 + 1.2816) ** 2 * pooled / known.difference[0, 0, 0, 0] ** 2
    assert size == pytest.approx(formula, rel=0.06)
    assert known.patients_for(0.8, 0, 0, 0) < size
    assert known.patients_for(0.9, 1, 0, 0) is None, "no difference, no size"


def test_both_raters_must_agree() -> None:
    both = Endpoint(scale="FWS", week=4, rule="value<=1", also_at=("subject",))
    asked = design(both, replicates=1, patients=4)
    value = np.zeros((2, 2, 2, 4))
    value[0, 0, :] = [0, 0, 2, 2]
    value[0, 1, :] = [1, 3, 1, 3]
    block = Block(0, np.zeros(4, int), np.full((2, 4), 3.0), value)
    assert TrialResult(asked, 1, moments(asked, block)).mean[0, 0, 0, 0] == 0.25


def test_those_beyond_the_last_run_do_not_count() -> None:
    asked = design(replicates=2, patients=100)
    block = run_block(asked, 1, 0)
    found = moments(asked, block)
    assert found[0, :, 0, 0, 0].tolist() == [100, 100]
    assert BLOCK > 200
    halved = replace(block, value=np.where(block.replicate < 2, block.value, 1e9))
    assert (moments(asked, halved) == found).all()


def test_a_reading_that_is_not_predicted_names_those_that_are() -> None:
    with pytest.raises(UnknownName, match=r"reading of this disorder.*TWSTRS.*FWS"):
        run_block(design(Endpoint(scale="TWSTRS", week=4)), 1, 0)
