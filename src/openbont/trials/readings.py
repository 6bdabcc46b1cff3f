"""One block of people through every arm: what their raters write down at the visits."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from openbont.catalog.evidence import parameter
from openbont.catalog.model import model
from openbont.catalog.scales import placed
from openbont.design import Arm, Design
from openbont.errors import UnknownName
from openbont.forward.chain import Model, Treatment, readings, treatment
from openbont.forward.disorders.interface import Measure
from openbont.forward.reduced import reduced
from openbont.forward.scales import read
from openbont.streams import stream
from openbont.trials.people import BLOCK, People, answering, enrol

COARSER = 2.0
"""Steps in time, relative to those for one patient: the mean of a population needs no more."""
REFERENCE_DRAWS = 256
"""From which the middle of what spreads is taken, for the fields of an arm."""


@dataclass(frozen=True, eq=False)
class Block:
    """Readings of one block of people in every arm; NaN once somebody has left."""

    number: int
    replicate: Int[np.ndarray, "patient"]
    entry: Float[np.ndarray, "place patient"]
    value: Float[np.ndarray, "arm place visit patient"]


def run_block(design: Design, seed: int, number: int) -> Block:
    """One block of a trial. Raises UnknownName for a reading that the model does not predict."""
    people, key = enrol(design, seed, number), f"{seed}/{number}"
    measures = people.model.stages.measures
    columns = [_column(measures, *place) for place in places(design)]
    stay = np.array(design.weeks)[:, None] <= _leaving_week(design, key)
    at = np.searchsorted(_days(design), 7 * np.array(design.weeks))
    values = []
    for arm, ready in zip(design.groups, treatments(design), strict=True):
        severity = readings(_told(people, arm), ready)
        seen = [read(severity[:, at, n], measures[n], key).T for n in columns]
        values.append(np.where(stay, np.stack(seen), np.nan))
    before = [read(severity[:, :1, n], measures[n], f"{key}/entry")[:, 0] for n in columns]
    chosen = [people.entry.get(placed(*place)) for place in places(design)]
    entry = [b if c is None else c for b, c in zip(before, chosen, strict=True)]
    return Block(number, people.replicate, np.array(entry, "f4"), np.array(values, "f4"))


def places(design: Design) -> list[tuple[str, str]]:
    """Every reading that the endpoints need: scale and place."""
    return list(dict.fromkeys(place for one in design.endpoints for place in one.places))


@lru_cache(maxsize=8)
def treatments(design: Design) -> tuple[Treatment, ...]:
    """What each arm is given, with day 0 and the visits to look at."""
    usual, days = model(design.patient, REFERENCE_DRAWS), _days(design)
    plans = [arm.plan(design.patient) for arm in design.groups]
    ready = [treatment(plan, design.patient, usual, days, COARSER) for plan in plans]
    return tuple(reduced(one, usual) for one in ready)


def _days(design: Design) -> Float[np.ndarray, "day"]:
    """Day 0 and the days of the visits."""
    return np.unique([0.0, *(7 * week for week in design.weeks)])


def _told(people: People, arm: Arm) -> Model:
    """People with the placebo response of this trial, larger where they know what they get."""
    known = parameter("trials.open_label").value if arm.open_label else 1.0
    return answering(people.model, people.placebo_factor * known)


def _column(measures: Sequence[Measure], scale: str, where: str) -> int:
    """Where a reading stands among the measures. Raises UnknownName."""
    names = [placed(one.scale, one.where) for one in measures]
    if placed(scale, where) not in names:
        raise UnknownName("endpoints", "reading of this disorder", placed(scale, where), names)
    return names.index(placed(scale, where))


def _leaving_week(design: Design, key: str) -> Float[np.ndarray, "patient"]:
    """When each one is lost; the same in every arm."""
    if design.dropout_percent == 0:
        return np.full(BLOCK, np.inf)
    hazard = -np.log(1 - design.dropout_percent / 100) / max(design.weeks)
    return np.asarray(stream(key, "dropout").standard_exponential(BLOCK) / hazard)
