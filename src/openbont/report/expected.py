"""What is expected: goals, dates, strength, and the pictures."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from openbont.catalog.muscles import words
from openbont.catalog.overview import overview
from openbont.patient import Goal, Patient
from openbont.plan import Plan
from openbont.report.readings import readings
from openbont.report.tables import Content, Table, table
from openbont.report.words import (
    band,
    day,
    number,
    percent,
    reading_band,
    scale_words,
    share_band,
    week,
)

if TYPE_CHECKING:  # the chain needs jax; a report only reads its results
    from openbont.forward.chain import Course
    from openbont.forward.exposure import Toxin
    from openbont.forward.outcome import GoalOutcome, Outcome, Rise, Unwanted

_LEAST_SHARE = 0.002
_DURATIONS = ("Weeks at target", "Weeks of gain")


def expected(
    plan: Plan,
    patient: Patient,
    course: "Course",
    untreated: "Course",
    outcome: "Outcome",
    toxin: "Toxin | None",
) -> Content:
    """Goals, dates, strength, and the pictures."""
    from openbont.report.figures import pictures
    from openbont.report.places import places

    drawn = pictures(course, untreated, outcome, plan, patient)
    drawn += places(toxin) if toxin is not None else []
    return {
        "fate": _fate(toxin),
        "draws": f"Numbers are medians over {outcome.draws} draws of the model, with the central "
        f"90 % of draws in brackets.{_misfit(plan.disorder)}",
        "goals": _goals(outcome, course, patient),
        "facts": _facts(outcome),
        "readings": readings(course, untreated, patient),
        "strength": _strength(outcome.unwanted, outcome.rises),
        "pictures": {picture.name: asdict(picture) for picture in drawn},
    }


def _fate(toxin: "Toxin | None") -> Table:
    """Where the units end: what the tissues capture, in the middle of the draws."""
    shares = toxin.fate() if toxin is not None else {}
    injected = {site.structure for site in toxin.sites} if toxin is not None else set()
    total_u = sum(site.dose_u for site in toxin.sites) if toxin is not None else 0.0
    rows = [
        [
            words(tissue) if "." in tissue or tissue in injected else tissue.replace("_", " "),
            "injected" if tissue in injected else "",
            percent(share),
            number(share * total_u, "U", 2),
        ]
        for tissue, share in shares.items()
        if share >= _LEAST_SHARE
    ]
    caption = (
        "Where the units end, captured by nerve endings and other cells, in the middle of the "
        "draws; what fat and other tissue capture is lost"
    )
    return table(caption, ["Tissue", "", "Share", "Units"], rows, widths=[3, 1, 0, 0])


def _misfit(disorder: str) -> str:
    """Where the predictions of this disorder are known to be wrong, said before they are read."""
    known = overview()[disorder].misfit
    return f" Caution: {known}." if known else ""


def _goals(outcome: "Outcome", course: "Course", patient: Patient) -> Table:
    """One row a goal, in the patient's order."""
    measured = {
        (one.scale, one.where): ", ".join(filter(None, [one.words, scale_words(one.scale)]))
        for one in course.measures
    }
    rows = [
        [
            f"{goal.words} ({measured[goal.scale, goal.where]})",
            _target(asked, goal),
            band(goal.baseline),
            f"{band(goal.best)}, week {week(goal.best_week)}",
            percent(goal.reached),
            percent(goal.reached_untreated),
            band(goal.benefit.weeks),
            band(goal.gain.weeks),
        ]
        for asked, goal in zip(patient.goals, outcome.goals, strict=True)
    ]
    columns = ["Goal", "Target", "Before", "Best", "Reach it", "Without", *_DURATIONS]
    caption = (
        "Goals. Reach it: share of draws at or below the target in the week of the best median; "
        "without: the same without toxin"
    )
    return table(caption, columns, rows, widths=[2, 1, 1.1, 1.1, 0, 0, 1, 1])


def _target(asked: Goal, goal: "GoalOutcome") -> str:
    """As the patient's file writes it, with the number where that differs."""
    target = number(goal.target, goal.unit)
    if isinstance(asked.at_most, str):
        return f"at most {asked.at_most} ({target})"
    return f"{'at most' if goal.better == 'lower' else 'at least'} {target}"


def _facts(outcome: "Outcome") -> list[list[str]]:
    """Term, value, and what the value means."""
    meant = (
        dict.fromkeys(getattr(goal, name).definition for goal in outcome.goals)
        for name in ("benefit", "gain")
    )
    return [
        ["Onset", f"day {band(outcome.onset_day.day)}", outcome.onset_day.definition],
        ["Peak", f"week {band(outcome.peak_week.weeks)}", outcome.peak_week.definition],
        *[[name, "", "; ".join(said)] for name, said in zip(_DURATIONS, meant, strict=True)],
        ["Review", day(outcome.review), "visit near the peak"],
        ["Next session", f"not before {day(outcome.next_date)}", outcome.next_reason],
        [
            "Distant jitter",
            f"{band(outcome.distant_jitter, decimals=2)} times",
            "single-fibre jitter far from the needle, relative to before",
        ],
    ]


def _strength(unwanted: Iterable["Unwanted"], rises: Iterable["Rise"]) -> Table:
    rows = [
        [
            one.words,
            share_band(one.kept),
            week(one.worst_week),
            "—" if one.floor is None else percent(one.floor),
            "—" if one.floor is None else percent(one.below_floor),
        ]
        for one in unwanted
    ]
    rows += [
        [
            one.words,
            f"{reading_band(one.worst, one.unit)}, without toxin "
            f"{reading_band(one.untreated, one.unit)}",
            week(one.worst_week),
            "—",
            "—",
        ]
        for one in rises
    ]
    columns = ["Function", "At its worst", "Week", "Asked to keep", "Draws below that"]
    return table(
        "Unwanted effects; for strength, the share of present strength that is kept",
        columns,
        rows,
        widths=[1.6, 1.4, 0, 0, 0],
    )
