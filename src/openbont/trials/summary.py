"""Coverage, bias, error and skill over rows, by disorder and by axis."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from openbont.catalog.scales import scales

Rows = Sequence[Mapping[str, Any]]
_RESAMPLED = 1000
_LEVEL = (2.5, 97.5)
NAIVE = ("placebo", "constant", "emax")
_WEEK_BANDS = ((3.0, "to week 3"), (8.0, "weeks 3 to 8"), (16.0, "weeks 8 to 16"))
_MARGIN = {
    "twstrs_total": ("TWSTRS", 1.0),
    "tsui": ("Tsui", 1.0),
    "headache_days": ("headache_days_28", 1.0),
    "migraine_days": ("headache_days_28", 1.0),
    "moderate_severe_headache_days": ("moderate_severe_days_28", 1.0),
    "hit6": ("HIT-6", 1.0),
    "incontinence_per_day": ("UI_per_day", 1.0),
    "incontinence_per_week": ("UI_per_day", 7.0),
    "detrusor_pressure": ("detrusor_pressure", 1.0),
    "saliva_flow": ("saliva_flow", 1.0),
    "jrs_severity": ("JRS", 0.5),
    "hdss": ("HDSS", 1.0),
    "das_principal": ("DAS", 1.0),
}
_IN_POINTS = ("mean_change", "mean_value", "median_change", "diff_vs_placebo")


def summary(rows: Rows) -> dict[str, Any]:
    """All numbers of a validation."""
    predicted = _scored(rows)
    return {
        "rows": len(rows),
        "predicted": sum(row["predicted"] is not None for row in rows),
        "all": figures(predicted),
        "by_use": _grouped(predicted, lambda row: row["use"] or "no use given"),
        "validate_not_seen": figures(
            [row for row in predicted if row["use"] == "validate" and not row["seen"]]
        ),
        "by_read": _grouped(predicted, lambda row: row["read"] or "not said"),
        "by_disorder": _grouped(predicted, lambda row: row["disorder"]),
        "by_disorder_and_use": _grouped(
            predicted, lambda row: f"{row['disorder']}, {row['use'] or 'no use given'}"
        ),
        "by_dose": _grouped(predicted, _dose_bands(predicted)),
        "by_week": _grouped(predicted, _week_band),
        "by_product": _grouped(predicted, lambda row: row["product"] or "placebo"),
        "by_population": _grouped(predicted, _population),
        "skill": skills(predicted),
        "disorders_won": won(predicted),
        "not_predicted": [
            {name: row[name] for name in ("row", "trial_id", "disorder", "measure", "reason")}
            for row in rows
            if row["predicted"] is None
        ],
    }


def figures(rows: Rows) -> dict[str, Any]:
    """n, coverage, bias in standard errors, error in smallest differences that matter."""
    if not rows:
        return {"n": 0}
    z = np.array([row["z"] for row in rows])
    inside = np.array([row["inside"] for row in rows], float)
    alone = np.array([row["inside_without_between_trials"] for row in rows], float)
    margins = [(row, margin(row)) for row in rows]
    errors = [abs(row["observed"] - row["predicted"]) / of for row, of in margins if of]
    signed = [(row["predicted"] - row["observed"]) / of for row, of in margins if of]
    return {
        "n": len(rows),
        "trials": len({row["trial_id"] for row in rows}),
        "coverage": float(inside.mean()),
        "coverage_interval": _interval(rows, inside),
        "coverage_without_between_trials": float(alone.mean()),
        "bias_in_standard_errors": float(-z.mean()),
        "error_in_standard_errors": float(np.abs(z).mean()),
        "error_in_margins": float(np.mean(errors)) if errors else None,
        "error_in_margins_interval": (
            _interval([row for row, of in margins if of], np.array(errors)) if errors else None
        ),
        "bias_in_margins": float(np.mean(signed)) if signed else None,
        "rows_with_a_margin": len(errors),
    }


def margin(row: Mapping[str, Any]) -> float | None:
    """Smallest difference that matters, in the row's unit; None where none is known."""
    if row["value_type"] not in _IN_POINTS or row["unit"] in ("percent", "%"):
        return None
    if row["measure"].startswith(("ashworth", "mas")):
        return scales()["MAS"].margin if row["rule"] != "auc" else None
    if row["measure"] not in _MARGIN:
        return None
    name, factor = _MARGIN[row["measure"]]
    return scales()[name].margin * factor


