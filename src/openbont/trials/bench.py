"""A muscle on the bench: the chain without a patient, every parameter at its reference value."""

import operator
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float

from openbont.anatomy.structure import Structure
from openbont.catalog import model as catalog
from openbont.catalog.muscles import structure
from openbont.catalog.sampling import Reference
from openbont.forward.arrays import Body, Given, Sessions, Shots, body, shots
from openbont.forward.chain import gather
from openbont.forward.kinetics import Kinetics, graded_grid
from openbont.forward.release import Release
from openbont.forward.response import Response
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


def _run(
    muscle: Structure, given: list[Given], day: Float[np.ndarray, "day"], changes: dict[str, float]
) -> Run:
    sampler = Reference()
    stages = (
        catalog.spread(sampler),
        catalog.kinetics(sampler, (muscle,)),
        catalog.release(sampler),
        catalog.response(sampler, (muscle,)),
    )
    spread, kinetics, release, response = jax.tree.map(lambda leaf: leaf[0], stages)
    for name, value in changes.items():
        changed = np.full_like(getattr(kinetics, name), value)
        kinetics = eqx.tree_at(operator.attrgetter(name), kinetics, changed)
    places, sessions = shots(given, (muscle,), catalog.PRODUCTS)
    grid = graded_grid(sessions.day, day)
    found = _course(spread, kinetics, release, response, body((muscle,)), places, sessions, grid)
    return Run(day, *(np.asarray(row)[np.searchsorted(grid, day)] for row in found))


@eqx.filter_jit
def _course(
    spread: Spread,
    kinetics: Kinetics,
    release: Release,
    response: Response,
    where: Body,
    places: Shots,
    sessions: Sessions,
    grid: Float[np.ndarray, "grid"],
) -> tuple[Array, ...]:
    captured = gather(spread(places, where), places, len(sessions.day))
    left = release(kinetics(captured, sessions, grid), grid)
    tissue = response(left, grid)
    fibre = response.fibre_size(response.firing(left, response.facilitation), grid)
    return (
        1 - tissue.twitch[:, 0],
        1 - tissue.force[:, 0],
        1 - tissue.drive[:, 0],
        fibre[:, 0].mean(-1),
        tissue.jitter,
        left[:, -1].mean(-1),
    )
