"""Other plans that a clinician would call different, each with what it gains and what it costs."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from openbont.catalog.muscles import base, side, words
from openbont.errors import NoPlan
from openbont.planning.choice import Aim, Best, Choice
from openbont.planning.judge import Judged
from openbont.planning.prepared import Prepared, Settled

_SIMILAR = 0.95
_MORE_STRENGTH = 0.1
_MOST_STRENGTH = 0.97
_LESS_SPILL = 0.5
_MOST = 3
_SEEN_UNITS, _SEEN_NEEDLES = 0.05, 2
_SEEN = 0.01
"""Differences below this many of the whole are not worth a word."""


@dataclass(frozen=True)
class Picked(Settled):
    """One answer with its name."""

    title: str = "Best within the limits"
    steps: int = 0
    """Steps taken by the full model after the exact choice."""
    aimed: bool = False
    """True where something else than the value was made best."""


def alternatives(prepared: Prepared, first: Picked) -> list[Picked]:
    """At most three that differ from the first and from each other, the most valuable first."""
    found: list[Picked] = []
    for make in _ways(prepared, first):
        if len(found) == _MOST:
            break
        with suppress(NoPlan):
            picked = make()
            if all(differ(one, picked) for one in (first, *found)):
                found.append(picked)
    return sorted(found, key=lambda one: -one.worth)


def differ(one: Picked, other: Picked) -> bool:
    """True where a clinician would see another plan: other muscles, units, needles or spill."""
    mine, theirs = one.best.picks, other.best.picks
    units = [picked.choice.units(picked.best.picks) for picked in (one, other)]
    needles = [picked.choice.needles(picked.best.picks) for picked in (one, other)]
    spill = [picked.judged.spill for picked in (one, other)]
    return (
        not np.array_equal(mine > 0, theirs > 0)
        or abs(units[0] - units[1]) >= _SEEN_UNITS * max(units)
        or abs(needles[0] - needles[1]) >= _SEEN_NEEDLES
        or abs(spill[0] - spill[1]) >= _SEEN
    )


def instead(first: Picked, other: Picked) -> str:
    """What another plan gains over the first and what it costs, in words."""
    pairs = list(_differences(first, other))
    gains = " and ".join(text for better, text in pairs if better) or "nothing"
    costs = " and ".join(text for better, text in pairs if not better) or "nothing"
    return f"gains {gains}; costs {costs}"


def _differences(first: Picked, other: Picked) -> Iterator[tuple[bool, str]]:
    """(is it better?, in words) for everything that can be seen."""
    units = other.choice.units(other.best.picks) - first.choice.units(first.best.picks)
    if abs(units) > 1e-6:
        yield units < 0, f"{abs(units):g} U {_way(units)}"
    needles = other.choice.needles(other.best.picks) - first.choice.needles(first.best.picks)
    if needles:
        noun = "needle" if abs(needles) == 1 else "needles"
        yield needles < 0, f"{abs(needles)} {noun} {_way(needles)}"
    effect = other.judged.effect - first.judged.effect
    if abs(effect) >= _SEEN / 2:
        yield effect > 0, f"{abs(effect):.1%} of the wanted effect"
    for number, keep in enumerate(first.choice.needs.keeps):
        kept = [picked.judged.kept[number] for picked in (first, other)]
        if abs(kept[1] - kept[0]) >= _SEEN:
            part = words(keep.function)
            yield kept[1] > kept[0], f"{abs(kept[1] - kept[0]):.0%} of the strength of {part}"
    for before, after in zip(first.judged.reached, other.judged.reached, strict=True):
        if abs(after.kept - before.kept) >= _SEEN:
            part = before.ceiling.words
            yield after.kept > before.kept, f"{abs(after.kept - before.kept):.0%} of {part}"


def _way(change: float) -> str:
    return "less" if change < 0 else "more"


def _ways(prepared: Prepared, first: Picked) -> Iterator[Callable[[], Picked]]:
    """Ways to another plan, the likeliest wish first."""
    choice, best = first.choice, first.best
    similar = min(_SIMILAR * first.worth, first.worth)

    def settled(title: str, some: Choice) -> Picked:
        found = prepared.settle(some)
        return Picked(found.best, found.choice, found.judged, title)

    def fewest(aim: Aim) -> Picked:
        found = prepared.fewest(choice, aim, similar)
        proof = replace(found.best, bound=best.bound)
        return Picked(proof, found.choice, found.judged, title[aim], aimed=True)

    share = f"for at least {_SIMILAR:.0%} of the value"
    title = {aim: f"Fewest {aim} {share}" for aim in ("units", "needles")}
    yield lambda: fewest("units")
    if choice.needs.keeps:
        least = first.judged.kept[:, None]
        floor = np.minimum(np.maximum(choice.needs.floor, least) + _MORE_STRENGTH, _MOST_STRENGTH)
        yield lambda: settled("Keeps about a tenth more strength", choice.with_floor(floor))
    if first.judged.spill > _SEEN:
        yield lambda: settled("Half the spill", _less_spill(choice, first.judged))
    yield lambda: fewest("needles")
    name, rest = _without_largest(choice, best)
    if not _same_on_both_sides(choice, best, name):
        yield lambda: settled(f"Without {words(name)}", rest)


def _less_spill(choice: Choice, judged: Judged) -> Choice:
    """Ceilings at half of what is captured now."""
    now = np.array([one.captured_u_per_cm3 for one in judged.reached])
    return choice.with_ceiling(np.minimum(choice.ceiling, _LESS_SPILL * now))


def _same_on_both_sides(choice: Choice, best: Best, name: str) -> bool:
    """True where the other side gets as much: nobody would leave one side out."""
    dose_u = {n: o[p] for n, o, p in zip(choice.muscles, choice.options_u, best.picks, strict=True)}
    other = f"{base(name)}.{'right' if side(name) == 'left' else 'left'}"
    return bool(dose_u.get(other) == dose_u[name])


def _without_largest(choice: Choice, best: Best) -> tuple[str, Choice]:
    """The same choice with only dose 0 for the muscle that gets most."""
    doses = [o[p] for o, p in zip(choice.options_u, best.picks, strict=True)]
    largest = int(np.argmax(doses))
    every = [np.arange(len(options)) for options in choice.options_u]
    every[largest] = every[largest][:1]
    return choice.muscles[largest], choice.only(tuple(every))
