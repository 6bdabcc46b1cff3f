"""Sialorrhoea: less release onto salivary glands, less unstimulated flow.

    s = sum_g f_g (r + (1 - r) release_g) + 1 - sum_g f_g        flow of untouched glands is 1
    flow = flow_0 s / s_0 exp(fluctuation - placebo)             g/min

f_g is a gland's share of unstimulated flow, r what it still secretes after a full block: other
transmitters, and lobules that no needle reached. Dry mouth is s / s_0 itself: the same toxin, no
placebo. (disorders, section 9)
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


class Sialorrhoea(Disorder):
    """Unstimulated flow, and how much of the present flow is left."""

    flow: Float[Leaf, ""]
    share: Float[Leaf, "structure"]
    residual_share: Float[Leaf, ""]
    course: NaturalCourse
    measures: tuple[Measure, ...] = eqx.field(static=True)

    def __call__(
        self, tissue: Tissue, day: Float[np.ndarray, "grid"], since_day: Float[Leaf, "grid"]
    ) -> Float[Array, "grid measure"]:
        """Flow in g/min, share of the present flow."""
        secreted = 1 - (1 - self.residual_share) * ((1 - tissue.drive) @ self.share)
        left = secreted / since_day_0(secreted[:, None], day)[0]
        flow = self.flow * left * jnp.exp(self.course(day, since_day)[:, 0])
        return bounded(jnp.column_stack([flow, left]), self.measures)
