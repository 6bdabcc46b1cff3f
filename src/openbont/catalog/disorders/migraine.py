"""A patient with headache -> structures of head and neck and the migraine stage."""

from dataclasses import replace

import numpy as np

from openbont.catalog.disorders.common import (
    Built,
    measure,
    natural_course,
    recorded,
    strength_measure,
    tiled,
    tiled_one,
)
from openbont.catalog.movements import functions, territories
from openbont.catalog.muscles import SIDES, base, of_layers, side, structure
from openbont.catalog.sampling import PARENTS, Sampler
from openbont.forward.disorders.interface import Measure
from openbont.forward.disorders.migraine import Migraine
from openbont.forward.scales import diary_days
from openbont.patient import Patient

_STRENGTHS = ("neck_extension", *(f"shoulder_elevation.{one}" for one in SIDES))
_USUAL_SHARE = {
    "moderate_severe_days_28": "migraine.severe_share",
    "acute_days_28": "migraine.acute_share",
}
_LEAST_SHARE = 0.01  # no recorded diary makes worse days impossible, or certain


def chronic_migraine(patient: Patient, sampler: Sampler) -> Built:
    """Headache days and HIT-6; strength of neck and shoulders, height of the lids."""
    return _headache(patient, sampler, 1.0)


def unanswering_headache(patient: Patient, sampler: Sampler) -> Built:
    """The same readings of a headache that trials found not to answer: a negative control."""
    return _headache(patient, sampler, sampler.value("headache.effect"))


def _headache(patient: Patient, sampler: Sampler, effect: float) -> Built:
    names = of_layers("head")
    lids = [np.array([float(n == f"levator_palpebrae.{one}") for n in names]) for one in SIDES]
    diary = recorded(patient, "headache_days_28")
    logit, start = _headache_entry(sampler, diary)
    return tuple(structure(name) for name in names), Migraine(
        territory_weight=tiled_one(sampler, _territory_weight(patient, names)),
        strength_weight=tiled(
            sampler, [functions()[base(where)].row(names, side(where)) for where in _STRENGTHS]
        ),
        lid_weight=tiled(sampler, lids),
        logit=logit,
        kappa=effect * sampler.vary("migraine.kappa"),
        nociceptor_day=sampler.vary("migraine.nociceptor_day"),
        central_day=sampler.vary("migraine.central_day"),
        severe_kappa=effect * sampler.vary("migraine.severe_kappa"),
        hit_per_day=sampler.vary("migraine.hit_per_day"),
        hit_kappa=effect * sampler.vary("migraine.hit_kappa"),
        course=natural_course(sampler, "migraine", start[:, None], 1.0),
        measures=_measures(sampler),
        **_burden(patient, sampler, diary),
    )


def _burden(patient: Patient, sampler: Sampler, diary: float) -> dict[str, np.ndarray]:
    """Worse days and medicine as shares of headache days, and HIT-6, on day 0."""
    hit = recorded(patient, "HIT-6", default=sampler.value("migraine.hit_baseline"))
    severe, acute = (
        recorded(patient, scale, default=sampler.value(usual) * diary) / max(diary, 1.0)
        for scale, usual in _USUAL_SHARE.items()
    )
    severe = np.clip(severe, _LEAST_SHARE, 1 - _LEAST_SHARE)
    return {
        "severe_logit": np.full(sampler.draws, np.log(severe / (1 - severe))),
        "acute_share": np.full(sampler.draws, min(acute, 1.0)),
        "hit": np.full(sampler.draws, hit),
    }


def _measures(sampler: Sampler) -> tuple[Measure, ...]:
    day_to_day = sampler.value("migraine.day_to_day")
    return (
        *(
            replace(measure(scale), observed="counted", noise=day_to_day)
            for scale in ("headache_days_28", *_USUAL_SHARE)
        ),
        measure("HIT-6"),
        *(strength_measure(functions()[base(where)], where) for where in _STRENGTHS),
        *(measure("lid_height", f"upper_lid.{one}", f"{one} upper lid") for one in SIDES),
    )


def _headache_entry(sampler: Sampler, diary: float) -> np.ndarray:
    """Logit of a headache day and the passing part of it, of those who enter."""
    draw = sampler.generator("migraine.entry")
    lasting, passing = draw.standard_normal((2, PARENTS))
    passing = sampler.value("migraine.fluctuation_sd") * passing
    logit = sampler.value("migraine.parent_logit") + passing
    logit = logit + sampler.value("migraine.parent_sd") * lasting
    chance = 1 / (1 + np.exp(-logit))
    counted = diary_days(draw, chance, sampler.value("migraine.day_to_day"))
    return sampler.enrol(
        "migraine.entry",
        np.stack([logit, passing], axis=1),
        {"headache_days_28": counted},
        {"headache_days_28": lambda read: np.abs(read - diary) <= 1},
        f"headache_days_28 of {diary:g}",
    ).T


def _territory_weight(patient: Patient, names: list[str]) -> np.ndarray:
    group, factor = territories()
    painful = {r.where for r in patient.findings if r.scale == "pain_predominant"}
    worst = np.array([factor if name in painful else 1.0 for name in names])
    weight = group.row(names, "") * worst
    return np.asarray(weight / weight.sum())
