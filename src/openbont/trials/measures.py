"""Measures of published rows -> readings of the model, one a person, in the unit of the row.

Scales that the model has are read as its raters read them. Global impressions, treatment benefit
and adverse events follow from them by stated laws (parameters validation.*).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.stats import poisson

from openbont.catalog.endpoints import Row
from openbont.catalog.evidence import parameter
from openbont.catalog.scales import placed, scale
from openbont.errors import NoEvidence
from openbont.forward.disorders.interface import Measure
from openbont.forward.disorders.migraine import Migraine
from openbont.forward.scales import read
from openbont.streams import stream
from openbont.trials.cohorts import Entered, Variant
from openbont.trials.given import Given

PER_30_DAYS = 30 / 28
_SWEAT_MINUTES = 5.0


@dataclass(frozen=True)
class Seen:
    """One arm of one cohort at one variant between trials."""

    entered: Entered
    given: Given
    variant: Variant

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What the model reads of these people."""
        return self.entered.found.model.stages.measures

    def places(self, scale_name: str) -> list[str]:
        """Where a scale is read."""
        return [one.where for one in self.measures if one.scale == scale_name]

    def measure(self, scale_name: str, where: str) -> Measure:
        """One measure. Raises NoEvidence where the model does not read it."""
        for one in self.measures:
            if (one.scale, one.where) == (scale_name, where):
                return one
        raise NoEvidence(f"the model of this disorder reads no {placed(scale_name, where)}")

    def course(self, scale_name: str, where: str = "") -> Float[np.ndarray, "person look"]:
        """Severity at all looks, without raters. A strict trial grades what is left higher."""
        at = self.measures.index(self.measure(scale_name, where))
        severity = self.entered.course(self.given, self.variant)[:, :, at].astype(float)
        if not scale(scale_name).grades:
            return severity
        gone = 1 - severity / np.maximum(severity[:, :1], 1e-9)
        return severity + self.law("grade_shift") * gone

    def law(self, name: str) -> float:
        """A parameter `validation.*` as a trial of this strictness takes it."""
        found = parameter(f"validation.{name}")
        stricter = _STRICTER[name.partition(".")[0]]
        return found.value + stricter * self.variant.strictness * (found.high - found.low) / 4

    def severity(
        self, weeks: tuple[float, ...], scale_name: str, where: str = ""
    ) -> Float[np.ndarray, "person week"]:
        """Severity in some weeks, between looks by straight lines."""
        course, looks = self.course(scale_name, where), self.entered.weeks
        return np.stack([_between(course, looks, week) for week in weeks], axis=1)

    def read(
        self, weeks: tuple[float, ...], scale_name: str, where: str = ""
    ) -> Float[np.ndarray, "person week"]:
        """What the rater or the diary says in some weeks."""
        measure = self.measure(scale_name, where)
        severity = self.severity(weeks, scale_name, where)
        if scale_name in _VISIT_SD:
            draw = stream(self.entered.key, f"visit/{scale_name}").standard_normal(severity.shape)
            return severity + parameter(_VISIT_SD[scale_name]).value * draw
        if scale_name == "UI_per_day":
            return self._diary(severity)
        return read(severity, measure, self.entered.key)

    def at_entry(self, scale_name: str, where: str = "") -> Float[np.ndarray, "person"]:
        """What selected them, or what would have been read on day 0."""
        chosen = self.entered.found.read.get(placed(scale_name, where))
        if chosen is not None:
            return np.asarray(chosen, float)
        before = self.severity((0.0,), scale_name, where)
        return read(before, self.measure(scale_name, where), f"{self.entered.key}/entry")[:, 0]

    def _diary(self, leaks: Float[np.ndarray, "person week"]) -> Float[np.ndarray, "person week"]:
        """Leaks a day as counted in the diary of this disorder."""
        disorder = self.entered.patient.disorder.name
        days = parameter(f"{disorder}.diary_days").value
        luck = stream(self.entered.key, "diary").random(leaks.shape)
        return np.asarray(poisson.ppf(luck, days * np.maximum(leaks, 1e-9))) / days


_STRICTER = {
    "grade_shift": 1,
    "asked_at": -1,
    "left_at": 1,
    "leaks_left_at": -1,
    "tbs_at": 1,
    "subject_at": 1,
    "global_base": -1,
    "global_per_margin": -1,
    "ptosis_mm": 1,
    "weak_at": 1,
    "swallow_at": 1,
    "dry_at": 1,
    "retention_ml": -1,
    "background": 1,
}
"""Where a strict trial puts a law: it sees less benefit and more harm."""
_VISIT_SD = {"TWSTRS": "cervical.occasion_sd", "JRS": "blepharospasm.occasion_sd"}
"""Scales whose visits are as noisy as the entry that selects."""


