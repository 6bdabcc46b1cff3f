"""What a product's label allows for one patient on one day, already in units for that patient."""

import datetime
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Literal

from openbont.catalog.labels import (
    MIDLINE,
    LabelRow,
    caps_for,
    cautions_for,
    described_for,
    extras_for,
    jurisdiction_of,
    label_rows,
    rows_for,
)
from openbont.catalog.muscles import SIDES, middle_mm
from openbont.catalog.muscles import words as structure_words
from openbont.catalog.products import product as find_product
from openbont.evidence import Source
from openbont.frozen import Many, Name, Noun
from openbont.patient import PastSession, Patient

INTERVAL_WEEKS = 12.0
"""Shortest interval where a label states none, and between two products or two uses."""

_LEAST_OF_MEAN = 0.25  # less than this part of what trials gave on average is not proposed

Scope = Literal["muscles", "limb", "session"]


class StructureLimit(Noun):
    """What one side of one structure may take."""

    muscle: Name
    """Without a side, for instance flexor_carpi_radialis."""
    min_u: float | None
    max_u: float | None
    start_u: float | None = None
    """Most units of a first treatment, where the label lets later ones go higher."""
    sites_min: float | None = None
    sites_max: float | None = None
    site_max_u: float | None = None
    site_max_ml: float | None = None
    basis: Literal["in the label", "in trials"] = "in the label"
    row: Name
    """Id of the label row."""
    jurisdiction: str
    sources: Many[Source]

    @property
    def verified(self) -> bool:
        """True when the dose was read in a source."""
        return all(source.verified for source in self.sources)


class TotalLimit(Noun):
    """What several structures may take together in one session."""

    scope: Scope
    """muscles: `muscles` of both sides; limb: one side of `muscles`; session: everything."""
    muscles: Many[str] = ()
    """Empty: all."""
    each_side: bool = False
    """The limit holds for the left and for the right, each by itself."""
    min_u: float | None = None
    max_u: float
    reason: str
    sources: Many[Source]

    @property
    def verified(self) -> bool:
        """True when the total was read in a source."""
        return all(source.verified for source in self.sources)


class LabelDose(Noun):
    """One entry of a fixed label pattern."""

    muscle: Name
    side: Literal["left", "right", ""]
    sites: int
    dose_u: float
    site_mm: tuple[float, float, float] | None = None
    """Where one site is meant that no landmark of its side names."""

    @property
    def structure(self) -> str:
        """Name with its side, as plans write it."""
        return f"{self.muscle}.{self.side}" if self.side else self.muscle


class Extra(Noun):
    """Dose that may be added where the pain is, both sides together."""

    muscle: Name
    max_u: float
    sites_max: int
    sources: Many[Source]


