"""Antibodies: who converts, what is left of a dose, and of which serotype."""

import equinox as eqx
import jax
import numpy as np
import pytest

from openbont.catalog.model import PRODUCTS, immunity
from openbont.catalog.sampling import Sampler
from openbont.forward.arrays import Sessions, Shots
from openbont.forward.immunity import Immunity

A, B = (PRODUCTS.index(name) for name in ("onabotulinumtoxinA", "rimabotulinumtoxinB"))


def left(products: list[int], days: list[float], threshold: float, dose_u: float = 300) -> list:
    """Share of each session's dose that is not neutralised."""
    stage: Immunity = jax.tree.map(lambda leaf: leaf[0], immunity(Sampler(2, 1)))
    stage = eqx.tree_at(lambda s: (s.threshold, s.titre), stage, (threshold, 3.0))
    count = len(days)
    shots = Shots(
        np.full(count, dose_u),
        np.ones(count),
        np.zeros((count, 3)),
        np.zeros(count, int),
        np.arange(count),
    )
    with jax.enable_x64(True):
        effective = stage(shots, Sessions(np.array(days), np.array(products)))
        return list(np.asarray(effective.dose_u) / dose_u)


def test_nobody_converts_below_the_threshold() -> None:
    assert left([A, A, A], [0.0, 84.0, 168.0], threshold=1e9) == [1, 1, 1]


def test_the_injection_that_converts_still_works_itself() -> None:
    first, second, third = left([A, A, A], [0.0, 84.0, 168.0], threshold=1e-9)
    assert first == 1
    assert second == pytest.approx(1 / (1 + 3 * 0.5 ** (84 / 540)))
    assert third < second


def test_antibodies_to_one_serotype_spare_another() -> None:
    _, other, again = left([A, B, A], [0.0, 84.0, 168.0], threshold=1e-9)
    assert other == 1
    assert again < 1


def test_an_empty_syringe_neither_converts_nor_boosts() -> None:
    assert left([A, A], [0.0, 84.0], threshold=1e-9, dose_u=1e-300)[1] == 1


def test_share_of_converters_grows_with_cycles() -> None:
    """About 0.1 to 2 % a year of treatment (Naumann 2010: 0.5 % after 3.8 treatments)."""
    stage = immunity(Sampler(20_000, 1))
    one_dose = stage.hazard_per_ng * (300 * stage.ng_per_u[:, A]) ** stage.mass_power
    converted = [(stage.threshold < cycles * one_dose).mean() for cycles in (1, 4, 12)]
    assert converted == sorted(converted)
    assert 0.001 < converted[1] < 0.03
