"""A patient with spasticity -> structures of that arm or leg and the spasticity stage."""

from dataclasses import replace

import numpy as np

from openbont.anatomy.structure import Structure
from openbont.catalog.anatomy import own
from openbont.catalog.disorders.common import (
    Built,
    measure,
    natural_course,
    recorded,
    selected,
    side_of,
    strength_measure,
    tiled,
)
from openbont.catalog.disorders.stretch import Limb, attainment, check_places, further, of_movement
from openbont.catalog.evidence import parameters
from openbont.catalog.movements import Group, functions, movements, treated_movements
from openbont.catalog.muscles import base, side
from openbont.catalog.names import SPASTIC_CAUSES
from openbont.catalog.sampling import Sampler
from openbont.catalog.scales import TONE
from openbont.errors import BadInput, NoEvidence
from openbont.forward.disorders.interface import Measure, NaturalCourse
from openbont.forward.disorders.spasticity import Spasticity
from openbont.patient import Patient, Reading


def limb_spasticity(limb: str, patient: Patient, sampler: Sampler) -> Built:
    """Tone of the movements that were graded, what was recorded besides, strength."""
    structures = _muscles(limb, patient, sampler)
    names = [one.id for one in structures]
    graded, used = _graded(patient, limb), _functions(patient, limb)
    cause = _cause(patient)
    latent = np.stack([_grade(sampler, reading, cause) for reading in graded.values()], axis=1)
    passive = np.stack([_passive(sampler, patient, where, cause) for where in graded], axis=1)
    part = Limb(limb, patient.disorder.side, tuple(graded), passive, tuple(used))
    parts = further(patient, sampler, part)
    read = (*_tone_measures(sampler, graded), *(one for _, seen in parts for one in seen))
    goals = attainment(patient, read)
    return structures, Spasticity(
        reflex_weight=_rows(sampler, {w: movements()[base(w)] for w in graded}, names),
        strength_weight=_rows(sampler, used, names),
        grade=latent,
        passive_share=passive,
        grade_width=sampler.vary("spasticity.grade_width"),
        gamma=sampler.vary("spasticity.gamma"),
        slope_per_year=sampler.vary(f"spasticity.slope.{cause}"),
        course=_course(sampler, latent, cause),
        further=tuple(one for one, _ in parts),
        attained=goals,
        measures=(
            *read,
            *((measure("gas_T"),) if goals else ()),
            *(strength_measure(group, where) for where, group in used.items()),
        ),
    )


def _muscles(limb: str, patient: Patient, sampler: Sampler) -> tuple[Structure, ...]:
    """Muscles of that limb, smaller in a child."""
    return own(f"{limb}.{side_of(patient)}", patient, sampler)


def _functions(patient: Patient, limb: str) -> dict[str, Group]:
    """What the limb is used for, by place."""
    acting = [group for group in functions().values() if group.limb == limb]
    return {f"{group.id}.{patient.disorder.side}": group for group in acting}


def _course(sampler: Sampler, latent: np.ndarray, cause: str) -> NaturalCourse:
    """Placebo and fluctuation, which the cause makes restless; no passing part at entry."""
    restless = sampler.value(f"spasticity.restless.{cause}")
    return natural_course(sampler, "spasticity", np.zeros_like(latent), restless)


def _graded(patient: Patient, limb: str) -> dict[str, Reading]:
    """Readings of tone by movement, those of this limb. Raises BadInput without one."""
    limb_side = patient.disorder.side
    here = [r for r in patient.findings if side(r.where) in (limb_side, "")]
    known = [f"{name}.{limb_side}" for name in {*movements(), *treated_movements().values()}]
    check_places([r for r in here if r.scale in (*TONE, "contracture")], "movement", known)
    modelled = {f"{g.id}.{limb_side}" for g in movements().values() if g.limb == limb}
    tone = {r.where: r for r in here if r.scale in TONE and r.where in modelled}
    if not tone:
        way_out = f"give MAS or Ashworth at one of: {', '.join(sorted(modelled))}"
        raise BadInput("findings", "no graded movement of this limb", way_out)
    return tone


def _cause(patient: Patient) -> str:
    """The cause as the parameters write it.

    Raises BadInput where it is missing, NoEvidence for one without rows.
    """
    cause = patient.disorder.cause.strip().lower().replace(" ", "_")
    if not cause:
        way_out = f"one of: {', '.join(SPASTIC_CAUSES)}"
        raise BadInput("disorder.cause", "missing, and tone changes by its cause", way_out)
    if f"spasticity.spread.{cause}" not in parameters():
        raise NoEvidence(f"spasticity after {patient.disorder.cause} has no model")
    return cause


def _grade(sampler: Sampler, reading: Reading, cause: str) -> np.ndarray:
    """Latent grade; the cause says how widely reflex gains differ between people."""
    spread = sampler.value(f"spasticity.spread.{cause}")
    return selected(sampler, "spasticity", base(reading.where), reading, spread)


def _passive(sampler: Sampler, patient: Patient, where: str, cause: str) -> np.ndarray:
    """Share of resistance that toxin cannot change: as recorded, else by cause and years."""
    free = sampler.vary("spasticity.passive_share")
    looked = any(r.scale == "contracture" and r.where == where for r in patient.findings)
    if not looked:
        years = min(patient.disorder.months_since_onset or 0.0, _STIFFENING_MONTHS) / 12
        return np.minimum(free + years * sampler.value(f"spasticity.stiffening.{cause}"), 0.95)
    shortened = recorded(patient, "contracture", where)
    stiff = sampler.vary("spasticity.contracture_share") if shortened else free
    return np.minimum(free + shortened * (stiff - free), 0.95)


_STIFFENING_MONTHS = 60.0  # five years: later the joint is recorded or taken to be settled


def _tone_measures(sampler: Sampler, graded: dict[str, Reading]) -> list[Measure]:
    """Grades on the scale that was used, on the other scale, and resistance."""
    noise = sampler.value("spasticity.occasion_sd")
    own = [(reading.scale, where) for where, reading in graded.items()]
    other = [("MAS" if name == "Ashworth" else "Ashworth", where) for name, where in own]
    return [
        *(
            replace(of_movement(name, where), observed="graded", noise=noise)
            for name, where in [*own, *other]
        ),
        *(of_movement("resistance", where) for where in graded),
    ]


def _rows(sampler: Sampler, groups: dict[str, Group], names: list[str]) -> np.ndarray:
    return tiled(sampler, [group.row(names, side(where)) for where, group in groups.items()])