class Limits(Noun):
    """All limits of one product for one patient, disorder and day."""

    product: Name
    disorder: Name
    on: datetime.date
    jurisdiction: str
    """Where the rows come from; another than asked for when that one has none."""
    structures: Many[StructureLimit]
    totals: Many[TotalLimit]
    described: Many[StructureLimit] = ()
    """What trials injected where the label leaves a structure's dose open: a ceiling for
    proposals, never a limit and never advice. The label's own caution comes with it."""
    described_totals: Many[TotalLimit] = ()
    session_max_u: float | None
    session_reason: str
    session_start_u: float | None = None
    """Most units of a first treatment, where the label lets later ones go higher."""
    rolling_max_u: float | None
    rolling_reason: str
    rolling_used_u: float
    """Units of this product in the 12 weeks before `on`, by every clinic."""
    rolling_sources: Many[Source]
    site_max_u: float | None
    """Least site limit of all rows, for structures without their own; likewise `site_max_ml`."""
    site_max_ml: float | None
    dilutions_u_per_ml: Many[float]
    """Dilutions the label names; empty when it names none."""
    interval_min_weeks: float
    interval_sources: Many[Source]
    earliest_date: datetime.date | None
    """First day on which a session may follow the last one of any product by any clinic."""
    pattern: Many[LabelDose]
    """The fixed pattern of the label; empty when doses are chosen."""
    extras: Many[Extra]
    sources: Many[Source]

    def structure(self, name: str) -> StructureLimit | None:
        """The limit of a structure, with or without its side; None when it is not in the label."""
        muscle = name.split(".")[0]
        return next((one for one in self.structures if one.muscle == muscle), None)

    def ceiling(self, name: str) -> StructureLimit | None:
        """The limit of a structure that names a most; where there is none, what trials injected."""
        limit, muscle = self.structure(name), name.split(".")[0]
        if limit is not None and limit.max_u is not None:
            return limit
        return next((one for one in self.described if one.muscle == muscle), None)

    @property
    def limb_max_u(self) -> float | None:
        """Most units for all structures of one side together; None when the label states none."""
        return min((one.max_u for one in self.totals if one.scope == "limb"), default=None)

    @property
    def rolling_left_u(self) -> float | None:
        """Units of this product still allowed in these 12 weeks."""
        if self.rolling_max_u is None:
            return None
        return max(self.rolling_max_u - self.rolling_used_u, 0.0)

    @property
    def budget_u(self) -> float | None:
        """Most units for one limb in one session: the least of limb, session and rolling limits."""
        return _least((self.limb_max_u, self.session_max_u, self.rolling_left_u))


def limits(
    patient: Patient,
    product_name: str,
    on: date | None = None,
    disorder: str | None = None,
    jurisdiction: str = "US",
) -> Limits:
    """What the label of `product_name` allows for `patient` on `on`."""
    name = find_product(product_name).name
    on, disorder = on or patient.date, disorder or patient.disorder.name
    rows = rows_for(name, disorder, patient, jurisdiction)
    totals = _totals(rows, patient.weight_kg)
    session = min((one for one in totals if one.scope == "session"), key=_max_u, default=None)
    cap_u, cap_reason, cap_sources = _rolling_cap(name, patient)
    weeks = _interval(rows)
    return Limits(
        product=name,
        disorder=disorder,
        on=on,
        jurisdiction=jurisdiction_of(rows, jurisdiction),
        structures=_structures(rows, patient.weight_kg),
        totals=totals,
        described=_described(name, disorder),
        described_totals=_described_totals(name, disorder),
        session_max_u=session.max_u if session else None,
        session_reason=session.reason if session else "the label states no total",
        session_start_u=_least(
            row.start_u(patient.weight_kg) for row in rows if row.kind == "session"
        ),
        rolling_max_u=cap_u,
        rolling_reason=cap_reason,
        rolling_used_u=used_u(patient.history, name, on),
        rolling_sources=cap_sources,
        site_max_u=_least(row.site_max_u for row in rows),
        site_max_ml=_least(row.site_max_ml for row in rows),
        dilutions_u_per_ml=tuple(sorted({one for row in rows for one in row.dilution_u_per_ml})),
        interval_min_weeks=weeks,
        interval_sources=tuple(row.cite("retreat_min_weeks") for row in _stating_interval(rows)),
        earliest_date=_earliest(patient.history, name, disorder, weeks),
        pattern=_pattern(rows, patient.weight_kg),
        extras=_extras(name, disorder, patient),
        sources=tuple(row.cite("dose_min", "dose_max") for row in rows),
    )


def used_u(history: Iterable[PastSession], product: str, on: date) -> float:
    """Units of `product` given in the 12 weeks up to `on`."""
    return sum(one.total_u for one in history if one.product == product and one.counts_on(on))


def interval_weeks(past: tuple[str, str], now: tuple[str, str], label_weeks: float) -> float:
    """Weeks to keep between two uses (product, disorder); a label's own only for the same use."""
    return label_weeks if past == now else max(label_weeks, INTERVAL_WEEKS)


