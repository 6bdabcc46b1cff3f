"""Few nodes and longer steps for populations against all nodes and the steps of one patient."""

from pathlib import Path

import numpy as np
import pytest

from openbont.catalog.model import cohort, model
from openbont.design import Design
from openbont.forward.chain import readings, treatment
from openbont.forward.reduced import reduced
from openbont.io import load_design
from openbont.trials.people import spans
from openbont.trials.readings import COARSER

TRIALS = Path(__file__).parents[2] / "examples" / "trials"
N = 24


def means(design: Design, arm: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean of the primary reading by day, reduced and whole."""
    people = cohort(design.patient, N, 1, spans(design.entry)).model
    usual = model(design.patient, 64)
    days = np.unique([0.0, *(7 * week for week in design.weeks)])
    plan, who = design.groups[arm].plan(design.patient), design.patient
    small = reduced(treatment(plan, who, usual, days, COARSER), usual)
    whole = treatment(plan, who, usual, days)
    scale, where = design.endpoints[0].places[0]
    names = [(one.scale, one.where) for one in people.stages.measures]
    at = names.index((scale, where))
    few, all_ = (readings(people, one)[:, :, at].mean(0) for one in (small, whole))
    return few, all_


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [("preempt", 0.05), ("leg_after_stroke", 0.012), ("axillary_sweating", 0.5)],
)
def test_means_are_those_of_all_nodes(name: str, tolerance: float) -> None:
    """Days a month, grades, mg: 2 to 3 % of what toxin does, or less."""
    few, all_ = means(load_design(TRIALS / f"{name}.yaml"), 0)
    assert np.abs(few - all_).max() < tolerance
    assert abs(all_[2] - all_[0]) > 20 * tolerance, "there is an effect to compare with"


def test_no_toxin_is_exactly_the_same() -> None:
    few, all_ = means(load_design(TRIALS / "glabellar_pivotal.yaml"), 1)
    assert few == pytest.approx(all_, abs=1e-4), "steps in time alone"
