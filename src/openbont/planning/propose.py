"""Propose plans: which muscles, how many units at how many sites, proven best, and why.

Doses come in steps and the response of a muscle to its own dose is a curve, so the problem is
discrete and is solved exactly (choice.py), over options that were run once (prepared.py). It counts
what each muscle's own dose does and what of it reaches spared structures; what muscles spill into
each other is then added by the full model over all draws, which must find every limit kept, and
by steps from there (polish.py).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from openbont.catalog.labels import MIDLINE
from openbont.catalog.model import model
from openbont.catalog.muscles import SIDES
from openbont.errors import BadInput, NoPlan
from openbont.evidence import cite
from openbont.forward.chain import Course
from openbont.patient import Goal, Keep, Patient
from openbont.plan import Injection, Plan
from openbont.planning.alternatives import Picked, alternatives, instead
from openbont.planning.eligibility import NO_EFFECT, without_effect
from openbont.planning.limits import Limits, limits
from openbont.planning.options import options
from openbont.planning.pattern import patterns
from openbont.planning.polish import Polished, polish
from openbont.planning.prepared import FEWER_RUNS, MOST_RUNS, Prepared, Settled, Tell, prepare, room
from openbont.planning.proposal import Binding, Proposal
from openbont.planning.task import Task, dilutions_u_per_ml, plan_of, refuse, stops
from openbont.planning.why import binding_limits, reasons

_AIMED = Binding(
    "another wish than the best value",
    "the first proposal is worth more; this one gives some of it for what it gains",
)


def propose(
    patient: Patient,
    product: str,
    on: date | None = None,
    draws: int = 32,
    seed: int = 1,
    tell: Tell = lambda words: None,
) -> list[Proposal]:
    """The best plan and up to three that a clinician would call different.

    `tell` hears what is being done. Raises NoPlan when the patient may not be treated or the
    limits leave nothing, NoEvidence for a disorder without a model, BadInput without goals.
    """
    if without_effect(patient.disorder.name):
        raise NoPlan(f"E12: {NO_EFFECT}")
    allowed = limits(patient, product, on)
    if allowed.pattern:
        return patterns(patient, allowed, draws, seed, tell)
    readies = prepared(patient, allowed, draws, seed, tell)
    tell("choosing doses and sites")
    found = [(ready, polished(ready)) for ready in readies]
    ready, first = max(found, key=lambda pair: pair[1].worth)
    tell("alternatives")
    others = alternatives(ready, first)
    untreated = ready.task.daily(ready.plan(first.choice, first.best.picks).untreated())
    told = _dilutions(found, first)
    proposals = [_proposal(ready, first, untreated, told)]
    proposals += [
        replace(_proposal(ready, one, untreated), instead=instead(first, one)) for one in others
    ]
    for proposal in proposals:
        refuse(proposal.plan, patient)
    return proposals


def prepared(
    patient: Patient,
    allowed: Limits,
    draws: int,
    seed: int,
    tell: Tell = lambda words: None,
    dilutions: Sequence[float] = (),
) -> list[Prepared]:
    """What every dose at every number of sites does, once for each dilution; by default those of
    the label."""
    open_to = allowed_structures(patient, allowed)
    if not patient.goals:
        raise BadInput("goals", "no goal to plan for", "add one, see docs/how-to")
    tell("building the model")
    built, dilutions = model(patient, draws, seed), dilutions or dilutions_u_per_ml(allowed)
    tell("what each dose does in each muscle")
    most = MOST_RUNS if len(dilutions) == 1 else FEWER_RUNS
    return [prepare(Task(patient, allowed, built, one), open_to, most) for one in dilutions]


def replan(
    ready: Prepared,
    goals: Sequence[Goal] | None = None,
    keep: Sequence[Keep] | None = None,
    limits: Limits | None = None,
) -> tuple[Plan, Settled]:
    """The best plan after goals, floors or limits changed, without running any option again."""
    changed = ready.changed(goals, keep, limits)
    found = changed.settle(changed.choice())
    return changed.plan(found.choice, found.best.picks), found


def polished(ready: Prepared) -> Picked:
    """The proven best, then steps by the full model."""
    found = ready.settle(ready.choice())
    choice, start = found.choice, Polished(found.best.picks, found.judged, 0)
    end = polish(ready, choice, start, lambda picks, seen: seen.effect - choice.price(picks))
    moved = replace(found.best, picks=end.picks, value=choice.value(end.picks))
    return Picked(moved, choice, end.judged, steps=end.steps)


def allowed_structures(patient: Patient, allowed: Limits) -> list[str]:
    """Structures with a most in units whose smallest dose `check` does not stop.

    Raises NoPlan with the reasons when every one is stopped, or when no most is known.
    """
    sides = [patient.disorder.side] if patient.disorder.side in SIDES else list(SIDES)
    named = dict.fromkeys(one.muscle for one in (*allowed.structures, *allowed.described))
    with_most = [name for name in named if room(patient, allowed, name) is not None]
    sided = [n if n in MIDLINE else f"{n}.{side}" for n in with_most for side in sides]
    found = [name for name in sided if not stops(_smallest(patient, allowed, name), patient)]
    if not sided:
        raise NoPlan(
            f"no label or trial of {allowed.product} that is known here gives a dose by muscle for "
            f"{allowed.disorder}, so none is proposed; write a plan and use check, simulate, report"
        )
    if not found:
        refuse(_smallest(patient, allowed, sided[0]), patient)
    return found


def _smallest(patient: Patient, allowed: Limits, name: str) -> Plan:
    """The least that could be injected there: is anything allowed at all?"""
    limit, dilution = room(patient, allowed, name), dilutions_u_per_ml(allowed)[0]
    assert limit is not None
    least = options(limit, allowed, dilution, 99)
    dose_u, sites = float(least.dose_u[1:2].sum()), int(least.sites[1:2].sum()) or 1
    injections = [Injection(structure=name, dose_u=dose_u, sites=sites)]
    return plan_of(patient, allowed, injections, dilution)


def _proposal(ready: Prepared, picked: Picked, untreated: Course, dilutions: str = "") -> Proposal:
    task, choice, best = ready.task, picked.choice, picked.best
    plan = ready.plan(choice, best.picks)
    binding = (_AIMED,) if picked.aimed else binding_limits(choice, best)
    return Proposal(
        title=picked.title,
        plan=plan,
        value=best.value,
        bound=best.bound,
        gap=best.gap,
        revalued=picked.worth,
        binding=binding,
        why=reasons(plan, picked, binding, dilutions),
        outcome=task.seen(task.daily(plan), untreated, plan),
        sources=tuple(cite(task.limits.sources, choice.ceilings, task.model.rests_on)),
        spill=picked.judged.reached,
    )


def _dilutions(found: Sequence[tuple[Prepared, Picked]], first: Picked) -> str:
    """The other dilutions of the label and what they would be worth."""
    others = [
        f"{ready.task.dilution_u_per_ml:g} U/mL ({picked.worth:.3f})"
        for ready, picked in found
        if picked is not first
    ]
    if not others:
        return ""
    return f"The label's other dilutions are worth less: {', '.join(others)}."
