"""Captured toxin -> intact SNARE protein by day.

An ending takes up only so much of what one session brings: of a captured density rho that would
make a load p rho, it takes up

    rho / (1 + p rho / limit)

which is what 30 to 36 days of effect for each doubling of a dose ask for (Foran 2003). From there
on all is linear up to the light chain, hence analytic: toxin is taken up at k_S, binds, crosses the
endosome and becomes active light chain, which is lost with its half-life (Simpson 1980,
Lebeda 2008, Foran 2003). For the stages with rates k_1 .. k_n the last one holds

    sum_i  k_1 .. k_(n-1) exp(-k_i t) / prod_(j /= i) (k_j - k_i)        (Bateman)

superposed over sessions and serotypes. In autonomic endings the light chain is lost more slowly by
a factor of its own (Braune 2001). The light chain cleaves SNAP-25 (serotypes A, C, E) or
VAMP (B, F), called intact here, which is renewed at k:

    dS/dt = k (1 - S) - k load S

One step follows the moving balance q = 1 / (1 + load), a parabola through its start, middle and
end in the time x that the turnover k (1 + load) keeps; a is the turnover of the whole step:

    S1 = q1 + (S0 - q0) e - (q1 - q0) m + bend (1 + e - 2 m) / a,    e = exp(-a), m = (1 - e) / a
"""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from openbont.forward.arrays import Leaf, Sessions, single

_GAP = 1e-7
_FIRST_DAY, _GROWTH = 0.005, 0.3
_LONGEST_DAY = ((14.0, 0.5), (60.0, 1.5), (np.inf, 7.0))
"""Until this day after a session, steps are at most so long."""


class Kinetics(eqx.Module):
    """Rates per day; half-life and potency for each product."""

    uptake_per_day: Float[Leaf, ""]
    binding_per_day: Float[Leaf, ""]
    translocation_per_day: Float[Leaf, ""]
    activation_per_day: Float[Leaf, ""]
    plasma_loss_per_day: Float[Leaf, ""]
    snare_renewal_per_day: Float[Leaf, ""]
    uptake_limit: Float[Leaf, ""]
    """Most cleaving load that one session can make of an ending, before it decays."""
    half_life_day: Float[Leaf, "product"]
    potency_cm3_per_u: Float[Leaf, "product"]
    slower: Float[Leaf, "structure"]
    """Half-life in the endings of each structure, relative to motor endings; distant last.
    Before it, one value may stand for all."""

    def __call__(
        self,
        captured: Float[Array, "session structure node"],
        sessions: Sessions,
        day: Float[np.ndarray, "grid"],
    ) -> Float[Array, "grid structure node"]:
        """Intact share at each day of the grid; exactly 1 where nothing was captured."""
        half = 0.5 * (day[1:] + day[:-1])
        load_at, load_half = (self.load(captured, sessions, when) for when in (day, half))
        return self.intact(load_at, load_half, day)

    def intact(
        self,
        load_at: Float[Array, "grid structure node"],
        load_half: Float[Array, "step structure node"],
        day: Float[np.ndarray, "grid"],
    ) -> Float[Array, "grid structure node"]:
        """Intact share under a load that is known at each day and halfway between them."""
        renewal = jnp.asarray(self.snare_renewal_per_day, load_at.dtype)

        def step(intact: Array, inputs: tuple[Array, Array, Array, Array]) -> tuple[Array, Array]:
            length, before, middle, after = inputs
            mean = (before + 4 * middle + after) / 6
            relaxed = renewal * length * (1 + mean)
            start, end = 1 / (1 + before), 1 / (1 + after)
            gone = -jnp.expm1(-relaxed)
            kept, lag = 1 - gone, gone / relaxed
            x = (0.5 + (5 * before + 8 * middle - after) / 24) / (1 + mean)
            x = jnp.clip(x, 0.05, 0.95)
            bend = (1 / (1 + middle) - start - (end - start) * x) / (x * (1 - x))
            new = end + (intact - start) * kept - (end - start) * lag
            new = jnp.clip(new + bend * _curved(relaxed, kept, lag), 0.0, 1.0)
            return new, new

        first = jnp.ones_like(load_at[0])
        lengths = jnp.diff(jnp.asarray(day)).astype(load_at.dtype)
        steps = (lengths, load_at[:-1], load_half, load_at[1:])
        _, rest = jax.lax.scan(step, first, steps)
        return jnp.concatenate([first[None], rest])

    def load(
        self,
        captured: Float[Array, "session structure node"],
        sessions: Sessions,
        day: Float[Leaf, "grid"],
    ) -> Float[Array, "grid structure node"]:
        """Cleaving load; the last structure is reached through plasma.

        Sums of exponentials need double precision; from here on shares need only single.
        """
        since = day[:, None] - sessions.day
        potency = self.potency_cm3_per_u[sessions.product]
        near = self.light_chain(since[..., None], sessions.product, self.slower[:-1])
        far = self.light_chain(since, sessions.product, self.slower[-1], through_plasma=True)
        near, far = single(potency[:, None] * near), single(potency * far)
        near = jnp.broadcast_to(near, (*far.shape, captured.shape[1] - 1))
        taken = single(self.taken_up(captured, sessions))
        loads = jnp.einsum("gsm,smn->gmn", near, taken[:, :-1])
        distant = jnp.einsum("gs,sn->gn", far, taken[:, -1])
        return jnp.concatenate([loads, distant[:, None]], axis=1)

    def taken_up(
        self, captured: Float[Leaf, "session structure node"], sessions: Sessions
    ) -> Float[Array, "session structure node"]:
        """Captured toxin, U/cm3, less what endings have no room for."""
        potency = self.potency_cm3_per_u[sessions.product][:, None, None]
        return captured / (1 + potency * captured / self.uptake_limit)

    def light_chain(
        self,
        since_day: Float[Leaf, "grid session ..."],
        product: Int[Leaf, "session"],
        slower: Float[Leaf, "..."],
        *,
        through_plasma: bool = False,
    ) -> Float[Array, "grid session ..."]:
        """Active light chain per unit taken up, `since_day` after the injection."""
        loss = jnp.log(2.0) / jnp.multiply.outer(self.half_life_day[product], slower)
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


