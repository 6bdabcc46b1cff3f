"""Disorders by name: the structures each one needs and its stage with sampled parameters."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from openbont.anatomy.structure import Structure
from openbont.catalog.evidence import parameters
from openbont.catalog.movements import Group, functions, movements, territories
from openbont.catalog.muscles import SIDES, base, layers, of_region, side, structure
from openbont.catalog.sampling import PARENTS, Sampler
from openbont.catalog.scales import TONE, number, scale
from openbont.errors import BadInput, NoEvidence
from openbont.forward.disorders.interface import Disorder, Measure, NaturalCourse
from openbont.forward.disorders.migraine import Migraine
from openbont.forward.disorders.spasticity import Spasticity
from openbont.forward.scales import diary_days
from openbont.patient import Patient, Reading

KNOTS = 30
Built = tuple[tuple[Structure, ...], Disorder]


def upper_limb_spasticity(patient: Patient, sampler: Sampler) -> Built:
    """Tone of the movements that were graded, strength of the functions of that arm."""
    arm_side = _side(patient)
    structures = of_region("arm", arm_side)
    names = [s.id for s in structures]
    graded = _graded(patient, arm_side)
    acting = [group for group in functions().values() if group.limb == "arm"]
    cause = _cause(patient, sampler)
    latent = np.stack([_grade(sampler, reading, cause) for reading in graded.values()], axis=1)
    return structures, Spasticity(
        reflex_weight=_rows(sampler, graded, movements(), names),
        strength_weight=_tiled(sampler, [g.row(names, arm_side) for g in acting]),
        grade=latent,
        passive_share=np.stack([_passive(sampler, patient, w) for w in graded], axis=1),
        grade_width=sampler.vary("spasticity.grade_width"),
        gamma=sampler.vary("spasticity.gamma"),
        course=_course(sampler, "spasticity", np.zeros_like(latent), cause),
        measures=(
            *(
                replace(
                    _movement_measure(where, reading.scale),
                    observed="graded",
                    noise=sampler.value("spasticity.occasion_sd"),
                )
                for where, reading in graded.items()
            ),
            *(_strength_measure(g, f"{g.id}.{arm_side}") for g in acting),
        ),
    )


def chronic_migraine(patient: Patient, sampler: Sampler) -> Built:
    """Headache days and HIT-6; strength of neck and shoulders, height of the lids."""
    names = [
        f"{name}.{one}" for name, row in layers().items() if not row.get("midline") for one in SIDES
    ]
    names += [name for name, row in layers().items() if row.get("midline")]
    neck = functions()["neck_extension"]
    shoulder = functions()["shoulder_elevation"]
    strength = [neck.row(names, ""), *(shoulder.row(names, one) for one in SIDES)]
    lids = [np.array([float(n == f"levator_palpebrae.{one}") for n in names]) for one in SIDES]
    diary = _value(patient, "headache_days_28")
    logit, start, _ = headache_entry(sampler, lambda counted: np.abs(counted - diary) <= 1)
    hit = _value(patient, "HIT-6", default=sampler.value("migraine.hit_baseline"))
    measures = (
        replace(
            _measure("headache_days_28"),
            observed="counted",
            noise=sampler.value("migraine.day_to_day"),
        ),
        _measure("HIT-6"),
        _strength_measure(neck, neck.id),
        *(_strength_measure(shoulder, f"{shoulder.id}.{one}") for one in SIDES),
        *(_measure("lid_height", f"upper_lid.{one}", f"{one} upper lid") for one in SIDES),
    )
    return tuple(structure(name) for name in names), Migraine(
        territory_weight=_tiled_one(sampler, _territory_weight(patient, names)),
        strength_weight=_tiled(sampler, strength),
        lid_weight=_tiled(sampler, lids),
        logit=logit,
        kappa=sampler.vary("migraine.kappa"),
        central_day=sampler.vary("migraine.central_day"),
        hit=np.full(sampler.draws, hit),
        hit_per_day=sampler.vary("migraine.hit_per_day"),
        hit_kappa=sampler.vary("migraine.hit_kappa"),
        course=_course(sampler, "migraine", start[:, None], 1.0),
        measures=measures,
    )


MODELLED: dict[str, Callable[[Patient, Sampler], Built]] = {
    "spasticity.upper_limb": upper_limb_spasticity,
    "migraine.chronic": chronic_migraine,
}


def _side(patient: Patient) -> str:
    if patient.disorder.side not in SIDES:
        raise BadInput(
            "disorder.side", "one side is needed to model an arm", "write side: left or right"
        )
    return patient.disorder.side


def _graded(patient: Patient, arm_side: str) -> dict[str, Reading]:
    """Readings of tone by movement, those of this arm."""
    found = {
        reading.where: reading
        for reading in patient.findings
        if reading.scale in TONE and side(reading.where) == arm_side
    }
    unknown = [where for where in found if base(where) not in movements()]
    if unknown or not found:
        raise BadInput(
            "findings",
            f"tone of {unknown[0]} is not modelled" if unknown else "no graded movement",
            f"give MAS or Ashworth at one of: {', '.join(movements())}, with .{arm_side}",
        )
    return found


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
    shortened = _value(patient, "contracture", where, default=0.0)
    if shortened == 0:
        return np.minimum(free, 0.95)
    stiff = sampler.vary("spasticity.contracture_share")
    return np.minimum(free + shortened * (stiff - free), 0.95)


def headache_entry(
    sampler: Sampler, enters: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logit of a headache day, the passing part of it, and the diary count, of those who enter.

    `enters` says which diary counts enter: one patient's own count, or a trial's criterion.
    """
    draw = sampler.generator("migraine.entry")
    lasting, passing = draw.standard_normal((2, PARENTS))
    passing = sampler.value("migraine.fluctuation_sd") * passing
    logit = sampler.value("migraine.parent_logit") + passing
    logit = logit + sampler.value("migraine.parent_sd") * lasting
    chance = 1 / (1 + np.exp(-logit))
    counted = diary_days(draw, chance, sampler.value("migraine.day_to_day"))
    parents = np.stack([logit, passing, counted], axis=1)
    chosen = sampler.enrol("migraine.entry", parents, lambda: enters(counted))
    return chosen[:, 0], chosen[:, 1], chosen[:, 2]


