"""Published results against the model: every scored row predicted, or listed with the reason."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from openbont.catalog.designs import Pattern, pattern
from openbont.catalog.endpoints import Row, endpoints
from openbont.errors import NoEvidence, OpenBoNTError, UnknownName
from openbont.trials.cohorts import Entered, entered
from openbont.trials.given import Given, When, given, when
from openbont.trials.naive import Naive, naive
from openbont.trials.predict import KINDS, Estimate, estimate, observed_error, on_bench, usual_value
from openbont.trials.summary import summary

BENCH = "healthy.edb"
INSIDE = 1.96
SEEN = {
    "Kaji_ULS": "one arm of Kaji 2010 was looked at while the place of end plates was chosen",
    "Childers_ULS": "three arms of Childers 2004 were looked at while the place of end plates was "
    "chosen",
}
"""Trials with rows for validation that were seen when a rule of the anatomy was chosen."""
_COURSE_WEEKS, _GLAND_WEEKS = 60.0, 82.0
Tell = Callable[[float], None]
FAULTS = (OpenBoNTError, ValueError, ArithmeticError, LookupError, AssertionError)


@dataclass(frozen=True)
class Asked:
    """One row that can be asked: who, what, when."""

    row: Row
    trial: tuple[Row, ...]
    """All rows of its trial, itself among them."""
    pattern: Pattern
    given: Given
    when: When
    tone: str
    mean: float | None

    @property
    def cohort(self) -> tuple[str, str, float | None]:
        """Rows that share it share their people."""
        return self.pattern.name, self.tone, self.mean

    @property
    def last_week(self) -> float:
        """How far ahead the row looks."""
        if self.when.how == "course":
            slow = ("bladder", "hyperhidrosis", "sialorrhoea")
            return _GLAND_WEEKS if self.row.disorder.startswith(slow) else _COURSE_WEEKS
        return max(self.when.weeks, default=0.0)


@dataclass(frozen=True)
class Line:
    """One scored row with what the model says about it."""

    source: Row
    asked: Asked | None
    found: Estimate | None
    reason: str | None
    naive: Naive | None

    @property
    def seen(self) -> bool:
        """A row for validation that was looked at when the model was made."""
        return self.source.use == "validate" and self.source.trial in SEEN

    @property
    def se_predicted(self) -> float | None:
        """Between trials and of simulated people."""
        if self.found is None:
            return None
        return float(np.hypot(self.found.se_within, self.found.se_between))

    @property
    def z(self) -> float | None:
        """Observed less predicted in standard errors, between trials included."""
        return self._z(self.se_predicted)

    @property
    def z_within(self) -> float | None:
        """The same as if trials did not differ."""
        return self._z(self.found.se_within if self.found else None)

    @property
    def observed_error(self) -> tuple[float | None, str]:
        """Standard error of the observed value, and where it is from."""
        if self.found is None or self.asked is None or self.source.observed is None:
            return self.source.se, self.source.se_basis
        return observed_error(self.source, self.found, self.asked.trial)

    def _z(self, se: float | None) -> float | None:
        if self.found is None or self.source.observed is None or se is None:
            return None
        whole = max(float(np.hypot(self.observed_error[0] or 0.0, se)), 1e-9)
        return (self.source.observed - self.found.value) / whole

    def as_row(self) -> dict[str, Any]:
        """For a file."""
        of, found, asked = self.source, self.found, self.asked
        se_observed, se_from = self.observed_error
        toxin = asked is not None and asked.given.dose_u > 0
        return {
            "row": of.number,
            "trial_id": of.trial,
            "disorder": of.disorder,
            "arm": of.arm,
            "product": asked.given.product if asked and toxin else "",
            "dose_u": asked.given.dose_u if asked else None,
            "measure": of.measure,
            "rule": of.rule,
            "week": of.week,
            "value_type": of.kind,
            "unit": of.unit,
            "observed": of.observed,
            "se_observed": se_observed,
            "se_observed_from": se_from,
            "predicted": found.value if found else None,
            "se_predicted": self.se_predicted,
            "se_within": found.se_within if found else None,
            "se_between_trials": found.se_between if found else None,
            "se_by_potency": abs(found.by_potency) if found else None,
            "se_by_placebo": abs(found.by_placebo) if found else None,
            "se_by_strictness": abs(found.by_strictness) if found else None,
            "z": self.z,
            "inside": _inside(self.z),
            "inside_without_between_trials": _inside(self.z_within),
            "use": of.use,
            "read": of.read,
            "seen": self.seen,
            "pattern": asked.pattern.name if asked else "",
            "remark": "; ".join(filter(None, self._remarks())),
            "reason": self.reason,
            "naive": asdict(self.naive) if self.naive else None,
        }

    def _remarks(self) -> list[str]:
        read = "" if self.source.observed is not None else "no observed number to compare with"
        asked = self.asked.when.remark if self.asked else ""
        return [asked, self.found.remark if self.found else "", read]


def _inside(z: float | None) -> bool | None:
    return None if z is None else abs(z) <= INSIDE


@dataclass(frozen=True)
class Validation:
    """All scored rows of one table."""

    evidence: str
    seed: int
    lines: tuple[Line, ...]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One row each, in the order of the table."""
        return [line.as_row() for line in self.lines]

    def summary(self) -> dict[str, Any]:
        """Coverage, bias, error and skill, over all and by group."""
        return summary(self.rows)


