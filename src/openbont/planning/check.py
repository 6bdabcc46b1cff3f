"""check(plan, patient): may this be injected? Safety, eligibility, label ranges, consistency."""

import math
from collections.abc import Callable
from datetime import date

from openbont.catalog.labels import (
    MIDLINE,
    LabelRow,
    jurisdiction_of,
    label_row,
    label_rows,
    labelled,
    rows_for,
)
from openbont.catalog.products import product
from openbont.catalog.safety import safety_rules
from openbont.catalog.vocabulary import OTHER, medicine
from openbont.errors import UnknownName, nearest
from openbont.evidence import Source
from openbont.patient import Patient
from openbont.plan import Plan
from openbont.planning.eligibility import ELIGIBILITY
from openbont.planning.limits import TotalLimit
from openbont.planning.rules import (
    LEVELS,
    SAFETY,
    TOLERANCE_U,
    Case,
    Finding,
    Findings,
    Level,
    Occasion,
    Shot,
    refusals,
    say,
)

__all__ = ["Finding", "check", "check_patient", "rules"]

Rules = dict[str, Callable[[Case], Findings]]
ROUNDING = 1.001
"""Volumes and sites are read from syringes: a part in a thousand is no excess."""
SAME_DILUTION = 0.02


def check(plan: Plan, patient: Patient, jurisdiction: str = "US") -> list[Finding]:
    """All findings: stops first, then warnings, then information."""
    return _said(Case(plan, patient, jurisdiction), _all())


def check_patient(patient: Patient, on: date, jurisdiction: str = "US") -> list[Finding]:
    """What can be said before there is a plan: findings that rest on the patient alone."""
    nothing = Plan.model_construct(
        patient=patient.id, disorder=patient.disorder.name, date=on, sessions=(), note=""
    )
    return _said(Case(nothing, patient, jurisdiction), SAFETY | ELIGIBILITY | {"P07": p07})


def _said(case: Case, rules: Rules) -> list[Finding]:
    """What these rules say: stops first."""
    findings = [finding for rule in rules.values() for finding in rule(case)]
    if refusals(case.patient):
        findings = _without_advice(findings)
    return sorted(findings, key=lambda one: (LEVELS.index(one.level), one.rule))


def rules() -> dict[str, str]:
    """Every rule of `check`: id -> what it means."""
    return {name: safety_rules()[name].meaning for name in _all()}


def _all() -> Rules:
    return SAFETY | ELIGIBILITY | LABEL | CONSISTENCY


def _without_advice(findings: list[Finding]) -> list[Finding]:
    """Where no dose is known to be safe, nothing may read as advice on a dose."""
    unclear = {"clears": "nothing in this tool: see S07"}
    return [
        one if one.rule == "S07" or not one.clears else one.model_copy(update=unclear)
        for one in findings
        if one.level != "inform" or not one.rule.startswith("L")
    ]


def _severe(verified: bool) -> Level:
    """A limit that was recalled and not read again warns; one that was read stops."""
    return "stop" if verified else "warn"


def l01(case: Case) -> Findings:
    """Product labelled for the disorder, at this age and weight."""
    for one in case.occasions:
        rows = labelled(one.product, case.plan.disorder)
        use = f"{one.product} for {case.plan.disorder}"
        if not rows:
            reason = f"off label: no label row of {use}; its doses could not be compared"
            yield say("warn", "L01", one.place, reason, "a labelled product, or the decision noted")
        elif not rows_for(one.product, case.plan.disorder, case.patient, case.jurisdiction):
            reason = f"no label dose of {use} at {_years(case)} and {case.patient.weight_kg:g} kg; "
            reason += f"labels start at {_start(rows)}"
            clears = "a product labelled at this age and weight"
            yield say("stop", "L01", one.place, reason, clears)


def _years(case: Case) -> str:
    return f"{case.patient.age_years:g} years"


def _start(rows: tuple[LabelRow, ...]) -> str:
    years = min(row.age_min or 0.0 for row in rows)
    weights = [row.weight_min_kg for row in rows if row.weight_min_kg is not None]
    return f"{years:g} years" + (f" and {min(weights):g} kg in children" if weights else "")


def l02(case: Case) -> Findings:
    """Structure in the label."""
    for one in case.occasions:
        now = case.limits(one)
        for structure, (_, shot) in one.by_structure().items():
            if now.structures and now.structure(structure) is None:
                known = [limit.muscle for limit in now.structures]
                reason = f"off label: {shot.muscle} has no dose in the {now.jurisdiction} label of "
                reason += f"{one.product} for {case.plan.disorder}{_elsewhere(one, shot, case)}"
                close = nearest(shot.muscle, known)
                clears = f"did you mean {' or '.join(close)}?" if close else "leave it out"
                yield say("warn", "L02", shot.place, reason, clears)


