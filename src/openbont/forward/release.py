"""Intact SNARE protein -> evoked release, relative to the patient's own untouched ending.

    r = S^n + rho Q,    dQ/dt = k_sp (1 - S^n) (1 - Q) - k_ret S^n Q

n SNARE complexes act together (Sinha 2011). Q is sprouting: slow, and a minor helper (Rogozhin
2008). Sprouts do not make an ending stronger than untouched, so r stops at 1.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from openbont.forward.arrays import Leaf

_NOTHING = 1e-30


class Release(eqx.Module):
    """Cooperativity and sprouting."""

    cooperativity: Float[Leaf, ""]
    sprout_share: Float[Leaf, ""]
    sprouting_per_day: Float[Leaf, ""]
    retraction_per_day: Float[Leaf, ""]

    def __call__(
        self, intact: Float[Array, "grid structure node"], day: Float[np.ndarray, "grid"]
    ) -> Float[Array, "grid structure node"]:
        """Share of release that is left."""
        parent = jnp.exp(self.cooperativity * jnp.log(jnp.maximum(intact, _NOTHING)))

        def rates(working: Array) -> tuple[Array, Array]:
            rise = self.sprouting_per_day * (1 - working)
            return rise, rise + self.retraction_per_day * working

        sprouts = driven(jnp.zeros_like(parent[0]), parent, rates, day)
        return jnp.minimum(parent + self.sprout_share * sprouts, 1.0)


def driven(
    start: Float[Array, "..."],
    driver: Float[Array, "grid ..."],
    rates: Callable[[Array], tuple[Array, Array]],
    day: Float[np.ndarray, "grid"],
) -> Float[Array, "grid ..."]:
    """`relax`, with gain and loss as `rates` makes them of the mean of a driver over each step.

    The driver is handed to the loop as it is: worked out once, however often a step needs it.
    """

    def step(carry: tuple[Array, Array], inputs: tuple[Array, Array]) -> Any:
        (state, before), (length, after) = carry, inputs
        new = _relaxed(state, *rates(0.5 * (before + after)), length)
        return (new, after), new

    lengths = jnp.diff(jnp.asarray(day)).astype(driver.dtype)
    _, rest = jax.lax.scan(step, (start, driver[0]), (lengths, driver[1:]))
    return jnp.concatenate([start[None], rest])


def relax(
    start: Float[Leaf, "..."],
    gain: Float[Leaf, "step ..."],
    loss: Float[Leaf, "step ..."],
    day: Float[np.ndarray, "grid"],
) -> Float[Array, "grid ..."]:
    """Solve dx/dt = gain - loss x exactly for gain and loss constant within each step."""

    def step(state: Array, inputs: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        length, up, down = inputs
        new = _relaxed(state, up, down, length)
        return new, new

    lengths = jnp.diff(jnp.asarray(day)).astype(gain.dtype)
    _, rest = jax.lax.scan(step, start, (lengths, gain, loss))
    return jnp.concatenate([start[None], rest])


def _relaxed(state: Array, gain: Array, loss: Array, length: Array) -> Array:
    return state + (gain / loss - state) * -jnp.expm1(-loss * length)
