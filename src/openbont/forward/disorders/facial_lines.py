"""Frown lines: less force, shallower lines at maximum contraction; lines at rest fade slowly.

    u = sum_m w_m force_m                   frowning force of corrugators and procerus
    tau dX/dt = u - X                       skin: lines at rest follow use with delay, 1 untreated
    depth = depth0 (1 + share (X - X0) + (1 - share)(u^m - u0^m)) - placebo + fluctuation
    rest  = depth0 share (1 + X - X0)

Depth is in grades of the facial wrinkle scale. A power m below 1 says that a little force is
enough to fold the skin. Height of the lids follows the levator. (disorders, section 8)
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from openbont.forward.arrays import Leaf
from openbont.forward.disorders.interface import Disorder, Measure, NaturalCourse, since_day_0
from openbont.forward.release import relax
from openbont.forward.response import Tissue

_DEEPEST = 3.0
_LID_MM, _LID_FALL_MM = 4.0, 3.5  # MRD1 with a working and a paralysed levator (assumed)
_LEAST_FORCE = 1e-6  # keeps the slope of u^m finite


class FacialLines(Disorder):
    """Lines at maximum contraction and at rest, height of each upper lid."""

    frown_weight: Float[Leaf, "structure"]
    lid_weight: Float[Leaf, "lid structure"]
    depth: Float[Leaf, ""]
    static_share: Float[Leaf, ""]
    fold_power: Float[Leaf, ""]
    skin_day: Float[Leaf, ""]
    course: NaturalCourse
    measures: tuple[Measure, ...] = eqx.field(static=True)

    def __call__(
        self, tissue: Tissue, day: Float[np.ndarray, "grid"]
    ) -> Float[Array, "grid measure"]:
        """Grade at maximum contraction, grade at rest, height of each lid."""
        frown = tissue.force @ self.frown_weight
        fold = jnp.maximum(frown, _LEAST_FORCE) ** self.fold_power
        both = jnp.stack([self._skin(frown, day), fold], axis=1)
        skin, dynamic = (both - since_day_0(both, day)).T
        change = self.static_share * skin + (1 - self.static_share) * dynamic
        full = self.depth * (1 + change) + self.course(day)[:, 0]
        rest = self.depth * self.static_share * (1 + skin)
        lid = _LID_MM - _LID_FALL_MM * (1 - tissue.force @ self.lid_weight.T)
        grades = jnp.clip(jnp.column_stack([full, rest]), 0.0, _DEEPEST)
        return jnp.concatenate([grades, lid], axis=1)

    def _skin(self, frown: Float[Array, "grid"], day: Float[np.ndarray, "grid"]) -> Array:
        unused = 1 - 0.5 * (frown[1:] + frown[:-1])
        rate = jnp.full_like(unused, 1 / self.skin_day)
        return 1 - relax(jnp.zeros(()), unused * rate, rate, day)
