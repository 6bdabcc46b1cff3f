"""A patient with facial lines -> muscles of that region and those beside, and the lines' stage."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from openbont.anatomy.structure import Structure
from openbont.catalog.disorders.common import (
    Built,
    measure,
    natural_course,
    tiled,
    tiled_one,
)
from openbont.catalog.muscles import SIDES, base, layers, side, structure
from openbont.catalog.sampling import PARENTS, Sampler
from openbont.catalog.scales import number, placed, scale
from openbont.errors import BadInput
from openbont.forward.disorders.facial_lines import FacialLines
from openbont.forward.disorders.interface import Measure
from openbont.patient import Patient

_FROWN = ("corrugator", "procerus")
_LEVATOR = "levator_palpebrae"
_BROW = ("frontalis", *_FROWN, "orbicularis_oculi")


@dataclass(frozen=True)
class Region:
    """Muscles whose contraction folds the skin of a region, and others within reach."""

    disorder: str
    scale: str
    words: str
    folding: tuple[str, ...]
    beside: tuple[str, ...] = ()
    fold_power: str = "facial_lines.fold_power_sheet"


GLABELLAR = Region(
    "facial_lines.glabellar",
    "FWS",
    "frown lines",
    _FROWN,
    (_LEVATOR, "frontalis"),
    "facial_lines.fold_power",
)
LATERAL_CANTHAL = Region(
    "facial_lines.lateral_canthal", "FWS", "crow's feet", ("orbicularis_oculi",), (_LEVATOR,)
)
FOREHEAD = Region(
    "facial_lines.forehead", "FWS", "forehead lines", ("frontalis",), (*_FROWN, _LEVATOR)
)
PLATYSMA = Region("facial_lines.platysma", "C-APPS", "platysma bands", ("platysma",))


def facial_lines(region: Region, patient: Patient, sampler: Sampler) -> Built:
    """Lines by the rater, by the patient and at rest; height of lids and brows."""
    names = [name for muscle in (*region.folding, *region.beside) for name in _sided(muscle)]
    structures = _structures(patient, sampler, names, region.disorder)
    depth, share = _lines_entry(sampler, _recorded_lines(patient, region.scale), region.scale).T
    course = natural_course(sampler, "facial_lines", np.zeros((sampler.draws, 1)), 1.0)
    lids = [np.array([float(n == f"{_LEVATOR}.{one}") for n in names]) for one in SIDES]
    has_lids, has_brows = _LEVATOR in region.beside, not {*_BROW}.isdisjoint(map(base, names))
    return structures, FacialLines(
        line_weight=tiled_one(sampler, _folding(sampler, region, names)),
        lid_weight=tiled(sampler, lids)[:, : 2 * has_lids],
        brow_mm=tiled(sampler, [_brow(sampler, names, one) for one in SIDES])[:, : 2 * has_brows],
        depth=depth,
        static_share=share,
        fold_power=sampler.vary(region.fold_power),
        skin_day=sampler.vary("facial_lines.skin_day"),
        course=course,
        subject_course=replace(course, placebo=_subject_placebo(sampler)),
        measures=(
            *_grades(sampler, region),
            *(_height("lid_height", "upper lid", one) for one in SIDES if has_lids),
            *(_height("brow_height", "brow", one) for one in SIDES if has_brows),
        ),
    )


def _lines_entry(sampler: Sampler, wanted: dict[str, float], scale_name: str) -> np.ndarray:
    """Depth and static share of those who enter; `wanted` are grades by place, "" the rater's."""
    draw = sampler.generator("facial_lines.entry").standard_normal((5, PARENTS))
    depth = sampler.value("facial_lines.parent_depth")
    depth = depth + sampler.value("facial_lines.parent_sd") * draw[0]
    share = np.exp(sampler.value("facial_lines.static_sd") * draw[1])
    share = np.clip(sampler.value("facial_lines.static_share") * share, 0.0, 0.95)
    noise = _noise(sampler, {"": draw[2], "rest": draw[3], "subject": draw[4]})
    low, high = scale(scale_name).low, scale(scale_name).high
    latent = {"": depth, "rest": depth * share, "subject": depth}
    read = {w: np.clip(low + np.rint(latent[w] + noise[w]), low, high) for w in latent}
    parents = np.stack([depth, share], axis=1)
    return sampler.enrol(
        "facial_lines.entry",
        parents,
        {placed(scale_name, where): values for where, values in read.items()},
        {placed(scale_name, where): partial(np.equal, grade) for where, grade in wanted.items()},
        " and ".join(f"{placed(scale_name, where)} of {g:g}" for where, g in wanted.items()),
    )


