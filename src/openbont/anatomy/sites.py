"""Where the needle goes: sites spread over a structure's end-plate zone."""

import numpy as np
from jaxtyping import Float

from openbont.anatomy.structure import Structure


def sites_mm(structure: Structure, count: int) -> Float[np.ndarray, "site 3"]:
    """`count` needle sites: the label's own where it fixes them, more spread over the section."""
    pattern = structure.pattern_mm if structure.pattern_mm is not None else np.zeros((0, 3))
    more = max(count - len(pattern), 0)
    spread = structure.place(_section_grid(more).reshape(-1, 3) * structure.half_mm)
    return np.concatenate([pattern[:count], spread])


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
