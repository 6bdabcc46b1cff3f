"""Propose plans: which muscles, how many units, proven best within the limits, and why.

Doses come in steps and the response of a muscle to its own dose is a curve, so the problem is
discrete and is solved exactly (choice.py). It counts what each muscle's own dose does; what spills
into neighbours is then added by the full model, which re-values every proposal over all draws and
must find the kept functions still above their floors.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date

import equinox as eqx
import numpy as np

from openbont.catalog.model import model as build_model
from openbont.catalog.movements import functions, movements
from openbont.catalog.muscles import base, side, words
from openbont.catalog.products import product as find_product
from openbont.errors import BadInput, NoPlan
from openbont.evidence import Source, cite
from openbont.forward.chain import Course, Model, simulate
from openbont.forward.outcome import Outcome, measure_of, outcome, target_of
from openbont.patient import Goal, Keep, Patient
from openbont.plan import Injection, Plan, Session
from openbont.planning.check import Finding, check
from openbont.planning.choice import Best, Choice, Total, choose
from openbont.planning.limits import Limits, StructureLimit, limits
from openbont.planning.objective import (
    LEAST_FALL,
    STRENGTH_WEEKS,
    WEEKS,
    kept_strength,
    needs,
    progress,
    reflex_by_structure,
    reflex_drive,
    strength_by_structure,
)

MOST_OPTIONS = 16
_STEPS_U = (5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0)
_SMALL_U, _SMALL_STEP_U = 25.0, 2.5
_OUTCOME_DAYS = range(169)
_PLANNING_DAYS = [0, *(7 * week for week in sorted({*WEEKS, *STRENGTH_WEEKS}))]
_SIMILAR = 0.95
_USUAL_DILUTION_U_PER_ML = 50.0

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Binding:
    """A limit that holds the plan back."""

    limit: str
    words: str


@dataclass(frozen=True)
class Proposal:
    """A plan with its value, the proof, and what stands in the way of more."""

    title: str
    plan: Plan
    value: float
    """Share of the wanted effect, minus the price on units; own effect of each muscle."""
    bound: float
    """No plan within the limits is worth more."""
    gap: float
    revalued: float
    """The same by the full model, spill between muscles included."""
    binding: tuple[Binding, ...]
    why: str
    outcome: Outcome
    sources: tuple[Source, ...]


def propose(
    patient: Patient,
    product: str,
    on: date | None = None,
    draws: int = 32,
    seed: int = 1,
    progress: Progress | None = None,
) -> list[Proposal]:
    """The best plan and up to two that a clinician would call different.

    Raises NoPlan when the patient may not be treated or the limits leave nothing, NoEvidence for
    a disorder without a model, BadInput without goals.
    """
    tell = progress or (lambda words: None)
    allowed = limits(patient, product, on)
    if allowed.pattern:
        return _patterns(patient, allowed, draws, seed, tell)
    return _chosen(patient, allowed, draws, seed, tell)


# --- doses are chosen ---------------------------------------------------------------------------


def _chosen(
    patient: Patient, allowed: Limits, draws: int, seed: int, tell: Progress
) -> list[Proposal]:
    goals = _goals(patient)
    muscles = candidates(patient, allowed, goals)
    _refuse(_plan(patient, allowed, muscles, _smallest(muscles)), patient)
    tell("building the model")
    model = build_model(patient, draws, seed)
    tell("what each dose does in each muscle")
    choice = dose_options(patient, allowed, model, muscles, goals)
    tell("choosing doses")
    best, choice = _keeping(patient, allowed, model, choice)
    found = [("Best within the limits", best, choice)]
    tell("alternatives")
    found += _alternatives(choice, best)
    proposals = [
        _proposal(title, picked, used, patient, allowed, model) for title, picked, used in found
    ]
    for proposal in proposals:
        _refuse(proposal.plan, patient)
    return proposals


def _goals(patient: Patient) -> list[Goal]:
    goals = [goal for goal in patient.goals if base(goal.where) in movements()]
    if not goals:
        raise BadInput(
            "goals",
            "no goal to plan for",
            "add a goal such as {scale: MAS, where: ..., at_most: 1}",
        )
    return goals


def candidates(
    patient: Patient, allowed: Limits, goals: Sequence[Goal]
) -> dict[str, StructureLimit]:
    """Muscles of the goals' movements that the label gives a dose for, on the affected side."""
    acting = [name for goal in goals for name in movements()[base(goal.where)].weights]
    found = {
        f"{name}.{patient.disorder.side}": limit
        for name in dict.fromkeys(acting)
        if (limit := allowed.structure(name)) is not None and limit.max_u is not None
    }
    if not found:
        raise NoPlan(f"the label of {allowed.product} gives no dose for any muscle of these goals")
    return found


