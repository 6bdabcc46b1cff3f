"""Is this patient one for whom toxin is indicated? Rules E01 to E12, by disorder."""

from collections import defaultdict
from collections.abc import Callable
from functools import cache
from typing import Any

from openbont.catalog.movements import treated_movements
from openbont.catalog.names import SPASTIC_CAUSES
from openbont.catalog.products import read
from openbont.catalog.safety import safety_rules
from openbont.catalog.scales import TONE, number
from openbont.catalog.vocabulary import Term, medicine
from openbont.errors import UnknownName
from openbont.evidence import Source
from openbont.planning.rules import Case, Findings, Level, Shot, reading, say

LEAST_GRADE = 2.0
NO_EFFECT = "toxin did no better than placebo in this disorder, at any dose that was tried"
HEADACHE_DAYS, HEADACHE_HOURS, MIGRAINE_DAYS = 15, 4, 8


def _treated(case: Case) -> dict[str, list[Shot]]:
    """Injections by the movement they are meant for, for instance wrist_flexors.left."""
    groups: dict[str, list[Shot]] = defaultdict(list)
    for shot in case.shots:
        movement = treated_movements().get(shot.muscle)
        if case.about("spasticity") and movement:
            groups[f"{movement}.{shot.side}"].append(shot)
    return groups


def tone(case: Case, movement: str) -> float | None:
    """The latest MAS or Ashworth grade of a movement, 1+ read as 1.5; None when not recorded."""
    found = [
        number(one.scale, one.value)
        for one in case.patient.findings
        if one.scale in TONE and one.where == movement
    ]
    return found[-1] if found else None


def e01(case: Case) -> Findings:
    """Increased tone in what is treated."""
    groups = _treated(case)
    grades = {movement: tone(case, movement) for movement in groups}
    known = [grade for grade in grades.values() if grade is not None]
    if known and max(known) < LEAST_GRADE and len(known) == len(grades):
        reason = f"no treated movement has a tone of grade {LEAST_GRADE:g} or more"
        yield say("stop", "E01", "patient.findings", reason, "a movement that is spastic")
        return
    for movement, grade in grades.items():
        place = groups[movement][0].place
        if grade is None:
            reason = f"no MAS or Ashworth reading of {movement}"
            yield say("warn", "E01", place, reason, "record it")
        elif grade < LEAST_GRADE:
            reason = f"tone of {movement} is grade {grade:g}, below {LEAST_GRADE:g}"
            yield say("warn", "E01", place, reason, "leave these muscles out, or say why")


def e02(case: Case) -> Findings:
    """Fixed contracture: toxin cannot lengthen what is no longer muscle tone."""
    groups = _treated(case)
    for i, one in enumerate(case.patient.findings):
        fixed = one.scale == "contracture" and one.value not in ("none", "no", 0.0)
        if fixed and one.where in groups:
            reason = f"fixed contracture at {one.where}: toxin was not shown to help a fixed joint"
            clears = "leave these muscles out; stretch, splint or surgery"
            yield say("stop", "E02", f"patient.findings[{i}]", reason, clears)
    for place, term in case.having("contracture") if groups else ():
        reason = f"{term.words}, joint not said: toxin cannot lengthen it"
        clears = "a finding of scale contracture that says where"
        yield say("warn", "E02", place, reason, clears)


def e03(case: Case) -> Findings:
    """Cause of spasticity."""
    cause = case.patient.disorder.cause
    if case.about("spasticity") and cause not in SPASTIC_CAUSES:
        said = f"cause {cause!r} is not among those known" if cause else "cause not recorded"
        clears = f"one of: {', '.join(SPASTIC_CAUSES)}"
        yield say("warn", "E03", "patient.disorder.cause", said, clears)


def e04(case: Case) -> Findings:
    """Rehabilitation or another treatment first."""
    if not case.about("spasticity"):
        return
    place = "patient.prior_treatments"
    if not case.patient.prior_treatments:
        yield say("warn", "E04", place, "no earlier treatment recorded", "record what was tried")
    elif not any("rehabilitation" in term.classes for term in _tried(case)):
        reason = "no rehabilitation recorded: toxin is no substitute for it"
        yield say("warn", "E04", place, reason, "physiotherapy, occupational therapy or splinting")


def _tried(case: Case, *outcomes: str) -> list[Term]:
    """Known earlier treatments, of these outcomes if any are named."""
    found = []
    for one in case.patient.prior_treatments:
        try:
            term = medicine(one.name)
        except UnknownName:
            continue
        if not outcomes or one.outcome in outcomes:
            found.append(term)
    return found


def _migraine(case: Case) -> bool:
    return case.plan.disorder == "migraine.chronic"


