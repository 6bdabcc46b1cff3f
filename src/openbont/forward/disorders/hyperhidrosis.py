"""Hyperhidrosis: less release onto sweat glands, less sweat. Glands have no safety factor.

    ln g = ln(f + (1 - f) release) - the same on day 0        f: secretion without acetylcholine
    sweat = sweat_0 exp(ln g + fluctuation - placebo)         each axilla or palm, mg in 5 minutes
    HDSS  = HDSS_0 + a (mean ln g + fluctuation - placebo)
    strength: what is left of the muscles beneath the palm, which toxin reaches by spread

Days differ by heat and strain, log-normally and on both sides alike. (disorders, section 7)
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
    strength_kept,
)
from openbont.forward.response import Tissue


class Hyperhidrosis(Disorder):
    """Sweat of each site, how much it troubles, and strength beneath."""

    skin: Float[Leaf, "site structure"]
    strength_weight: Float[Leaf, "function structure"]
    sweat_mg: Float[Leaf, "site"]
    grade: Float[Leaf, ""]
    residual_share: Float[Leaf, ""]
    grade_per_ln: Float[Leaf, ""]
    course: NaturalCourse
    measures: tuple[Measure, ...] = eqx.field(static=True)

    def __call__(
        self, tissue: Tissue, day: Float[np.ndarray, "grid"], since_day: Float[Leaf, "grid"]
    ) -> Float[Array, "grid measure"]:
        """Sweat of each site, HDSS, strength of each function."""
        glands = jnp.log(self.secretion(tissue))
        change = glands - since_day_0(glands, day) + self.course(day, since_day)
        grade = self.grade + self.grade_per_ln * change.mean(1)
        kept = strength_kept(tissue, self.strength_weight, day)
        readings = jnp.column_stack([self.sweat_mg * jnp.exp(change), grade, kept])
        return bounded(readings, self.measures)

    def secretion(self, tissue: Tissue) -> Float[Array, "grid site"]:
        """Sweat of each site relative to untouched glands."""
        return self.residual_share + (1 - self.residual_share) * (tissue.drive @ self.skin.T)
