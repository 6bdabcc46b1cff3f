"""A plan and a body as arrays. Shapes are in the annotations; nothing is validated here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from openbont.anatomy.sites import sites_mm
from openbont.anatomy.structure import Structure
from openbont.errors import UnknownName
from openbont.plan import Injection

Leaf: TypeAlias = Any
"""An array: numpy outside jit, jax inside."""

DISTANT = "distant"
"""Name of the last structure: muscle far from every needle, reached through the blood."""


class Body(eqx.Module):
    """Structures of one patient, with `distant` as the last one (its nodes are not used)."""

    node_mm: Float[np.ndarray, "structure node 3"]
    frame: Float[np.ndarray, "structure 3 3"]
    passage: Float[np.ndarray, "structure structure"]
    """How a plan reaches a structure: 0 own tissue, 1 one fascia, 2 another compartment,
    3 another region."""


class Solved(eqx.Module):
    """Fields of the sites, solved at some reaches; between them their logarithm is interpolated."""

    log_u: Float[np.ndarray, "reach shot structure node"]
    """Logarithm of captured density per unit of dose, 1/cm3."""
    reach_mm: Float[np.ndarray, "reach"]
    here: Float[np.ndarray, "shot"]
    """1 where a field was solved, 0 where the closed form stands."""
    everywhere: bool = eqx.field(static=True)
    """True when every dose has a field, so that the closed form need not be worked out."""


class Shots(eqx.Module):
    """Needle sites of all sessions. Doses are units of the session's product."""

    dose_u: Float[np.ndarray, "shot"]
    volume_ml: Float[np.ndarray, "shot"]
    site_mm: Float[np.ndarray, "shot 3"]
    structure: Int[np.ndarray, "shot"]
    session: Int[np.ndarray, "shot"]
    solved: Solved | None = None
    """Fields in a region whose tissues are mapped; None where none is."""


class Sessions(eqx.Module):
    """Days and products of the sessions; `product` counts in the order of the model."""

    day: Float[np.ndarray, "session"]
    product: Int[np.ndarray, "session"]

    def since(self, day: Float[Leaf, "grid"]) -> Float[Array, "grid"]:
        """Days since the last session of the plan, which begins on day 0; 0 before it."""
        grid = jnp.maximum(jnp.asarray(day), 0.0)[:, None]
        ours = jnp.where((self.day > 0) & (self.day <= grid), self.day, 0.0)
        return grid[:, 0] - ours.max(1)


_Row: TypeAlias = tuple[float, float, np.ndarray, int, int]


@dataclass(frozen=True)
class Given:
    """One session as it enters the model: a plan's own, or one from the patient's history."""

    day: float
    product: str
    injections: tuple[tuple[Injection, float], ...]
    """Each injection with its volume in mL."""


def single(tree: Leaf) -> Leaf:
    """The same arrays in single precision: enough for shares, half the time and memory."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), tree)


def body(structures: Sequence[Structure]) -> Body:
    """Nodes and passages of `structures`, and one unused place for distant muscle."""
    nodes = np.stack([structure.node_mm for structure in structures])
    frames = np.stack([structure.frame for structure in structures])
    return Body(
        node_mm=np.concatenate([nodes, np.zeros((1, *nodes.shape[1:]))]),
        frame=np.concatenate([frames, np.eye(3)[None]]),
        passage=_passages(structures),
    )


def shots(
    given: Sequence[Given], structures: Sequence[Structure], products: Sequence[str]
) -> tuple[Shots, Sessions]:
    """Every site of every session as arrays.

    Raises UnknownName for a structure or product that the model does not have.
    """
    unknown = [session.product for session in given if session.product not in products]
    if unknown:
        raise UnknownName("plan", "product", unknown[0], products)
    rows = [
        row for number, session in enumerate(given) for row in _rows(session, number, structures)
    ]
    rows += [_EMPTY] * (-len(rows) % _BATCH)
    dose_u, volume_ml, site_mm, structure, session_number = map(np.array, zip(*rows, strict=True))
    day = np.array([float(session.day) for session in given])
    product = np.array([list(products).index(session.product) for session in given])
    return Shots(dose_u, volume_ml, site_mm, structure, session_number), Sessions(day, product)


def _rows(session: Given, number: int, structures: Sequence[Structure]) -> list[_Row]:
    """One row a site: dose, volume, place, structure and session."""
    named = [structure.id for structure in structures] + [DISTANT]
    rows: list[_Row] = []
    for injection, volume_ml in session.injections:
        if injection.structure not in named:
            raise UnknownName("plan", "structure for this model", injection.structure, named[:-1])
        where, share = named.index(injection.structure), 1 / injection.sites
        at = [_NOWHERE] if injection.structure == DISTANT else _sites(injection, structures[where])
        rows += [(injection.dose_u * share, volume_ml * share, site, where, number) for site in at]
    return rows


_BATCH = 32
_NOWHERE = np.zeros(3)
_EMPTY: _Row = (0.0, 0.0, _NOWHERE, 0, 0)  # plans of any size share a compiled chain


def _sites(injection: Injection, structure: Structure) -> np.ndarray:
    if injection.site_mm is None:
        return sites_mm(structure, injection.sites)
    return structure.place(np.array([injection.site_mm]))


def _passages(structures: Sequence[Structure]) -> np.ndarray:
    count = len(structures) + 1
    passage = np.full((count, count), 3.0)
    for i, one in enumerate(structures):
        for j, other in enumerate(structures):
            if i == j:
                passage[i, j] = 0
            elif one.region == other.region:
                passage[i, j] = 1 if one.compartment == other.compartment else 2
    return passage
