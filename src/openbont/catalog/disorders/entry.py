"""Who reads as a patient does, on a scale whose latent is the reading itself.

level  = parent mean + lasting difference + passing part            read = level + noise
"""

import numpy as np

from openbont.catalog.sampling import PARENTS, Net, Sampler


def entered(
    sampler: Sampler,
    prior: str,
    level: str,
    place: str,
    alike: Net,
    said: str,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    of: str = "",
    points: float = 1.0,
) -> np.ndarray:
    """Level today and the passing part of it, (2, draw), of those who enter.

    `place` is the scale and place that was read, in units of which a level has `points`; `alike`
    says which readings count as the patient's own, `said` these in words. `prior` names the
    parameters .parent_`level`, .parent_sd, .fluctuation_sd and .occasion_sd.
    """
    name = f"{prior}.entry{of}"
    lasting, passing, noise = sampler.generator(name).standard_normal((3, PARENTS))
    passing = sampler.value(f"{prior}.fluctuation_sd") * passing
    today = sampler.value(f"{prior}.parent_{level}") + passing
    today = today + sampler.value(f"{prior}.parent_sd") * lasting
    read = points * (today + sampler.value(f"{prior}.occasion_sd") * noise)
    parents = np.stack([np.clip(today, *bounds), passing], axis=1)
    return sampler.enrol(name, parents, {place: read}, {place: alike}, said).T
