"""Findings, courses, outcomes and proposals as text for a terminal."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from openbont.evidence import Source
from openbont.report.readings import COMPARED, reading_name, reading_value, side_by_side
from openbont.report.words import band, day, number, percent, reading_band, share_band

if TYPE_CHECKING:
    from openbont.catalog.overview import Entry
    from openbont.forward.chain import Course
    from openbont.forward.disorders.interface import Measure
    from openbont.forward.outcome import Outcome
    from openbont.patient import Patient
    from openbont.plan import Plan
    from openbont.planning.compare import Compared, Side
    from openbont.planning.improve import Improvement
    from openbont.planning.proposal import Proposal
    from openbont.planning.rules import Finding

COLOURS = {"stop": "bold red", "warn": "yellow", "inform": "dim"}
BARS = " ▁▂▃▄▅▆▇█"
WEEKS = (0, 1, 2, 4, 6, 8, 10, 12, 16, 20, 24, 36, 52)


def show_findings(page: Console, findings: Sequence["Finding"]) -> None:
    """Stops first; each with its place, reason, source, and what would clear it."""
    for finding in findings:
        colour = COLOURS[finding.level]
        page.print(f"[{colour}]{finding.level:6}[/] {finding.rule}  {escape(finding.place)}")
        said = [escape(finding.reason), f"to clear: {escape(finding.clears)}"]
        cites = f"[dim]{escape('; '.join(map(cited, finding.sources)))}[/]"
        told = [*said[: 2 if finding.clears else 1], cites]
        page.print(Padding("\n".join(told), (0, 0, 0, 7), expand=False), highlight=False)
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
    aims = [m for m in course.measures if (m.scale, m.where) in asked] or [*course.measures[:1]]
    page.print(_readings(aims, course, untreated))
    others = [m for m in course.measures if m not in aims and m.better == "higher"]
    if others:
        page.print(_kept(others, course))


def _readings(aims: Sequence["Measure"], course: "Course", untreated: "Course") -> Table:
    names = [f"{m.words}, {m.scale}" for m in aims]
    table = _table("median [5 to 95 %] with this plan | median without toxin", "week", *names)
    for week, at in _weeks(course):
        cells = (_beside(m, course, untreated, at) for m in aims)
        table.add_row(str(week), *cells)
    table.add_row("", *(_line(course.of(m.scale, m.where), m) for m in aims))
    return table


def _beside(measure: "Measure", course: "Course", untreated: "Course", at: int) -> str:
    draws, without = (c.of(measure.scale, measure.where)[:, at] for c in (course, untreated))
    low, median, high = np.quantile(draws, (0.05, 0.5, 0.95))
    return f"{median:.1f} [{low:.1f} to {high:.1f}] | {np.median(without):.1f}"


def _kept(measures: Sequence["Measure"], course: "Course") -> Table:
    shown = [(week, at) for week, at in _weeks(course) if week in (0, 2, 4, 8, 12, 24)]
    title = "what else it does: median by week"
    table = _table(title, "function", *(str(week) for week, _ in shown), "course")
    for measure in measures:
        middle = np.median(course.of(measure.scale, measure.where), axis=0)
        cells = [reading_value(middle[at], measure) for _, at in shown]
        table.add_row(reading_name(measure), *cells, _line(middle[None], measure))
    return table


def _weeks(course: "Course") -> list[tuple[int, int]]:
    """(week, index of its day) of the weeks shown."""
    where = {float(value): at for at, value in enumerate(course.day)}
    return [(week, where[7.0 * week]) for week in WEEKS if 7.0 * week in where]


def _line(draws: np.ndarray, measure: "Measure") -> str:
    """The median as twelve bars: the course at a glance."""
    middle = np.median(draws, axis=0)
    at = np.linspace(0, len(middle) - 1, 12).round().astype(int)
    share = (middle[at] - measure.low) / (measure.high - measure.low)
    return "".join(BARS[round(8 * float(value))] for value in np.clip(share, 0, 1))


def show_outcome(page: Console, outcome: "Outcome") -> None:
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
    for rise in outcome.rises:
        page.print(
            f"rises: {rise.words}, {reading_band(rise.worst, rise.unit)} in week "
            f"{number(rise.worst_week)}, without toxin {reading_band(rise.untreated, rise.unit)}"
        )
    page.print(
        f"see again {day(outcome.review)}; next {day(outcome.next_date)}: {outcome.next_reason}"
    )


def show_proposals(page: Console, proposals: Sequence["Proposal"]) -> None:
    """The best plan whole, then what the others would change."""
    best, *others = proposals
    page.print(f"{best.title}", style="bold")
    show_plan(page, best.plan)
    show_reasons(page, best)
    show_outcome(page, best.outcome)
    for other in others:
        page.print(f"\ninstead: {escape(other.title)} (value {other.value:.4g})", style="bold")
        if other.instead:
            page.print(escape(other.instead))
        show_plan(page, other.plan)
        page.print(escape(other.why))


def show_reasons(page: Console, proposal: "Proposal") -> None:
    """Why this plan, what each limit costs, and the proof."""
    page.print(escape(proposal.why))
    for one in proposal.binding:
        page.print(f"  {escape(one.limit)}: {escape(one.words)}")
    for spared in proposal.spill:
        got, most = spared.captured_u_per_cm3, spared.ceiling.captured_u_per_cm3
        kept = f"{percent(spared.kept)} stays; {got:.2g} of at most {most:.2g} U/cm³ captured"
        page.print(f"  spared: {escape(spared.ceiling.words)}: {kept}")
    value, bound = (f"{number:.4g}" for number in (proposal.value, proposal.bound))
    page.print(f"value {value}, bound {bound}, gap {percent(proposal.gap)}")


def medians(course: "Course") -> list[dict[str, object]]:
    """Median of every measure by week, as plain data."""
    return [
        {
            "scale": m.scale,
            "where": m.where,
            "week": [float(day) / 7 for day in course.day],
            "median": [float(f"{v:.6g}") for v in np.median(course.of(m.scale, m.where), axis=0)],
        }
        for m in course.measures
    ]


def show_two(
    page: Console,
    names: tuple[str, str],
    both: Sequence[tuple["Patient", Sequence["Finding"], "Course"]],
) -> None:
    """Stops of each patient, then medians side by side, where either changes or they differ."""
    for name, (_, findings, _) in zip(names, both, strict=True):
        for finding in findings:
            if finding.level == "stop":
                page.print(f"[{COLOURS['stop']}]stop[/] {escape(name)}: {escape(finding.reason)}")
    first, second = (course for _, _, course in both)
    page.print(f"A: {escape(names[0])}   B: {escape(names[1])}")
    weeks = [f"{who} {week}" for week in COMPARED for who in "AB"]
    table = _table("medians by week, of what changes or differs", "reading", *weeks)
    for measure, cells in side_by_side(first, second):
        table.add_row(reading_name(measure), *cells)
    page.print(table)
    jitter = (float(np.median(course.response.jitter.max(1))) for course in (first, second))
    page.print("jitter far from the needle, times before: A {:.2f}, B {:.2f}".format(*jitter))
    page.print("No number here says that a dose is safe.", style="bold")


def show_plans(page: Console, names: tuple[str, str], both: "Compared") -> None:
    """Doses by structure, then what each plan brings, leaves and spills."""
    from openbont.catalog.muscles import words

    page.print(f"A: {escape(names[0])}   B: {escape(names[1])}")
    doses = [_doses(side.plan) for side in (both.plan, both.reference)]
    table = _table("units (sites)", "structure", "A", "B")
    for structure in dict.fromkeys([*doses[0], *doses[1]]):
        table.add_row(words(structure), *(one.get(structure, "-") for one in doses))
    page.print(table)
    table = _table("what they bring, median of the draws", "", "A", "B")
    for row in zip(*(_judged(side) for side in (both.plan, both.reference)), strict=False):
        table.add_row(row[0][0], row[0][1], row[1][1])
    page.print(table)
    for name, side in zip("AB", (both.plan, both.reference), strict=True):
        for finding in side.stops:
            page.print(f"[{COLOURS['stop']}]stop[/] {name}: {escape(finding.reason)}")


def _doses(plan: "Plan") -> dict[str, str]:
    """`60 U (2)` by structure, sessions added up."""
    units: dict[str, tuple[float, int]] = {}
    for session in plan.sessions:
        for one in session.injections:
            dose_u, sites = units.get(one.structure, (0.0, 0))
            units[one.structure] = (dose_u + one.dose_u, sites + one.sites)
    return {name: f"{number(dose_u, 'U')} ({sites})" for name, (dose_u, sites) in units.items()}


def _judged(side: "Side") -> list[tuple[str, str]]:
    """Rows of one plan, named alike for both."""
    rows = [
        ("total", ", ".join(str(dose) for dose in side.totals.values())),
        ("needle sites", str(side.needles)),
        ("part of the wanted effect", "-" if side.effect is None else percent(side.effect)),
    ]
    rows += [
        (f"{goal.words}: weeks at the goal", band(goal.benefit.weeks))
        for goal in side.outcome.goals
    ]
    rows += [(f"keeps {one.words}", share_band(one.kept)) for one in side.outcome.unwanted]
    rows += [(f"spares {one.ceiling.words}", percent(one.kept)) for one in side.spill]
    return [*rows, ("findings that stop it", str(len(side.stops)))]


def show_improvement(page: Console, found: "Improvement") -> None:
    """The reference and the least that reaches as much."""
    table = _table("held against the reference", "", "reference", "proposal")
    for name, values in {
        "units": (found.reference.units, found.proposal.units),
        "needle sites": (found.reference.needles, found.proposal.needles),
        "part of the wanted effect": (found.reference.effect, found.proposal.effect),
        "spill, sum of shares of the ceilings": (found.reference.spilled, found.proposal.spilled),
    }.items():
        table.add_row(name, *(f"{value:.4g}" for value in values))
    page.print(table)
    page.print(escape(found.words))
    page.print(f"gap {percent(found.gap)}: units that a still smaller plan could save at most")
    show_plan(page, found.proposal.plan)


def show_disorders(page: Console, entries: Iterable["Entry"]) -> None:
    """A few lines a disorder."""
    for one in entries:
        products = [
            f"{_short(p)} (unverified)" if p in one.unverified else _short(p) for p in one.products
        ]
        grades = ", ".join(f"{count} {grade}" for grade, count in one.grades.items())
        predicted = "" if one.modelled else ", nothing is predicted"
        page.print(f"[bold]{one.id}[/]  {one.words}{predicted}")
        for line in (
            f"scales: {', '.join(one.scales)}",
            f"label doses: {', '.join(products) or 'none, every use is off label'}",
            f"own parameters: {grades or 'none'}",
            *([f"caution: {one.misfit}"] if one.misfit else []),
        ):
            page.print(Padding(line, (0, 0, 0, 4)))


def _short(product: str) -> str:
    """onabotulinumtoxinA -> onaA."""
    return product.replace("botulinumtoxin", "")


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right" if name else "left", no_wrap=len(name) < 6)
    return table
