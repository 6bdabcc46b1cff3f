"""The exact problem: one option for each muscle (multiple-choice knapsack), by HiGHS.

maximise   sum_g weight_g mean_(draw, week) progress_g - price x units / budget - price x needles
such that  one option a muscle; progress <= 1 and <= fall reached / fall needed;
           units within each total; strength of each kept function above its floor;
           toxin captured by each spared structure below its ceiling
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from openbont.errors import NoPlan
from openbont.planning.objective import DOSE_PRICE, LEAST_FALL, NEEDLE_PRICE, Needs, progress
from openbont.planning.program import Program, solve
from openbont.planning.spared import Ceiling

_PROVEN = 1e-5
_TIE = 1e-4

Aim = Literal["value", "units", "needles", "spill"]


@dataclass(frozen=True)
class Total:
    """Units of some muscles together."""

    words: str
    members: np.ndarray
    """(muscle,) true for those that count."""
    max_u: float


@dataclass(frozen=True)
class Choice:
    """Options of each muscle and what each brings; the first option is no dose.

    Shapes: effect (muscle, option, goal, draw, week) is the fall of drive that the option
    brings; strength (muscle, option, function, week) the strength that it leaves in that muscle;
    spill (muscle, option, spared) the toxin that it puts into spared structures, U/cm3.
    `rest` (function, week) is the strength of muscles that are not injected.
    """

    muscles: tuple[str, ...]
    options_u: tuple[np.ndarray, ...]
    sites: tuple[np.ndarray, ...]
    effect: tuple[np.ndarray, ...]
    strength: tuple[np.ndarray, ...]
    spill: tuple[np.ndarray, ...]
    rest: np.ndarray
    totals: tuple[Total, ...]
    needs: Needs
    ceilings: tuple[Ceiling, ...]
    most: tuple[str, ...]
    """The most of each muscle, in words."""
    priced: bool = True
    """False: value is the wanted effect alone."""

    @property
    def budget_u(self) -> float:
        """Most units of all muscles together, the measure of the price on units."""
        largest = sum(float(options.max()) for options in self.options_u)
        return min([largest, *(t.max_u for t in self.totals if t.members.all())])

    @property
    def ceiling(self) -> np.ndarray:
        """Ceilings on captured toxin, (spared,)."""
        return np.array([one.captured_u_per_cm3 for one in self.ceilings])

    def value(self, picks: np.ndarray) -> float:
        """Value of picking option `picks[m]` for each muscle m, limits aside."""
        fall = np.asarray(sum(_picked(self.effect, picks)))
        return progress(self.needs, fall) - self.price(picks)

    def price(self, picks: np.ndarray) -> float:
        """What units and needles cost in value."""
        if not self.priced:
            return 0.0
        units = DOSE_PRICE * self.units(picks) / self.budget_u
        return units + NEEDLE_PRICE * self.needles(picks)

    def units(self, picks: np.ndarray) -> float:
        """Units of all muscles together."""
        return float(sum(_picked(self.options_u, picks)))

    def used_u(self, total: Total, picks: np.ndarray) -> float:
        """Units that count under a total."""
        return float(np.array(_picked(self.options_u, picks))[total.members].sum())

    def amount(self, picks: np.ndarray, aim: Aim) -> float:
        """What is to be least: units, needles or spill, the other two as ties."""
        ends = np.cumsum([len(options) for options in self.options_u])
        starts = ends - [len(options) for options in self.options_u]
        return float(_amounts(self, aim)[starts + picks].sum())

    def needles(self, picks: np.ndarray) -> int:
        """Needle sites of all muscles together."""
        return int(sum(_picked(self.needle_counts, picks)))

    @property
    def needle_counts(self) -> tuple[np.ndarray, ...]:
        """Needles of each option; none without a dose."""
        return tuple(n * (u > 0) for u, n in zip(self.options_u, self.sites, strict=True))

    def kept(self, picks: np.ndarray) -> np.ndarray:
        """Strength left, (function, week)."""
        return np.asarray(self.rest + sum(_picked(self.strength, picks)))

    def spilled(self, picks: np.ndarray) -> np.ndarray:
        """Toxin captured by spared structures, (spared,)."""
        return np.asarray(sum(_picked(self.spill, picks)))

    def allowed(self, picks: np.ndarray) -> bool:
        """True when every limit holds."""
        within = all(self.used_u(t, picks) <= t.max_u + 1e-9 for t in self.totals)
        strong = bool((self.kept(picks) >= self.needs.floor - 1e-9).all())
        return within and strong and bool((self.spilled(picks) <= self.ceiling + 1e-9).all())

    def with_floor(self, floor: np.ndarray) -> "Choice":
        """The same choice with other strength to keep."""
        return replace(self, needs=replace(self.needs, floor=floor))

    def with_ceiling(self, captured_u_per_cm3: np.ndarray) -> "Choice":
        """The same choice with other ceilings on spared structures."""
        lower = [
            replace(one, captured_u_per_cm3=float(most))
            for one, most in zip(self.ceilings, captured_u_per_cm3, strict=True)
        ]
        return replace(self, ceilings=tuple(lower))

    def only(self, keep: tuple[np.ndarray, ...]) -> "Choice":
        """The same choice with some options of each muscle, by number or mask."""

        def cut(rows: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
            return tuple(row[some] for row, some in zip(rows, keep, strict=True))

        return replace(
            self,
            options_u=cut(self.options_u),
            sites=cut(self.sites),
            effect=cut(self.effect),
            strength=cut(self.strength),
            spill=cut(self.spill),
        )


@dataclass(frozen=True)
class Best:
    """The picks, their value, and the proof."""

    picks: np.ndarray
    value: float
    bound: float
    saving: float = 0.0
    """Where the least of something was asked for: share that another answer could save at most."""

    @property
    def gap(self) -> float:
        """Bound minus value: how much better any other plan could be."""
        return max(self.bound - self.value, 0.0)

    @property
    def proven(self) -> bool:
        """True when no other choice is better by more than the solver's tolerance."""
        return self.gap <= _PROVEN


