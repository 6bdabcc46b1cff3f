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
from openbont.catalog.disorders.entry import entered
from openbont.catalog.muscles import structure
from openbont.catalog.sampling import Sampler
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
    where, turned = _recorded(patient)
    deviation, passing = entered(
        sampler,
        "strabismus",
        "pd",
        f"deviation_pd at {where}",
        lambda read: np.abs(read - turned) <= _ALIKE_PD,
        f"deviation_pd of {turned:g}",
    )
    agonist, antagonist = _AGONIST[where], _ANTAGONIST[where]
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
            measure("deviation_pd", where, f"deviation {where}"),
            measure("misalignment_pd"),
            measure("lid_height", f"upper_lid.{eye}", f"{eye} upper lid"),
        ),
    )


def _recorded(patient: Patient) -> tuple[str, float]:
    """Direction and size of the deviation. Raises BadInput."""
    for reading in patient.findings:
        if reading.scale == "deviation_pd" and reading.where in _AGONIST:
            return reading.where, _turned(reading)
    raise BadInput(
        "findings",
        "deviation_pd with its direction is missing",
        "add a finding on deviation_pd, where: inward or where: outward",
    )


def _turned(reading: Reading) -> float:
    """Prism dioptres in the direction recorded. Raises BadInput below 0."""
    turned = number("deviation_pd", reading.value, "findings: deviation_pd")
    if turned < 0:
        (other,) = _AGONIST.keys() - {reading.where}
        raise BadInput(
            "findings: deviation_pd",
            f"below 0 {reading.where} (value {turned:g})",
            f"write where: {other}, value: {-turned:g}",
        )
    return turned
