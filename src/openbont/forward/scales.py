"""Severity -> what the scale, the rater and the diary make of it.

Graded: the nearest grade to severity plus this examination's noise. Counted: headache days of a
two-state Markov diary whose chance is the expected days. Events: how many fall into the days of a
diary, a day. Measured: severity plus the noise of one examination. Ratings and diaries only; force
and release are never touched.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from openbont.forward.disorders.interface import Measure
from openbont.streams import stream

_DIARY_DAYS = 28


def read(
    severity: Float[np.ndarray, "draw visit"], measure: Measure, seed: int | str
) -> Float[np.ndarray, "draw visit"]:
    """Readings of one measure at several visits; the same seed makes the same noise."""
    draw = stream(seed, f"read/{measure.scale}/{measure.where}")
    if measure.observed == "graded":
        seen = severity + measure.noise * draw.standard_normal(severity.shape)
        return _nearest(seen, [number for _, number in measure.grades])
    if measure.observed == "counted":
        chance = np.clip(severity / _DIARY_DAYS, 0.0, 1.0)
        return diary_days(draw, chance, measure.noise).astype(float)
    if measure.observed == "events":
        return draw.poisson(measure.noise * severity) / measure.noise
    seen = severity + measure.noise * draw.standard_normal(severity.shape)
    return np.clip(seen, measure.low, measure.high) if measure.noise else severity


def diary_days(
    draw: np.random.Generator, chance: Float[np.ndarray, "..."], day_to_day: float
) -> Float[np.ndarray, "..."]:
    """Days in a 28-day diary; `day_to_day` is the correlation of one day with the next."""
    today = draw.random(chance.shape) < chance
    total = today.astype(int)
    for _ in range(_DIARY_DAYS - 1):
        today = draw.random(chance.shape) < (1 - day_to_day) * chance + day_to_day * today
        total += today
    return total


def _nearest(seen: Float[np.ndarray, "..."], grades: Sequence[float]) -> Float[np.ndarray, "..."]:
    known = np.array(sorted(grades))
    return np.asarray(known[np.abs(seen[..., None] - known).argmin(-1)])
