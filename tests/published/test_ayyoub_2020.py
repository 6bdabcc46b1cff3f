"""Ayyoub 2020: FVC of patients with stable weakness of breathing, 240 and 360 U in the arm.

Toxin minus placebo: -167 mL in week 3 after 240 U; -173, -127, -208 and -231 mL in weeks 12, 6, 18
and 24 after 360 U, 5 to 8 % of what they breathe, without symptoms. Which patients they were, as
motor units and safety factor, is not known, so the model's answer is shown for three kinds.
"""

from datetime import date

import numpy as np
import pytest

from openbont.catalog.model import model
from openbont.forward.chain import simulate
from openbont.patient import Disorder, Patient, Reading
from openbont.plan import Injection, Plan, Session

DAYS = (0, 21, 42, 84, 126, 168)


def _lost_percent(units: float, conditions: tuple[str, ...]) -> np.ndarray:
    """FVC lost against the same patient without toxin, in % of today's, median by day."""
    patient = Patient(
        id="stable",
        date=date(2026, 1, 1),
        age_years=55,
        sex="male",
        weight_kg=75,
        disorder=Disorder(name="spasticity.upper_limb", cause="stroke", side="left"),
        findings=(
            Reading(scale="MAS", value="3", where="wrist_flexors.left"),
            Reading(scale="FVC", value=75.0),
        ),
        conditions=conditions,
    )
    muscles = ("biceps_brachii", "flexor_carpi_radialis", "flexor_carpi_ulnaris")
    injections = tuple(
        Injection(structure=f"{name}.left", dose_u=units / len(muscles)) for name in muscles
    )
    plan = Plan(
        patient=patient.id,
        disorder=patient.disorder.name,
        date=patient.date,
        sessions=(
            Session(product="onabotulinumtoxinA", dilution_u_per_ml=50, injections=injections),
        ),
    )
    basis = model(patient, draws=40, seed=1)
    toxin, without = (
        np.median(simulate(p, patient, basis, DAYS).of("FVC"), axis=0)
        for p in (plan, plan.untreated())
    )
    assert without[0] == pytest.approx(75)
    return 100 * (toxin / without - 1)


def test_healthy_junctions_lose_less_than_was_seen() -> None:
    """Known misfit: below 1 % in week 3 where 5 to 8 % were seen."""
    assert -1 < _lost_percent(240, ())[1] <= 0


def test_the_size_lies_between_two_kinds_of_weakness_but_not_the_time() -> None:
    """Known misfit: in week 3 a motor neuropathy loses 2 %, myasthenia 21 %; seen were 5 to 8 %.

    The model's loss fades by week 12, the trial's did not by week 24: an open question.
    """
    neuropathy = _lost_percent(360, ("motor_neuropathy",))
    myasthenia = _lost_percent(360, ("myasthenia_gravis",))
    assert neuropathy[1] == pytest.approx(-2.3, abs=1)
    assert myasthenia[1] == pytest.approx(-21, abs=5)
    assert abs(neuropathy[-1]) < 0.2 * abs(neuropathy.min())
