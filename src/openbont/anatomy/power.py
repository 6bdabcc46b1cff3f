"""Power diagrams: places shared among muscles so that each has the area it should have.

A place belongs to the muscle of least cost - weight, the cost being a squared distance. For any
areas there are weights that give them (Aurenhammer 1998); they are found by turning each weight
up where its muscle has too little and down where it has too much.
"""

import numpy as np
from jaxtyping import Float, Int

TURNS = 400
FASTER, SLOWER = 1.3, 0.5
FIRST = 0.5 / np.pi
"""Of the step that would be right for a lone disc: its area is pi times its weight."""


def share(
    cost_mm2: Float[np.ndarray, "place cell"],
    area_mm2: Float[np.ndarray, "cell"],
    place_mm2: float,
    weight_mm2: Float[np.ndarray, "cell"],
) -> tuple[Int[np.ndarray, "place"], Float[np.ndarray, "cell"]]:
    """Cell of each place and the weights that give each cell its area, near the weights given.

    Where the areas do not fill the places, the rest, far from every cell, gets number `cell`.
    """
    spare = len(cost_mm2) * place_mm2 - area_mm2.sum() > place_mm2 / 2
    cost_mm2 = np.pad(cost_mm2, ((0, 0), (0, 1)), constant_values=0.0 if spare else np.inf)
    weight, gain = weight_mm2.astype(float), np.full(len(area_mm2), FIRST)
    last = np.zeros_like(area_mm2)
    best = (np.inf, np.zeros(len(cost_mm2), int), weight)
    for _ in range(TURNS):
        owner = np.argmin(cost_mm2 - np.append(weight, 0.0), axis=1)
        lacking = area_mm2 - place_mm2 * np.bincount(owner, minlength=len(weight) + 1)[:-1]
        worst = float(np.abs(lacking).max(initial=0.0))
        if worst < best[0]:
            best = (worst, owner, weight)
        if worst <= place_mm2:
            break
        gain = np.clip(gain * np.where(lacking * last < 0, SLOWER, FASTER), 1e-3, 2 * FIRST)
        last, weight = lacking, weight + gain * lacking
    return best[1], best[2]
