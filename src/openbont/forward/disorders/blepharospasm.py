"""Blepharospasm: less closing force, milder spasm; the same block weakens wanted closure.

    F / F0 = mean over both eyes of force_orbicularis
    score  = score0 + ln(F / F0) / width - placebo + fluctuation            (Jankovic scale, 0 to 8)
    closure = force_orbicularis / the same on day 0                          one reading an eye

The involuntary drive is untouched; the force it makes falls, and each point of the scale stands
for a fixed ratio of force (Weber-Fechner). Height of the lids follows the levator. (disorders,
section 9)
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from openbont.forward.arrays import Leaf
from openbont.forward.disorders.interface import (
    Driven,
    Measure,
    NaturalCourse,
    bounded,
    lid_mm,
    since_day_0,
)
from openbont.forward.response import Tissue

_LEAST_FORCE = 1e-3  # a lid without any force is still not below the scale


class Blepharospasm(Driven):
    """Jankovic score, closing force of each eye, height of each upper lid."""

    eye_weight: Float[Leaf, "eye structure"]
    lid_weight: Float[Leaf, "lid structure"]
    score: Float[Leaf, ""]
    score_width: Float[Leaf, ""]
    course: NaturalCourse
    measures: tuple[Measure, ...] = eqx.field(static=True)

    def __call__(
        self, tissue: Tissue, day: Float[np.ndarray, "grid"], since_day: Float[Leaf, "grid"]
    ) -> Float[Array, "grid measure"]:
        """Score, share of closing force kept by each eye, height of each lid."""
        closing = jnp.maximum(tissue.force @ self.eye_weight.T, _LEAST_FORCE)
        spasm = jnp.log(closing.mean(1)) / self.score_width
        change = spasm - since_day_0(spasm[:, None], day)[0] + self.course(day, since_day)[:, 0]
        kept = closing / since_day_0(closing, day)
        lid = lid_mm(tissue, self.lid_weight)
        return bounded(jnp.column_stack([self.score + change, kept, lid]), self.measures)

    def shares(self, tissue: Tissue, measure: int) -> Float[Array, "grid structure"]:
        """Part of each ring muscle in the closing force behind the score."""
        return self.eye_weight.mean(0) * tissue.force

    def drive_after(
        self, measure: int, drive: Float[Leaf, "..."], fall: Float[Leaf, "..."]
    ) -> Float[Array, "..."]:
        """The closing force that lowers the score by `fall`."""
        return drive * jnp.exp(-self.score_width * fall)
