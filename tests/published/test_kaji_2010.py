"""Kaji et al. 2010: 200 to 240 U against 120 to 150 U, wrist tone over 12 weeks.

Observed: area under the curve of the change of MAS, difference to placebo -6.83 at the higher
dose, not significant at the lower (unit taken as grade x weeks). Doses by muscle are recalled:
50 U, or 30 U, in each of four flexors; the thumb adds nothing at the wrist. Nothing is tuned on
it.
"""

import numpy as np
import pytest

from openbont.patient import Reading
from tests.published.arm import FOUR, WRIST, cohort, courses, readings

WEEKS = np.arange(13)
OBSERVED = -6.83


@pytest.fixture(scope="module")
def area() -> dict[str, float]:
    """Difference to placebo in grade x weeks, by dose."""
    entry = cohort(Reading(scale="MAS", value="3", where=WRIST))
    arms = {"high": dict.fromkeys(FOUR, 50.0), "low": dict.fromkeys(FOUR, 30.0)}
    trial = courses(entry, arms, list(7 * WEEKS), draws=400)
    tone = {name: readings(course, "MAS", WRIST).mean(0) for name, course in trial.items()}
    return {name: float(np.trapezoid(tone[name] - tone["placebo"], WEEKS)) for name in arms}


def test_known_misfit_high_dose_does_too_much(area: dict[str, float]) -> None:
    """The model has -13.7: 6.9 grade-weeks, or 100 %, too much."""
    assert area["high"] == pytest.approx(-13.7, abs=1.0)
    assert area["high"] - OBSERVED == pytest.approx(-6.9, abs=1.0)


def test_known_misfit_low_dose_is_not_null(area: dict[str, float]) -> None:
    """Observed: not significant. The model keeps three quarters of the higher dose, -10.2."""
    assert area["low"] == pytest.approx(-10.2, abs=1.0)
    assert area["high"] < area["low"] < OBSERVED
