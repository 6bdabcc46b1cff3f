"""One planning task: this patient, these limits, this model; from doses to a checked plan."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from openbont.catalog.products import product
from openbont.errors import NoPlan
from openbont.forward.chain import Course, Model, simulate
from openbont.forward.outcome import Outcome, outcome
from openbont.patient import Patient
from openbont.plan import Injection, Plan, Session
from openbont.planning.check import Finding, check
from openbont.planning.limits import Limits, StructureLimit
from openbont.planning.objective import PLANNING_DAYS

_USUAL_DILUTION_U_PER_ML = 50.0
_SITES_IN_TRIALS = 2


@dataclass(frozen=True)
class Task:
    """What stays the same while doses are varied."""

    patient: Patient
    limits: Limits
    model: Model

    def run(self, plan: Plan) -> Course:
        """The course on the days that planning looks at."""
        return simulate(plan, self.patient, self.model, PLANNING_DAYS)

    def follow(self, plan: Plan) -> tuple[Course, Course, Outcome]:
        """The course day by day, the same without toxin, and what both mean."""
        days = range(7 * self.model.horizon_weeks + 1)
        course, untreated = (
            simulate(one, self.patient, self.model, days) for one in (plan, plan.untreated())
        )
        seen = outcome(course, untreated, plan, self.patient, self.limits.interval_min_weeks)
        return course, untreated, seen


def plan_of(patient: Patient, limits: Limits, injections: Iterable[Injection]) -> Plan:
    """One session on the day of the limits."""
    session = Session(
        product=limits.product,
        injections=tuple(injections),
        dilution_u_per_ml=_dilution(limits),
    )
    return Plan(
        patient=patient.id, disorder=patient.disorder.name, date=limits.on, sessions=(session,)
    )


def spread_doses(doses_u: Mapping[str, float], limits: Limits) -> list[Injection]:
    """Doses by structure as injections with the label's number of sites."""
    return [
        Injection(structure=name, dose_u=dose_u, sites=_sites(limit, limits))
        for name, dose_u in doses_u.items()
        if (limit := limits.ceiling(name)) is not None
    ]


def stops(plan: Plan, patient: Patient) -> list[Finding]:
    """Findings of `check` that forbid the plan."""
    return [finding for finding in check(plan, patient) if finding.level == "stop"]


def refuse(plan: Plan, patient: Patient) -> None:
    """Raises NoPlan with the reasons when `check` stops the plan."""
    if found := stops(plan, patient):
        reasons = "; ".join(f"{one.rule}: {one.reason}" for one in found)
        raise NoPlan(f"{patient.id} is not to be treated as asked: {reasons}")


def _sites(limit: StructureLimit, limits: Limits) -> int:
    """Enough sites for the largest dose, within the label's count; a few where it names none."""
    site_max_u = limit.site_max_u or limits.site_max_u
    needed = math.ceil((limit.max_u or 0.0) / site_max_u) if site_max_u else 1
    usual = _SITES_IN_TRIALS if limit.basis == "in trials" else 1
    least, most = int(limit.sites_min or usual), int(limit.sites_max or max(needed, usual))
    return max(least, min(needed, most), 1)


def _dilution(limits: Limits) -> float:
    """The label's strongest solution, or the product's own; the usual one when none is named."""
    own = product(limits.product).solution_u_per_ml
    return own or max(limits.dilutions_u_per_ml, default=_USUAL_DILUTION_U_PER_ML)
