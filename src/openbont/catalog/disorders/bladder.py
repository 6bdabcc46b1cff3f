"""A patient with an overactive or neurogenic bladder -> the detrusor and the bladder stage."""

from dataclasses import replace

import numpy as np

from openbont.catalog.disorders.common import (
    Built,
    measure,
    natural_course,
    positive,
    recorded,
    tiled_one,
)
from openbont.catalog.muscles import of_layers, structure
from openbont.catalog.sampling import PARENTS, Sampler
from openbont.catalog.vocabulary import condition
from openbont.errors import NoEvidence
from openbont.forward.disorders.bladder import Bladder
from openbont.forward.disorders.interface import Measure
from openbont.patient import Patient

_NEAR = 0.1  # a diary that differs by a tenth reads the same
_LEAST_YEARS = 5.0  # where the label of the child's neurogenic bladder starts


def overactive_bladder(patient: Patient, sampler: Sampler) -> Built:
    """Leaks a day, capacity and residual urine. Raises NoEvidence for a child."""
    if patient.child:
        raise NoEvidence("overactive bladder of a child has no label and no model")
    none = np.zeros(sampler.draws)
    return _bladder(patient, sampler, "bladder.overactive", none, ["UI_per_day"])


def neurogenic_bladder(patient: Patient, sampler: Sampler) -> Built:
    """The same and the pressure of involuntary contractions.

    Raises NoEvidence below the age at which the label starts.
    """
    if patient.age_years < _LEAST_YEARS:
        raise NoEvidence(f"the bladder of a child below {_LEAST_YEARS:g} years has no model")
    name = "bladder.neurogenic"
    pressure = _start(patient, sampler, "detrusor_pressure", f"{name}.pressure_cmh2o")
    return _bladder(patient, sampler, name, pressure, ["UI_per_day", "detrusor_pressure"])


def _leak_entry(sampler: Sampler, name: str, diary: float, near: float) -> np.ndarray:
    """ln(leaks a day) and the passing part of it, of those who enter."""
    draw = sampler.generator(f"{name}.entry")
    lasting, passing = draw.standard_normal((2, PARENTS))
    passing = sampler.value(f"{name}.fluctuation_sd") * passing
    log_leaks = sampler.value(f"{name}.parent_log_leaks") + passing
    log_leaks = log_leaks + sampler.value(f"{name}.parent_sd") * lasting
    days = sampler.value(f"{name}.diary_days")
    counted = draw.poisson(days * np.exp(log_leaks)) / days
    return sampler.enrol(
        f"{name}.entry",
        np.stack([log_leaks, passing], axis=1),
        {"UI_per_day": counted},
        {"UI_per_day": lambda read: np.abs(read - diary) <= near},
        f"UI_per_day of {diary:g}",
    ).T


def _bladder(
    patient: Patient, sampler: Sampler, name: str, pressure: np.ndarray, scales: list[str]
) -> Built:
    names = of_layers("bladder")
    grown = _grown(patient, sampler)
    diary = recorded(patient, "UI_per_day")
    near = 0.5 / sampler.value(f"{name}.diary_days") + _NEAR * diary
    log_leaks, passing = _leak_entry(sampler, name, diary, near)
    usual_ml = grown * sampler.value(f"{name}.capacity_ml")
    capacity = np.full(sampler.draws, positive(patient, "bladder_capacity", default=usual_ml))
    residual = _start(patient, sampler, "PVR", f"{name}.residual_ml", grown)
    emptied = np.clip(1 - residual / capacity, 0.0, 1.0)
    shown = [*scales, "bladder_capacity", *([] if _catheterises(patient) else ["PVR"])]
    return tuple(structure(one).scaled(grown ** (1 / 3)) for one in names), Bladder(
        wall_weight=tiled_one(sampler, np.array([float(one == "detrusor") for one in names])),
        log_leaks=log_leaks,
        held_per_day=sampler.vary(f"{name}.held_per_day"),
        capacity_ml=capacity,
        pressure_cmh2o=pressure,
        residual_ml=residual,
        afferent_gain=sampler.vary("bladder.afferent_gain"),
        leak_gain=sampler.vary("bladder.leak_gain"),
        efferent_power=sampler.vary("bladder.efferent_power"),
        reserve=sampler.vary("bladder.reserve") * emptied ** sampler.value("bladder.reserve_power"),
        course=natural_course(sampler, name, passing[:, None], 1.0),
        measures=tuple(_read(sampler, name, one) for one in shown),
    )


def _read(sampler: Sampler, name: str, scale: str) -> Measure:
    """Leaks are counted in a diary; the rest is measured."""
    if scale != "UI_per_day":
        return measure(scale)
    days = sampler.value(f"{name}.diary_days")
    return replace(measure(scale), observed="events", noise=days)


def _grown(patient: Patient, sampler: Sampler) -> float:
    """Capacity expected at the patient's age relative to an adult's: (age + 2) 30 mL (Koff)."""
    if not patient.child:
        return 1.0
    expected_ml = sampler.value("bladder.child.ml_per_year") * (patient.age_years + 2)
    return min(expected_ml / sampler.value("bladder.child.adult_ml"), 1.0)


def _start(
    patient: Patient, sampler: Sampler, scale: str, usual: str, factor: float = 1.0
) -> np.ndarray:
    """The recorded reading, or `factor` times the usual one, in every draw: placebo spares it."""
    default = factor * sampler.value(usual)
    return np.full(sampler.draws, recorded(patient, scale, default=default))


def _catheterises(patient: Patient) -> bool:
    """True where urine is drained anyway, so that what is left after voiding says nothing."""
    return "self_catheterising" in {condition(one).name for one in patient.conditions}
