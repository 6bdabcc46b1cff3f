"""Adductor laryngeal dystonia: folds that press less break the voice less, and close less well.

Spasms follow the twitch of the thyroarytenoid muscles, closing the folds to speak their voluntary
force, both as the mean of the two sides (q_t and q_v):

    breaks a minute = breaks0 (q_t / q_t(0))^2 - placebo + fluctuation
    breathiness  B  = Phi((q_b - q_v) / 0.15)
    quality         = 1 - strain0 (q_t / q_t(0))^2 - B,   strain0 from the quality on day 0

More dose takes the strain first and then the voice: quality has a best dose. Not modelled: the
lateral cricoarytenoids, and trouble with swallowing from toxin that reaches the pharynx nearby;
swallowing is read through the blood only. (disorders, section 4)
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jaxtyping import Array, Float

from openbont.errors import NoPlan
from openbont.forward.arrays import Leaf
from openbont.forward.disorders.interface import (
    Driven,
    Measure,
    NaturalCourse,
    bounded,
    since_day_0,
)
from openbont.forward.disorders.onset import Onset
from openbont.forward.response import Tissue

_BREATHY_WIDTH = 0.15


class Laryngeal(Driven):
    """Breaks, breathiness and quality of the voice."""

    fold_weight: Float[Leaf, "structure"]
    breaks: Float[Leaf, ""]
    quality: Float[Leaf, ""]
    """As a share of a healthy voice, on day 0."""
    breathy_at: Float[Leaf, ""]
    """Share of closing force q_b at which half of the breath is lost."""
    course: NaturalCourse
    onset: Onset | None
    measures: tuple[Measure, ...] = eqx.field(static=True)

    def __call__(
        self, tissue: Tissue, day: Float[np.ndarray, "grid"], since_day: Float[Leaf, "grid"]
    ) -> Float[Array, "grid measure"]:
        """Breaks a minute, breathiness, quality, and how dystonia goes on by itself."""
        squeeze = (tissue.twitch @ self.fold_weight)[:, None]
        spasm = (squeeze / since_day_0(squeeze, day)) ** 2
        closing = (tissue.force @ self.fold_weight)[:, None]
        breathy = ndtr((self.breathy_at - closing) / _BREATHY_WIDTH)
        strain = jnp.maximum(1 - self.quality - since_day_0(breathy, day), 0.0)
        read = [
            self.breaks * spasm + self.course(day, since_day),
            breathy,
            1 - strain * spasm - breathy,
        ]
        chances = [self.onset(day)] if self.onset else []
        return bounded(jnp.column_stack([*read, *chances]), self.measures)

    def shares(self, tissue: Tissue, measure: int) -> Float[Array, "grid structure"]:
        """Part of each fold in the spasms behind the breaks. Raises NoPlan."""
        if measure:
            raise NoPlan(
                f"doses are chosen for voice breaks, not for {self.measures[measure].words}"
            )
        return self.fold_weight * tissue.twitch

    def drive_after(
        self, measure: int, drive: Float[Leaf, "..."], fall: Float[Leaf, "..."]
    ) -> Float[Array, "..."]:
        """The squeeze with `fall` breaks a minute fewer, as if they had been counted untreated."""
        return jnp.sqrt(jnp.maximum(drive**2 - fall / self.breaks, 0.0))
