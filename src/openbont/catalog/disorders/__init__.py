"""Disorders by name: one file builds each from a patient and sampled parameters."""

from collections.abc import Callable
from functools import partial

from openbont.catalog.disorders.bladder import neurogenic_bladder, overactive_bladder
from openbont.catalog.disorders.blepharospasm import blepharospasm
from openbont.catalog.disorders.cervical import cervical_dystonia
from openbont.catalog.disorders.common import Built
from openbont.catalog.disorders.dystonia import (
    generalised_dystonia,
    limb_dystonia,
    writers_cramp,
)
from openbont.catalog.disorders.facial_lines import (
    FOREHEAD,
    GLABELLAR,
    LATERAL_CANTHAL,
    PLATYSMA,
    facial_lines,
)
from openbont.catalog.disorders.hyperhidrosis import hyperhidrosis
from openbont.catalog.disorders.laryngeal import laryngeal_dystonia
from openbont.catalog.disorders.migraine import chronic_migraine, unanswering_headache
from openbont.catalog.disorders.sialorrhoea import sialorrhoea
from openbont.catalog.disorders.spasticity import limb_spasticity
from openbont.catalog.disorders.strabismus import horizontal_strabismus
from openbont.catalog.sampling import Sampler
from openbont.patient import Patient

MODELLED: dict[str, Callable[[Patient, Sampler], Built]] = {
    "spasticity.upper_limb": partial(limb_spasticity, "arm"),
    "spasticity.lower_limb": partial(limb_spasticity, "leg"),
    "migraine.chronic": chronic_migraine,
    "headache.tension_type": unanswering_headache,
    "headache.chronic_daily": unanswering_headache,
    "dystonia.blepharospasm": blepharospasm,
    "dystonia.cervical": cervical_dystonia,
    "dystonia.limb": limb_dystonia,
    "dystonia.writers_cramp": writers_cramp,
    "dystonia.generalised": generalised_dystonia,
    "dystonia.laryngeal": laryngeal_dystonia,
    "bladder.overactive": overactive_bladder,
    "bladder.neurogenic": neurogenic_bladder,
    "hyperhidrosis.axillary": partial(hyperhidrosis, "axilla"),
    "hyperhidrosis.palmar": partial(hyperhidrosis, "palm"),
    **{
        region.disorder: partial(facial_lines, region)
        for region in (GLABELLAR, LATERAL_CANTHAL, FOREHEAD, PLATYSMA)
    },
    "sialorrhoea": sialorrhoea,
    "strabismus": horizontal_strabismus,
}
