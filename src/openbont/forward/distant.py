"""Far from the needle: strength, breathing and swallowing, in a body that may be weak.

Distant muscle has release r (through the blood); the pharynx has it too, times its own where it is
modelled near the needle. A disease changes the safety factor S and the motor units, never r; the
share of healthy muscle (safety factor S_0) is

    a(S) = Phi(ln(S r) / s) / Phi(ln(S_0) / s)               single impulses: facilitation is spent
    units     N = N_0 exp(-loss t),   mu = min(1, e N)       e: how far a unit grows by sprouting
    strength  mu a(S)
    bulk      follows mu with a delay of 8 weeks             wasting
    breathing FVC = FVC_0 (mu a(S) / the same on day 0)^p    p = 0.5, an assumed shape
    swallowing trouble = 1 / (1 + exp(4 - 9 (1 - mu a(S_pharynx))))             assumed
    twitching = mean twitch of the muscles of the region, relative to day 0: fasciculations and
                cramps need firing

Nothing here is a statement of safety. (disorders, section 11; the rows of patients with stable
weakness are not met and stay an open question)
"""

import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.nn import sigmoid
from jax.scipy.special import ndtr
from jaxtyping import Array, Float

from openbont.forward.arrays import Leaf
from openbont.forward.disorders.interface import Measure, since_day_0
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
    pharynx_weight: Float[Leaf, "structure"]
    """1 at the pharynx, if it is among the structures."""
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
        pharynx = release * (1 - (1 - tissue.drive) @ self.pharynx_weight)
        twitch = tissue.twitch[:, :-1].mean(1)
        both = jnp.stack([strength, twitch], axis=1)
        breath, twitching = (both / since_day_0(both, day)).T
        read = {
            "far_strength": strength,
            "far_bulk": self._bulk(alive, day),
            "FVC": self.fvc * breath**self.breathing_power,
            "dysphagia": 100 * swallowing_trouble(alive * self.firing(pharynx, self.facial)),
            "twitching": twitching,
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


def swallowing_trouble(pharynx: Float[Array, "grid"]) -> Float[Array, "grid"]:
    """Chance of trouble, from the share of healthy strength that the pharynx has."""
    return sigmoid(_SWALLOW_REST + _SWALLOW_GAIN * (1 - pharynx))


_SWALLOW_REST, _SWALLOW_GAIN = -4.0, 9.0  # assumed
