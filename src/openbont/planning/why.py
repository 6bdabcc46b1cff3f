"""Why this plan and not more: limits that bind, what loosening them would bring, in words."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from openbont.catalog.movements import functions
from openbont.catalog.muscles import base, side, words
from openbont.patient import Keep
from openbont.plan import Plan
from openbont.planning.alternatives import Picked
from openbont.planning.choice import Best, Choice, choose
from openbont.planning.proposal import Binding

_RELAXED_U = 0.10
_RELAXED_STRENGTH = 0.05
_CLOSE = 0.02
_NEAR = 0.8


def binding_limits(choice: Choice, best: Best) -> tuple[Binding, ...]:
    """Limits that stand in the way of a better plan, with what loosening them would bring."""
    return (
        *_binding_totals(choice, best),
        *_binding_floors(choice, best),
        *_binding_ceilings(choice, best),
        *_binding_muscles(choice, best),
    )


def _binding_totals(choice: Choice, best: Best) -> list[Binding]:
    found = []
    for number, total in enumerate(choice.totals):
        if choice.used_u(total, best.picks) < (1 - _RELAXED_U) * total.max_u:
            continue
        looser = replace(total, max_u=(1 + _RELAXED_U) * total.max_u)
        totals = (*choice.totals[:number], looser, *choice.totals[number + 1 :])
        gain = choose(replace(choice, totals=totals)).value - best.bound
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
        gain = choose(choice.with_floor(looser)).value - best.bound
        if gain > 1e-6:
            found.append(
                Binding(
                    f"keep {_function(keep)} at {floor[number, 0]:.0%} or more",
                    f"{_RELAXED_STRENGTH:.0%} less strength would add {gain:.3f} to the value",
                )
            )
    return found


def _binding_ceilings(choice: Choice, best: Best) -> list[Binding]:
    """Spared structures that a better plan would reach too much."""
    found = []
    spilled = choice.spilled(best.picks)
    for number, one in enumerate(choice.ceilings):
        if spilled[number] < _NEAR * one.captured_u_per_cm3:
            continue
        looser = replace(one, captured_u_per_cm3=(1 + _RELAXED_U) * one.captured_u_per_cm3)
        ceilings = (*choice.ceilings[:number], looser, *choice.ceilings[number + 1 :])
        gain = choose(replace(choice, ceilings=ceilings)).value - best.bound
        if gain > 1e-6:
            found.append(
                Binding(
                    f"spare {one.words}: {one.least:.0%} of its answer is to stay",
                    f"{_RELAXED_U:.0%} more toxin there would add {gain:.3f} to the value",
                )
            )
    return found


def _binding_muscles(choice: Choice, best: Best) -> list[Binding]:
    """Muscles at the label's most whose last step still paid."""
    found = []
    for number, (name, options_u, pick, most) in enumerate(
        zip(choice.muscles, choice.options_u, best.picks, choice.most, strict=True)
    ):
        lower = np.flatnonzero(options_u < options_u[pick])
        if pick == 0 or options_u[pick] < options_u.max():
            continue
        less = best.picks.copy()
        less[number] = max(lower, key=lambda option: options_u[option])
        last_u = options_u[pick] - options_u[less[number]]
        gain = best.value - choice.value(less)
        if gain > 1e-6:
            found.append(
                Binding(
                    f"{words(name)}: {most}",
                    f"its last {last_u:g} U added {gain:.3f} to the value",
                )
            )
    return found


def _function(keep: Keep) -> str:
    return f"{side(keep.function)} {functions()[base(keep.function)].words}".strip()


def reasons(plan: Plan, picked: Picked, binding: Sequence[Binding], dilutions: str = "") -> str:
    """The proposal in sentences."""
    choice, best = picked.choice, picked.best
    total = ", ".join(str(dose) for dose in plan.totals().values())
    needles = choice.needles(best.picks)
    lines = [
        f"With {total} at {needles} site{'s' if needles > 1 else ''} "
        f"{best.value + choice.price(best.picks):.0%} of the wanted change is there, "
        f"without toxin {choice.value(np.zeros_like(best.picks)):.0%} (mean of goals and draws, "
        "weeks 4, 8 and 12).",
        f"No other doses within the limits are worth more than {best.bound:.3f} "
        f"(this plan {best.value:.3f}).",
    ]
    if picked.steps:
        steps = "one step" if picked.steps == 1 else f"{picked.steps} steps"
        lines.append(f"Moved {steps} from there, because spill between muscles also counts.")
    left_out = [
        words(name) for name, pick in zip(choice.muscles, best.picks, strict=True) if pick == 0
    ]
    if left_out:
        lines.append(f"Not injected: {', '.join(left_out)}; the units do more elsewhere.")
    if binding:
        lines.append(f"Held back by: {'; '.join(one.limit for one in binding)}.")
    else:
        lines.append("No limit holds it back: more units would cost more than they bring.")
    return " ".join([*lines, *kept_words(picked), *([dilutions] if dilutions else [])])


def kept_words(picked: Picked) -> list[str]:
    """The rule for functions to keep and for spared structures, and how each stands."""
    floors = [
        f"{_function(keep)} {least:.0%} (at least {keep.at_least:.0%})"
        for keep, least in zip(picked.choice.needs.keeps, picked.judged.kept, strict=True)
    ]
    spared = [
        f"{one.ceiling.words} {one.kept:.0%} (at least {one.ceiling.least:.0%}), "
        f"{one.captured_u_per_cm3:.2g} of at most {one.ceiling.captured_u_per_cm3:.2g} U/cm3"
        for one in picked.judged.reached
    ]
    told = []
    if floors:
        told.append(f"Mean strength kept in the worst of weeks 1 to 8: {', '.join(floors)}.")
    if spared:
        told.append(
            f"Spared, median answer kept in the worst of weeks 1 to 12: {'; '.join(spared)}."
        )
    return told
