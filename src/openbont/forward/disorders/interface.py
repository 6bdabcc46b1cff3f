"""What every disorder offers: response of the tissue -> readings on named scales.

Severity is additive on an unbounded latent; the scale's bounds come last. Placebo, natural course
and rater act on the latent only, never on release. Side effects are measures like any other:
they come from the same tissue.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from openbont.forward.arrays import Leaf
from openbont.forward.response import Tissue


@dataclass(frozen=True)
class Measure:
    """One predicted reading."""

    scale: str
    where: str
    words: str
    unit: str
    low: float
    high: float
    better: Literal["lower", "higher"]
    margin: float = 0.0
    """Smallest difference that matters to patients, in `unit`."""
    grades: tuple[tuple[str, float], ...] = ()
    """Grades as written and as numbers, for ordinal scales."""

    observed: Literal["graded", "counted", "events", "measured"] = "measured"
    noise: float = 0.0
    """Graded and measured: SD of one examination. Counted: correlation of one day with the next.
    Events: days of the diary."""

    def reads_as(self, target: float) -> float:
        """Worst severity that is still read as `target` or better: half way to the next grade."""
        if self.better == "lower":
            above = [number for _, number in self.grades if number > target]
            return (target + min(above)) / 2 if above else target
        below = [number for _, number in self.grades if number < target]
        return (target + max(below)) / 2 if below else target

    def number(self, value: float | str) -> float:
        """A reading or target as a number of this measure."""
        if not self.grades:
            return float(value)
        return dict(self.grades)[value if isinstance(value, str) else f"{value:g}"]


class NaturalCourse(eqx.Module):
    """Placebo response and slow fluctuation of one patient, on the latent.

    placebo p (1 - exp(-t / tau_p)) exp(-w s): it comes after the first session, t days ago, and
    wanes after each, s days ago; fluctuation: an Ornstein-Uhlenbeck process that starts where the
    entry reading found it and forgets it with its own tau.
    """

    placebo: Float[Leaf, ""]
    placebo_day: Float[Leaf, ""]
    waning_per_day: Float[Leaf, ""]
    start: Float[Leaf, "latent"]
    noise: Float[Leaf, "latent knot"]
    spread: Float[Leaf, ""]
    memory_day: Float[Leaf, ""]

    def __call__(
        self, day: Float[np.ndarray, "grid"], since_day: Float[Leaf, "grid"]
    ) -> Float[Array, "grid latent"]:
        """Change of the latent since day 0, where the last session was `since_day` ago; a lower
        latent is better."""
        after = jnp.maximum(jnp.asarray(day), 0.0)
        come = -jnp.expm1(-after / self.placebo_day)
        relief = self.placebo * come * jnp.exp(-self.waning_per_day * since_day)
        return self._fluctuation(after) - self.start - relief[:, None]

    def _fluctuation(self, after: Float[Array, "grid"]) -> Float[Array, "grid latent"]:
        keep = jnp.exp(-KNOT_DAYS / self.memory_day)
        kick = self.spread * jnp.sqrt(1 - keep**2)
        _, later = jax.lax.scan(
            lambda at, noise: (keep * at + kick * noise,) * 2, self.start, self.noise.T
        )
        path = jnp.concatenate([self.start[None], later])
        position = after / KNOT_DAYS
        lower = jnp.clip(position.astype(int), 0, len(path) - 2)
        part = jnp.minimum(position - lower, 1.0)[:, None]
        return (1 - part) * path[lower] + part * path[lower + 1]


KNOT_DAYS = 14.0


class Disorder(eqx.Module):
    """Turns what tissue still does into readings. Abstract: one final class a disorder."""

    measures: eqx.AbstractVar[tuple[Measure, ...]]

    def __call__(
        self, tissue: Tissue, day: Float[np.ndarray, "grid"], since_day: Float[Leaf, "grid"]
    ) -> Float[Array, "grid measure"]:
        """Readings on each day of the grid, `since_day` days after the last session of the plan,
        in the order of `measures`."""
        raise NotImplementedError


class Driven(Disorder):
    """A disorder whose readings follow sums over structures: doses can be chosen exactly."""

    def shares(self, tissue: Tissue, measure: int) -> Float[Array, "grid structure"]:
        """Part of each structure in the drive behind a measure; untouched, they add up to 1."""
        raise NotImplementedError

    def drive_after(
        self, measure: int, drive: Float[Leaf, "..."], fall: Float[Leaf, "..."]
    ) -> Float[Array, "..."]:
        """The drive that makes the latent of a measure `fall` lower than `drive` makes it."""
        raise NotImplementedError


def bounded(
    readings: Float[Leaf, "grid measure"], measures: Sequence[Measure]
) -> Float[Array, "grid measure"]:
    """Readings kept on their scales."""
    low, high = np.array([(one.low, one.high) for one in measures]).T
    return jnp.clip(readings, low, high)


def strength_kept(
    tissue: Tissue, weight: Float[Leaf, "function structure"], day: Float[np.ndarray, "grid"]
) -> Float[Array, "grid function"]:
    """Voluntary strength of each function, as a share of what it is on day 0; at most 1."""
    strength = tissue.force @ weight.T
    return jnp.clip(strength / since_day_0(strength, day), 0.0, 1.0)


def lid_mm(tissue: Tissue, lid_weight: Float[Leaf, "lid structure"]) -> Float[Array, "grid lid"]:
    """Height of each upper lid above the pupil; it follows the levator."""
    return _LID_MM - _LID_FALL_MM * (1 - tissue.force @ lid_weight.T)


_LID_MM, _LID_FALL_MM = 4.0, 3.5  # MRD1 with a working and a paralysed levator (assumed)


def since_day_0(
    values: Float[Leaf, "grid kind"], day: Float[np.ndarray, "grid"]
) -> Float[Array, "1 kind"]:
    """Values on day 0: readings were taken with earlier toxin still at work."""
    return values[np.searchsorted(day, 0.0)][None]
