"""Injections -> captured toxin at each node: influence matrix x dose.

A site wets an ellipsoid along the fibres (Elwischger 2014). From there the toxin spreads and is
captured at one rate k_S, so that the captured density u per unit of dose solves

    D lap u - k_S u = -k_S source,    reach = sqrt(D / k_S)            (mechanism, section 2)

with faster spread along the fibres. The ellipsoid is a string of balls with its volume and second
moments; the balls overlap, so the middle is denser than in a uniform ellipsoid (up to 46 % at 0.5
mL). Each ball has a closed form, with r in units of the reach and R its radius:

    r < R:  u = [1 - (1 + R) exp(-R) sinh(r) / r] / V
    r > R:  u = [R cosh(R) - sinh(R)] exp(-r) / r / V

Every ball's field integrates to one: toxin captured = toxin injected. Fascia lets a share pass.
This is the fast door, for tissue without neighbours; where an atlas maps the neighbours, the field
of each site is solved (field.py, influence.py) and read here.
"""

from dataclasses import fields

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from openbont.forward.arrays import Body, Leaf, Shots, Solved
from openbont.forward.field import LEAST_ML, Medium

_BALLS = 5
_REACH_MM = 1.35  # the reference; the steps of `medium` are counted from here
_BEYOND = 1.6  # how far a draw's reach may lie from the middle one; solved to 1
_PLACE, _WEIGHT = np.polynomial.legendre.leggauss(_BALLS)
_WEIGHT = _WEIGHT * (1 - _PLACE**2) / (_WEIGHT * (1 - _PLACE**2)).sum()


class Spread(eqx.Module):
    """Reach of the toxin and size of the wetted ellipsoid."""

    reach_mm: Float[Leaf, ""]
    anisotropy: Float[Leaf, ""]
    wet_fraction: Float[Leaf, ""]
    bolus_aspect: Float[Leaf, ""]
    fascia_passage: Float[Leaf, ""]
    compartment_passage: Float[Leaf, ""]
    distant_per_cm3: Float[Leaf, ""]
    placement: Float[Leaf, "occasion structure"]
    """How much of a dose the needle brings to the end plates it was meant for, 1 by default; one
    row or column stands for all."""

    def __call__(self, shots: Shots, body: Body) -> Float[Array, "shot structure node"]:
        """Captured density for each shot alone, U/cm3; the last structure is distant muscle."""
        return self.influence(shots, body) * shots.dose_u[:, None, None]

    def influence(self, shots: Shots, body: Body) -> Float[Array, "shot structure node"]:
        """Captured density per unit of dose, 1/cm3."""
        passing = jnp.stack(
            [jnp.ones_like(self.reach_mm), self.fascia_passage, self.compartment_passage, 0.0]
        )
        share = passing[jnp.asarray(body.passage)[shots.structure].astype(int)][..., None]
        near = self._near(shots, body, share) * self._placed(shots)[:, None, None]
        return near.at[:, -1].set(self.distant_per_cm3)

    def _placed(self, shots: Shots) -> Float[Array, "shot"]:
        occasions, structures = self.placement.shape
        where = jnp.asarray(shots.session) % occasions, jnp.asarray(shots.structure) % structures
        return jnp.asarray(self.placement)[where]

    def _near(self, shots: Shots, body: Body, share: Leaf) -> Float[Array, "shot structure node"]:
        """Solved fields where there are any, else the closed form."""
        if shots.solved is None:
            return self._closed(shots, body, share)
        mapped = jnp.where(share > 0, self._solved(shots.solved), 0.0)
        if shots.solved.everywhere:
            return mapped
        here = jnp.asarray(shots.solved.here)[:, None, None] > 0
        return jnp.where(here, mapped, self._closed(shots, body, share))

    def _closed(self, shots: Shots, body: Body, share: Leaf) -> Float[Array, "shot structure node"]:
        """The closed form, less what fascia and compartments hold back."""
        offset = body.node_mm[None] - shots.site_mm[:, None, None]
        frame = jnp.asarray(body.frame)[shots.structure]
        along, across, deep = jnp.einsum("qij,qsnj->iqsn", frame, offset)
        volume_ml = jnp.asarray(shots.volume_ml)[:, None, None]
        return share * self._field(along, jnp.hypot(across, deep), volume_ml)

    def medium(self) -> Medium:
        """What shapes a field, in the middle of the draws.

        The reach is one of a few, a tenth apart, so that other draws find the same fields.
        """
        middle = {one.name: float(np.median(getattr(self, one.name))) for one in fields(Medium)}
        steps = np.rint(np.log(middle["reach_mm"] / _REACH_MM) / np.log(1.1))
        return Medium(**middle | {"reach_mm": float(_REACH_MM * 1.1**steps)})

    def _solved(self, solved: Solved) -> Float[Array, "shot structure node"]:
        """The solved fields at this draw's reach: a parabola through their logarithms."""
        at, low, high = jnp.log(self.reach_mm), *jnp.log(jnp.asarray(solved.reach_mm))[::2]
        place = jnp.clip(2 * (at - low) / (high - low) - 1, -_BEYOND, _BEYOND)
        weight = jnp.stack([place * (place - 1) / 2, 1 - place**2, place * (place + 1) / 2])
        return jnp.exp(jnp.tensordot(weight, jnp.asarray(solved.log_u), 1))

    def _field(
        self,
        along_mm: Float[Array, "shot structure node"],
        off_mm: Float[Array, "shot structure node"],
        volume_ml: Float[Leaf, "shot 1 1"],
    ) -> Float[Array, "shot structure node"]:
        """Density at a place along and off the fibre through the site, 1/cm3."""
        wet_mm3 = 1000 * jnp.maximum(volume_ml, LEAST_ML) / self.wet_fraction
        radius = jnp.cbrt(wet_mm3 * 3 / (4 * jnp.pi * self.bolus_aspect))
        half_length = radius * self.bolus_aspect / self.anisotropy
        string = jnp.sqrt(jnp.maximum(half_length**2 - radius**2, 0.0))
        field = jnp.zeros_like(along_mm)
        for place, weight in zip(_PLACE, _WEIGHT, strict=True):
            distance = jnp.hypot(along_mm / self.anisotropy - place * string, off_mm)
            field += weight * _ball(distance / self.reach_mm, radius / self.reach_mm)
        return 1000 * field / (4 / 3 * jnp.pi * radius**3 * self.anisotropy)


def _ball(r: Float[Array, "..."], radius: Float[Array, "..."]) -> Float[Array, "..."]:
    """Field of a uniform ball relative to its own density; lengths in units of the reach.

    Hyperbolic functions are written with falling exponentials, so nothing overflows.
    """
    r = jnp.maximum(r, 1e-6)
    inner = jnp.minimum(r, radius)
    outer = jnp.maximum(r, radius)
    inside = 1 - (1 + radius) * (jnp.exp(inner - radius) - jnp.exp(-inner - radius)) / (2 * inner)
    outside = ((radius - 1) * jnp.exp(radius - outer) + (radius + 1) * jnp.exp(-radius - outer)) / (
        2 * outer
    )
    return jnp.where(r < radius, inside, outside)
