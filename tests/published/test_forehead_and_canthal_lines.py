"""Forehead and lateral canthal lines with onabotulinumtoxinA on day 30, by two definitions.

Fitted: two grades better and none or mild for investigator and patient, in the forehead. The rest
is predicted. Rows of crow's feet are recalled from the label. Where a row is missed, the size of
the miss is asserted. Entry: moderate or severe for both.
"""

from pathlib import Path

import numpy as np
import pytest

from openbont.catalog.model import cohort
from openbont.catalog.sampling import Span
from openbont.forward.chain import simulate
from openbont.forward.scales import read
from openbont.io import load_patient, load_plan

EXAMPLES = Path(__file__).parents[2] / "examples"
N, DAYS, ENTRY = 400, (0, 30, 180), {"FWS": Span(2, 3), "FWS at subject": Span(2, 3)}


def arms(example: str) -> list[np.ndarray]:
    """Grades (rater, person, day) with the label's plan and with placebo."""
    folder = EXAMPLES / example
    patient, plan = load_patient(folder / "patient.yaml"), load_plan(folder / "plan.yaml")
    people = cohort(patient, N, 5, ENTRY).model
    courses = [simulate(one, patient, people, DAYS) for one in (plan, plan.untreated())]
    return [
        np.stack([read(c.of("FWS", m.where), m, seed=5) for m in c.measures[:2]]) for c in courses
    ]


@pytest.fixture(scope="module")
def forehead() -> list[np.ndarray]:
    return arms("forehead_lines")


@pytest.fixture(scope="module")
def canthal() -> list[np.ndarray]:
    return arms("lateral_canthal_lines")


def mild(grades: np.ndarray) -> float:
    """None or mild by the investigator on day 30, in per cent."""
    return 100 * float((grades[0, :, 1] <= 1).mean())


def composite(grades: np.ndarray) -> float:
    """Two grades better and none or mild for both on day 30, in per cent."""
    better = grades[:, :, 0] - grades[:, :, 1] >= 2
    return 100 * float((better & (grades[:, :, 1] <= 1)).all(axis=0).mean())


def test_placebo(forehead: list[np.ndarray], canthal: list[np.ndarray]) -> None:
    """Observed 0 and 1 % (forehead), 1 % (crow's feet) composite; tolerance 2 points."""
    assert composite(forehead[1]) == pytest.approx(0.5, abs=2)
    assert composite(canthal[1]) == pytest.approx(1, abs=2)


def test_misfit_composite_of_the_forehead(forehead: list[np.ndarray]) -> None:
    """Fitted, and still missed: observed 61 %, the model is 10 to 22 points below.

    The lines that stay at rest, fitted in the glabella, keep too many at one grade.
    """
    assert 10 < 61 - composite(forehead[0]) < 22


def test_misfit_crows_feet_do_too_well(canthal: list[np.ndarray]) -> None:
    """Observed 67 % none or mild, placebo 7 % (recalled): 22 to 35 points above, 2 to 8 below.

    A smile also folds the skin by zygomaticus and the cheek, which no toxin reaches here.
    """
    assert 22 < mild(canthal[0]) - 67 < 35
    assert 2 < 7 - mild(canthal[1]) < 8


def test_misfit_lasts_too_long(forehead: list[np.ndarray]) -> None:
    """Facial lines are treated for 3 to 4 months; on day 180 over 40 % are still none or mild."""
    assert 40 < 100 * (forehead[0][0, :, 2] <= 1).mean() < 80