def _curved(
    relaxed: Float[Array, "..."], kept: Float[Array, "..."], lag: Float[Array, "..."]
) -> Float[Array, "..."]:
    """What a balance with unit bend adds in one step; by its series where digits would be lost."""
    series = relaxed / 6 * (1 - relaxed / 2 * (1 - 0.3 * relaxed))
    return jnp.where(relaxed < 0.1, series, (1 + kept - 2 * lag) / relaxed)


def bateman(rates: Sequence[Array], since_day: Float[Array, "..."]) -> Float[Array, "..."]:
    """Last member of a chain that starts with one unit in the first; 0 before the start.

    Rates that meet are kept a relative gap of 1e-7 apart, which costs at most 3e-7 in the result;
    three rates must not meet.
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
    session_days: Iterable[float], output_days: Iterable[float], coarser: float = 1.0
) -> Float[np.ndarray, "grid"]:
    """Days to step through: fine after each session, coarse later; steps land on all outputs.

    Steps are at most `coarser` times as long as those whose errors stay below 5e-4 up to
    3,000 U/cm3 (tests/reference).
    """
    starts, outputs = sorted(set(session_days)), set(output_days)
    stops = sorted({*starts, *outputs})
    days, since = [stops[0]], stops[0]  # readings before a late session too
    for before, stop in pairwise(stops):
        since = before if before in starts else since
        while days[-1] < stop:
            days.append(_next_day(days[-1], stop, coarser * _step_day(days[-1] - since)))
    return np.round(days, 6)


def _next_day(day: float, stop: float, longest_day: float) -> float:
    """One of the equal steps, none of them too long, that lead to the stop."""
    steps = math.ceil((stop - day) / longest_day - 1e-9)
    return stop if steps <= 1 else day + (stop - day) / steps


def _step_day(since_day: float) -> float:
    """Steps grow with the time since a session, as the load changes ever slower."""
    longest = next(step for until, step in _LONGEST_DAY if since_day < until)
    return min(max(_FIRST_DAY, _GROWTH * since_day), longest)
