"""What a trial found: means, responders and differences, by arm, endpoint and visit."""

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.stats import norm

from openbont.design import Design, Endpoint
from openbont.trials.readings import Block, places
from openbont.trials.rules import counted

LEVEL = 0.05
"""Two-sided, for power."""


@dataclass(frozen=True, eq=False)
class TrialResult:
    """Every run of a trial, as sums that are enough for means and spreads."""

    design: Design
    seed: int
    sums: Float[np.ndarray, "power replicate arm track visit"]
    """Powers 0, 1 and 2: count, sum and sum of squares."""

    @property
    def tracks(self) -> list[Endpoint]:
        """Endpoints without their weeks: each is followed over all visits."""
        return tracks(self.design)

    @property
    def mean(self) -> Float[np.ndarray, "replicate arm track visit"]:
        """Mean change, or share of responders, in each run."""
        return self.sums[1] / self.sums[0]

    @property
    def variance(self) -> Float[np.ndarray, "replicate arm track visit"]:
        """Between the patients of one run."""
        count = self.sums[0]
        return np.maximum(self.sums[2] / count - self.mean**2, 0.0) * count / (count - 1)

    @property
    def difference(self) -> Float[np.ndarray, "replicate arm track visit"]:
        """From the reference arm, of the same people."""
        return self.mean - self.mean[:, [self.design.reference]]

    @property
    def standard_error(self) -> Float[np.ndarray, "replicate arm track visit"]:
        """Of a difference between arms of different people, as a trial has them."""
        own = self.variance / self.sums[0]
        return np.sqrt(own + own[:, [self.design.reference]])

    @property
    def power(self) -> Float[np.ndarray, "arm track visit"]:
        """Chance that a trial of this size finds a difference, over random potency and placebo."""
        return _power(self.difference, self.standard_error).mean(0)

    def patients_for(self, power: float, arm: int, track: int, visit: int) -> int | None:
        """Patients an arm for this power at a visit; None where 100,000 are not enough."""
        at = (slice(None), arm, track, visit)
        difference = self.difference[at]
        one = self.standard_error[at] * np.sqrt(self.sums[0][at])
        sizes = np.unique(np.geomspace(2, 100_000, 400).astype(int))
        reached = [_power(difference, one / np.sqrt(size)).mean() >= power for size in sizes]
        return int(sizes[reached.index(True)]) if True in reached else None

    def rows(self) -> list[dict[str, Any]]:
        """One row an arm, endpoint and visit."""
        return [
            self._row(arm, track, visit)
            for track in range(len(self.tracks))
            for arm in range(len(self.design.arms))
            for visit in range(len(self.design.weeks))
        ]

    def _row(self, arm: int, track: int, visit: int) -> dict[str, Any]:
        at = (slice(None), arm, track, visit)
        endpoint, week = self.tracks[track], self.design.weeks[visit]
        row = {
            "arm": self.design.arms[arm].name,
            "scale": endpoint.scale,
            "where": endpoint.where,
            "rule": endpoint.rule,
            "week": week,
            "patients": float(self.sums[0][at].mean()),
            "mean": float(self.mean[at].mean()),
            "sd": float(np.sqrt(self.variance[at].mean())),
        }
        if arm == self.design.reference:
            return row
        difference = self.difference[at]
        se = float(np.sqrt((self.standard_error[at] ** 2).mean()))
        between = float(difference.std(ddof=1)) if len(difference) > 1 else 0.0
        half = 1.96 * np.hypot(se, between)
        middle = float(difference.mean())
        return row | {
            "difference": middle,
            "standard_error": se,
            "between_trials": between,
            "low": middle - half,
            "high": middle + half,
            "power": float(self.power[arm, track, visit]),
        }


def tracks(design: Design) -> list[Endpoint]:
    """Endpoints without their weeks, each once."""
    return list(dict.fromkeys(one.model_copy(update={"week": 0.0}) for one in design.endpoints))


def moments(design: Design, block: Block) -> Float[np.ndarray, "power replicate arm track visit"]:
    """Sums of one block."""
    found = np.zeros(
        (3, design.replicates, *block.value.shape[:1], len(tracks(design)), len(design.weeks))
    )
    for number, track in enumerate(tracks(design)):
        seen = _counted(design, track, block)
        for run in range(block.replicate[0], min(block.replicate[-1] + 1, design.replicates)):
            some = seen[..., block.replicate == run]
            there = ~np.isnan(some)
            some = np.where(there, some, 0.0)
            found[:, run, :, number] = there.sum(-1), some.sum(-1), (some**2).sum(-1)
    return found


def _counted(
    design: Design, track: Endpoint, block: Block
) -> Float[np.ndarray, "arm visit patient"]:
    """What one endpoint counts of each patient; of several places, whether all meet the rule."""
    at = [places(design).index(place) for place in track.places]
    value, entry = block.value.astype(float), block.entry.astype(float)
    each = [counted(track, value[:, n], entry[n]) for n in at]
    return reduce(np.minimum, each)


def _power(difference: np.ndarray, standard_error: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.nan_to_num(np.abs(difference) / standard_error)  # 0 / 0: nothing to be found
    beyond = norm.ppf(1 - LEVEL / 2)
    return np.asarray(norm.cdf(z - beyond) + norm.cdf(-z - beyond))
