"""Instrumented wrist resistance: what toxin takes is reflex, never the passive part.

Observed with the NeuroFlexor (n = 18): neural component -11.96 N at week 6 and -9.34 N at week 12,
elastic and viscous components unchanged. A second study (n = 22) was back by week 12, so the ratio
of week 12 to week 6 is 0.45 +- 0.35. Doses are not reported here: 50 U in each of four flexors.
"""

import equinox as eqx
import jax
import numpy as np
import pytest

from openbont.catalog.model import model
from openbont.forward.chain import Course
from openbont.patient import Reading
from tests.published.arm import FOUR, WRIST, cohort, courses

PATIENT = cohort(Reading(scale="MAS", value="3", where=WRIST))


@pytest.fixture(scope="module")
def treated() -> Course:
    arms = {"toxin": dict.fromkeys(FOUR, 50.0)}
    return courses(PATIENT, arms, [0, 42, 84], draws=200)["toxin"]


@pytest.fixture(scope="module")
def parts(treated: Course) -> tuple[np.ndarray, np.ndarray]:
    """Reflex and passive part of the wrist's resistance, (draw, visit)."""
    disorder = model(PATIENT, draws=200, seed=5).stages.disorder
    with jax.enable_x64(True):
        reflex = eqx.filter_vmap(lambda one, tissue: one.reflex(tissue))(disorder, treated.response)
        whole = eqx.filter_vmap(lambda one, t: one.resistance(t))(disorder, treated.response)
    neural = (1 - np.asarray(disorder.passive_share)) * np.asarray(reflex)[:, :, 0]
    return neural, np.asarray(whole)[:, :, 0] - neural


def test_the_passive_part_stays(parts: tuple[np.ndarray, np.ndarray]) -> None:
    _, passive = parts
    np.testing.assert_allclose(passive, passive[:, [0]].repeat(3, axis=1), atol=1e-12)
    assert passive.min() > 0.05


def test_the_neural_part_falls(parts: tuple[np.ndarray, np.ndarray]) -> None:
    neural, _ = parts
    fall = neural[:, [0]] - neural
    assert (fall[:, 1] > 0.1).all()


def test_known_misfit_week_12(parts: tuple[np.ndarray, np.ndarray]) -> None:
    """The first study alone has 0.78; the model keeps 0.88 of the fall, outside 0.45 +- 0.35."""
    neural, _ = parts
    fall = neural[:, [0]] - neural
    kept = np.median(fall[:, 2] / fall[:, 1])
    assert kept == pytest.approx(0.88, abs=0.03)
    assert kept > 0.80
