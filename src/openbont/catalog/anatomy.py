"""The limbs and neck of one patient: their size, the girth of the limb, muscles that have wasted.

Muscle volume of an adult follows height times weight (Handsfield 2014, who found no further effect
of sex), a child's follows weight; the region as a whole is made longer and wider alike. A recorded
girth or a wasted muscle has the sections solved again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from openbont.anatomy.atlas import Atlas
from openbont.anatomy.belly import Belly
from openbont.anatomy.limb import skin
from openbont.anatomy.muscles import atlas, bellies
from openbont.anatomy.region import solve
from openbont.anatomy.structure import Structure
from openbont.anatomy.surface import surface
from openbont.catalog.muscles import SIDES, base, mapped, side
from openbont.catalog.sampling import Sampler
from openbont.catalog.scales import number
from openbont.catalog.sections import LEG_BMI, REFERENCE_M, leg_cm3, reference_sections
from openbont.errors import UnknownName
from openbont.patient import Patient

SEGMENTS = {"upper_arm": "arm", "forearm": "arm", "thigh": "leg", "leg": "leg"}
"""Segments whose girth may be recorded -> their region."""


@dataclass(frozen=True)
class Limb:
    """What makes a region a patient's own; hashable, so that it is solved once."""

    region: str
    size: float = 1.0
    """Length relative to the reference body."""
    girth_mm: tuple[tuple[str, float], ...] = ()
    """Largest girth of a segment."""
    kept: tuple[tuple[str, float], ...] = ()
    """Share of its volume that a muscle has kept, where some is lost."""


def own(region: str, patient: Patient, sampler: Sampler) -> tuple[Structure, ...]:
    """All muscles of a mapped region of this patient. Raises UnknownName for a place unknown."""
    return solved(limb_of(region, patient, body_size(patient, sampler)))[1]


def atlases(structures: Sequence[Structure], patient: Patient) -> tuple[Atlas, ...]:
    """Maps of those regions of the structures that are mapped, as `own` has made them."""
    sizes = {one.region: one.size for one in structures if one.plate_mm is not None}
    return tuple(solved(limb_of(region, patient, size))[0] for region, size in sizes.items())


def body_size(patient: Patient, sampler: Sampler) -> float:
    """Length of the patient's muscles relative to those of the reference body."""
    if patient.child:
        return float((patient.weight_kg / sampler.value("anatomy.adult_weight_kg")) ** (1 / 3))
    if patient.height_cm is None:
        return 1.0
    usual = leg_cm3(LEG_BMI * REFERENCE_M**2, REFERENCE_M)
    return float((leg_cm3(patient.weight_kg, patient.height_cm / 100) / usual) ** (1 / 3))


def limb_of(region: str, patient: Patient, size: float) -> Limb:
    """What is on record about a region. Raises UnknownName for a place that is not known."""
    places = [f"{name}.{one}" for name in SEGMENTS for one in SIDES]
    limb, one_side = base(region), side(region)
    girth = _recorded(patient, "girth", places)
    kept = _recorded(patient, "muscle_volume", [n for n, b in bellies().items() if side(b.region)])
    return Limb(
        region,
        size,
        tuple(
            (base(at), 10 * cm)
            for at, cm in girth.items()
            if (SEGMENTS[base(at)], side(at)) == (limb, one_side)
        ),
        tuple((at, share) for at, share in kept.items() if bellies()[at].region == region),
    )


def _recorded(patient: Patient, scale: str, places: Sequence[str]) -> dict[str, float]:
    """Readings of a scale by place."""
    found = {}
    for one in patient.findings:
        if one.scale == scale:
            if one.where not in places:
                raise UnknownName("findings", f"place of {scale}", one.where, places)
            found[one.where] = number(scale, one.value, f"findings: {scale}")
    return found


@lru_cache(maxsize=32)
def solved(limb: Limb) -> tuple[Atlas, tuple[Structure, ...]]:
    """The map of a region and its muscles, in the patient's size."""
    whole, muscles = _own(limb) if limb.girth_mm or limb.kept else _usual(limb.region)
    structures = tuple(mapped(one.scaled(limb.size), limb.size) for one in muscles)
    return whole.scaled(limb.size), structures


def _usual(region: str) -> tuple[Atlas, list[Belly]]:
    return atlas(region), [one for one in bellies().values() if one.region == region]


def _own(limb: Limb) -> tuple[Atlas, list[Belly]]:
    """Sections solved again, still in the size of the reference body."""
    body, sections = surface(), reference_sections(base(limb.region))
    usual_mm = {one.name: skin(body, one.line).girth_mm * limb.size for one in sections}
    found = solve(
        sections,
        body,
        atrophy={f"{base(at)}.left": share for at, share in limb.kept},
        girth={name: mm / usual_mm[name] for name, mm in limb.girth_mm},
    )
    if side(limb.region) != "right":
        return found.atlas, list(found.bellies)
    turned = [one.mirrored(limb.region) for one in found.bellies]
    return found.atlas.mirrored(limb.region), turned
