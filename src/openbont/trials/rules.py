"""What an endpoint makes of readings: a change, or whether a rule is met."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from openbont.design import Endpoint

_SIGNS: dict[str, Callable[[Any, float], Any]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "=": np.isclose,
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
    met = np.ones(change.shape, bool)
    for what, sign, number, percent in endpoint.clauses:
        seen = value if what == "value" else change
        with np.errstate(invalid="ignore", divide="ignore"):
            seen = 100 * np.where(entry == 0, 0.0, seen / entry) if percent else seen
        met &= _SIGNS[sign](seen, number)
    return np.where(np.isnan(change), np.nan, met)
