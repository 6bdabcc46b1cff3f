"""A patient with dystonia of limbs, in one region or several -> their muscles and the stage.

The regions whose posture was recorded are modelled; a file of generalised dystonia scores the
others too, and no toxin here moves them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from openbont.anatomy.structure import Structure
from openbont.catalog.anatomy import own
from openbont.catalog.disorders.cervical import HELD, STRENGTHS, head_angles
from openbont.catalog.disorders.common import (
    Built,
    measure,
    natural_course,
    recorded,
    strength_measure,
    tiled,
)
from openbont.catalog.disorders.entry import entered
from openbont.catalog.disorders.onset import onset_of
from openbont.catalog.movements import Group, functions, movements
from openbont.catalog.muscles import SIDES, base, side
from openbont.catalog.sampling import Sampler
from openbont.catalog.scales import number, placed, scale
from openbont.errors import BadInput, UnknownName
from openbont.forward.disorders.dystonia import LimbDystonia, Task, Total, Walking, Writing
from openbont.forward.disorders.interface import Measure
from openbont.patient import Patient, Reading

REGION_MOST = {
    "eyes": 8.0,
    "mouth": 8.0,
    "speech": 16.0,
    "neck": 8.0,
    "arm.left": 16.0,
    "arm.right": 16.0,
    "trunk": 16.0,
    "leg.left": 16.0,
    "leg.right": 16.0,
}
"""Regions of the BFMDRS with the most that each may score: eyes, mouth and neck count half."""
_LOWERS_TOES = ("ankle_plantar_flexors", "ankle_invertors")
_ALIKE_SHARE = 0.05


@dataclass(frozen=True)
class Region:
    """A part of the body whose posture was recorded."""

    name: str
    """As the BFMDRS calls it: leg.right, neck."""
    structures: tuple[Structure, ...]
    angles: dict[str, float]
    """Degrees by movement, or by direction of the head."""
    functions: tuple[str, ...]

    def pulls(self, names: Sequence[str]) -> np.ndarray:
        """Share of each muscle in each posture, (posture, structure)."""
        return np.array([_group(where).row(names, side(where)) for where in self.angles])

    def pull(self, names: Sequence[str]) -> np.ndarray:
        """The same for the region, its postures weighed by their angles."""
        degrees = np.array(list(self.angles.values()))
        return np.asarray(degrees / degrees.sum() @ self.pulls(names))


def limb_dystonia(patient: Patient, sampler: Sampler) -> Built:
    """Dystonia of one arm or leg: posture, pain, drags where they were counted, strength."""
    region = _only(patient, _limbs(patient, sampler, ("arm", "leg")))
    drags = any(reading.scale == "drags_per_100" for reading in patient.findings)
    rated = _ratings(patient, "pain_NRS")
    return _built(patient, sampler, [region], rated, _walking if drags else None)


def writers_cramp(patient: Patient, sampler: Sampler) -> Built:
    """Posture while writing, trouble with it, its speed, strength of hand and forearm."""
    region = _only(patient, _limbs(patient, sampler, ("arm",)))
    recorded(patient, "writing_trouble")
    rated = _ratings(patient, "writing_trouble", "pain_NRS")
    return _built(patient, sampler, [region], rated, _writing)


def generalised_dystonia(patient: Patient, sampler: Sampler) -> Built:
    """Segmental, multifocal, generalised: BFMDRS by region and in all, posture and strength."""
    regions = _limbs(patient, sampler, ("arm", "leg"))
    if any(reading.scale == "head_angle" for reading in patient.findings):
        regions.append(
            Region("neck", own("neck", patient, sampler), head_angles(patient), STRENGTHS)
        )
    if not regions:
        raise _no_posture(("arm", "leg"))
    return _built(patient, sampler, regions, _scores(patient), _total)


def _limbs(patient: Patient, sampler: Sampler, limbs: Sequence[str]) -> list[Region]:
    """Limbs with a recorded posture. Raises UnknownName."""
    known = {f"{g.id}.{s}": f"{g.limb}.{s}" for g in movements().values() for s in SIDES}
    found: dict[str, dict[str, float]] = {}
    for reading in patient.findings:
        if reading.scale == "dystonic_angle":
            if known.get(reading.where, "").split(".")[0] not in limbs:
                usable = [where for where, limb in known.items() if base(limb) in limbs]
                raise UnknownName("findings", "movement of this limb", reading.where, usable)
            angle = number("dystonic_angle", reading.value, "findings: dystonic_angle")
            if angle > 0:
                found.setdefault(known[reading.where], {})[reading.where] = angle
    return [_limb(name, angles, own(name, patient, sampler)) for name, angles in found.items()]


def _limb(name: str, angles: dict[str, float], structures: tuple[Structure, ...]) -> Region:
    acting = [group.id for group in functions().values() if group.limb == base(name)]
    return Region(name, structures, angles, tuple(f"{one}.{side(name)}" for one in acting))


def _only(patient: Patient, regions: Sequence[Region]) -> Region:
    """The one limb that is modelled. Raises BadInput."""
    if not regions:
        raise _no_posture(("arm", "leg"))
    if len(regions) > 1:
        raise BadInput(
            "findings",
            f"dystonic_angle in {' and '.join(one.name for one in regions)}",
            "keep to one limb, or use disorder dystonia.generalised",
        )
    (region,), said = regions, patient.disorder.side
    if said not in ("", side(region.name)):
        mistake = f"{said}, but dystonic_angle is in {region.name}"
        raise BadInput("disorder.side", mistake, f"write side: {side(region.name)}")
    return region


def _no_posture(limbs: Sequence[str]) -> BadInput:
    known = sorted(group.id for group in movements().values() if group.limb in limbs)
    way_out = f"add a finding on dystonic_angle at one of, with its side: {', '.join(known)}"
    return BadInput("findings", "no posture of a joint", way_out)


def _ratings(patient: Patient, *scales: str) -> list[Reading]:
    return [reading for reading in patient.findings if reading.scale in scales]


def _scores(patient: Patient) -> list[Reading]:
    """BFMDRS by region. Raises BadInput, UnknownName."""
    scores = _ratings(patient, "BFMDRS_region")
    for reading in scores:
        if reading.where not in REGION_MOST:
            raise UnknownName("findings", "region of the BFMDRS", reading.where, REGION_MOST)
        if number(reading.scale, reading.value) > REGION_MOST[reading.where]:
            most = REGION_MOST[reading.where]
            raise BadInput("findings", f"BFMDRS of {reading.where}", f"0 to {most:g}")
    if not any(number(reading.scale, reading.value) for reading in scores):
        way_out = "add findings such as {scale: BFMDRS_region, value: 9, where: leg.right}"
        raise BadInput("findings", "no region has a BFMDRS score", way_out)
    return scores


@dataclass(frozen=True)
class Parts:
    """What the task of a limb hangs on: readings and functions, in their order."""

    angles: dict[str, float]
    ratings: tuple[Reading, ...]
    start: np.ndarray
    """(draw, reading)"""
    functions: tuple[str, ...]


MakeTask = Callable[[Patient, Sampler, Parts], tuple[Task, Measure]]


def _built(
    patient: Patient,
    sampler: Sampler,
    regions: Sequence[Region],
    ratings: Sequence[Reading],
    make_task: MakeTask | None = None,
) -> Built:
    structures = tuple(one for region in regions for one in region.structures)
    names = [one.id for one in structures]
    level, passing = _entered(sampler, ratings)
    parts = _parts(regions, ratings, level)
    made = make_task(patient, sampler, parts) if make_task else None
    onset, chances = onset_of(patient, sampler)
    return structures, LimbDystonia(
        drive_weight=tiled(sampler, _drives(sampler, regions, ratings, names)),
        start=parts.start,
        latent_weight=np.tile(_latents(parts), (sampler.draws, 1, 1)),
        strength_weight=tiled(
            sampler, [functions()[base(w)].row(names, side(w)) for w in parts.functions]
        ),
        task=made and made[0],
        course=natural_course(sampler, "dystonia", passing),
        onset=onset,
        measures=(*_measures(parts, made and made[1]), *chances),
    )


def _parts(regions: Sequence[Region], ratings: Sequence[Reading], level: np.ndarray) -> Parts:
    angles = {where: angle for region in regions for where, angle in region.angles.items()}
    start = np.hstack([np.tile(list(angles.values()), (len(level), 1)), level])
    acting = tuple(name for region in regions for name in region.functions)
    return Parts(angles, tuple(ratings), start, acting)


def _measures(parts: Parts, done: Measure | None) -> list[Measure]:
    """Angles, ratings, what is done with the limb, strength."""
    return [
        *(_angle_measure(where) for where in parts.angles),
        *(_rating_measure(rating) for rating in parts.ratings),
        *([done] if done else []),
        *(strength_measure(functions()[base(where)], where) for where in parts.functions),
    ]


def _drives(
    sampler: Sampler, regions: Sequence[Region], ratings: Sequence[Reading], names: Sequence[str]
) -> list[np.ndarray]:
    """Share of each muscle in every angle, then in every rating."""
    angles = np.vstack([region.pulls(names) for region in regions])
    return [*angles, *(_follows(sampler, rating, regions, names) for rating in ratings)]


def _follows(
    sampler: Sampler, rating: Reading, regions: Sequence[Region], names: Sequence[str]
) -> np.ndarray:
    """Part of each muscle in a rating: of its own region if it has one, else of all postures."""
    if rating.scale == "BFMDRS_region":
        own = [region for region in regions if region.name == rating.where]
        return own[0].pull(names) if own else np.zeros(len(names))
    part = sampler.value(f"dystonia.{rating.scale}_follows")
    return np.asarray(part * np.mean([region.pull(names) for region in regions], axis=0))


def _entered(sampler: Sampler, ratings: Sequence[Reading]) -> tuple[np.ndarray, np.ndarray]:
    """Ratings on day 0 and their passing part as a share of the scale, (draw, rating) each."""
    found = [_affected(sampler, rating, place) for place, rating in enumerate(ratings)]
    level, passing = np.array(found).reshape(len(ratings), 2, sampler.draws).transpose(1, 2, 0)
    return level * [_most(rating) for rating in ratings], passing


def _affected(sampler: Sampler, rating: Reading, place: int) -> np.ndarray:
    """Share of the scale today and its passing part, of those who are rated as this patient is."""
    wanted = number(rating.scale, rating.value)
    if wanted == 0:  # what is not affected stays so
        return np.zeros((2, sampler.draws))
    return entered(
        sampler,
        "dystonia",
        "share",
        placed(rating.scale, rating.where),
        lambda read: np.abs(read - wanted) <= _ALIKE_SHARE * _most(rating),
        f"{rating.scale} of {rating.value}",
        (0.0, 1.0),
        f".{place}",  # not by side, so that a mirrored patient reads the same
        _most(rating),
    )


def _latents(parts: Parts) -> np.ndarray:
    """Points by which latents move readings: the whole scale of a rating above 0, else none."""
    points = [_most(rating) * (number(rating.scale, rating.value) > 0) for rating in parts.ratings]
    unmoved = np.zeros((len(parts.angles), len(points)))
    return np.vstack([unmoved, np.diag(np.array(points, float))])


def _most(rating: Reading) -> float:
    if rating.scale == "BFMDRS_region":
        return REGION_MOST[rating.where]
    return scale(rating.scale).high


def _walking(patient: Patient, sampler: Sampler, parts: Parts) -> tuple[Task, Measure]:
    """Drags hang on the angles that lower the toes. Raises BadInput where none is recorded."""
    angle = [a if base(where) in _LOWERS_TOES else 0.0 for where, a in parts.angles.items()]
    lowers = np.pad(np.array(angle), (0, len(parts.ratings)))
    if not lowers.any():
        way_out = f"add a finding on dystonic_angle at one of {', '.join(_LOWERS_TOES)}"
        raise BadInput("findings", "drags_per_100 without an angle that lowers the toes", way_out)
    drags = recorded(patient, "drags_per_100") / 100
    return Walking(
        lowers=np.tile(lowers / lowers.sum(), (sampler.draws, 1)),
        angle_deg=np.full(sampler.draws, lowers.sum()),
        lever_mm=sampler.vary("dystonia.lever_mm"),
        spread_mm=sampler.vary("dystonia.clearance_sd_mm"),
        drags=np.full(sampler.draws, np.clip(drags, 0.005, 0.995)),
    ), measure("drags_per_100")


def _writing(patient: Patient, sampler: Sampler, parts: Parts) -> tuple[Task, Measure]:
    rated = [rating.scale for rating in parts.ratings].index("writing_trouble")
    grip = [base(where) for where in parts.functions].index("grip")
    at = len(parts.angles) + rated
    return Writing(
        cramp=parts.start[:, at] / scale("writing_trouble").high,
        grip_needed=sampler.vary("dystonia.grip_needed"),
        rated=at,
        grip=grip,
    ), measure("writing_speed")


def _total(patient: Patient, sampler: Sampler, parts: Parts) -> tuple[Task, Measure]:
    angles = len(parts.angles)
    scores = parts.start * (np.arange(parts.start.shape[1]) >= angles)
    whole = scores.sum(1)
    return Total(share=scores / whole[:, None], score=whole, angles=angles), measure("BFMDRS")


def _group(where: str) -> Group:
    """Muscles behind a movement of a limb or a direction of the head."""
    return functions()[f"neck_{base(where)}"] if where in HELD else movements()[base(where)]


def _angle_measure(where: str) -> Measure:
    if where in HELD:
        return measure("head_angle", where, HELD[where])
    return measure("dystonic_angle", where, f"{side(where)} {_group(where).words}: angle held")


def _rating_measure(rating: Reading) -> Measure:
    """arm.left is read as dystonia of the left arm, up to the most that an arm scores."""
    region = ["dystonia of the", side(rating.where), base(rating.where)]
    words = " ".join(filter(None, region)) if rating.scale == "BFMDRS_region" else ""
    return replace(measure(rating.scale, rating.where, words), high=_most(rating))
