"""Far from the needle: strength, breathing and swallowing, in a body that may be weak.

Distant muscle has release r (through the blood). A disease changes the safety factor S and the
motor units, never r itself; its share of healthy muscle (safety factor S_0) is

    a(S) = Phi(ln(S r) / s) / Phi(ln(S_0) / s)               single impulses: facilitation is spent
    units     N = N_0 exp(-loss t),   mu = min(1, e N)       e: how far a unit grows by sprouting
    strength  mu a(S)
    bulk      follows mu with a delay of 8 weeks             wasting
    breathing FVC = FVC_0 (mu a(S) / the same on day 0)^p    p = 0.5, an assumed shape
    swallowing trouble = 1 / (1 + exp(4 - 9 (1 - b))),   b = mu a(S_pharynx) / the same on day 0
    twitching = mean twitch of the muscles of the region     fasciculations and cramps need firing

Nothing here is a statement of safety. (disorders, section 11; the rows of patients with stable
weakness are not met and stay an open question)
"""

import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jaxtyping import Array, Float

from openbont.forward.arrays import Leaf
from openbont.forward.disorders.interface import Measure, since_day_0, swallowing_trouble
from openbont.forward.release import relax
from openbont.forward.response import Tissue

_BULK_DAY = 56.0
_MONTH_DAYS = 30.4


class Distant(eqx.Module):
    """What is left of muscle that no needle reached, as a share of healthy muscle."""

    safety_factor: Float[Leaf, ""]
    healthy_safety_factor: Float[Leaf, ""]
    facial: Float[Leaf, ""]
    """Safety factor of the pharynx, relative to limb muscle."""
    safety_spread: Float[Leaf, ""]
    units: Float[Leaf, ""]
    enlargement: Float[Leaf, ""]
    loss_per_month: Float[Leaf, ""]
    fvc: Float[Leaf, ""]
    breathing_power: Float[Leaf, ""]
    measures: tuple[Measure, ...] = eqx.field(static=True)

    def __call__(
        self, tissue: Tissue, day: Float[np.ndarray, "grid"]
    ) -> Float[Array, "grid measure"]:
        """Readings in the order of `measures`."""
        alive, release = self.alive(day), tissue.drive[:, -1]
        strength = alive * self.firing(release)
        both = jnp.stack([strength, alive * self.firing(release, self.facial)], axis=1)
        breath, pharynx = (both / since_day_0(both, day)).T
        read = {
            "far_strength": strength,
            "far_bulk": self._bulk(alive, day),
            "FVC": self.fvc * breath**self.breathing_power,
            "dysphagia": 100 * swallowing_trouble(pharynx),
            "twitching": tissue.twitch[:, :-1].mean(1),
        }
        return jnp.column_stack([read[measure.scale] for measure in self.measures])

    def firing(
        self, release: Float[Array, "grid"], part: Float[Leaf, ""] | float = 1.0
    ) -> Float[Array, "grid"]:
        """Share of fibres that fire, relative to healthy muscle; `part` as for the pharynx."""
        now, healthy = part * self.safety_factor, part * self.healthy_safety_factor
        untouched = ndtr(jnp.log(healthy) / self.safety_spread)
        return ndtr(jnp.log(now * jnp.maximum(release, 1e-12)) / self.safety_spread) / untouched

    def alive(self, day: Float[np.ndarray, "grid"]) -> Float[Array, "grid"]:
        """Muscle that still has a nerve: units left, each grown by sprouting, at most 1."""
        months = jnp.asarray(day) / _MONTH_DAYS
        return jnp.minimum(
            self.units * jnp.exp(-self.loss_per_month * months) * self.enlargement, 1
        )

    def _bulk(self, alive: Float[Array, "grid"], day: Float[np.ndarray, "grid"]) -> Array:
        rate = jnp.full_like(alive[1:], math.log(2.0) / _BULK_DAY)
        return relax(alive[0], rate * alive[1:], rate, day)