def _recorded_lines(patient: Patient, scale_name: str) -> dict[str, float]:
    """Recorded grades: the rater's at maximum contraction, the patient's own, those at rest."""
    found = {
        reading.where: number(scale_name, reading.value, f"findings: {scale_name}")
        for reading in patient.findings
        if reading.scale == scale_name
    }
    if "" not in found or found.keys() - {"", "rest", "subject"}:
        raise BadInput(
            "findings",
            f"{scale_name} at maximum contraction is missing",
            f"add a finding on {scale_name} without where; lines at rest take where: rest, the "
            "patient's own grade where: subject",
        )
    return found


def _noise(sampler: Sampler, draw: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {where: _noise_sd(sampler, where) * normal for where, normal in draw.items()}


def _noise_sd(sampler: Sampler, where: str) -> float:
    own = "subject_sd" if where == "subject" else "occasion_sd"
    return sampler.value(f"facial_lines.{own}")


def _subject_placebo(sampler: Sampler) -> np.ndarray:
    mean, spread = (sampler.value(f"facial_lines.subject_placebo{end}") for end in ("", "_sd"))
    return np.asarray(mean + spread * sampler.normal("facial_lines.subject_placebo"))


def _grades(sampler: Sampler, region: Region) -> list[Measure]:
    said = {
        "": "",
        "subject": f"{region.words}, patient's own grade",
        "rest": f"{region.words} at rest",
    }
    return [
        replace(
            measure(region.scale, where, words),
            observed="graded",
            noise=_noise_sd(sampler, where),
        )
        for where, words in said.items()
    ]


def _height(scale_name: str, of: str, one_side: str) -> Measure:
    return measure(scale_name, f"{of.replace(' ', '_')}.{one_side}", f"{one_side} {of}")


def _sided(muscle: str) -> Sequence[str]:
    return [muscle] if layers()[muscle].get("midline") else [f"{muscle}.{one}" for one in SIDES]


def _folding(sampler: Sampler, region: Region, names: list[str]) -> np.ndarray:
    """Share of each structure in the contraction; procerus has its own."""
    middle = sampler.value("facial_lines.procerus_share") if "procerus" in region.folding else 0.0
    share = {name: middle if name == "procerus" else (1 - middle) / 2 for name in names}
    return np.array([share[name] * (base(name) in region.folding) for name in names])


def _brow(sampler: Sampler, names: list[str], one_side: str) -> np.ndarray:
    """Millimetres by which each structure lifts the brow of one side."""
    return np.array(
        [
            sampler.value(f"facial_lines.brow_mm.{base(name)}")
            if base(name) in _BROW and side(name) in (one_side, "")
            else 0.0
            for name in names
        ]
    )


def _structures(
    patient: Patient, sampler: Sampler, names: list[str], disorder: str
) -> tuple[Structure, ...]:
    """Muscles as in the catalog; the frown muscles of men are larger."""
    size = sampler.value("facial_lines.male_size") if patient.sex == "male" else 1.0
    found = [structure(name, disorder) for name in names]
    return tuple(
        replace(one, half_mm=one.half_mm * size) if base(one.id) in _FROWN else one for one in found
    )
