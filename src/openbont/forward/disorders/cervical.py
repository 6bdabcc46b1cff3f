"""Cervical dystonia: less pull on the head, a straighter posture; and what the neck loses.

The head is held away from the middle in directions k (turned, tilted, bent). The muscles that pull
that way share the dystonic drive by their strength, w_km = cross-section x moment arm:

    q_k = sum_m w_km twitch_m              pull in one direction, 1 untouched
    theta_k = theta0_k q_k / q_k(0)        angle of the head

Stiffness of the neck and voluntary correction are a fixed gain between pull and angle; the recorded
angle theta0 fixes it, so it cancels. Scales follow a drive q = sum_k u_k q_k, u adding up to 1:

    reading = reading0 + a (q / q(0) - 1) + b ln(q / q(0)) - placebo + fluctuation

    TWSTRS             u_k = theta0_k^2 / |theta0|^2: posture projected on its first direction
      severity  0-35   a = sum_k theta0_k / (degrees a grade), the items graded by angle; b for
                       duration, range of motion and time in the middle (Weber-Fechner)
      disability, pain a and b of severity times a fixed share
      total     0-85   a and b of the three together
    Tsui        0-25   u_k = theta0_k / sum theta0, a = 2 sum_k theta0_k / (degrees a grade), b = 0
    CDSS        0-54   u as in Tsui, a = sum_k theta0_k / 5 degrees, b = 0
    head angle         one direction, a = theta0_k, b = 0

Grades are continuous here; rounding belongs to reading. Placebo and fluctuation act on the three
subscales of TWSTRS, on their sum and on Tsui; angle, CDSS and strength are measured and get
none. Tremor is noise in a feedback loop of gain g < 1 through the muscles that turn the head:

    amplitude  = amplitude0 (1 - g q(0)) / (1 - g q)

Swallowing follows the pharynx, which is one of the structures (forward/distant.py). (disorders,
section 4)
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from openbont.errors import NoPlan
from openbont.forward.arrays import Leaf
from openbont.forward.disorders.interface import (
    Driven,
    Measure,
    NaturalCourse,
    bounded,
    since_day_0,
    strength_kept,
)
from openbont.forward.disorders.onset import Onset
from openbont.forward.response import Tissue

_LEAST_PULL = 1e-3  # a neck without any pull is still not below the scale
_HALVINGS = 50
_SUBSCALES = slice(1, 4)  # the readings that add up to the first, each within its bounds


class Cervical(Driven):
    """Posture and its scales, tremor, strength of the neck.

    Not identified, and left out: drive that shifts to other muscles once some are weak; deep
    muscles (obliquus, longus) that no surface site reaches; muscles that pull along one recorded
    direction and against another count for the first only.
    """

    drive_weight: Float[Leaf, "reading structure"]
    start: Float[Leaf, "reading"]
    linear: Float[Leaf, "reading"]
    logarithmic: Float[Leaf, "reading"]
    latent_weight: Float[Leaf, "reading latent"]
    tremor: Float[Leaf, "tremor"]
    """Amplitude on day 0; empty where none is recorded."""
    tremor_gain: Float[Leaf, ""]
    strength_weight: Float[Leaf, "function structure"]
    course: NaturalCourse
    onset: Onset | None
    measures: tuple[Measure, ...] = eqx.field(static=True)

    def __call__(
        self, tissue: Tissue, day: Float[np.ndarray, "grid"], since_day: Float[Leaf, "grid"]
    ) -> Float[Array, "grid measure"]:
        """Posture, tremor if there is one, strength, chances of the course."""
        drive = jnp.maximum(tissue.twitch @ self.drive_weight.T, _LEAST_PULL)
        left = drive / since_day_0(drive, day)
        effect = self.linear * (left - 1) + self.logarithmic * jnp.log(left)
        reading = self.start + effect + self.course(day, since_day) @ self.latent_weight.T
        loop = 1 - self.tremor_gain * drive[:, :1]
        shaking = self.tremor * since_day_0(loop, day) / loop
        kept = strength_kept(tissue, self.strength_weight, day)
        chances = [self.onset(day)] if self.onset else []
        seen = bounded(jnp.column_stack([reading, shaking, kept, *chances]), self.measures)
        return seen.at[:, 0].set(seen[:, _SUBSCALES].sum(1))

    def shares(self, tissue: Tissue, measure: int) -> Float[Array, "grid structure"]:
        """Part of each structure in the pull behind a reading of posture. Raises NoPlan."""
        if measure >= self.drive_weight.shape[0]:
            raise NoPlan(f"doses are chosen for posture, not for {self.measures[measure].words}")
        return self.drive_weight[measure] * tissue.twitch

    def drive_after(
        self, measure: int, drive: Float[Leaf, "..."], fall: Float[Leaf, "..."]
    ) -> Float[Array, "..."]:
        """The pull that lowers a reading by `fall`, as if the posture had been read untreated."""
        a, b = self.linear[measure], self.logarithmic[measure]

        def halve(
            _: int, ends: tuple[Float[Array, "..."], Float[Array, "..."]]
        ) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
            low, high = ends
            middle = 0.5 * (low + high)
            enough = a * (drive - middle) + b * jnp.log(drive / middle) >= fall
            return jnp.where(enough, middle, low), jnp.where(enough, high, middle)

        ends = jnp.zeros_like(drive), jnp.asarray(drive)
        return jax.lax.fori_loop(0, _HALVINGS, halve, ends)[1]