def _options_u(limit: StructureLimit) -> np.ndarray:
    """0 and the doses from the label's least to its most, in steps that a syringe can measure."""
    most = limit.max_u or 0.0
    least = limit.min_u or 0.0
    steps = _STEPS_U if most > _SMALL_U else (_SMALL_STEP_U, *_STEPS_U)
    step = next(s for s in steps if (most - least) / s <= MOST_OPTIONS - 2)
    first = math.ceil(max(least, step) / step - 1e-9) * step
    return np.unique([0.0, *np.arange(first, most + 1e-9, step), *([least] if least else [])])


def _sites(limit: StructureLimit) -> int:
    """Enough sites for the largest dose, within the label's count."""
    needed = math.ceil((limit.max_u or 0.0) / limit.site_max_u) if limit.site_max_u else 1
    least, most = int(limit.sites_min or 1), int(limit.sites_max or max(needed, 1))
    return max(least, min(needed, most), 1)


def dose_options(
    patient: Patient,
    allowed: Limits,
    model: Model,
    muscles: dict[str, StructureLimit],
    goals: Sequence[Goal],
) -> Choice:
    """Run every dose option of all muscles at once, with no spill between them."""
    options = {name: _options_u(limit) for name, limit in muscles.items()}
    islands = eqx.tree_at(
        lambda m: m.body.passage, model, np.where(model.body.passage > 0, 3.0, 0.0)
    )
    runs = []
    for number in range(max(map(len, options.values()))):
        doses = {name: float(o[min(number, len(o) - 1)]) for name, o in options.items()}
        runs.append(
            simulate(_plan(patient, allowed, muscles, doses), patient, islands, _PLANNING_DAYS)
        )
    untreated = runs[0]
    wanted = needs(patient, goals, model, untreated)
    index = [untreated.structures.index(name) for name in muscles]
    reflex = [reflex_by_structure(model, goals, run) for run in runs]
    strength = [strength_by_structure(model, patient.keep, run, STRENGTH_WEEKS) for run in runs]
    counts = [len(o) for o in options.values()]
    return Choice(
        muscles=tuple(muscles),
        options_u=tuple(options.values()),
        reflex=tuple(
            np.stack([reflex[0][..., i] - reflex[k][..., i] for k in range(n)])
            for i, n in zip(index, counts, strict=True)
        ),
        strength=tuple(
            np.stack([strength[k][..., i] for k in range(n)])
            for i, n in zip(index, counts, strict=True)
        ),
        rest=strength[0].sum(-1) - strength[0][..., index].sum(-1),
        totals=_totals(allowed, tuple(muscles)),
        needs=wanted,
    )


def _totals(allowed: Limits, muscles: tuple[str, ...]) -> tuple[Total, ...]:
    """Session, limb and rolling limits, and the label's groups."""
    everything = np.ones(len(muscles), bool)
    totals = [
        Total(
            one.reason,
            np.array([not one.muscles or base(name) in one.muscles for name in muscles]),
            one.max_u,
        )
        for one in allowed.totals
    ]
    if allowed.rolling_left_u is not None:
        used = f", {allowed.rolling_used_u:g} U already given" if allowed.rolling_used_u else ""
        totals.append(Total(f"{allowed.rolling_reason}{used}", everything, allowed.rolling_left_u))
    return tuple(total for total in totals if total.members.any())


def _keeping(
    patient: Patient, allowed: Limits, model: Model, choice: Choice
) -> tuple[Best, Choice]:
    """Choose; where spill takes a function below its floor, ask for more and choose again."""
    wanted = choice.needs.floor
    for _ in range(6):
        best = choose(choice)
        course = _run(patient, allowed, model, choice, best)
        kept = kept_strength(model, patient.keep, course, STRENGTH_WEEKS)
        short = np.maximum(wanted - kept.min(axis=1, keepdims=True), 0.0) if kept.size else kept
        if not short.size or short.max() <= 1e-6:
            return best, choice
        choice = choice.with_floor(choice.needs.floor + short + 0.002)
    raise NoPlan("spill between muscles takes a kept function below its floor in every plan")


