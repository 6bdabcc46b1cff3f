"""Spasticity: stretch reflex less, tone less; the same block takes voluntary strength.

For each movement, resistance to fast stretch has a passive share (contracture, tissue) that toxin
cannot change and a reflex share that follows the twitch of its muscles (McPherson 2018):

    R / R0 = c + (1 - c) sum_m w_m twitch_m^(1 + gamma)
    grade  = grade0 + ln(R / R0) / width - placebo + fluctuation            (Weber-Fechner)

gamma > 0 is the extra loss from blocked intrafusal junctions (Trompetto 2008). Strength of a
function is the weighted force of its muscles. (disorders, section 3)
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from openbont.forward.arrays import Leaf
from openbont.forward.disorders.interface import Driven, Measure, NaturalCourse, since_day_0
from openbont.forward.response import Tissue


class Spasticity(Driven):
    """Tone by movement on an Ashworth scale, strength by function."""

    reflex_weight: Float[Leaf, "movement structure"]
    strength_weight: Float[Leaf, "function structure"]
    grade: Float[Leaf, "movement"]
    passive_share: Float[Leaf, "movement"]
    grade_width: Float[Leaf, ""]
    gamma: Float[Leaf, ""]
    course: NaturalCourse
    measures: tuple[Measure, ...] = eqx.field(static=True)

    def __call__(
        self, tissue: Tissue, day: Float[np.ndarray, "grid"]
    ) -> Float[Array, "grid measure"]:
        """Grades of each movement, then the kept share of each function's strength."""
        resistance = jnp.log(self.resistance(tissue)) / self.grade_width
        effect = resistance - since_day_0(resistance, day)
        grade = jnp.clip(self.grade + effect + self.course(day), 0.0, 4.0)
        strength = tissue.force @ self.strength_weight.T
        kept = jnp.clip(strength / since_day_0(strength, day), 0.0, 1.0)
        return jnp.concatenate([grade, kept], axis=1)

    def resistance(self, tissue: Tissue) -> Float[Array, "grid movement"]:
        """Resistance to fast stretch relative to untreated."""
        reflex = tissue.twitch ** (1 + self.gamma) @ self.reflex_weight.T
        return self.passive_share + (1 - self.passive_share) * reflex

    def shares(self, tissue: Tissue, measure: int) -> Float[Array, "grid structure"]:
        """Part of each structure in the reflex of one movement."""
        return self.reflex_weight[measure] * tissue.twitch ** (1 + self.gamma)

    def drive_after(
        self, measure: int, drive: Float[Leaf, "..."], fall: Float[Leaf, "..."]
    ) -> Float[Array, "..."]:
        """The reflex that lowers the grade of one movement by `fall`."""
        passive = self.passive_share[measure]
        resistance = (passive + (1 - passive) * drive) * jnp.exp(-self.grade_width * fall)
        return (resistance - passive) / (1 - passive)
