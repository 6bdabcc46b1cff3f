"""A patient with hyperhidrosis -> skin of both axillae or palms and the hyperhidrosis stage."""

from dataclasses import replace

import numpy as np

from openbont.catalog.disorders.common import (
    Built,
    alike,
    measure,
    natural_course,
    positive,
    recorded,
    strength_measure,
    tiled,
)
from openbont.catalog.movements import Group, functions
from openbont.catalog.muscles import SIDES, of_layers, structure, words
from openbont.catalog.sampling import PARENTS, Sampler
from openbont.errors import NoEvidence
from openbont.forward.disorders.hyperhidrosis import Hyperhidrosis
from openbont.forward.disorders.interface import Measure
from openbont.patient import Patient

_NEAR_LN = 0.1  # readings within 10 % count as the same


def hyperhidrosis(region: str, patient: Patient, sampler: Sampler) -> Built:
    """Sweat of both sites in 5 minutes, HDSS, and strength of the muscles beneath the skin.

    Raises NoEvidence for a child.
    """
    if patient.child:
        raise NoEvidence("hyperhidrosis of a child has no label and no model")
    names = of_layers(region)
    sites = [f"{region}.{side}" for side in SIDES]
    beneath = _beneath(region)
    strength = [group.row(names, side) for group, side in beneath]
    sweat_mg = [positive(patient, "sweat_mg", site) for site in sites]
    mean_mg = float(np.exp(np.log(sweat_mg).mean()))
    passing, grade = _sweating_entry(sampler, mean_mg, recorded(patient, "HDSS"))
    start_mg = alike(sampler, sweat_mg)
    if sampler.entry:
        start_mg = start_mg / mean_mg * sampler.read["sweat_mg"][:, None]
    return tuple(structure(name) for name in names), Hyperhidrosis(
        skin=tiled(sampler, [np.array(names) == site for site in sites]),
        strength_weight=tiled(sampler, np.reshape(strength, (-1, len(names)))),
        sweat_mg=start_mg,
        grade=grade,
        residual_share=sampler.vary("hyperhidrosis.residual_share"),
        grade_per_ln=sampler.vary("hyperhidrosis.grade_per_ln"),
        course=natural_course(sampler, "hyperhidrosis", passing[:, None], 1.0),
        measures=_measures(sampler, sites, beneath),
    )


def _beneath(region: str) -> list[tuple[Group, str]]:
    """Functions of the muscles beneath the skin, with their side."""
    return [(one, side) for one in functions().values() if one.limb == region for side in SIDES]


def _measures(
    sampler: Sampler, sites: list[str], beneath: list[tuple[Group, str]]
) -> tuple[Measure, ...]:
    noise = sampler.value("hyperhidrosis.grade_sd")
    return (
        *(measure("sweat_mg", site, f"sweat, {words(site)}") for site in sites),
        replace(measure("HDSS"), observed="graded", noise=noise),
        *(strength_measure(group, f"{group.id}.{side}") for group, side in beneath),
    )


def _sweating_entry(sampler: Sampler, mean_mg: float, answered: float) -> np.ndarray:
    """Passing part of ln sweat and latent HDSS of those who enter; one row each."""
    draw = sampler.generator("hyperhidrosis.entry")
    lasting, passing, burden, answer = draw.standard_normal((4, PARENTS))
    passing = sampler.value("hyperhidrosis.fluctuation_sd") * passing
    excess = sampler.value("hyperhidrosis.parent_sd") * lasting + passing
    grade = sampler.value("hyperhidrosis.grade_middle")
    grade = grade + sampler.value("hyperhidrosis.grade_per_ln") * excess
    grade = grade + sampler.value("hyperhidrosis.burden_sd") * burden
    said = np.clip(np.rint(grade + sampler.value("hyperhidrosis.grade_sd") * answer), 1.0, 4.0)
    sweat = sampler.value("hyperhidrosis.parent_ln_mg") + excess
    return sampler.enrol(
        "hyperhidrosis.entry",
        np.stack([passing, np.clip(grade, 0.5, 4.5)], axis=1),
        {"sweat_mg": np.exp(sweat), "HDSS": said},
        {
            "sweat_mg": lambda read: np.abs(np.log(read / mean_mg)) <= _NEAR_LN,
            "HDSS": lambda read: read == answered,
        },
        f"sweat_mg of {mean_mg:.0f} (mean of both sides) with HDSS {answered:g}",
    ).T
