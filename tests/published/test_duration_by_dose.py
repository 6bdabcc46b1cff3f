"""Dose and duration in biceps: 125 d for 100 U, a light-chain half-life or less more a doubling.

Observed: onset in 1 to 3 days, peak in 1 to 4 weeks, about 12 weeks; 30 to 36 more days for each
doubling (PRA 20 to 40 U in the glabella; Foran 2003 for the half-life). An ending takes up less of
a dense dose, so that the last doublings add less than the first.
"""

import numpy as np
import pytest

from tests.published.bench import BICEPS, EDB, inject

EXPECTED_DAYS = {25: 50, 50: 87, 100: 125, 200: 160, 400: 190}


@pytest.mark.parametrize("dose_u", EXPECTED_DAYS)
def test_days_with_a_loss_of_30_percent(dose_u: float) -> None:
    """Four sites in the end-plate zone, 0.5 mL each; tolerance 9 % or 3 days."""
    days = inject(BICEPS, dose_u, sites=4, volume_ml=0.5).days_with_loss(0.3)
    assert days == pytest.approx(EXPECTED_DAYS[dose_u], rel=0.09, abs=3)


def test_course_of_100_units() -> None:
    """Peak loss 0.60 on day 11; 10, 50, 90 % of it on day 0.8, 1.5, 4.5."""
    run = inject(BICEPS, 100, sites=4, volume_ml=0.5)
    peak = run.cmap.max()
    reached = [run.day[(run.cmap >= share * peak).argmax()] for share in (0.1, 0.5, 0.9)]
    assert peak == pytest.approx(0.60, abs=0.03)
    assert run.day[run.cmap.argmax()] == pytest.approx(11, abs=3)
    assert reached == pytest.approx([0.8, 1.5, 4.5], abs=0.5)


def test_one_half_life_for_each_doubling() -> None:
    """Late in the course, where fibre size and sprouts matter little: 35 days, tolerance 20 %."""
    uniform = [inject(EDB, dose_u).days_with_loss(0.5) for dose_u in (10, 20, 40)]
    assert np.diff(uniform).mean() == pytest.approx(35, rel=0.20)
