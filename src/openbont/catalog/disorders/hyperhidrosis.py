"""A patient with hyperhidrosis -> skin of both axillae or palms and the hyperhidrosis stage."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from openbont.catalog.disorders.common import (
    Built,
    measure,
    natural_course,
    recorded,
    strength_measure,
    tiled,
)
from openbont.catalog.movements import functions
from openbont.catalog.muscles import SIDES, of_layers, structure, words
from openbont.catalog.sampling import PARENTS, Sampler
from openbont.forward.disorders.hyperhidrosis import Hyperhidrosis
from openbont.patient import Patient

_NEAR_LN = 0.1  # readings within 10 % count as the same


def hyperhidrosis(region: str, patient: Patient, sampler: Sampler) -> Built:
    """Sweat of both sites in 5 minutes, HDSS, and strength of the muscles beneath the skin."""
    names = of_layers(region)
    sites = [f"{region}.{side}" for side in SIDES]
    uses = [(group, side) for group in functions().values() for side in SIDES]
    uses = [(group, side) for group, side in uses if group.limb == region]
    strength = np.reshape([group.row(names, side) for group, side in uses], (-1, len(names)))
    sweat_mg = np.array([recorded(patient, "sweat_mg", site) for site in sites])
    seen, said = np.log(sweat_mg).mean(), recorded(patient, "HDSS")
    passing, grade, *_ = sweating_entry(
        sampler, lambda sweat, answer: (np.abs(sweat - seen) <= _NEAR_LN) & (answer == said)
    )
    hdss = replace(
        measure("HDSS"), observed="graded", noise=sampler.value("hyperhidrosis.grade_sd")
    )
    return tuple(structure(name) for name in names), Hyperhidrosis(
        skin=tiled(sampler, [np.array(names) == site for site in sites]),
        strength_weight=tiled(sampler, strength),
        sweat_mg=np.tile(sweat_mg, (sampler.draws, 1)),
        grade=grade,
        residual_share=sampler.vary("hyperhidrosis.residual_share"),
        grade_per_ln=sampler.vary("hyperhidrosis.grade_per_ln"),
        course=natural_course(sampler, "hyperhidrosis", passing[:, None], 1.0),
        measures=(
            *(measure("sweat_mg", site, f"sweat, {words(site)}") for site in sites),
            hdss,
            *(strength_measure(group, f"{group.id}.{side}") for group, side in uses),
        ),
    )


def sweating_entry(
    sampler: Sampler, enters: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> np.ndarray:
    """Passing part of ln sweat, latent HDSS, ln of the sweat read, HDSS answered; one row each.

    `enters` says which readings enter: one patient's own, or a trial's criterion.
    """
    draw = sampler.generator("hyperhidrosis.entry")
    lasting, passing, burden, answer = draw.standard_normal((4, PARENTS))
    passing = sampler.value("hyperhidrosis.fluctuation_sd") * passing
    excess = sampler.value("hyperhidrosis.parent_sd") * lasting + passing
    grade = sampler.value("hyperhidrosis.grade_middle")
    grade = grade + sampler.value("hyperhidrosis.grade_per_ln") * excess
    grade = grade + sampler.value("hyperhidrosis.burden_sd") * burden
    said = np.clip(np.rint(grade + sampler.value("hyperhidrosis.grade_sd") * answer), 1.0, 4.0)
    sweat = sampler.value("hyperhidrosis.parent_ln_mg") + excess
    parents = np.stack([passing, np.clip(grade, 0.5, 4.5), sweat, said], axis=1)
    return sampler.enrol("hyperhidrosis.entry", parents, lambda: enters(sweat, said)).T
