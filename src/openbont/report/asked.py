"""What was asked: header, verdict, findings, and each session with its vials and places."""

import re
from collections.abc import Sequence

from openbont.catalog.muscles import base, place_words, words
from openbont.catalog.needles import needles
from openbont.catalog.products import product as find_product
from openbont.catalog.vials import VialChoice, diluent_ml, vials
from openbont.catalog.vocabulary import ailments
from openbont.evidence import Source, cite
from openbont.patient import Patient
from openbont.plan import Injection, Plan, Session
from openbont.planning.limits import Limits, StructureLimit, limits
from openbont.planning.rules import Finding
from openbont.product import Product
from openbont.report.tables import Content, Table, in_words, marks, table
from openbont.report.words import counted, day, listed, number, title_words

LEVELS = {"stop": "■ STOP", "warn": "▲ WARNING", "inform": "● note"}
NO_SAFE_DOSE = {"motor_neuron", "motor_neuropathy", "neuromuscular_junction"}
"""Classes of conditions in which no dose is known to be safe."""


def header(plan: Plan, patient: Patient) -> list[list[str]]:
    """Who is treated, for what, with what and when: terms and values."""
    disorder = patient.disorder
    side = f", {disorder.side}" if disorder.side not in ("", "both") else ""
    cause = f" (cause: {disorder.cause})" if disorder.cause else ""
    given = listed([f"{p.name} ({p.brand})" for p in products_of(plan)])
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


def verdict(findings: Sequence[Finding], patient: Patient) -> dict[str, str]:
    """May it be given? One sentence with its level."""
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
    return {"level": level, "word": LEVELS[level], "text": text + no_safe_dose(patient)}


def no_safe_dose(patient: Patient) -> str:
    """The sentence for a patient in whom no dose is known to be safe; empty for all others."""
    known = ailments(patient.conditions, patient.disorder.cause)
    names = [term.words for _, term in known if NO_SAFE_DOSE & set(term.classes)]
    return f" No dose is known to be safe in {listed(names)}." if names else ""