def _alternatives(choice: Choice, best: Best) -> list[tuple[str, Best, Choice]]:
    """Fewer units for nearly the same; more strength kept. Only those that differ."""
    found: list[tuple[str, Best, Choice]] = []
    fewer = choose(choice, least_value=_SIMILAR * best.value if best.value > 0 else best.value)
    fewer = replace(fewer, bound=best.bound)
    found.append((f"Fewest units for at least {_SIMILAR:.0%} of the value", fewer, choice))
    if choice.needs.keeps:
        room = choice.kept(best.picks).min(axis=1, keepdims=True)
        gentle = choice.with_floor(np.minimum(np.maximum(choice.needs.floor, room) + 0.1, 0.97))
        with suppress(NoPlan):
            found.append(("Keeps about a tenth more strength", choose(gentle), gentle))
    if len(found) < 2 or _same(found[-1][1], best):
        without = _without_largest(choice, best)
        found.append((f"Without {words(without[0])}", choose(without[1]), without[1]))
    seen = [best]
    different = []
    for title, picked, used in found:
        if not any(_same(picked, other) for other in seen):
            seen.append(picked)
            different.append((title, picked, used))
    return different[:2]


def _same(one: Best, other: Best) -> bool:
    return bool((one.picks == other.picks).all())


def _without_largest(choice: Choice, best: Best) -> tuple[str, Choice]:
    """The same choice with only dose 0 for the muscle that gets most."""
    doses = [o[p] for o, p in zip(choice.options_u, best.picks, strict=True)]
    largest = int(np.argmax(doses))

    def cut(rows: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        return tuple(row[:1] if i == largest else row for i, row in enumerate(rows))

    return choice.muscles[largest], replace(
        choice,
        options_u=cut(choice.options_u),
        reflex=cut(choice.reflex),
        strength=cut(choice.strength),
    )


def _proposal(
    title: str, best: Best, choice: Choice, patient: Patient, allowed: Limits, model: Model
) -> Proposal:
    plan = _picked_plan(patient, allowed, choice, best)
    course = simulate(plan, patient, model, _OUTCOME_DAYS)
    untreated = simulate(plan.untreated(), patient, model, _OUTCOME_DAYS)
    fall = choice.needs.untreated - reflex_drive(model, choice.needs.goals, course)
    binding = _binding(choice, best) if best.gap <= _PROVEN else _FEWER
    return Proposal(
        title=title,
        plan=plan,
        value=best.value,
        bound=best.bound,
        gap=best.gap,
        revalued=progress(choice.needs, fall) - choice.price(best.picks),
        binding=binding,
        why=_why(plan, choice, best, binding),
        outcome=outcome(course, untreated, plan, patient, allowed.interval_min_weeks),
        sources=tuple(cite(allowed.sources, model.rests_on)),
    )


_PROVEN = 1e-5
_FEWER = (
    Binding(
        f"at least {_SIMILAR:.0%} of the best value",
        "with more units it would be worth more, with fewer it would fall below",
    ),
)
_RELAXED_U = 0.10
_RELAXED_STRENGTH = 0.05
_CLOSE = 0.02


def _binding(choice: Choice, best: Best) -> tuple[Binding, ...]:
    """Limits that stand in the way of a better plan, with what loosening them would bring."""
    return (
        *_binding_totals(choice, best),
        *_binding_floors(choice, best),
        *_binding_muscles(choice, best),
    )


def _binding_totals(choice: Choice, best: Best) -> list[Binding]:
    found = []
    for number, total in enumerate(choice.totals):
        looser = replace(total, max_u=(1 + _RELAXED_U) * total.max_u)
        totals = (*choice.totals[:number], looser, *choice.totals[number + 1 :])
        gain = choose(replace(choice, totals=totals)).value - best.value
        if gain > 1e-6:
            found.append(
                Binding(total.words, f"{_RELAXED_U:.0%} more would add {gain:.3f} to the value")
            )
    return found


def _binding_floors(choice: Choice, best: Best) -> list[Binding]:
    found = []
    floor = choice.needs.floor
    for number, keep in enumerate(choice.needs.keeps):
        if choice.kept(best.picks)[number].min() > floor[number, 0] + _CLOSE:
            continue
        looser = floor.copy()
        looser[number] -= _RELAXED_STRENGTH
        gain = choose(choice.with_floor(looser)).value - best.value
        if gain > 1e-6:
            found.append(
                Binding(
                    f"keep {_function(keep)} at {floor[number, 0]:.0%} or more",
                    f"{_RELAXED_STRENGTH:.0%} less strength would add {gain:.3f} to the value",
                )
            )
    return found


def _binding_muscles(choice: Choice, best: Best) -> list[Binding]:
    """Muscles at the label's most whose last step still paid."""
    found = []
    for number, (name, options, pick) in enumerate(
        zip(choice.muscles, choice.options_u, best.picks, strict=True)
    ):
        if pick == 0 or pick < len(options) - 1:
            continue
        less = best.picks.copy()
        less[number] -= 1
        gain = best.value - choice.value(less)
        if gain > 1e-6:
            found.append(
                Binding(
                    f"{words(name)}: at most {options[-1]:g} U in the label",
                    f"its last {options[-1] - options[-2]:g} U added {gain:.3f} to the value",
                )
            )
    return found


def _function(keep: Keep) -> str:
    return f"{side(keep.function)} {functions()[base(keep.function)].words}".strip()


def _why(plan: Plan, choice: Choice, best: Best, binding: Sequence[Binding]) -> str:
    """The proposal in sentences."""
    total = ", ".join(str(dose) for dose in plan.totals().values())
    lines = [
        f"With {total} in {len(plan.sessions[0].injections)} muscles "
        f"{best.value + choice.price(best.picks):.0%} of the wanted loss of stretch reflex is "
        f"there, without toxin {choice.value(np.zeros_like(best.picks)):.0%} (mean of "
        f"{len(choice.needs.goals)} goals, weeks 4, 8 and 12).",
        f"No other doses within the limits are worth more than {best.bound:.3f} "
        f"(this plan {best.value:.3f}).",
    ]
    left_out = [
        words(name) for name, pick in zip(choice.muscles, best.picks, strict=True) if pick == 0
    ]
    if left_out:
        lines.append(f"Not injected: {', '.join(left_out)}; the units do more elsewhere.")
    if binding:
        lines.append(f"Held back by: {'; '.join(one.limit for one in binding)}.")
    else:
        lines.append("No limit holds it back: more units would cost more than they bring.")
    return " ".join(lines)


# --- plans --------------------------------------------------------------------------------------


def _plan(
    patient: Patient,
    allowed: Limits,
    muscles: dict[str, StructureLimit],
    doses_u: dict[str, float],
) -> Plan:
    injections = [
        Injection(structure=name, dose_u=doses_u[name], sites=_sites(limit))
        for name, limit in muscles.items()
        if name in doses_u
    ]
    return _planned(patient, allowed, injections)


def _planned(patient: Patient, allowed: Limits, injections: Sequence[Injection]) -> Plan:
    session = Session(
        product=allowed.product,
        injections=tuple(injections),
        dilution_u_per_ml=_dilution(allowed),
    )
    return Plan(
        patient=patient.id,
        disorder=patient.disorder.name,
        date=allowed.on,
        sessions=(session,),
    )


def _dilution(allowed: Limits) -> float:
    """The label's strongest solution, or the product's own; the usual one when none is named."""
    own = find_product(allowed.product).solution_u_per_ml
    return own or max(allowed.dilutions_u_per_ml, default=_USUAL_DILUTION_U_PER_ML)


def _smallest(muscles: dict[str, StructureLimit]) -> dict[str, float]:
    """The least that could be injected: is anything allowed at all?"""
    name = next(iter(muscles))
    return {name: float(_options_u(muscles[name])[1])}


def _picked_plan(patient: Patient, allowed: Limits, choice: Choice, best: Best) -> Plan:
    muscles = _limits_of(choice.muscles, allowed)
    doses = {
        name: float(options[pick])
        for name, options, pick in zip(choice.muscles, choice.options_u, best.picks, strict=True)
        if pick
    }
    if not doses:
        raise NoPlan("no dose within the limits is worth its units")
    return _plan(patient, allowed, muscles, doses)


def _limits_of(names: Sequence[str], allowed: Limits) -> dict[str, StructureLimit]:
    found = {name: allowed.structure(name) for name in names}
    return {name: limit for name, limit in found.items() if limit is not None}


def _run(patient: Patient, allowed: Limits, model: Model, choice: Choice, best: Best) -> Course:
    plan = _picked_plan(patient, allowed, choice, best)
    return simulate(plan, patient, model, _PLANNING_DAYS)


def _refuse(plan: Plan, patient: Patient) -> None:
    """Raises NoPlan with the reasons when `check` stops the plan."""
    if stops := _stops(plan, patient):
        reasons = "; ".join(f"{one.rule}: {one.reason}" for one in stops)
        raise NoPlan(f"{patient.id} is not to be treated as asked: {reasons}")


def _stops(plan: Plan, patient: Patient) -> list[Finding]:
    return [finding for finding in check(plan, patient) if finding.level == "stop"]


# --- the label fixes the pattern ----------------------------------------------------------------


def _patterns(
    patient: Patient, allowed: Limits, draws: int, seed: int, tell: Progress
) -> list[Proposal]:
    """The label's fixed pattern, and what may be added where the pain is."""
    found = [("The label's pattern", _with_extras(patient, allowed, ()))]
    _refuse(found[0][1], patient)
    painful = [r.where for r in patient.findings if r.scale == "pain_predominant"]
    everywhere = [f"{one.muscle}.{s}" for one in allowed.extras for s in ("left", "right")]
    if allowed.extras and painful:
        title = "Pattern and additions where the pain is worst (not in the US label)"
        found.append((title, _with_extras(patient, allowed, painful)))
    if allowed.extras:
        title = "Pattern and additions on both sides (not in the US label)"
        found.append((title, _with_extras(patient, allowed, everywhere)))
    tell("building the model")
    model = build_model(patient, draws, seed)
    tell("predicting each pattern")
    return [
        _pattern(title, plan, patient, allowed, model)
        for title, plan in found
        if not _stops(plan, patient)
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
                structure=one.structure, dose_u=one.dose_u + more_u, sites=one.sites + more_sites
            )
        )
    return _planned(patient, allowed, injections)


