"""Disorders by name: one file builds each from a patient and sampled parameters."""

from collections.abc import Callable

from openbont.catalog.disorders.common import Built
from openbont.catalog.disorders.migraine import chronic_migraine
from openbont.catalog.disorders.spasticity import upper_limb_spasticity
from openbont.catalog.sampling import Sampler
from openbont.patient import Patient

MODELLED: dict[str, Callable[[Patient, Sampler], Built]] = {
    "spasticity.upper_limb": upper_limb_spasticity,
    "migraine.chronic": chronic_migraine,
}