@dataclass(frozen=True)
class Series:
    """A measure in some weeks and at entry, in the unit of the row."""

    value: Float[np.ndarray, "person week"]
    entry: Float[np.ndarray, "person"]
    margin: float
    """Smallest difference that matters; 0 where none is known."""
    step: float = 0.0
    """Between grades; 0 for numbers."""
    sign: int = 1
    """-1 where the row counts a fall as a gain."""
    whole: bool = False
    """Written down as a whole number, though its spread is followed without."""

    def scaled(self, factor: float) -> "Series":
        """In another unit."""
        return replace(
            self,
            value=factor * self.value,
            entry=factor * self.entry,
            margin=abs(factor) * self.margin,
        )


Reader = Callable[[Row, Seen, tuple[float, ...]], Series]


def series(row: Row, seen: Seen, weeks: tuple[float, ...]) -> Series:
    """What a row measures. Raises NoEvidence where the model has no such quantity."""
    reader = MEASURES.get(row.measure)
    if reader is None:
        for start, one in _BY_START.items():
            if row.measure.startswith(start):
                return one(row, seen, weeks)
        raise NoEvidence(f"measure {row.measure!r} is not read by the model")
    return reader(row, seen, weeks)


def _plain(scale_name: str, factor: float = 1.0, where: str = "") -> Reader:
    def reader(row: Row, seen: Seen, weeks: tuple[float, ...]) -> Series:
        which = scale(scale_name)
        value = seen.read(weeks, scale_name, where)
        entry = seen.at_entry(scale_name, where)
        step = 1.0 if which.grades else 0.0
        return Series(value, entry, which.margin, step).scaled(factor)

    return reader


def _headaches(row: Row, seen: Seen, weeks: tuple[float, ...]) -> Series:
    """Days in 28, or in 30 or a month; a gain of days without headache counts the other way."""
    found = _plain("headache_days_28")(row, seen, weeks)
    found = found.scaled(PER_30_DAYS if re.search(r"30 ?d|month", row.words) else 1.0)
    gain = re.search(r"gain|headache-free|tth-free|free days", row.words)
    return replace(found, sign=-1 if gain else 1)


def _migraines(row: Row, seen: Seen, weeks: tuple[float, ...]) -> Series:
    return _headaches(row, seen, weeks).scaled(parameter("validation.migraine_share").value)


def _severe_days(row: Row, seen: Seen, weeks: tuple[float, ...]) -> Series:
    """Entry: the same share of what the diary counted as of what was expected."""
    days = seen.severity((0.0,), "headache_days_28")[:, 0]
    share = seen.severity((0.0,), "moderate_severe_days_28")[:, 0] / np.maximum(days, 1e-9)
    value = seen.read(weeks, "moderate_severe_days_28")
    margin = scale("moderate_severe_days_28").margin
    return Series(value, share * seen.at_entry("headache_days_28"), margin)


def _hit6(row: Row, seen: Seen, weeks: tuple[float, ...]) -> Series:
    """Entry goes with the days that the diary counted; patients of like days differ."""
    disorder = seen.entered.found.model.stages.disorder
    if not isinstance(disorder, Migraine):
        raise NoEvidence("HIT-6 is read in headache only")
    per_day = np.asarray(disorder.hit_per_day)
    days = seen.severity((0.0,), "headache_days_28")[:, 0]
    luck = stream(seen.entered.key, "hit").standard_normal(len(days))
    own = parameter("validation.hit_sd").value * luck
    before = seen.severity((0.0,), "HIT-6")[:, 0]
    entry = before + per_day * (seen.at_entry("headache_days_28") - days)
    value = seen.severity(weeks, "HIT-6") + own[:, None]
    return Series(value, entry + own, scale("HIT-6").margin)


def _tone(row: Row, seen: Seen, weeks: tuple[float, ...]) -> Series:
    """MAS or Ashworth of the named joint; of the primary target, the mean over what is treated."""
    name = "Ashworth" if row.measure.startswith("ashworth") else "MAS"
    joint = row.measure.partition("_")[2]
    places = seen.places(name)
    group = next((w for key, w in _JOINTS.items() if key in joint), None)
    if group:
        places = [one for one in places if one.startswith(group)]
    if not places:
        raise NoEvidence(f"tone of {joint} is not read in this limb")
    each = [_coded(row, seen, name, where, weeks) for where in places]
    value = np.concatenate([one.value for one in each])
    return Series(value, np.concatenate([one.entry for one in each]), each[0].margin, 1.0)


