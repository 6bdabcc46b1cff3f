"""A patient with cervical dystonia -> muscles of the neck and the stage of posture."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from openbont.catalog.anatomy import own
from openbont.catalog.disorders.common import (
    Built,
    measure,
    natural_course,
    recorded,
    strength_measure,
    tiled,
)
from openbont.catalog.disorders.onset import onset_of
from openbont.catalog.movements import functions
from openbont.catalog.muscles import base, side
from openbont.catalog.sampling import PARENTS, Sampler
from openbont.catalog.scales import number
from openbont.errors import BadInput, UnknownName
from openbont.forward.disorders.cervical import Cervical
from openbont.patient import Patient

HELD = {
    "rotation.left": "chin turned to the left",
    "rotation.right": "chin turned to the right",
    "tilt.left": "head tilted to the left",
    "tilt.right": "head tilted to the right",
    "flexion": "chin down",
    "extension": "chin up",
}
_OPPOSITE = (
    ("rotation.left", "rotation.right"),
    ("tilt.left", "tilt.right"),
    ("flexion", "extension"),
)
STRENGTHS = ("neck_extension", "neck_flexion", "neck_rotation.left", "neck_rotation.right")
_SUBSCALES = ("severity", "disability", "pain")
_SEVERITY_MOST, _TSUI_MOST = 35.0, 25.0
_TSUI_CONSTANT = 2.0  # deviation all the time counts twice
_CDSS_DEG = 5.0


def cervical_dystonia(patient: Patient, sampler: Sampler) -> Built:
    """TWSTRS, Tsui, CDSS and angles of the head; tremor; swallowing; strength of the neck."""
    structures = own("neck", patient, sampler)
    names = [one.id for one in structures]
    angles = head_angles(patient)
    total = recorded(patient, "TWSTRS")
    entered = _torticollis_entry(sampler, total)
    tremor = recorded(patient, "tremor", default=0.0)
    groups = functions()
    onset, chances = onset_of(patient, sampler)
    return structures, Cervical(
        **_readings(patient, sampler, angles, entered[:, 0]),
        drive_weight=tiled(sampler, _drives(angles, names)),
        tremor=np.full((sampler.draws, int(tremor > 0)), tremor),
        tremor_gain=sampler.vary("cervical.tremor_gain"),
        strength_weight=tiled(sampler, [groups[base(w)].row(names, side(w)) for w in STRENGTHS]),
        course=natural_course(sampler, "cervical", entered[:, 1:]),
        onset=onset,
        measures=(
            replace(measure("TWSTRS"), noise=sampler.value("cervical.occasion_sd")),
            *(measure(f"TWSTRS_{one}") for one in _SUBSCALES),
            measure("Tsui"),
            measure("CDSS"),
            *(measure("head_angle", where, HELD[where]) for where in angles),
            *((measure("tremor"),) if tremor else ()),
            *(strength_measure(groups[base(where)], where) for where in STRENGTHS),
            *chances,
        ),
    )


def _torticollis_entry(sampler: Sampler, recorded_total: float) -> np.ndarray:
    """TWSTRS total and the passing part of each subscale, of those who enter."""
    draw = sampler.generator("cervical.entry").standard_normal((2 + len(_SUBSCALES), PARENTS))
    passing = sampler.value("cervical.fluctuation_sd") * draw[2:]
    lasting = sampler.value("cervical.parent_total") + sampler.value("cervical.parent_sd") * draw[0]
    total = lasting + passing.sum(0)
    read = total + sampler.value("cervical.occasion_sd") * draw[1]
    parents = np.column_stack([total, passing.T])
    return sampler.enrol(
        "cervical.entry",
        parents,
        {"TWSTRS": read},
        {"TWSTRS": lambda seen: np.abs(seen - recorded_total) <= 0.5},
        f"TWSTRS of {recorded_total:g}",
    )


def head_angles(patient: Patient) -> dict[str, float]:
    """Degrees by the direction the head is held in. Raises BadInput."""
    found = {
        reading.where: number("head_angle", reading.value, "findings: head_angle")
        for reading in patient.findings
        if reading.scale == "head_angle"
    }
    for where in found:
        if where not in HELD:
            raise UnknownName("findings", "direction of the head", where, HELD)
    held = {where: degrees for where, degrees in found.items() if degrees > 0}
    twice = [pair for pair in _OPPOSITE if held.keys() >= {*pair}]
    if not held or twice:
        wrong = f"head_angle at {' and '.join(twice[0])}" if twice else "no posture of the head"
        way_out = "add a finding such as {scale: head_angle, value: 35, where: rotation.left}"
        raise BadInput("findings", wrong, way_out)
    return held


def _drives(angles: Mapping[str, float], names: list[str]) -> list[np.ndarray]:
    """Share of each muscle in the drive of every reading of posture."""
    groups = functions()
    pulls = np.array([groups[f"neck_{base(w)}"].row(names, side(w)) for w in angles])
    degrees = np.array(list(angles.values()))
    projected = degrees**2 / (degrees**2).sum() @ pulls
    summed = degrees / degrees.sum() @ pulls
    return [*[projected] * (1 + len(_SUBSCALES)), summed, summed, *pulls]


def _readings(
    patient: Patient, sampler: Sampler, angles: Mapping[str, float], total: np.ndarray
) -> dict[str, np.ndarray]:
    """Reading on day 0, its slopes on the drive, and which latents act on it."""
    degrees = np.array(list(angles.values()))
    tsui = _TSUI_CONSTANT * degrees.sum() / sampler.value("cervical.tsui_grade")
    follows = [1.0, *(sampler.value(f"cervical.{one}_follows") for one in _SUBSCALES[1:])]
    subscale = [sampler.value(f"cervical.{one}_share") for one in _SUBSCALES]
    scored = np.array([sum(follows), *follows])
    geometric = np.array([tsui, degrees.sum() / _CDSS_DEG, *degrees])
    first = np.array([recorded(patient, "Tsui", default=tsui), *geometric[1:]])
    graded = sum(d / sampler.value(_grade(where)) for where, d in angles.items())
    everyone = np.ones((sampler.draws, 1))
    latent = np.zeros((len(scored) + len(geometric), len(_SUBSCALES)))
    latent[: len(scored)] = np.vstack([np.ones(len(_SUBSCALES)), np.eye(len(_SUBSCALES))])
    latent[len(scored), 0] = _TSUI_MOST / _SEVERITY_MOST
    relief = sampler.vary("cervical.relief")[:, None] * scored
    return {
        "start": np.hstack([total[:, None] * [1.0, *subscale], everyone * first]),
        "linear": everyone * np.append(graded * scored, geometric),
        "logarithmic": np.hstack([relief, everyone * np.zeros(len(geometric))]),
        "latent_weight": np.tile(latent, (sampler.draws, 1, 1)),
    }


def _grade(where: str) -> str:
    """Name of the parameter: degrees a grade of TWSTRS in one direction."""
    return "cervical.rotation_grade" if base(where) == "rotation" else "cervical.tilt_grade"
