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


def left(
    products: list[int], days: list[float], threshold: float, doses_u: list[float] | None = None
) -> list[float]:
    """Share of each session's dose that is not neutralised."""
    stage: Immunity = jax.tree.map(lambda leaf: leaf[0], immunity(Sampler(2, 1)))
    stage = eqx.tree_at(lambda s: (s.threshold, s.titre), stage, (threshold, 3.0))
    count = len(days)
    shots = Shots(
        np.array(doses_u or [300.0] * count),
        np.ones(count),
        np.zeros((count, 3)),
        np.zeros(count, int),
        np.arange(count),
    )
    with jax.enable_x64(True):
        titre = stage.neutralisation(shots, Sessions(np.array(days), np.array(products)))
        return list(1 / (1 + np.asarray(titre)))


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
    days = [0.0, 84.0, 168.0]
    assert left([A, A], [0.0, 84.0], threshold=1e-9, doses_u=[0.0, 300.0])[1] == 1
    faded = left([A, A, A], days, threshold=1e-9, doses_u=[300.0, 0.0, 300.0])[2]
    boosted = left([A, A, A], days, threshold=1e-9)[2]
    assert faded == pytest.approx(1 / (1 + 3 * 0.5 ** (168 / 540)))
    assert boosted < faded


def test_share_of_converters_grows_with_cycles() -> None:
    """About 0.1 to 2 % a year of treatment (Naumann 2010: 0.5 % after 3.8 treatments)."""
    stage = immunity(Sampler(20_000, 1))
    one_dose = stage.hazard_per_ng * (300 * stage.ng_per_u[:, A]) ** stage.mass_power
    converted = [(stage.threshold < cycles * one_dose).mean() for cycles in (1, 4, 12)]
    assert converted == sorted(converted)
    assert 0.001 < converted[1] < 0.03
