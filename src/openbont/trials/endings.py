"""Responders, durations and adverse events of published rows: one number a person."""

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import ndtr

from openbont.catalog.endpoints import Row
from openbont.catalog.evidence import parameter
from openbont.design import Clause, clauses
from openbont.errors import NoEvidence
from openbont.trials.measures import Seen, Series, series
from openbont.trials.rules import met

PEAK_WEEKS = 12.0
"""Within which the largest effect is looked for."""
_RETREAT_WEEKS = 12.0  # the soonest that trials treat again
_MILD = 1.5  # a grade above this is no longer read as mild
_TOLERATED = 2.5  # HDSS above this is read as 3
Event = tuple[Float[np.ndarray, "person"], str]
"""Chance of each person through the toxin, and the background it adds to."""
_SAID = {
    r"moderate or better|at least moderate|much improved": "change<=-1",
    r"positive": "value>=tbs",
    r"back to baseline|return to baseline|relapse": "change>=0",
    r"none.{0,4}mild|mild or none|none or minimal": "value<=1",
    r"continent|\bdry\b|leak-free|ui-free|uui-free|incontinence-free": "value=0",
    r"complete\w* (?:resolution|response)|100 ?%": "change<=-100%",
    r"(?:>=|≥|at least) ?(\d+) ?%": "change<=-{}%",
    r"(?:>=|≥|at least) ?(\d+(?:\.\d+)?)[- ](?:point|grade)": "change<=-{}",
    r"improved": "value>=1",
}
"""Words that stand for a rule, where a row writes none that is read."""


def responders(row: Row, seen: Seen, weeks: tuple[float, ...]) -> Float[np.ndarray, "person"]:
    """100 for each who meets the rule at the visit, or at the mean of the visits."""
    found = series(row, seen, weeks)
    met = _met(row, seen, found)
    if "both" in row.rule.lower():
        other = series(_by_subject(row), seen, weeks)
        met = met & _met(row, seen, other)
    return 100.0 * met


def _by_subject(row: Row) -> Row:
    """The same row read by the patient."""
    return replace(row, measure="fws_subject")


def _met(row: Row, seen: Seen, found: Series) -> Bool[np.ndarray, "person"]:
    value, change = found.value.mean(1), found.value.mean(1) - found.entry
    if found.whole:
        value, change = np.rint(value), np.rint(change)
    return met(asked(row, seen.law("tbs_at")), value, change, found.entry)


def asked(row: Row, tbs_at: float) -> list[Clause]:
    """Parts of the rule, or of the rule that its words stand for. Raises NoEvidence.

    A global impression of `tbs_at` or more is a benefit of treatment.
    """
    if not (written := clauses(row.rule) or clauses(_from_words(row, tbs_at))):
        raise NoEvidence(f"rule {row.rule or row.endpoint!r} is not read as one on the scale")
    return written


def _from_words(row: Row, tbs_at: float) -> str:
    for text in (row.rule.lower(), row.endpoint.lower()):
        for words, rule in _SAID.items():
            if found := re.search(words, text):
                return rule.format(*found.groups()).replace("tbs", f"{tbs_at}")
    return ""


def adverse(row: Row, seen: Seen) -> Float[np.ndarray, "person"] | None:
    """Chance in per cent that each one reports the event; None for a measure that is no event."""
    law = _EVENTS.get(row.measure)
    if law is None:
        if row.kind == "ae_percent":
            raise NoEvidence(f"no reading of the model stands for {row.measure or row.endpoint}")
        return None
    caused, background = law(seen)
    without = seen.law(f"background.{background}") / 100
    return 100 * (1 - (1 - without) * (1 - caused))


def _ptosis(seen: Seen) -> Event:
    lowest = _lowest(seen, "lid_height", "lids")
    return (lowest < seen.law("ptosis_mm")) * 1.0, "ptosis"


def _weakness(seen: Seen) -> Event:
    """By the weakest function that is not the aim."""
    family = seen.entered.patient.disorder.name
    aside = next((names for start, names in _ASIDE.items() if family.startswith(start)), ())
    places = [one for one in seen.places("strength") if one.startswith(aside)] if aside else []
    if not places:
        raise NoEvidence("the model of this disorder has no strength beside what is treated")
    kept = np.min([seen.course("strength", where).min(1) for where in places], axis=0)
    return _reported(seen, kept, "weak"), "muscle_weakness"


_ASIDE = {
    "dystonia.cervical": ("neck_extension", "neck_flexion"),
    "migraine": ("neck_extension", "shoulder_elevation"),
    "headache": ("neck_extension", "shoulder_elevation"),
    "spasticity.upper_limb": ("elbow_extension",),
    "spasticity.lower_limb": ("foot_lift",),
}
"""Functions that are not to be weakened, by disorder."""


def _reported(
    seen: Seen, kept: Float[np.ndarray, "person"], what: str
) -> Float[np.ndarray, "person"]:
    """Chance that a loss of strength is reported: people's thresholds differ."""
    at, sd = seen.law(f"{what}_at"), parameter(f"validation.{what}_sd").value
    return np.asarray(ndtr((at - kept) / sd) - ndtr((at - 1) / sd))


def _dry(seen: Seen) -> Event:
    lowest = _lowest(seen, "dry_mouth", "salivary glands")
    return (lowest < seen.law("dry_at")) * 1.0, "dry_mouth"


def _swallowing(seen: Seen) -> Event:
    """Through the blood, as the model reads it, and in the neck as flexion weakens."""
    risk = seen.course("dysphagia") / 100
    through_blood = np.maximum(risk.max(1) - risk[:, 0], 0.0)
    if "neck_flexion" not in seen.places("strength"):
        return through_blood, "dysphagia"
    kept = seen.course("strength", "neck_flexion").min(1)
    nearby = _reported(seen, kept, "swallow")
    return 1 - (1 - through_blood) * (1 - nearby), "dysphagia"


