"""How a patient's dystonia will go on by itself, where its age is known."""

from dataclasses import fields

import numpy as np

from openbont.catalog.disorders.common import measure
from openbont.catalog.evidence import parameters
from openbont.catalog.sampling import Sampler
from openbont.forward.disorders.interface import Measure
from openbont.forward.disorders.onset import Onset
from openbont.patient import Patient


def onset_of(patient: Patient, sampler: Sampler) -> tuple[Onset | None, tuple[Measure, ...]]:
    """Chances of spread and of staying; none where the patient's file has no months_since_onset."""
    if patient.disorder.months_since_onset is None:
        return None, ()
    since_year = patient.disorder.months_since_onset / 12
    age_year = max(patient.age_years - since_year, 0.0)
    named = [f.name for f in fields(Onset) if f"onset.{f.name}" in parameters()]
    return Onset(
        age_year=np.full(sampler.draws, age_year),
        since_year=np.full(sampler.draws, since_year),
        **{name: sampler.vary(f"onset.{name}") for name in named},
    ), (measure("spread_risk"), measure("persistence"))
