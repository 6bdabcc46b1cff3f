"""Propose plans: which muscles, how many units, proven best within the limits, and why.

Doses come in steps and the response of a muscle to its own dose is a curve, so the problem is
discrete and is solved exactly (choice.py). It counts what each muscle's own dose does; what spills
into neighbours is then added by the full model, which re-values every proposal over all draws and
must find the kept functions still above their floors.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date

import equinox as eqx
import numpy as np

from openbont.catalog.labels import MIDLINE
from openbont.catalog.model import model
from openbont.catalog.muscles import SIDES, base, side, words
from openbont.errors import BadInput, NoPlan
from openbont.evidence import cite
from openbont.forward.chain import Course
from openbont.patient import Goal, Patient
from openbont.plan import Plan
from openbont.planning.choice import Best, Choice, Total, choose
from openbont.planning.eligibility import NO_EFFECT, without_effect
from openbont.planning.limits import Limits, StructureLimit, TotalLimit, limits
from openbont.planning.objective import (
    STRENGTH_WEEKS,
    drive,
    drive_by_structure,
    drivers,
    kept_strength,
    needs,
    plannable,
    progress,
    strength_by_structure,
)
from openbont.planning.pattern import patterns
from openbont.planning.proposal import Binding, Proposal
from openbont.planning.task import Task, plan_of, refuse, spread_doses, stops
from openbont.planning.why import binding_limits, reasons

_STEPS_U = (5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0)
_SMALL_U, _SMALL_STEP_U, _SITE_STEP_U = 25.0, 2.5, 1.25
_MOST_STEPS = 14
_SIMILAR = 0.95
_MORE_STRENGTH = 0.1
_FEWER = Binding(
    f"at least {_SIMILAR:.0%} of the best value",
    "with more units it would be worth more, with fewer it would fall below",
)

Tell = Callable[[str], None]
Picked = tuple[str, Best, Choice]


def propose(
    patient: Patient,
    product: str,
    on: date | None = None,
    draws: int = 32,
    seed: int = 1,
    tell: Tell = lambda words: None,
) -> list[Proposal]:
    """The best plan and up to two that a clinician would call different.

    `tell` hears what is being done. Raises NoPlan when the patient may not be treated or the
    limits leave nothing, NoEvidence for a disorder without a model, BadInput without goals.
    """
    if without_effect(patient.disorder.name):
        raise NoPlan(f"E12: {NO_EFFECT}")
    allowed = limits(patient, product, on)
    if allowed.pattern:
        return patterns(patient, allowed, draws, seed, tell)
    open_to = allowed_structures(patient, allowed)
    if not patient.goals:
        raise BadInput("goals", "no goal to plan for", "add one, see docs/how-to")
    tell("building the model")
    task = Task(patient, allowed, model(patient, draws, seed))
    goals = plannable(task.model, patient.goals)
    muscles = candidates(task, goals, open_to)
    tell("what each dose does in each muscle")
    choice = dose_options(task, muscles, goals)
    tell("choosing doses")
    best, choice = _keeping_strength(task, choice)
    tell("alternatives")
    found = [("Best within the limits", best, choice), *_alternatives(choice, best)]
    proposals = [_proposal(task, *picked) for picked in found]
    for proposal in proposals:
        refuse(proposal.plan, patient)
    return proposals


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


def room(patient: Patient, allowed: Limits, name: str) -> StructureLimit | None:
    """What a proposal may give a structure: at a first treatment no more than a first dose."""
    limit = allowed.ceiling(name)
    if limit is None or limit.start_u is None or patient.history:
        return limit
    return limit.model_copy(update={"max_u": limit.start_u})


def candidates(
    task: Task, goals: Sequence[Goal], open_to: Sequence[str]
) -> dict[str, StructureLimit]:
    """Structures that drive any goal and may be injected, with what each may take."""
    acting = drivers(task.model, goals)
    found = {
        name: limit
        for name in acting
        if name in open_to and (limit := room(task.patient, task.limits, name)) is not None
    }
    if not found:
        raise NoPlan(
            f"the label of {task.limits.product} gives no dose for any muscle of these goals"
        )
    return found


def dose_options(task: Task, muscles: dict[str, StructureLimit], goals: Sequence[Goal]) -> Choice:
    """Run every dose option of all muscles at once, with no spill between them."""
    options = {name: _options_u(limit) for name, limit in muscles.items()}
    runs = _isolated_runs(task, options)
    index = [runs[0].structures.index(name) for name in muscles]
    effect = [drive_by_structure(task.model, goals, run) for run in runs]
    strength = [
        strength_by_structure(task.model, task.patient.keep, run, STRENGTH_WEEKS) for run in runs
    ]
    counts = [len(o) for o in options.values()]
    columns = list(zip(index, counts, strict=True))
    return Choice(
        muscles=tuple(muscles),
        options_u=tuple(options.values()),
        effect=tuple(
            np.stack([effect[0][..., i] - effect[k][..., i] for k in range(n)]) for i, n in columns
        ),
        strength=tuple(np.stack([strength[k][..., i] for k in range(n)]) for i, n in columns),
        rest=strength[0].sum(-1) - strength[0][..., index].sum(-1),
        totals=_totals(task.patient, task.limits, tuple(muscles)),
        needs=needs(task.patient, goals, task.model, runs[0]),
        most=tuple(f"at most {one.max_u:g} U {one.basis}" for one in muscles.values()),
    )


def picked_plan(task: Task, choice: Choice, picks: np.ndarray) -> Plan:
    """The plan that picks stand for. Raises NoPlan when every dose is 0."""
    doses_u = {
        name: float(options[pick])
        for name, options, pick in zip(choice.muscles, choice.options_u, picks, strict=True)
        if pick
    }
    if not doses_u:
        raise NoPlan("no dose within the limits is worth its units")
    return plan_of(task.patient, task.limits, spread_doses(doses_u, task.limits))


def revalue(task: Task, choice: Choice, picks: np.ndarray) -> float:
    """Value by the full model, spill between muscles included."""
    course = task.run(picked_plan(task, choice, picks))
    fall = choice.needs.untreated - drive(task.model, choice.needs.goals, course)
    return progress(choice.needs, fall) - choice.price(picks)


def _options_u(limit: StructureLimit) -> np.ndarray:
    """0 and the doses from the label's least to its most, in steps that a syringe can measure."""
    least, most = limit.min_u or 0.0, limit.max_u or 0.0
    step = next(s for s in _steps_u(limit, most) if (most - least) / s <= _MOST_STEPS)
    first = math.ceil(max(least, step) / step - 1e-9) * step
    stated = [least] if least and limit.basis == "in the label" else []
    return np.unique([0.0, *np.arange(first, most + 1e-9, step), *stated])


