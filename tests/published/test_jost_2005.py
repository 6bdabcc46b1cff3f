"""Jost et al. 2005: 4 U in extensor digitorum brevis, still about 40 % lost on day 90."""

import pytest

from tests.published.bench import EDB, inject


@pytest.mark.parametrize("product", ["onabotulinumtoxinA", "incobotulinumtoxinA"])
def test_loss_on_day_90(product: str) -> None:
    """Tolerance 0.05; the curves of the two products lay upon each other."""
    assert inject(EDB, 4, product=product).at(90) == pytest.approx(0.40, abs=0.05)