def asked(
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


def _findings(findings: Sequence[Finding], plan: Plan, sources: Sequence[Source]) -> Table:
    order = list(LEVELS)
    ranked = sorted(findings, key=lambda finding: order.index(finding.level))
    rows = [
        [
            LEVELS[finding.level],
            spoken(finding.place, finding.reason, plan),
            in_words(finding.clears) or "—",
            f"{finding.rule} {marks(finding.sources, sources)}".strip()
            + ("" if finding.verified else ", unverified"),
        ]
        for finding in ranked
    ]
    columns = ["Level", "Finding", "What clears it", "Rule, source"]
    plain = table("The most serious first", columns, rows)
    return plain | {"levels": [finding.level for finding in ranked], "widths": [0, 3, 2, 1.2]}


def spoken(place: str, reason: str, plan: Plan) -> str:
    """The reason, after the structure or session that it is about."""
    named = re.match(r"sessions\[(\d+)\](?:\.injections\[(\d+)\])?", place)
    if named is None:
        return in_words(reason)
    session = plan.sessions[int(named[1])]
    if named[2] is not None:
        return f"{words(session.injections[int(named[2])].structure)}: {in_words(reason)}"
    several = f"{day(plan.date_of(session))}: " if len(plan.sessions) > 1 else ""
    return several + in_words(reason)


def _session(
    session: Session,
    plan: Plan,
    patient: Patient,
    sources: Sequence[Source],
    stopped: bool,
) -> Content:
    """One session: the plan table, and unless stopped the vials, the recipe and the places."""
    product = find_product(session.product)
    title = f"{product.name} ({product.brand}) on {day(plan.date_of(session))}"
    columns = ["Structure", "Dose, U", "Sites", "U per site", "mL per site", "Total mL"]
    rows = [_injection(session, injection) for injection in session.injections]
    total = _total(session)
    if stopped:
        refused = table(f"{title}. NOT TO BE GIVEN", columns, rows, total, [2, 0, 0, 0, 0, 0])
        return {"table": refused, "recipe": [], "places": None}
    if not no_safe_dose(patient):
        label = limits(patient, session.product, plan.date_of(session), plan.disorder)
        columns.append(f"Label range, {label.jurisdiction}, one side")
        for row, injection in zip(rows, session.injections, strict=True):
            row.append(_label(label, injection, sources))
        total.append(_session_label(label, sources))
    return {
        "table": table(title, columns, rows, total, [2, 0, 0, 0, 0, 0, 1.6][: len(columns)]),
        "recipe": [vials_words(session, product), recipe(session, product)],
        "places": _places(session, plan.disorder),
    }


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


def _total(session: Session) -> list[str]:
    dose_u = number(session.dose.value_u, digits=6)
    sites = sum(injection.sites for injection in session.injections)
    volume_ml = sum(session.volume_ml(injection) for injection in session.injections)
    return ["Total", dose_u, str(sites), "", "", number(volume_ml)]


def _label(label: Limits, injection: Injection, sources: Sequence[Source]) -> str:
    limit = label.structure(injection.structure)
    if limit is None:
        return "not in the label"
    tag = "" if limit.verified else " unverified"
    return f"{_range(limit)} {marks(limit.sources, sources)}{tag}"


def _session_label(label: Limits, sources: Sequence[Source]) -> str:
    totals = [one for one in label.totals if one.scope == "session"]
    return (
        f"{number(totals[0].max_u, 'U at most')} {marks(cite(totals), sources)}" if totals else ""
    )


def _range(limit: StructureLimit) -> str:
    if limit.max_u is None:
        return "no range stated"
    if limit.min_u is None or limit.min_u == limit.max_u:
        return number(limit.max_u, "U")
    return f"{number(limit.min_u)} to {number(limit.max_u, 'U')}"


def vials_words(session: Session, product: Product) -> str:
    """Which vials to open, and what they leave over."""
    choice = vials(session.dose, product)
    given, wasted, opened = (
        number(float(units), "U", 6) for units in (choice.given_u, choice.wasted_u, choice.opened_u)
    )
    return f"Open {_opened(choice)}: {given} given, {wasted} discarded of {opened} opened."


def _opened(choice: VialChoice) -> str:
    named = [f"{n} × {number(float(size), 'U', 6)}" for size, n in choice.counts]
    return f"{counted(choice.vials, 'vial')} ({listed(named)})" if named else "no vial"


def recipe(session: Session, product: Product) -> str:
    """How the product is dissolved, and for how long it may be used."""
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


NEEDLES = "Where the needle goes; unverified: general knowledge, not read in a source"


def _places(session: Session, disorder: str) -> Table:
    """Landmarks; structures that differ by side only share a row."""
    named: dict[tuple[str, str], list[Injection]] = {}
    for one in session.injections:
        named.setdefault((base(one.structure), place_words(one, disorder)), []).append(one)
    rows = [
        [words(found[0].structure if len(found) == 1 else name), where, *needle_words(name)]
        for (name, where), found in named.items()
    ]
    columns = ["Structure", "Place", "Needle", "Keep away from"]
    return table(NEEDLES, columns, rows, widths=[1, 1.6, 1.3, 1.4])


def needle_words(name: str) -> tuple[str, str]:
    """How the needle goes in and what it must not meet; said where nobody has checked it."""
    needle = needles()[name]
    tag = "" if needle.verified else " (unverified)"
    return needle.approach + tag, needle.avoid


def products_of(plan: Plan) -> list[Product]:
    """The products that a plan uses, each once."""
    return [find_product(name) for name in plan.totals()]


def label_sources(plan: Plan, patient: Patient) -> list[Source]:
    """Sources of the label ranges and totals that the plan tables print."""
    found: list[Source] = []
    for session in plan.sessions:
        label = limits(patient, session.product, plan.date_of(session), plan.disorder)
        printed = [label.structure(injection.structure) for injection in session.injections]
        totals = [one for one in label.totals if one.scope == "session"]
        found += cite([limit for limit in printed if limit is not None], totals)
    return found
