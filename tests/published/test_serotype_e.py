"""Serotype E in man: onset below 24 h, effect for 14 to 30 days (EB-001; Eleopra 1998)."""

import pytest

from tests.published.bench import EDB, inject

HALF_LIFE_DAY = 2.0


@pytest.mark.parametrize("dose_u", [5, 20, 80])
def test_short_course(dose_u: float) -> None:
    """Prototype: 0.29 to 0.77 lost at 24 h, peak on day 4.5, at least 0.15 lost for 14 to 24 d."""
    run = inject(EDB, dose_u, half_life_day=HALF_LIFE_DAY)
    assert 0.24 <= run.at(1) <= 0.82
    assert run.day[run.cmap.argmax()] == pytest.approx(4.5, abs=1)
    assert 14 <= run.days_with_loss(0.15) <= 30
