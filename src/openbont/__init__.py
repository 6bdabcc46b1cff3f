"""OpenBoNT plans, simulates and records botulinum neurotoxin treatment.

    import openbont as bont

Everything a user calls is here; importing it is cheap, each name loads its module when first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openbont.catalog.model import model
    from openbont.clinic.records import create_records, open_records
    from openbont.design import Design
    from openbont.errors import BadInput, NoEvidence, NoPlan, OpenBoNTError
    from openbont.evidence import cite
    from openbont.forward.chain import simulate
    from openbont.forward.exposure import toxin
    from openbont.forward.outcome import outcome
    from openbont.io import load_design, load_patient, load_plan, save, schema
    from openbont.patient import Patient
    from openbont.plan import Injection, Plan, Session
    from openbont.planning.check import check
    from openbont.planning.compare import compared
    from openbont.planning.explain import explain
    from openbont.planning.improve import improve
    from openbont.planning.limits import limits
    from openbont.planning.propose import propose
    from openbont.report.page import write_report
    from openbont.trials.calibrate import calibrate
    from openbont.trials.run import run_trial
    from openbont.trials.validate import validate

__all__ = [
    "BadInput",
    "Design",
    "Injection",
    "NoEvidence",
    "NoPlan",
    "OpenBoNTError",
    "Patient",
    "Plan",
    "Session",
    "calibrate",
    "check",
    "cite",
    "compared",
    "create_records",
    "explain",
    "improve",
    "limits",
    "load_design",
    "load_patient",
    "load_plan",
    "model",
    "open_records",
    "outcome",
    "propose",
    "run_trial",
    "save",
    "schema",
    "simulate",
    "toxin",
    "validate",
    "write_report",
]

_HOME = {
    "BadInput": "errors",
    "Design": "design",
    "Injection": "plan",
    "NoEvidence": "errors",
    "NoPlan": "errors",
    "OpenBoNTError": "errors",
    "Patient": "patient",
    "Plan": "plan",
    "Session": "plan",
    "calibrate": "trials.calibrate",
    "check": "planning.check",
    "cite": "evidence",
    "compared": "planning.compare",
    "create_records": "clinic.records",
    "explain": "planning.explain",
    "improve": "planning.improve",
    "limits": "planning.limits",
    "load_design": "io",
    "load_patient": "io",
    "load_plan": "io",
    "model": "catalog.model",
    "open_records": "clinic.records",
    "outcome": "forward.outcome",
    "propose": "planning.propose",
    "run_trial": "trials.run",
    "save": "io",
    "schema": "io",
    "simulate": "forward.chain",
    "toxin": "forward.exposure",
    "validate": "trials.validate",
    "write_report": "report.page",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'openbont' has no attribute {name!r}")
    return getattr(import_module(f"openbont.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
