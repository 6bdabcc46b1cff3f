"""Findings, courses, outcomes and proposals as text for a terminal."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from openbont.evidence import Source, tally
from openbont.forward.outcome import Outcome
from openbont.report.words import band, counted, day, number, percent, share_band

if TYPE_CHECKING:
    from openbont.forward.chain import Course
    from openbont.forward.disorders.interface import Measure
    from openbont.patient import Patient
    from openbont.plan import Plan
    from openbont.planning.propose import Proposal
    from openbont.planning.rules import Finding

COLOURS = {"stop": "bold red", "warn": "yellow", "inform": "dim"}
BARS = " ▁▂▃▄▅▆▇█"
WEEKS = (0, 1, 2, 4, 6, 8, 10, 12, 16, 20, 24)


def show_findings(page: Console, findings: Sequence["Finding"]) -> None:
    """Stops first; each with its place, reason, source, and what would clear it."""
    for finding in findings:
        colour = COLOURS[finding.level]
        page.print(f"[{colour}]{finding.level:6}[/] {finding.rule}  {escape(finding.place)}")
        page.print(f"       {escape(finding.reason)}", highlight=False)
        if finding.clears:
            page.print(f"       to clear: {escape(finding.clears)}", highlight=False)
        page.print(f"       [dim]{escape('; '.join(map(cited, finding.sources)))}[/]")
    counts = [sum(one.level == level for one in findings) for level in COLOURS]
    page.print(f"\n{counts[0]} to stop for, {counts[1]} to weigh, {counts[2]} to know")


def cited(source: Source) -> str:
    """A source in one line; recalled ones say so."""
    text = f"{source.text} {source.address}".strip()
    return text if source.verified else f"{text} (unverified)"


def show_sources(page: Console, sources: Iterable[Source]) -> None:
    """Each source once, numbered."""
    for n, source in enumerate(sources, 1):
        page.print(f"{n:3}. {escape(cited(source))}", highlight=False)


def show_plan(page: Console, plan: "Plan") -> None:
    """Structures, units, sites and volumes of each session."""
    from openbont.catalog.muscles import words

    for session in plan.sessions:
        title = (
            f"{day(plan.date_of(session))}: {session.dose} at {session.dilution_u_per_ml:g} U/mL"
        )
        table = _table(title, "structure", "U", "sites", "U a site", "mL")
        for one in session.injections:
            volume = number(session.volume_ml(one))
            row = (number(one.dose_u), str(one.sites), number(one.site_dose_u), volume)
            table.add_row(words(one.structure), *row)
        page.print(table)


def show_course(page: Console, course: "Course", untreated: "Course", patient: "Patient") -> None:
    """Readings that goals speak of, beside the course without toxin; then strength that is kept."""
    asked = {(goal.scale, goal.where) for goal in patient.goals}
    treated = [m for m in course.measures if (m.scale, m.where) in asked]
    for measure in treated or course.measures[:1]:
        page.print(_readings(measure, course, untreated))
    others = [m for m in course.measures if m not in treated and m.better == "higher"]
    if others:
        page.print(_kept(others, course))


def _readings(measure: "Measure", course: "Course", untreated: "Course") -> Table:
    rows = course.of(measure.scale, measure.where), untreated.of(measure.scale, measure.where)
    title = f"{measure.words} ({measure.scale}), median and 5-95 %  {_line(rows[0], measure)}"
    table = _table(title, "week", "with this plan", "without toxin", "")
    for week, at in _weeks(course):
        low, median, high = np.quantile(rows[0][:, at], (0.05, 0.5, 0.95))
        cells = (f"{median:.2g} [{low:.2g} to {high:.2g}]", f"{np.median(rows[1][:, at]):.2g}")
        table.add_row(str(week), *cells, _bar(median, measure))
    return table


def _kept(measures: Sequence["Measure"], course: "Course") -> Table:
    shown = [(week, at) for week, at in _weeks(course) if week in (0, 2, 4, 8, 12, 24)]
    title = "what else it does, median by week"
    table = _table(title, "function", *(str(week) for week, _ in shown), "course")
    for measure in measures:
        middle = np.median(course.of(measure.scale, measure.where), axis=0)
        cells = [_cell(middle[at], measure) for _, at in shown]
        table.add_row(measure.words, *cells, _line(middle[None], measure))
    return table


def _cell(value: float, measure: "Measure") -> str:
    return percent(float(value)) if measure.high == 1 else f"{value:.2g} {measure.unit}"


def _weeks(course: "Course") -> list[tuple[int, int]]:
    """(week, index of its day) of the weeks shown."""
    where = {float(value): at for at, value in enumerate(course.day)}
    return [(week, where[7.0 * week]) for week in WEEKS if 7.0 * week in where]


def _line(draws: np.ndarray, measure: "Measure") -> str:
    """The median, a letter a week: the course at a glance."""
    middle = np.median(draws, axis=0)
    every = max(1, len(middle) // 24)
    share = (middle[::every] - measure.low) / (measure.high - measure.low)
    return "".join(BARS[round(8 * float(value))] for value in np.clip(share, 0, 1))


def _bar(value: float, measure: "Measure") -> str:
    return "█" * round(20 * float(value - measure.low) / (measure.high - measure.low))


def show_outcome(page: Console, outcome: Outcome) -> None:
    """Goals reached, when, for how long by which definition, what gets weaker, when again."""
    page.print(
        f"onset: day {band(outcome.onset_day.day, decimals=0)}; {outcome.onset_day.definition}"
    )
    page.print(f"peak: week {band(outcome.peak_week.weeks)}; {outcome.peak_week.definition}")
    for goal in outcome.goals:
        page.print(f"goal: {escape(goal.words or f'{goal.scale} {goal.where}')}", style="bold")
        page.print(
            f"  reached by {percent(goal.reached)} of draws"
            f" ({percent(goal.reached_untreated)} without toxin),"
            f" best in week {number(goal.best_week)};"
            f" {band(goal.benefit.weeks, 'weeks')} of benefit: {escape(goal.benefit.definition)}"
        )
    for one in outcome.unwanted:
        floor = (
            ""
            if one.below_floor is None
            else f", below what was asked in {percent(one.below_floor)}"
        )
        page.print(
            f"weaker: {one.words}, {share_band(one.kept)} kept"
            f" in week {number(one.worst_week)}{floor}"
        )
    page.print(
        f"see again {day(outcome.review)}; next {day(outcome.next_date)}: {outcome.next_reason}"
    )


def show_basis(page: Console, course: "Course") -> None:
    """How many parameters of each grade the course rests on."""
    grades = ", ".join(f"{count} {grade}" for grade, count in tally(course.rests_on).items())
    unread = sum(not parameter.verified for parameter in course.rests_on)
    page.print(
        f"rests on {counted(len(course.rests_on), 'parameter')} ({grades}); {unread} unverified"
    )


def show_proposals(page: Console, proposals: Sequence["Proposal"]) -> None:
    """The best plan whole, then what the others would change."""
    best, *others = proposals
    page.print(f"{best.title}", style="bold")
    show_plan(page, best.plan)
    page.print(escape(best.why))
    page.print(f"value {best.value:.4g}, bound {best.bound:.4g}, gap {percent(best.gap)}")
    for binding in best.binding:
        page.print(f"binds: {escape(binding.words)}")
    show_outcome(page, best.outcome)
    for other in others:
        page.print(f"\ninstead: {escape(other.title)} (value {other.value:.4g})", style="bold")
        show_plan(page, other.plan)
        page.print(escape(other.why))


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right" if name else "left")
    return table
