"""What the builders of disorders share: readings of the patient, measures, weights as draws."""

import numpy as np
from numpy.typing import ArrayLike

from openbont.anatomy.structure import Structure
from openbont.catalog.movements import Group
from openbont.catalog.muscles import SIDES, side
from openbont.catalog.sampling import PARENTS, Sampler
from openbont.catalog.scales import number, placed, scale
from openbont.errors import BadInput
from openbont.forward.disorders.interface import Disorder, Measure, NaturalCourse
from openbont.patient import Patient, Reading

KNOTS = 30
Built = tuple[tuple[Structure, ...], Disorder]


def side_of(patient: Patient) -> str:
    """left or right. Raises BadInput."""
    if patient.disorder.side not in SIDES:
        raise BadInput(
            "disorder.side",
            "one side is needed: which arm, leg or eye",
            "write side: left or right",
        )
    return patient.disorder.side


def recorded(
    patient: Patient, scale_name: str, where: str = "", default: float | None = None
) -> float:
    """A reading as a number. Raises BadInput when it is missing and there is no default."""
    here = placed(scale_name, where)
    for reading in patient.findings:
        if reading.scale == scale_name and where in ("", reading.where):
            return number(scale_name, reading.value, f"findings: {here}")
    if default is None:
        raise BadInput("findings", f"{here} is missing", f"add a finding on {here}")
    return default


def positive(
    patient: Patient, scale_name: str, where: str = "", default: float | None = None
) -> float:
    """A reading whose changes are shares of it, so that there are none from 0. Raises BadInput."""
    value = recorded(patient, scale_name, where, default)
    if value <= 0:
        here, unit = placed(scale_name, where), scale(scale_name).unit
        raise BadInput("findings", f"{here} is {value:g}", f"above 0 {unit} is needed")
    return value


def selected(
    sampler: Sampler, prior: str, of: str, reading: Reading, spread: float = 1.0
) -> np.ndarray:
    """Latent grade of the people who read as this patient does, with the rater's own bias.

    `prior` names the parameters .parent_grade, .parent_sd, .rater_sd and .occasion_sd.
    """
    noise = sampler.generator(f"{prior}.grade.{of}").standard_normal((3, PARENTS))
    mean, sd = (sampler.value(f"{prior}.parent_{kind}") for kind in ("grade", "sd"))
    latent = mean + sd * spread * noise[0]
    latent = latent + sampler.value(f"{prior}.rater_sd") * noise[1]
    once = latent + sampler.value(f"{prior}.occasion_sd") * noise[2]
    grades = np.array(sorted(scale(reading.scale).grades.values()))
    wanted = number(reading.scale, reading.value)
    nearest = grades[np.abs(once[:, None] - grades).argmin(1)]
    here = placed(reading.scale, reading.where)
    return sampler.enrol(
        f"{prior}.grade.{of}",
        latent[:, None],
        {here: nearest},
        {here: lambda read: read == wanted},
        f"{here} of {reading.value}",
    )[:, 0]


def measure(scale_name: str, where: str = "", words: str = "") -> Measure:
    """A measure on a scale of the catalog."""
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


def strength_measure(group: Group, where: str) -> Measure:
    """Strength kept of one function."""
    return measure("strength", where, f"{side(where)} {group.words}".strip())


def natural_course(
    sampler: Sampler, disorder: str, start: np.ndarray, restless: float = 1.0
) -> NaturalCourse:
    """Placebo and fluctuation from the parameters `disorder`.placebo, .fluctuation_sd and so on.

    `start` (draw, latent) is the passing part at entry, `restless` a factor on the fluctuation.
    """
    mean, spread = (sampler.value(f"{disorder}.placebo{end}") for end in ("", "_sd"))
    wobble = sampler.vary(f"{disorder}.fluctuation_sd") * restless
    return NaturalCourse(
        placebo=mean + spread * sampler.normal(f"{disorder}.placebo"),
        placebo_day=sampler.vary(f"{disorder}.placebo_day"),
        waning_per_day=sampler.vary(f"{disorder}.placebo_waning"),
        start=start,
        noise=sampler.normal(f"{disorder}.fluctuation", start.shape[1], KNOTS),
        spread=wobble,
        memory_day=sampler.vary(f"{disorder}.fluctuation_day"),
    )


def alike(sampler: Sampler, values: ArrayLike) -> np.ndarray:
    """The same values for every draw."""
    return np.tile(values, (sampler.draws, *np.ones(np.ndim(values), int)))


def tiled(sampler: Sampler, rows: list[np.ndarray] | np.ndarray) -> np.ndarray:
    """The same rows for every draw, with a zero for distant muscle."""
    return alike(sampler, np.pad(np.array(rows, float), ((0, 0), (0, 1))))


def tiled_one(sampler: Sampler, row: np.ndarray) -> np.ndarray:
    """One row for every draw, with a zero for distant muscle."""
    return tiled(sampler, [row])[:, 0]
