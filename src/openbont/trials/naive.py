"""Three models that know no toxin, to be beaten: their constants are from `calibrate` rows alone.

placebo    the arm does what placebo does
constant   placebo plus one difference for each disorder and measure
emax       placebo plus Emax dose / (dose + ED50), for each disorder, measure and product

A calibrate row is never predicted from rows of its own trial, but for the placebo response. The
response to placebo is that of the trial where one is known, else the mean of its disorder.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from openbont.catalog.endpoints import Row

_CHANGES = ("mean_change", "median_change", "pct_change", "auc", "diff_vs_placebo")
_HALF_DOSES = np.geomspace(0.1, 10, 41)
"""Tried ED50, in median doses of a group."""


@dataclass(frozen=True)
class Naive:
    """What the three models say of one row; None where they know nothing."""

    placebo: float | None
    constant: float | None
    emax: float | None


@dataclass(frozen=True)
class _Gain:
    """Drug less placebo of one calibrate arm."""

    trial: str
    group: tuple[str, str, str]
    measure: tuple[str, str]
    product: str
    dose: float
    gain: float


def naive(rows: Iterable[Row], shipped: Sequence[Row]) -> dict[int, Naive]:
    """Naive predictions of rows with toxin, by number of the row."""
    known = [r for r in shipped if r.use == "calibrate" and r.observed is not None and r.scored]
    gains = [gain for row in known if (gain := _gain(row, known)) is not None]
    return {row.number: _naive(row, known, gains) for row in rows if not row.placebo}


def _naive(row: Row, known: Sequence[Row], gains: Sequence[_Gain]) -> Naive:
    placebo = placebo_response(row, known)
    if placebo is None:
        return Naive(None, None, None)
    own = row.trial if row.use == "calibrate" else None
    others = [one for one in gains if one.trial != own]
    alike = [one for one in others if one.group == _group(row)]
    alike = alike or [one for one in others if one.measure == (row.disorder, row.measure)]
    constant = float(np.mean([one.gain for one in alike])) if alike else 0.0
    of_it = [one for one in alike if one.product == row.product] or alike
    return Naive(placebo, placebo + constant, placebo + _emax(of_it, row.dose))


def placebo_response(row: Row, known: Sequence[Row]) -> float | None:
    """Of the trial in the nearest week, else the mean of its disorder, else no change."""
    if row.kind == "diff_vs_placebo":
        return 0.0
    said = [one for one in known if one.placebo and _group(one) == _group(row)]
    own = [one for one in said if one.trial == row.trial]
    values = [one.observed for one in own or said if one.observed is not None]
    if own:
        nearest = min(own, key=lambda one: abs(_week(one) - _week(row)))
        return nearest.observed
    if values:
        return float(np.mean(values))
    if row.kind in _CHANGES:
        return 0.0
    return row.baseline if row.kind == "mean_value" else None


def _gain(row: Row, known: Sequence[Row]) -> _Gain | None:
    if row.placebo or row.observed is None:
        return None
    placebo = placebo_response(row, known)
    if placebo is None:
        return None
    gain = row.observed - placebo
    measure = (row.disorder, row.measure)
    return _Gain(row.trial, _group(row), measure, row.product or "", row.dose or 0.0, gain)


def _emax(gains: Sequence[_Gain], dose: float | None) -> float:
    """Least squares in Emax, ED50 by a grid; one dose alone is met by its mean."""
    dosed = [one for one in gains if one.dose > 0]
    if not dosed or not dose:
        return float(np.mean([one.gain for one in gains])) if gains else 0.0
    doses, found = (np.array([getattr(one, what) for one in dosed]) for what in ("dose", "gain"))
    half = np.median(doses) * (_HALF_DOSES if len(np.unique(doses)) > 1 else np.ones(1))
    shape = doses[None] / (doses[None] + half[:, None])
    most = (shape @ found) / (shape**2).sum(1)
    error = ((most[:, None] * shape - found) ** 2).sum(1)
    best = int(error.argmin())
    return float(most[best] * dose / (dose + half[best]))


def _group(row: Row) -> tuple[str, str, str]:
    """Rows whose numbers may be compared."""
    kind = "change" if row.kind in ("mean_change", "diff_vs_placebo") else row.kind
    return row.disorder, row.measure, f"{row.rule}/{kind}"


def _week(row: Row) -> float:
    try:
        return float(row.week)
    except ValueError:
        return 12.0
