"""Spared structures: how much toxin each may capture so that enough of its answer stays.

The ceiling is not typed in: the model's own curve, from toxin captured everywhere alike to what the
structure still does in its worst week, is followed down to the least response to keep, at the
median draw. Spill is linear in captured toxin, so that a ceiling is one linear limit on doses.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from openbont.catalog.movements import treated_movements
from openbont.catalog.muscles import base, side
from openbont.catalog.scales import TONE
from openbont.catalog.spared import spared
from openbont.evidence import Source
from openbont.forward.arrays import Sessions
from openbont.forward.chain import NODES, Course, Model, Stages
from openbont.forward.kinetics import graded_grid
from openbont.patient import Goal, Patient
from openbont.planning.objective import PLANNING_DAYS

LEVELS = np.concatenate([[0.0], np.geomspace(1e-4, 1e2, NODES - 1)])
"""Captured toxin at which the curves are read, U/cm3."""


@dataclass(frozen=True)
class Ceiling:
    """The most that a spared structure may capture."""

    structure: str
    words: str
    least: float
    """Share of its answer to keep."""
    captured_u_per_cm3: float
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Reached:
    """What a plan does to a spared structure, at the median draw."""

    ceiling: Ceiling
    captured_u_per_cm3: float
    kept: float
    """Share of its answer that stays in the worst week."""

    @property
    def kept_enough(self) -> bool:
        """True when the answer stays above the least."""
        return self.kept >= self.ceiling.least - 1e-9


def ceilings(
    model: Model, answers: np.ndarray, patient: Patient, goals: Sequence[Goal]
) -> tuple[Ceiling, ...]:
    """Ceilings of those structures that are to be spared; `answers` are the model's curves."""
    rows = {one.structure: one for one in spared(patient.disorder.name)}
    wanted = treated(patient, goals)
    return tuple(
        Ceiling(
            one.id,
            f"{side(one.id)} {row.words}".strip(),
            row.least,
            float(np.exp(np.interp(-row.least, -answers[number, 1:], np.log(LEVELS[1:])))),
            row.sources,
        )
        for number, one in enumerate(model.structures)
        if (row := rows.get(base(one.id))) is not None and row.structure not in wanted
    )


def treated(patient: Patient, goals: Sequence[Goal]) -> frozenset[str]:
    """Muscles whose movement is a goal, or stiff on record: nobody spares those."""
    stiff = {base(r.where) for r in patient.findings if r.scale in TONE and str(r.value) != "0"}
    movements = stiff | {base(goal.where) for goal in goals}
    return frozenset(
        muscle for muscle, movement in treated_movements().items() if movement in movements
    )


def reached(
    ceilings: Sequence[Ceiling], course: Course, untreated: Course, past: int
) -> tuple[Reached, ...]:
    """What a course does to spared structures; the first `past` sessions are not the plan's."""
    return tuple(_reached(one, course, untreated, past) for one in ceilings)


def spilled(seen: Sequence[Reached]) -> float:
    """Toxin captured by spared structures, each relative to its ceiling, added up."""
    return sum(one.captured_u_per_cm3 / one.ceiling.captured_u_per_cm3 for one in seen)


def tightened(ceilings: Sequence[Ceiling], seen: Sequence[Reached]) -> tuple[Ceiling, ...]:
    """Lower ceilings where unevenly spread toxin takes more of the answer than allowed."""
    return tuple(
        one
        if got.kept_enough
        else replace(one, captured_u_per_cm3=_TIGHTER * one.captured_u_per_cm3)
        for one, got in zip(ceilings, seen, strict=True)
    )


_TIGHTER = 0.8


def _reached(one: Ceiling, course: Course, untreated: Course, past: int) -> Reached:
    number = course.structures.index(one.structure)
    captured = course.captured[:, past:, number].sum(1).mean(-1)
    share = course.acting(one.structure) / untreated.acting(one.structure)
    return Reached(one, float(np.median(captured)), float(np.median(share.min(1))))


def answers(model: Model, product: str) -> Float[np.ndarray, "structure level"]:
    """What each structure does in its worst week when every node captures a level, falling."""
    day = np.array(PLANNING_DAYS, float)
    sessions = Sessions(np.zeros(1), np.array([model.products.index(product)]))
    grid = graded_grid(sessions.day, day)
    glands = np.array([one.kind == "gland" for one in model.structures] + [False])
    with jax.enable_x64(True):
        worst = np.asarray(_worst(model.stages, glands, sessions, grid))
    return np.minimum.accumulate(np.median(worst / worst[..., :1], axis=0), axis=-1)


@eqx.filter_jit
def _worst(stages: Stages, glands: Any, sessions: Sessions, grid: Any) -> Array:
    def one(draw: Stages) -> Array:
        captured = jnp.broadcast_to(jnp.asarray(LEVELS), (1, len(glands), NODES))
        release = draw.release(draw.kinetics(captured, sessions, grid), grid)
        voluntary = draw.response.firing(release, draw.response.facilitation)
        twitch = draw.response.firing(release, 1.0) * draw.response.fibre_size(voluntary, grid)
        return jnp.where(glands[:, None], release, twitch).min(0)

    return jnp.asarray(eqx.filter_vmap(one)(stages))
