"""People of a published trial and their courses in every arm, at other potencies and placebos.

The same people, needles and raters stand in every arm and in every variant of it, so that what
differs is what was given.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Float

from openbont.catalog.designs import Pattern, patterns
from openbont.catalog.evidence import parameter
from openbont.catalog.model import Cohort, cohort
from openbont.catalog.sampling import Span
from openbont.catalog.scales import TONE, placed, scale
from openbont.errors import NoEvidence
from openbont.forward.chain import Model, Treatment, readings, treatment
from openbont.forward.reduced import reduced
from openbont.patient import Patient
from openbont.plan import Plan, Session
from openbont.trials.given import Given
from openbont.trials.people import answering, spans, varied

PEOPLE = 256
COARSER = 2.0
_NEAR = 0.04  # a mean at entry that is met within this share needs no other criterion
_HALVINGS = 9


class Variant(NamedTuple):
    """By how many SDs a trial differs from the usual one."""

    potency: int = 0
    """Of ln(potency)."""
    placebo: int = 0
    """Of the placebo response."""
    strictness: int = 0
    """Of what it takes to call an effect an effect, and harm harm."""


USUAL = Variant()


@dataclass(eq=False)
class Entered:
    """People who entered one kind of trial, and what has been asked about them."""

    pattern: Pattern
    patient: Patient
    found: Cohort
    key: str
    remark: str
    weeks: Float[np.ndarray, "look"]
    """When they are looked at."""
    _courses: dict[tuple[Given, Variant], np.ndarray] = field(default_factory=dict)

    def course(self, given: Given, variant: Variant) -> Float[np.ndarray, "person look measure"]:
        """Severity without raters, computed when first asked for."""
        variant = variant._replace(strictness=0)
        if not given.dose_u:
            given, variant = replace(given, open_label=False), variant._replace(potency=0)
        if (given, variant) not in self._courses:
            told = replace(given, open_label=False)
            ready = _ready(told, self.pattern.name, self.patient, tuple(self.weeks))
            self._courses[given, variant] = readings(self._model(given, variant), ready)
        return self._courses[given, variant]

    def _model(self, given: Given, variant: Variant) -> Model:
        """The same people in a trial of another potency and placebo response."""
        potency = np.exp(parameter("trials.potency_sd").value * variant.potency)
        placebo = 1 + parameter("trials.placebo_sd").value * variant.placebo
        if given.open_label:
            placebo *= parameter("trials.open_label").value
        model = self.found.model
        stages = varied(model, self.key, np.full(PEOPLE, potency))
        other = eqx.tree_at(lambda one: one.stages, model, stages)
        return answering(other, np.full(PEOPLE, placebo))


@lru_cache(maxsize=64)
def _ready(given: Given, name: str, patient: Patient, weeks: tuple[float, ...]) -> Treatment:
    """What an arm is given, with its fields solved in the middle of the patient's population."""
    usual = cohort(patient, PEOPLE, 1).model
    plan = _plan(given, patterns()[name], patient)
    ready = treatment(plan, patient, usual, 7 * np.array(weeks), COARSER)
    return reduced(ready, usual)


def _plan(given: Given, pattern: Pattern, patient: Patient) -> Plan:
    dose_u = given.dose_u or 1.0
    session = Session(
        product=given.product,
        dilution_u_per_ml=pattern.dilution(given.product, dose_u),
        injections=pattern.injections(dose_u),
    )
    sessions = (
        session.untreated() if not given.dose_u or week in given.placebo_weeks else session
        for week in given.weeks
    )
    days = [round(7 * week) for week in given.weeks]
    return Plan(
        patient=patient.id,
        disorder=patient.disorder.name,
        date=patient.date,
        sessions=tuple(
            one.model_copy(update={"day": day}) for one, day in zip(sessions, days, strict=True)
        ),
    )


