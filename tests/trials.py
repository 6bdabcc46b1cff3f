"""A small trial of armpits: 0.1 s a block, six blocks."""

import datetime
import hashlib
from typing import Any

import numpy as np

from openbont.design import Arm, Criterion, Design, Endpoint
from openbont.patient import Patient
from openbont.plan import Injection
from openbont.trials.readings import Block
from openbont.trials.result import TrialResult

PATIENT = Patient.model_validate(
    {
        "id": "axillary",
        "date": datetime.date(2026, 11, 16),
        "age_years": 29,
        "sex": "female",
        "weight_kg": 62,
        "disorder": {"name": "hyperhidrosis.axillary"},
        "findings": [
            {"scale": "sweat_mg", "value": 190, "where": "axilla.left"},
            {"scale": "sweat_mg", "value": 230, "where": "axilla.right"},
            {"scale": "HDSS", "value": 4},
        ],
    }
)
PLACEBO = Arm(name="placebo", like="toxin", placebo=True)


def arm(name: str = "toxin", dose_u: float = 50.0, **changed: Any) -> Arm:
    return Arm(
        name=name,
        product="onabotulinumtoxinA",
        dilution_u_per_ml=25,
        injections=tuple(
            Injection(structure=f"axilla.{side}", dose_u=dose_u, sites=15)
            for side in ("left", "right")
        ),
        **changed,
    )


def trial(*arms: Arm, **changed: Any) -> Design:
    usual: dict[str, Any] = {
        "name": "armpits",
        "patient": PATIENT,
        "entry": (Criterion(scale="HDSS", at_least=3),),
        "arms": arms or (arm(), PLACEBO),
        "weeks": (4.0, 16.0),
        "endpoints": (
            Endpoint(scale="sweat_mg", where="axilla.left", week=4),
            Endpoint(scale="HDSS", week=4, rule="change<=-2"),
        ),
        "patients": 110,
        "replicates": 50,
        "dropout_percent": 10,
    }
    return Design(**usual | changed)


def digest(result: TrialResult) -> str:
    return hashlib.sha256(result.sums.tobytes()).hexdigest()


def same(one: Block, other: Block) -> bool:
    """Whether two blocks hold the very same bits, NaN included."""
    pairs = ((getattr(one, n), getattr(other, n)) for n in ("replicate", "entry", "value"))
    return all(a.tobytes() == b.tobytes() and np.shape(a) == np.shape(b) for a, b in pairs)
