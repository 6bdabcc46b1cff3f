"""What a plan is worth: how much of the wanted loss of drive it brings, before its price.

A disorder that is `Driven` reads from a drive q that is a sum over structures: the stretch reflex
of a movement, the pull of a twisted neck. For each goal, draw and week the model says how far q
must fall (to q*) for the reading to reach its target. Progress is the part of that fall that a
plan achieves, at most 1:

    progress = min(1, (q_untreated - q) / (q_untreated - q*))

The value of a plan is the weighted mean of progress over goals, draws and weeks 4, 8 and 12, minus
a small price on units and on needles. Drive and strength are sums over structures, so value and
limits are linear in "structure m gets option o".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import equinox as eqx
import jax
import numpy as np

from openbont.catalog.movements import functions
from openbont.catalog.muscles import base, side
from openbont.errors import NoPlan, UnknownName
from openbont.forward.chain import Course, Model
from openbont.forward.disorders.interface import Driven
from openbont.forward.outcome import direction, measure_of, target_of
from openbont.forward.response import Tissue
from openbont.patient import Goal, Keep, Patient

WEEKS = (4, 8, 12)
STRENGTH_WEEKS = (1, 2, 4, 8)
PLANNING_DAYS = (0, *(7 * week for week in sorted({*WEEKS, *STRENGTH_WEEKS})))
DOSE_PRICE = 0.15
"""Value that the whole allowed dose costs: the lowest effective dose is wanted, so the last tenth
of it must bring at least 1.5 % more of the wanted effect."""
NEEDLE_PRICE = 0.002
"""Value that each needle costs (assumed): one more must bring at least 0.2 % more of the effect."""
LEAST_FALL = 1e-6
_BETWEEN = 0.005  # the worst day may lie between the weeks that planning looks at


class Looked(Protocol):
    """What planning looks at: tissue on its days."""

    @property
    def day(self) -> np.ndarray:
        """Days after the plan's date."""

    @property
    def response(self) -> Tissue:
        """What tissue still does, by draw and day."""


@dataclass(frozen=True)
class Needs:
    """What goals and kept functions ask of drive and strength.

    Shapes: untreated and fall (goal, draw, week); floor and strength (function, week).
    """

    goals: tuple[Goal, ...]
    keeps: tuple[Keep, ...]
    untreated: np.ndarray
    fall: np.ndarray
    """How far the drive must fall; 0 where the goal is reached without toxin."""
    floor: np.ndarray
    """Least mean strength of each kept function."""

    @property
    def weight(self) -> np.ndarray:
        """Weight of each goal, adding up to one."""
        weights = np.array([goal.weight for goal in self.goals])
        return np.asarray(weights / weights.sum())


def needs(patient: Patient, goals: Sequence[Goal], model: Model, untreated: Course) -> Needs:
    """Translate goals into falls of drive, by draw and week."""
    drives = drive(model, goals, untreated)
    falls = []
    for goal, before in zip(goals, drives, strict=True):
        reading = untreated.of(goal.scale, goal.where)[:, _weeks(untreated)]
        measure = measure_of(untreated, goal)
        target = target_of(goal, measure, patient)
        excess = np.maximum(direction(measure) * (reading - target), 0.0)
        falls.append(before - _drive_after(model, _place(model, goal), before, excess))
    least = [min(keep.at_least + _BETWEEN, 1.0) for keep in patient.keep]
    floor = np.array(least)[:, None] * kept_strength(model, patient.keep, untreated, (0,))
    return Needs(tuple(goals), patient.keep, drives, np.stack(falls), floor)


def drive(model: Model, goals: Sequence[Goal], course: Looked) -> np.ndarray:
    """Drive behind each goal's reading, (goal, draw, week)."""
    return np.asarray(drive_by_structure(model, goals, course).sum(-1))


def drive_by_structure(model: Model, goals: Sequence[Goal], course: Looked) -> np.ndarray:
    """Part of each structure in the drive, (goal, draw, week, structure)."""
    return np.stack(
        [_shares(model, _place(model, g), course.response)[:, _weeks(course)] for g in goals]
    )


def drive_of_runs(model: Model, goals: Sequence[Goal], runs: Tissue) -> np.ndarray:
    """The same for many runs on PLANNING_DAYS, (run, goal, draw, week, structure)."""
    weeks = np.searchsorted(PLANNING_DAYS, 7 * np.array(WEEKS))
    found = [_shares_of_runs(model, _place(model, goal), runs) for goal in goals]
    return np.stack(found, axis=1)[:, :, :, weeks]


def plannable(model: Model, goals: Sequence[Goal]) -> tuple[Goal, ...]:
    """Goals that a drive stands behind. Raises NoPlan when there is none."""
    found: list[Goal] = []
    reasons: list[NoPlan] = []
    for goal in goals:
        try:
            drivers(model, [goal])
            found.append(goal)
        except NoPlan as reason:
            reasons.append(reason)
    if not found:
        raise reasons[0]
    return tuple(found)


