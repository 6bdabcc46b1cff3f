"""A patient with blepharospasm -> ring muscles and levators of the lids, and the stage of spasm."""

from dataclasses import replace

import numpy as np

from openbont.catalog.disorders.common import Built, measure, natural_course, recorded, tiled
from openbont.catalog.disorders.entry import entered
from openbont.catalog.muscles import SIDES, structure
from openbont.catalog.sampling import Sampler
from openbont.forward.disorders.blepharospasm import Blepharospasm
from openbont.patient import Patient

_NAMES = tuple(
    f"{muscle}.{one}" for muscle in ("orbicularis_oculi", "levator_palpebrae") for one in SIDES
)


def blepharospasm(patient: Patient, sampler: Sampler) -> Built:
    """Jankovic score, closing force and height of the lids."""
    eyes, lids = np.eye(len(_NAMES)).reshape(2, 2, -1)
    rated = round(recorded(patient, "JRS"))
    score, passing = entered(
        sampler,
        "blepharospasm",
        "score",
        "JRS",
        lambda read: np.rint(read) == rated,
        f"JRS of {rated}",
    )
    structures = tuple(structure(name, "dystonia.blepharospasm") for name in _NAMES)
    return structures, Blepharospasm(
        eye_weight=tiled(sampler, list(eyes)),
        lid_weight=tiled(sampler, list(lids)),
        score=score,
        score_width=sampler.vary("blepharospasm.score_width"),
        course=natural_course(sampler, "blepharospasm", passing[:, None], 1.0),
        measures=(
            replace(measure("JRS"), noise=sampler.value("blepharospasm.occasion_sd")),
            *(measure("eyelid_closure", f"lids.{one}", f"closure, {one} eye") for one in SIDES),
            *(measure("lid_height", f"upper_lid.{one}", f"{one} upper lid") for one in SIDES),
        ),
    )
