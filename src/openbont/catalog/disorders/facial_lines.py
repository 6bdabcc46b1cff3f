"""A patient with frown lines -> corrugators, procerus and lid levators, and the stage of lines."""

from dataclasses import replace

import numpy as np

from openbont.anatomy.structure import Structure
from openbont.catalog.disorders.common import Built, measure, natural_course, tiled, tiled_one
from openbont.catalog.muscles import SIDES, structure
from openbont.catalog.sampling import PARENTS, Sampler
from openbont.catalog.scales import number
from openbont.errors import BadInput
from openbont.forward.disorders.facial_lines import FacialLines
from openbont.patient import Patient

_FROWN = ("corrugator.left", "corrugator.right", "procerus")
_LEVATORS = tuple(f"levator_palpebrae.{one}" for one in SIDES)


def glabellar_lines(patient: Patient, sampler: Sampler) -> Built:
    """Wrinkle scale at maximum contraction and at rest; height of the lids."""
    names = (*_FROWN, *_LEVATORS)
    procerus = sampler.value("facial_lines.procerus_share")
    frown = np.array([(1 - procerus) / 2, (1 - procerus) / 2, procerus, 0.0, 0.0])
    lids = [np.array([float(name == lid) for name in names]) for lid in _LEVATORS]
    depth, share = lines_entry(sampler, _recorded(patient)).T
    noise = sampler.value("facial_lines.occasion_sd")
    seen = [replace(one, observed="graded", noise=noise) for one in _FWS]
    return _frown_structures(patient, sampler, names), FacialLines(
        frown_weight=tiled_one(sampler, frown),
        lid_weight=tiled(sampler, lids),
        depth=depth,
        static_share=share,
        fold_power=sampler.vary("facial_lines.fold_power"),
        skin_day=sampler.vary("facial_lines.skin_day"),
        course=natural_course(sampler, "facial_lines", np.zeros((sampler.draws, 1)), 1.0),
        measures=(
            *seen,
            *(measure("lid_height", f"upper_lid.{one}", f"{one} upper lid") for one in SIDES),
        ),
    )


_FWS = (measure("FWS"), measure("FWS", "rest", "facial wrinkle scale at rest"))


def lines_entry(sampler: Sampler, wanted: dict[str, tuple[float, ...]]) -> np.ndarray:
    """Depth and static share of those who read as `wanted`: grades at "" and, if known, "rest"."""
    draw = sampler.generator("facial_lines.entry").standard_normal((4, PARENTS))
    depth = sampler.value("facial_lines.parent_depth")
    depth = depth + sampler.value("facial_lines.parent_sd") * draw[0]
    share = np.exp(sampler.value("facial_lines.static_sd") * draw[1])
    share = np.clip(sampler.value("facial_lines.static_share") * share, 0.0, 0.95)
    noise = sampler.value("facial_lines.occasion_sd") * draw[2:]
    contracted, rest = np.clip(np.rint(np.stack([depth, depth * share]) + noise), 0.0, 3.0)
    read = {"": contracted, "rest": rest}

    def reads_so() -> np.ndarray:
        met = [np.isin(read[where], grades) for where, grades in wanted.items()]
        return np.asarray(np.all(met, axis=0))

    return sampler.enrol("facial_lines.entry", np.stack([depth, share], axis=1), reads_so)


def _recorded(patient: Patient) -> dict[str, tuple[float, ...]]:
    """Recorded grades at maximum contraction and at rest."""
    found: dict[str, tuple[float, ...]] = {
        reading.where: (number("FWS", reading.value, "findings: FWS"),)
        for reading in patient.findings
        if reading.scale == "FWS"
    }
    if "" not in found or found.keys() - {"", "rest"}:
        raise BadInput(
            "findings",
            "FWS at maximum contraction is missing",
            "add a finding on FWS without where; lines at rest take where: rest",
        )
    return found


def _frown_structures(
    patient: Patient, sampler: Sampler, names: tuple[str, ...]
) -> tuple[Structure, ...]:
    """Muscles as in the catalog; the frown muscles of men are larger."""
    size = sampler.value("facial_lines.male_size") if patient.sex == "male" else 1.0
    found = [structure(name) for name in names]
    return tuple(
        replace(one, half_mm=one.half_mm * size) if one.id in _FROWN else one for one in found
    )