def _pattern(title: str, plan: Plan, patient: Patient, allowed: Limits, model: Model) -> Proposal:
    course = simulate(plan, patient, model, _OUTCOME_DAYS)
    untreated = simulate(plan.untreated(), patient, model, _OUTCOME_DAYS)
    value = _reached(patient, course, untreated)
    alone = _reached(patient, untreated, untreated)
    total = next(iter(plan.totals().values()))
    sites = sum(injection.sites for injection in plan.sessions[0].injections)
    fixed_u = sum(one.dose_u for one in allowed.pattern)
    binding = Binding(
        f"the label fixes the pattern: {fixed_u:g} U in {sum(o.sites for o in allowed.pattern)} "
        "sites",
        "doses and sites are not chosen, so value and bound are the same",
    )
    return Proposal(
        title=title,
        plan=plan,
        value=value,
        bound=value,
        gap=0.0,
        revalued=value,
        binding=(binding,),
        why=f"With {total} in {sites} sites {value:.0%} of the wanted change is there in weeks 9 "
        f"to 12, without toxin {alone:.0%}.",
        outcome=outcome(course, untreated, plan, patient, allowed.interval_min_weeks),
        sources=tuple(
            cite(allowed.sources, [one.sources for one in allowed.extras], model.rests_on)
        ),
    )


def _reached(patient: Patient, course: Course, baseline: Course) -> float:
    """Weighted mean, over goals and draws, of the part of the wanted change seen by week 12."""
    week = np.searchsorted(course.day, 84.0)
    shares = []
    for goal in patient.goals:
        start = baseline.of(goal.scale, goal.where)[:, 0]
        target = target_of(goal, measure_of(course, goal), patient)
        wanted = np.maximum(start - target, LEAST_FALL)
        changed = start - course.of(goal.scale, goal.where)[:, week]
        shares.append(np.clip(changed / wanted, 0.0, 1.0).mean())
    return float(np.average(shares, weights=[goal.weight for goal in patient.goals]))