def _elsewhere(one: Occasion, shot: Shot, case: Case) -> str:
    """Where else this product is labelled for the structure."""
    uses = {
        "/".join(row.jurisdiction) if case.plan.disorder in row.disorder else row.disorder[0]
        for row in label_rows()
        if row.product == one.product and row.kind == "muscle" and shot.muscle in row.structures
    }
    return f"; it is labelled for: {', '.join(sorted(uses))}" if uses else ""


def l03(case: Case) -> Findings:
    """Most units of one side of a structure."""
    for one in case.occasions:
        extra_left = _extra_u(case, one)
        for structure, (dose_u, shot) in one.by_structure().items():
            limit = case.limits(one).structure(structure)
            if limit is None or limit.max_u is None or dose_u <= limit.max_u + TOLERANCE_U:
                continue
            over_u = dose_u - limit.max_u
            reason = f"{dose_u:g} U in {structure}; the label's most is {limit.max_u:g} U"
            place = f"{shot.place}.dose_u"
            if over_u <= extra_left.get(shot.muscle, 0.0) + TOLERANCE_U:
                extra_left[shot.muscle] -= over_u
                reason += "; additions where the pain is come from trials and the EU label"
                yield say("warn", "L03", place, reason, "the fixed pattern", _extra(case, one))
                continue
            clears = f"at most {limit.max_u:g} U"
            yield say(_severe(limit.verified), "L03", place, reason, clears, limit.sources)


def _extra_u(case: Case, one: Occasion) -> dict[str, float]:
    return {extra.muscle: extra.max_u for extra in case.limits(one).extras}


def _extra(case: Case, one: Occasion) -> tuple[Source, ...]:
    return tuple(source for extra in case.limits(one).extras for source in extra.sources)[:1]


def l04(case: Case) -> Findings:
    """Least units of one side of a structure, and of a session."""
    for one in case.occasions:
        now = case.limits(one)
        for structure, (dose_u, shot) in one.by_structure().items():
            limit = now.structure(structure)
            if limit and limit.min_u is not None and dose_u < limit.min_u - TOLERANCE_U:
                reason = f"{dose_u:g} U in {structure}; the label starts at {limit.min_u:g} U"
                yield say("inform", "L04", f"{shot.place}.dose_u", reason, "", limit.sources)
        for total in now.totals:
            if total.scope == "session" and one.total_u < (total.min_u or 0.0) - TOLERANCE_U:
                reason = f"{one.total_u:g} U in all; the label starts at {total.min_u:g} U"
                yield say("inform", "L04", one.place, reason, "", total.sources)


def l05(case: Case) -> Findings:
    """Units at one site."""
    for one in case.occasions:
        now = case.limits(one)
        for shot in one.shots:
            limit = now.structure(shot.injection.structure)
            most = limit.site_max_u if limit else now.site_max_u
            if most is None or shot.injection.site_dose_u <= most * ROUNDING:
                continue
            reason = f"{shot.injection.site_dose_u:g} U at each site of {shot.injection.structure};"
            reason += f" the label's most is {most:g} U"
            yield _site(case, shot, "L05", reason, limit.row if limit else "", "site_max_u")


def l06(case: Case) -> Findings:
    """Volume at one site."""
    for one in case.occasions:
        now = case.limits(one)
        for shot in one.shots:
            limit = now.structure(shot.injection.structure)
            most = limit.site_max_ml if limit else now.site_max_ml
            if most is None or shot.site_volume_ml <= most * ROUNDING:
                continue
            reason = f"{shot.site_volume_ml:.3g} mL at each site of {shot.injection.structure}; "
            reason += f"the label's most is {most:g} mL"
            yield _site(case, shot, "L06", reason, limit.row if limit else "", "site_max_ml")


def _site(case: Case, shot: Shot, rule: str, reason: str, row: str, field: str) -> Finding:
    """A finding on one site, resting on the row that states the limit."""
    if not row or getattr(label_row(row), field) is None:
        rows = rows_for(shot.session.product, case.plan.disorder, case.patient, case.jurisdiction)
        row = next(one.id for one in rows if getattr(one, field) is not None)
    cited = label_row(row).cite(field)
    level = _severe(cited.verified)
    return say(level, rule, shot.place, reason, "more sites, or less at each", (cited,))