def _retention(seen: Seen) -> Event:
    most = seen.course("PVR").max(1)
    neurogenic = "neurogenic" in seen.entered.patient.disorder.name
    caused = (most > seen.law("retention_ml")) * 1.0
    return caused, "retention_neurogenic" if neurogenic else "retention"


_EVENTS: dict[str, Callable[[Seen], Event]] = {
    "ptosis": _ptosis,
    "muscle_weakness": _weakness,
    "dry_mouth": _dry,
    "dysphagia": _swallowing,
    "catheterisation": _retention,
    "retention_of_urine": _retention,
    "urinary_retention": _retention,
}
"""Events by the measure of a row: who has it through the toxin, and its background."""


def _lowest(seen: Seen, scale: str, words: str) -> Float[np.ndarray, "person"]:
    places = seen.places(scale)
    if not places:
        raise NoEvidence(f"the model of this disorder has no {words}")
    return np.min([seen.course(scale, where).min(1) for where in places], axis=0)


def weeks_of_effect(row: Row, seen: Seen) -> Float[np.ndarray, "person"]:
    """How long the effect lasts in each person, by the definition of the row's rule.

    Those who never had the effect are left out (NaN), unless the row asks when treatment is wanted
    again: they want it as soon as it is allowed.
    """
    disorder = seen.entered.patient.disorder.name
    if row.measure not in ("duration", *_MAIN_OF_MEASURE):
        raise NoEvidence(f"a duration of {row.measure} is not read by the model")
    rule = f"{row.rule} {row.endpoint}".lower()
    again = "retreat" in rule or "re-treat" in rule or "request" in rule
    on, had = _effect(seen, disorder, rule, again)
    looks = seen.entered.weeks
    if again:
        return np.maximum(_first_off(on, looks), _RETREAT_WEEKS)
    return np.where(had, _first_off(on, looks), np.nan)


def _effect(
    seen: Seen, disorder: str, rule: str, again: bool
) -> tuple[Bool[np.ndarray, "person look"], Bool[np.ndarray, "person"]]:
    """Whether each one still has the effect at each look, and had it at its peak."""
    scale = _MAIN_COURSE.get(disorder)
    if scale is None:
        raise NoEvidence(f"no reading of {disorder} tells how long an effect lasts")
    where = seen.places(scale)[0]
    course = seen.course(scale, where)
    on = _on(seen, course, scale, where, rule, again)
    early = seen.entered.weeks <= PEAK_WEEKS
    return on, np.asarray(on[:, early].any(1))


def _on(
    seen: Seen,
    course: Float[np.ndarray, "person look"],
    scale: str,
    where: str,
    rule: str,
    again: bool,
) -> Bool[np.ndarray, "person look"]:
    if scale in ("FWS", "C-APPS"):
        mild = re.search(r"none.{0,4}mild", rule)
        return course <= (_MILD if mild else seen.at_entry(scale, where)[:, None] - 0.5)
    if scale == "HDSS":
        return _dry_or_content(seen, course)
    if scale == "UI_per_day":
        return course <= seen.law("leaks_left_at") * seen.at_entry(scale, where)[:, None]
    if again:
        return np.asarray(course < seen.law("asked_at") * course[:, :1])
    gain = course[:, :1] - course
    peak = gain[:, seen.entered.weeks <= PEAK_WEEKS].max(1, keepdims=True)
    return (gain > seen.law("left_at") * peak) & (peak > 0)


def _dry_or_content(
    seen: Seen, grade: Float[np.ndarray, "person look"]
) -> Bool[np.ndarray, "person look"]:
    """Treated again only where sweating is both tolerated no longer and at half of entry again."""
    sweat = seen.course("sweat_mg", seen.places("sweat_mg")[0])
    return (grade <= _TOLERATED) | (sweat <= 0.5 * sweat[:, :1])


def _first_off(
    on: Bool[np.ndarray, "person look"], looks: Float[np.ndarray, "look"]
) -> Float[np.ndarray, "person"]:
    """Week of the first look without the effect after it was there; the last look if none."""
    seen = np.maximum.accumulate(on, axis=1)
    off = seen & ~on & (looks > 1)
    weeks = np.where(off.any(1), looks[off.argmax(1)], looks[-1])
    return np.where(seen.any(1), weeks, 0.0)


_MAIN_COURSE = {
    "dystonia.cervical": "TWSTRS",
    "dystonia.blepharospasm": "eyelid_closure",
    "spasticity.upper_limb": "resistance",
    "spasticity.lower_limb": "resistance",
    "bladder.overactive": "UI_per_day",
    "bladder.neurogenic": "UI_per_day",
    "hyperhidrosis.axillary": "HDSS",
    "hyperhidrosis.palmar": "HDSS",
    "sialorrhoea": "saliva_flow",
    "migraine.chronic": "headache_days_28",
    "facial_lines.glabellar": "FWS",
    "facial_lines.forehead": "FWS",
    "facial_lines.lateral_canthal": "FWS",
    "facial_lines.platysma": "C-APPS",
}
"""The reading whose course says how long an effect lasts."""
_MAIN_OF_MEASURE = (
    "twstrs_total",
    "fws",
    "fws_investigator",
    "hdss",
    "sweat",
    "eyelid_force",
    "incontinence_per_day",
    "incontinence_per_week",
    "mas_primary",
    "saliva_flow",
    "jrs_severity",
)
