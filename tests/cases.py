"""Patients and plans for tests of labels, limits and check, each one word away from a good one."""

import datetime
from typing import Any

from openbont.patient import PastSession, Patient
from openbont.plan import Plan

TODAY = datetime.date(2026, 11, 16)
ARM: dict[str, Any] = {
    "id": "arm",
    "date": TODAY,
    "age_years": 58,
    "sex": "male",
    "weight_kg": 78,
    "disorder": {"name": "spasticity.upper_limb", "cause": "stroke", "side": "left"},
    "findings": [
        {"scale": "MAS", "value": "3", "where": "wrist_flexors.left"},
        {"scale": "MAS", "value": "3", "where": "finger_flexors.left"},
        {"scale": "MAS", "value": "2", "where": "elbow_flexors.left"},
    ],
    "prior_treatments": [{"name": "physiotherapy", "outcome": "ongoing"}],
    "pregnancy": "not applicable",
}
HEAD: dict[str, Any] = {
    "id": "arm",
    "date": TODAY,
    "age_years": 41,
    "sex": "female",
    "weight_kg": 66,
    "disorder": {"name": "migraine.chronic"},
    "findings": [
        {"scale": "headache_days_28", "value": 20},
        {"scale": "headache_hours_per_day", "value": 8},
    ],
    "prior_treatments": [
        {"name": "topiramate", "outcome": "failed"},
        {"name": "propranolol", "outcome": "failed"},
        {"name": "amitriptyline", "outcome": "not tolerated"},
    ],
    "pregnancy": "no",
}
ONA = "onabotulinumtoxinA"
ABO = "abobotulinumtoxinA"


def patient(base: dict[str, Any] = ARM, **changed: Any) -> Patient:
    return Patient.model_validate({**base, **changed})


def child(age_years: float, weight_kg: float, **changed: Any) -> Patient:
    return patient(age_years=age_years, weight_kg=weight_kg, **changed)


def past(days_ago: int, product: str, total_u: float, disorder: str) -> PastSession:
    return PastSession(
        date=TODAY - datetime.timedelta(days=days_ago),
        clinic="another clinic",
        product=product,
        disorder=disorder,
        total_u=total_u,
    )


def plan(
    doses: dict[str, float | tuple[float, int]],
    product: str = ONA,
    dilution_u_per_ml: float = 50,
    **changed: Any,
) -> Plan:
    injections = []
    for structure, dose in doses.items():
        dose_u, sites = dose if isinstance(dose, tuple) else (dose, 1)
        injections.append({"structure": structure, "dose_u": dose_u, "sites": sites})
    session = {
        "product": product,
        "dilution_u_per_ml": dilution_u_per_ml,
        "injections": injections,
    }
    whole = {
        "patient": "arm",
        "disorder": "spasticity.upper_limb",
        "date": TODAY,
        "sessions": [session],
    }
    return Plan.model_validate({**whole, **changed})
