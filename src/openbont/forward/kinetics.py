"""Captured toxin -> intact SNARE protein by day.

Linear up to the light chain, hence analytic: captured toxin is taken up at k_S, binds, crosses
the endosome and becomes active light chain, which is lost with its half-life (Simpson 1980,
Lebeda 2008, Foran 2003). For the stages with rates k_1 .. k_n the last one holds

    sum_i  k_1 .. k_(n-1) exp(-k_i t) / prod_(j /= i) (k_j - k_i)        (Bateman)

superposed over sessions and serotypes. The light chain cleaves SNAP-25 (serotypes A, C, E) or
VAMP (B, F), called intact here, which is renewed at k:

    dS/dt = k (1 - S) - k load S

One step of length h follows the moving balance q = 1 / (1 + load) exactly for stiff loads:

    S1 = q1 + (S0 - q0) exp(-a) - (q1 - q0) (1 - exp(-a)) / a,    a = k h (1 + mean load)
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from openbont.forward.arrays import Leaf, Sessions

_GAP = 1e-7
_STEPS = (
    (0, 1, 0.0625),
    (1, 3, 0.125),
    (3, 8, 0.25),
    (8, 14, 0.5),
    (14, 40, 1),
    (40, 90, 3),
    (90, np.inf, 7),
)
"""Days after a session: from, to, step. Errors of shares stay below 3e-4 (tests/reference)."""


class Kinetics(eqx.Module):
    """Rates per day; half-life and potency for each product."""

    uptake_per_day: Float[Leaf, ""]
    binding_per_day: Float[Leaf, ""]
    translocation_per_day: Float[Leaf, ""]
    activation_per_day: Float[Leaf, ""]
    plasma_loss_per_day: Float[Leaf, ""]
    snare_renewal_per_day: Float[Leaf, ""]
    half_life_day: Float[Leaf, "product"]
    potency_cm3_per_u: Float[Leaf, "product"]

    def __call__(
        self,
        captured: Float[Array, "session structure node"],
        sessions: Sessions,
        day: Float[np.ndarray, "grid"],
    ) -> Float[Array, "grid structure node"]:
        """Intact share at each day of the grid; exactly 1 where nothing was captured."""
        half = 0.5 * (day[1:] + day[:-1])
        load_at, load_half = (self.load(captured, sessions, when) for when in (day, half))

        def step(intact: Array, inputs: tuple[Array, Array, Array, Array]) -> tuple[Array, Array]:
            length, before, middle, after = inputs
            mean = (before + 4 * middle + after) / 6
            relaxed = self.snare_renewal_per_day * length * (1 + mean)
            start, end = 1 / (1 + before), 1 / (1 + after)
            lag = -jnp.expm1(-relaxed) / relaxed
            new = end + (intact - start) * jnp.exp(-relaxed) - (end - start) * lag
            return new, new

        first = jnp.ones_like(load_at[0])
        steps = (jnp.diff(jnp.asarray(day)), load_at[:-1], load_half, load_at[1:])
        _, rest = jax.lax.scan(step, first, steps)
        return jnp.concatenate([first[None], rest])

    def load(
        self,
        captured: Float[Array, "session structure node"],
        sessions: Sessions,
        day: Float[Leaf, "grid"],
    ) -> Float[Array, "grid structure node"]:
        """Cleaving load; the last structure is reached through plasma."""
        since = day[:, None] - sessions.day
        potency = self.potency_cm3_per_u[sessions.product]
        near = potency * self.light_chain(since, sessions.product)
        far = potency * self.light_chain(since, sessions.product, through_plasma=True)
        loads = jnp.einsum("gs,smn->gmn", near, captured[:, :-1])
        distant = jnp.einsum("gs,sn->gn", far, captured[:, -1])
        return jnp.concatenate([loads, distant[:, None]], axis=1)

    def light_chain(
        self,
        since_day: Float[Leaf, "grid session"],
        product: Int[Leaf, "session"],
        *,
        through_plasma: bool = False,
    ) -> Float[Array, "grid session"]:
        """Active light chain per unit captured, `since_day` after the injection."""
        loss = jnp.log(2.0) / self.half_life_day[product]
        if through_plasma:
            return bateman([self.uptake_per_day, self.plasma_loss_per_day, loss], since_day)
        return bateman(
            [
                self.uptake_per_day,
                self.binding_per_day,
                self.translocation_per_day,
                self.activation_per_day,
                loss,
            ],
            since_day,
        )


def bateman(rates: Sequence[Array], since_day: Float[Array, "..."]) -> Float[Array, "..."]:
    """Last member of a chain that starts with one unit in the first; 0 before the start.

    Rates that meet are kept a relative gap of 1e-7 apart, which costs at most 1e-7 in the result.
    """
    apart = _apart(rates)
    when = jnp.maximum(since_day, 0.0)
    total = jnp.zeros_like(when)
    for i, rate in enumerate(apart):
        weight: Any = 1.0
        for j, other in enumerate(apart):
            weight = weight * (apart[j] if j < len(apart) - 1 else 1.0)
            weight = weight / (other - rate if j != i else 1.0)
        total = total + weight * jnp.exp(-rate * when)
    return jnp.where(since_day > 0, jnp.maximum(total, 0.0), 0.0)


def _apart(rates: Sequence[Array]) -> list[Array]:
    kept: list[Array] = []
    for rate in rates:
        for other in kept:
            rate = jnp.where(jnp.abs(rate - other) < _GAP * other, other * (1 + 2 * _GAP), rate)
        kept.append(rate)
    return kept


def graded_grid(
    session_days: Iterable[float], output_days: Iterable[float]
) -> Float[np.ndarray, "grid"]:
    """Days to step through: fine after each session, coarse later, all outputs included."""
    session_days, output_days = list(session_days), list(output_days)
    ends = [*sorted(set(session_days)), max(*output_days, *session_days) + 1e-9]
    pieces = [np.asarray(output_days, float), np.asarray(session_days, float)]
    for start, end in pairwise(ends):
        after = np.concatenate(
            [np.arange(first, min(last, end - start), step) for first, last, step in _STEPS]
        )
        pieces.append(start + after)
    return np.unique(np.round(np.concatenate(pieces), 6))
