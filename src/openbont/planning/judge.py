"""A plan judged by the full model over all draws: spill between muscles included."""

from dataclasses import dataclass

import numpy as np

from openbont.forward.chain import Course
from openbont.plan import Plan
from openbont.planning.objective import STRENGTH_WEEKS, Needs, drive, kept_strength, progress
from openbont.planning.spared import Ceiling, Reached, reached, spilled
from openbont.planning.task import Task


@dataclass(frozen=True)
class Judged:
    """What a plan reaches and what it leaves."""

    effect: float
    """Share of the wanted effect: weighted mean of progress over goals, draws and weeks."""
    kept: np.ndarray
    """Least mean strength of each function to keep, (function,)."""
    short: np.ndarray
    """Strength missing below each floor, (function, 1); 0 where it is kept."""
    reached: tuple[Reached, ...]

    @property
    def within(self) -> bool:
        """True when every floor and every spared structure is kept."""
        return bool(self.short.max(initial=0.0) <= 1e-6) and all(
            one.kept_enough for one in self.reached
        )

    @property
    def spill(self) -> float:
        """Toxin captured by spared structures, each relative to its ceiling."""
        return spilled(self.reached)


@dataclass(frozen=True)
class Judge:
    """What plans are judged by: the task, its needs, its spared structures."""

    task: Task
    needs: Needs
    ceilings: tuple[Ceiling, ...]
    untreated: Course

    def __call__(self, plan: Plan) -> Judged:
        """Run the plan once."""
        model, course = self.task.model, self.task.run(plan)
        fall = self.needs.untreated - drive(model, self.needs.goals, course)
        kept = kept_strength(model, self.needs.keeps, course, STRENGTH_WEEKS)
        least = kept.min(axis=1, initial=np.inf, keepdims=True)
        past = len(self.task.patient.history)
        return Judged(
            effect=progress(self.needs, fall),
            kept=least[:, 0],
            short=np.maximum(self.needs.floor - least, 0.0),
            reached=reached(self.ceilings, course, self.untreated, past),
        )