def _territory_weight(patient: Patient, names: list[str]) -> np.ndarray:
    group, factor = territories()
    painful = {r.where for r in patient.findings if r.scale == "pain_predominant"}
    worst = np.array([factor if name in painful else 1.0 for name in names])
    weight = group.row(names, "") * worst
    return np.asarray(weight / weight.sum())


def _course(sampler: Sampler, disorder: str, start: np.ndarray, restless: float) -> NaturalCourse:
    mean, spread = (sampler.value(f"{disorder}.placebo{end}") for end in ("", "_sd"))
    wobble = sampler.vary(f"{disorder}.fluctuation_sd") * restless
    return NaturalCourse(
        placebo=mean + spread * sampler.normal(f"{disorder}.placebo"),
        placebo_day=sampler.vary(f"{disorder}.placebo_day"),
        start=start,
        noise=sampler.normal(f"{disorder}.fluctuation", start.shape[1], KNOTS),
        spread=wobble,
        memory_day=sampler.vary(f"{disorder}.fluctuation_day"),
    )


def _value(
    patient: Patient, scale_name: str, where: str = "", default: float | None = None
) -> float:
    for reading in patient.findings:
        if reading.scale == scale_name and where in ("", reading.where):
            return number(scale_name, reading.value, f"findings: {scale_name}")
    if default is None:
        raise BadInput("findings", f"{scale_name} is missing", f"add a finding on {scale_name}")
    return default


def _measure(scale_name: str, where: str = "", words: str = "") -> Measure:
    which = scale(scale_name)
    return Measure(
        which.id,
        where,
        words or which.words,
        which.unit,
        which.low,
        which.high,
        which.better,
        which.margin,
        tuple(which.grades.items()),
    )


def _movement_measure(where: str, scale_name: str) -> Measure:
    words = f"{side(where)} {movements()[base(where)].words}".strip()
    return _measure(scale_name, where, words)


def _strength_measure(group: Group, where: str) -> Measure:
    return _measure("strength", where, f"{side(where)} {group.words}".strip())


def _rows(
    sampler: Sampler, graded: dict[str, Reading], groups: dict[str, Group], names: list[str]
) -> np.ndarray:
    return _tiled(sampler, [groups[base(w)].row(names, side(w)) for w in graded])


def _tiled(sampler: Sampler, rows: list[np.ndarray]) -> np.ndarray:
    """The same rows for every draw, with a zero for distant muscle."""
    padded = np.pad(np.stack(rows), ((0, 0), (0, 1)))
    return np.tile(padded, (sampler.draws, 1, 1))


def _tiled_one(sampler: Sampler, row: np.ndarray) -> np.ndarray:
    return _tiled(sampler, [row])[:, 0]
