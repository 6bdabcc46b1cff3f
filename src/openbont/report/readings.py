"""Every reading by week: what this clinician looks at, with and without toxin."""

from typing import TYPE_CHECKING

import numpy as np

from openbont.patient import Patient
from openbont.report.tables import Table, table
from openbont.report.words import number

if TYPE_CHECKING:  # the chain needs jax; a report only reads its results
    from openbont.forward.chain import Course
    from openbont.forward.disorders.interface import Measure

WEEKS = (0, 2, 4, 8, 12, 16, 24)
LATER_WEEKS = (0, 4, 12, 24, 36, 52)
COMPARED = (0, 2, 12)


def readings(course: "Course", untreated: "Course", patient: Patient) -> Table:
    """Goals first, then what else moves; strength has a picture and a table of its own."""
    asked = [(goal.scale, goal.where) for goal in patient.goals]
    goals = [m for m in course.measures if (m.scale, m.where) in asked]
    weeks = LATER_WEEKS if 7 * LATER_WEEKS[-1] in course.day else WEEKS
    shown = [week for week in weeks if 7 * week in course.day]
    rows = [
        [reading_name(measure), *(_beside(measure, course, untreated, week) for week in shown)]
        for measure in (*goals, *other_readings(course, untreated, patient))
    ]
    columns = ["Reading", *(f"Week {week}" for week in shown)]
    caption = "Readings by week: median with this plan | median without toxin"
    return table(caption, columns, rows, widths=[1.8, *([1.0] * len(shown))])


def other_readings(course: "Course", untreated: "Course", patient: Patient) -> list["Measure"]:
    """Measures that are no goal and no strength and that toxin moves."""
    asked = {(goal.scale, goal.where) for goal in patient.goals}
    return [
        measure
        for measure in course.measures
        if (measure.scale, measure.where) not in asked
        and measure.scale != "strength"
        and _moves(measure, course, untreated)
    ]


def side_by_side(first: "Course", second: "Course") -> list[tuple["Measure", list[str]]]:
    """Medians of both courses in the compared weeks, of what changes or differs."""
    both = [
        (one, [_median(course, one, week) for week in COMPARED for course in (first, second)])
        for one in dict.fromkeys((*first.measures, *second.measures))
    ]
    return [(measure, cells) for measure, cells in both if len(set(cells)) > 1]


def _median(course: "Course", measure: "Measure", week: int) -> str:
    """Median in one week; a dash where this patient has no such reading."""
    if measure not in course.measures:
        return "—"
    at = int(np.searchsorted(course.day, 7 * week))
    return reading_value(float(np.median(course.of(measure.scale, measure.where)[:, at])), measure)


def reading_name(measure: "Measure") -> str:
    """What is read, with its scale if graded, or its unit unless that is a share."""
    unit = "" if measure.unit.startswith("share") else measure.unit
    return ", ".join(filter(None, [measure.words, measure.scale if measure.grades else unit]))


def reading_value(value: float, measure: "Measure") -> str:
    """A reading for a table: shares in per cent."""
    share = measure.unit.startswith("share")
    fine = 2 if measure.high - measure.low <= 5 else 1
    return f"{100 * value:.0f} %" if share else number(round(value, fine) + 0.0)


def _moves(measure: "Measure", course: "Course", untreated: "Course") -> bool:
    """True where the medians differ by a hundredth of the scale, or a tenth of the reading, with
    toxin from without, or without toxin from week to week.

    Where a least difference that matters is known, half of that is asked for as well.
    """
    treated, without = (
        np.median(one.of(measure.scale, measure.where), axis=0) for one in (course, untreated)
    )
    differ = float(max(np.abs(treated - without).max(), np.ptp(without)))
    least = min((measure.high - measure.low) / 100, 0.1 * float(np.abs(without).max()))
    return differ > max(least, 0.01, measure.margin / 2)


def _beside(measure: "Measure", course: "Course", untreated: "Course", week: int) -> str:
    at = int(np.searchsorted(course.day, 7 * week))
    both = (
        float(np.median(c.of(measure.scale, measure.where)[:, at])) for c in (course, untreated)
    )
    return " | ".join(reading_value(value, measure) for value in both)