_JOINTS = {
    "wrist": "wrist_flexors",
    "finger": "finger_flexors",
    "elbow": "elbow_flexors",
    "thumb": "thumb_flexors",
    "ankle": "ankle_plantar_flexors",
    "gastroc": "ankle_plantar_flexors",
    "plantar": "ankle_plantar_flexors",
    "toe": "toe_flexors",
}


def _coded(row: Row, seen: Seen, name: str, where: str, weeks: tuple[float, ...]) -> Series:
    found = _plain(name, where=where)(row, seen, weeks)
    if name != "MAS" or not _derived(row, seen):
        return found
    return replace(found, value=_recoded(found.value), entry=_recoded(found.entry), margin=1.0)


def _derived(row: Row, seen: Seen) -> bool:
    """Whether this trial codes MAS from 0 to 5."""
    return bool(seen.entered.pattern.coding) or "derived" in row.words or "0-5" in row.words


def _recoded(grades: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """MAS coded 0 to 4 with 1+ as 1.5 -> 0 to 5."""
    return np.interp(grades, [0, 1, 1.5, 2, 3, 4], [0, 1, 2, 3, 4, 5])


def _disability(row: Row, seen: Seen, weeks: tuple[float, ...]) -> Series:
    places = seen.places("DAS")
    if not places:
        raise NoEvidence("disability is not recorded in this limb")
    return _plain("DAS", where=places[0])(row, seen, weeks)


def _pain(row: Row, seen: Seen, weeks: tuple[float, ...]) -> Series:
    return _plain("TWSTRS_pain")(row, seen, weeks).scaled(parameter("validation.pain_points").value)


def _leaks(per_week: bool) -> Reader:
    def reader(row: Row, seen: Seen, weeks: tuple[float, ...]) -> Series:
        return _plain("UI_per_day")(row, seen, weeks).scaled(7.0 if per_week else 1.0)

    return reader


def _sweat(row: Row, seen: Seen, weeks: tuple[float, ...]) -> Series:
    """Of one armpit, in 5 minutes or in the row's unit; the mean of both where both are alike."""
    where = seen.places("sweat_mg")[0] if seen.places("sweat_mg") else ""
    before = seen.severity((0.0,), "sweat_mg", where)
    value = seen.severity(weeks, "sweat_mg", where)
    margin = scale("sweat_mg").margin
    per_minute = "min" in row.unit and "5" not in row.unit
    return Series(value, before[:, 0], margin).scaled(1 / _SWEAT_MINUTES if per_minute else 1.0)


def _face(subject: bool) -> Reader:
    def reader(row: Row, seen: Seen, weeks: tuple[float, ...]) -> Series:
        return _plain(_lines(seen), where="subject" if subject else "")(row, seen, weeks)

    return reader


def _improvement(row: Row, seen: Seen, weeks: tuple[float, ...]) -> Series:
    """Improvement as the patient remembers it: 1 is moderate; two gradings are not compared."""
    course = seen.severity((0.0, *weeks), _lines(seen), "subject")
    at, sd = seen.law("subject_at"), parameter("validation.subject_sd").value
    luck = sd * stream(seen.entered.key, "memory").standard_normal(course[:, 1:].shape)
    gain = (course[:, :1] - course[:, 1:] + luck) / at
    return Series(-gain, np.zeros(len(gain)), 1.0)


def _lines(seen: Seen) -> str:
    return "C-APPS" if seen.places("C-APPS") else "FWS"


def _closing(row: Row, seen: Seen, weeks: tuple[float, ...]) -> Series:
    """Closing force of one eye, in per cent of the force at entry."""
    where = seen.places("eyelid_closure")
    value = 100 * seen.severity(weeks, "eyelid_closure", where[0] if where else "")
    return Series(value, np.full(len(value), 100.0), 0.0)


def _impression(row: Row, seen: Seen, weeks: tuple[float, ...]) -> Series:
    """0 = no change, better is more: base + slope x change of the main reading in margins."""
    main = MAIN.get(_family(seen))
    if main is None:
        raise NoEvidence("no main reading from which a global impression could follow")
    found = main(row, seen, weeks)
    better = (found.entry[:, None] - found.value) / found.margin
    base, slope = seen.law("global_base"), seen.law("global_per_margin")
    sd = parameter("validation.global_sd").value
    luck = stream(seen.entered.key, "impression").standard_normal(better.shape)
    felt = np.clip(base + slope * better + sd * luck, -4.0, 4.0)
    return Series(felt, np.zeros(len(felt)), 1.0, whole=row.measure != "tbs")


def _family(seen: Seen) -> str:
    return seen.entered.patient.disorder.name


def _main_tone(row: Row, seen: Seen, weeks: tuple[float, ...]) -> Series:
    """Tone as MAS or Ashworth coded 0 to 4, over all that is treated."""
    name = "Ashworth" if seen.entered.found.read and _on_ashworth(seen) else "MAS"
    each = [_plain(name, where=where)(row, seen, weeks) for where in seen.places(name)]
    value, entry = ([getattr(one, what) for one in each] for what in ("value", "entry"))
    return Series(np.concatenate(value), np.concatenate(entry), each[0].margin, 1.0)


def _on_ashworth(seen: Seen) -> bool:
    return any(name.startswith("Ashworth") for name in seen.entered.found.read)


MAIN: Mapping[str, Reader] = {
    "dystonia.cervical": _plain("TWSTRS"),
    "dystonia.blepharospasm": _plain("JRS"),
    "spasticity.upper_limb": _main_tone,
    "spasticity.lower_limb": _main_tone,
    "bladder.overactive": _leaks(per_week=False),
    "bladder.neurogenic": _leaks(per_week=False),
    "sialorrhoea": _plain("saliva_flow"),
    "hyperhidrosis.axillary": _plain("HDSS"),
    "hyperhidrosis.palmar": _plain("HDSS"),
    "migraine.chronic": _plain("HIT-6"),
    "facial_lines.glabellar": _plain("FWS"),
    "facial_lines.forehead": _plain("FWS"),
    "facial_lines.lateral_canthal": _plain("FWS"),
    "facial_lines.platysma": _plain("C-APPS"),
}
"""The reading that an impression of the whole follows."""

MEASURES: Mapping[str, Reader] = {
    "headache_days": _headaches,
    "migraine_days": _migraines,
    "moderate_severe_headache_days": _severe_days,
    "acute_medication_days": _plain("acute_days_28"),
    "hit6": _hit6,
    "twstrs_total": _plain("TWSTRS"),
    "twstrs_severity": _plain("TWSTRS_severity"),
    "twstrs_disability": _plain("TWSTRS_disability"),
    "twstrs_pain": _plain("TWSTRS_pain"),
    "tsui": _plain("Tsui"),
    "cdss": _plain("CDSS"),
    "pain_vas": _pain,
    "jrs_severity": _plain("JRS", 0.5),
    "jrs_frequency": _plain("JRS", 0.5),
    "jrs_sum": _plain("JRS"),
    "jrs_total": _plain("JRS"),
    "eyelid_force": _closing,
    "das_principal": _disability,
    "incontinence_per_day": _leaks(per_week=False),
    "incontinence_per_week": _leaks(per_week=True),
    "bladder_capacity": _plain("bladder_capacity"),
    "detrusor_pressure": _plain("detrusor_pressure"),
    "post_void_residual": _plain("PVR"),
    "pvr": _plain("PVR"),
    "saliva_flow": _plain("saliva_flow"),
    "sweat": _sweat,
    "hdss": _plain("HDSS"),
    "fws": _face(subject=False),
    "fws_investigator": _face(subject=False),
    "fws_subject": _face(subject=True),
    "fraction_of_peak": _face(subject=False),
    "physician_global": _impression,
    "subject_global": _impression,
    "cgi_change": _impression,
    "gics": _impression,
    "tbs": _impression,
    "subject_improvement": _improvement,
}
"""Readers by the measure that a row names."""

_BY_START: Mapping[str, Reader] = {
    "ashworth": _tone,
    "mas": _tone,
    "das": _disability,
    "fws": _face(subject=False),
    "pga": _impression,
    "cgi": _impression,
    "gic": _impression,
    "pgi": _impression,
}
"""Readers of measures that name a place or a rater besides."""


def _between(
    course: Float[np.ndarray, "person look"], looks: Float[np.ndarray, "look"], week: float
) -> Float[np.ndarray, "person"]:
    upper = int(np.clip(np.searchsorted(looks, week), 1, len(looks) - 1))
    part = np.clip((week - looks[upper - 1]) / (looks[upper] - looks[upper - 1]), 0.0, 1.0)
    return (1 - part) * course[:, upper - 1] + part * course[:, upper]
