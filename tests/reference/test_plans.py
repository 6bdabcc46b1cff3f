"""Twelve cases: each proposal keeps every limit and, at the reference's effect or more, takes fewer
units or spills less; or the reference is said to be already best."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from openbont.errors import NoPlan
from openbont.io import load_patient, load_plan
from openbont.planning.choice import Choice, choose
from openbont.planning.improve import Improvement, improve
from openbont.planning.limits import limits
from openbont.planning.prepared import Prepared
from openbont.planning.propose import prepared
from openbont.planning.task import stops

CASES = Path(__file__).parents[2] / "examples" / "plans"
FIXED = {"glabella", "upper_face", "migraine", "bladder", "axilla", "parotid"}
DRAWS = 4


@pytest.fixture(scope="module", params=sorted(one.name for one in CASES.iterdir()))
def held(request: pytest.FixtureRequest) -> tuple[str, Improvement]:
    folder = CASES / request.param
    patient = load_patient(folder / "patient.yaml")
    made = improve(load_plan(folder / "reference.yaml"), patient, DRAWS)
    ours, theirs = made.proposal, made.reference
    for name, one in (("reference", theirs), ("proposal", ours)):
        print(
            f"{request.param:24}{name:10}{one.units:6g} U{one.needles:4} sites  "
            f"effect {one.effect:.3f}  spill {one.spilled:.4f}"
        )
    print(f"{request.param:24}gap {made.gap:.1e}; {made.words}")
    return request.param, made


def test_limits_are_kept(held: tuple[str, Improvement]) -> None:
    name, made = held
    patient = load_patient(CASES / name / "patient.yaml")
    assert not stops(made.proposal.plan, patient)
    assert all(one.kept_enough for one in made.proposal.spill)


def test_as_much_for_less_or_the_reference_is_best(held: tuple[str, Improvement]) -> None:
    name, made = held
    ours, theirs = made.proposal, made.reference
    assert ours.effect >= theirs.effect - 1e-6
    assert ours.units <= theirs.units
    assert made.gap <= 1e-6
    assert made.better or made.words.endswith("best")
    assert made.better or ours.plan == theirs.plan
    assert not (made.better and name in FIXED)


@pytest.fixture(scope="module")
def ready() -> Prepared:
    """Two muscles for one wrist, fingers spared, every option."""
    patient = load_patient(CASES / "wrist_only" / "patient.yaml")
    return prepared(patient, limits(patient, "onabotulinumtoxinA"), DRAWS, 1)[0]


@pytest.fixture(scope="module")
def wrist(ready: Prepared) -> Choice:
    return ready.choice()


def test_no_pair_of_doses_reaches_as_much_with_fewer_units(ready: Prepared, wrist: Choice) -> None:
    """Every pair near the answer, by the full model: the exact choice and its steps miss none."""
    folder = CASES / "wrist_only"
    patient, reference = load_patient(folder / "patient.yaml"), load_plan(folder / "reference.yaml")
    made, judge = improve(reference, patient, DRAWS), ready.judge(wrist)
    near = [p for p in _every(wrist) if 0.85 <= wrist.units(p) / made.proposal.units < 1]
    assert len(near) > 5
    for picks in near:
        judged = judge(ready.plan(wrist, picks))
        assert judged.effect < made.reference.effect or not judged.within


@pytest.mark.parametrize("share", [1.0, 0.9, 0.7])
def test_brute_force_agrees_where_spill_is_limited(wrist: Choice, share: float) -> None:
    """Ceilings at a share of what the largest doses spill: all pairs of options are tried."""
    most = wrist.spilled(np.array([len(options) - 1 for options in wrist.options_u]))
    tight = wrist.with_ceiling(share * most)
    found = [picks for picks in _every(tight) if tight.allowed(picks)]
    best = choose(tight)
    assert len(found) > 1
    assert tight.allowed(best.picks)
    assert best.value == pytest.approx(max(map(tight.value, found)), abs=2e-6)


@pytest.mark.parametrize("aim", ["units", "needles", "spill"])
def test_brute_force_agrees_on_the_least_of_each(wrist: Choice, aim: str) -> None:
    wanted = 0.9 * choose(wrist).value
    enough = [p for p in _every(wrist) if wrist.allowed(p) and wrist.value(p) >= wanted]
    best = choose(wrist, wanted, aim)  # type: ignore[arg-type]
    least = min(wrist.amount(p, aim) for p in enough)  # type: ignore[arg-type]
    assert wrist.value(best.picks) >= wanted - 1e-6
    assert wrist.amount(best.picks, aim) == pytest.approx(least, rel=1e-4)  # type: ignore[arg-type]


def test_nothing_may_be_spilled_is_no_plan_with_toxin(wrist: Choice) -> None:
    dry = wrist.with_ceiling(np.full(len(wrist.ceilings), 1e-12))
    assert not choose(dry).picks.any()
    with pytest.raises(NoPlan):
        choose(dry, 0.5 * choose(wrist).value)


def _every(choice: Choice) -> list[np.ndarray]:
    return [np.array(p) for p in product(*(range(len(o)) for o in choice.options_u))]