def readings(model: Model) -> tuple[Goal, ...]:
    """Every reading that a goal could speak of and a drive stands behind."""
    asked = [Goal(scale=one.scale, where=one.where, at_most=0.0) for one in _driven(model).measures]
    return plannable(model, asked)


def drivers(model: Model, goals: Sequence[Goal]) -> list[str]:
    """Structures that take part in the drive of any goal."""
    whole = np.ones((model.draws, 1, len(model.structures) + 1))
    untouched = Tissue(whole, whole, whole, whole[..., 0])
    parts = sum(_shares(model, _place(model, goal), untouched).mean((0, 1)) for goal in goals)
    return [one.id for one, part in zip(model.structures, parts, strict=False) if part > 0]


def strength_by_structure(
    model: Model, keeps: Sequence[Keep], course: Looked, weeks: Sequence[int]
) -> np.ndarray:
    """Mean part of each structure in a function's strength, (function, week, structure)."""
    mean_force = course.response.force[:, _weeks(course, weeks)].mean(0)
    rows = [_function_row(model, keep) for keep in keeps]
    return np.array([row * mean_force for row in rows]).reshape(
        len(keeps), len(weeks), mean_force.shape[-1]
    )


def kept_strength(
    model: Model, keeps: Sequence[Keep], course: Looked, weeks: Sequence[int]
) -> np.ndarray:
    """Mean strength of each kept function, (function, week)."""
    return np.asarray(strength_by_structure(model, keeps, course, weeks).sum(-1))


def progress(needs: Needs, fall: np.ndarray) -> float:
    """Weighted mean of progress for a `fall` of drive (goal, draw, week); 1 = all goals met."""
    wanted = needs.fall > LEAST_FALL
    part = np.where(wanted, np.minimum(fall / np.maximum(needs.fall, LEAST_FALL), 1.0), 1.0)
    return float(needs.weight @ part.mean(axis=(1, 2)))


def _shares(model: Model, measure: int, tissue: Tissue) -> np.ndarray:
    with jax.enable_x64(True):
        return np.asarray(_each_draw(_driven(model), tissue, measure))


def _shares_of_runs(model: Model, measure: int, runs: Tissue) -> np.ndarray:
    with jax.enable_x64(True):
        return np.asarray(_each_run(_driven(model), runs, measure))


def _drive_after(model: Model, measure: int, before: np.ndarray, excess: np.ndarray) -> np.ndarray:
    with jax.enable_x64(True):
        return np.asarray(_each_after(_driven(model), before, excess, measure))


@eqx.filter_jit
def _each_draw(disorder: Driven, tissue: Tissue, measure: int) -> Any:
    return eqx.filter_vmap(lambda one, seen: one.shares(seen, measure))(disorder, tissue)


@eqx.filter_jit
def _each_run(disorder: Driven, runs: Tissue, measure: int) -> Any:
    return jax.vmap(lambda tissue: _each_draw(disorder, tissue, measure))(runs)


@eqx.filter_jit
def _each_after(disorder: Driven, before: np.ndarray, excess: np.ndarray, measure: int) -> Any:
    after = eqx.filter_vmap(lambda one, q, fall: one.drive_after(measure, q, fall))
    return after(disorder, before, excess)


def _driven(model: Model) -> Driven:
    """The disorder, if doses can be chosen for it. Raises NoPlan."""
    disorder = model.stages.disorder
    if not isinstance(disorder, Driven):
        raise NoPlan(
            "the label leaves the doses open, and for this disorder no way to choose them is "
            "built yet; write a plan and use check, simulate and report"
        )
    return disorder


def _place(model: Model, goal: Goal) -> int:
    """Number of a goal's measure in the model. Raises UnknownName."""
    named = [(measure.scale, measure.where) for measure in _driven(model).measures]
    if (goal.scale, goal.where) not in named:
        known = [" ".join(pair) for pair in named]
        asked = f"{goal.scale} {goal.where}".strip()
        raise UnknownName("goals", "reading that is predicted", asked, known)
    return named.index((goal.scale, goal.where))


def _function_row(model: Model, keep: Keep) -> np.ndarray:
    """Share of each structure in a function, distant muscle last. Raises UnknownName."""
    ids = [one.id for one in model.structures]
    row = functions()[base(keep.function)].row(ids, side(keep.function))
    if not row.any():
        known = [f"{group.id} ({group.limb})" for group in functions().values()]
        raise UnknownName("keep", "function of what is modelled here", keep.function, known)
    return np.append(row, 0.0)


def _weeks(course: Looked, weeks: Sequence[int] = WEEKS) -> np.ndarray:
    return np.searchsorted(course.day, 7.0 * np.array(weeks))
