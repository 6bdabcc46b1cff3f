"""The exact problem: one dose option for each muscle (multiple-choice knapsack), by HiGHS.

maximise   sum_g weight_g mean_(draw, week) progress_g  -  price x units / budget
such that  one option a muscle; progress <= 1 and <= fall reached / fall needed;
           units within each total; strength of each kept function above its floor
"""

from dataclasses import dataclass, replace
from typing import Any

import highspy
import numpy as np

from openbont.errors import NoPlan
from openbont.planning.objective import DOSE_PRICE, LEAST_FALL, Needs, progress

_GAP = 1e-6
_PROVEN = 1e-5
_LEAST_PART = 1e-8  # the solver refuses smaller coefficients


@dataclass(frozen=True)
class Total:
    """Units of some muscles together."""

    words: str
    members: np.ndarray
    """(muscle,) true for those that count."""
    max_u: float


@dataclass(frozen=True)
class Choice:
    """Dose options of each muscle and what each brings.

    Shapes: effect (muscle, option, goal, draw, week) is the fall of drive that the option
    brings; strength (muscle, option, function, week) the strength that it leaves in that muscle.
    `rest` (function, week) is the strength of muscles that are not injected.
    """

    muscles: tuple[str, ...]
    options_u: tuple[np.ndarray, ...]
    effect: tuple[np.ndarray, ...]
    strength: tuple[np.ndarray, ...]
    rest: np.ndarray
    totals: tuple[Total, ...]
    needs: Needs
    most: tuple[str, ...]
    """The most of each muscle, in words."""

    @property
    def budget_u(self) -> float:
        """Most units of all muscles together, the measure of the price on units."""
        largest = sum(float(options.max()) for options in self.options_u)
        return min([largest, *(t.max_u for t in self.totals if t.members.all())])

    def value(self, picks: np.ndarray) -> float:
        """Value of picking option `picks[m]` for each muscle m, limits aside."""
        fall = sum(effect[pick] for effect, pick in zip(self.effect, picks, strict=True))
        return progress(self.needs, np.asarray(fall)) - self.price(picks)

    def price(self, picks: np.ndarray) -> float:
        """What the units cost in value."""
        return DOSE_PRICE * self.units(picks) / self.budget_u

    def units(self, picks: np.ndarray) -> float:
        """Units of all muscles together."""
        return float(sum(o[p] for o, p in zip(self.options_u, picks, strict=True)))

    def kept(self, picks: np.ndarray) -> np.ndarray:
        """Strength left, (function, week)."""
        left = [strength[pick] for strength, pick in zip(self.strength, picks, strict=True)]
        return np.asarray(self.rest + sum(left))

    def allowed(self, picks: np.ndarray) -> bool:
        """True when every limit holds."""
        doses = np.array([o[p] for o, p in zip(self.options_u, picks, strict=True)])
        within = all(doses[t.members].sum() <= t.max_u + 1e-9 for t in self.totals)
        return within and bool((self.kept(picks) >= self.needs.floor - 1e-9).all())

    def with_floor(self, floor: np.ndarray) -> "Choice":
        """The same choice with other strength to keep."""
        return replace(self, needs=replace(self.needs, floor=floor))


@dataclass(frozen=True)
class Best:
    """The picks, their value, and the proof."""

    picks: np.ndarray
    value: float
    bound: float

    @property
    def gap(self) -> float:
        """Bound minus value: how much better any other plan could be."""
        return max(self.bound - self.value, 0.0)

    @property
    def proven(self) -> bool:
        """True when no other choice is better by more than the solver's tolerance."""
        return self.gap <= _PROVEN


def choose(choice: Choice, least_value: float | None = None) -> Best:
    """The best picks; with `least_value`, the fewest units that are worth at least that much.

    Raises NoPlan when no choice keeps the limits.
    """
    solver = highspy.Highs()
    solver.silent()
    solver.setOptionValue("mip_rel_gap", _GAP)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("random_seed", 1)
    picked = [
        [solver.addVariable(0, 1, type=highspy.HighsVarType.kInteger) for _ in options]
        for options in choice.options_u
    ]
    for one in picked:
        solver.addConstr(solver.qsum(one) == 1)
    for total in choice.totals:
        solver.addConstr(_units(solver, choice, picked, total.members) <= total.max_u)
    _keep_strength(solver, choice, picked)
    everything = np.ones(len(choice.muscles), bool)
    price = _units(solver, choice, picked, everything) * (DOSE_PRICE / choice.budget_u)
    worth = _progress(solver, choice, picked) - price
    if least_value is None:
        solver.maximize(worth)
    else:
        solver.addConstr(worth >= least_value)
        solver.minimize(_units(solver, choice, picked, everything))
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise NoPlan("no choice of doses keeps every limit; loosen a function to be kept")
    picks = np.array([int(np.argmax([solver.val(x) for x in one])) for one in picked])
    value = choice.value(picks)
    bound = solver.getInfo().mip_dual_bound if least_value is None else value
    return Best(picks, value, max(bound, value))


def _units(
    solver: highspy.Highs, choice: Choice, picked: list[list[Any]], members: np.ndarray
) -> Any:
    return solver.qsum(
        float(dose) * variable
        for options, row, member in zip(choice.options_u, picked, members, strict=True)
        if member
        for dose, variable in zip(options, row, strict=True)
        if dose > 0
    )


def _keep_strength(solver: highspy.Highs, choice: Choice, picked: list[list[Any]]) -> None:
    for place in np.ndindex(*choice.rest.shape):
        left = solver.qsum(
            float(strength[(option, *place)]) * variable
            for strength, row in zip(choice.strength, picked, strict=True)
            for option, variable in enumerate(row)
            if strength[(option, *place)] > _LEAST_PART
        )
        solver.addConstr(left >= float(choice.needs.floor[place[0], 0] - choice.rest[place]))


def _progress(solver: highspy.Highs, choice: Choice, picked: list[list[Any]]) -> Any:
    """Sum of weight x progress; a constant where a goal is reached without toxin."""
    needed = choice.needs.fall
    each = choice.needs.weight / (needed.shape[1] * needed.shape[2])
    terms, met = [], 0.0
    for place in np.ndindex(*needed.shape):
        if needed[place] <= LEAST_FALL:
            met += float(each[place[0]])
            continue
        part = solver.addVariable(0, 1)
        fall = solver.qsum(
            float(effect[(option, *place)] / needed[place]) * variable
            for effect, row in zip(choice.effect, picked, strict=True)
            for option, variable in enumerate(row)
            if abs(effect[(option, *place)] / needed[place]) > _LEAST_PART
        )
        solver.addConstr(part <= fall)
        terms.append(float(each[place[0]]) * part)
    return solver.qsum(terms) + met
