"""People of a trial: selected by noisy readings, then varied by needle, occasion and trial.

Everyone has a number of their own. Numbers are drawn in blocks, each from streams of its own, so
that who somebody is does not hang on how the work is shared out; arms share all but what is given.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float, Int

from openbont.catalog.evidence import parameter
from openbont.catalog.model import PRODUCTS, cohort
from openbont.catalog.sampling import Span
from openbont.catalog.scales import placed
from openbont.design import Criterion, Design
from openbont.forward.chain import Model, Stages
from openbont.forward.disorders.interface import NaturalCourse
from openbont.streams import stream

BLOCK = 1024
"""People who are drawn together."""
OCCASIONS = 4
"""Sessions whose needles differ; the fifth session is placed like the first."""


@dataclass(frozen=True, eq=False)
class People:
    """One block of the people of a trial."""

    number: int
    """Of the block."""
    replicate: Int[np.ndarray, "patient"]
    """The run of the trial that each one takes part in; those beyond the last one are not used."""
    model: Model
    entry: Mapping[str, Float[np.ndarray, "patient"]]
    """Readings that selected them, by scale and place."""
    placebo_factor: Float[np.ndarray, "patient"]


def enrol(design: Design, seed: int, number: int) -> People:
    """One block of people. Raises NoEvidence where hardly anybody meets the criteria."""
    replicate = (number * BLOCK + np.arange(BLOCK)) // design.patients
    key = f"{seed}/{number}"
    found = cohort(design.patient, BLOCK, key, spans(design.entry))
    between = _between_trials(seed, replicate)
    potency = np.exp(parameter("trials.potency_sd").value * between[:, 0])
    placebo = 1 + parameter("trials.placebo_sd").value * between[:, 1]
    model = eqx.tree_at(lambda one: one.stages, found.model, varied(found.model, key, potency))
    return People(number, replicate, model, found.read, np.maximum(placebo, 0.0))


def spans(entry: Iterable[Criterion]) -> dict[str, Span]:
    """Criteria of entry by scale and place."""
    return {
        placed(one.scale, one.where): Span(
            -np.inf if one.at_least is None else one.at_least,
            np.inf if one.at_most is None else one.at_most,
        )
        for one in entry
    }


def answering(model: Model, factor: Float[np.ndarray, "patient"]) -> Model:
    """The same people with a placebo response `factor` times as large."""

    def scaled(node: Any) -> Any:
        if not isinstance(node, NaturalCourse):
            return node
        shape = (-1, *np.ones(np.ndim(node.placebo) - 1, int))
        return eqx.tree_at(lambda c: c.placebo, node, node.placebo * factor.reshape(shape))

    is_course = lambda node: isinstance(node, NaturalCourse)  # noqa: E731
    disorder = jax.tree.map(scaled, model.stages.disorder, is_leaf=is_course)
    return eqx.tree_at(lambda m: m.stages.disorder, model, disorder)


def _between_trials(
    seed: int, replicate: Int[np.ndarray, "patient"]
) -> Float[np.ndarray, "patient 2"]:
    """Standard normal numbers of each run of the trial: potency, placebo."""
    runs, place = np.unique(replicate, return_inverse=True)
    return np.stack([stream(seed, f"trial/{run}").standard_normal(2) for run in runs])[place]


def varied(model: Model, key: str, potency: Float[np.ndarray, "patient"]) -> Stages:
    """Potency of the trial, needles of the occasion.

    What the needle explains is taken from the spread of potency between patients.
    """
    sd = parameter("trials.placement_sd").value
    shape = (len(potency), OCCASIONS, len(model.structures) + 1)
    needles = np.exp(sd * stream(key, "placement").standard_normal(shape))
    kinetics = model.stages.kinetics
    own = [parameter(f"kinetics.potency.{name}") for name in PRODUCTS]
    usual = np.array([one.value for one in own])
    spread = np.array([one.between_patients for one in own])
    share = np.sqrt(np.maximum(1 - (sd / spread) ** 2, 0.0))
    patients = (kinetics.potency_cm3_per_u / usual) ** share
    return eqx.tree_at(
        lambda s: (s.kinetics.potency_cm3_per_u, s.spread.placement),
        model.stages,
        (usual * patients * potency[:, None], needles),
    )
