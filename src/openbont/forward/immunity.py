"""Neutralising antibodies across cycles: given dose -> effective dose.

Each injection adds to a cumulative hazard (Naumann 2010, Fabbri 2016); a patient converts at the
injection where it passes the patient's own threshold, drawn once from a unit exponential:

    hazard_i = h0 class (mass_i / ng)^0.7 exp(early x [interval < 10 weeks])
    effective dose = dose / (1 + Y),   Y decays and is boosted by each later injection

The first loss is of duration: log2(1 + Y) half-lives of the light chain.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from openbont.forward.arrays import Leaf, Sessions, Shots

_EARLY_DAYS = 70.0
SEROTYPES = 5


class Immunity(eqx.Module):
    """Hazard, titre after conversion, boost and decay."""

    hazard_per_ng: Float[Leaf, ""]
    mass_power: Float[Leaf, ""]
    early_factor: Float[Leaf, ""]
    titre: Float[Leaf, ""]
    boost: Float[Leaf, ""]
    titre_half_life_day: Float[Leaf, ""]
    threshold: Float[Leaf, ""]
    """Unit exponential of this draw."""
    product_class: Float[Leaf, "product"]
    ng_per_u: Float[Leaf, "product"]
    serotype: Float[Leaf, "product"]
    """Number of the product's serotype."""

    def __call__(self, shots: Shots, sessions: Sessions) -> Shots:
        """The same shots with the dose that is left after neutralisation."""
        share = 1 / (1 + self.neutralisation(shots, sessions))
        return eqx.tree_at(lambda s: s.dose_u, shots, shots.dose_u * share[shots.session])

    def neutralisation(self, shots: Shots, sessions: Sessions) -> Float[Array, "session"]:
        """Y at each session, before that session's own injection acts on it.

        Antibodies to one serotype do not neutralise another.
        """
        total_u = jnp.zeros(len(sessions.day)).at[shots.session].add(shots.dose_u)
        serotype = self.serotype[sessions.product]
        raised = sum(
            jnp.where(serotype == kind, self._level(total_u * (serotype == kind), sessions), 0.0)
            for kind in range(SEROTYPES)
        )
        return jnp.asarray(raised)

    def _level(
        self, total_u: Float[Array, "session"], sessions: Sessions
    ) -> Float[Array, "session"]:
        """Y before each session, from the doses `total_u` of one serotype."""
        interval = jnp.diff(sessions.day, prepend=-np.inf)
        hazard = (
            self.hazard_per_ng
            * self.product_class[sessions.product]
            * (total_u * self.ng_per_u[sessions.product]) ** self.mass_power
            * jnp.exp(self.early_factor * (interval < _EARLY_DAYS))
        )
        immune = jnp.cumsum(hazard) >= self.threshold
        levels, level, was_immune = [], jnp.zeros(()), jnp.zeros((), bool)
        for number in range(len(sessions.day)):
            faded = level * 0.5 ** (interval[number] / self.titre_half_life_day)
            levels.append(faded)
            raised = jnp.where(was_immune, self.boost * faded, self.titre)
            acted = immune[number] & (total_u[number] > 0)
            level = jnp.where(acted, raised, faded)
            was_immune = immune[number]
        return jnp.stack(levels)
