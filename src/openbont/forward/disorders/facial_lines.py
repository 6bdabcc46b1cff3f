"""Facial lines: less force, shallower lines at maximum contraction; lines at rest fade slowly.

    u = sum_m w_m force_m                   contraction of the muscles that fold this region's skin
    tau dX/dt = u - X                       skin: lines at rest follow use with delay, 1 untreated
    depth = depth0 (1 + share (X - X0) + (1 - share)(u^m - u0^m)) - placebo + fluctuation
    rest  = depth0 share (1 + X - X0)
    brow  = sum_m b_m force_m - the same on day 0         mm; b > 0 lifts, b < 0 draws down

Depth is in grades above the lowest of the scale. The patient sees the same lines with a placebo
response of their own. A power m below 1 says that a little force is enough to fold the skin. Height
of the lids follows the levator. Not modelled: a crooked smile from zygomaticus; trouble with
swallowing and a weak neck from toxin that passes through platysma to the muscles beneath, so that
swallowing is read through the blood only. (disorders, section 8)
"""

import equinox as eqx
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
from openbont.forward.release import relax
from openbont.forward.response import Tissue

_LEAST_FORCE = 1e-6  # keeps the slope of u^m finite


class FacialLines(Disorder):
    """Lines of one region: by the rater, by the patient, at rest; height of lids and brows."""

    line_weight: Float[Leaf, "structure"]
    lid_weight: Float[Leaf, "lid structure"]
    brow_mm: Float[Leaf, "brow structure"]
    depth: Float[Leaf, ""]
    static_share: Float[Leaf, ""]
    fold_power: Float[Leaf, ""]
    skin_day: Float[Leaf, ""]
    course: NaturalCourse
    subject_course: NaturalCourse
    measures: tuple[Measure, ...] = eqx.field(static=True)

    def __call__(
        self, tissue: Tissue, day: Float[np.ndarray, "grid"], since_day: Float[Leaf, "grid"]
    ) -> Float[Array, "grid measure"]:
        """Grades at maximum contraction and at rest, height of each lid, change of each brow."""
        pull = tissue.force @ self.line_weight
        fold = jnp.maximum(pull, _LEAST_FORCE) ** self.fold_power
        both = jnp.stack([self._skin(pull, day), fold], axis=1)
        skin, dynamic = (both - since_day_0(both, day)).T
        lines = self.depth * (1 + self.static_share * skin + (1 - self.static_share) * dynamic)
        rest = self.depth * self.static_share * (1 + skin)
        courses = (self.course(day, since_day)[:, 0], self.subject_course(day, since_day)[:, 0])
        seen = jnp.column_stack([*(lines + course for course in courses), rest])
        lift = tissue.force @ self.brow_mm.T
        brow, lid = lift - since_day_0(lift, day), lid_mm(tissue, self.lid_weight)
        grades = self.measures[0].low + seen
        return bounded(jnp.column_stack([grades, lid, brow]), self.measures)

    def _skin(self, pull: Float[Array, "grid"], day: Float[np.ndarray, "grid"]) -> Array:
        unused = 1 - 0.5 * (pull[1:] + pull[:-1])
        rate = jnp.full_like(unused, 1 / self.skin_day)
        return 1 - relax(jnp.zeros(()), unused * rate, rate, day)
