"""The influence matrix [node x site] where tissues meet: solved once, kept by content.

A field depends on the place of a site, on its volume and on the reach, never on the dose. It is
solved at volumes a factor of 1.41 apart and at three reaches; between them its logarithm is
interpolated, by reach in the chain itself, so that every draw has its own.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import astuple, dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from openbont.anatomy.atlas import Atlas
from openbont.anatomy.structure import Structure
from openbont.forward.arrays import Shots, Solved
from openbont.forward.field import LEAST_ML, Medium, box, field, passing, read

CACHE = "OPENBONT_CACHE"
"""Environment variable: folder in which solved fields are kept between runs."""
REACHES = np.exp(0.35 * np.arange(-1, 2))
"""Reaches at which a field is solved, relative to the middle one."""
_VOLUME_STEP = np.log(2) / 2
_FLOOR = 1e-9  # 1/cm3: nothing
_KEPT = 4096  # fields in memory, about 20 kB each


@dataclass(frozen=True, eq=False)
class Surroundings:
    """An atlas with those structures of a model that it shows."""

    atlas: Atlas
    structures: tuple[Structure, ...]

    @cached_property
    def digest(self) -> bytes:
        """Content of labels, compartments and nodes."""
        parts = [repr((self.atlas.tissues, self.atlas.compartments)).encode()]
        for grid in self.atlas.grids:
            parts += [a.tobytes() for a in (grid.label, grid.origin_mm, grid.axes, grid.step_mm)]
        for one in self.structures:
            parts += [one.id.encode(), one.node_mm.tobytes(), one.frame.tobytes()]
        return hashlib.sha256(b"".join(parts)).digest()


@dataclass(frozen=True)
class Needle:
    """One field to solve; reach and volume are among the solved ones."""

    structure: str
    site_mm: tuple[float, ...]
    volume_ml: float
    medium: Medium


@dataclass(frozen=True, eq=False)
class Reached:
    """What one unit at a site does."""

    density: Float[np.ndarray, "structure node"]
    """Captured at the nodes of each structure of the surroundings, 1/cm3."""
    share: Float[np.ndarray, "label"]
    """Part of the toxin that each tissue of the atlas captures; together one."""


class _Shot(NamedTuple):
    """One site that a mapped region shows."""

    number: int
    place: Surroundings
    structure: str
    site_mm: tuple[float, ...]
    volume_ml: float

    def needles(self, medium: Medium) -> list[Needle]:
        """Fields around its volume: the smaller volume at each reach, then the larger."""
        below = int(_volume_place(self.volume_ml))
        return [
            Needle(self.structure, self.site_mm, _volume_ml(step), one)
            for step in (below, below + 1)
            for one in (replace(medium, reach_mm=float(medium.reach_mm * r)) for r in REACHES)
        ]

    def log_u(self, medium: Medium) -> Float[np.ndarray, "reach structure node"]:
        """Logarithm of the density at each reach, between the two solved volumes."""
        found = [
            np.log(np.maximum(reached(self.place, one).density, _FLOOR))
            for one in self.needles(medium)
        ]
        small, large = np.stack(found[: len(REACHES)]), np.stack(found[len(REACHES) :])
        weight = _volume_place(self.volume_ml) % 1
        return np.asarray((1 - weight) * small + weight * large)


def solved(
    shots: Shots, structures: Sequence[Structure], atlases: Sequence[Atlas], medium: Medium
) -> Shots:
    """The same shots, with fields solved wherever an atlas shows the injected structure."""
    around = [surroundings(atlas, tuple(structures)) for atlas in atlases]
    log_u = np.full(
        (len(REACHES), len(shots.dose_u), len(structures) + 1, len(structures[0].node_mm)),
        np.log(_FLOOR),
    )
    here = np.zeros(len(shots.dose_u))
    shown = list(_shown(shots, structures, around))
    _solve_all([(shot.place, one) for shot in shown for one in shot.needles(medium)])
    for shot in shown:
        here[shot.number] = 1.0
        into = [structures.index(one) for one in shot.place.structures]
        log_u[:, shot.number, into] = shot.log_u(medium)
    everywhere = bool((here[shots.dose_u > 0] > 0).all())
    return replace(shots, solved=Solved(log_u, medium.reach_mm * REACHES, here, everywhere))


@lru_cache(maxsize=64)
def surroundings(atlas: Atlas, structures: tuple[Structure, ...]) -> Surroundings:
    """An atlas with those of `structures` that it shows."""
    return Surroundings(atlas, tuple(one for one in structures if one.id in atlas.tissues))


@lru_cache(maxsize=_KEPT)
def reached(place: Surroundings, needle: Needle) -> Reached:
    """Solve one field, or find it among those kept."""
    path = _path(place, needle)
    if path is not None and path.exists():
        with suppress(OSError, ValueError, KeyError), np.load(path) as kept:
            return Reached(kept["density"], kept["share"])
    found = _solve(place, needle)
    if path is not None:
        _keep(path, found)
    return found


def _shown(
    shots: Shots, structures: Sequence[Structure], around: Sequence[Surroundings]
) -> Iterator[_Shot]:
    """Shots with a dose in a structure that an atlas shows."""
    for number, (structure, dose_u) in enumerate(zip(shots.structure, shots.dose_u, strict=True)):
        name = structures[structure].id if structure < len(structures) else ""
        place = next((one for one in around if name in one.atlas.tissues), None)
        if place is not None and dose_u > 0:
            site_mm = tuple(float(mm) for mm in np.round(shots.site_mm[number], 3))
            yield _Shot(number, place, name, site_mm, float(shots.volume_ml[number]))


def _volume_place(volume_ml: float) -> float:
    return float(np.log(max(volume_ml, LEAST_ML) / LEAST_ML) / _VOLUME_STEP)


def _volume_ml(step: int) -> float:
    return float(LEAST_ML * np.exp(_VOLUME_STEP * step))


def _solve_all(tasks: Sequence[tuple[Surroundings, Needle]]) -> None:
    """Solve what is not yet known, on all cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda task: reached(*task), dict.fromkeys(tasks)))


def _solve(place: Surroundings, needle: Needle) -> Reached:
    atlas, medium, site_mm = place.atlas, needle.medium, np.array(needle.site_mm)
    frame = next(one.frame for one in place.structures if one.id == needle.structure)
    around = box(atlas, needle.structure, site_mm, frame, needle.volume_ml, medium)
    with jax.enable_x64(False):  # within 2e-6 of the highest density, in half the time
        u = np.asarray(field(around, passing(atlas, medium), medium, site_mm, needle.volume_ml))
    density = [read(around, u, one.node_mm, atlas.number(one.id)) for one in place.structures]
    share = np.bincount(around.label.ravel(), u.ravel(), len(atlas.tissues)) * around.cell_mm3
    return Reached(1000 * np.stack(density), share)


def _path(place: Surroundings, needle: Needle) -> Path | None:
    """Where this field is kept; None when nothing is to be kept."""
    if not (folder := os.environ.get(CACHE)):
        return None
    content = repr((needle.structure, needle.site_mm, needle.volume_ml, astuple(needle.medium)))
    name = hashlib.sha256(place.digest + content.encode()).hexdigest()
    return Path(folder) / "fields" / name[:2] / f"{name[2:34]}.npz"


def _keep(path: Path, found: Reached) -> None:
    """Write beside and rename: another process never reads half a file."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        with part.open("wb") as file:
            np.savez(file, density=found.density, share=found.share)
        part.replace(path)
