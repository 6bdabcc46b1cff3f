"""Goal attainment scaling of a patient's own goals (GAS-light).

    x = -1 + (recorded - reading) / (recorded - target), within -2 .. +2
    T = 50 + 10 sum w x / sqrt((1 - rho) sum w^2 + rho (sum w)^2),   rho = 0.3

T = 50: every goal met as expected; the recorded readings score -1. (scales, Spasticity)
"""

import math

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

_RHO = 0.3


class Attainment(eqx.Module):
    """Goals on readings that should fall."""

    reading: tuple[int, ...] = eqx.field(static=True)
    """Which reading each goal speaks of."""
    recorded: tuple[float, ...] = eqx.field(static=True)
    target: tuple[float, ...] = eqx.field(static=True)
    weight: tuple[float, ...] = eqx.field(static=True)

    def __call__(self, readings: Float[Array, "grid reading"]) -> Float[Array, "grid 1"]:
        """The T score of each day."""
        recorded, weight = jnp.array(self.recorded), jnp.array(self.weight)
        wanted = recorded - jnp.array(self.target)
        gained = (recorded - readings[:, self.reading]) / wanted
        scored = jnp.clip(gained - 1, -2.0, 2.0) @ weight
        return (50 + 10 * scored / self._spread())[:, None]

    def _spread(self) -> float:
        total = math.fsum(self.weight)
        return math.sqrt((1 - _RHO) * math.fsum(w * w for w in self.weight) + _RHO * total**2)
