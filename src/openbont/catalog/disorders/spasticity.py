"""A patient with spasticity -> structures of that arm or leg and the spasticity stage."""

from dataclasses import replace

import numpy as np

from openbont.catalog.disorders.common import (
    Built,
    measure,
    natural_course,
    recorded,
    side_of,
    strength_measure,
    tiled,
)
from openbont.catalog.evidence import parameters
from openbont.catalog.movements import Group, functions, movements
from openbont.catalog.muscles import base, of_region, side
from openbont.catalog.sampling import PARENTS, Sampler
from openbont.catalog.scales import TONE, number, scale
from openbont.errors import BadInput, NoEvidence
from openbont.forward.disorders.interface import Measure
from openbont.forward.disorders.spasticity import Spasticity
from openbont.patient import Patient, Reading


def limb_spasticity(limb: str, patient: Patient, sampler: Sampler) -> Built:
    """Tone of the movements that were graded, strength of the functions of that limb."""
    limb_side = side_of(patient)
    size = _size(patient, sampler)
    structures = tuple(one.scaled(size) for one in of_region(limb, limb_side))
    names = [s.id for s in structures]
    graded = _graded(patient, limb, limb_side)
    acting = [group for group in functions().values() if group.limb == limb]
    cause = _cause(patient, sampler)
    latent = np.stack([_grade(sampler, reading, cause) for reading in graded.values()], axis=1)
    return structures, Spasticity(
        reflex_weight=_rows(sampler, graded, movements(), names),
        strength_weight=tiled(sampler, [g.row(names, limb_side) for g in acting]),
        grade=latent,
        passive_share=np.stack([_passive(sampler, patient, w) for w in graded], axis=1),
        grade_width=sampler.vary("spasticity.grade_width"),
        gamma=sampler.vary("spasticity.gamma"),
        course=natural_course(sampler, "spasticity", np.zeros_like(latent), cause),
        measures=(
            *(
                replace(
                    _movement_measure(where, reading.scale),
                    observed="graded",
                    noise=sampler.value("spasticity.occasion_sd"),
                )
                for where, reading in graded.items()
            ),
            *(strength_measure(g, f"{g.id}.{limb_side}") for g in acting),
        ),
    )


def _size(patient: Patient, sampler: Sampler) -> float:
    """Length of a child's limb relative to an adult's: volumes grow with weight."""
    adult_kg = sampler.value("anatomy.adult_weight_kg")
    return (patient.weight_kg / adult_kg) ** (1 / 3) if patient.child else 1.0


def _graded(patient: Patient, limb: str, limb_side: str) -> dict[str, Reading]:
    """Readings of tone by movement, those of this limb."""
    modelled = {f"{g.id}.{limb_side}" for g in movements().values() if g.limb == limb}
    tone = {r.where: r for r in patient.findings if r.scale in TONE and r.where in modelled}
    if not tone:
        way_out = f"give MAS or Ashworth at one of: {', '.join(sorted(modelled))}"
        raise BadInput("findings", "no graded movement of this limb", way_out)
    return tone


def _cause(patient: Patient, sampler: Sampler) -> float:
    """Factor of this cause on spread and fluctuation. Raises NoEvidence for one without a row."""
    cause = patient.disorder.cause.strip().lower().replace(" ", "_") or "stroke"
    name = f"spasticity.cause.{cause}"
    if name not in parameters():
        raise NoEvidence(f"spasticity after {patient.disorder.cause} has no model")
    return sampler.value(name)


def _grade(sampler: Sampler, reading: Reading, cause: float) -> np.ndarray:
    """Latent grade of the people who read as this patient does, with the rater's own bias."""
    name = f"spasticity.grade.{base(reading.where)}"
    noise = sampler.generator(name).standard_normal((3, PARENTS))
    spread = sampler.value("spasticity.parent_sd") * cause
    seen = sampler.value("spasticity.parent_grade") + spread * noise[0]
    seen = seen + sampler.value("spasticity.rater_sd") * noise[1]
    once = seen + sampler.value("spasticity.occasion_sd") * noise[2]
    grades = np.array(sorted(scale(reading.scale).grades.values()))
    wanted = number(reading.scale, reading.value)

    def reads_so() -> np.ndarray:
        nearest = grades[np.abs(once[:, None] - grades).argmin(1)]
        return np.asarray(nearest == wanted)

    return sampler.enrol(name, seen[:, None], reads_so)[:, 0]


def _passive(sampler: Sampler, patient: Patient, where: str) -> np.ndarray:
    """Share of resistance that toxin cannot change, more with a contracture."""
    free = sampler.vary("spasticity.passive_share")
    shortened = recorded(patient, "contracture", where, default=0.0)
    if shortened == 0:
        return np.minimum(free, 0.95)
    stiff = sampler.vary("spasticity.contracture_share")
    return np.minimum(free + shortened * (stiff - free), 0.95)


def _movement_measure(where: str, scale_name: str) -> Measure:
    words = f"{side(where)} {movements()[base(where)].words}".strip()
    return measure(scale_name, where, words)


def _rows(
    sampler: Sampler, graded: dict[str, Reading], groups: dict[str, Group], names: list[str]
) -> np.ndarray:
    return tiled(sampler, [groups[base(w)].row(names, side(w)) for w in graded])
