"""The patient's page, in plain words: what is injected and why, what to expect, whom to call.

A forecast is told only where the model may be trusted with it; else what labels say is told. A
plan that a rule stops has no such page: the rule is the answer.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import numpy as np

from openbont.catalog.leaflet import (
    Advice,
    Talk,
    boxed,
    everyone,
    personal,
    plain_functions,
    plain_places,
    talk,
)
from openbont.catalog.muscles import base, side, words
from openbont.catalog.products import product as find_product
from openbont.clinic.nouns import Person
from openbont.errors import NoPlan
from openbont.evidence import cite
from openbont.patient import Patient
from openbont.plan import Plan, Session
from openbont.planning.limits import limits
from openbont.planning.rules import Finding
from openbont.report.content import NOTICE, printable
from openbont.report.sheet import paper_id
from openbont.report.tables import Content, distinct
from openbont.report.words import day, listed

if TYPE_CHECKING:  # the chain needs jax; a page only reads its results
    from openbont.forward.chain import Course
    from openbont.forward.outcome import Band, Outcome

TEMPLATES = ("paper.typ", "leaflet.typ")
_NEAR_BEST = 0.8
_CLEAR = 0.05
"""Shares of people below this, or as near to all, are not counted in tenths."""


@dataclass(frozen=True)
class Felt:
    """When the goal that weighs most is noticeably better than without toxin."""

    words: str
    share: float
    """Share of draws that ever notice it."""
    first: tuple[int, int, int]
    last: tuple[int, int, int]
    """Weeks: lowest, median and highest of the central 90 % of those who notice it."""
    best: tuple[int, int]
    """First and last week in which the median gain is near its best."""
    followed: int
    """Last week of the forecast."""


@dataclass(frozen=True)
class Forecast:
    """What a page tells of a prediction."""

    outcome: "Outcome"
    felt: Felt | None


def forecast(course: "Course", untreated: "Course", outcome: "Outcome") -> Forecast:
    """What is told of a course beside the same without toxin."""
    from openbont.forward.outcome import direction

    asked = [goal for goal in outcome.goals if goal.words]
    if not asked:
        return Forecast(outcome, None)
    goal = max(asked, key=lambda one: (one.weight, one.gain.weeks.median))
    named = {(one.scale, one.where): one for one in course.measures}
    measure = named[goal.scale, goal.where]
    better = direction(measure) * (
        np.asarray(untreated.of(goal.scale, goal.where))
        - np.asarray(course.of(goal.scale, goal.where))
    )
    helped = (better >= max(measure.margin, 1e-9)) & (np.asarray(course.day) > 0)
    return Forecast(outcome, _felt(goal.words, better, helped, np.asarray(course.day)))


def _felt(words: str, better: np.ndarray, helped: np.ndarray, days: np.ndarray) -> Felt:
    some = helped.any(axis=1)
    if not some.any():
        return Felt(words, 0.0, (0, 0, 0), (0, 0, 0), (0, 0), _week(days[-1]))
    helped = helped[some]
    last = len(days) - 1 - helped[:, ::-1].argmax(axis=1)
    middle = np.median(better[some], axis=0)
    near = np.flatnonzero(middle >= _NEAR_BEST * middle.max())
    return Felt(
        words,
        float(some.mean()),
        _weeks(days[helped.argmax(axis=1)]),
        _weeks(days[last]),
        (_week(days[near[0]]), _week(days[near[-1]])),
        _week(days[-1]),
    )


def _weeks(days: np.ndarray) -> tuple[int, int, int]:
    low, median, high = np.quantile(days, [0.05, 0.5, 0.95], method="inverted_cdf")
    return _week(low), _week(median), _week(high)


def _week(day: float) -> int:
    """Week 1 is that of the injection."""
    return max(1, math.ceil(day / 7))


def leaflet(
    plan: Plan,
    patient: Patient,
    findings: Sequence[Finding],
    predicted: Forecast | None = None,
    *,
    given: bool = False,
    person: Person | None = None,
    telephone: str = "",
    head: str = "",
) -> Content:
    """What the page says; `given` where it was injected already. Raises NoPlan for a stopped plan.

    What was given is explained even where a rule would have stopped it.
    """
    stops = [one for one in findings if one.level == "stop"]
    if stops and not given:
        reason = "; ".join(f"{one.rule}: {one.reason}" for one in stops)
        raise NoPlan(f"no page for the patient, for the plan is stopped by {reason}")
    told = talk(plan.disorder)
    advice = [everyone(), *told.parts]
    said: Content = {
        "language": "en",
        "title": "Your botulinum toxin treatment",
        "notice": NOTICE,
        "timestamp": plan.date_of(plan.sessions[-1]).isoformat(),
        "subject": person.name if person else patient.id,
        "head": head,
        "telephone": telephone,
        "child": "On this page, “you” means your child." if patient.child else "",
        "emergency": [f"{one}." for one in _each(advice, "emergency")],
        "boxed": boxed(patient.child and plan.disorder.startswith("spasticity")),
        "given": given,
        "what": [*_what(plan, given), told.why, told.aim],
        "go": f"The needle {'went' if given else 'goes'} into these places:",
        "places": [_capital(one) for session in plan.sessions for one in _places(session)],
        "expect": _expect(told, predicted, patient),
        "usual": _each(told.parts, "usual"),
        "today": [f"{one}." for one in _each(advice[::-1], "today")],
        "avoid": [
            *_each(advice, "avoid"),
            *personal(patient.child, patient.pregnancy != "not applicable"),
        ],
        "next": _next(plan, patient, predicted),
        "card": [_card(plan, session) for session in plan.sessions],
        "sources": _sources(told, advice),
    }
    said = cast(Content, printable(said))
    return said | {"id": paper_id(said)}


def spoken(said: Content) -> str:
    """All that the patient reads in sentences: not the card for other clinics, nor sources."""
    lists = ("emergency", "boxed", "what", "expect", "usual", "today", "avoid", "next")
    return " ".join(filter(None, [said["child"], *(one for name in lists for one in said[name])]))


def _what(plan: Plan, given: bool) -> list[str]:
    days = listed([day(plan.date_of(session)) for session in plan.sessions])
    return [
        f"On {days} you {'got' if given else 'will get'} botulinum toxin.",
        "It is a medicine that stops some signals from nerves for a time.",
    ]


def _places(session: Session) -> list[str]:
    """Places in plain words with their sides, each once."""
    sides: dict[str, list[str]] = {}
    for one in session.injections:
        named = sides.setdefault(plain_places()[base(one.structure)], [])
        if one.dose_u > 0 and side(one.structure) not in named:
            named.append(side(one.structure))
    return [_sided(place, found) for place, found in sides.items() if found]


def _sided(place: str, sides: Sequence[str]) -> str:
    found = [one for one in sides if one]
    if len(found) == 2:
        return f"{place}, left and right"
    return f"{found[0]} {place}" if found and "" not in sides else place


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _each(advice: Iterable[Advice], name: str) -> list[str]:
    return list(dict.fromkeys(line for one in advice for line in getattr(one, name)))


def _expect(told: Talk, predicted: Forecast | None, patient: Patient) -> list[str]:
    """The forecast as far as it may be trusted, what labels say, and what is not sure."""
    said = ["It does not work at once. It wears off, and can then be given again."]
    if predicted is not None:
        said += _course(told, predicted.felt) + _goals(told, predicted.outcome)
        said += _kept(predicted.outcome, patient)
    said += [*told.instead, *([told.caution] if told.caution else [])]
    return [*said, "No two people are the same. Write down what you notice, and when."]


def _course(told: Talk, felt: Felt | None) -> list[str]:
    if felt is None or not told.forecast & {"start", "best", "end"}:
        return []
    about = f"We look at your main aim: {felt.words}."
    if felt.share < _CLEAR:
        return [about, "In our forecast hardly anyone like you does better with it."]
    share = _capital(_tenths(felt.share))
    said = [about, f"{share} people like you do somewhat better with it than without it."]
    lines = {
        "start": f"The gain shows first around {_range(felt.first, felt.followed)}.",
        "best": f"It helps most {_span(*felt.best)}.",
        "end": _end(felt),
    }
    return said + [line for name, line in lines.items() if name in told.forecast]


def _end(felt: Felt) -> str:
    if felt.last[1] >= felt.followed:
        return f"It can last longer than {felt.followed} weeks{_from(felt.last[0])}."
    return f"It has worn off around {_range(felt.last, felt.followed)}."


def _from(week: int) -> str:
    return f", but for some it is over in week {week}"


def _range(weeks: tuple[int, int, int], followed: int) -> str:
    low, median, high = weeks
    if high == low:
        return f"week {median}"
    if high == low + 1:
        return f"week {low} or {high}"
    late = f"later than week {followed}" if high >= followed else f"week {high}"
    return f"week {median} (for some it is week {low}, for some {late})"


def _span(first: int, last: int) -> str:
    return f"in week {first}" if first == last else f"from week {first} to week {last}"


def _tenths(share: float) -> str:
    if share < _CLEAR:
        return "fewer than 1 in 10"
    if share > 1 - _CLEAR:
        return "nearly all"
    return f"about {max(1, round(10 * share))} in 10"


def _goals(told: Talk, outcome: "Outcome") -> list[str]:
    """Each aim in the patient's own words, with and without toxin."""
    if "goals" not in told.forecast:
        return []
    return [
        f"Your aim “{goal.words}”: {_tenths(goal.reached)} people like you get there in the best "
        f"week. Without the medicine it is {_tenths(goal.reached_untreated)}."
        for goal in outcome.goals
        if goal.words
    ]


