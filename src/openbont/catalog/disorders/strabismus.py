"""A patient with strabismus -> four recti and the levator of that eye, and the stage of the eye."""

import numpy as np

from openbont.catalog.disorders.common import (
    Built,
    measure,
    natural_course,
    side_of,
    tiled,
    tiled_one,
)
from openbont.catalog.muscles import structure
from openbont.catalog.sampling import PARENTS, Sampler
from openbont.catalog.scales import number
from openbont.errors import BadInput
from openbont.forward.disorders.strabismus import Strabismus
from openbont.patient import Patient, Reading

_AGONIST = {"inward": "medial_rectus", "outward": "lateral_rectus"}
_ANTAGONIST = {"inward": "lateral_rectus", "outward": "medial_rectus"}
_MUSCLES = (
    "medial_rectus",
    "lateral_rectus",
    "superior_rectus",
    "inferior_rectus",
    "levator_palpebrae",
)
_ALIKE_PD = 2.5


def horizontal_strabismus(patient: Patient, sampler: Sampler) -> Built:
    """Deviation in prism dioptres; height of the lid of that eye."""
    eye = side_of(patient)
    reading = _recorded(patient)
    deviation, passing = _entry(sampler, number("deviation_pd", reading.value)).T
    agonist, antagonist = _AGONIST[reading.where], _ANTAGONIST[reading.where]
    pull = np.array([float(m == agonist) - float(m == antagonist) for m in _MUSCLES])
    lid = np.array([float(m == "levator_palpebrae") for m in _MUSCLES])
    structures = tuple(structure(f"{name}.{eye}", "strabismus") for name in _MUSCLES)
    return structures, Strabismus(
        pull=tiled_one(sampler, pull),
        lid_weight=tiled(sampler, [lid]),
        deviation=deviation,
        pull_pd=sampler.vary("strabismus.pull_pd"),
        shortening_share=sampler.vary("strabismus.shortening_share"),
        shortening_day=sampler.vary("strabismus.shortening_day"),
        stretching_day=sampler.vary("strabismus.stretching_day"),
        course=natural_course(sampler, "strabismus", passing[:, None], 1.0),
        measures=(
            measure("deviation_pd", reading.where, f"deviation {reading.where}"),
            measure("misalignment_pd"),
            measure("lid_height", f"upper_lid.{eye}", f"{eye} upper lid"),
        ),
    )


def _recorded(patient: Patient) -> Reading:
    """The deviation, with its direction. Raises BadInput."""
    for reading in patient.findings:
        if reading.scale == "deviation_pd" and reading.where in _AGONIST:
            return reading
    raise BadInput(
        "findings",
        "deviation_pd with its direction is missing",
        "add a finding on deviation_pd, where: inward or where: outward",
    )


def _entry(sampler: Sampler, wanted: float) -> np.ndarray:
    """Deviation today and the passing part of it, of those who measure as this patient does."""
    lasting, passing, noise = sampler.generator("strabismus.entry").standard_normal((3, PARENTS))
    passing = sampler.value("strabismus.fluctuation_sd") * passing
    deviation = sampler.value("strabismus.parent_pd") + passing
    deviation = deviation + sampler.value("strabismus.parent_sd") * lasting
    read = deviation + sampler.value("strabismus.occasion_sd") * noise
    parents = np.stack([deviation, passing], axis=1)
    return sampler.enrol("strabismus.entry", parents, lambda: np.abs(read - wanted) <= _ALIKE_PD)
