"""A patient with adductor laryngeal dystonia -> both thyroarytenoid muscles and the voice."""

import numpy as np

from openbont.catalog.disorders.common import (
    Built,
    measure,
    natural_course,
    recorded,
    tiled_one,
)
from openbont.catalog.disorders.entry import entered
from openbont.catalog.disorders.onset import onset_of
from openbont.catalog.muscles import of_layers, structure
from openbont.catalog.sampling import Sampler
from openbont.errors import NoEvidence
from openbont.forward.disorders.laryngeal import Laryngeal
from openbont.patient import Patient

_ALIKE_BREAKS = 1.0


def laryngeal_dystonia(patient: Patient, sampler: Sampler) -> Built:
    """Voice breaks, breathiness, quality of the voice. Raises NoEvidence for a child."""
    if patient.child:
        raise NoEvidence("laryngeal dystonia of a child has no model: the folds are an adult's")
    structures = tuple(structure(name) for name in of_layers("larynx"))
    counted = recorded(patient, "voice_breaks")
    breaks, passing = entered(
        sampler,
        "laryngeal",
        "breaks",
        "voice_breaks",
        lambda read: np.abs(read - counted) <= _ALIKE_BREAKS,
        f"voice_breaks of {counted:g}",
        (0.0, np.inf),
    )
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