def validate(
    path: Path | None = None,
    disorder: str = "",
    seed: int = 1,
    tell: Tell = lambda done: None,
) -> Validation:
    """Predict every scored row of the catalog's table, or of a file in its format.

    Raises BadInput for a file that is not such a table, UnknownName for a disorder without rows.
    """
    table = endpoints(path)
    scored = [row for row in table if row.scored and _of(row, disorder)]
    if disorder and not scored:
        raise UnknownName("", "disorder", disorder, {row.disorder for row in table})
    asked, reasons = ask(scored, table)
    found, fell_out = estimates(asked, seed, tell)
    reasons |= fell_out
    compared, shown = naive(scored, endpoints()), {one.row.number: one for one in asked}
    lines = (
        Line(
            row,
            shown.get(row.number),
            found.get(row.number),
            reasons.get(row.number),
            compared.get(row.number),
        )
        for row in scored
    )
    return Validation("the catalog" if path is None else path.name, seed, tuple(lines))


def ask(rows: Iterable[Row], table: Sequence[Row]) -> tuple[list[Asked], dict[int, str]]:
    """Rows that say what was given, and why others do not, by number."""
    asked, reasons = [], {}
    for row in rows:
        try:
            asked.append(_ask(row, _trial(row, table)))
        except FAULTS as fault:
            reasons[row.number] = _said(fault)
    return asked, reasons


def estimates(
    asked: Sequence[Asked], seed: int, tell: Tell = lambda done: None
) -> tuple[dict[int, Estimate], dict[int, str]]:
    """What the model says, and why it says nothing, by number of the row."""
    found: dict[int, Estimate] = {}
    reasons: dict[int, str] = {}
    for done, (one, people) in enumerate(_with_people(asked, seed), start=1):
        try:
            found[one.row.number] = _estimate(one, people)
        except FAULTS as fault:
            reasons[one.row.number] = _said(fault)
        tell(done / len(asked))
    return found, reasons


def values(asked: Sequence[Asked], seed: int) -> Float[np.ndarray, "row"]:
    """What the model says in trials of usual potency and placebo, in the order of `asked`."""
    found = {one.row.number: _value(one, people) for one, people in _with_people(asked, seed)}
    return np.array([found[one.row.number] for one in asked])


def free_parameters(asked: Sequence[Asked], seed: int) -> list[str]:
    """Parameters that are free and that these rows rest on, by name."""
    used = {
        parameter
        for _, people in _with_people(asked, seed)
        if isinstance(people, Entered)
        for parameter in people.found.model.rests_on
    }
    return sorted({parameter.id for parameter in used if parameter.role == "free"})


def observed_se(one: Asked, found: Estimate) -> float:
    """Standard error of the observed value."""
    return observed_error(one.row, found, one.trial)[0]


def _with_people(
    asked: Sequence[Asked], seed: int
) -> Iterator[tuple[Asked, Entered | Exception | None]]:
    """Each row with those who entered its trial; None on the bench, or why nobody entered."""
    last_week: dict[str, float] = {}
    groups: dict[tuple[str, str, float | None], list[Asked]] = {}
    for one in asked:
        name = one.pattern.name
        last_week[name] = max(one.last_week, last_week.get(name, 0.0))
        groups.setdefault(one.cohort, []).append(one)
    for group in groups.values():
        people = _people(group[0], last_week[group[0].pattern.name], seed)
        for one in group:
            yield one, people


def _people(first: Asked, last_week: float, seed: int) -> Entered | Exception | None:
    if first.pattern.disorder == BENCH:
        return None
    try:
        return entered(first.pattern, first.tone, first.mean, last_week, seed)
    except FAULTS as fault:
        return fault


