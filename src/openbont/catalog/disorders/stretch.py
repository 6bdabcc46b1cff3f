"""Readings beside tone of a patient with spasticity: each is predicted where it was recorded."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from openbont.catalog.disorders.common import alike, measure, recorded, selected
from openbont.catalog.movements import functions, movements
from openbont.catalog.muscles import base, side
from openbont.catalog.sampling import Sampler
from openbont.catalog.scales import number, placed, scale
from openbont.errors import BadInput, UnknownName
from openbont.forward.disorders.attainment import Attainment
from openbont.forward.disorders.interface import Measure
from openbont.forward.disorders.stretch import ActiveUse, Bursts, Further, Rated, Tardieu
from openbont.patient import Goal, Patient, Reading

Part = tuple[Further, tuple[Measure, ...]]

DOMAINS = {
    "hygiene": ("wrist_flexors", "finger_flexors", "thumb_flexors", "toe_flexors"),
    "dressing": ("elbow_flexors", "forearm_pronators", "wrist_flexors", "ankle_plantar_flexors"),
    "limb_position": (),
    "pain": (),
}
"""Movements that each domain of the DAS hangs on; empty: all that were graded."""

_ANGLES = ("tardieu_R1", "tardieu_R2", "tardieu_angle")
_BURSTS = ("spasms_per_day", "clonus_beats")
_USE = ("dexterity", "sensation", "paresis")


@dataclass(frozen=True)
class Limb:
    """What of one limb was graded, and which functions it has."""

    name: str
    """arm or leg"""
    side: str
    movements: tuple[str, ...]
    passive_share: np.ndarray
    """(draw, movement)"""
    functions: tuple[str, ...]


def further(patient: Patient, sampler: Sampler, limb: Limb) -> list[Part]:
    """Whatever was recorded of Tardieu, ratings, bursts and active use."""
    here = tuple(r for r in patient.findings if _treated(r, limb))
    ours = patient.model_copy(update={"findings": here})
    check_places(_found(ours, *_ANGLES, "tardieu_X"), "graded movement", limb.movements)
    kinds = (_tardieu, _rated, _bursts, _active_use)
    return [part for kind in kinds if (part := kind(ours, sampler, limb))]


def check_places(readings: Iterable[Reading], kind: str, known: Collection[str]) -> None:
    """Raises UnknownName for a reading that stands at none of the `known` places."""
    for reading in readings:
        if reading.where not in known:
            raise UnknownName("findings", f"{kind} for {reading.scale}", reading.where, known)


def attainment(patient: Patient, measures: Sequence[Measure]) -> Attainment | None:
    """Goals of the patient on readings that should fall and have a reading to start from."""
    rows = [
        row
        for goal in patient.goals
        for at, one in enumerate(measures)
        if (one.scale, one.where) == (goal.scale, goal.where) and one.better == "lower"
        for row in _aim(goal, at, one, patient.findings)
    ]
    return Attainment(*(tuple(column) for column in zip(*rows, strict=True))) if rows else None


def _aim(
    goal: Goal, at: int, one: Measure, findings: Iterable[Reading]
) -> Iterable[tuple[int, float, float, float]]:
    """Place, recorded reading, target and weight of one goal that is not yet met."""
    for found in findings:
        if (found.scale, found.where) == (goal.scale, goal.where):
            start = one.number(found.value)
            fall = start * (goal.fall_percent or 0) / 100
            target = start - fall if goal.at_most is None else one.number(goal.at_most)
            if goal.at_least is None and target < start:
                yield at, start, target, goal.weight


def _treated(reading: Reading, limb: Limb) -> bool:
    """False for a reading of the other side or of the other limb."""
    of = {"arm": "arm", "leg": "leg"}
    of |= {g.id: g.limb for g in (*movements().values(), *functions().values())}
    here = of.get(base(reading.where), limb.name) == limb.name
    return here and side(reading.where) in (limb.side, "")


def _found(patient: Patient, *on: str) -> list[Reading]:
    return [reading for reading in patient.findings if reading.scale in on]


def _tardieu(patient: Patient, sampler: Sampler, limb: Limb) -> Part | None:
    at = {reading.where for reading in _found(patient, *_ANGLES)}
    joints = [where for where in limb.movements if where in at]
    if not joints:
        return None
    of = tuple(limb.movements.index(where) for where in joints)
    angles = np.array([_angles(patient, sampler, where) for where in joints])
    slow = sampler.vary("spasticity.slow_share")[:, None]
    return Tardieu(
        catch=alike(sampler, angles[:, 0]),
        reach=alike(sampler, angles[:, 1]),
        catch_deg=sampler.vary("spasticity.catch_deg"),
        give_deg=sampler.vary("spasticity.give_deg"),
        slow_share=np.minimum(slow, 0.9) * (1 - limb.passive_share[:, of]),
        movement=of,
    ), tuple(
        of_movement(angle, where)
        for angle in ("tardieu_R1", "tardieu_R2", "tardieu_angle")
        for where in joints
    )


def _angles(patient: Patient, sampler: Sampler, where: str) -> tuple[float, float]:
    """R1 and R2 as recorded; where one is missing, a usual dynamic part of the range apart."""
    found = _found(patient, *_ANGLES)
    known = {r.scale: number(r.scale, r.value) for r in found if r.where == where}
    catch, reach = known.get("tardieu_R1"), known.get("tardieu_R2")
    if catch is not None and reach is not None:
        return _in_order(catch, reach, where)
    apart = known.get("tardieu_angle", sampler.value("spasticity.dynamic_deg"))
    if reach is not None:
        return reach - apart, reach
    if catch is None:
        problem = f"{placed('tardieu_angle', where)} does not say where it starts"
        raise BadInput("findings", problem, "add tardieu_R1 or tardieu_R2 there")
    return catch, catch + apart


def _in_order(catch: float, reach: float, where: str) -> tuple[float, float]:
    """Both angles. Raises BadInput where the catch lies beyond the slow range."""
    if catch > reach:
        problem = f"{placed('tardieu_R1', where)} of {catch:g} lies beyond R2 of {reach:g} degrees"
        raise BadInput("findings", problem, "a fast stretch catches before the slow range ends")
    return catch, reach


def _rated(patient: Patient, sampler: Sampler, limb: Limb) -> Part | None:
    found = _found(patient, "tardieu_X", "DAS", "pain_NRS")
    if not found:
        return None
    measures = tuple(_rating(sampler, reading) for reading in found)
    slopes = [sampler.vary(f"spasticity.{_SLOPES[reading.scale]}") for reading in found]
    return Rated(
        start=np.stack([_start(sampler, reading) for reading in found], axis=1),
        slope=np.stack(slopes, axis=1),
        weight=alike(sampler, [_hangs_on(reading, limb) for reading in found]),
        highest=tuple(one.high for one in measures),
    ), measures


_SLOPES = {"tardieu_X": "catch_per_grade", "DAS": "das_per_grade", "pain_NRS": "pain_per_grade"}


def _rating(sampler: Sampler, reading: Reading) -> Measure:
    if reading.scale == "pain_NRS":
        return measure("pain_NRS", reading.where)
    if reading.scale == "DAS":
        one, noise = measure("DAS", reading.where, _words(reading.where)), "spasticity.das"
    else:
        one, noise = of_movement("tardieu_X", reading.where), "spasticity"
    return replace(one, observed="graded", noise=sampler.value(f"{noise}.occasion_sd"))


def _start(sampler: Sampler, reading: Reading) -> np.ndarray:
    """The DAS selects people as an Ashworth grade does; catch and pain start as recorded."""
    if reading.scale == "DAS":
        return selected(sampler, "spasticity.das", base(reading.where), reading)
    return np.full(sampler.draws, number(reading.scale, reading.value))


def _hangs_on(reading: Reading, limb: Limb) -> np.ndarray:
    """Equal shares of the movements that a reading hangs on, all of them where none is named."""
    named = _domain(reading) if reading.scale == "DAS" else (base(reading.where),)
    hangs = np.array([float(base(where) in named) for where in limb.movements])
    hangs = hangs if hangs.any() else np.ones(len(limb.movements))
    return np.asarray(hangs / hangs.sum())


def _domain(reading: Reading) -> tuple[str, ...]:
    """Movements of a domain of the DAS. Raises UnknownName."""
    if base(reading.where) not in DOMAINS:
        raise UnknownName("findings", "domain of the DAS", reading.where, DOMAINS)
    return DOMAINS[base(reading.where)]


def _bursts(patient: Patient, sampler: Sampler, limb: Limb) -> Part | None:
    found = _found(patient, *_BURSTS)
    if not found:
        return None
    whole = (f"{limb.name}.{limb.side}", limb.name, "")
    check_places(found, "graded movement or limb", (*limb.movements, *whole))
    gain = np.maximum(sampler.vary("spasticity.loop_gain"), 1.05)
    least = {"spasms_per_day": np.zeros(sampler.draws), "clonus_beats": 1 / gain}
    measures = tuple(measure(r.scale, r.where, _burst_words(r)) for r in found)
    today = [number(r.scale, r.value) for r in found]
    return Bursts(
        today=alike(sampler, today),
        least_drive=np.stack([least[r.scale] for r in found], axis=1),
        weight=alike(sampler, [_hangs_on(r, limb) for r in found]),
        highest=tuple(one.high for one in measures),
    ), measures


def _burst_words(reading: Reading) -> str:
    return f"{scale(reading.scale).words}, {_words(reading.where)}".removesuffix(", ")


def _active_use(patient: Patient, sampler: Sampler, limb: Limb) -> Part | None:
    found = _found(patient, *_USE)
    check_places(found, "function", limb.functions)
    at = {reading.where for reading in found}
    used = [where for where in limb.functions if where in at]
    if not used:
        return None
    lost, dexterity, sensation = (
        np.array([recorded(patient, share, where, default=usual) for where in used])
        for share, usual in (("paresis", 0.0), ("dexterity", 1.0), ("sensation", 1.0))
    )
    return ActiveUse(
        strength=alike(sampler, 1 - lost),
        ceiling=alike(sampler, np.minimum(dexterity, sensation)),
        function=tuple(limb.functions.index(where) for where in used),
    ), tuple(measure("active_function", where, f"use of {_words(where)}") for where in used)


def of_movement(on: str, where: str) -> Measure:
    """A measure of one graded movement."""
    words = f"{side(where)} {movements()[base(where)].words}".strip()
    return measure(on, where, f"{words}{_WHAT.get(on, '')}")


_WHAT = {
    "resistance": ": resistance left",
    "tardieu_R1": ": angle of catch R1",
    "tardieu_R2": ": slow range R2",
    "tardieu_angle": ": dynamic range R2 - R1",
    "tardieu_X": ": quality of catch X",
}


def _words(where: str) -> str:
    return f"{base(where).replace('_', ' ')}, {side(where)}".removesuffix(", ")