def l07(case: Case) -> Findings:
    """Dilution."""
    for one in case.occasions:
        now = case.limits(one)
        for used in sorted({shot.session.dilution_u_per_ml for shot in one.shots}):
            known = now.dilutions_u_per_ml
            if known and all(abs(used - right) > SAME_DILUTION * right for right in known):
                listed = " or ".join(f"{right:g}" for right in known)
                reason = f"{used:g} U/mL; the label dilutes to {listed} U/mL"
                place = f"{one.place}.dilution_u_per_ml"
                yield say("warn", "L07", place, reason, f"{listed} U/mL")


def l08(case: Case) -> Findings:
    """Totals of a session, a limb, a group of muscles."""
    for one in case.occasions:
        for total in case.limits(one).totals:
            for where, total_u in _sums(one, total).items():
                if total_u <= total.max_u + TOLERANCE_U:
                    continue
                reason = f"{total_u:g} U{where}; {total.reason}"
                level = _severe(total.verified)
                if total.scope == "session" and total_u - total.max_u <= _added_u(case, one):
                    level = "warn"
                    reason += "; additions where the pain is come from trials and the EU label"
                clears = f"at most {total.max_u:g} U"
                yield say(level, "L08", one.place, reason, clears, total.sources)


def _sums(one: Occasion, total: TotalLimit) -> dict[str, float]:
    """Units that count under a total, by side where it holds for each side."""
    sums: dict[str, float] = {}
    for shot in one.shots:
        if not total.muscles or shot.muscle in total.muscles:
            where = f" on the {shot.side}" if total.each_side else ""
            sums[where] = sums.get(where, 0.0) + shot.injection.dose_u
    return sums


def _added_u(case: Case, one: Occasion) -> float:
    """Units above the fixed pattern that trials allow where the pain is."""
    over: dict[str, float] = {}
    for structure, (dose_u, shot) in one.by_structure().items():
        limit = case.limits(one).structure(structure)
        if limit and limit.max_u is not None and dose_u > limit.max_u:
            over[shot.muscle] = over.get(shot.muscle, 0.0) + dose_u - limit.max_u
    allowed = _extra_u(case, one)
    return sum(min(units, allowed.get(muscle, 0.0)) for muscle, units in over.items()) + TOLERANCE_U


def l09(case: Case) -> Findings:
    """Number of sites of a structure, all its entries together."""
    for one in case.occasions:
        extras = {extra.muscle: extra.sites_max for extra in case.limits(one).extras}
        for structure, shots in one.entries().items():
            limit = case.limits(one).structure(structure)
            if limit is None or limit.sites_min is None or limit.sites_max is None:
                continue
            sites = sum(shot.injection.sites for shot in shots)
            # half a site is one in the midline, written once for each side
            least, most = math.floor(limit.sites_min), math.ceil(limit.sites_max)
            if not least <= sites <= most + extras.get(shots[0].muscle, 0):
                reason = f"{sites} sites in {structure}; the label has {least} to {most}"
                cited = (label_row(limit.row).cite("sites_min", "sites_max"),)
                yield say("inform", "L09", f"{shots[0].place}.sites", reason, "", cited)


def l10(case: Case) -> Findings:
    """What the label also asks of the patient."""
    for one in case.occasions:
        rows = rows_for(one.product, case.plan.disorder, case.patient, case.jurisdiction)
        for row in {row.requires: row for row in rows if row.requires}.values():
            if not _meets(case, row.requires):
                asked = row.requires.replace("_", " ")
                reason = f"the label of {one.product} asks for: {asked}; this is not recorded"
                cited = (row.cite(),)
                yield say("warn", "L10", one.place, reason, f"record it, if so: {asked}", cited)


def _meets(case: Case, requires: str) -> bool:
    palsy = bool(case.having("cerebral_palsy"))
    palsy = palsy or case.patient.disorder.cause == "cerebral palsy"
    return {
        "toxin_experienced": bool(case.patient.history),
        "self_catheterising": bool(case.having("self_catheterising")),
        "cerebral_palsy": palsy,
        "not_cerebral_palsy": not palsy,
    }[requires]


def l11(case: Case) -> Findings:
    """Rows of another jurisdiction."""
    for one in case.occasions:
        rows = rows_for(one.product, case.plan.disorder, case.patient, case.jurisdiction)
        used = jurisdiction_of(rows, case.jurisdiction)
        if used != case.jurisdiction:
            reason = f"no {case.jurisdiction} label row of {one.product} for {case.plan.disorder}: "
            reason += f"limits come from {used}"
            yield say("inform", "L11", one.place, reason)


