"""Readings beside tone that hang on the same reflex, each only where a patient has it.

With q the reflex drive of a movement relative to day 0 and c its passive share today:

    R1 = R1_0 + catch (1 / q - 1), at most R2          catch = tau_c / (K (1 + V3 / Vr))
    R2 = R2_0 + give ln((1 - s q) / (1 - s))           s = slow (1 - c): hardly moves with toxin
    X, DAS, pain = start + slope x mean change of tone, placebo included
    spasms, beats = today's x max(q - e, 0) / (1 - e)  e = 0 spasms, 1 / loop gain for clonus
    use of a hand = min(strength, dexterity, sensation)

The recorded R1 stands for lam0 - mu V3 + catch of the threshold model; the recorded R2 for the
angle where passive torque k0 exp(theta / give) and slow reflex reach tolerance. (disorders,
section 3)
"""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from openbont.forward.arrays import Leaf


class Stretch(NamedTuple):
    """What the movements of a limb are like, from day to day."""

    drive: Float[Array, "grid movement"]
    """Reflex drive, relative to day 0."""
    tone: Float[Array, "grid movement"]
    """Change of the grade since day 0, natural course included."""
    kept: Float[Array, "grid function"]
    """Voluntary strength, relative to day 0."""


class Further(eqx.Module):
    """Further readings of one kind. Abstract: one final class a kind."""

    def __call__(self, stretch: Stretch) -> Float[Array, "grid reading"]:
        """The readings of each day."""
        raise NotImplementedError


class Tardieu(Further):
    """Angle of catch, slow range and their difference, each for all joints in turn."""

    catch: Float[Leaf, "joint"]
    reach: Float[Leaf, "joint"]
    catch_deg: Float[Leaf, ""]
    """Stretch beyond the threshold at which today's reflex is felt as a catch."""
    give_deg: Float[Leaf, ""]
    slow_share: Float[Leaf, "joint"]
    """Part of the torque at the end of the slow range that is reflex."""
    movement: tuple[int, ...] = eqx.field(static=True)

    def __call__(self, stretch: Stretch) -> Float[Array, "grid reading"]:
        """Degrees of stretch beyond neutral."""
        drive = stretch.drive[:, self.movement]
        left = 1 - jnp.minimum(self.slow_share * drive, 0.95)
        reach = self.reach + self.give_deg * jnp.log(left / (1 - self.slow_share))
        catch = jnp.minimum(self.catch + self.catch_deg * (1 / drive - 1), reach)
        angles = jnp.concatenate([catch, reach], axis=1)
        dynamic = jnp.clip(reach - catch, 0.0, 180.0)
        return jnp.concatenate([jnp.clip(angles, -150.0, 120.0), dynamic], axis=1)


class Rated(Further):
    """Ratings that follow the tone of some movements, with their share of its placebo."""

    start: Float[Leaf, "rating"]
    slope: Float[Leaf, "rating"]
    """Points for one grade of tone."""
    weight: Float[Leaf, "rating movement"]
    highest: tuple[float, ...] = eqx.field(static=True)

    def __call__(self, stretch: Stretch) -> Float[Array, "grid reading"]:
        """Ratings within their scales."""
        change = self.slope * (stretch.tone @ self.weight.T)
        return jnp.clip(self.start + change, 0.0, jnp.array(self.highest))


class Bursts(Further):
    """Spasms a day and beats of clonus: expected numbers, without placebo."""

    today: Float[Leaf, "burst"]
    least_drive: Float[Leaf, "burst"]
    """Drive, relative to today's, below which there is none."""
    weight: Float[Leaf, "burst movement"]
    highest: tuple[float, ...] = eqx.field(static=True)

    def __call__(self, stretch: Stretch) -> Float[Array, "grid reading"]:
        """Expected numbers."""
        beyond = jnp.maximum(stretch.drive @ self.weight.T - self.least_drive, 0.0)
        number = self.today * beyond / (1 - self.least_drive)
        return jnp.clip(number, 0.0, jnp.array(self.highest))


class ActiveUse(Further):
    """What a function is good for: toxin may take strength, it gives no dexterity or feeling."""

    strength: Float[Leaf, "use"]
    """Present strength as a share of normal."""
    ceiling: Float[Leaf, "use"]
    """The lesser of dexterity and sensation."""
    function: tuple[int, ...] = eqx.field(static=True)

    def __call__(self, stretch: Stretch) -> Float[Array, "grid reading"]:
        """Share of normal."""
        return jnp.minimum(self.strength * stretch.kept[:, self.function], self.ceiling)
