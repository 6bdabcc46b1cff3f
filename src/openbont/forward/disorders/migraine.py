"""Headache: less peripheral drive, slowly less central sensitisation, fewer headache days.

    dR_s/dt = (r_s - R_s) / tau_n        channels in the endings of territory s, put in by release
    drive = sum_s w_s R_s r_s            what these endings send and secrete, 1 untreated
    tau_c dC/dt = drive - C              central sensitisation, 1 untreated
    logit p = b + fluctuation - placebo - kappa (1 - C)      chance of a headache day (>= 4 h)
    headache days = sum of p over the last 28 days
    moderate or severe days = days times p_sev,   logit p_sev = s - kappa_sev (1 - C)
    days with acute medicine = days times a constant share
    HIT-6 = HIT-6_0 + per_day (days - days_0) - kappa_hit (1 - C)

Toxin removes only the C-fibre share of the drive, so kappa is bounded (Burstein group); headache
that trials found not to answer has kappa 0. Neck strength and lid height come from the same
release. Overuse of acute medicines and antibodies against CGRP are not modelled: no source gives
a size. (disorders, section 5; mechanism, section 7)
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from openbont.forward.arrays import Leaf
from openbont.forward.disorders.interface import (
    Disorder,
    Measure,
    NaturalCourse,
    bounded,
    lid_mm,
    since_day_0,
    strength_kept,
)
from openbont.forward.release import relax
from openbont.forward.response import Tissue

WINDOW_DAYS = 28.0


class Migraine(Disorder):
    """Headache days in 28, how bad they are, HIT-6, and what the same injections weaken."""

    territory_weight: Float[Leaf, "structure"]
    strength_weight: Float[Leaf, "function structure"]
    lid_weight: Float[Leaf, "lid structure"]
    logit: Float[Leaf, ""]
    kappa: Float[Leaf, ""]
    nociceptor_day: Float[Leaf, ""]
    central_day: Float[Leaf, ""]
    severe_logit: Float[Leaf, ""]
    severe_kappa: Float[Leaf, ""]
    acute_share: Float[Leaf, ""]
    hit: Float[Leaf, ""]
    hit_per_day: Float[Leaf, ""]
    hit_kappa: Float[Leaf, ""]
    course: NaturalCourse
    measures: tuple[Measure, ...] = eqx.field(static=True)

    def __call__(
        self, tissue: Tissue, day: Float[np.ndarray, "grid"], since_day: Float[Leaf, "grid"]
    ) -> Float[Array, "grid measure"]:
        """Days with headache, with worse headache, with medicine; HIT-6, strength, lids."""
        calm = 1 - self._sensitisation(tissue, day)
        gained = calm - since_day_0(calm, day)[0]
        chance = jax.nn.sigmoid(
            self.logit + self.course(day, since_day)[:, 0] - self.kappa * gained
        )
        before = jax.nn.sigmoid(self.logit)
        days = WINDOW_DAYS * _mean_of_window(chance, before, day)
        severe = days * jax.nn.sigmoid(self.severe_logit - self.severe_kappa * gained)
        acute = self.acute_share * days
        hit = self.hit + self.hit_per_day * (days - WINDOW_DAYS * before) - self.hit_kappa * gained
        kept = strength_kept(tissue, self.strength_weight, day)
        lid = lid_mm(tissue, self.lid_weight)
        return bounded(jnp.column_stack([days, severe, acute, hit, kept, lid]), self.measures)

    def _sensitisation(
        self, tissue: Tissue, day: Float[np.ndarray, "grid"]
    ) -> Float[Array, "grid"]:
        channels = _followed(tissue.drive, self.nociceptor_day, day)
        drive = (channels * tissue.drive) @ self.territory_weight
        return _followed(drive, self.central_day, day)


def _followed(
    level: Float[Leaf, "grid ..."], delay_day: Float[Leaf, ""], day: Float[np.ndarray, "grid"]
) -> Float[Array, "grid ..."]:
    """`level`, followed with a delay; 1 until the first day of the grid."""
    middle = 0.5 * (level[1:] + level[:-1])
    rate = jnp.full_like(middle, 1 / delay_day)
    return 1 - relax(jnp.zeros_like(level[0]), (1 - middle) * rate, rate, day)


def _mean_of_window(
    chance: Float[Leaf, "grid"], before: Float[Array, ""], day: Float[np.ndarray, "grid"]
) -> Float[Array, "grid"]:
    """Mean of `chance` over the last 28 days; `before` holds until the first day of the grid."""
    lengths = jnp.diff(jnp.asarray(day))
    area = jnp.concatenate([jnp.zeros(1), jnp.cumsum(0.5 * (chance[1:] + chance[:-1]) * lengths)])
    ago = jnp.asarray(day) - WINDOW_DAYS
    earlier = jnp.interp(ago, jnp.asarray(day), area) + before * jnp.minimum(ago - day[0], 0.0)
    return (area - earlier) / WINDOW_DAYS
