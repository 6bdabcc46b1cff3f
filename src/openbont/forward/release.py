"""Intact SNARE protein -> evoked release, relative to the patient's own untouched ending.

    r = S^n + rho Q,    dQ/dt = k_sp (1 - S^n) (1 - Q) - k_ret S^n Q

n SNARE complexes act together (Sinha 2011). Q is sprouting: slow, and a minor helper (Rogozhin
2008). Sprouts do not make an ending stronger than untouched, so r stops at 1.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from openbont.forward.arrays import Leaf


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
        parent = intact**self.cooperativity
        working = 0.5 * (parent[1:] + parent[:-1])
        start = jnp.zeros_like(parent[0])
        rise = self.sprouting_per_day * (1 - working)
        sprouts = relax(start, rise, rise + self.retraction_per_day * working, day)
        return jnp.minimum(parent + self.sprout_share * sprouts, 1.0)


def relax(
    start: Float[Leaf, "..."],
    gain: Float[Leaf, "step ..."],
    loss: Float[Leaf, "step ..."],
    day: Float[np.ndarray, "grid"],
) -> Float[Array, "grid ..."]:
    """Solve dx/dt = gain - loss x exactly for gain and loss constant within each step."""

    def step(state: Array, inputs: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        length, up, down = inputs
        new = state + (up / down - state) * -jnp.expm1(-down * length)
        return new, new

    lengths = jnp.diff(jnp.asarray(day)).astype(gain.dtype)
    _, rest = jax.lax.scan(step, start, (lengths, gain, loss))
    return jnp.concatenate([start[None], rest])
