"""What research asks of the verbs, as plain data with pictures; each runs in a process of its own.

Heavy imports wait until a study runs.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openbont.clinic.research import csv_text
from openbont.design import Design
from openbont.patient import Patient
from openbont.plan import Plan
from openbont.report.plain import plain
from openbont.report.words import (
    band,
    day,
    number,
    percent,
    reading_band,
    share_band,
    title_words,
)
from openbont.web.jobs import Tell
from openbont.web.results import Result

if TYPE_CHECKING:
    from openbont.forward.chain import Course
    from openbont.planning.compare import Side

POWERS = (0.8, 0.9)
DRAWS = 100
INK = "#1a1a1a"
"""Of the pictures of the package."""
REPORT, PICTURE, TABLE = "report.html", "picture.svg", "rows.csv"


# ---- a virtual trial


def trial(design: Design, seed: int, tell: Tell) -> Result:
    """Arms by visits, differences, power, and how many patients it takes."""
    from openbont.report.trials import endpoint_words, sizes, trial_picture, write_trial
    from openbont.trials.run import run_trial

    found = run_trial(design, seed, tell)
    rows, needed = found.rows(), [sizes(found, power) for power in POWERS]
    picture = trial_picture(found)
    data = {
        "design": design,
        "people": design.patients * design.replicates * len(design.arms),
        "seed": seed,
        "tables": [
            {"words": endpoint_words(track), "rows": [one for one in rows if _of(one, track)]}
            for track in found.tracks
        ],
        "sizes": [one for each in needed for one in each],
        "summary": picture.summary,
    }
    report = _written(lambda folder: write_trial(folder, found, needed[-1]))
    return Result(plain(data), {PICTURE: picture.svg, REPORT: report, TABLE: _table(rows)})


def _of(row: dict[str, Any], track: Any) -> bool:
    return (row["scale"], row["where"], row["rule"]) == (track.scale, track.where, track.rule)


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    """CSV with a head; a cell is empty where a row has no such column."""
    head = list(dict.fromkeys(name for row in rows for name in row))
    return csv_text([head, *([row.get(name) for name in head] for row in rows)])


def for_dark(svg: str) -> str:
    """A picture whose ink can be read on a dark page."""
    return svg.replace(INK, "#e7edec")


def _written(write: Callable[[Path], Path]) -> str:
    """The text of a report that a verb writes to a folder."""
    with tempfile.TemporaryDirectory() as folder:
        return write(Path(folder)).read_text("utf-8")


# ---- published rows


def validation(disorder: str, seed: int, tell: Tell) -> Result:
    """Every scored row of a disorder, or of all, with what the model says."""
    from openbont.report.validation import write_validation
    from openbont.trials.validate import validate

    found = validate(None, disorder, seed, tell)
    rows = found.rows
    data = {"said": found.summary(), "rows": rows, "seed": seed, "evidence": found.evidence}
    report = _written(lambda folder: write_validation(folder, found))
    flat = [{name: value for name, value in row.items() if name != "naive"} for row in rows]
    return Result(plain(data), {REPORT: report, TABLE: _table(flat)})


# ---- two plans, or two patients


@dataclass(frozen=True)
class Compare:
    """One of the two that are compared."""

    name: str
    patient: Patient
    plan: Plan


def comparison(first: Compare, second: Compare, seed: int, tell: Tell) -> Result:
    """Both side by side: units, what they reach, leave and spill, findings, courses."""
    both, seen = (first, second), []
    for done, one in enumerate(both, start=1):
        seen.append(_judged(one, seed))
        tell(done / 2)
    (a, course), (b, other) = seen
    names = (first.name, second.name)
    doses, brought = _beside(_doses(a.plan), _doses(b.plan)), _beside(_reached(a), _reached(b))
    data = {
        "names": names,
        "about": [_about(one) for one in both],
        "doses": doses,
        "reached": brought,
        "findings": [a.findings, b.findings],
        "rests_on": [_rests_on(*one) for one in seen],
        "draws": DRAWS,
        "seed": seed,
    }
    table = csv_text([("", *names), *doses, *brought])
    return Result(plain(data), {TABLE: table, **_courses(names, course, other)})


def _judged(one: Compare, seed: int) -> tuple["Side", "Course"]:
    from openbont.catalog.model import model
    from openbont.forward.chain import simulate
    from openbont.planning.compare import side_of

    built = model(one.patient, DRAWS, seed)
    days = range(7 * built.horizon_weeks + 1)  # those of side_of: what it compiled serves again
    return side_of(one.plan, one.patient, built), simulate(one.plan, one.patient, built, days)


def _rests_on(side: "Side", course: "Course") -> str:
    from openbont.catalog.products import product
    from openbont.report.grounds import relevant, tally_words

    return tally_words(relevant(course.rests_on, [product(name) for name in side.totals]))


def _courses(names: tuple[str, str], first: "Course", second: "Course") -> dict[str, str]:
    """The picture of what differs most; none where both have no reading in common."""
    from openbont.report.figures import patients_picture

    if len(first.day) != len(second.day) or not set(first.measures) & set(second.measures):
        return {}
    return {PICTURE: patients_picture(names, first, second).svg}


def _about(one: Compare) -> str:
    return f"{title_words(one.patient.disorder.name)}; plan of {day(one.plan.date)}"


def _doses(plan: Plan) -> dict[str, str]:
    """60 U in 2 sites, by structure, sessions added up."""
    from openbont.catalog.muscles import words

    given: dict[str, tuple[float, int]] = {}
    for session in plan.sessions:
        for one in session.injections:
            dose_u, sites = given.get(one.structure, (0.0, 0))
            given[one.structure] = (dose_u + one.dose_u, sites + one.sites)
    return {
        words(name): f"{number(dose_u, 'U')} ({sites})" for name, (dose_u, sites) in given.items()
    }


def _reached(side: "Side") -> dict[str, str]:
    """What one plan brings, leaves and spills, in words."""
    rows = {
        "Findings that stop it": str(len(side.stops)),
        "Total": ", ".join(str(dose) for dose in side.totals.values()),
        "Needle sites": str(side.needles),
        "Part of the wanted effect": percent(side.effect),
    }
    rows |= {
        f"{one.words}: weeks at the goal": band(one.benefit.weeks) for one in side.outcome.goals
    }
    rows |= {f"Keeps {one.words}": share_band(one.kept) for one in side.outcome.unwanted}
    rows |= {f"Rises: {one.words}": reading_band(one.worst, one.unit) for one in side.outcome.rises}
    return rows | {f"Spares {one.ceiling.words}": percent(one.kept) for one in side.spill}


def _beside(first: dict[str, str], second: dict[str, str]) -> list[tuple[str, str, str]]:
    """Rows of two columns; a dash where one has no such row."""
    names = dict.fromkeys([*first, *second])
    return [(name, first.get(name, "–"), second.get(name, "–")) for name in names]
