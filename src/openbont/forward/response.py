"""Release -> what the tissue still does.

A fibre fires when its end-plate potential passes threshold. With safety factor SF, log-normal
over the fibres of a muscle (Paton and Waud 1967, Wood and Slater 2001):

    P = Phi(ln(SF r) / s)                    single impulses and reflexes at low rate: twitch
    P_vol = Phi(ln(SF fac r) / s)            voluntary drive, with facilitation: force
    dA/dt = -k_at (1 - P_vol) (A - A_min) + k_rec P_vol (1 - A)             fibre size

Everything is relative to untouched muscle. Sensory drive and secretion follow release directly.
"""

import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.lax import erfc
from jaxtyping import Array, Float

from openbont.forward.arrays import Leaf
from openbont.forward.release import driven


class Tissue(eqx.Module):
    """What still works, as a share of untouched."""

    twitch: Float[Leaf, "day structure"]
    """Contraction to single impulses: CMAP, reflexes, tone."""
    force: Float[Leaf, "day structure"]
    """Voluntary contraction."""
    drive: Float[Leaf, "day structure"]
    """Release itself: sensory terminals, glands."""
    jitter: Float[Leaf, "day"]
    """Single-fibre jitter of distant muscle, relative to untouched."""


class Response(eqx.Module):
    """Safety factor of each structure, facilitation and fibre size."""

    safety_factor: Float[Leaf, "structure"]
    safety_spread: Float[Leaf, ""]
    facilitation: Float[Leaf, ""]
    atrophy_per_day: Float[Leaf, ""]
    smallest_fibre: Float[Leaf, ""]
    regrowth_per_day: Float[Leaf, ""]

    def __call__(
        self, release: Float[Array, "grid structure node"], day: Float[np.ndarray, "grid"]
    ) -> Tissue:
        """Mean over the nodes of each structure."""
        firing = self.firing(release, 1.0)
        voluntary = self.firing(release, self.facilitation)
        size = self.fibre_size(voluntary, day)
        return Tissue(
            (firing * size).mean(-1),
            (voluntary * size).mean(-1),
            release.mean(-1),
            jitter(release[:, -1].mean(-1), self.safety_factor[-1]),
        )

    def firing(
        self, release: Float[Array, "... structure node"], facilitation: Float[Array, ""] | float
    ) -> Float[Array, "... structure node"]:
        """Share of fibres that fire, relative to untouched muscle."""
        return firing(release, (self.safety_factor * facilitation)[:, None], self.safety_spread)

    def fibre_size(
        self, voluntary: Float[Array, "grid structure node"], day: Float[np.ndarray, "grid"]
    ) -> Float[Array, "grid structure node"]:
        """Cross-section relative to untouched; shrinks where voluntary firing is lost."""

        def rates(used: Array) -> tuple[Array, Array]:
            shrink, grow = self.atrophy_per_day * (1 - used), self.regrowth_per_day * used
            return shrink * (1 - self.smallest_fibre), shrink + grow

        return 1 - driven(jnp.zeros_like(voluntary[0]), voluntary, rates, day)


def firing(
    release: Float[Array, "... structure node"],
    factor: Float[Array, "structure #node"],
    spread: Float[Array, "#node"],
) -> Float[Array, "... structure node"]:
    """Share of fibres whose potential, `factor` times threshold, still passes it."""
    margin = jnp.log(factor)
    return _normal_cdf((margin + jnp.log(release)) / spread) / _normal_cdf(margin / spread)


def _normal_cdf(x: Float[Array, "..."]) -> Float[Array, "..."]:
    return 0.5 * erfc(-x / math.sqrt(2.0))


def jitter(release: Float[Array, "..."], safety_factor: Float[Array, "..."]) -> Float[Array, "..."]:
    """Single-fibre jitter relative to untouched, from the slope of the potential at threshold.

    J / J0 = (SF - 1) / (sqrt(r) (SF r - 1)); infinite once the fibre is blocked.
    """
    margin = safety_factor * release - 1
    raised = (safety_factor - 1) / (jnp.sqrt(release) * jnp.maximum(margin, 1e-12))
    return jnp.where(margin > 0, raised, jnp.inf)
