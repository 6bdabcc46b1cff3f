"""A patient who drools -> salivary glands and the sialorrhoea stage."""

import numpy as np

from openbont.catalog.anatomy import body_size
from openbont.catalog.disorders.common import (
    Built,
    measure,
    natural_course,
    positive,
    tiled_one,
)
from openbont.catalog.muscles import SIDES, base, of_layers, structure
from openbont.catalog.sampling import PARENTS, Sampler
from openbont.errors import NoEvidence
from openbont.forward.disorders.sialorrhoea import Sialorrhoea
from openbont.patient import Patient

_NEAR_LN = 0.1  # readings within 10 % count as the same
_LEAST_YEARS = 2.0


def sialorrhoea(patient: Patient, sampler: Sampler) -> Built:
    """Unstimulated flow and dry mouth; a child's glands are smaller with its weight.

    Raises NoEvidence below the age at which a label starts.
    """
    if patient.age_years < _LEAST_YEARS:
        raise NoEvidence(f"sialorrhoea below {_LEAST_YEARS:g} years has no model")
    names = of_layers("salivary")
    flow = positive(patient, "saliva_flow")
    passing = _drooling_entry(sampler, flow)
    start = sampler.read["saliva_flow"] if sampler.entry else np.full(sampler.draws, flow)
    share = np.array([sampler.value(f"sialorrhoea.share.{base(n)}") / len(SIDES) for n in names])
    size = body_size(patient, sampler) if patient.child else 1.0
    return tuple(structure(name).scaled(size) for name in names), Sialorrhoea(
        flow=start,
        share=tiled_one(sampler, share),
        residual_share=sampler.vary("sialorrhoea.residual_share"),
        course=natural_course(sampler, "sialorrhoea", passing[:, None], 1.0),
        measures=(measure("saliva_flow"), measure("dry_mouth")),
    )


def _drooling_entry(sampler: Sampler, flow: float) -> np.ndarray:
    """Passing part of ln flow, of those who enter."""
    lasting, passing = sampler.generator("sialorrhoea.entry").standard_normal((2, PARENTS))
    passing = sampler.value("sialorrhoea.fluctuation_sd") * passing
    seen = sampler.value("sialorrhoea.parent_ln_flow") + passing
    seen = seen + sampler.value("sialorrhoea.parent_sd") * lasting
    return sampler.enrol(
        "sialorrhoea.entry",
        passing[:, None],
        {"saliva_flow": np.exp(seen)},
        {"saliva_flow": lambda read: np.abs(np.log(read / flow)) <= _NEAR_LN},
        f"saliva_flow of {flow:g}",
    )[:, 0]
