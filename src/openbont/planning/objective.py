"""What a plan is worth: how much of the wanted loss of reflex it brings, before its price.

For each goal, draw and week the model says how far the reflex drive q must fall (to q*) for the
reading to reach its target. Progress is the part of that fall that a plan achieves, at most 1:

    progress = min(1, (q_untreated - q) / (q_untreated - q*))

The value of a plan is the weighted mean of progress over goals, draws and weeks 4, 8 and 12, minus
a small price on units. Reflex drive and strength are sums over muscles, so value and limits are
linear in "muscle m gets dose option o".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from openbont.errors import UnknownName
from openbont.forward.chain import Course, Model
from openbont.forward.disorders.spasticity import Spasticity
from openbont.forward.outcome import measure_of, target_of
from openbont.patient import Goal, Keep, Patient

WEEKS = (4, 8, 12)
STRENGTH_WEEKS = (1, 2, 4, 8)
PLANNING_DAYS = (0, *(7 * week for week in sorted({*WEEKS, *STRENGTH_WEEKS})))
DOSE_PRICE = 0.15
"""Value that the whole allowed dose costs: the lowest effective dose is wanted, so the last tenth
of it must bring at least 1.5 % more of the wanted effect."""
LEAST_FALL = 1e-6


@dataclass(frozen=True)
class Needs:
    """What goals and kept functions ask of reflex drive and strength.

    Shapes: untreated and fall (goal, draw, week); floor and strength (function, week).
    """

    goals: tuple[Goal, ...]
    keeps: tuple[Keep, ...]
    untreated: np.ndarray
    fall: np.ndarray
    """How far the reflex drive must fall; 0 where the goal is reached without toxin."""
    floor: np.ndarray
    """Least mean strength of each kept function."""

    @property
    def weight(self) -> np.ndarray:
        """Weight of each goal, adding up to one."""
        weights = np.array([goal.weight for goal in self.goals])
        return np.asarray(weights / weights.sum())


def needs(patient: Patient, goals: Sequence[Goal], model: Model, untreated: Course) -> Needs:
    """Translate goals into falls of reflex drive, by draw and week."""
    disorder = _spasticity(model)
    drive = reflex_drive(model, goals, untreated)
    week = _weeks(untreated)
    falls = []
    for number, goal in enumerate(goals):
        row = _movement(model, goal)
        reading = untreated.of(goal.scale, goal.where)
        target = target_of(goal, measure_of(untreated, goal), patient)
        excess = np.maximum(reading[:, week] - target, 0.0)
        passive = np.asarray(disorder.passive_share)[:, row, None]
        width = np.asarray(disorder.grade_width)[:, None]
        resistance = passive + (1 - passive) * drive[number]
        wanted = (resistance * np.exp(-width * excess) - passive) / (1 - passive)
        falls.append(drive[number] - wanted)
    floor = np.array([k.at_least for k in patient.keep])[:, None] * kept_strength(
        model, patient.keep, untreated, (0,)
    )
    return Needs(tuple(goals), patient.keep, drive, np.stack(falls), floor)


def reflex_drive(model: Model, goals: Sequence[Goal], course: Course) -> np.ndarray:
    """Reflex drive of each goal's movement, (goal, draw, week)."""
    contributions = reflex_by_structure(model, goals, course)
    return np.asarray(contributions.sum(-1))


def reflex_by_structure(model: Model, goals: Sequence[Goal], course: Course) -> np.ndarray:
    """Share of each structure in the reflex drive, (goal, draw, week, structure)."""
    disorder = _spasticity(model)
    twitch = course.response.twitch[:, _weeks(course)]
    reflex = twitch ** (1 + np.asarray(disorder.gamma)[:, None, None])
    rows = [np.asarray(disorder.reflex_weight)[:, _movement(model, goal)] for goal in goals]
    return np.stack([row[:, None] * reflex for row in rows])


def strength_by_structure(
    model: Model, keeps: Sequence[Keep], course: Course, weeks: Sequence[int]
) -> np.ndarray:
    """Mean share of each structure in a function's strength, (function, week, structure)."""
    disorder = _spasticity(model)
    mean_force = course.response.force[:, _weeks(course, weeks)].mean(0)
    first = len(disorder.measures) - np.asarray(disorder.strength_weight).shape[1]
    places = [_place(model, "strength", keep.function) - first for keep in keeps]
    rows = [np.asarray(disorder.strength_weight)[0, place] for place in places]
    return np.array([row * mean_force for row in rows]).reshape(
        len(keeps), len(weeks), mean_force.shape[-1]
    )


def kept_strength(
    model: Model, keeps: Sequence[Keep], course: Course, weeks: Sequence[int]
) -> np.ndarray:
    """Mean strength of each kept function, (function, week)."""
    return np.asarray(strength_by_structure(model, keeps, course, weeks).sum(-1))


def progress(needs: Needs, fall: np.ndarray) -> float:
    """Weighted mean of progress for a `fall` of drive (goal, draw, week); 1 = all goals met."""
    wanted = needs.fall > LEAST_FALL
    part = np.where(wanted, np.minimum(fall / np.maximum(needs.fall, LEAST_FALL), 1.0), 1.0)
    return float(needs.weight @ part.mean(axis=(1, 2)))


def _spasticity(model: Model) -> Spasticity:
    disorder = model.stages.disorder
    assert isinstance(disorder, Spasticity)
    return disorder


def _movement(model: Model, goal: Goal) -> int:
    return _place(model, goal.scale, goal.where)


def _place(model: Model, scale: str, where: str) -> int:
    """Number of a measure in the model. Raises UnknownName."""
    named = [(measure.scale, measure.where) for measure in model.stages.disorder.measures]
    if (scale, where) not in named:
        known = [" ".join(pair) for pair in named]
        raise UnknownName("goals", "reading that is predicted", f"{scale} {where}", known)
    return named.index((scale, where))


def _weeks(course: Course, weeks: Sequence[int] = WEEKS) -> np.ndarray:
    return np.searchsorted(course.day, 7.0 * np.array(weeks))