def _kept(outcome: "Outcome", patient: Patient) -> list[str]:
    """Strength of what the patient asked to keep, at its weakest."""
    return [
        f"You want to keep the strength to {_function(one.where)}. At its weakest, about "
        f"{round(10 * one.kept.median)} parts in 10 of it are left{_worst(one.kept)}."
        for one in outcome.unwanted
        if one.floor is not None and one.kept.median < 1 - _CLEAR
    ]


def _function(where: str) -> str:
    name, _, side = where.partition(".")
    return f"{plain_functions()[name]}{f' ({side})' if side else ''}"


def _worst(kept: "Band") -> str:
    low = round(10 * kept.low)
    return f", in some people only {low}" if low < round(10 * kept.median) else ""


def _next(plan: Plan, patient: Patient, predicted: Forecast | None) -> list[str]:
    last = plan.sessions[-1]
    on = plan.date_of(last)
    weeks = limits(patient, last.product, on, plan.disorder).interval_min_weeks
    soonest = f"The next treatment is not before {day(on + timedelta(weeks=weeks))}."
    review = [f"Come to see us around {day(predicted.outcome.review)}."] if predicted else []
    return [*review, soonest, "It may be later. First we look at how it went."]


def _card(plan: Plan, session: Session) -> list[list[str]]:
    """For whoever treats the patient next: exact names and units."""
    product = find_product(session.product)
    named = list(dict.fromkeys(words(one.structure) for one in session.injections if one.dose_u))
    return [
        ["Date", day(plan.date_of(session))],
        ["Product", f"{product.name} ({product.brand})"],
        ["Units of this product", str(session.dose)],
        ["Where", listed(named)],
    ]


def _sources(told: Talk, advice: Sequence[Advice]) -> list[str]:
    found = distinct(cite(told, list(advice)))
    return [one.text + ("" if one.verified else " (unverified)") for one in found]
