"""Overactive bladder: one loss of release, less urge on the way in and less push on the way out.

T is the release left in the detrusor; u = 1 - T. Readings are those of day 0, so u and T^g count
from there where earlier toxin is still at work.

    capacity   C = C_0 (1 + alpha u)            afferent: the first involuntary contraction is later
    pressure   P = P_0 T^g                      efferent: it is weaker
    leaks      UI = max(0, (UI_0 + h) exp(-beta u - placebo + fluctuation) - h)
    emptied    e = e_0 min(1, m T^g) / min(1, m)               residual = C (1 - e)

h is urgency that is held: it comes that much oftener than urine leaks, so that somebody whose
urgency falls below it is dry. m is the reserve of the voluntary contraction: what it has over what
emptying asks, less where urine is left already, so that efficacy and retention come from the same T
and cannot be tuned apart.

Simplification: this is the balance of many fills, not a fill. Compliance, the outlet, the chance of
each contraction and the terminals of the afferents are in alpha, beta and m; afferent and efferent
endings lose release alike. (disorders, section 6)
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
    since_day_0,
)
from openbont.forward.response import Tissue


class Bladder(Disorder):
    """Leaks a day, capacity, pressure of an involuntary contraction, residual urine."""

    wall_weight: Float[Leaf, "structure"]
    log_leaks: Float[Leaf, ""]
    held_per_day: Float[Leaf, ""]
    capacity_ml: Float[Leaf, ""]
    pressure_cmh2o: Float[Leaf, ""]
    residual_ml: Float[Leaf, ""]
    afferent_gain: Float[Leaf, ""]
    leak_gain: Float[Leaf, ""]
    efferent_power: Float[Leaf, ""]
    reserve: Float[Leaf, ""]
    course: NaturalCourse
    measures: tuple[Measure, ...] = eqx.field(static=True)

    def __call__(
        self, tissue: Tissue, day: Float[np.ndarray, "grid"], since_day: Float[Leaf, "grid"]
    ) -> Float[Array, "grid measure"]:
        """The readings that `measures` names."""
        left = tissue.drive @ self.wall_weight
        lost = 1 - left
        gained = lost - since_day_0(lost[:, None], day)[0]
        push = left**self.efferent_power
        capacity = self.capacity_ml * (1 + self.afferent_gain * gained)
        change = jnp.exp(self.course(day, since_day)[:, 0] - self.leak_gain * gained)
        urgency = (jnp.exp(self.log_leaks) + self.held_per_day) * change
        readings = {
            "UI_per_day": jnp.maximum(urgency - self.held_per_day, 0.0),
            "bladder_capacity": capacity,
            "detrusor_pressure": self.pressure_cmh2o * push / since_day_0(push[:, None], day)[0],
            "PVR": capacity * (1 - self._emptied(push, day)),
        }
        seen = jnp.column_stack([readings[one.scale] for one in self.measures])
        return bounded(seen, self.measures)

    def _emptied(
        self, push: Float[Array, "grid"], day: Float[np.ndarray, "grid"]
    ) -> Float[Array, "grid"]:
        """Share of the bladder that a voluntary void empties."""
        suffices = jnp.minimum(self.reserve * push, 1.0)
        usual = 1 - self.residual_ml / self.capacity_ml
        return jnp.minimum(usual * suffices / since_day_0(suffices[:, None], day)[0], 1.0)
