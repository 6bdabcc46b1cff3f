"""Dystonia of limbs: less pull, a straighter joint; and what walking and writing make of it.

Joints are held away from neutral by dystonic drive to the muscles of a movement k, which share it
by their strength. A rating follows the postures of its region, each by its angle; a part 1 - f of
it no toxin here reaches (a region that is not treated: f = 0):

    q_k     = sum_m w_km twitch_m                    pull, 1 untouched
    theta_k = theta0_k q_k / q_k(0)                  angle of the joint in the task
    p       = 1 - f + f sum_k theta0_k q_k / sum_k theta0_k
    rating  = rating0 p / p(0) - placebo + fluctuation             pain, writing, a BFMDRS region

Stiffness and voluntary correction are a fixed gain between pull and angle; the recorded angle fixes
it. Angles are measured: no placebo. A task adds a reading of its own:

    walking  h = h0 - L sin(theta), theta = sum of the angles that lower the toes
             drags in 100 steps = 100 Phi(-h / s)    recorded drags fix h0, steps differ by s
    writing  speed = min(grip kept / grip a pen needs, 1 - cramp0 p / p(0))
    BFMDRS   sum over regions: a focal injection moves it by its own region only

More toxin takes the cramp first and then the grip, so speed has a best dose. (disorders, section 4)
"""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr, ndtri
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

_STEEPEST = np.radians(85.0)  # the toes hang down: more angle lowers them no further
_RAREST = 1e-6


class Seen(NamedTuple):
    """What a task is done with, from day to day."""

    left: Float[Array, "grid reading"]
    """Drive behind each reading, relative to day 0."""
    reading: Float[Array, "grid reading"]
    kept: Float[Array, "grid function"]
    """Voluntary strength, relative to day 0."""


class Task(eqx.Module):
    """A reading of what the patient does with the limb. Abstract: one final class a task."""

    def __call__(self, seen: Seen) -> Float[Array, "grid"]:
        """The reading of each day."""
        raise NotImplementedError

    def of(self) -> Float[Leaf, "reading"]:
        """Part of each reading's drive in the drive of the task. Raises NoPlan."""
        raise NoPlan("doses are not chosen for writing speed: more toxin also takes the grip")

    def drive_after(
        self, drive: Float[Leaf, "..."], fall: Float[Leaf, "..."]
    ) -> Float[Array, "..."]:
        """The drive that lowers the task's reading by `fall`."""
        raise NotImplementedError


class Walking(Task):
    """Steps in 100 in which the toes touch the ground."""

    lowers: Float[Leaf, "reading"]
    """Part of each angle in the whole that lowers the toes."""
    angle_deg: Float[Leaf, ""]
    """That whole on day 0."""
    lever_mm: Float[Leaf, ""]
    spread_mm: Float[Leaf, ""]
    drags: Float[Leaf, ""]
    """Share of steps on day 0."""

    def __call__(self, seen: Seen) -> Float[Array, "grid"]:
        """Expected number."""
        return self._number(seen.left @ self.lowers)

    def of(self) -> Float[Leaf, "reading"]:
        """By angle."""
        return self.lowers

    def drive_after(
        self, drive: Float[Leaf, "..."], fall: Float[Leaf, "..."]
    ) -> Float[Array, "..."]:
        """Angle, as a share of today's, with `fall` drags fewer."""
        wanted = jnp.clip((self._number(drive) - fall) / 100, _RAREST, 1 - _RAREST)
        higher_mm = (ndtri(wanted) - ndtri(self.drags)) * self.spread_mm
        sine = self._sine(jnp.ones_like(drive)) + higher_mm / self.lever_mm
        return jnp.arcsin(jnp.clip(sine, 0.0, 1.0)) / jnp.radians(self.angle_deg)

    def _number(self, drive: Float[Leaf, "..."]) -> Float[Array, "..."]:
        lower_mm = self.lever_mm * (self._sine(drive) - self._sine(jnp.ones_like(drive)))
        return 100 * ndtr(ndtri(self.drags) + lower_mm / self.spread_mm)

    def _sine(self, drive: Float[Leaf, "..."]) -> Float[Array, "..."]:
        return jnp.sin(jnp.minimum(jnp.radians(self.angle_deg) * drive, _STEEPEST))


