"""Sloop et al. 1997: types A and B in human extensor digitorum brevis over 57 weeks."""

import numpy as np
import pytest

from tests.published.bench import EDB, inject

B = "rimabotulinumtoxinB"


@pytest.mark.parametrize("dose_u", [7.5, 10])
def test_type_a_on_day_14(dose_u: float) -> None:
    """Observed 0.70 to 0.80; tolerance 0.03 beyond."""
    assert 0.67 <= inject(EDB, dose_u).at(14) <= 0.83


def test_type_a_at_week_7() -> None:
    """Observed 0.94 of the day-14 loss; the model falls a little sooner. Tolerance 0.09."""
    run = inject(EDB, 8.75)
    assert run.at(49) / run.at(14) == pytest.approx(0.94, abs=0.09)


@pytest.mark.parametrize("dose_u", [320, 480])
def test_type_b_on_day_14(dose_u: float) -> None:
    """Observed 0.50 to 0.75."""
    assert 0.50 <= inject(EDB, dose_u, product=B).at(14) <= 0.75


def test_type_b_recovery() -> None:
    """Observed: 66 % recovered at week 7, complete at week 11. Tolerances 10 points, 0.10."""
    runs = [inject(EDB, dose_u, product=B) for dose_u in (320, 480)]
    fallen = [1 - run.at(49) / run.at(14) for run in runs]
    assert sum(fallen) / 2 == pytest.approx(0.66, abs=0.10)
    assert max(run.at(77) for run in runs) <= 0.10


def test_known_misfit_the_tail_of_type_a_is_too_short() -> None:
    """Observed at week 57: 0.22 of the early loss. The model keeps a third of that or less."""
    run = inject(EDB, 8.75, days=np.arange(0, 400.25, 0.25))
    assert 0.0 < run.at(399) / run.at(14) < 0.12
