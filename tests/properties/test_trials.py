"""Who is in a trial and what they read hangs on seed and number, not on the rest of the design."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from openbont.trials.people import BLOCK
from openbont.trials.readings import run_block
from openbont.trials.run import run_trial
from tests.trials import PLACEBO, arm, digest, same, trial

few = settings(max_examples=4)
seeds = st.integers(0, 2**31)
doses = st.floats(1, 200)


@few
@given(dose_u=doses, seed=seeds)
def test_two_arms_of_the_same_content_read_the_same(dose_u: float, seed: int) -> None:
    block = run_block(trial(arm("one", dose_u), arm("other", dose_u)), seed, 0)
    assert block.value[0].tobytes() == block.value[1].tobytes()


@few
@given(dose_u=doses, seed=seeds)
def test_vials_without_toxin_are_placebo_whatever_they_were_meant_to_hold(
    dose_u: float, seed: int
) -> None:
    empty = arm("empty", dose_u, placebo_weeks=(0.0,))
    block = run_block(trial(arm(), PLACEBO, empty, arm("no units", 0.0)), seed, 0)
    assert block.value[1].tobytes() == block.value[2].tobytes() == block.value[3].tobytes()


@few
@given(dose_u=doses, seed=seeds, number=st.integers(0, 1000))
def test_another_arm_changes_nothing_in_the_others(dose_u: float, seed: int, number: int) -> None:
    two = run_block(trial(), seed, number)
    three = run_block(trial(arm(), PLACEBO, arm("more", dose_u)), seed, number)
    assert two.value.tobytes() == three.value[:2].tobytes()
    assert two.entry.tobytes() == three.entry.tobytes()


@few
@given(seed=seeds)
def test_another_replicate_changes_nothing_in_the_first_ones(seed: int) -> None:
    few_runs, more = (
        run_trial(trial(replicates=runs, patients=BLOCK // 5), seed) for runs in (3, 7)
    )
    assert few_runs.sums.tobytes() == more.sums[:, :3].tobytes()


@few
@given(seed=seeds)
def test_another_seed_or_block_is_other_people(seed: int) -> None:
    one, other, later = (run_block(trial(), *of) for of in ((seed, 0), (seed + 1, 0), (seed, 1)))
    for different in (other, later):
        there = ~np.isnan(one.value[:, 0]) & ~np.isnan(different.value[:, 0])
        assert there.sum() > BLOCK
        assert (one.value[:, 0] != different.value[:, 0])[there].all()


@few
@given(seed=seeds)
def test_everyone_leaves_in_the_same_week_of_every_arm(seed: int) -> None:
    gone = np.isnan(run_block(trial(), seed, 0).value)
    assert gone.any()
    assert (gone == gone[0, 0]).all()
    assert (gone[..., 1, :] >= gone[..., 0, :]).all()


@few
@given(seed=seeds)
def test_the_same_seed_gives_the_same_bytes(seed: int) -> None:
    assert same(run_block(trial(), seed, 3), run_block(trial(), seed, 3))
    short = trial(replicates=20)
    in_one = run_trial(short, seed, blocks=lambda d, s, n: (run_block(d, s, one) for one in n))
    assert digest(in_one) == digest(run_trial(short, seed))
