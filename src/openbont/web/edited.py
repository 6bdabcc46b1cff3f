"""The plan as it stands in the form: the noun, sums beside their limits, and what it would do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from openbont.catalog.muscles import base, place_words, words
from openbont.catalog.needles import needles
from openbont.catalog.products import product
from openbont.catalog.vials import diluent_ml, vials
from openbont.errors import UnknownName
from openbont.patient import Patient
from openbont.plan import Injection, Plan, Session
from openbont.planning.limits import Limits, StructureLimit, limits
from openbont.planning.rules import TOLERANCE_U
from openbont.report.words import band, counted, day, number, percent, reading_band, share_band
from openbont.web.chart import Chart
from openbont.web.drafts import Fields
from openbont.web.forms import Wrongs, made, nested, rows
from openbont.web.forms import number as typed_number

if TYPE_CHECKING:  # these need jax, which takes its time to load
    from openbont.forward.chain import Course
    from openbont.forward.outcome import Outcome
    from openbont.web.live import Seen

Place = tuple[float, float, float]
"""One exact place: along, across, deep from the centre of its structure, in mm."""
COLUMNS = ("structure", "dose_u", "sites", "site_mm")
BANDS = (0.1, 0.5, 0.9)


def fields_of(plan: Plan) -> Fields:
    """The form of a plan."""
    session = plan.sessions[0]
    fields = {
        "product": session.product,
        "dilution_u_per_ml": f"{session.dilution_u_per_ml:g}",
        "date": plan.date.isoformat(),
        "note": plan.note,
    }
    for number_, one in enumerate(session.injections):
        fields |= {f"injections.{number_}.{name}": text for name, text in _row(one).items()}
    return fields


def _row(one: Injection) -> Fields:
    at = " ".join(f"{value:g}" for value in one.site_mm or ())
    return {
        "structure": one.structure,
        "dose_u": f"{one.dose_u:g}",
        "sites": str(one.sites),
        "site_mm": at,
    }


def filled_rows(fields: Fields) -> list[int]:
    """Rows in which something stands."""
    return [
        row
        for row in rows(fields, "injections", 0)
        if any(fields.get(f"injections.{row}.{name}") for name in COLUMNS)
    ]


def plan_of(known: Chart, fields: Fields) -> tuple[Plan | None, Wrongs]:
    """The plan, or what is wrong in which field."""
    said = nested(fields)
    session = {
        "product": said.get("product", ""),
        "dilution_u_per_ml": typed_number(said.get("dilution_u_per_ml", "")),
        "injections": [_injection(row) for row in said.get("injections", [])],
    }
    data = {
        "patient": known.id,
        "disorder": known.patient.disorder.name,
        "date": said.get("date", ""),
        "note": said.get("note", ""),
        "sessions": [session],
    }
    plan, wrong = made(Plan, data)
    return plan, {_field(name, filled_rows(fields)): one for name, one in wrong.items()}


def _injection(row: dict[str, Any]) -> dict[str, Any]:
    one: dict[str, Any] = {"structure": "", "dose_u": "", "sites": "1"} | row
    place = one.pop("site_mm", "")
    one |= {name: typed_number(one[name]) for name in ("dose_u", "sites")}
    return one | ({"site_mm": [typed_number(x) for x in place.split()]} if place else {})


def _field(name: str, there: list[int]) -> str:
    """sessions.0.injections.2.dose_u -> the field of the third row that is filled."""
    steps = name.removeprefix("sessions.0.").split(".")
    if steps[0] == "injections" and len(steps) > 2 and steps[1].isdecimal():
        steps[1] = str(there[int(steps[1])])
    return ".".join(steps[:3]) if steps[0] == "injections" and len(steps) > 1 else steps[0]


# ---- sums


def sums(plan: Plan, patient: Patient) -> dict[str, Any]:
    """What the doses come to, beside what the label allows."""
    session = plan.sessions[0]
    allowed = limits(patient, session.product, plan.date, plan.disorder)
    return {
        "rows": [_injected(one, session, allowed) for one in session.injections],
        "total": _total(session),
        "totals": _totals(session, patient, allowed),
        "vials": _vials(session),
    }


def _injected(one: Injection, session: Session, allowed: Limits) -> dict[str, Any]:
    volume_ml, limit = session.volume_ml(one), allowed.structure(one.structure)
    given_u = sum(x.dose_u for x in session.injections if x.structure == one.structure)
    return {
        "words": words(one.structure),
        "site_u": number(one.site_dose_u, "U"),
        "site_ml": number(volume_ml / one.sites, "mL"),
        "volume_ml": number(volume_ml, "mL"),
        "label": _label(one, limit, given_u),
        "over": bool(limit and limit.max_u is not None and given_u > limit.max_u + TOLERANCE_U),
    }


def _label(one: Injection, limit: StructureLimit | None, given_u: float) -> str:
    """What the label gives the structure; several rows of it count together."""
    if limit is None or limit.max_u is None:
        return "not in the label"
    span = f"{limit.min_u:g} to {limit.max_u:g} U" if limit.min_u else f"up to {limit.max_u:g} U"
    said = f"{limit.max_u:g} U" if limit.min_u == limit.max_u else span
    doubt = "" if limit.verified else ", unverified"
    return said + doubt + ("" if given_u == one.dose_u else f"; {given_u:g} U in all its rows")


def _totals(session: Session, patient: Patient, allowed: Limits) -> list[dict[str, Any]]:
    from openbont.planning.prepared import totals

    names = [one.structure for one in session.injections]
    doses_u = np.array([one.dose_u for one in session.injections])
    return [
        {
            "words": one.words,
            "used_u": round(float(doses_u[one.members].sum()), 6),
            "max_u": one.max_u,
        }
        for one in totals(patient, allowed, names)
    ]


def _vials(session: Session) -> dict[str, Any]:
    sold = product(session.product)
    chosen = vials(session.dose, sold)
    opened = [
        f"{count} × {size.normalize():f} U, each with "
        f"{number(diluent_ml(size, session.dilution_u_per_ml), 'mL')} of {sold.diluent}"
        for size, count in chosen.counts
    ]
    return {"open": opened, "waste": f"{chosen.wasted_u.normalize():f} U"}


def guidance(structure: str, deep: str = "", region: str = "") -> dict[str, Any]:
    """The usual way of the needle: in a line, and whole; depth and place where they are drawn."""
    way = needles().get(base(structure))
    doubt = "unverified: " if way and not way.verified else ""
    told = [deep, doubt + way.approach, f"avoid: {way.avoid}"] if way else [deep]
    return {
        "short": " · ".join(one for one in told if one) or "No way of the needle is known here",
        "deep": deep,
        "region": region,
        "landmark": way.landmark if way else "",
        "approach": way.approach if way else "",
        "avoid": way.avoid if way else "",
        "verified": way is None or way.verified,
    }


def apart(one: Injection, places: Sequence[Place]) -> list[Fields]:
    """An injection as one row a site, each at its place; the last has what rounding leaves."""
    each_u = round(one.site_dose_u, 2)
    doses_u = [each_u] * (len(places) - 1)
    doses_u.append(one.dose_u - sum(doses_u))
    shared = [
        one.model_copy(update={"dose_u": round(dose_u, 6), "sites": 1, "site_mm": place})
        for dose_u, place in zip(doses_u, places, strict=True)
    ]
    return [_row(each) for each in shared]


def sessions_of(plan: Plan) -> list[dict[str, Any]]:
    """Every session of a plan, to be read."""
    return [
        {
            "day": plan.date_of(session),
            "product": session.product,
            "dilution": number(session.dilution_u_per_ml, "U/mL"),
            "total": _total(session),
            "rows": [
                {
                    "structure": words(one.structure),
                    "dose": number(one.dose_u, "U"),
                    "sites": f"{one.sites} × {number(one.site_dose_u, 'U')}",
                    "volume": number(session.volume_ml(one), "mL"),
                    "place": place_words(one, plan.disorder),
                }
                for one in session.injections
            ],
        }
        for session in plan.sessions
    ]


def _total(session: Session) -> str:
    sites = sum(one.sites for one in session.injections)
    volume_ml = sum(session.volume_ml(one) for one in session.injections)
    return f"{session.dose} at {counted(sites, 'site')}, {number(volume_ml, 'mL')}"


# ---- what it would do


@dataclass(frozen=True)
class Line:
    """One curve with its band."""

    id: str
    group: str
    words: str
    unit: str
    treated: Float[np.ndarray, "draw day"]
    untreated: Float[np.ndarray, "draw day"]
    target: float | None = None

    def drawn(self) -> dict[str, Any]:
        """Plain numbers, as exact as a screen."""
        low, middle, high = np.quantile(self.treated, BANDS, axis=0)
        without = np.median(self.untreated, axis=0)
        values = {"low": low, "middle": middle, "high": high, "without": without}
        return {
            "id": self.id,
            "group": self.group,
            "words": self.words,
            "unit": self.unit,
            "target": self.target,
            **{name: [float(f"{x:.4g}") for x in value] for name, value in values.items()},
        }


def predicted(seen: "Seen", patient: Patient) -> dict[str, Any]:
    """Curves and outcome of an edit."""
    return {
        "weeks": [round(float(one) / 7, 3) for one in seen.course.day],
        "curves": [one.drawn() for one in _lines(seen, patient)],
        **_said(seen.outcome),
        "spared": [
            {
                "words": one.ceiling.words,
                "kept": percent(one.kept),
                "least": percent(one.ceiling.least),
                "enough": one.kept_enough,
            }
            for one in seen.spill
        ],
    }


def _lines(seen: "Seen", patient: Patient) -> list[Line]:
    course, without = seen.course, seen.untreated
    found = [*_goal_lines(course, without, patient)]
    for one in seen.outcome.unwanted:
        measure = next(m for m in course.measures if (m.words, m.where) == (one.words, one.where))
        key = (measure.scale, measure.where)
        of = f"{measure.scale}.{measure.where}"
        found.append(
            Line(
                of,
                "kept",
                measure.words,
                measure.unit,
                course.of(*key),
                without.of(*key),
                one.floor,
            )
        )
    for each in seen.spill:
        name = each.ceiling.structure
        found.append(
            Line(
                f"spill.{name}",
                "spill",
                each.ceiling.words,
                "share still acting",
                course.acting(name),
                without.acting(name),
                each.ceiling.least,
            )
        )
    return found


def _goal_lines(course: "Course", without: "Course", patient: Patient) -> list[Line]:
    from openbont.forward.outcome import measure_of, target_of

    found = {}
    for goal in patient.goals:
        try:
            measure = measure_of(course, goal)
        except UnknownName:
            continue
        key = (goal.scale, goal.where)
        found[key] = Line(
            f"{goal.scale}.{goal.where}",
            "goal",
            measure.words,
            measure.unit,
            course.of(*key),
            without.of(*key),
            target_of(goal, measure, patient),
        )
    return list(found.values())


def _said(outcome: "Outcome") -> dict[str, Any]:
    """The outcome in words."""
    return {
        "facts": [
            ["Onset", f"day {band(outcome.onset_day.day)}", outcome.onset_day.definition],
            ["Peak", f"week {band(outcome.peak_week.weeks)}", outcome.peak_week.definition],
            ["Review", day(outcome.review), "visit near the peak"],
            ["Next session", f"not before {day(outcome.next_date)}", outcome.next_reason],
        ],
        "goals": [
            {
                "words": one.words,
                "reached": percent(one.reached),
                "without": percent(one.reached_untreated),
                "best": f"{band(one.best)} in week {one.best_week:.0f}",
                "weeks": band(one.benefit.weeks),
                "definition": one.benefit.definition,
            }
            for one in outcome.goals
        ],
        "kept": [
            {
                "words": one.words,
                "kept": share_band(one.kept),
                "floor": "" if one.floor is None else percent(one.floor),
                "below": "" if one.below_floor is None else percent(one.below_floor),
            }
            for one in outcome.unwanted
        ],
        "rises": [
            {"words": one.words, "worst": reading_band(one.worst, one.unit)}
            for one in outcome.rises
        ],
    }
