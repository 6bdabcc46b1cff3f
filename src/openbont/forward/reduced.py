"""A treatment made small for populations: a few nodes a structure, one shot an injection.

Exposures of all sites of an injection are added up at three reaches, sorted, and averaged in
groups of equal size; between the reaches their logarithm is interpolated as for a solved field.
What varies between people is kept: reach, needle, everything after the exposure.
"""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from openbont.forward.arrays import Shots, Solved
from openbont.forward.chain import Model, Treatment
from openbont.forward.influence import REACHES

NODES = 32
"""Nodes that are enough for the mean of a population: docs/chain/spread.md shows the error."""
_FLOOR = 1e-12


def reduced(
    ready: Treatment,
    model: Model,
    nodes: int = NODES,
    apart: Int[np.ndarray, "shot"] | None = None,
) -> Treatment:
    """The same treatment with `nodes` nodes a structure; without toxin, with one.

    Shots of a session into one structure become one; only those of the same number in `apart`,
    where it is given, so that their doses can be changed by themselves.
    """
    treated = np.flatnonzero(ready.shots.dose_u > 0)
    if not len(treated):
        return replace(ready, shots=_none(len(model.structures) + 1))
    shots = ready.shots
    number = np.zeros_like(shots.session) if apart is None else apart
    one_kind = np.stack([shots.session, shots.structure, number])[:, treated]
    kind, group = np.unique(one_kind, axis=1, return_inverse=True)
    dose_u = np.bincount(group, shots.dose_u[treated])
    reach_mm = model.stages.spread.medium().reach_mm * REACHES
    density = np.stack([_density(ready, model, reach)[treated] for reach in reach_mm])
    summed = np.zeros((len(reach_mm), len(dose_u), *density.shape[2:]))
    for shot, of in enumerate(group):
        summed[:, of] += density[:, shot]
    per_unit = _grouped(summed, nodes) / dose_u[:, None, None]
    solved = Solved(np.log(np.maximum(per_unit, _FLOOR)), reach_mm, np.ones(len(dose_u)), True)
    first = treated[np.unique(group, return_index=True)[1]]
    volume_ml = np.bincount(group, shots.volume_ml[treated])
    few = Shots(dose_u, volume_ml, shots.site_mm[first], kind[1], kind[0], solved)
    return replace(ready, shots=few)


def _density(
    ready: Treatment, model: Model, reach_mm: float
) -> Float[np.ndarray, "shot structure node"]:
    """What each shot brings to each node in the middle of the draws, at one reach."""
    spread = jax.tree.map(lambda leaf: np.median(leaf, axis=0), model.stages.spread)
    spread = eqx.tree_at(lambda s: s.reach_mm, spread, np.float64(reach_mm))
    with jax.enable_x64(True):
        return np.asarray(spread(jax.tree.map(jnp.asarray, ready.shots), model.body))


def _grouped(
    density: Float[np.ndarray, "reach group structure node"], nodes: int
) -> Float[np.ndarray, "reach group structure few"]:
    """Means of nodes of like exposure, in the order that the whole exposure has at mid reach."""
    order = np.argsort(density[1].sum(0), axis=-1)
    ranked = np.take_along_axis(density, order[None, None], axis=-1)
    return ranked.reshape(*ranked.shape[:-1], nodes, -1).mean(-1)


def _none(structures: int) -> Shots:
    """One empty shot; what nothing reaches needs one node."""
    nothing = np.full((len(REACHES), 1, structures, 1), np.log(_FLOOR))
    solved = Solved(nothing, REACHES, np.ones(1), True)
    at = np.zeros(1, int)
    return Shots(np.zeros(1), np.zeros(1), np.zeros((1, 3)), at, at, solved)