class Writing(Task):
    """Speed of writing as a share of usual."""

    cramp: Float[Leaf, ""]
    """Share of usual speed that the cramp costs on day 0."""
    grip_needed: Float[Leaf, ""]
    """Part of present grip that a pen needs."""
    rated: int = eqx.field(static=True)
    """Which reading is the trouble with writing."""
    grip: int = eqx.field(static=True)

    def __call__(self, seen: Seen) -> Float[Array, "grid"]:
        """What cramp or grip allow, whichever is less."""
        held = seen.kept[:, self.grip] / self.grip_needed
        return jnp.minimum(held, 1 - self.cramp * seen.left[:, self.rated])


class Total(Task):
    """Sum of the regions that follow the angles."""

    share: Float[Leaf, "reading"]
    """Part of each reading in the sum on day 0; 0 for angles."""
    score: Float[Leaf, ""]
    angles: int = eqx.field(static=True)

    def __call__(self, seen: Seen) -> Float[Array, "grid"]:
        """The sum of what is read."""
        return seen.reading[:, self.angles :].sum(1)

    def of(self) -> Float[Leaf, "reading"]:
        """By score."""
        return self.share

    def drive_after(
        self, drive: Float[Leaf, "..."], fall: Float[Leaf, "..."]
    ) -> Float[Array, "..."]:
        """The sum follows its drive in proportion."""
        return drive - fall / self.score


class LimbDystonia(Driven):
    """Angles, ratings, the task's reading, strength, and how dystonia goes on by itself.

    Not identified, and left out: drive that shifts to other muscles once some are weak; muscles
    without a shape (extensors of wrist and fingers, short muscles of hand and foot); hip and knee
    that lift a dragging foot.
    """

    drive_weight: Float[Leaf, "reading structure"]
    """Angles first; each row adds up to 1, or to the part f of a rating."""
    start: Float[Leaf, "reading"]
    latent_weight: Float[Leaf, "reading latent"]
    strength_weight: Float[Leaf, "function structure"]
    task: Task | None
    course: NaturalCourse
    onset: Onset | None
    measures: tuple[Measure, ...] = eqx.field(static=True)

    def __call__(
        self, tissue: Tissue, day: Float[np.ndarray, "grid"], since_day: Float[Leaf, "grid"]
    ) -> Float[Array, "grid measure"]:
        """Readings in the order of `measures`."""
        drive = 1 - self.drive_weight.sum(1) + tissue.twitch @ self.drive_weight.T
        left = drive / since_day_0(drive, day)
        reading = self.start * left + self.course(day, since_day) @ self.latent_weight.T
        reading = bounded(reading, self.measures[: left.shape[1]])
        kept = strength_kept(tissue, self.strength_weight, day)
        done = [self.task(Seen(left, reading, kept))] if self.task else []
        chances = [self.onset(day)] if self.onset else []
        return bounded(jnp.column_stack([reading, *done, kept, *chances]), self.measures)

    def shares(self, tissue: Tissue, measure: int) -> Float[Array, "grid structure"]:
        """Part of each structure in the drive behind a reading. Raises NoPlan."""
        return self._row(measure) * tissue.twitch

    def drive_after(
        self, measure: int, drive: Float[Leaf, "..."], fall: Float[Leaf, "..."]
    ) -> Float[Array, "..."]:
        """The drive that lowers a reading by `fall`, as if it had been read untreated."""
        if measure < len(self.start):
            return drive - fall / self.start[measure]
        beyond = 1 - self._row(measure).sum()
        return self._task(measure).drive_after(drive + beyond, fall) - beyond

    def _row(self, measure: int) -> Float[Array, "structure"]:
        rows = jnp.asarray(self.drive_weight)
        return rows[measure] if measure < len(rows) else self._task(measure).of() @ rows

    def _task(self, measure: int) -> Task:
        """The task that a measure behind the rated ones speaks of. Raises NoPlan."""
        if self.task is None or measure > len(self.start):
            which = self.measures[measure].words
            raise NoPlan(f"doses are chosen for posture, not for {which}")
        return self.task