def choose(choice: Choice, least_value: float | None = None, aim: Aim = "units") -> Best:
    """The best picks; with `least_value`, the least of `aim` that is worth at least that much.

    Raises NoPlan when no choice keeps the limits.
    """
    program = programmed(choice)
    if least_value is not None:
        program = program.with_row(program.worth, least_value - program.constant, np.inf)
        program = replace(program, cost=program.spread(_amounts(choice, aim)))
    found = solve(program)
    if found is None:
        raise NoPlan("no choice of doses keeps every limit; loosen a function to be kept")
    picks = program.picks(found.columns)
    value = choice.value(picks)
    if least_value is None:
        return Best(picks, value, max(program.constant - found.bound, value))
    amount = choice.amount(picks, aim)
    return Best(picks, value, value, max(amount - found.bound, 0.0) / max(amount, _TIE))


def programmed(choice: Choice) -> Program:
    """The choice as arrays: a column for each option, then one for each part of progress."""
    counts = np.array([len(options) for options in choice.options_u])
    muscle = np.repeat(np.arange(len(counts)), counts)
    needed, weight = choice.needs.fall, choice.needs.weight
    open_parts = needed > LEAST_FALL
    each = np.broadcast_to(
        weight[:, None, None] / (needed.shape[1] * needed.shape[2]), needed.shape
    )
    effect = np.concatenate(choice.effect)[:, open_parts].T / needed[open_parts][:, None]
    units, needles = np.concatenate(choice.options_u), np.concatenate(choice.needle_counts)
    price = choice.priced * (DOSE_PRICE * units / choice.budget_u + NEEDLE_PRICE * needles)
    rows, low, high = _limits(choice, muscle, units)
    program = Program(
        counts=counts,
        parts=len(effect),
        worth=np.concatenate([-price, each[open_parts]]),
        cost=np.concatenate([price, -each[open_parts]]),
        constant=float(each[~open_parts].sum()),
        rows=np.pad(rows, ((0, 0), (0, len(effect)))),
        low=low,
        high=high,
    )
    return program.with_rows(
        np.hstack([effect, -np.eye(len(effect))]),
        np.zeros(len(effect)),
        np.full(len(effect), np.inf),
    )


def _limits(
    choice: Choice, muscle: np.ndarray, units: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One option a muscle, totals, strength to keep, ceilings of spared structures."""
    one_each = (muscle == np.arange(len(choice.muscles))[:, None]).astype(float)
    totals = np.array([units * t.members[muscle] for t in choice.totals]).reshape(-1, len(units))
    strength = np.concatenate(choice.strength).reshape(len(units), -1).T
    spill = np.concatenate(choice.spill).T
    floor = np.broadcast_to(choice.needs.floor, choice.rest.shape)
    least = (floor - choice.rest).ravel()
    most = np.concatenate([[t.max_u for t in choice.totals], choice.ceiling])
    rows = np.concatenate([one_each, strength, totals, spill])
    low = np.concatenate([np.ones(len(one_each)), least, np.full(len(most), -np.inf)])
    high = np.concatenate([np.ones(len(one_each)), np.full(len(least), np.inf), most])
    return rows, low, high


def _amounts(choice: Choice, aim: Aim) -> np.ndarray:
    """What each option adds to what is to be least; the other amounts break ties."""
    spill = np.concatenate(choice.spill) / np.maximum(choice.ceiling, 1e-12)
    amounts = {
        "units": np.concatenate(choice.options_u) / choice.budget_u,
        "needles": np.concatenate(choice.needle_counts).astype(float),
        "spill": spill.sum(1),
    }
    return np.asarray(sum(v * (1.0 if name == aim else _TIE) for name, v in amounts.items()))


def _picked(rows: tuple[np.ndarray, ...], picks: np.ndarray) -> list[np.ndarray]:
    return [row[pick] for row, pick in zip(rows, picks, strict=True)]
