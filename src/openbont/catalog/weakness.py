"""What a patient's diseases and medicines do to nerve and junction, and the body far away."""

from dataclasses import dataclass, replace

import numpy as np

from openbont.anatomy.structure import Structure
from openbont.catalog.disorders.common import measure, tiled_one
from openbont.catalog.evidence import parameters
from openbont.catalog.sampling import Sampler
from openbont.catalog.scales import number
from openbont.catalog.vocabulary import ailments, medicine
from openbont.errors import UnknownName
from openbont.forward.distant import Distant
from openbont.patient import Patient

PHARYNX = "pharyngeal_constrictors"
KINDS = {
    "myasthenia_gravis": "myasthenia",
    "congenital_myasthenic_syndrome": "myasthenia",
    "botulism": "lambert_eaton",
    "lambert_eaton": "lambert_eaton",
    "motor_neuron": "als",
    "motor_neuropathy": "neuropathy",
    "aminoglycoside": "medicine",
    "neuromuscular_blocker": "medicine",
    "neuromuscular_depressant": "medicine",
    "magnesium": "medicine",
}
"""Condition, or class of conditions and medicines -> group of parameters."""


@dataclass(frozen=True)
class Weakness:
    """Factors on healthy nerve and junction; all 1 (and no loss) where nothing is known."""

    release: float = 1.0
    """Transmitter release of the untreated ending, relative to healthy."""
    safety: float = 1.0
    """Threshold margin of the junction itself, relative to healthy."""
    units: float = 1.0
    enlargement: float = 1.0
    loss_per_month: float = 0.0
    recovery_slower: float = 1.0
    fvc: float = 1.0

    @property
    def safety_factor(self) -> float:
        """Both lower the end-plate potential relative to its threshold."""
        return self.release * self.safety

    @property
    def dying(self) -> bool:
        """True where motor units go on dying: they twitch and cramp."""
        return self.loss_per_month > 0


HEALTHY = Weakness()


def weakness(sampler: Sampler, patient: Patient | None) -> Weakness:
    """The patient's diseases and medicines together: factors multiply, units are the fewest."""
    found = HEALTHY
    for kind in _kinds(patient):
        found = _worse(found, _of_kind(sampler, kind))
    return found


def distant(
    sampler: Sampler, structures: tuple[Structure, ...], patient: Patient | None, weak: Weakness
) -> Distant:
    """Strength, bulk, breathing, swallowing and twitching.

    FVC is the recorded one; without it, what is usual for the disease, else 100 % predicted.
    """
    pharynx = np.array([float(one.id == PHARYNX) for one in structures])
    swallowing = measure("dysphagia")
    if not pharynx.any():
        swallowing = replace(swallowing, words=f"{swallowing.words}, through the blood only")
    healthy = sampler.vary("response.safety_factor")
    every = np.ones(sampler.draws)
    return Distant(
        safety_factor=healthy * weak.safety_factor,
        healthy_safety_factor=healthy,
        facial=every * sampler.value("response.safety_facial"),
        safety_spread=sampler.vary("response.safety_spread"),
        units=every * weak.units,
        enlargement=every * weak.enlargement,
        loss_per_month=every * weak.loss_per_month,
        fvc=every * _recorded_fvc(patient, 100 * weak.fvc),
        breathing_power=sampler.vary("weakness.breathing_power"),
        pharynx_weight=tiled_one(sampler, pharynx),
        measures=(
            *(measure(one) for one in ("far_strength", "far_bulk", "FVC")),
            swallowing,
            *([measure("twitching")] if weak.dying else []),
        ),
    )


def _kinds(patient: Patient | None) -> list[str]:
    """Groups of parameters that this patient calls for, each once."""
    if patient is None:
        return []
    terms = [term for _, term in ailments(patient.conditions, patient.disorder.cause)]
    for name in patient.medicines:
        try:
            terms.append(medicine(name))
        except UnknownName:
            continue  # check asks about it
    named = [KINDS[key] for term in terms for key in (term.name, *term.classes) if key in KINDS]
    return list(dict.fromkeys(named))


def _of_kind(sampler: Sampler, kind: str) -> Weakness:
    """The parameters of one group; what it does not name stays healthy."""
    names = {f"weakness.{kind}.{field}": field for field in Weakness.__dataclass_fields__}
    return Weakness(**{f: sampler.value(name) for name, f in names.items() if name in parameters()})


def _worse(one: Weakness, other: Weakness) -> Weakness:
    return replace(
        one,
        release=one.release * other.release,
        safety=one.safety * other.safety,
        units=min(one.units, other.units),
        enlargement=max(one.enlargement, other.enlargement),
        loss_per_month=max(one.loss_per_month, other.loss_per_month),
        recovery_slower=max(one.recovery_slower, other.recovery_slower),
        fvc=min(one.fvc, other.fvc),
    )


def _recorded_fvc(patient: Patient | None, usual: float) -> float:
    for reading in patient.findings if patient else ():
        if reading.scale == "FVC":
            return number("FVC", reading.value, "findings: FVC")
    return usual