def _steps_u(limit: StructureLimit, most: float) -> tuple[float, ...]:
    """Steps to choose from, finest first; equal sites where the label fixes their number."""
    if limit.sites_min and limit.sites_min == limit.sites_max and most <= _SMALL_U:
        return (_SITE_STEP_U * limit.sites_min, *_STEPS_U)
    return _STEPS_U if most > _SMALL_U else (_SMALL_STEP_U, *_STEPS_U)


def _isolated_runs(task: Task, options: dict[str, np.ndarray]) -> list[Course]:
    """One run for each number of option, all muscles together, nothing passing between them."""
    apart = np.where(task.model.body.passage > 0, 3.0, 0.0)
    islands = replace(task, model=eqx.tree_at(lambda m: m.body.passage, task.model, apart))
    runs = []
    for number in range(max(map(len, options.values()))):
        doses_u = {name: float(o[min(number, len(o) - 1)]) for name, o in options.items()}
        injections = spread_doses(doses_u, task.limits)
        runs.append(islands.run(plan_of(task.patient, task.limits, injections)))
    return runs


def _smallest(patient: Patient, allowed: Limits, name: str) -> Plan:
    """The least that could be injected there: is anything allowed at all?"""
    limit = room(patient, allowed, name)
    least_u = float(_options_u(limit)[1]) if limit is not None else 0.0
    return plan_of(patient, allowed, spread_doses({name: least_u}, allowed))


def _totals(patient: Patient, allowed: Limits, muscles: tuple[str, ...]) -> tuple[Total, ...]:
    """Session, limb and rolling limits, the label's groups, what trials gave, a first dose."""
    everything = np.ones(len(muscles), bool)
    totals = [
        Total(words, np.array([name in members for name in muscles]), one.max_u)
        for one in (*allowed.totals, *allowed.described_totals)
        for words, members in _members(one, muscles)
    ]
    if allowed.session_start_u is not None and not patient.history:
        first = f"a first treatment: at most {allowed.session_start_u:g} U"
        totals.append(Total(first, everything, allowed.session_start_u))
    if allowed.rolling_left_u is not None:
        used = f", {allowed.rolling_used_u:g} U already given" if allowed.rolling_used_u else ""
        totals.append(Total(f"{allowed.rolling_reason}{used}", everything, allowed.rolling_left_u))
    return tuple(total for total in totals if total.members.any())