def _estimate(one: Asked, people: Entered | Exception | None) -> Estimate:
    if isinstance(people, Exception):
        raise people
    if people is None:
        return on_bench(one.row, one.pattern, one.given, one.when)
    found = estimate(one.row, people, one.given, one.when)
    return replace(found, remark=people.remark)


def _value(one: Asked, people: Entered | Exception | None) -> float:
    if isinstance(people, Entered):
        return usual_value(one.row, people, one.given, one.when)
    return _estimate(one, people).value


def _of(row: Row, disorder: str) -> bool:
    return not disorder or row.disorder == disorder or row.disorder.startswith(f"{disorder}.")


def _ask(row: Row, trial: Sequence[Row]) -> Asked:
    if row.kind not in KINDS:
        raise NoEvidence(f"value_type {row.kind!r} is not a number that is predicted")
    measures = tuple(one.measure for one in trial)
    pattern_ = pattern(_named(row), row.trial, measures, _most(trial))
    seen = when(row)
    arm = given(row, pattern_, trial, seen)
    tone = _tone(row, measures) if pattern_.entry_scale == "tone" else ""
    return Asked(row, tuple(trial), pattern_, arm, seen, tone, mean_at_entry(trial, pattern_))


def _most(trial: Sequence[Row]) -> dict[str, float]:
    """Largest dose of a trial by product, where rows give whole doses."""
    most: dict[str, float] = {}
    for row in trial:
        if row.product and row.dose and row.dose_unit in ("", "U"):
            most[row.product] = max(row.dose, most.get(row.product, 0.0))
    return most


def _named(row: Row) -> str:
    """The disorder as patterns name it: of a child where the row's words say so."""
    child = any(word in row.words for word in ("child", "paediatric", "pediatric", "adolescent"))
    return f"{row.disorder}.child" if child and "child" not in row.disorder else row.disorder


def _tone(row: Row, measures: Sequence[str]) -> str:
    if row.measure.startswith(("ashworth", "mas")):
        return "Ashworth" if row.measure.startswith("ashworth") else "MAS"
    return "Ashworth" if any(one.startswith("ashworth") for one in measures) else "MAS"


def _trial(row: Row, table: Sequence[Row]) -> list[Row]:
    """Rows of the same trial and disorder; a row without a trial stands alone."""
    if not row.trial:
        return [row]
    return [one for one in table if (one.trial, one.disorder) == (row.trial, row.disorder)]


_AT_ENTRY: dict[str, dict[str, float]] = {
    "TWSTRS": {"twstrs_total": 1.0},
    "headache_days_28": {"headache_days": 1.0},
    "UI_per_day": {"incontinence_per_day": 1.0, "incontinence_per_week": 1 / 7},
    "JRS": {"jrs_sum": 1.0, "jrs_severity": 2.0},
    "saliva_flow": {"saliva_flow": 1.0},
    "FWS": {"fws": 1.0, "fws_investigator": 1.0},
    "sweat_mg": {"sweat": 1.0},
}
"""Measures whose mean at entry tells who entered, by scale of entry."""
_NUMBERS = ("mean_change", "mean_value", "median_change", "diff_vs_placebo")


def mean_at_entry(trial: Sequence[Row], pattern_: Pattern) -> float | None:
    """Mean of the entry scale over the arms of a trial; None where no row says it."""
    told = [
        (_entry_value(row, pattern_), row.n or 1.0)
        for row in trial
        if row.kind in _NUMBERS and row.baseline is not None
    ]
    known = [(value, n) for value, n in told if value is not None and value > 0]
    if not known:
        return None
    values, weights = zip(*known, strict=True)
    return float(np.average(values, weights=weights))


def _entry_value(row: Row, pattern_: Pattern) -> float | None:
    assert row.baseline is not None
    if pattern_.entry_scale == "tone":
        if not row.measure.startswith(("mas", "ashworth")):
            return None
        derived = pattern_.coding or "derived" in row.words or row.baseline > 4
        coded = np.interp(row.baseline, [0, 1, 2, 3, 4, 5], [0, 1, 1.5, 2, 3, 4])
        return float(coded) if derived else row.baseline
    factor = _AT_ENTRY.get(pattern_.entry_scale, {}).get(row.measure)
    if factor is None or row.unit.lower() in ("percent", "%"):
        return None
    per_minute = row.measure == "sweat" and "min" in row.unit and "5" not in row.unit
    return row.baseline * factor * (5.0 if per_minute else 1.0)


def _said(fault: Exception) -> str:
    """Why, in words."""
    if isinstance(fault, OpenBoNTError):
        return str(fault)
    return f"could not be computed ({type(fault).__name__}: {fault})"
