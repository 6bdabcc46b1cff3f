"""Repeated injection: a stable response (Mejia), shrinking fibres (Fortuna, Schroeder)."""

import numpy as np
import pytest

from tests.published.bench import EDB, inject


def test_five_cycles_of_twelve_weeks() -> None:
    """Prototype: peak .80 to .81, loss before the next dose .57 to .61, fibre size .83 to .77."""
    run = inject(EDB, 8.75, cycles=5, days=np.arange(0, 421, 0.5))
    peaks = [run.cmap[(run.day >= 84 * n) & (run.day < 84 * (n + 1))].max() for n in range(5)]
    before = [run.at(84 * n - 0.5) for n in range(1, 5)]
    assert np.ptp(peaks) < 0.03
    assert before == pytest.approx([0.57, 0.60, 0.61, 0.61], abs=0.04)
    assert run.fibre[run.day == 84][0] == pytest.approx(0.83, abs=0.04)
    assert run.fibre[-1] == pytest.approx(0.77, abs=0.03)
