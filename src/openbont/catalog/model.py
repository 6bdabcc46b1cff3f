"""A patient -> a model: structures of the region, sampled parameters, the disorder's own stage."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import get_args

import numpy as np
from jaxtyping import Float

from openbont.anatomy.structure import Structure
from openbont.catalog.anatomy import atlases
from openbont.catalog.disorders import MODELLED
from openbont.catalog.evidence import parameters
from openbont.catalog.muscles import base, layers
from openbont.catalog.products import products
from openbont.catalog.sampling import Sampler, Span
from openbont.catalog.weakness import HEALTHY, PHARYNX, Weakness, distant, weakness
from openbont.errors import NoEvidence
from openbont.forward.arrays import body
from openbont.forward.chain import Model, Stages
from openbont.forward.immunity import Immunity
from openbont.forward.kinetics import Kinetics
from openbont.forward.release import Release
from openbont.forward.response import Response
from openbont.forward.spread import Spread
from openbont.patient import Patient
from openbont.product import Serotype

PRODUCTS = tuple(products())


@dataclass(frozen=True, eq=False)
class Cohort:
    """People who entered, as the draws of a model, and what they read at entry."""

    model: Model
    read: Mapping[str, Float[np.ndarray, "draw"]]
    """Noisy readings that selected them, by scale and place."""


def model(patient: Patient, draws: int = 200, seed: int = 1) -> Model:
    """Reference model for one patient: `draws` sets of parameters, each with its sources.

    Raises NoEvidence for a disorder that has no model.
    """
    return cohort(patient, draws, seed).model


def cohort(
    patient: Patient, draws: int, seed: int | str, entry: Mapping[str, Span] | None = None
) -> Cohort:
    """People like `patient`, selected by the criteria of `entry` where there are any.

    Raises NoEvidence for a disorder that has no model, and where hardly anybody would enter.
    """
    builder = MODELLED.get(patient.disorder.name)
    if builder is None:
        raise NoEvidence(
            f"{patient.disorder.name} has no model yet; modelled: {', '.join(MODELLED)}"
        )
    sampler = Sampler(draws, seed, entry)
    structures, disorder = builder(patient, sampler)
    weak = weakness(sampler, patient)
    stages = Stages(
        immunity(sampler),
        spread(sampler),
        kinetics(sampler, structures, weak),
        release(sampler),
        response(sampler, structures, weak),
        disorder,
        distant(sampler, structures, patient, weak),
    )
    used = tuple(sampler.used.values())
    maps = atlases(structures, patient)
    built = Model(stages, body(structures), structures, PRODUCTS, used, maps)
    return Cohort(built, sampler.read)


def spread(sampler: Sampler) -> Spread:
    """Reach, anisotropy and size of the wetted ellipsoid."""
    placement = np.ones((sampler.draws, 1, 1))
    return Spread(**_group(sampler, "spread", Spread), placement=placement)


def kinetics(
    sampler: Sampler, structures: tuple[Structure, ...], weak: Weakness = HEALTHY
) -> Kinetics:
    """Rates; half-life by serotype, potency by product, both shared within a patient.

    Glands and the bladder wall have autonomic endings.
    """
    half_lives = [f"kinetics.half_life_day.{products()[name].serotype}" for name in PRODUCTS]
    potencies = [f"kinetics.potency.{name}" for name in PRODUCTS]
    return Kinetics(
        **_group(sampler, "kinetics", Kinetics),
        half_life_day=sampler.several(half_lives, shared="kinetics.half_life"),
        potency_cm3_per_u=sampler.several(potencies, shared="kinetics.potency"),
        slower=np.tile(_slower(sampler, structures, weak), (sampler.draws, 1)),
    )


def _slower(sampler: Sampler, structures: tuple[Structure, ...], weak: Weakness) -> list[float]:
    """Half-life in the endings of each structure relative to healthy motor endings."""
    kinds = [one.kind for one in structures] + ["muscle"]
    autonomic = sampler.value("kinetics.autonomic_slower") if "gland" in kinds else 1.0
    return [autonomic if kind == "gland" else weak.recovery_slower for kind in kinds]


def release(sampler: Sampler) -> Release:
    """Cooperativity and sprouting."""
    return Release(**_group(sampler, "release", Release))


def response(
    sampler: Sampler, structures: tuple[Structure, ...], weak: Weakness = HEALTHY
) -> Response:
    """Safety factor by structure and disease; the last structure is distant muscle."""
    limb = sampler.vary("response.safety_factor") * weak.safety_factor
    facial = sampler.value("response.safety_facial")
    shares = [facial if _facial(one.id) else 1.0 for one in structures]
    return Response(
        **_group(sampler, "response", Response) | {"safety_factor": limb[:, None] * [*shares, 1.0]}
    )


def _facial(structure: str) -> bool:
    """Fibres like those of the face: safety factor of their own. The pharynx is taken to be so."""
    return structure == PHARYNX or bool(layers().get(base(structure), {}).get("facial"))


def immunity(sampler: Sampler) -> Immunity:
    """Hazard and titre of neutralising antibodies; the threshold is this draw's luck."""
    usual = sampler.value("immunity.neurotoxin_ng_per_100u")
    mass = [(products()[name].neurotoxin_ng_per_100u or usual) / 100 for name in PRODUCTS]
    kinds = [float(get_args(Serotype).index(products()[name].serotype)) for name in PRODUCTS]
    return Immunity(
        **_group(sampler, "immunity", Immunity),
        threshold=sampler.generator("immunity.threshold").standard_exponential(sampler.draws),
        product_class=sampler.several([f"immunity.class.{name}" for name in PRODUCTS]),
        ng_per_u=np.tile(mass, (sampler.draws, 1)),
        serotype=np.tile(kinds, (sampler.draws, 1)),
    )


def _group(sampler: Sampler, group: str, stage: type) -> dict[str, np.ndarray]:
    """Draws of every field of a stage that is a parameter of the same name."""
    names = [field.name for field in fields(stage)]
    return {
        name: sampler.vary(f"{group}.{name}") for name in names if f"{group}.{name}" in parameters()
    }
