"""Free parameters of a family of disorders, fitted to rows for calibration and to no others.

A row is a published value y with its standard error; trials differ by a potency b, a placebo
response p and a strictness s:

    y = f(theta) + f_b b + f_p p + f_s s + error      b, p, s: standard normal, one a trial

Rows of one arm and measure share their patients, so their errors go together. theta is the most
probable value under these normals and one about each reference value, a quarter of its range wide.
f is followed by a parabola in each parameter, trusted one prior SD around the point it was made at,
and made anew where the rows themselves confirm that the new point is better.
Errors have long tails, so a row that the model cannot follow does not bend it for all the others.
Parameters of the chain rest on direct measurements and are not fitted to ratings; who the people of
a trial are drawn from rests on their entry readings.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from ruamel.yaml import YAML
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import least_squares

from openbont.catalog.endpoints import Row, endpoints
from openbont.catalog.evidence import calibrated, changed, parameters, references
from openbont.errors import NoEvidence
from openbont.evidence import Parameter
from openbont.io import replace_file
from openbont.streams import stream
from openbont.trials.predict import Estimate
from openbont.trials.validate import Asked, ask, estimates, free_parameters, observed_se, values

CHAIN = ("kinetics", "spread", "release", "response", "immunity", "trials")
"""Groups of parameters that rest on direct measurements, or say how trials differ."""
SAME_PATIENTS = 0.7
"""Correlation between visits of one arm: 0.6 to 0.9 in the public data of one trial."""
STARTS, ROUNDS = 8, 4
_STEP, _STILL, _TRUST = 0.5, 0.1, 1.0  # in prior SDs
_TELLING = 0.8
_TAIL = 2.0  # errors beyond this many standard errors count as their logarithm (Cauchy)
_PARENTS = ".parent_"

Tell = Callable[[float], None]
Vector = Float[np.ndarray, "parameter"]


@dataclass(frozen=True)
class Fit:
    """One parameter after calibration."""

    parameter: Parameter
    value: float
    sd: float
    learnt: float
    """Share of the prior variance that the rows took away: 0 not identified, 1 wholly."""
    goes_with: Mapping[str, float]
    """Correlations beyond 0.8 with other parameters: only a combination is known."""

    @property
    def at_bound(self) -> bool:
        """The optimum lies at an end of the range."""
        nearest = min(self.value - self.parameter.low, self.parameter.high - self.value)
        return nearest <= 1e-3 * (self.parameter.high - self.parameter.low)


@dataclass(frozen=True)
class Calibration:
    """All fitted parameters of one disorder or family."""

    disorder: str
    fits: tuple[Fit, ...]
    rows: int
    trials: int
    digest: str
    """SHA-256 of the rows that were used."""
    misfit_before: float
    """Mean square of whitened residuals; 1 where errors are as large as they say."""
    misfit: float
    starts: int
    agreeing: int
    """Starts that ended at the same optimum."""
    left_out: Mapping[int, str]
    """Rows that could not be predicted, with the reason."""


def calibration_rows(table: Iterable[Row], disorder: str) -> list[Row]:
    """Rows of a disorder or family that may be fitted: scored, and marked calibrate."""
    return [
        row
        for row in table
        if row.scored
        and row.use == "calibrate"
        and row.observed is not None
        and (row.disorder == disorder or row.disorder.startswith(f"{disorder}."))
    ]


def families(table: Iterable[Row]) -> list[str]:
    """Families of disorders with rows that may be fitted: their members share parameters."""
    return sorted(
        {row.disorder.partition(".")[0] for row in table if row.use == "calibrate" and row.scored}
    )


def digest(rows: Sequence[Row]) -> str:
    """SHA-256 of what is fitted."""
    facts = [
        (r.trial, r.arm, r.dose, r.disorder, r.measure, r.rule, r.week, r.kind, r.observed, r.se)
        for r in rows
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def calibrate(
    table: Sequence[Row],
    disorder: str,
    seed: int = 1,
    starts: int = STARTS,
    tell: Tell = lambda done: None,
) -> Calibration:
    """Fit the free parameters of one disorder, or of all of a family, from their reference values.

    Rows that are not marked calibrate are put aside before anything else. Raises NoEvidence where
    a disorder has no such rows, or no free parameter of its own.
    """
    rows = calibration_rows(table, disorder)
    if not rows:
        raise NoEvidence(f"{disorder or 'no disorder'} has no rows for calibration")
    problem = _problem(rows, seed, tell)
    at, agreeing = problem.solved(seed, starts, tell)
    return problem.described(disorder, rows, at, starts, agreeing)


def _problem(rows: Sequence[Row], seed: int, tell: Tell) -> "_Problem":
    """Rows that are predicted, and parameters that move them."""
    asked, left_out = ask(rows, rows)
    family = rows[0].disorder.partition(".")[0]
    elsewhere = {*CHAIN, *families(endpoints())} - {family}  # what migraine lends to its controls
    own = [
        name
        for name in free_parameters(asked, seed)
        if name.partition(".")[0] not in elsewhere and _PARENTS not in name
    ]
    start = {name: references()[name].value for name in own}
    with changed(start):
        found, fell_out = estimates(asked, seed)
    kept = [one for one in asked if one.row.number in found]
    if not own or not kept:
        raise NoEvidence(f"{rows[0].disorder} has no free parameter that its rows could tell")
    tell(0.1)
    held = [found[one.row.number] for one in kept]
    return _Problem(
        kept, seed, tuple(references()[name] for name in own), held, {**left_out, **fell_out}
    )


@dataclass(eq=False)
class _Problem:
    """Rows, parameters, and the model about a point that moves towards the optimum."""

    asked: Sequence[Asked]
    seed: int
    parameters: tuple[Parameter, ...]
    first: Sequence[Estimate]
    left_out: Mapping[int, str]

    def __post_init__(self) -> None:
        rows = [one.row for one in self.asked]
        self.observed = np.array([row.observed for row in rows], float)
        self.chol = cholesky(_covariance(self.asked, self.first), lower=True)
        self.low, self.high, self.middle, self.sd = np.array(
            [(p.low, p.high, p.value, (p.high - p.low) / 4) for p in self.parameters]
        ).T
        self.centre = np.zeros(len(self.parameters))

    def model(self, at: Vector) -> Float[np.ndarray, "row"]:
        """Whitened predictions at a point, in prior SDs from the reference values."""
        known = self.middle + self.sd * at
        named = dict(zip((p.id for p in self.parameters), known.tolist(), strict=True))
        with changed(named):
            return self.whitened(values(self.asked, self.seed))

    def whitened(self, rows: Float[np.ndarray, "row"]) -> Float[np.ndarray, "row"]:
        """In independent standard errors."""
        return np.asarray(solve_triangular(self.chol, rows, lower=True))

    def solved(self, seed: int, starts: int, tell: Tell) -> tuple[Vector, int]:
        """The optimum, and how many starts came to it."""
        target, agreeing, trust = self.whitened(self.observed), 0, _TRUST
        self.about = self.model(self.centre)
        self.slope, self.bend = self._parabolas(self.about)
        for turn in range(ROUNDS):
            ends = [self._descend(target, at, trust) for at in self._starts(seed, starts, trust)]
            best, cost = min(ends, key=lambda end: end[1])
            agreeing = sum(
                np.abs(end - best).max() < 2 * _STILL or other < cost + 0.1 for end, other in ends
            )
            moved, there = np.abs(best - self.centre).max(), self.model(best)
            if _cost(there - target, best) > _cost(self.about - target, self.centre):
                trust /= 2
            else:
                self.centre, self.about = best, there
                self.slope, self.bend = self._parabolas(there)
            tell(0.1 + 0.9 * (turn + 1) / ROUNDS)
            if moved < _STILL:
                break
        return self.centre, agreeing

    def _parabolas(self, about: Float[np.ndarray, "row"]) -> tuple[np.ndarray, np.ndarray]:
        """Slope and bend of every row in every parameter, within the range."""
        slopes, bends = [], []
        for number in range(len(self.parameters)):
            steps = [self._step(number, sign) for sign in (1, -1)]
            up, down = ((self.model(self.centre + step) - about) / step[number] for step in steps)
            high, low = (step[number] for step in steps)
            slopes.append((up * -low + down * high) / (high - low))
            bends.append((up - down) / (high - low))
        return np.stack(slopes, 1), np.stack(bends, 1)

    def _step(self, number: int, sign: int) -> Vector:
        """A step along one parameter, shortened at the end of its range."""
        room = (self.high - self.middle) / self.sd - self.centre
        if sign < 0:
            room = self.centre - (self.low - self.middle) / self.sd
        size = min(_STEP, room[number])
        step = np.zeros(len(self.parameters))
        step[number] = sign * size if size > 0.05 else -sign * _STEP / 2
        return step

    def _around(self, trust: float) -> tuple[Vector, Vector]:
        """Ends of what is searched: the range of each parameter, near the centre."""
        low, high = (self.low - self.middle) / self.sd, (self.high - self.middle) / self.sd
        return np.maximum(low, self.centre - trust), np.minimum(high, self.centre + trust)

    def _starts(self, seed: int, starts: int, trust: float) -> list[Vector]:
        draws = stream(seed, "calibrate/starts").uniform(size=(starts - 1, len(self.parameters)))
        low, high = self._around(trust)
        return [self.centre, *(low + (high - low) * draws)]

    def _descend(self, target: np.ndarray, start: Vector, trust: float) -> tuple[Vector, float]:
        """The nearest optimum of the parabolas, prior and range kept."""

        def left(at: Vector) -> np.ndarray:
            away = at - self.centre
            said = self.about + self.slope @ away + self.bend @ away**2
            return np.concatenate([_tailed(said - target), at])

        found = least_squares(left, start, bounds=self._around(trust))
        return found.x, float(found.cost)

    def described(
        self, disorder: str, rows: Sequence[Row], at: Vector, starts: int, agreeing: int
    ) -> Calibration:
        """Values with what the rows told about them."""
        target = self.whitened(self.observed)
        weight = 1 / (1 + ((self.about - target) / _TAIL) ** 2)
        covariance = np.linalg.inv((self.slope.T * weight) @ self.slope + np.eye(len(at)))
        before = self.whitened(np.array([one.value for one in self.first]))
        after = self.model(at)
        return Calibration(
            disorder,
            tuple(self._fit(number, at, covariance) for number in range(len(at))),
            len(self.asked),
            len({one.row.trial for one in self.asked}),
            digest(rows),
            float(np.mean((before - target) ** 2)),
            float(np.mean((after - target) ** 2)),
            starts,
            agreeing,
            self.left_out,
        )

    def _fit(self, number: int, at: Vector, covariance: np.ndarray) -> Fit:
        sd = np.sqrt(np.diag(covariance))
        together = covariance[number] / (sd[number] * sd)
        strong = {
            other.id: round(float(together[k]), 2)
            for k, other in enumerate(self.parameters)
            if k != number and abs(together[k]) >= _TELLING
        }
        return Fit(
            self.parameters[number],
            float(f"{self.middle[number] + self.sd[number] * at[number]:.4g}"),
            float(self.sd[number] * sd[number]),
            float(1 - covariance[number, number]),
            strong,
        )


def _cost(left: Float[np.ndarray, "row"], at: Vector) -> float:
    """Half of the squares of what rows and prior miss."""
    rows = _tailed(left)
    return float(rows @ rows + at @ at) / 2


def _tailed(left: Float[np.ndarray, "row"]) -> Float[np.ndarray, "row"]:
    """Residuals whose squares are those of errors with long tails."""
    return np.sign(left) * _TAIL * np.sqrt(np.log1p((left / _TAIL) ** 2))


def _covariance(asked: Sequence[Asked], found: Sequence[Estimate]) -> Float[np.ndarray, "row row"]:
    """Of rows: own errors, patients that visits share, and what differs between trials."""
    rows = [one.row for one in asked]
    se = np.array(
        [np.hypot(observed_se(o, e), e.se_within) for o, e in zip(asked, found, strict=True)]
    )
    ways = [(one.by_potency, one.by_placebo, one.by_strictness) for one in found]
    trial = np.array([row.trial or f"row {row.number}" for row in rows])
    patients = np.array(
        [f"{t}/{row.arm}/{row.measure}" for t, row in zip(trial, rows, strict=True)]
    )
    same_trial = trial[:, None] == trial
    together = np.where(patients[:, None] == patients, SAME_PATIENTS, 0.0)
    np.fill_diagonal(together, 1.0)
    shared = np.array(ways) @ np.array(ways).T
    return together * np.outer(se, se) + same_trial * shared


def write_calibration(found: Sequence[Calibration], seed: int) -> Path:
    """Put values, and what they rest on, into the catalog; other disorders stay. Raises OSError."""
    place = Path(str(files("openbont.catalog").joinpath("calibrated.yaml")))
    held = {**calibrated()["disorders"], **{one.disorder: _entry(one, seed) for one in found}}
    text = StringIO("# Written by `openbont calibrate --write`; do not edit.\n")
    text.seek(0, os.SEEK_END)
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style, writer.width = False, 10_000
    writer.dump({"disorders": held}, text)
    replace_file(place, text.getvalue().encode())
    for known in (calibrated, parameters):
        known.cache_clear()
    return place


def _entry(one: Calibration, seed: int) -> dict[str, Any]:
    """One disorder in the file: provenance, then values."""
    return {
        "rows": one.rows,
        "trials": one.trials,
        "rows_sha256": one.digest,
        "seed": seed,
        "version": version("openbont"),
        "misfit_before": round(one.misfit_before, 3),
        "misfit": round(one.misfit, 3),
        "parameters": {
            fit.parameter.id: {
                "value": fit.value,
                "sd": float(f"{fit.sd:.3g}"),
                "learnt": round(fit.learnt, 2),
            }
            for fit in one.fits
        },
    }
