"""Where the needle goes: sites spread over a structure's end-plate zone."""

import numpy as np
from jaxtyping import Float

from openbont.anatomy.structure import Structure


def sites_mm(structure: Structure, count: int) -> Float[np.ndarray, "site 3"]:
    """`count` needle sites: the label's own where it fixes them, more spread over the section.

    In a mapped muscle each site serves an equal part of the end plates.
    """
    if structure.plate_mm is not None:
        return _among(structure, count)
    pattern = structure.pattern_mm if structure.pattern_mm is not None else np.zeros((0, 3))
    more = max(count - len(pattern), 0)
    spread = structure.place(_section_grid(more).reshape(-1, 3) * structure.half_mm)
    return np.concatenate([pattern[:count], spread])


def _among(structure: Structure, count: int) -> Float[np.ndarray, "site 3"]:
    """The end plates nearest to the middles of `count` groups of them (Lloyd's rounds).

    Toxin runs along the fibres, so a distance along them counts less.
    """
    if count == 1:
        return structure.centre_mm[None]
    plates = (structure.node_mm - structure.centre_mm) @ structure.frame.T * _COUNTS
    middles = plates[_apart(plates, count)]
    for _ in range(_ROUNDS):
        nearest = _distance(plates, middles).argmin(1)
        middles = np.stack([plates[nearest == k].mean(0) for k in range(count)])
    chosen = _distance(plates, middles).argmin(0)
    return structure.node_mm[chosen]


_COUNTS = np.array([0.4, 1.0, 1.0])  # along, across, deep
_ROUNDS = 8


def _apart(points: Float[np.ndarray, "point 3"], count: int) -> list[int]:
    """Numbers of points far from each other: each next one is the farthest from those before."""
    chosen = [int(np.linalg.norm(points - points.mean(0), axis=1).argmax())]
    while len(chosen) < count:
        chosen.append(int(_distance(points, points[chosen]).min(1).argmax()))
    return chosen


def _distance(
    points: Float[np.ndarray, "point 3"], middles: Float[np.ndarray, "middle 3"]
) -> Float[np.ndarray, "point middle"]:
    return np.linalg.norm(points[:, None] - middles[None], axis=-1)


def _section_grid(count: int) -> Float[np.ndarray, "site 3"]:
    """Points in the mid-section of the unit ball: one row up to three sites, else two rows."""
    rows = 1 if count <= 3 else 2
    lengths = [count // rows + (row < count % rows) for row in range(rows)]
    depth = [0.0] if rows == 1 else [-0.45, 0.45]
    points = [
        (0.0, across, deep)
        for deep, length in zip(depth, lengths, strict=True)
        for across in _evenly(length)
    ]
    return np.array(points)


def _evenly(count: int) -> Float[np.ndarray, "count"]:
    """Centres of `count` equal parts of the middle 90 % of [-1, 1]."""
    return 0.9 * (2 * (np.arange(count) + 0.5) / count - 1)
