"""Where the label fixes doses and sites: its pattern, and what may be added where the pain is."""

from collections.abc import Callable, Sequence

import numpy as np

from openbont.catalog.model import model
from openbont.catalog.muscles import SIDES, base
from openbont.evidence import cite
from openbont.forward.chain import Course
from openbont.forward.outcome import direction, measure_of, target_of
from openbont.patient import Patient
from openbont.plan import Injection, Plan
from openbont.planning.limits import Limits
from openbont.planning.objective import LEAST_FALL
from openbont.planning.proposal import Binding, Proposal
from openbont.planning.spared import answers, ceilings, reached
from openbont.planning.task import Task, dilutions_u_per_ml, plan_of, refuse, stops

_ADDED = "(not in the US label)"


def patterns(
    patient: Patient, allowed: Limits, draws: int, seed: int, tell: Callable[[str], None]
) -> list[Proposal]:
    """The label's pattern first; additions at the painful sides, and on both sides."""
    fixed = _with_extras(patient, allowed, ())
    refuse(fixed, patient)
    found = [("The label's pattern", fixed)]
    painful = [r.where for r in patient.findings if r.scale == "pain_predominant"]
    if allowed.extras and painful:
        title = f"Pattern and additions where the pain is worst {_ADDED}"
        found.append((title, _with_extras(patient, allowed, painful)))
    if allowed.extras:
        both = [f"{one.muscle}.{side}" for one in allowed.extras for side in SIDES]
        title = f"Pattern and additions on both sides {_ADDED}"
        found.append((title, _with_extras(patient, allowed, both)))
    tell("predicting each pattern")
    task = Task(patient, allowed, model(patient, draws, seed), dilutions_u_per_ml(allowed)[0])
    untreated = task.daily(fixed.untreated())
    return [
        _proposal(title, plan, task, untreated) for title, plan in found if not stops(plan, patient)
    ]


def _with_extras(patient: Patient, allowed: Limits, painful: Sequence[str]) -> Plan:
    """The fixed pattern; an addition is shared by the painful sides of its muscle."""
    added: dict[str, tuple[float, int]] = {}
    for extra in allowed.extras:
        sides = [name for name in painful if base(name) == extra.muscle]
        for name in sides:
            added[name] = (extra.max_u / len(sides), extra.sites_max // len(sides))
    injections = []
    for one in allowed.pattern:
        more_u, more_sites = added.get(one.structure, (0.0, 0))
        injections.append(
            Injection(
                structure=one.structure,
                dose_u=one.dose_u + more_u,
                sites=one.sites + more_sites,
                site_mm=one.site_mm,
            )
        )
    return plan_of(patient, allowed, injections)


def _proposal(title: str, plan: Plan, task: Task, untreated: Course) -> Proposal:
    course = task.daily(plan)
    value, alone = (reached_share(task.patient, c, untreated) for c in (course, untreated))
    total = next(iter(plan.totals().values()))
    sites = sum(injection.sites for injection in plan.sessions[0].injections)
    allowed = task.limits
    curves = answers(task.model, allowed.product)
    spared = ceilings(task.model, curves, task.patient, task.patient.goals)
    return Proposal(
        title=title,
        plan=plan,
        value=value,
        bound=value,
        gap=0.0,
        revalued=value,
        binding=(_fixed(allowed),),
        why=f"With {total} in {sites} sites {value:.0%} of the wanted change is there in weeks 9 "
        f"to 12, without toxin {alone:.0%}.",
        outcome=task.seen(course, untreated, plan),
        sources=tuple(
            cite(
                allowed.sources,
                [one.sources for one in allowed.extras],
                spared,
                task.model.rests_on,
            )
        ),
        spill=reached(spared, course, untreated, len(task.patient.history)),
    )


def _fixed(allowed: Limits) -> Binding:
    dose_u = sum(one.dose_u for one in allowed.pattern)
    sites = sum(one.sites for one in allowed.pattern)
    return Binding(
        f"the label fixes the pattern: {dose_u:g} U in {sites} sites",
        "doses and sites are not chosen, so value and bound are the same",
    )


def reached_share(patient: Patient, course: Course, baseline: Course) -> float:
    """Weighted mean, over goals and draws, of the part of the wanted change seen by week 12."""
    week = np.searchsorted(course.day, 84.0)
    shares = []
    for goal in patient.goals:
        start = baseline.of(goal.scale, goal.where)[:, 0]
        measure = measure_of(course, goal)
        target = target_of(goal, measure, patient)
        wanted = np.maximum(direction(measure) * (start - target), LEAST_FALL)
        changed = direction(measure) * (start - course.of(goal.scale, goal.where)[:, week])
        shares.append(np.clip(changed / wanted, 0.0, 1.0).mean())
    return float(np.average(shares, weights=[goal.weight for goal in patient.goals]))