def _earliest(
    history: Sequence[PastSession], product: str, disorder: str, weeks: float
) -> date | None:
    use = (product, disorder)
    days = [
        past.date + timedelta(weeks=interval_weeks((past.product, past.disorder), use, weeks))
        for past in history
    ]
    return max(days, default=None)


def _structures(rows: Sequence[LabelRow], weight_kg: float) -> tuple[StructureLimit, ...]:
    by_muscle: dict[str, StructureLimit] = {}
    for row in rows:
        for muscle in row.structures:
            limit = _structure(row, muscle, weight_kg, rows)
            held = by_muscle.get(muscle)
            by_muscle[muscle] = limit if held is None else _wider(held, limit)
    return tuple(by_muscle.values())


def _structure(
    row: LabelRow, muscle: str, weight_kg: float, rows: Sequence[LabelRow]
) -> StructureLimit:
    least, most = row.range_u(weight_kg)
    start = row.start_u(weight_kg)
    share = row.side_share(muscle)
    alone = len(row.structures) == 1 or bool(row.sites_each)
    return StructureLimit(
        muscle=muscle,
        min_u=least * share if least is not None and alone else None,
        max_u=None if most is None else most * share,
        start_u=None if start is None else start * share,
        sites_min=_sites(row, muscle, row.sites_min),
        sites_max=_sites(row, muscle, row.sites_max),
        site_max_u=row.site_max_u,
        site_max_ml=row.site_max_ml or _least(one.site_max_ml for one in rows),
        row=row.id,
        jurisdiction="/".join(row.jurisdiction),
        sources=(row.cite("dose_min", "dose_max", "dose_cap_u"),),
    )


def _sites(row: LabelRow, muscle: str, sites: int | None) -> float | None:
    """Sites of one side; a group of muscles has a count for each only where the label says so."""
    if sites is None or (len(row.structures) > 1 and not row.sites_each):
        return None
    return sites * row.side_share(muscle)


def _wider(one: StructureLimit, other: StructureLimit) -> StructureLimit:
    """One limit from two rows of a label that differ by something else, such as bands seen."""
    bounds = [(one.min_u, other.min_u), (one.max_u, other.max_u)]
    if any(None in pair for pair in bounds):
        return one
    low, high = (pick(pair) for pick, pair in zip((min, max), bounds, strict=True))  # type: ignore[type-var]
    return one.model_copy(update={"min_u": low, "max_u": high})


def _totals(rows: Sequence[LabelRow], weight_kg: float) -> tuple[TotalLimit, ...]:
    return (*_groups(rows, weight_kg), *_limbs(rows, weight_kg), *_session(rows, weight_kg))


def _groups(rows: Sequence[LabelRow], weight_kg: float) -> list[TotalLimit]:
    """Rows that give one dose to several muscles and do not say how it is divided."""
    found = []
    for row in rows:
        least, most = row.range_u(weight_kg)
        if most is None or len(row.structures) < 2 or row.sites_each or row.dose_role == "initial":
            continue
        limit = TotalLimit(
            scope="muscles",
            muscles=row.structures,
            each_side=row.side_rule == "per_side",
            min_u=least,
            max_u=most,
            reason=f"{_named(row)} together: at most {most:g} U",
            sources=(row.cite("dose_min", "dose_max"),),
        )
        found.append(limit)
    return found


def _named(row: LabelRow) -> str:
    """The structures of a row, in words."""
    return " and ".join(map(structure_words, row.structures))


