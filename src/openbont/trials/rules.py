"""What an endpoint makes of readings: a change, or whether a rule is met."""

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from openbont.design import Clause, Endpoint, clauses

_SIGNS: dict[str, Callable[[Any, float], Any]] = {
    "<=": lambda seen, number: seen <= number + 1e-9,
    ">=": lambda seen, number: seen >= number - 1e-9,
    "=": np.isclose,
    "<": operator.lt,
    ">": operator.gt,
}


def counted(
    endpoint: Endpoint,
    value: Float[np.ndarray, "patient ..."],
    entry: Float[np.ndarray, "patient ..."],
) -> Float[np.ndarray, "patient ..."]:
    """Change since entry, or 1 where every clause of the rule is met and 0 elsewhere."""
    change = value - entry
    if not endpoint.rule:
        return change
    return np.where(np.isnan(change), np.nan, met(clauses(endpoint.rule), value, change, entry))


def met(
    asked: Sequence[Clause],
    value: Float[np.ndarray, "patient ..."],
    change: Float[np.ndarray, "patient ..."],
    entry: Float[np.ndarray, "patient ..."],
) -> Bool[np.ndarray, "patient ..."]:
    """Whether each one meets every clause; per cent are of the reading at entry."""
    every = np.ones(change.shape, bool)
    for what, sign, number, percent in asked:
        seen = value if what == "value" else change
        with np.errstate(invalid="ignore", divide="ignore"):
            seen = 100 * np.where(entry == 0, 0.0, seen / entry) if percent else seen
        every &= _SIGNS[sign](seen, number)
    return every
