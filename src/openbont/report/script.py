"""A plan as a few lines of Python that give the numbers of the workbench and the command line."""

from openbont.frozen import Noun
from openbont.patient import Patient
from openbont.plan import Injection, Plan, Session

DRAWS, SEED = 200, 1

_LINES = """\
import datetime

import openbont as bont

patient = bont.Patient.model_validate_json(r'''{patient}''')
plan = {plan}

for finding in bont.check(plan, patient):
    print(finding.level, finding.rule, finding.reason)

model = bont.model(patient, draws={draws}, seed={seed})
days = range(7 * model.horizon_weeks + 1)
course = bont.simulate(plan, patient, model, days)
untreated = bont.simulate(plan.untreated(), patient, model, days)

last = plan.sessions[-1]
limits = bont.limits(patient, last.product, plan.date_of(last), plan.disorder)
outcome = bont.outcome(course, untreated, plan, patient, limits.interval_min_weeks)
print(outcome)
"""


def script(plan: Plan, patient: Patient, draws: int = DRAWS, seed: int = SEED) -> str:
    """Python that anybody with OpenBoNT can run; it holds what is known of the patient."""
    return _LINES.format(patient=_json(patient), plan=_python(plan, 0), draws=draws, seed=seed)


def _json(patient: Patient) -> str:
    """JSON that may stand between three quotes of a raw string."""
    text = patient.model_dump_json(exclude_defaults=True, indent=1)
    return text.replace("'", r"\u0027")


def _python(value: object, depth: int) -> str:
    """The expression that makes a plan, or a part of it."""
    if isinstance(value, Plan | Session | Injection):
        return _lines(f"bont.{type(value).__name__}(", _fields(value, depth + 1), ")", depth)
    if isinstance(value, tuple) and any(isinstance(one, Noun) for one in value):
        return _lines("(", [_python(one, depth + 1) for one in value], ")", depth)
    return repr(value)


def _fields(noun: Noun, depth: int) -> list[str]:
    return [
        f"{name}={_python(getattr(noun, name), depth)}"
        for name in type(noun).model_fields
        if name in noun.model_dump(exclude_defaults=True)
    ]


def _lines(first: str, inner: list[str], last: str, depth: int) -> str:
    pad = "    " * depth
    return "\n".join([first, *(f"{pad}    {one}," for one in inner), pad + last])
