"""Spasticity: stretch reflex less, tone less; the same block takes voluntary strength.

For each movement, resistance to fast stretch has a passive share (contracture, tissue) that toxin
cannot change and a reflex share that follows the twitch of its muscles (McPherson 2018):

    q = sum_m w_m twitch_m^(1 + gamma),    R / R0 = c + (1 - c) q
    grade  = grade0 + ln(R / R0) / width - placebo + fluctuation + slope t  (Weber-Fechner)

gamma > 0 is the extra loss from blocked intrafusal junctions (Trompetto 2008). Strength of a
function is the weighted force of its muscles. All further readings (forward/disorders/stretch.py)
follow the same q, so no second knob can make them disagree. (disorders, section 3)
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from openbont.errors import NoPlan
from openbont.forward.arrays import Leaf
from openbont.forward.disorders.attainment import Attainment
from openbont.forward.disorders.interface import (
    Driven,
    Measure,
    NaturalCourse,
    since_day_0,
    strength_kept,
)
from openbont.forward.disorders.stretch import Further, Stretch
from openbont.forward.response import Tissue


class Spasticity(Driven):
    """Tone by movement on both Ashworth scales, resistance, what was recorded besides, strength.

    "Frozen": the measure `resistance` is the share of today's resistance to fast stretch; under a
    full block it falls to `passive_share` and no further.
    """

    reflex_weight: Float[Leaf, "movement structure"]
    strength_weight: Float[Leaf, "function structure"]
    grade: Float[Leaf, "movement"]
    passive_share: Float[Leaf, "movement"]
    grade_width: Float[Leaf, ""]
    gamma: Float[Leaf, ""]
    slope_per_year: Float[Leaf, ""]
    """Grades that the cause adds in a year."""
    course: NaturalCourse
    further: tuple[Further, ...]
    attained: Attainment | None
    measures: tuple[Measure, ...] = eqx.field(static=True)

    def __call__(
        self, tissue: Tissue, day: Float[np.ndarray, "grid"], since_day: Float[Leaf, "grid"]
    ) -> Float[Array, "grid measure"]:
        """Grades twice, resistance, further readings, goals, then strength of each function."""
        share, stretch = self._stretch(tissue, day, self.course(day, since_day))
        grade = jnp.clip(self.grade + stretch.tone, 0.0, 4.0)
        rest = [reading(stretch) for reading in self.further]
        readings = jnp.concatenate([grade, grade, share, *rest], axis=1)
        goals = [self.attained(readings)] if self.attained else []
        return jnp.concatenate([readings, *goals, stretch.kept], axis=1)

    def _stretch(
        self, tissue: Tissue, day: Float[np.ndarray, "grid"], course: Float[Array, "grid movement"]
    ) -> tuple[Float[Array, "grid movement"], Stretch]:
        """Resistance as a share of today's, and what the further readings hang on."""
        reflex, resistance = self.reflex(tissue), self.resistance(tissue)
        log = jnp.log(resistance) / self.grade_width
        slope = self.slope_per_year * jnp.maximum(jnp.asarray(day), 0.0)[:, None] / 365.25
        return jnp.clip(resistance / since_day_0(resistance, day), 0.0, 10.0), Stretch(
            drive=reflex / since_day_0(reflex, day),
            tone=log - since_day_0(log, day) + course + slope,
            kept=strength_kept(tissue, self.strength_weight, day),
        )

    def reflex(self, tissue: Tissue) -> Float[Array, "grid movement"]:
        """Reflex drive relative to untreated."""
        return tissue.twitch ** (1 + self.gamma) @ self.reflex_weight.T

    def resistance(self, tissue: Tissue) -> Float[Array, "grid movement"]:
        """Resistance to fast stretch relative to untreated."""
        return self.passive_share + (1 - self.passive_share) * self.reflex(tissue)

    def shares(self, tissue: Tissue, measure: int) -> Float[Array, "grid structure"]:
        """Part of each structure in the reflex of one movement; both scales have one order."""
        return self.reflex_weight[self._row(measure)] * tissue.twitch ** (1 + self.gamma)

    def drive_after(
        self, measure: int, drive: Float[Leaf, "..."], fall: Float[Leaf, "..."]
    ) -> Float[Array, "..."]:
        """The reflex that lowers the grade of one movement by `fall`."""
        passive = self.passive_share[self._row(measure)]
        resistance = (passive + (1 - passive) * drive) * jnp.exp(-self.grade_width * fall)
        return (resistance - passive) / (1 - passive)

    def _row(self, measure: int) -> int:
        """Movement of a graded measure. Raises NoPlan for a reading of another kind."""
        number = len(self.passive_share)
        if measure >= 2 * number:
            which = self.measures[measure]
            raise NoPlan(
                f"doses are chosen for goals on tone, not on {which.scale} {which.where}".strip()
            )
        return measure % number
