"""Who reads as a patient does, on a scale whose latent is the reading itself.

level  = parent mean + lasting difference + passing part            read = level + noise
"""

from collections.abc import Callable

import numpy as np

from openbont.catalog.sampling import PARENTS, Sampler


def entered(
    sampler: Sampler,
    prior: str,
    level: str,
    reads_so: Callable[[np.ndarray], np.ndarray],
    said: str = "",
    bounds: tuple[float, float] = (-np.inf, np.inf),
    of: str = "",
) -> np.ndarray:
    """Level today and the passing part of it, (2, draw), of those who read as this patient does.

    `prior` names the parameters .parent_`level`, .parent_sd, .fluctuation_sd and .occasion_sd.
    """
    name = f"{prior}.entry{of}"
    lasting, passing, noise = sampler.generator(name).standard_normal((3, PARENTS))
    passing = sampler.value(f"{prior}.fluctuation_sd") * passing
    today = sampler.value(f"{prior}.parent_{level}") + passing
    today = today + sampler.value(f"{prior}.parent_sd") * lasting
    read = today + sampler.value(f"{prior}.occasion_sd") * noise
    parents = np.stack([np.clip(today, *bounds), passing], axis=1)
    return sampler.enrol(name, parents, lambda: reads_so(read), said).T