def looks(last_week: float) -> Float[np.ndarray, "look"]:
    """Days of the first week, then weeks, up to a round number of them."""
    most = next((one for one in (26, 60, 82, 112, 160) if one >= last_week), round(last_week) + 1)
    return np.unique([*(np.arange(8) / 7), 10 / 7, *np.arange(2.0, most + 1)])


def entered(
    pattern: Pattern, tone: str, mean: float | None, last_week: float, seed: int
) -> Entered:
    """People who enter with this mean reading, or those of the pattern where none is given.

    Where the modelled population does not reach the mean, those of the pattern, with a remark.
    """
    patient = _on_scale(pattern.patient, tone)
    key = f"{seed}/{pattern.patient.disorder.name}"
    places = [r for r in patient.findings if r.scale == (tone if _tone(pattern) else "")]
    usual = spans(pattern.entry)
    found = cohort(patient, PEOPLE, key, usual)
    remark = ""
    if mean is not None:
        names = [placed(r.scale, r.where) for r in places] or [pattern.entry_scale]
        nearer = _nearest(patient, key, found, usual, names, mean)
        remark = "" if nearer else f"nobody modelled enters with a mean of {mean:.3g}: usual entry"
        found = nearer or found
    return Entered(pattern, patient, found, key, remark, looks(last_week))


def _nearest(
    patient: Patient,
    key: str,
    found: Cohort,
    usual: Mapping[str, Span],
    names: list[str],
    mean: float,
) -> Cohort | None:
    """A cohort with this mean at entry: other criteria of entry on the same readings."""

    def off(one: Cohort) -> float:
        return float(np.mean([one.read[name].mean() for name in names])) - mean

    if names[0] not in found.read or abs(off(found)) <= _NEAR * abs(mean):
        return found if names[0] in found.read else None
    grades = sorted(scale(names[0].split(" at ")[0]).grades.values())
    spans = _graded_spans(grades) if grades else []
    tried = [_tried(patient, key, usual, names, span) for span in spans]
    if not grades:
        tried = _searched(patient, key, usual, names, found, mean)
    reached = [one for one in tried if one is not None]
    best = min([found, *reached], key=lambda one: abs(off(one)))
    return best if abs(off(best)) <= max(0.1 * abs(mean), 0.3 if grades else 0.0) else None


def _graded_spans(grades: list[float]) -> list[Span]:
    return [Span(low, high) for at, low in enumerate(grades) for high in grades[at : at + 3]]


def _searched(
    patient: Patient,
    key: str,
    usual: Mapping[str, Span],
    names: list[str],
    found: Cohort,
    mean: float,
) -> list[Cohort | None]:
    """Bisection for the least reading that enters, or the most where the mean is low."""
    reads = found.read[names[0]]
    rising, least = reads.mean() < mean, usual.get(names[0], Span()).low
    low, high = (0.0, 3 * mean) if rising else (min(0.0, mean), 3 * max(mean, reads.max()))
    tried: list[Cohort | None] = []
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        span = Span(middle, np.inf) if rising else Span(least, middle)
        one = _tried(patient, key, usual, names, span)
        tried.append(one)
        above = one is None if rising else one is not None
        if one is not None:
            above = bool(one.read[names[0]].mean() > mean)
        low, high = (low, middle) if above else (middle, high)
    return tried


def _tried(
    patient: Patient, key: str, usual: Mapping[str, Span], names: list[str], span: Span
) -> Cohort | None:
    try:
        return cohort(patient, PEOPLE, key, {**usual, **dict.fromkeys(names, span)})
    except NoEvidence:
        return None


def _tone(pattern: Pattern) -> bool:
    return pattern.entry_scale == "tone"


def _on_scale(patient: Patient, tone: str) -> Patient:
    """The patient with tone graded on the scale that the trial used."""
    findings = tuple(
        one.model_copy(update={"scale": tone}) if tone and one.scale in TONE else one
        for one in patient.findings
    )
    return patient.model_copy(update={"findings": findings})
