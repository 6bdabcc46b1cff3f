"""Two plans for one patient side by side: units, sites, what they reach, leave and spill."""

from collections.abc import Mapping
from dataclasses import dataclass

from openbont.catalog.model import model
from openbont.errors import NoPlan
from openbont.forward.chain import Model, simulate
from openbont.forward.outcome import Outcome, outcome
from openbont.patient import Patient
from openbont.plan import Plan
from openbont.planning.check import Finding, check
from openbont.planning.limits import limits
from openbont.planning.objective import drive, needs, plannable, progress
from openbont.planning.pattern import reached_share
from openbont.planning.spared import Reached, answers, ceilings, reached, spilled
from openbont.product import Dose


@dataclass(frozen=True)
class Side:
    """One of the two plans, judged by the full model over all draws."""

    plan: Plan
    totals: Mapping[str, Dose]
    """By product; products are never added together."""
    needles: int
    effect: float | None
    """Share of the wanted effect; None without a goal."""
    spill: tuple[Reached, ...]
    outcome: Outcome
    """Goals reached with weeks of benefit, strength kept, readings that rise."""
    findings: tuple[Finding, ...]

    @property
    def spilled(self) -> float:
        """Toxin captured by spared structures, each relative to its ceiling."""
        return spilled(self.spill)

    @property
    def stops(self) -> tuple[Finding, ...]:
        """Findings that forbid the plan."""
        return tuple(one for one in self.findings if one.level == "stop")


@dataclass(frozen=True)
class Compared:
    """A plan and the one that it is held against."""

    plan: Side
    reference: Side


def compared(
    plan: Plan, reference: Plan, patient: Patient, draws: int = 100, seed: int = 1
) -> Compared:
    """Both plans with the same draws. Raises NoEvidence for a disorder without a model."""
    built = model(patient, draws, seed)
    return Compared(side_of(plan, patient, built), side_of(reference, patient, built))


def side_of(plan: Plan, patient: Patient, built: Model) -> Side:
    """One plan judged."""
    days = range(7 * built.horizon_weeks + 1)
    course, untreated = (simulate(one, patient, built, days) for one in (plan, plan.untreated()))
    session = plan.sessions[-1]
    allowed = limits(patient, session.product, plan.date_of(session), plan.disorder)
    spared = ceilings(built, answers(built, session.product), patient, patient.goals)
    injections = [one for each in plan.sessions for one in each.injections if one.dose_u > 0]
    effect = None
    if patient.goals:
        try:
            goals = plannable(built, patient.goals)
            wanted = needs(patient, goals, built, untreated)
            effect = progress(wanted, wanted.untreated - drive(built, goals, course))
        except NoPlan:
            effect = reached_share(patient, course, untreated)
    return Side(
        plan=plan,
        totals=plan.totals(),
        needles=sum(one.sites for one in injections),
        effect=effect,
        spill=reached(spared, course, untreated, len(patient.history)),
        outcome=outcome(course, untreated, plan, patient, allowed.interval_min_weeks),
        findings=tuple(check(plan, patient)),
    )
