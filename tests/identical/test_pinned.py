"""Pinned outcomes of the examples. A change must be named in CHANGELOG, "Numbers that changed".

Reference values for this version, six significant digits; another processor may differ in the
last digit, hence the relative tolerance of 1e-4.
"""

from pathlib import Path

import numpy as np
import pytest

from openbont.catalog.model import model
from openbont.forward.chain import simulate
from openbont.io import load_patient, load_plan

EXAMPLES = Path(__file__).parents[2] / "examples"
DAYS = (0, 14, 42, 84, 168)
PINNED = {
    ("arm_after_stroke", "MAS", "wrist_flexors.left"): (
        2.78237,
        1.42789,
        1.46483,
        1.61951,
        1.93691,
    ),
    ("arm_after_stroke", "strength", "grip.left"): (1, 0.733777, 0.79704, 0.847277, 0.914814),
    ("chronic_migraine", "headache_days_28", ""): (18.6607, 17.2088, 12.2764, 10.0876, 10.2240),
    ("chronic_migraine", "strength", "neck_extension"): (1, 0.775472, 0.835114, 0.897399, 0.945313),
}


def medians(example: str) -> dict[tuple[str, str, str], np.ndarray]:
    folder = EXAMPLES / example
    patient, plan = load_patient(folder / "patient.yaml"), load_plan(folder / "plan.yaml")
    course = simulate(plan, patient, model(patient, draws=50, seed=1), DAYS)
    return {
        (example, m.scale, m.where): np.median(course.of(m.scale, m.where), axis=0)
        for m in course.measures
    }


@pytest.mark.parametrize("example", ["arm_after_stroke", "chronic_migraine"])
def test_medians_are_what_they_were(example: str) -> None:
    now = medians(example)
    for key, then in PINNED.items():
        if key[0] == example:
            assert now[key] == pytest.approx(then, rel=1e-4), key