def _limbs(rows: Sequence[LabelRow], weight_kg: float) -> list[TotalLimit]:
    """Nested limits of one limb: muscles of a lower limit also count under a higher one."""
    stated = {row.id: _lower(row.limb_max_u, row.limb_max_u_per_kg, weight_kg) for row in rows}
    found = []
    for most in sorted({one for one in stated.values() if one is not None}):
        under = [row for row in rows if (stated[row.id] or most + 1) <= most]
        row = next(row for row in under if stated[row.id] == most)
        found.append(
            TotalLimit(
                scope="limb",
                muscles=tuple(muscle for one in under for muscle in one.structures),
                each_side=True,
                max_u=most,
                reason=_words("one limb", row.limb_max_u, row.limb_max_u_per_kg, weight_kg),
                sources=(row.cite("limb_max_u", "limb_max_u_per_kg"),),
            )
        )
    return [found[-1].model_copy(update={"muscles": ()}), *found[:-1]] if found else []


def _session(rows: Sequence[LabelRow], weight_kg: float) -> list[TotalLimit]:
    found: dict[float, TotalLimit] = {}
    for row in rows:
        most = _lower(row.session_max_u, row.session_max_u_per_kg, weight_kg)
        least = row.range_u(weight_kg)[0] if row.kind == "session" else None
        if most is None or (most in found and least is None):
            continue
        found[most] = TotalLimit(
            scope="session",
            min_u=least,
            max_u=most,
            reason=_words("one session", row.session_max_u, row.session_max_u_per_kg, weight_kg),
            sources=(row.cite("session_max_u", "session_max_u_per_kg"),),
        )
    return [found[most] for most in sorted(found)][-1:]


def _lower(units: float | None, per_kg: float | None, weight_kg: float) -> float | None:
    """Whichever is lower: a number of units, or units for each kilogram."""
    return _least((units, None if per_kg is None else per_kg * weight_kg))


def _least(numbers: Iterable[float | None]) -> float | None:
    return min((one for one in numbers if one is not None), default=None)


def _words(what: str, units: float | None, per_kg: float | None, weight_kg: float) -> str:
    if per_kg is None:
        return f"{what}: at most {units:g} U"
    by_weight = f"{per_kg:g} U/kg x {weight_kg:g} kg = {per_kg * weight_kg:g} U"
    if units is None:
        return f"{what}: at most {by_weight}"
    return f"{what}: whichever is lower, {units:g} U or {by_weight}"


def _rolling_cap(product: str, patient: Patient) -> tuple[float | None, str, tuple[Source, ...]]:
    """The label's cap over 12 weeks; without one, the largest session the label knows."""
    for row in caps_for(product, patient):
        most = _lower(row.rolling_max_u, row.rolling_max_u_per_kg, patient.weight_kg)
        words = _words(
            "12 weeks, all uses", row.rolling_max_u, row.rolling_max_u_per_kg, patient.weight_kg
        )
        return most, words, (row.cite("rolling_max_u", "rolling_max_u_per_kg"),)
    sessions = [
        (most, row)
        for row in label_rows()
        if row.product == product and row.holds_for(patient)
        for most in [_lower(row.session_max_u, row.session_max_u_per_kg, patient.weight_kg)]
        if most is not None and row.kind != "extra"
    ]
    if not sessions:
        return None, "the label states no cap", ()
    most, row = max(sessions, key=lambda pair: pair[0])
    words = f"12 weeks: no cap in the label; its largest session is {most:g} U"
    return most, words, (row.cite("session_max_u", "session_max_u_per_kg"),)


def _stating_interval(rows: Sequence[LabelRow]) -> list[LabelRow]:
    longest = max((row.retreat_min_weeks or 0 for row in rows), default=0)
    return [row for row in rows if longest and row.retreat_min_weeks == longest][:1]


def _interval(rows: Sequence[LabelRow]) -> float:
    return next((row.retreat_min_weeks or 0.0 for row in _stating_interval(rows)), INTERVAL_WEEKS)


def _pattern(rows: Sequence[LabelRow], weight_kg: float) -> tuple[LabelDose, ...]:
    """Doses that leave nothing to choose and divide evenly among their sites and sides."""
    return tuple(
        dose
        for row in rows
        if _leaves_no_choice(row)
        for muscle in row.structures
        for dose in _doses(row, muscle, weight_kg)
    )


