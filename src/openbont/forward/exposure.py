"""Where the toxin of a plan goes: at any place, in each structure, and what it does there.

For the middle of the draws and the sessions of the plan alone, added up. Histograms over a
structure are what radiotherapy calls dose-volume histograms.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from openbont.anatomy.atlas import Atlas
from openbont.anatomy.structure import Structure
from openbont.forward.arrays import Body, Leaf, Sessions, Shots
from openbont.forward.chain import Model, Stages, in_place, injected
from openbont.forward.field import Box, box, field, passing, read
from openbont.forward.kinetics import graded_grid
from openbont.forward.spread import Spread
from openbont.plan import Plan

WEEK = 4
"""Week of the effects: near the peak."""
_POINTS = 2000


@dataclass(frozen=True, eq=False)
class Exposure:
    """What one structure gets and loses."""

    structure: str
    volume_cm3: float
    density: Float[np.ndarray, "point"]
    """Captured toxin at places spread evenly over the volume, U/cm3."""
    at_endings: Float[np.ndarray, "node"]
    """The same at nerve endings, which lie in the end-plate zone alone."""
    loss: Float[np.ndarray, "node"]
    """Share of function lost at those endings in week 4."""

    @property
    def captured_u(self) -> float:
        """Units that the structure captures."""
        return float(self.density.mean()) * self.volume_cm3


@dataclass(frozen=True, eq=False)
class Site:
    """One site with its field, solved where its region is mapped."""

    number: int
    """Place among the shots."""
    dose_u: float
    structure: str
    atlas: Atlas | None
    around: Box | None
    u: Float[np.ndarray, "along across deep"] | None
    """Captured per unit, 1/mm3."""


@dataclass(frozen=True, eq=False)
class Toxin:
    """Captured toxin of a plan, in the middle of the draws."""

    middle: Stages
    model: Model
    shots: Shots
    sessions: Sessions
    sites: tuple[Site, ...]

    def at(
        self, point_mm: Float[np.ndarray, "... 3"], structure: str = ""
    ) -> Float[np.ndarray, "..."]:
        """U/cm3 at each point; where nothing is mapped, in tissue like that of `structure`."""
        flat = point_mm.reshape(-1, 3)
        total = np.zeros(len(flat))
        for one in self.sites:
            if one.atlas is not None and one.around is not None and one.u is not None:
                near = read(one.around, one.u, flat, one.atlas.at(flat))
                total += 1000 * one.dose_u * near
        return np.asarray(total + self._closed(flat, structure)).reshape(point_mm.shape[:-1])

    def exposures(self, week: float = WEEK) -> list[Exposure]:
        """Of every structure of the model, in its order."""
        captured, loss = self._at_endings(week)
        return [
            Exposure(one.id, one.volume_cm3, self.at(self.filled_mm(one), one.id), here, lost)
            for one, here, lost in zip(self.model.structures, captured, loss, strict=False)
        ]

    def filled_mm(self, structure: Structure) -> Float[np.ndarray, "place 3"]:
        """Places spread evenly over a structure."""
        atlas = _shows(self.model, structure.id)
        return atlas.filled_mm(structure.id, _POINTS) if atlas else structure.filled_mm(_POINTS)

    def fate(self) -> dict[str, float]:
        """Share of all units that each tissue captures, largest first; together one.

        Where a region is not mapped, what its structures do not capture is in other tissue.
        """
        total = sum(one.dose_u for one in self.sites)
        kept = self._kept() if any(one.u is None for one in self.sites) else {}
        shares: dict[str, float] = {}
        for one in self.sites:
            for tissue, part in _shares(one, kept).items():
                shares[tissue] = shares.get(tissue, 0.0) + part * one.dose_u / total
        return dict(sorted(shares.items(), key=lambda item: -item[1]))

    def _kept(self) -> dict[str, Float[np.ndarray, "shot"]]:
        """Share of each shot that each structure captures, by the closed form."""
        return {
            one.id: self._closed_of(one.filled_mm(_POINTS), one.id).mean(-1) * one.volume_cm3
            for one in self.model.structures
        }

    def _closed(self, point_mm: np.ndarray, structure: str) -> Float[np.ndarray, "point"]:
        """Density of all sites outside mapped regions."""
        outside = [one for one in self.sites if one.u is None]
        if not outside:
            return np.zeros(len(point_mm))
        found = self._closed_of(point_mm, structure)[[one.number for one in outside]]
        return np.array([one.dose_u for one in outside]) @ found

    def _closed_of(self, point_mm: np.ndarray, structure: str) -> Float[np.ndarray, "shot point"]:
        """Density per unit of every shot by the closed form."""
        names = [one.id for one in self.model.structures]
        passage = np.zeros((len(names) + 1, 2))
        if structure:
            passage[:, 0] = self.model.body.passage[:, names.index(structure)]
        points = Body(np.stack([point_mm, point_mm]), self.model.body.frame, passage)
        alone = eqx.tree_at(_fields, self.shots, None)
        with jax.enable_x64(True):
            return np.asarray(_influence(self.middle.spread, alone, points))[:, 0]

    def _at_endings(self, week: float) -> tuple[np.ndarray, np.ndarray]:
        """Captured toxin and lost function, (structure, node)."""
        day = float(self.sessions.day[-1]) + 7 * week
        grid = graded_grid(self.sessions.day, [0.0, day])
        with jax.enable_x64(True):
            captured, kept = _endings(self.middle, self.model.body, self.shots, self.sessions, grid)
        at = int(np.searchsorted(grid, day))
        glands = [one.kind == "gland" for one in self.model.structures]
        twitch, release = (np.asarray(one)[at, :-1] for one in kept)
        return np.asarray(captured)[:-1], 1 - np.where(np.array(glands)[:, None], release, twitch)


def toxin(plan: Plan, model: Model) -> Toxin:
    """Solve the fields of every site of a plan, history left out."""
    all_shots, sessions = injected(plan, model)
    middle: Stages = jax.tree.map(lambda leaf: np.median(leaf, axis=0), model.stages)
    medium = model.stages.spread.medium()
    sites = []
    for number in np.flatnonzero(all_shots.dose_u > 0):
        one = model.structures[all_shots.structure[number]]
        atlas = _shows(model, one.id)
        around = u = None
        if atlas is not None:
            site_mm, volume_ml = all_shots.site_mm[number], float(all_shots.volume_ml[number])
            around = box(atlas, one.id, site_mm, one.frame, volume_ml, medium)
            with jax.enable_x64(False):
                u = np.asarray(field(around, passing(atlas, medium), medium, site_mm, volume_ml))
        sites.append(Site(int(number), float(all_shots.dose_u[number]), one.id, atlas, around, u))
    return Toxin(middle, model, in_place(all_shots, model), sessions, tuple(sites))


def unsolved(plan: Plan, model: Model) -> Toxin:
    """The sites of a plan alone: enough to say where the needle goes, and quick."""
    all_shots, sessions = injected(plan, model)
    middle: Stages = jax.tree.map(lambda leaf: np.median(leaf, axis=0), model.stages)
    sites = tuple(
        Site(int(number), float(all_shots.dose_u[number]), name, _shows(model, name), None, None)
        for number in np.flatnonzero(all_shots.dose_u > 0)
        for name in (model.structures[all_shots.structure[number]].id,)
    )
    return Toxin(middle, model, all_shots, sessions, sites)


def _shows(model: Model, structure: str) -> Atlas | None:
    """The map that shows a structure."""
    return next((atlas for atlas in model.atlases if structure in atlas.tissues), None)


def _shares(site: Site, kept: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Share of one site that each tissue captures."""
    if site.atlas is not None and site.around is not None and site.u is not None:
        names, box_ = site.atlas.tissues, site.around
        parts = np.bincount(box_.label.ravel(), site.u.ravel(), len(names)) * box_.cell_mm3
        return {name: float(p) for name, p in zip(names, parts, strict=True) if p > 0}
    here = {name: float(part[site.number]) for name, part in kept.items()}
    inside = sum(here.values())
    here = {name: part / max(inside, 1.0) for name, part in here.items()}
    return here | {"other tissue": max(1 - inside, 0.0)}


def _fields(shots: Shots) -> Leaf:
    return shots.solved


@eqx.filter_jit
def _influence(spread: Spread, shots: Shots, points: Body) -> Leaf:
    """Captured density per unit at any points, (shot, copy of the points, point)."""
    return spread.influence(shots, points)


@eqx.filter_jit
def _endings(
    stages: Stages, body: Body, shots: Shots, sessions: Sessions, grid: Leaf
) -> tuple[Leaf, tuple[Leaf, Leaf]]:
    """Captured toxin (structure, node); twitch and release, (day, structure, node)."""
    near = stages.spread(shots, body)
    captured = jnp.zeros((len(sessions.day), *near.shape[1:])).at[shots.session].add(near)
    release = stages.release(stages.kinetics(captured, sessions, grid), grid)
    size = stages.response.fibre_size(
        stages.response.firing(release, stages.response.facilitation), grid
    )
    return captured.sum(0), (stages.response.firing(release, 1.0) * size, release)
