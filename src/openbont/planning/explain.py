"""A plan in words: what the software understood, totals against limits, what was filled in."""

from openbont.catalog.muscles import place_words, words
from openbont.patient import Patient
from openbont.plan import Injection, Plan, Session
from openbont.planning.limits import Limits, limits


def explain(plan: Plan, patient: Patient) -> str:
    """Several lines of plain text."""
    lines = [
        f"Plan for {patient.id}: {plan.disorder}, {len(plan.sessions)} "
        f"session{'s' if len(plan.sessions) > 1 else ''} from {plan.date:%d %b %Y}."
    ]
    for session in plan.sessions:
        lines += _session(session, plan, patient)
    return "\n".join(lines)


def _session(session: Session, plan: Plan, patient: Patient) -> list[str]:
    allowed = limits(patient, session.product, plan.date_of(session), plan.disorder)
    volume_ml = sum(session.volume_ml(injection) for injection in session.injections)
    sites = sum(injection.sites for injection in session.injections)
    return [
        f"{plan.date_of(session):%d %b %Y}: {session.dose} in {sites} sites, {volume_ml:.3g} mL "
        f"at {session.dilution_u_per_ml:g} U/mL.",
        *(f"  {_injection(injection, session, allowed)}" for injection in session.injections),
        *(f"  {line}" for line in _totals(session, allowed)),
    ]


def _injection(injection: Injection, session: Session, allowed: Limits) -> str:
    volume_ml = session.volume_ml(injection)
    filled = "" if injection.volume_ml else " (volume from the dilution)"
    return (
        f"{words(injection.structure)}: {injection.dose_u:g} U, {injection.sites} x "
        f"{injection.site_dose_u:.3g} U and {volume_ml / injection.sites:.3g} mL{filled}; "
        f"{_range(injection, allowed)}; {place_words(injection, allowed.disorder)}"
    )


def _range(injection: Injection, allowed: Limits) -> str:
    limit = allowed.structure(injection.structure)
    if limit is None or limit.max_u is None:
        return "no dose in the label"
    least = f"{limit.min_u:g} to " if limit.min_u is not None else "up to "
    return f"label {least}{limit.max_u:g} U{'' if limit.verified else ', unverified'}"


def _totals(session: Session, allowed: Limits) -> list[str]:
    lines = [f"label: {one.reason}" for one in allowed.totals if one.scope != "muscles"]
    if allowed.rolling_max_u is not None:
        lines.append(
            f"label: {allowed.rolling_reason}; {allowed.rolling_used_u:g} U of "
            f"{session.product} already given in these 12 weeks"
        )
    if allowed.earliest_date is not None and allowed.earliest_date > allowed.on:
        lines.append(f"not before {allowed.earliest_date:%d %b %Y}, counting every clinic")
    return lines
