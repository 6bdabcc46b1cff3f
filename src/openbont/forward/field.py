"""The toxin of one site in the tissue around it: finite volumes on a box in the fibre frame.

    div(reach^2 grad u) - u = -source        u = density captured per unit injected, 1/mm3

Reach is longer along the fibres. Two tissues meet at a fascia; a wave that meets it head on is let
through to a share T, which a membrane of permeability reach T / (2 (1 - T)) does (plane wave, one
dimension). Bone and air let nothing pass. The injected volume fills an ellipsoid along the fibres,
inside the fascia of the tissue that the needle is in as long as that has room.

Toxin is conserved: the sum of u over the box is one. On a grid the field falls off a little slower
than in space; reach^2 - step^2 / 20 in its place makes that right in the mean over directions.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from openbont.anatomy.atlas import BONE, COMMON, OUTSIDE, Atlas
from openbont.forward.arrays import Leaf

CELLS = (72, 40, 40)
"""Cells of a box: along the fibres, across, deep. Their size follows the injected volume."""
LEAST_ML = 1e-3  # an empty syringe still has a place
_MARGIN = 8.0  # reaches beyond the bolus: 0.03 % of the toxin would go further
_TIGHT_MM = 1e3  # the fascia is crossed only when the tissue inside is full
_ENTRIES = 6  # places where the needle may be a little beside its muscle, in steps of a cell


@dataclass(frozen=True)
class Medium:
    """How toxin moves: the parameters of `Spread` that shape a field, for one draw."""

    reach_mm: float
    anisotropy: float
    wet_fraction: float
    bolus_aspect: float
    fascia_passage: float
    compartment_passage: float


@dataclass(frozen=True, eq=False)
class Box:
    """Cells around a site; the rows of `axes` run along the fibres, across and deep."""

    corner_mm: Float[np.ndarray, "3"]
    """Middle of the first cell."""
    axes: Float[np.ndarray, "3 3"]
    step_mm: Float[np.ndarray, "3"]
    label: UInt8[np.ndarray, "along across deep"]
    own: int
    """Label of the tissue that the needle is in."""

    @property
    def cell_mm3(self) -> float:
        """Volume of a cell."""
        return float(np.prod(self.step_mm))

    def local(self, point_mm: Leaf) -> Leaf:
        """Points as numbers of cells from the first one."""
        return (point_mm - self.corner_mm) @ self.axes.T / self.step_mm

    def middle_mm(self) -> Float[np.ndarray, "along across deep 3"]:
        """Middles of all cells in the frame of the region."""
        number = np.stack(np.meshgrid(*map(np.arange, self.label.shape), indexing="ij"), -1)
        middle: np.ndarray = self.corner_mm + (number * self.step_mm) @ self.axes
        return middle


def box(
    atlas: Atlas | None,
    structure: str,
    site_mm: Float[np.ndarray, "3"],
    frame: Float[np.ndarray, "3 3"],
    volume_ml: float,
    medium: Medium,
    cells: tuple[int, int, int] = CELLS,
) -> Box:
    """Cells around a site, large enough for the bolus and what spreads from it.

    Without an atlas all cells are one tissue. A needle within a few cells of its structure is taken
    to be in it; elsewhere it is in what lies there.
    """
    radius = _radius_mm(volume_ml, medium)
    half = radius * np.array([medium.bolus_aspect / medium.anisotropy, 1.0, 1.0])
    step = float(((half + _MARGIN * medium.reach_mm) * 2 / np.array(cells)).max())
    step_mm = step * np.array([medium.anisotropy, 1.0, 1.0])
    corner_mm = site_mm - ((np.array(cells) - 1) / 2 * step_mm) @ frame
    whole = Box(corner_mm, frame, step_mm, np.full(cells, len(COMMON), np.uint8), len(COMMON))
    if atlas is None:
        return whole
    label = atlas.at(whole.middle_mm())
    return Box(corner_mm, frame, step_mm, label, _own(label, atlas.number(structure)))


def passing(atlas: Atlas | None, medium: Medium) -> Float[np.ndarray, "label label"]:
    """Share that crosses between two labels: 1 within a tissue, 0 into bone and air."""
    if atlas is None:
        share = np.ones((len(COMMON) + 1, len(COMMON) + 1))
    else:
        compartment = np.array(atlas.compartments)
        known = compartment != ""
        same = (compartment[:, None] == compartment) | ~known[:, None] | ~known
        share = np.where(same, medium.fascia_passage, medium.compartment_passage)
        np.fill_diagonal(share, 1.0)
    for closed in (OUTSIDE, BONE):
        share[closed] = share[:, closed] = 0.0
    return share


@jax.jit
def solve(
    label: Leaf,
    own: Leaf,
    share: Leaf,
    step_mm: Leaf,
    reach_mm: Leaf,
    anisotropy: Leaf,
    site: Leaf,
    bolus: Leaf,
) -> Float[Array, "along across deep"]:
    """Captured density per unit, 1/mm3, in every cell.

    `site` is the place of the needle in cells from the first one; `bolus` (wet volume in mm3,
    length / width). Differentiable in site, bolus, reach and share.
    """
    source = _source(label, own, step_mm, site, bolus)
    reach = reach_mm * jnp.stack([anisotropy, 1.0, 1.0])
    flows = [_conductance(label, share, reach[k], step_mm[k], k) for k in range(3)]
    diagonal = 1.0 + sum(_both_sides(flow, k) for k, flow in enumerate(flows))

    def apply(u: Array) -> Array:
        return diagonal * u - sum(_neighbours(u, flow, k) for k, flow in enumerate(flows))

    u, _ = jax.scipy.sparse.linalg.cg(  # type: ignore[no-untyped-call]
        apply, source, x0=source, tol=1e-6, maxiter=400, M=lambda r: r / diagonal
    )
    return jnp.maximum(u, 0.0)


def field(
    box: Box, share: Leaf, medium: Medium, site_mm: Leaf, volume_ml: Leaf
) -> Float[Array, "along across deep"]:
    """`solve` for a site in mm and a volume in mL."""
    wet_mm3 = 1000 * jnp.maximum(volume_ml, LEAST_ML) / medium.wet_fraction
    return solve(
        box.label,
        box.own,
        share,
        box.step_mm,
        medium.reach_mm,
        medium.anisotropy,
        box.local(site_mm),
        jnp.stack([wet_mm3, medium.bolus_aspect]),
    )


def read(
    box: Box,
    u: Float[Leaf, "along across deep"],
    point_mm: Float[np.ndarray, "point 3"],
    label: int | UInt8[np.ndarray, "point"],
) -> Float[np.ndarray, "point"]:
    """Density at points of known tissue: between the cells of that tissue, 0 beyond the box."""
    place = box.local(point_mm)
    low = np.floor(place).astype(int)
    last = np.array(box.label.shape) - 1
    found, weight = np.zeros(len(place)), np.zeros(len(place))
    for corner in np.ndindex(2, 2, 2):
        cell = low + corner
        inside = ((cell >= 0) & (cell <= last)).all(-1)
        x, y, z = np.clip(cell, 0, last).T
        near = np.prod(1 - np.abs(place - cell), axis=-1) * inside * (box.label[x, y, z] == label)
        found += near * u[x, y, z]
        weight += near
    return found / np.maximum(weight, 1e-12)


def _radius_mm(volume_ml: float, medium: Medium) -> float:
    """Half width of the ellipsoid that the volume wets."""
    wet_mm3 = 1000 * max(volume_ml, LEAST_ML) / medium.wet_fraction
    return float(np.cbrt(wet_mm3 * 3 / (4 * np.pi * medium.bolus_aspect)))


def _own(label: np.ndarray, wanted: int) -> int:
    """The structure's label if it lies within a few cells of the middle, else what is there."""
    middle = np.array(label.shape) // 2
    near = label[tuple(slice(m - _ENTRIES // 2, m + _ENTRIES // 2 + 1) for m in middle)]
    return wanted if (near == wanted).any() else int(label[tuple(middle)])


def _source(label: Leaf, own: Leaf, step_mm: Leaf, site: Leaf, bolus: Leaf) -> Array:
    """Share of the dose in each cell per mm3: an ellipsoid cut by the fascia, of the wet volume."""
    wet_mm3, aspect = bolus
    cell_mm3 = jnp.prod(step_mm)
    along, across, deep = (
        ((jnp.arange(n) - site[k]) * step_mm[k]).reshape([-1 if i == k else 1 for i in range(3)])
        for k, n in enumerate(label.shape)
    )
    distance = jnp.sqrt((along / aspect) ** 2 + across**2 + deep**2 + 1e-9)
    open_to = (label != OUTSIDE) & (label != BONE)
    distance = jnp.where(label == own, distance, distance + _TIGHT_MM)
    soft = step_mm[1]

    def filled(radius: Array) -> Array:
        return jnp.where(open_to, jnp.clip((radius - distance) / soft + 0.5, 0.0, 1.0), 0.0)

    ranked = jnp.sort(jnp.where(open_to, distance, jnp.inf).ravel())
    radius = jax.lax.stop_gradient(
        ranked[jnp.clip((wet_mm3 / cell_mm3).astype(int), 1, ranked.size - 1)]
    )
    excess, slope = jax.jvp(lambda r: filled(r).sum() * cell_mm3, (radius,), (jnp.ones(()),))
    step = (wet_mm3 - excess) / jax.lax.stop_gradient(jnp.maximum(slope, 1e-9))
    share = filled(radius + jnp.clip(step, -soft, soft))
    return share / (share.sum() * cell_mm3)


def _conductance(label: Leaf, share: Leaf, reach: Leaf, step: Leaf, axis: int) -> Array:
    """Exchange between neighbours along one axis, relative to a cell's own uptake."""
    one, other = _pairs(label, axis)
    through = share[one, other]
    open_ = (reach**2 - step**2 / 20) / step
    membrane = reach * through / jnp.maximum(2 * (1 - through), 1e-9)
    return jnp.where(through > 0, 1 / (1 / open_ + 1 / jnp.maximum(membrane, 1e-12)), 0.0) / step


def _pairs(values: Leaf, axis: int) -> tuple[Leaf, Leaf]:
    """Values of each cell and of its next neighbour along an axis."""
    size = values.shape[axis]
    return (
        jax.lax.slice_in_dim(values, 0, size - 1, axis=axis),
        jax.lax.slice_in_dim(values, 1, size, axis=axis),
    )


def _both_sides(flow: Array, axis: int) -> Array:
    """Sum of what leaves each cell to its two neighbours."""
    return _beside(flow, axis, before=True) + _beside(flow, axis, before=False)


def _neighbours(u: Array, flow: Array, axis: int) -> Array:
    """What each cell gets from its two neighbours."""
    one, other = _pairs(u, axis)
    return _beside(flow * one, axis, before=True) + _beside(flow * other, axis, before=False)


def _beside(values: Array, axis: int, before: bool) -> Array:
    """One value a pair as one value a cell: zero where there is no neighbour."""
    edge = (1, 0) if before else (0, 1)
    return jnp.pad(values, [edge if k == axis else (0, 0) for k in range(3)])
