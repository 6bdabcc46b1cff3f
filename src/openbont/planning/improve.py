"""A plan held against the best that reaches at least as much: fewest units, then least spill."""

from dataclasses import dataclass, replace

import numpy as np

from openbont.catalog.model import model
from openbont.errors import NoPlan
from openbont.patient import Patient
from openbont.plan import Plan
from openbont.planning.choice import Choice
from openbont.planning.compare import side_of
from openbont.planning.judge import Judged
from openbont.planning.limits import Limits, limits
from openbont.planning.pattern import patterns
from openbont.planning.polish import Polished, polish
from openbont.planning.prepared import Prepared, Settled
from openbont.planning.propose import prepared
from openbont.planning.spared import Reached, spilled
from openbont.planning.task import refuse

_LESS = 1e-6
_WORTH_SAYING = 0.01


@dataclass(frozen=True)
class Standing:
    """A plan by the numbers that are compared."""

    plan: Plan
    effect: float
    """Share of the wanted effect by the full model."""
    spill: tuple[Reached, ...]

    @property
    def units(self) -> float:
        """Units of the session."""
        return self.plan.sessions[0].dose.value_u

    @property
    def needles(self) -> int:
        """Needle sites."""
        return sum(one.sites for one in self.plan.sessions[0].injections)

    @property
    def spilled(self) -> float:
        """Toxin captured by spared structures, each relative to its ceiling."""
        return spilled(self.spill)


@dataclass(frozen=True)
class Improvement:
    """The reference, the best plan that reaches as much, and what that gains."""

    reference: Standing
    proposal: Standing
    gap: float
    """Share of units that another plan of the same own effect could save at most; 0 = proven."""
    words: str

    @property
    def better(self) -> bool:
        """True when the proposal uses fewer units or spills less."""
        ours, theirs = self.proposal, self.reference
        return ours.units < theirs.units - _LESS or ours.spilled < theirs.spilled - _WORTH_SAYING


def improve(reference: Plan, patient: Patient, draws: int = 32, seed: int = 1) -> Improvement:
    """The fewest units, then the least spill, that reach what the reference reaches.

    The reference is one session, whose dilution is kept. Where a label fixes doses and sites, or
    nothing within the limits reaches as much with less, the reference is already best. Raises
    NoPlan as `propose` does.
    """
    allowed = limits(patient, reference.sessions[0].product, reference.date, reference.disorder)
    if allowed.pattern:
        return _fixed(reference, patient, allowed, draws, seed)
    own = reference.sessions[0].dilution_u_per_ml
    (ready,) = prepared(patient, allowed, draws, seed, dilutions=[own])
    choice = replace(ready.choice(), priced=False)
    theirs = ready.judge(choice)(reference)
    held = Standing(reference, theirs.effect, theirs.reached)
    try:
        best = _fewest(ready, choice, theirs.effect)
    except NoPlan:
        return Improvement(held, held, 0.0, _unmatched(theirs))
    plan = ready.plan(best.choice, best.best.picks)
    refuse(plan, patient)
    found = Standing(plan, best.judged.effect, best.judged.reached)
    made = Improvement(held, found, best.best.saving, "")
    if made.better:
        return replace(made, words=_gained(made))
    words = "nothing that reaches as much takes less: the reference is best"
    return replace(made, proposal=held, words=words)


def _fewest(ready: Prepared, choice: Choice, effect: float) -> Settled:
    """Fewest units by the exact choice, then steps down by the full model."""
    found = ready.fewest(choice, "units", effect)

    def score(picks: np.ndarray, judged: Judged) -> float:
        enough = judged.effect >= effect - _LESS
        return -found.choice.amount(picks, "units") if enough else -np.inf

    start = Polished(found.best.picks, found.judged, 0)
    end = polish(ready, found.choice, start, score)
    return Settled(replace(found.best, picks=end.picks), found.choice, end.judged)


def _fixed(
    reference: Plan, patient: Patient, allowed: Limits, draws: int, seed: int
) -> Improvement:
    """The label's own pattern is the only plan to hold the reference against."""
    label = patterns(patient, allowed, draws, seed, lambda words: None)[0]
    best = Standing(label.plan, label.value, label.spill)
    words = "the label fixes doses and sites: the reference is already best"
    if reference.sessions[0].injections == label.plan.sessions[0].injections:
        return Improvement(replace(best, plan=reference), replace(best, plan=reference), 0.0, words)
    side = side_of(reference, patient, model(patient, draws, seed))
    held = Standing(reference, side.effect or 0.0, side.spill)
    made = Improvement(held, best, 0.0, words)
    if made.better and made.proposal.effect >= held.effect - _LESS:
        return replace(made, words=f"the label's pattern: {_gained(made)}")
    return replace(made, proposal=held)


def _gained(made: Improvement) -> str:
    ours, theirs = made.proposal, made.reference
    return (
        f"{ours.units - theirs.units:+g} U, {ours.needles - theirs.needles:+d} needles, "
        f"spill {theirs.spilled:.3f} to {ours.spilled:.3f} of the ceilings, "
        f"effect {theirs.effect:.3f} to {ours.effect:.3f}"
    )


def _unmatched(theirs: Judged) -> str:
    """Why nothing within the limits reaches as much."""
    passed = [one.ceiling.words for one in theirs.reached if not one.kept_enough]
    if theirs.short.max(initial=0.0) > 0:
        passed.append("a function to keep")
    if passed:
        return f"the reference passes a limit ({', '.join(passed)}); nothing within reaches as much"
    return "nothing within the limits reaches as much: the reference is best"
