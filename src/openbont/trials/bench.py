"""A muscle on the bench: the chain without a patient, every parameter at its reference value."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float, Int

from openbont.anatomy.structure import Structure
from openbont.catalog import model as catalog
from openbont.catalog.muscles import structure
from openbont.catalog.sampling import Reference
from openbont.forward.arrays import Body, Given, Sessions, Shots, body, shots
from openbont.forward.chain import gather
from openbont.forward.kinetics import Kinetics, graded_grid
from openbont.forward.release import Release
from openbont.forward.response import Response, Tissue
from openbont.forward.spread import Spread
from openbont.plan import Injection

ONA = "onabotulinumtoxinA"
_CYCLE_DAYS = 84


@dataclass(frozen=True, eq=False)
class Run:
    """Losses by day: of twitch (CMAP), voluntary force and release; the jitter far away."""

    day: Float[np.ndarray, "day"]
    cmap: Float[np.ndarray, "day"]
    voluntary: Float[np.ndarray, "day"]
    secretion: Float[np.ndarray, "day"]
    fibre: Float[np.ndarray, "day"]
    jitter: Float[np.ndarray, "day"]
    distant_release: Float[np.ndarray, "day"]

    def at(self, day: float) -> float:
        """Loss of CMAP on a day."""
        return float(np.interp(day, self.day, self.cmap))

    def days_with_loss(self, least: float) -> float:
        """How long the loss of CMAP is at least so large."""
        return float((self.cmap >= least).sum() * (self.day[1] - self.day[0]))


def inject(
    where: str | Structure,
    dose_u: float,
    *,
    product: str = ONA,
    sites: int = 1,
    volume_ml: float = 0.2,
    off_mm: float = 0.0,
    cycles: int = 1,
    days: Float[np.ndarray, "day"] | None = None,
    **changes: float,
) -> Run:
    """One muscle, injected `cycles` times 12 weeks apart; `changes` replace kinetics values."""
    muscle = structure(where) if isinstance(where, str) else where
    place: dict[str, Any] = {"site_mm": (off_mm, 0.0, 0.0)} if off_mm else {"sites": sites}
    injection = Injection(structure=muscle.id, dose_u=dose_u, **place)
    given = [
        Given(_CYCLE_DAYS * n, product, ((injection, volume_ml * sites),)) for n in range(cycles)
    ]
    when = np.arange(0, 365.25, 0.25) if days is None else days
    with jax.enable_x64(True):
        return _run(muscle, given, when, changes)


class Stages(NamedTuple):
    """The chain of one muscle, every parameter at its reference value."""

    spread: Spread
    kinetics: Kinetics
    release: Release
    response: Response


class Passed(NamedTuple):
    """What every stage holds, on the internal grid of days; shares of untouched."""

    captured: Array
    intact: Array
    release: Array
    tissue: Tissue
    firing: Array
    fibre: Array


def stages(muscle: Structure) -> Stages:
    """Stages of one muscle. Call with double precision on."""
    sampler = Reference()
    drawn = Stages(
        catalog.spread(sampler),
        catalog.kinetics(sampler, (muscle,)),
        catalog.release(sampler),
        catalog.response(sampler, (muscle,)),
    )
    return jax.tree.map(lambda leaf: leaf[0], drawn)


def passed(
    muscle: Structure, chain: Stages, given: Sequence[Given], day: Float[np.ndarray, "day"]
) -> tuple[Passed, Int[np.ndarray, "day"]]:
    """What was given, through every stage; and where `day` lies on the grid of days."""
    places, sessions = shots(given, (muscle,), catalog.PRODUCTS)
    grid = graded_grid(sessions.day, day)
    return _passed(chain, body((muscle,)), places, sessions, grid), np.searchsorted(grid, day)


def _run(
    muscle: Structure, given: list[Given], day: Float[np.ndarray, "day"], changes: dict[str, float]
) -> Run:
    chain = stages(muscle)
    kinetics = chain.kinetics
    for name, value in changes.items():
        changed = np.full_like(getattr(kinetics, name), value)
        kinetics = eqx.tree_at(operator.attrgetter(name), kinetics, changed)
    held, at = passed(muscle, chain._replace(kinetics=kinetics), given, day)
    tissue = held.tissue
    kept = (tissue.twitch[:, 0], tissue.force[:, 0], tissue.drive[:, 0])
    losses = (1 - np.asarray(one)[at] for one in kept)
    rest = (held.fibre[:, 0].mean(-1), tissue.jitter, held.release[:, -1].mean(-1))
    return Run(day, *losses, *(np.asarray(one)[at] for one in rest))


@eqx.filter_jit
def _passed(
    chain: Stages,
    where: Body,
    places: Shots,
    sessions: Sessions,
    grid: Float[np.ndarray, "grid"],
) -> Passed:
    captured = gather(chain.spread(places, where), places, len(sessions.day))
    intact = chain.kinetics(captured, sessions, grid)
    left = chain.release(intact, grid)
    response = chain.response
    fibre = response.fibre_size(response.firing(left, response.facilitation), grid)
    return Passed(captured, intact, left, response(left, grid), response.firing(left, 1.0), fibre)
