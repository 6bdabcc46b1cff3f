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
        1.42573,
        1.48064,
        1.74421,
        2.19817,
    ),
    ("arm_after_stroke", "strength", "grip.left"): (1, 0.734427, 0.798096, 0.853937, 0.938365),
    ("chronic_migraine", "headache_days_28", ""): (18.6607, 17.2135, 12.2822, 10.0991, 10.2701),
    ("chronic_migraine", "strength", "neck_extension"): (1, 0.777455, 0.840017, 0.900733, 0.957785),
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