def skills(rows: Rows) -> dict[str, Any]:
    """1 - error of the model / error of each naive model, over rows with toxin, overall and by
    disorder; errors in the standard errors of the model."""
    disorders = sorted({row["disorder"] for row in rows})
    return {
        "all": _skill(rows),
        "calibrate": _skill([row for row in rows if row["use"] == "calibrate"]),
        "validate": _skill([row for row in rows if row["use"] == "validate"]),
        "by_disorder": {
            name: _skill([row for row in rows if row["disorder"] == name]) for name in disorders
        },
    }


def won(rows: Rows, largest: int = 12) -> dict[str, Any]:
    """Of the disorders with most rows, those in which the model beats all three naive models."""
    names = sorted({row["disorder"] for row in rows})
    names.sort(key=lambda name: -sum(row["disorder"] == name for row in rows))
    found = {}
    for name in names[:largest]:
        skill = _skill([row for row in rows if row["disorder"] == name])
        known = [skill[one] for one in NAIVE if skill[one] is not None]
        found[name] = bool(known) and min(known) > 0
    return {"of": len(found), "won": sum(found.values()), "disorders": found}


def _skill(rows: Rows) -> dict[str, Any]:
    compared = [row for row in rows if row["naive"] and row["naive"]["placebo"] is not None]
    found: dict[str, Any] = {"n": len(compared)}
    for name in NAIVE:
        found[name] = _one_skill(compared, name)
        found[f"{name}_interval"] = _skill_interval(compared, name)
    return found


def _errors(rows: Rows, name: str) -> tuple[np.ndarray, np.ndarray]:
    scale = np.array(
        [max(np.hypot(row["se_observed"] or 0.0, row["se_predicted"] or 0.0), 1e-9) for row in rows]
    )
    ours = np.array([abs(row["observed"] - row["predicted"]) for row in rows]) / scale
    theirs = np.array([abs(row["observed"] - row["naive"][name]) for row in rows]) / scale
    return ours, theirs


def _one_skill(rows: Rows, name: str) -> float | None:
    if not rows:
        return None
    ours, theirs = _errors(rows, name)
    return float(1 - ours.mean() / theirs.mean()) if theirs.mean() > 0 else None


def _skill_interval(rows: Rows, name: str) -> list[float] | None:
    """Bootstrap by trial."""
    if len({row["trial_id"] for row in rows}) < 2:
        return None
    ours, theirs = _errors(rows, name)
    drawn = [1 - ours[at].mean() / max(theirs[at].mean(), 1e-9) for at in _resampled(rows)]
    return [float(end) for end in np.percentile(drawn, _LEVEL)]


def _interval(rows: Rows, values: np.ndarray) -> list[float] | None:
    """Bootstrap by trial of a mean."""
    if len({row["trial_id"] for row in rows}) < 2:
        return None
    means = [values[at].mean() for at in _resampled(rows)]
    return [float(end) for end in np.percentile(means, _LEVEL)]


def _resampled(rows: Rows) -> Iterable[np.ndarray]:
    """Rows of trials drawn with replacement."""
    names = np.array([row["trial_id"] for row in rows])
    members = [np.flatnonzero(names == name) for name in np.unique(names)]
    draw = np.random.default_rng(1)
    for _ in range(_RESAMPLED):
        picks = draw.integers(0, len(members), len(members))
        yield np.concatenate([members[pick] for pick in picks])


def _scored(rows: Rows) -> Rows:
    return [row for row in rows if row["z"] is not None]


def _grouped(rows: Rows, by: Callable[[Mapping[str, Any]], str]) -> dict[str, Any]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(by(row), []).append(row)
    return {name: figures(groups[name]) for name in sorted(groups)}


def _dose_bands(rows: Rows) -> Callable[[Mapping[str, Any]], str]:
    """Placebo, and thirds of the doses of each disorder and product."""
    ends: dict[tuple[str, str], np.ndarray] = {}
    for key in {(row["disorder"], row["product"]) for row in rows if row["dose_u"]}:
        doses = [r["dose_u"] for r in rows if (r["disorder"], r["product"]) == key and r["dose_u"]]
        ends[key] = np.quantile(doses, [1 / 3, 2 / 3])

    def band(row: Mapping[str, Any]) -> str:
        if not row["dose_u"]:
            return "placebo"
        low, high = ends[row["disorder"], row["product"]]
        if row["dose_u"] < low or (row["dose_u"] == low < high):
            return "lower third"
        return "middle third" if row["dose_u"] <= high else "upper third"

    return band


def _week_band(row: Mapping[str, Any]) -> str:
    try:
        week = float(row["week"])
    except ValueError:
        return "a course or several visits"
    return next((words for most, words in _WEEK_BANDS if week <= most), "after week 16")


def _population(row: Mapping[str, Any]) -> str:
    if row["disorder"].startswith("healthy"):
        return "healthy"
    return "child" if row["disorder"].endswith(".child") else "adult"
