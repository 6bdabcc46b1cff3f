"""Why this plan and not more: limits that bind, what loosening them would bring, in words."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from openbont.catalog.movements import functions
from openbont.catalog.muscles import base, side, words
from openbont.patient import Keep
from openbont.plan import Plan
from openbont.planning.choice import Best, Choice, choose
from openbont.planning.proposal import Binding

_RELAXED_U = 0.10
_RELAXED_STRENGTH = 0.05
_CLOSE = 0.02


def binding_limits(choice: Choice, best: Best) -> tuple[Binding, ...]:
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
    for number, (name, options, pick, most) in enumerate(
        zip(choice.muscles, choice.options_u, best.picks, choice.most, strict=True)
    ):
        if pick == 0 or pick < len(options) - 1:
            continue
        less = best.picks.copy()
        less[number] -= 1
        gain = best.value - choice.value(less)
        if gain > 1e-6:
            found.append(
                Binding(
                    f"{words(name)}: {most}",
                    f"its last {options[-1] - options[-2]:g} U added {gain:.3f} to the value",
                )
            )
    return found


def _function(keep: Keep) -> str:
    return f"{side(keep.function)} {functions()[base(keep.function)].words}".strip()


def reasons(plan: Plan, choice: Choice, best: Best, binding: Sequence[Binding]) -> str:
    """The proposal in sentences."""
    total = ", ".join(str(dose) for dose in plan.totals().values())
    lines = [
        f"With {total} {best.value + choice.price(best.picks):.0%} of the wanted change is there, "
        f"without toxin {choice.value(np.zeros_like(best.picks)):.0%} (mean of goals and draws, "
        "weeks 4, 8 and 12).",
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
