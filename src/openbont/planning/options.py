"""What may be given to one structure: units and number of sites, in steps that a syringe measures.

A dose is shared equally by its sites, so the steps are those of one site. The sites themselves are
the named ones of a label, or spread over the end-plate zone (anatomy/sites.py).
"""

import math
from dataclasses import dataclass

import numpy as np

from openbont.planning.limits import Limits, StructureLimit

_STEPS_U = (1.25, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0)
_SMALL_U = 25.0
_FINEST_U = {True: (1.25, 2.5), False: (2.5, 5.0)}
"""Least step of a site and of the whole dose: for small muscles, for others."""
_MOST_PATTERNS = 3
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Options:
    """Choices for one structure; the first is no dose."""

    dose_u: np.ndarray
    sites: np.ndarray


def options(limit: StructureLimit, limits: Limits, dilution_u_per_ml: float, most: int) -> Options:
    """At most `most` choices from the label's least to its most, as fine as that allows."""
    for step_u in _STEPS_U:
        found = _stepped(limit, limits, dilution_u_per_ml, step_u)
        if len(found) < most:
            break
    doses_u, sites = zip((0.0, 1), *sorted(found), strict=True)
    return Options(np.array(doses_u), np.array(sites))


def site_counts(limit: StructureLimit, limits: Limits) -> tuple[int, ...]:
    """Numbers of sites to choose from: the label's own; one to three where it names none."""
    most_u = limit.site_max_u or limits.site_max_u
    needed = math.ceil((limit.max_u or 0.0) / most_u) if most_u else 1
    least = math.ceil(limit.sites_min or 1)
    most = math.floor(limit.sites_max or max(_MOST_PATTERNS, needed))
    counts = tuple(range(least, max(least, most) + 1))
    return counts[-_MOST_PATTERNS:] if needed > _MOST_PATTERNS else counts[:_MOST_PATTERNS]


def fits(
    limit: StructureLimit, limits: Limits, dose_u: float, sites: int, dilution_u_per_ml: float
) -> bool:
    """True when dose, dose at a site and volume at a site keep the label."""
    site_u = dose_u / sites
    pairs = (
        (dose_u, limit.max_u),
        (site_u, limit.site_max_u or limits.site_max_u),
        (site_u / dilution_u_per_ml, limit.site_max_ml or limits.site_max_ml),
    )
    within = all(most is None or value <= most + _ROUNDING for value, most in pairs)
    return within and dose_u >= (limit.min_u or 0.0) - _ROUNDING


def _stepped(
    limit: StructureLimit, limits: Limits, dilution_u_per_ml: float, step_u: float
) -> set[tuple[float, int]]:
    """Dose and sites, each site a whole number of steps; the label's own least besides."""
    most_u, counts = limit.max_u or 0.0, site_counts(limit, limits)
    site_least_u, least_u = _FINEST_U[most_u <= _SMALL_U]
    found = set()
    for count in counts:
        step = next(s for s in _STEPS_U if s >= max(step_u, site_least_u, least_u / count))
        steps = range(1, int(most_u / count / step + _ROUNDING) + 1)
        found |= {(count * step * number, count) for number in steps}
    if limit.min_u and limit.basis == "in the label":
        found.add((limit.min_u, counts[0]))
    return {one for one in found if fits(limit, limits, *one, dilution_u_per_ml)}
