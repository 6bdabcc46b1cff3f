"""The closed-form chain of stages against 80 digits, and those against a matrix exponential."""

import decimal
import itertools
from decimal import Decimal
from math import prod

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

from openbont.forward.kinetics import bateman

DAYS = np.concatenate([np.geomspace(1e-3, 400, 15), [1.0, 14.0, 84.0]])
REFERENCE_PER_DAY = (0.9, 83.5, 203.0, 18.7, np.log(2) / 35)
PLASMA_PER_DAY = (0.9, 4.16, np.log(2) / 35)
RANDOM = [
    tuple(REFERENCE_PER_DAY * np.exp(np.random.default_rng(seed).normal(0, 1, 5)))
    for seed in range(30)
]


def exact(rates: tuple[float, ...], days: np.ndarray) -> np.ndarray:
    """The sum of exponentials with 80 digits; equal rates are set 1e-20 apart."""
    with decimal.localcontext(prec=80):
        apart = [Decimal(rate) * (1 + i * Decimal("1e-20")) for i, rate in enumerate(rates)]
        whole = prod(apart[:-1])
        weights = [whole / prod(b - a for b in apart if b is not a) for a in apart]
        return np.array([float(_sum(weights, apart, Decimal(day))) for day in days])


def _sum(weights: list[Decimal], rates: list[Decimal], day: Decimal) -> Decimal:
    return sum((w * (-rate * day).exp() for w, rate in zip(weights, rates, strict=True)), Decimal())


def ours(rates: tuple[float, ...], days: np.ndarray) -> np.ndarray:
    with jax.enable_x64(True):
        return np.asarray(jax.jit(bateman)([jnp.asarray(rate) for rate in rates], days))


def error(rates: tuple[float, ...]) -> float:
    """Largest error relative to the peak of the last stage."""
    truth = exact(rates, DAYS)
    return float(np.abs(ours(rates, DAYS) - truth).max() / truth.max())


def met(first: int, second: int, gap: float) -> tuple[float, ...]:
    rates = list(REFERENCE_PER_DAY)
    rates[second] = rates[first] * (1 + gap)
    return tuple(rates)


@pytest.mark.parametrize("rates", [REFERENCE_PER_DAY, PLASMA_PER_DAY])
def test_reference_rates(rates: tuple[float, ...]) -> None:
    assert error(rates) < 1e-12, "reached 1e-15"


def test_random_rates() -> None:
    assert max(map(error, RANDOM)) < 1e-9, "reached 2e-15"


def test_the_digits_are_those_of_the_matrix_exponential() -> None:
    for rates in (PLASMA_PER_DAY, *RANDOM):
        stages = np.diag(-np.asarray(rates)) + np.diag(rates[:-1], -1)
        truth = np.array([expm(stages * day)[-1, 0] for day in DAYS])
        assert np.abs(exact(rates, DAYS) - truth).max() < 1e-9 * truth.max()


@pytest.mark.parametrize("gap", [0, 1e-15, 1e-9, 0.99e-7, 1.01e-7, 1e-6, 1e-4, 1e-2])
@pytest.mark.parametrize("sign", [1, -1])
def test_two_rates_that_meet(gap: float, sign: int) -> None:
    """scipy's matrix exponential is no reference here: it loses its digits at a gap of 1e-15."""
    pairs = itertools.permutations(range(5), 2)
    worst = max(error(met(i, j, sign * gap)) for i, j in pairs)
    assert worst < 1e-6, "reached 3e-7 just inside the gap that is kept, 1e-8 outside"


def test_two_pairs_that_meet_at_once() -> None:
    assert error((0.9, 83.5, 83.5, 0.9, 0.02)) < 1e-6, "reached 6e-8"


def test_nothing_before_the_start() -> None:
    assert (ours(REFERENCE_PER_DAY, np.array([-1e9, -1.0, -1e-12, 0.0])) == 0).all()


def test_long_after_nothing_is_left_and_nothing_breaks() -> None:
    long_after = ours(REFERENCE_PER_DAY, np.geomspace(3e4, 1e300, 400))
    assert np.isfinite(long_after).all()
    assert (long_after >= 0).all()
    assert long_after[-1] == 0
    assert ours(REFERENCE_PER_DAY, np.array([np.inf]))[0] == 0
