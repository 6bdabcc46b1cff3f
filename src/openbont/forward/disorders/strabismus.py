"""Strabismus: the blocked muscle pulls less; its antagonist shortens, and keeps part of the change.

    D  = G (force_agonist - force_antagonist)      what the block takes from the balance of pulls
    dx/dt = (s D - x) / tau                        tau short while x grows, long while it goes back
    deviation = deviation0 + (D + x) - the same on day 0 + fluctuation                      dioptres
    misalignment = |deviation|

The agonist turns the eye the way it deviates (medial rectus inward, lateral rectus outward), so
that a deviation below 0 is an over-correction. D is the plant k theta = F_LR a - F_MR a with the
force of one muscle given as the deviation it makes, x its contracture term. Vertical deviation is
not modelled. (disorders, section 9)
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from openbont.forward.arrays import Leaf
from openbont.forward.disorders.interface import (
    Disorder,
    Measure,
    NaturalCourse,
    bounded,
    lid_mm,
    since_day_0,
)
from openbont.forward.response import Tissue


class Strabismus(Disorder):
    """Horizontal deviation, how far from straight, and height of the upper lid of one eye."""

    pull: Float[Leaf, "structure"]
    """1 for the agonist, -1 for its antagonist."""
    lid_weight: Float[Leaf, "lid structure"]
    deviation: Float[Leaf, ""]
    pull_pd: Float[Leaf, ""]
    shortening_share: Float[Leaf, ""]
    shortening_day: Float[Leaf, ""]
    stretching_day: Float[Leaf, ""]
    course: NaturalCourse
    measures: tuple[Measure, ...] = eqx.field(static=True)

    def __call__(
        self, tissue: Tissue, day: Float[np.ndarray, "grid"], since_day: Float[Leaf, "grid"]
    ) -> Float[Array, "grid measure"]:
        """Deviation, misalignment, then height of the lid."""
        balance = self.pull_pd * (tissue.force @ self.pull)
        turned = (balance + self._length(balance, day))[:, None]
        deviation = self.deviation + turned - since_day_0(turned, day) + self.course(day, since_day)
        lid = lid_mm(tissue, self.lid_weight)
        return bounded(jnp.column_stack([deviation, jnp.abs(deviation), lid]), self.measures)

    def _length(
        self, balance: Float[Array, "grid"], day: Float[np.ndarray, "grid"]
    ) -> Float[Array, "grid"]:
        """Change of deviation from muscles that have taken on another length."""

        def step(at: Array, over: tuple[Array, Array]) -> tuple[Array, Array]:
            target, days = over
            grows = jnp.abs(target) > jnp.abs(at)
            rate = 1 / jnp.where(grows, self.shortening_day, self.stretching_day)
            at = target + (at - target) * jnp.exp(-rate * days)
            return at, at

        target = self.shortening_share * 0.5 * (balance[1:] + balance[:-1])
        start = jnp.zeros((), balance.dtype)
        _, later = jax.lax.scan(step, start, (target, jnp.diff(jnp.asarray(day))))
        return jnp.concatenate([start[None], later])