def _members(total: TotalLimit, muscles: Sequence[str]) -> list[tuple[str, list[str]]]:
    """The structures that count together under a total; each side by itself where it says so."""
    counted = [name for name in muscles if not total.muscles or base(name) in total.muscles]
    if not total.each_side:
        return [(total.reason, counted)]
    return [
        (total.reason, members)
        for members in ([name for name in counted if side(name) in (one, "")] for one in SIDES)
        if members
    ]


def _keeping_strength(task: Task, choice: Choice) -> tuple[Best, Choice]:
    """Choose; where spill takes a function below its floor, ask for more and choose again."""
    wanted = choice.needs.floor
    for _ in range(6):
        best = choose(choice)
        if not choice.needs.keeps:
            return best, choice
        course = task.run(picked_plan(task, choice, best.picks))
        kept = kept_strength(task.model, choice.needs.keeps, course, STRENGTH_WEEKS)
        short = np.maximum(wanted - kept.min(axis=1, keepdims=True), 0.0)
        if short.max() <= 1e-6:
            return best, choice
        choice = choice.with_floor(choice.needs.floor + short + 0.002)
    raise NoPlan("spill between muscles takes a kept function below its floor in every plan")


def _alternatives(choice: Choice, best: Best) -> list[Picked]:
    """Fewer units for nearly the same; more strength kept. At most two that differ."""
    found: list[Picked] = []
    fewer = choose(choice, least_value=_SIMILAR * best.value if best.value > 0 else best.value)
    title = f"Fewest units for at least {_SIMILAR:.0%} of the value"
    found.append((title, replace(fewer, bound=best.bound), choice))
    if choice.needs.keeps:
        room = choice.kept(best.picks).min(axis=1, keepdims=True)
        floor = np.maximum(choice.needs.floor, room) + _MORE_STRENGTH
        gentle = choice.with_floor(np.minimum(floor, 0.97))
        with suppress(NoPlan):
            found.append(("Keeps about a tenth more strength", choose(gentle), gentle))
    name, rest = _without_largest(choice, best)
    if not _same_on_both_sides(choice, best, name):
        found.append((f"Without {words(name)}", choose(rest), rest))
    return _different(found, best)[:2]


def _different(found: Sequence[Picked], best: Best) -> list[Picked]:
    """Those with doses of their own."""
    seen, different = {tuple(best.picks)}, []
    for picked in found:
        doses = tuple(picked[1].picks)
        if doses not in seen and any(doses):
            seen.add(doses)
            different.append(picked)
    return different


def _same_on_both_sides(choice: Choice, best: Best, name: str) -> bool:
    """True where the other side gets as much: nobody would leave one side out."""
    dose_u = {n: o[p] for n, o, p in zip(choice.muscles, choice.options_u, best.picks, strict=True)}
    other = f"{base(name)}.{'right' if side(name) == 'left' else 'left'}"
    return bool(dose_u.get(other) == dose_u[name])


def _without_largest(choice: Choice, best: Best) -> tuple[str, Choice]:
    """The same choice with only dose 0 for the muscle that gets most."""
    doses = [o[p] for o, p in zip(choice.options_u, best.picks, strict=True)]
    largest = int(np.argmax(doses))

    def cut(rows: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        return tuple(row[:1] if i == largest else row for i, row in enumerate(rows))

    options_u, effect, strength = map(cut, (choice.options_u, choice.effect, choice.strength))
    rest = replace(choice, options_u=options_u, effect=effect, strength=strength)
    return choice.muscles[largest], rest


def _proposal(task: Task, title: str, best: Best, choice: Choice) -> Proposal:
    plan = picked_plan(task, choice, best.picks)
    _, _, seen = task.follow(plan)
    binding = binding_limits(choice, best) if best.proven else (_FEWER,)
    return Proposal(
        title=title,
        plan=plan,
        value=best.value,
        bound=best.bound,
        gap=best.gap,
        revalued=revalue(task, choice, best.picks),
        binding=binding,
        why=reasons(plan, choice, best, binding),
        outcome=seen,
        sources=tuple(cite(task.limits.sources, task.model.rests_on)),
    )
