"""A planning task made ready: every option run once, to be solved again and again.

Goals, floors, totals and ceilings only enter when a choice is built from the runs, so that a plan
after one change needs no run but the one that judges it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from openbont.catalog.muscles import SIDES, base, side
from openbont.errors import NoPlan
from openbont.forward.chain import Course
from openbont.forward.response import Tissue
from openbont.patient import Goal, Keep, Patient
from openbont.plan import Injection, Plan
from openbont.planning.alone import Alone, alone
from openbont.planning.choice import Aim, Best, Choice, Total, choose
from openbont.planning.judge import Judge, Judged
from openbont.planning.limits import Limits, StructureLimit, TotalLimit
from openbont.planning.objective import (
    STRENGTH_WEEKS,
    drive_of_runs,
    drivers,
    needs,
    plannable,
    readings,
    strength_by_structure,
)
from openbont.planning.options import Options, fits, options
from openbont.planning.spared import Ceiling, answers, ceilings, tightened
from openbont.planning.task import Task

MOST_RUNS = 40
"""Runs of one dilution; where a label names several dilutions, FEWER_RUNS each."""
FEWER_RUNS = 24
_ROUNDS = 8
_MARGIN, _CLOSE = 0.002, 1e-4

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Settled:
    """An answer to the exact problem that the full model finds within every limit."""

    best: Best
    choice: Choice
    judged: Judged

    @property
    def worth(self) -> float:
        """Value by the full model."""
        return self.judged.effect - self.choice.price(self.best.picks)


@dataclass(frozen=True)
class Prepared:
    """Options of every structure that may be injected, and what each does by itself."""

    task: Task
    options: dict[str, Options]
    runs: tuple[Alone, ...]
    """By number of the option; the first is no dose."""
    untreated: Course
    answers: np.ndarray
    """What each structure does when it captures a level of toxin (spared.py)."""

    def changed(
        self,
        goals: Sequence[Goal] | None = None,
        keep: Sequence[Keep] | None = None,
        limits: Limits | None = None,
    ) -> "Prepared":
        """The same runs for other goals, floors or limits; findings stay as they are."""
        patient = self.task.patient
        update = {"goals": goals, "keep": keep}
        told = {name: tuple(value) for name, value in update.items() if value is not None}
        task = replace(
            self.task,
            patient=patient.model_copy(update=told),
            limits=limits or self.task.limits,
        )
        return replace(self, task=task)

    @cached_property
    def tissue(self) -> Tissue:
        """All runs as one, (run, draw, day, structure)."""
        stacked = [run.response for run in self.runs]
        return Tissue(
            *(
                np.stack([getattr(one, name) for one in stacked])
                for name in ("twitch", "force", "drive", "jitter")
            )
        )

    def judge(self, choice: Choice) -> Judge:
        """Judges plans by the goals, floors and spared structures of a choice."""
        return Judge(self.task, choice.needs, choice.ceilings, self.untreated)

    def choice(self) -> Choice:
        """The exact problem for the goals, floors and limits of the task."""
        task = self.task
        goals = plannable(task.model, task.patient.goals)
        spared = ceilings(task.model, self.answers, task.patient, goals)
        muscles = self._candidates(goals, spared)
        numbers = {name: self._allowed(name) for name in muscles}
        index = {one.id: number for number, one in enumerate(task.model.structures)}
        where = [index[name] for name in muscles]
        reach_to = [index[one.structure] for one in spared]
        effect = drive_of_runs(task.model, goals, self.tissue)
        strength = [
            strength_by_structure(task.model, task.patient.keep, run, STRENGTH_WEEKS)
            for run in self.runs
        ]
        reach = [run.reach.mean(0) for run in self.runs]
        rows = list(zip(where, numbers.values(), strict=True))
        return Choice(
            muscles=tuple(muscles),
            options_u=tuple(self.options[name].dose_u[n] for name, n in numbers.items()),
            sites=tuple(self.options[name].sites[n] for name, n in numbers.items()),
            effect=tuple(effect[0, ..., i] - effect[np.array(n)][..., i] for i, n in rows),
            strength=tuple(np.stack([strength[k][..., i] for k in n]) for i, n in rows),
            spill=tuple(np.stack([reach[k][i, reach_to] for k in n]) for i, n in rows),
            rest=strength[0].sum(-1) - strength[0][..., where].sum(-1),
            totals=totals(task.patient, task.limits, muscles),
            needs=needs(task.patient, goals, task.model, self.untreated),
            ceilings=spared,
            most=tuple(
                f"at most {self._room(name).max_u:g} U {self._room(name).basis}" for name in muscles
            ),
        )

    def plan(self, choice: Choice, picks: np.ndarray) -> Plan:
        """The plan that picks stand for. Raises NoPlan when every dose is 0."""
        picked = zip(choice.muscles, choice.options_u, choice.sites, picks, strict=True)
        injections = [
            Injection(structure=name, dose_u=float(units[pick]), sites=int(sites[pick]))
            for name, units, sites, pick in picked
            if units[pick] > 0
        ]
        if not injections:
            raise NoPlan("no dose within the limits is worth its units")
        return self.task.plan(injections)

    def settle(self, choice: Choice) -> Settled:
        """Choose; where the full model finds a limit passed by spill, ask for more, choose again.

        Raises NoPlan when no choice keeps every limit.
        """
        judge = self.judge(choice)
        for _ in range(_ROUNDS):
            best = choose(choice)
            judged = judge(self.plan(choice, best.picks))
            if judged.within:
                return Settled(best, choice, judged)
            choice = _stricter(choice, judged)
        raise NoPlan("spill between muscles passes a limit in every plan that was tried")

    def fewest(self, choice: Choice, aim: Aim, least_worth: float) -> Settled:
        """The least of `aim` that is worth `least_worth` by the full model.

        Raises NoPlan when nothing that keeps every limit is worth as much.
        """
        judge, asked, found = self.judge(choice), min(least_worth, choose(choice).value), []
        for _ in range(_ROUNDS):
            try:
                best = choose(choice, asked, aim)
            except NoPlan:
                break
            judged = judge(self.plan(choice, best.picks))
            settled = Settled(best, choice, judged)
            if not judged.within:
                choice = _stricter(choice, judged)
            elif settled.worth >= least_worth - _CLOSE:
                found.append(settled)
            wanted = least_worth - settled.worth + best.value + _CLOSE
            if judged.within and abs(wanted - asked) < _CLOSE:
                break
            asked = wanted
        if not found:
            raise NoPlan(f"no plan within the limits is worth {least_worth:.3f}")
        return min(found, key=lambda one: one.choice.amount(one.best.picks, aim))

    def _candidates(self, goals: Sequence[Goal], spared: Sequence[Ceiling]) -> tuple[str, ...]:
        """Structures that drive any goal, may be injected and are not spared."""
        kept_out = {one.structure for one in spared}
        found = tuple(
            name
            for name in drivers(self.task.model, goals)
            if name in self.options and name not in kept_out
        )
        if not found:
            product = self.task.limits.product
            raise NoPlan(f"the label of {product} gives no dose for any muscle of these goals")
        return found

    def _allowed(self, name: str) -> list[int]:
        """Numbers of the options that the limits of the task allow; no dose always."""
        limit, some = self._room(name), self.options[name]
        pairs = list(zip(some.dose_u, some.sites, strict=True))
        dilution = self.task.dilution_u_per_ml
        return [
            number
            for number, (dose_u, sites) in enumerate(pairs)
            if not dose_u or fits(limit, self.task.limits, dose_u, sites, dilution)
        ]

    def _room(self, name: str) -> StructureLimit:
        limit = room(self.task.patient, self.task.limits, name)
        assert limit is not None
        return limit


def _stricter(choice: Choice, judged: Judged) -> Choice:
    """Higher floors and lower ceilings, by what spill between muscles took."""
    short = np.where(judged.short > 0, judged.short + _MARGIN, 0.0)
    return replace(
        choice.with_floor(choice.needs.floor + short),
        ceilings=tightened(choice.ceilings, judged.reached),
    )


def prepare(task: Task, open_to: Sequence[str], most: int = MOST_RUNS) -> Prepared:
    """Run every option of the structures of `open_to` that drive a reading and are not spared, one
    run for each number of an option."""
    driving = set(drivers(task.model, readings(task.model))) & set(open_to)
    curves = answers(task.model, task.limits.product)
    spared = ceilings(task.model, curves, task.patient, task.patient.goals)
    some = driving - {one.structure for one in spared}
    modelled = [one.id for one in task.model.structures if one.id in some]
    limit = {name: room(task.patient, task.limits, name) for name in modelled}
    every = {
        name: options(one, task.limits, task.dilution_u_per_ml, most)
        for name, one in limit.items()
        if one is not None
    }
    if not every:
        product = task.limits.product
        raise NoPlan(f"the label of {product} gives no dose for any muscle of these goals")
    count = max(len(one.dose_u) for one in every.values())
    plans = [_numbered(task, every, number) for number in range(count)]
    runs = alone(plans, task.patient, task.model)
    return Prepared(task, every, runs, task.run(plans[0]), curves)


def room(patient: Patient, allowed: Limits, name: str) -> StructureLimit | None:
    """What a proposal may give a structure: at a first treatment no more than a first dose."""
    limit = allowed.ceiling(name)
    if limit is None or limit.start_u is None or patient.history:
        return limit
    return limit.model_copy(update={"max_u": limit.start_u})


def totals(patient: Patient, allowed: Limits, muscles: Sequence[str]) -> tuple[Total, ...]:
    """Session, limb and rolling limits, the label's groups, what trials gave, a first dose."""
    everything = np.ones(len(muscles), bool)
    found = [
        Total(words, np.array([name in members for name in muscles]), one.max_u)
        for one in (*allowed.totals, *allowed.described_totals)
        for words, members in _members(one, muscles)
    ]
    if allowed.session_start_u is not None and not patient.history:
        first = f"a first treatment: at most {allowed.session_start_u:g} U"
        found.append(Total(first, everything, allowed.session_start_u))
    if allowed.rolling_left_u is not None:
        used = f", {allowed.rolling_used_u:g} U already given" if allowed.rolling_used_u else ""
        found.append(Total(f"{allowed.rolling_reason}{used}", everything, allowed.rolling_left_u))
    return tuple(total for total in found if total.members.any())


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


def _numbered(task: Task, every: dict[str, Options], number: int) -> Plan:
    """Option `number` of every structure, the last where there are fewer."""
    injections = []
    for name, some in every.items():
        pick = min(number, len(some.dose_u) - 1)
        dose_u, sites = float(some.dose_u[pick]), int(some.sites[pick])
        injections.append(Injection(structure=name, dose_u=dose_u, sites=sites))
    return task.plan(injections)
