"""Where the toxin of a plan goes: at a place, in a structure, and all of it together."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from openbont.catalog.model import model
from openbont.forward.exposure import Toxin, toxin
from openbont.io import load_patient, load_plan

EXAMPLES = Path(__file__).parents[2] / "examples"
MAPPED, FLAT = "arm_after_stroke", "glabellar_lines"


@cache
def seen(example: str) -> Toxin:
    folder = EXAMPLES / example
    patient, plan = load_patient(folder / "patient.yaml"), load_plan(folder / "plan.yaml")
    return toxin(plan, model(patient, draws=4, seed=1))


@pytest.mark.parametrize("example", [MAPPED, FLAT])
def test_all_units_end_somewhere(example: str) -> None:
    shares = seen(example).fate()
    assert sum(shares.values()) == pytest.approx(1, abs=1e-3)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)


def test_units_of_a_structure_are_those_of_its_share() -> None:
    """Two ways to the same number: places of the muscle, and cells of the boxes."""
    found = seen(MAPPED)
    total_u = sum(site.dose_u for site in found.sites)
    shares = found.fate()
    for one in found.exposures():
        if shares.get(one.structure, 0.0) > 0.05:
            assert one.captured_u == pytest.approx(shares[one.structure] * total_u, rel=0.15)


def test_more_toxin_takes_more_function() -> None:
    for one in seen(MAPPED).exposures():
        ranked = one.loss[np.argsort(one.at_endings)]
        assert (np.diff(ranked) >= -1e-5).all()


def test_toxin_is_densest_at_its_site() -> None:
    found = seen(MAPPED)
    site_mm = found.shots.site_mm[found.sites[0].number]
    away = site_mm + np.array([[0.0, 0.0, 0.0], [12.0, 0.0, 0.0], [60.0, 0.0, 0.0]])
    here, near, far = found.at(away)
    assert here > near > far
    assert far < 0.01 * here
