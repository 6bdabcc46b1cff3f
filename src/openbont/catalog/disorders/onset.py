"""How a patient's dystonia will go on by itself, where its age is known."""

from dataclasses import fields

import numpy as np

from openbont.catalog.disorders.common import measure
from openbont.catalog.evidence import parameters
from openbont.catalog.sampling import Sampler
from openbont.errors import BadInput
from openbont.forward.disorders.interface import Measure
from openbont.forward.disorders.onset import Onset
from openbont.patient import Patient


def onset_of(patient: Patient, sampler: Sampler) -> tuple[Onset | None, tuple[Measure, ...]]:
    """Chances of spread from one region and of staying; none without months_since_onset.

    Raises BadInput.
    """
    since_year = _since_year(patient)
    if since_year is None:
        return None, ()
    focal = patient.disorder.name != "dystonia.generalised"
    told = ("spread_risk", "persistence") if focal else ("persistence",)
    named = [f.name for f in fields(Onset) if f"onset.{f.name}" in parameters()]
    return Onset(
        age_year=np.full(sampler.draws, max(patient.age_years - since_year, 0.0)),
        since_year=np.full(sampler.draws, since_year),
        **{name: sampler.vary(f"onset.{name}") for name in named},
        focal=focal,
    ), tuple(measure(one) for one in told)


def _since_year(patient: Patient) -> float | None:
    """Years since onset. Raises BadInput before birth; an age may be in whole years."""
    months, age_years = patient.disorder.months_since_onset, patient.age_years
    if months is None:
        return None
    if months >= 12 * (age_years + 1):
        raise BadInput(
            "disorder.months_since_onset",
            f"{months:g} months ago is before birth at an age of {age_years:g} years",
            f"write months, at most {12 * age_years:g}",
        )
    return months / 12