def _leaves_no_choice(row: LabelRow) -> bool:
    """True for a fixed dose, and where least and most agree and the sites are numbered.

    One muscle of several that may be left out is not such a case.
    """
    together = bool(row.sites_each) or row.side_rule == "midline"
    same = together and row.dose_min == row.dose_max
    return bool((row.dose_role == "fixed" or same) and row.dose_max and row.sites_max)


def _doses(row: LabelRow, muscle: str, weight_kg: float) -> list[LabelDose]:
    share = row.side_share(muscle)
    sites, dose_u = (row.sites_max or 0) * share, (row.range_u(weight_kg)[1] or 0.0) * share
    if muscle in MIDLINE:
        return [LabelDose(muscle=muscle, side="", sites=round(sites), dose_u=dose_u)]
    site_u = dose_u / sites
    whole, part = int(sites), sites % 1
    found = []
    for side in SIDES:
        found.append(LabelDose(muscle=muscle, side=side, sites=whole, dose_u=whole * site_u))
        if part:  # a site in the midline: each side is written with its part of it
            middle = middle_mm(f"{muscle}.{side}", row.disorder[0])
            shared = LabelDose(
                muscle=muscle, side=side, sites=1, dose_u=part * site_u, site_mm=middle
            )
            found.append(shared)
    return found


def _extras(product: str, disorder: str, patient: Patient) -> tuple[Extra, ...]:
    return tuple(
        Extra(
            muscle=row.structures[0],
            max_u=row.dose_max or 0.0,
            sites_max=row.sites_max or 0,
            sources=(row.cite("dose_max"),),
        )
        for row in extras_for(product, disorder, patient)
    )


def _described(product: str, disorder: str) -> tuple[StructureLimit, ...]:
    """Most units that a trial put into each muscle; a mean share of a usual total where that is
    all that is known."""
    rows = described_for(product, disorder)
    most = {row.id: _described_u(row, rows) for row in rows if row.kind != "session"}
    return tuple(
        StructureLimit(
            muscle=muscle,
            min_u=_LEAST_OF_MEAN * max_u if row.dose_basis == "percent_of_total" else row.dose_min,
            max_u=max_u,
            basis="in trials",
            row=row.id,
            jurisdiction="/".join(row.jurisdiction),
            sources=(row.cite("dose_min", "dose_max"),),
        )
        for row in rows
        for max_u in [most.get(row.id)]
        if max_u
        for muscle in row.structures
    )


def _described_u(row: LabelRow, rows: Sequence[LabelRow]) -> float | None:
    """Units of a row of a trial; a share counts of the largest usual total."""
    if row.dose_basis != "percent_of_total" or row.dose_max is None:
        return row.dose_max
    usual_u = max((one.dose_max or 0.0 for one in rows if one.kind == "session"), default=0.0)
    return row.dose_max / 100 * usual_u


def _described_totals(product: str, disorder: str) -> tuple[TotalLimit, ...]:
    """Most units of a trial for muscles and session, and the totals the label warns of."""
    rows = described_for(product, disorder)
    every = (*rows, *cautions_for(product, disorder))
    most = [(row, _described_u(row, rows)) for row in every]
    return tuple(_described_total(row, max_u) for row, max_u in most if max_u)


def _described_total(row: LabelRow, max_u: float) -> TotalLimit:
    names = _named(row) or "one session"
    said = "the label warns above" if row.kind == "caution" else "a trial's range ends at"
    if row.dose_basis == "percent_of_total":
        said = f"the mean of trials, {row.dose_max:g} % of a usual total, is"
    return TotalLimit(
        scope="muscles" if row.structures else "session",
        muscles=row.structures,
        each_side=row.side_rule == "per_side",
        max_u=max_u,
        reason=f"{names}: {said} {max_u:g} U",
        sources=(row.cite("dose_min", "dose_max"),),
    )


def _max_u(limit: TotalLimit) -> float:
    return limit.max_u
