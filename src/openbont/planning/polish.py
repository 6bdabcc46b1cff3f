"""One step of dose or sites at a time, by the full model: what the exact choice could not see.

The choice counts what each muscle's own dose does; here spill between muscles counts too. The
likeliest neighbours are tried first, and a bounded number of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from openbont.planning.choice import Choice
from openbont.planning.judge import Judged
from openbont.planning.prepared import Prepared

_TRIES = 12
_BETTER = 1e-4

Score = Callable[[np.ndarray, Judged], float]
"""Picks and what they do -> the higher the better."""


@dataclass(frozen=True)
class Polished:
    """Picks after some steps."""

    picks: np.ndarray
    judged: Judged
    steps: int


def polish(
    prepared: Prepared, choice: Choice, start: Polished, score: Score, tries: int = _TRIES
) -> Polished:
    """Climb by single steps that keep every limit, at most `tries` runs of the full model."""
    judge = prepared.judge(choice)
    at, tried = start, {tuple(start.picks)}
    while tries > 0:
        near = [n for n in neighbours(choice, at.picks) if tuple(n) not in tried and n.any()]
        near = [n for n in near if choice.allowed(n)]
        if not near:
            break
        likeliest = max(near, key=lambda picks: score(picks, _foreseen(choice, at, picks)))
        tried.add(tuple(likeliest))
        judged = judge(prepared.plan(choice, likeliest))
        tries -= 1
        better = score(likeliest, judged) > score(at.picks, at.judged) + _BETTER
        if judged.within and better:
            at = Polished(likeliest, judged, at.steps + 1)
    return at


def neighbours(choice: Choice, picks: np.ndarray) -> Iterator[np.ndarray]:
    """The next dose up and down in one muscle, at its number of sites, one less and one more."""
    for muscle, pick in enumerate(picks):
        for option in _beside(choice.options_u[muscle], choice.sites[muscle], int(pick)):
            step = picks.copy()
            step[muscle] = option
            yield step


def _beside(doses_u: np.ndarray, sites: np.ndarray, pick: int) -> set[int]:
    """Numbers of the options next to one."""
    found = set() if pick == 0 else {0}
    for count in np.unique(sites[1:]):
        if pick and abs(count - sites[pick]) > 1:
            continue
        same = [int(n) for n in np.flatnonzero((sites == count) & (doses_u > 0))]
        up = [n for n in same if doses_u[n] >= doses_u[pick] and n != pick]
        down = [n for n in same if doses_u[n] <= doses_u[pick] and n != pick]
        found |= {min(up, key=lambda n: doses_u[n])} if up else set()
        found |= {max(down, key=lambda n: doses_u[n])} if down else set()
    return found


def _foreseen(choice: Choice, at: Polished, picks: np.ndarray) -> Judged:
    """What a step would do if spill between muscles stayed as it is."""
    own = choice.value(picks) + choice.price(picks)
    before = choice.value(at.picks) + choice.price(at.picks)
    return replace(at.judged, effect=at.judged.effect + own - before)