def e05(case: Case) -> Findings:
    """Headache days."""
    if not _migraine(case):
        return
    days = reading(case, "headache_days_28")
    if days is None:
        reason = "headache days in 28 days are not recorded"
        yield say("warn", "E05", "patient.findings", reason, "a diary of 28 days")
    elif days < HEADACHE_DAYS:
        reason = f"{days:g} headache days in 28 days: episodic migraine, where toxin is not "
        reason += f"established; chronic migraine has {HEADACHE_DAYS} or more"
        yield say("stop", "E05", "patient.findings", reason, "another preventive treatment")


def e06(case: Case) -> Findings:
    """Hours of headache."""
    hours = reading(case, "headache_hours_per_day")
    if not _migraine(case):
        return
    if hours is None:
        reason = "hours of headache a day are not recorded"
        clears = f"record headache_hours_per_day; {HEADACHE_HOURS} or more"
        yield say("inform", "E06", "patient.findings", reason, clears)
    elif hours < HEADACHE_HOURS:
        reason = f"headache of {hours:g} hours a day; the label speaks of {HEADACHE_HOURS} or more"
        yield say("stop", "E06", "patient.findings", reason, "another preventive treatment")


def e07(case: Case) -> Findings:
    """Migraine days, as the EU asks."""
    days = reading(case, "migraine_days_28")
    if _migraine(case) and days is not None and days < MIGRAINE_DAYS:
        reason = f"{days:g} migraine days in 28 days; the EU asks for {MIGRAINE_DAYS} or more"
        level: Level = "warn" if case.jurisdiction == "EU" else "inform"
        yield say(level, "E07", "patient.findings", reason, "diagnosis reviewed")


def e08(case: Case) -> Findings:
    """Preventive medicines tried before."""
    if not _migraine(case):
        return
    tried = _tried(case, "failed", "not tolerated", "contraindicated")
    classes = {term.classes[0] for term in tried if term.migraine_preventive}
    place = "patient.prior_treatments"
    if len(classes) < 2:
        reason = f"{len(classes)} classes of preventives failed or were not tolerated; most payers "
        reason += "ask for 2 (US) or 3 (UK)"
        yield say("warn", "E08", place, reason, "preventives tried and recorded")
    elif len(classes) < 3:
        reason = "2 classes of preventives failed or were not tolerated; the UK asks for 3"
        yield say("inform", "E08", place, reason)


def e09(case: Case) -> Findings:
    """Overuse of acute medicines."""
    for place, term in case.having("medication_overuse") if _migraine(case) else ():
        yield say("warn", "E09", place, term.words, "overuse addressed first")


def e10(case: Case) -> Findings:
    """Bad enough, as the disorder's trials asked."""
    asked = _asked(case.plan.disorder)
    if "reading" not in asked:
        return
    scale, least, cited = asked["reading"], asked["at_least"], _cited("E10", asked["source"])
    readings = [one for one in case.patient.findings if one.scale == scale and one.where != "rest"]
    found = max((number(scale, one.value) for one in readings), default=None)
    if found is None:
        reason = f"no {scale} recorded; trials took patients from {least:g} on"
        yield say("warn", "E10", "patient.findings", reason, "record it", cited)
    elif found < least:
        reason = f"{scale} is {found:g}; trials took patients from {least:g} on"
        clears = "a wish that outweighs the risk"
        yield say("warn", "E10", "patient.findings", reason, clears, cited)


def e11(case: Case) -> Findings:
    """Medicines that the label wants tried first."""
    asked = _asked(case.plan.disorder)
    first = asked.get("tried")
    tried = _tried(case, "failed", "not tolerated", "contraindicated")
    if first and not any(first in term.classes for term in tried):
        reason = f"no {first} recorded that failed or was not tolerated"
        cited = _cited("E11", asked["label"])
        yield say("warn", "E11", "patient.prior_treatments", reason, "try one, or record it", cited)


def _asked(disorder: str) -> dict[str, Any]:
    """What its trials and labels ask of a patient; nothing where no row is known."""
    found: dict[str, Any] = _criteria().get(disorder, {})
    return found


@cache
def _criteria() -> dict[str, Any]:
    return dict(read("eligibility.yaml"))


def _cited(rule: str, source: str) -> tuple[Source, ...]:
    """The one source of a rule that speaks of this disorder."""
    return tuple(one for one in safety_rules()[rule].sources if one.id == f"safety:{source}")


def without_effect(disorder: str) -> bool:
    """True for a disorder in which trials found no effect."""
    return "no_effect" in _asked(disorder)


def e12(case: Case) -> Findings:
    """Disorders in which toxin did no better than placebo."""
    trial = _asked(case.plan.disorder).get("no_effect")
    if trial:
        clears = "another treatment, or the diagnosis reviewed"
        yield say("stop", "E12", "plan.disorder", NO_EFFECT, clears, _cited("E12", trial))


ELIGIBILITY: dict[str, Callable[[Case], Findings]] = {
    rule.__name__.upper(): rule
    for rule in (e01, e02, e03, e04, e05, e06, e07, e08, e09, e10, e11, e12)
}
"""Every eligibility rule by its id."""
