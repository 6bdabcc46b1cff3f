"""What a report says, as plain data: both the page and the PDF are made from this, word by word.

A table is {caption, columns, align, rows, total, levels}; every cell is text, ready to be read.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from openbont.catalog.muscles import base, landmarks, words
from openbont.catalog.names import DISORDERS
from openbont.catalog.products import product as find_product
from openbont.catalog.products import products
from openbont.catalog.vocabulary import condition
from openbont.evidence import Parameter, Source, cite, tally
from openbont.forward.outcome import GoalOutcome, Outcome, Unwanted
from openbont.patient import Goal, Patient
from openbont.plan import Injection, Plan, Session
from openbont.planning.limits import Limits, StructureLimit, limits
from openbont.planning.rules import Finding
from openbont.planning.vials import VialChoice, diluent_ml, vials
from openbont.product import Product
from openbont.report.words import (
    band,
    counted,
    day,
    listed,
    number,
    percent,
    share_band,
    title_words,
)

if TYPE_CHECKING:  # the chain and the optimiser are slow to import; a report only reads results
    from openbont.forward.chain import Course
    from openbont.planning.propose import Proposal

NOTICE = "Decision support and research software, not a medical device."
LEVELS = {"stop": "■ STOP", "warn": "▲ WARNING", "inform": "● note"}
NO_SAFE_DOSE = {"motor_neuron", "motor_neuropathy", "neuromuscular_junction"}
"""Classes of conditions in which no dose is known to be safe."""
MODEL_LIMITS = (
    "Structures are simple solids of published volume, not images of this patient, and every "
    "needle is taken to arrive where the plan says.",
    "The bands hold the uncertainty of the parameters and the differences between patients that "
    "were published; they do not hold a missed muscle or an error of dose.",
    "Placebo response and natural course are those of trials and may differ in this clinic.",
    "Interactions with medicines, allergy and rare events are rules in the findings, not part "
    "of the predicted course.",
    "A unit belongs to its product: nothing printed here carries over to another product.",
    "The predictions were compared with published groups of patients, not tried prospectively "
    "in single ones.",
)

_DURATIONS = ("Weeks at target", "Weeks of gain")
_PLACES = "Where the needle goes; numbers are shares of the line that is named"

Content = dict[str, Any]
Table = dict[str, Any]


def content(
    plan: Plan,
    patient: Patient,
    findings: Sequence[Finding],
    course: "Course | None",
    untreated: "Course | None",
    outcome: Outcome | None,
    model_parameters: Sequence[Parameter],
    proposal: "Proposal | None" = None,
) -> Content:
    """All that the report says. A plan that a finding stops gets no course and no advice."""
    stopped = any(finding.level == "stop" for finding in findings)
    shown: Content = {
        "language": "en",
        "title": f"Botulinum toxin plan for patient {patient.id}",
        "notice": NOTICE,
        "date": day(plan.date),
        "timestamp": plan.date.isoformat(),
        "stopped": stopped,
        "header": _header(plan, patient),
        "verdict": _verdict(findings, patient),
    }
    if stopped or course is None or untreated is None or outcome is None:
        sources = _distinct(cite(findings, _products(plan)))
        return shown | _asked(plan, patient, findings, sources, stopped) | _sources(sources)
    relevant = _relevant(model_parameters, plan)
    sources = cite(findings, _products(plan), _label_sources(plan, patient), proposal)
    sources = _distinct(cite(sources, relevant))
    return (
        shown
        | _asked(plan, patient, findings, sources, stopped)
        | _predicted(plan, patient, course, untreated, outcome)
        | _reasons(proposal, relevant, sources)
        | _sources(sources)
    )


# --- what is asked -------------------------------------------------------------------------------


def _asked(
    plan: Plan,
    patient: Patient,
    findings: Sequence[Finding],
    sources: Sequence[Source],
    stopped: bool,
) -> Content:
    """Findings, and the sessions as they were asked."""
    return {
        "findings": _findings(findings, plan, sources),
        "sessions": [
            _session(session, plan, patient, sources, stopped) for session in plan.sessions
        ],
    }


def _header(plan: Plan, patient: Patient) -> list[list[str]]:
    disorder = patient.disorder
    side = f", {disorder.side}" if disorder.side not in ("", "both") else ""
    cause = f" (cause: {disorder.cause})" if disorder.cause else ""
    given = listed([f"{p.name} ({p.brand})" for p in _products(plan)])
    return [
        ["Patient", patient.id],
        [
            "Age, sex, weight",
            f"{number(patient.age_years)} years, {patient.sex}, {number(patient.weight_kg, 'kg')}",
        ],
        ["Treated", f"{title_words(plan.disorder)}{side}{cause}"],
        ["Product", given],
        ["First session", day(plan.date_of(plan.sessions[0]))],
        ["Findings taken on", day(patient.date)],
    ]


def _verdict(findings: Sequence[Finding], patient: Patient) -> dict[str, str]:
    stops, warnings = (
        [finding.rule for finding in findings if finding.level == level]
        for level in ("stop", "warn")
    )
    if stops:
        rules = listed(list(dict.fromkeys(stops)))
        level, text = "stop", f"Do not give this plan. It is stopped by {rules}."
    elif warnings:
        settle = counted(len(warnings), "warning")
        level, text = "warn", f"No rule stops this plan. Settle {settle} before it is given."
    else:
        level, text = "inform", "No rule stops this plan and none warns."
    return {"level": level, "word": LEVELS[level], "text": text + _no_safe_dose(patient)}


def _no_safe_dose(patient: Patient) -> str:
    known = [condition(name) for name in patient.conditions]
    names = [term.words for term in known if NO_SAFE_DOSE & set(term.classes)]
    return f" No dose is known to be safe in {listed(names)}." if names else ""


def _findings(findings: Sequence[Finding], plan: Plan, sources: Sequence[Source]) -> Table:
    order = list(LEVELS)
    ranked = sorted(findings, key=lambda finding: order.index(finding.level))
    rows = [
        [
            LEVELS[finding.level],
            _spoken(finding.place, finding.reason, plan),
            _in_words(finding.clears) or "—",
            f"{finding.rule} {_marks(finding.sources, sources)}".strip()
            + ("" if finding.verified else ", unverified"),
        ]
        for finding in ranked
    ]
    table = _table(
        "The most serious first", ["Level", "Finding", "What clears it", "Rule, source"], rows
    )
    return table | {"levels": [finding.level for finding in ranked], "widths": [0, 3, 2, 1.2]}


def _spoken(place: str, reason: str, plan: Plan) -> str:
    """The reason, after the structure or session that it is about."""
    named = re.match(r"sessions\[(\d+)\](?:\.injections\[(\d+)\])?", place)
    if named is None:
        return _in_words(reason)
    session = plan.sessions[int(named[1])]
    if named[2] is not None:
        return f"{words(session.injections[int(named[2])].structure)}: {_in_words(reason)}"
    several = f"{day(plan.date_of(session))}: " if len(plan.sessions) > 1 else ""
    return several + _in_words(reason)


def _in_words(text: str) -> str:
    """Text with names and dates as spoken: biceps_brachii.left -> left biceps brachii."""
    text = re.sub(r"\b[a-z_]+\.(?:left|right)\b", lambda name: words(name[0]), text)
    for disorder in DISORDERS:
        text = text.replace(disorder, title_words(disorder))
    return re.sub(r"\b\d{4}-\d\d-\d\d\b", lambda iso: day(date.fromisoformat(iso[0])), text)


def _session(
    session: Session,
    plan: Plan,
    patient: Patient,
    sources: Sequence[Source],
    stopped: bool,
) -> Content:
    """One session: the plan table, and unless stopped the vials and the recipe."""
    product = find_product(session.product)
    title = f"{product.name} ({product.brand}) on {day(plan.date_of(session))}"
    advise = not stopped and not _no_safe_dose(patient)
    label = limits(patient, session.product, plan.date_of(session), plan.disorder)
    rows = [
        _injection(session, injection) + ([_label(label, injection, sources)] if advise else [])
        for injection in session.injections
    ]
    columns = ["Structure", "Dose, U", "Sites", "U per site", "mL per site", "Total mL"]
    total = ["Total", number(session.dose.value_u, digits=6), str(_sites(session)), "", ""]
    total.append(number(sum(map(session.volume_ml, session.injections))))
    caption = title if advise else f"{title}. NOT TO BE GIVEN" if stopped else title
    if advise:
        columns.append(f"Label range, {label.jurisdiction}, one side")
        total.append(_session_label(label, sources))
    return {
        "table": _table(caption, columns, rows, total, [2, 0, 0, 0, 0, 0, 1.6][: len(columns)]),
        "places": None if stopped else _places(session),
        "recipe": [] if stopped else [*_vials(session, product), _recipe(session, product)],
    }


def _places(session: Session) -> Table:
    """Landmarks; structures that differ by side only share a row."""
    named: dict[tuple[str, str], list[Injection]] = {}
    for one in session.injections:
        named.setdefault((base(one.structure), _landmarks(one)), []).append(one)
    rows = [
        [words(found[0].structure if len(found) == 1 else name), where]
        for (name, where), found in named.items()
    ]
    return _table(_PLACES, ["Structure", "Place"], rows, widths=[1, 3])


def _landmarks(injection: Injection) -> str:
    if injection.site_mm is None:
        said = landmarks(injection.structure, injection.sites)
        return "; ".join(dict.fromkeys(said)).replace("->", " → ")
    along, across, deep = (number(mm) for mm in injection.site_mm)
    return f"{along} mm along, {across} mm across and {deep} mm deep from the centre"


def _sites(session: Session) -> int:
    return sum(injection.sites for injection in session.injections)


def _injection(session: Session, injection: Injection) -> list[str]:
    volume_ml = session.volume_ml(injection)
    return [
        words(injection.structure),
        number(injection.dose_u, digits=6),
        str(injection.sites),
        number(injection.site_dose_u),
        number(volume_ml / injection.sites),
        number(volume_ml),
    ]


def _label(label: Limits, injection: Injection, sources: Sequence[Source]) -> str:
    limit = label.structure(injection.structure)
    if limit is None:
        return "not in the label"
    tag = "" if limit.verified else " unverified"
    return f"{_range(limit)} {_marks(limit.sources, sources)}{tag}"


def _session_label(label: Limits, sources: Sequence[Source]) -> str:
    totals = [one for one in label.totals if one.scope == "session"]
    return (
        f"{number(totals[0].max_u, 'U at most')} {_marks(cite(totals), sources)}" if totals else ""
    )


def _range(limit: StructureLimit) -> str:
    if limit.max_u is None:
        return "no range stated"
    if limit.min_u is None or limit.min_u == limit.max_u:
        return number(limit.max_u, "U")
    return f"{number(limit.min_u)} to {number(limit.max_u, 'U')}"


def _vials(session: Session, product: Product) -> list[str]:
    choice = vials(session.dose, product)
    return [
        f"Open {_opened(choice)}: {number(float(choice.given_u), 'U', 6)} given, "
        f"{number(float(choice.wasted_u), 'U', 6)} discarded of "
        f"{number(float(choice.opened_u), 'U', 6)} opened."
    ]


def _opened(choice: VialChoice) -> str:
    named = [f"{n} × {number(float(size), 'U', 6)}" for size, n in choice.counts]
    return f"{counted(choice.vials, 'vial')} ({listed(named)})" if named else "no vial"


def _recipe(session: Session, product: Product) -> str:
    if product.solution_u_per_ml is not None:
        return f"Ready-to-use solution of {number(product.solution_u_per_ml, 'U/mL')}."
    per_vial = [
        f"{number(diluent_ml(size_u, session.dilution_u_per_ml), 'mL')} into a "
        f"{number(float(size_u), 'U', 6)} vial"
        for size_u, _ in vials(session.dose, product).counts
    ]
    strength = f"{number(session.dilution_u_per_ml, 'U/mL')}"
    tenth = number(session.dilution_u_per_ml / 10, "U in 0.1 mL")
    hours = number(product.use_within_h, "h")
    return (
        f"Diluent {product.diluent}: {listed(per_vial)} gives {strength} ({tenth}). "
        f"To be used within: {hours}."
    )


# --- what is expected ----------------------------------------------------------------------------


def _predicted(
    plan: Plan, patient: Patient, course: "Course", untreated: "Course", outcome: Outcome
) -> Content:
    """Goals, dates, strength, and the pictures."""
    from openbont.report.figures import pictures

    drawn = pictures(course, untreated, outcome, plan, patient)
    return {
        "draws": f"Numbers are medians over {outcome.draws} draws of the model, with the central "
        "90 % of draws in brackets.",
        "goals": _goals(outcome, course, patient),
        "facts": _facts(outcome),
        "strength": _strength(outcome.unwanted),
        "pictures": {picture.name: asdict(picture) for picture in drawn},
    }


def _goals(outcome: Outcome, course: "Course", patient: Patient) -> Table:
    """One row a goal, in the patient's order."""
    measured = {(one.scale, one.where): f"{one.words}, {one.scale}" for one in course.measures}
    rows = [
        [
            f"{goal.words} ({measured[goal.scale, goal.where]})".replace("_", " "),
            _target(asked, goal),
            band(goal.baseline),
            f"{band(goal.best)}, week {number(goal.best_week)}",
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
    return _table(caption, columns, rows, widths=[2, 1, 1.1, 1.1, 0, 0, 1, 1])


def _target(asked: Goal, goal: GoalOutcome) -> str:
    """As the patient's file writes it, with the number where that differs."""
    target = number(goal.target, goal.unit)
    if isinstance(asked.at_most, str):
        return f"at most {asked.at_most} ({target})"
    return f"at most {target}"


def _facts(outcome: Outcome) -> list[list[str]]:
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


def _strength(unwanted: Iterable[Unwanted]) -> Table:
    rows = [
        [
            one.words,
            share_band(one.kept),
            number(one.worst_week),
            "—" if one.floor is None else percent(one.floor),
            "—" if one.floor is None else percent(one.below_floor),
        ]
        for one in unwanted
    ]
    columns = ["Function", "Kept at its weakest", "Week", "Asked to keep", "Draws below that"]
    return _table(
        "Unwanted weakness; share of present strength", columns, rows, widths=[1.6, 1.4, 0, 0, 0]
    )


# --- why, and on what it rests -------------------------------------------------------------------


def _reasons(
    proposal: "Proposal | None", parameters: Sequence[Parameter], sources: Sequence[Source]
) -> Content:
    return {
        "why": None if proposal is None else _why(proposal),
        "rests_on": _rests_on(parameters, sources),
        "model_limits": list(MODEL_LIMITS),
    }


def _why(proposal: "Proposal") -> Content:
    full = "the same by the full model, spill between muscles included"
    return {
        "text": _in_words(proposal.why),
        "facts": [
            ["Value", number(proposal.value), "share of the wanted effect, less a price on units"],
            ["Bound", number(proposal.bound), "no plan within the limits is worth more"],
            ["Gap", percent(proposal.gap), "between the two"],
            ["Revalued", number(proposal.revalued), full],
            *[["Binding limit", one.limit, _in_words(one.words)] for one in proposal.binding],
        ],
    }


def _relevant(parameters: Iterable[Parameter], plan: Plan) -> list[Parameter]:
    """Without the parameters that belong to products and serotypes not in the plan."""
    used = _products(plan)
    own = {product.name for product in used} | {product.serotype for product in used}
    others = products().keys() | {product.serotype for product in products().values()}
    return [one for one in parameters if one.id.rsplit(".", 1)[-1] not in others - own]


def _rests_on(parameters: Sequence[Parameter], sources: Sequence[Source]) -> Content:
    grades = [f"{count} {grade}" for grade, count in tally(parameters).items()]
    weak = [one for one in parameters if one.grade == "assumed" or not one.verified]
    rows = [
        [
            f"{one.id}: {one.note}" if one.note else one.id,
            number(one.value),
            one.unit,
            f"{number(one.low)} to {number(one.high)}",
            one.grade + ("" if one.verified or one.grade == "assumed" else ", unverified"),
            _marks(one.sources, sources) or "—",
        ]
        for one in weak
    ]
    columns = ["Parameter", "Value", "Unit", "Plausible range", "Grade", "Source"]
    return {
        "tally": f"{len(parameters)} parameters: {listed(grades)}.",
        "table": _table(
            f"The {len(weak)} that are assumed or unverified",
            columns,
            rows,
            widths=[3, 0, 0, 1, 1.1, 0],
        ),
    }


def _sources(sources: Sequence[Source]) -> Content:
    return {
        "sources": [
            {
                "text": one.text,
                "address": "" if one.address in one.text else one.address,
                "unverified": not one.verified,
            }
            for one in sources
        ]
    }


def _marks(cited: Iterable[Source], sources: Sequence[Source]) -> str:
    """Numbers of the sources as printed: [1, 4]."""
    numbers = {_print(source): at for at, source in enumerate(sources, start=1)}
    found = sorted({numbers[_print(source)] for source in cited})
    return f"[{', '.join(map(str, found))}]" if found else ""


def _distinct(sources: Iterable[Source]) -> list[Source]:
    """One source for each line as printed."""
    return list({_print(source): source for source in reversed(list(sources))}.values())[::-1]


def _print(source: Source) -> tuple[str, str, bool]:
    return source.text, source.address, source.verified


def _products(plan: Plan) -> list[Product]:
    return [find_product(name) for name in plan.totals()]


def _label_sources(plan: Plan, patient: Patient) -> list[Source]:
    """Sources of the label ranges and totals that the plan tables print."""
    found: list[Source] = []
    for session in plan.sessions:
        label = limits(patient, session.product, plan.date_of(session), plan.disorder)
        printed = [label.structure(injection.structure) for injection in session.injections]
        totals = [one for one in label.totals if one.scope == "session"]
        found += cite([limit for limit in printed if limit is not None], totals)
    return found


def _table(
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    total: Sequence[str] | None = None,
    widths: Sequence[float] = (),
) -> Table:
    """A table; columns of short numbers are set flush right; width 0 fits the content."""
    numeric = [all(_numeric(row[k]) for row in rows) for k in range(len(columns))]
    return {
        "caption": caption,
        "columns": list(columns),
        "align": ["right" if yes else "left" for yes in numeric],
        "rows": [list(row) for row in rows],
        "total": None if total is None else list(total),
        "levels": None,
        "widths": list(widths) or [1.0] * len(columns),
    }


def _numeric(cell: str) -> bool:
    return cell[:1].isdigit() and len(cell) <= 8
