"""SIAXI: 100 U incobotulinumtoxinA in four salivary glands, flow at week 4.

Both rows were used to set the placebo response and what a gland secretes after a full block, which
lumps lobules that the needle missed; so this is a check of the whole path, not a prediction. With
every lobule reached the model would take away more than twice as much.
"""

from datetime import date

import equinox as eqx
import numpy as np
import pytest

from openbont.catalog.model import cohort
from openbont.catalog.sampling import Span
from openbont.forward.chain import Model, simulate
from openbont.patient import Disorder, Patient, Reading
from openbont.plan import Injection, Plan, Session
from openbont.planning.limits import limits

N = 600


@pytest.fixture(scope="module")
def case() -> tuple[Patient, Plan, Model]:
    patient = Patient(
        id="cohort",
        date=date(2026, 1, 1),
        age_years=65,
        sex="male",
        weight_kg=75,
        disorder=Disorder(name="sialorrhoea"),
        findings=(Reading(scale="saliva_flow", value=0.4),),
    )
    return patient, _plan(patient), _people(patient)


def _people(patient: Patient) -> Model:
    return cohort(patient, N, 3, {"saliva_flow": Span()}).model


def _plan(patient: Patient) -> Plan:
    injections = tuple(
        Injection(structure=one.structure, dose_u=one.dose_u, sites=one.sites)
        for one in limits(patient, "incobotulinumtoxinA").pattern
    )
    session = Session(product="incobotulinumtoxinA", dilution_u_per_ml=50.0, injections=injections)
    return Plan(
        patient=patient.id, disorder=patient.disorder.name, date=patient.date, sessions=(session,)
    )


def _change(flow: np.ndarray, week: int) -> float:
    return float((flow[:, week] - flow[:, 0]).mean())


def test_flow_at_week_4(case: tuple[Patient, Plan, Model]) -> None:
    """Observed -0.13 (SE 0.026) and -0.04 g/min (recalled, SE 0.033); tolerance one SE."""
    patient, plan, people = case
    toxin, placebo = (
        simulate(one, patient, people, range(0, 29, 7)).of("saliva_flow")
        for one in (plan, plan.untreated())
    )
    assert toxin[:, 0].mean() == pytest.approx(0.40, abs=0.03)
    assert _change(toxin, 4) == pytest.approx(-0.13, abs=0.026)
    assert _change(placebo, 4) == pytest.approx(-0.04, abs=0.033)


def test_every_lobule_reached_would_be_a_misfit(case: tuple[Patient, Plan, Model]) -> None:
    """With r = 0.1 the net change is about -0.2 g/min where -0.09 was seen."""
    patient, plan, people = case
    reached = eqx.tree_at(lambda m: m.stages.disorder.residual_share, people, np.full(N, 0.1))
    left = simulate(plan, patient, reached, (0, 28)).of("dry_mouth")[:, 1]
    assert 0.4 * (left.mean() - 1) == pytest.approx(-0.2, abs=0.05)


def test_children() -> None:
    """SIPEXI: 2 U/kg, at most 75 U, from 6 to 17 years: -0.14 (SE 0.018) and -0.07 (SE 0.026) g/min
    at week 4, both recalled. Only the placebo row could have been used, and was not.

    The toxin arm is met within 0.02. Known misfit: flow and placebo are those of adults, so that
    0.03 of the placebo's fall is lacking and toxin adds 0.11 where 0.07 was seen.
    """
    patient = Patient(
        id="children",
        date=date(2026, 1, 1),
        age_years=11,
        sex="male",
        weight_kg=35,
        disorder=Disorder(name="sialorrhoea"),
        findings=(Reading(scale="saliva_flow", value=0.4),),
    )
    people, plan = _people(patient), _plan(patient)
    toxin, placebo = (
        _change(simulate(one, patient, people, range(0, 29, 7)).of("saliva_flow"), 4)
        for one in (plan, plan.untreated())
    )
    assert [dose.value_u for dose in plan.totals().values()] == [75]
    assert placebo + 0.07 == pytest.approx(0.03, abs=0.02)
    assert toxin == pytest.approx(-0.14, abs=0.02)
    assert toxin - placebo + 0.07 == pytest.approx(-0.04, abs=0.02)
