"""One planning task: this patient, these limits, this model; from doses to a checked plan."""

from collections.abc import Iterable
from dataclasses import dataclass

from openbont.catalog.products import product
from openbont.errors import NoPlan
from openbont.forward.chain import Course, Model, simulate
from openbont.forward.outcome import Outcome, outcome
from openbont.patient import Patient
from openbont.plan import Injection, Plan, Session
from openbont.planning.check import Finding, check
from openbont.planning.limits import Limits
from openbont.planning.objective import PLANNING_DAYS

_USUAL_DILUTION_U_PER_ML = 50.0


@dataclass(frozen=True)
class Task:
    """What stays the same while doses are varied."""

    patient: Patient
    limits: Limits
    model: Model
    dilution_u_per_ml: float

    def plan(self, injections: Iterable[Injection]) -> Plan:
        """One session on the day of the limits."""
        return plan_of(self.patient, self.limits, injections, self.dilution_u_per_ml)

    def run(self, plan: Plan) -> Course:
        """The course on the days that planning looks at."""
        return simulate(plan, self.patient, self.model, PLANNING_DAYS)

    def daily(self, plan: Plan) -> Course:
        """The course day by day."""
        return simulate(plan, self.patient, self.model, range(7 * self.model.horizon_weeks + 1))

    def seen(self, course: Course, untreated: Course, plan: Plan) -> Outcome:
        """What a daily course means beside the same without toxin."""
        return outcome(course, untreated, plan, self.patient, self.limits.interval_min_weeks)


def plan_of(
    patient: Patient,
    limits: Limits,
    injections: Iterable[Injection],
    dilution_u_per_ml: float | None = None,
) -> Plan:
    """One session on the day of the limits."""
    session = Session(
        product=limits.product,
        injections=tuple(injections),
        dilution_u_per_ml=dilution_u_per_ml or dilutions_u_per_ml(limits)[0],
    )
    return Plan(
        patient=patient.id, disorder=patient.disorder.name, date=limits.on, sessions=(session,)
    )


def dilutions_u_per_ml(limits: Limits) -> tuple[float, ...]:
    """The product's own solution, or what the label names, strongest first; else the usual one."""
    own = product(limits.product).solution_u_per_ml
    if own:
        return (own,)
    return tuple(sorted(limits.dilutions_u_per_ml, reverse=True)) or (_USUAL_DILUTION_U_PER_ML,)


def stops(plan: Plan, patient: Patient) -> list[Finding]:
    """Findings of `check` that forbid the plan."""
    return [finding for finding in check(plan, patient) if finding.level == "stop"]


def refuse(plan: Plan, patient: Patient) -> None:
    """Raises NoPlan with the reasons when `check` stops the plan."""
    if found := stops(plan, patient):
        reasons = "; ".join(f"{one.rule}: {one.reason}" for one in found)
        raise NoPlan(f"{patient.id} is not to be treated as asked: {reasons}")
