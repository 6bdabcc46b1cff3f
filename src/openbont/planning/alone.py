"""What each structure's own dose does to it, and how much of each dose reaches the others.

One pass down the chain for all structures at once: captured toxin is linear in dose, so that of
each structure's own sites is told apart from what comes over the fascia. The first goes on to
tissue, the second is the spill.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from openbont.forward.arrays import Body, Sessions, Shots, shots, single
from openbont.forward.chain import Model, Stages, gather, given, in_place
from openbont.forward.kinetics import graded_grid
from openbont.forward.response import Tissue
from openbont.patient import Patient
from openbont.plan import Plan
from openbont.planning.objective import PLANNING_DAYS


@dataclass(frozen=True)
class Alone:
    """Tissue under its own dose, on the days that planning looks at."""

    day: Float[np.ndarray, "day"]
    response: Tissue
    reach: Float[np.ndarray, "draw source structure"]
    """Mean captured toxin of each structure from the sites of each source, U/cm3."""


def alone(plans: Sequence[Plan], patient: Patient, model: Model) -> tuple[Alone, ...]:
    """Every structure of each plan, a plan of one session, as if it were the only one injected."""
    day = np.array(PLANNING_DAYS, float)
    each = [shots(given(one, patient, model), model.structures, model.products) for one in plans]
    sessions = each[0][1]
    grid = graded_grid(sessions.day, [0.0, *day])
    keep = np.searchsorted(grid, day)
    longest = max(len(some.dose_u) for some, _ in each)
    found: list[Alone] = []
    everything = np.arange(len(model.structures) + 1)
    which = _injected(plans, model)
    with jax.enable_x64(True):
        for some, _ in each:
            placed = in_place(_filled(some, longest), model)
            asked = which if found else everything
            made = _run(model.stages, model.body, placed, sessions, grid, keep, asked)
            tissue, reach = jax.tree.map(np.asarray, made)
            found.append(Alone(day, _within(tissue, found, which), reach))
    return tuple(found)


def _injected(plans: Sequence[Plan], model: Model) -> np.ndarray:
    """Numbers of the structures that any plan injects, distant muscle last."""
    named = {one.structure for plan in plans for one in plan.sessions[0].injections}
    numbers = [k for k, one in enumerate(model.structures) if one.id in named]
    return np.array([*numbers, len(model.structures)])


def _within(tissue: Tissue, found: Sequence[Alone], which: np.ndarray) -> Tissue:
    """Tissue of a few structures in its place among all those of the first run."""
    if not found:
        return tissue
    first = found[0].response
    changed = {}
    for name in ("twitch", "force", "drive"):
        changed[name] = np.array(getattr(first, name))
        changed[name][..., which] = getattr(tissue, name)
    return Tissue(**changed, jitter=tissue.jitter)


def _filled(some: Shots, count: int) -> Shots:
    """Empty shots behind, so that all plans share one compiled chain."""
    more = count - len(some.dose_u)
    filled: Shots = jax.tree.map(
        lambda leaf: np.pad(leaf, ((0, more), *[(0, 0)] * (leaf.ndim - 1))), some
    )
    return filled


@eqx.filter_jit
def _run(
    stages: Stages,
    body: Body,
    shots: Shots,
    sessions: Sessions,
    grid: Any,
    keep: Any,
    which: Int[np.ndarray, "some"],
) -> tuple[Tissue, Array]:
    """Tissue of those structures of `which`, and the reach of all."""

    def one(draw: Stages) -> tuple[Tissue, Array]:
        effective = draw.immunity(shots, sessions)
        captured = draw.spread(effective, body)
        now = effective.session == len(sessions.day) - 1
        own = _own(captured, effective, now)[:, which]
        few = eqx.tree_at(_by_structure, draw, [leaf[which] for leaf in _by_structure(draw)])
        ranked = gather(own, effective, len(sessions.day))
        release = single(few.release)(few.kinetics(ranked, sessions, grid), grid)
        tissue = single(few.response)(release, grid)
        return jax.tree.map(lambda leaf: leaf[keep], tissue), _reach(captured, effective, now)

    tissue, reach = eqx.filter_vmap(one)(stages)
    return tissue, reach


def _by_structure(draw: Stages) -> list[Array]:
    """Parameters of the pointwise stages that differ by structure."""
    return [draw.kinetics.slower, draw.response.safety_factor]


def _own(
    captured: Float[Array, "shot structure node"], shots: Shots, now: Array
) -> Float[Array, "shot structure node"]:
    """Today's toxin in the structure it was meant for and in distant muscle; all that is past."""
    structure = jnp.arange(captured.shape[1])
    meant = structure == jnp.asarray(shots.structure)[:, None]
    kept = meant | (structure == len(structure) - 1) | ~now[:, None]
    return jnp.where(kept[..., None], captured, 0.0)


def _reach(
    captured: Float[Array, "shot structure node"], shots: Shots, now: Array
) -> Float[Array, "source structure"]:
    mean = jnp.where(now[:, None], captured.mean(-1), 0.0)
    count = captured.shape[1]
    return jnp.zeros((count, count)).at[jnp.asarray(shots.structure)].add(mean)
