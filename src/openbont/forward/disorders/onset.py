"""How dystonia goes on by itself: it spreads, it goes away, or it stays; toxin does not change it.

A focal dystonia is left in one of two ways, by its spread to a further region or by remission.
Both hazards fade with the years since onset at one rate, so that within a year

    s, m   = H (exp(-y / tau) - exp(-(y + 1) / tau)),   H = -ln(1 - share) / (1 - exp(-5 / tau))
    spread = s / (s + m) (1 - exp(-(s + m)))            it has reached a further region
    stays  = 1 - m / (s + m) (1 - exp(-(s + m)))        it has not gone away

`share` is the part of people in whom it happens within five years; for spread it lies between that
of onset in childhood and that of adults, a logistic of the age at onset. Once several regions
are affected no rate of further spread is known: s = 0, and only the chance that it stays is told.
(disorders, section 4)
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from openbont.forward.arrays import Leaf

_FIRST_YEARS = 5.0


class Onset(eqx.Module):
    """Age at onset, years since then, and what is known of people of that age."""

    age_year: Float[Leaf, ""]
    since_year: Float[Leaf, ""]
    spread_child: Float[Leaf, ""]
    spread_adult: Float[Leaf, ""]
    remission: Float[Leaf, ""]
    fade_year: Float[Leaf, ""]
    adult_year: Float[Leaf, ""]
    """Age at which onset is half way between a child's and an adult's."""
    adult_width_year: Float[Leaf, ""]
    focal: bool = eqx.field(static=True)
    """One region is affected."""

    def __call__(self, day: Float[np.ndarray, "grid"]) -> Float[Array, "grid chance"]:
        """Chance in % that a focal dystonia spreads within a year; that it is there in a year."""
        year = self.since_year + jnp.asarray(day) / 365.25
        passing = -jnp.expm1(-1 / self.fade_year) * jnp.exp(-year / self.fade_year)
        spread = self.focal * self._hazard(self.spread) * passing
        remission = self._hazard(self.remission) * passing
        both = spread + remission
        leaves = -jnp.expm1(-both) / both
        stays = 1 - remission * leaves
        return 100 * jnp.column_stack([spread * leaves, stays] if self.focal else [stays])

    @property
    def spread(self) -> Float[Array, ""]:
        """Share of people with this age at onset in whom it spreads within five years."""
        young = jax.nn.sigmoid((self.adult_year - self.age_year) / self.adult_width_year)
        return self.spread_adult + (self.spread_child - self.spread_adult) * young

    def _hazard(self, share: Float[Leaf, ""]) -> Float[Array, ""]:
        """Hazard summed over all years."""
        return jnp.log1p(-share) / jnp.expm1(-_FIRST_YEARS / self.fade_year)
