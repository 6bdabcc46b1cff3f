"""A patient with adductor laryngeal dystonia -> both thyroarytenoid muscles and the voice."""

import numpy as np

from openbont.catalog.disorders.common import (
    Built,
    measure,
    natural_course,
    recorded,
    tiled_one,
)
from openbont.catalog.disorders.onset import onset_of
from openbont.catalog.muscles import of_layers, structure
from openbont.catalog.sampling import PARENTS, Sampler
from openbont.forward.disorders.laryngeal import Laryngeal
from openbont.patient import Patient

_ALIKE_BREAKS = 1.0


def laryngeal_dystonia(patient: Patient, sampler: Sampler) -> Built:
    """Voice breaks, breathiness, quality of the voice."""
    structures = tuple(structure(name) for name in of_layers("larynx"))
    breaks, passing = _entry(sampler, recorded(patient, "voice_breaks")).T
    usual = sampler.value("laryngeal.quality")
    onset, chances = onset_of(patient, sampler)
    return structures, Laryngeal(
        fold_weight=tiled_one(sampler, np.full(len(structures), 1 / len(structures))),
        breaks=breaks,
        quality=np.full(sampler.draws, recorded(patient, "voice_quality", default=usual)),
        breathy_at=sampler.vary("laryngeal.breathy_at"),
        course=natural_course(sampler, "laryngeal", passing[:, None]),
        onset=onset,
        measures=(
            *(measure(f"voice_{one}") for one in ("breaks", "breathiness", "quality")),
            *chances,
        ),
    )


def _entry(sampler: Sampler, wanted: float) -> np.ndarray:
    """Breaks today and the passing part of them, of those who are counted as this patient is."""
    lasting, passing, noise = sampler.generator("laryngeal.entry").standard_normal((3, PARENTS))
    passing = sampler.value("laryngeal.fluctuation_sd") * passing
    breaks = sampler.value("laryngeal.parent_breaks") + passing
    breaks = breaks + sampler.value("laryngeal.parent_sd") * lasting
    read = breaks + sampler.value("laryngeal.occasion_sd") * noise
    parents = np.stack([np.maximum(breaks, 0.0), passing], axis=1)
    return sampler.enrol("laryngeal.entry", parents, lambda: np.abs(read - wanted) <= _ALIKE_BREAKS)