def l12(case: Case) -> Findings:
    """First dose."""
    naive = not case.patient.history
    for one in case.occasions:
        now = case.limits(one)
        for structure, (dose_u, shot) in one.by_structure().items():
            limit = now.structure(structure)
            start_u = limit.start_u if limit else None
            if naive and limit and start_u is not None and dose_u > start_u + TOLERANCE_U:
                reason = f"{dose_u:g} U in {structure}; a first treatment takes up to {start_u:g} U"
                place = f"{shot.place}.dose_u"
                yield say("warn", "L12", place, reason, "the first dose", limit.sources)
        rows = rows_for(one.product, case.plan.disorder, case.patient, case.jurisdiction)
        for row in rows:
            start_u = row.start_u(case.patient.weight_kg)
            if naive and row.kind == "session" and start_u and one.total_u > start_u:
                reason = f"{one.total_u:g} U in all; a first treatment takes up to {start_u:g} U"
                cited = (row.cite("dose_max"),)
                yield say("warn", "L12", one.place, reason, "the first dose", cited)


def p01(case: Case) -> Findings:
    """Products known, in the plan and in the history."""
    named = [(f"sessions[{i}].product", one.product) for i, one in enumerate(case.plan.sessions)]
    history = enumerate(case.patient.history)
    named += [(f"patient.history[{i}].product", one.product) for i, one in history]
    for place, name in named:
        try:
            product(name)
        except UnknownName as unknown:
            yield say("stop", "P01", place, unknown.problem, unknown.way_out)


def p02(case: Case) -> Findings:
    """Same patient."""
    plan, patient = case.plan.patient, case.patient.id
    if plan != patient:
        reason = f"the plan is for {plan}, the patient is {patient}"
        yield say("stop", "P02", "patient", reason, "the plan and the patient that belong together")


def p03(case: Case) -> Findings:
    """Same disorder."""
    planned, own = case.plan.disorder, case.patient.disorder.name
    if planned != own:
        reason = f"the plan treats {planned}, the patient has {own}"
        yield say("stop", "P03", "disorder", reason, "the disorder that is treated, in both")


def p04(case: Case) -> Findings:
    """Plan after the findings."""
    first: date = case.plan.date_of(case.plan.sessions[0])
    if first < case.patient.date:
        reason = f"first session on {first}, patient seen on {case.patient.date}"
        yield say("stop", "P04", "date", reason, "a date on or after the findings")


def p05(case: Case) -> Findings:
    """Side affected."""
    affected = case.patient.disorder.side
    for shot in case.shots if case.about("spasticity") else ():
        if affected in ("left", "right") and shot.side and shot.side != affected:
            reason = f"{shot.injection.structure}: the {affected} side is affected"
            yield say("stop", "P05", shot.place, reason, "the affected side")


def p06(case: Case) -> Findings:
    """Sides written."""
    for shot in case.shots:
        right = ("",) if shot.muscle in MIDLINE else ("left", "right")
        if shot.side not in right:
            problem = "has no side" if right == ("",) else "needs its side, .left or .right"
            reason = f"{shot.injection.structure}: {shot.muscle} {problem}"
            clears = f"{shot.muscle}.left" if right != ("",) else shot.muscle
            yield say("stop", "P06", f"{shot.place}.structure", reason, clears)


def p07(case: Case) -> Findings:
    """What no rule knows."""
    for i, name in enumerate(case.patient.medicines):
        place = f"patient.medicines[{i}]"
        try:
            medicine(name, place)
        except UnknownName as unknown:
            clears = unknown.way_out if unknown.nearest else ""
            reason = f"{unknown.problem} was not checked for interactions"
            yield say("inform", "P07", place, reason, clears)
    for i, name in enumerate(case.patient.conditions):
        if name.lower().startswith(OTHER):
            yield say("inform", "P07", f"patient.conditions[{i}]", f"{name!r} was not checked")


LABEL: dict[str, Callable[[Case], Findings]] = {
    rule.__name__.upper(): rule
    for rule in (l01, l02, l03, l04, l05, l06, l07, l08, l09, l10, l11, l12)
}
"""Label ranges."""

CONSISTENCY: dict[str, Callable[[Case], Findings]] = {
    rule.__name__.upper(): rule for rule in (p01, p02, p03, p04, p05, p06, p07)
}
"""Plan, patient and label speak of the same person, place and day."""
