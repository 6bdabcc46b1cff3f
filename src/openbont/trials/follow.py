"""One dose in one muscle, from the needle to the symptom: what every stage holds, to be looked at.

The stages are those of the chain, at reference values; four knobs are free: dose, distance from
the end plates, volume, safety factor. A disease of nerve or junction brings the safety factor, and
the speed of recovery, that the model gives to a patient who has it.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float

from openbont.anatomy.structure import Structure
from openbont.catalog import model as catalog
from openbont.catalog.evidence import parameter, parameters
from openbont.catalog.muscles import structure
from openbont.catalog.products import products
from openbont.catalog.sampling import Reference
from openbont.catalog.vocabulary import condition
from openbont.catalog.weakness import KINDS, Weakness, weakness
from openbont.errors import BadInput, UnknownName
from openbont.evidence import Parameter
from openbont.forward.arrays import Given
from openbont.patient import Disorder, Patient
from openbont.plan import Injection
from openbont.trials.bench import passed, stages

MUSCLES = (
    "biceps_brachii.left",
    "flexor_carpi_radialis.left",
    "flexor_digitorum_superficialis.left",
    "gastrocnemius_medial.left",
    "sternocleidomastoid.left",
    "corrugator.left",
)
HEALTHY = "healthy"
CONDITIONS = (
    "motor_neuropathy",
    "amyotrophic_lateral_sclerosis",
    "myasthenia_gravis",
    "lambert_eaton",
)
WEEKS = 36
DAYS = np.arange(0.0, 7 * WEEKS + 1)


@dataclass(frozen=True)
class Knob:
    """What may be turned: its unit, its range, and the parameters that give it its effect."""

    name: str
    words: str
    unit: str
    low: float
    high: float
    step: float
    start: float
    note: str
    sources: tuple[Parameter, ...]


@dataclass(frozen=True)
class Condition:
    """Nerve and junction, healthy or not."""

    name: str
    words: str
    safety_factor: float
    """Where the slider stands when it is chosen."""
    slower: float
    """Half-life of the effect, relative to healthy."""
    sources: tuple[Parameter, ...] = ()


@cache
def conditions() -> dict[str, Condition]:
    """Healthy, and diseases whose margin the model knows, by name."""
    usual = parameter("response.safety_factor")
    healthy = Condition(HEALTHY, HEALTHY, usual.value, 1.0, (usual,))
    return {one.name: one for one in (healthy, *map(_ill, CONDITIONS))}


def _ill(name: str) -> Condition:
    weak = _weakness(name)
    factor = round(parameter("response.safety_factor").value * weak.safety_factor, 1)
    kind = next(KINDS[one] for one in (name, *condition(name).classes) if one in KINDS)
    fields = [f"weakness.{kind}.{one}" for one in ("release", "safety", "recovery_slower")]
    rests_on = tuple(parameters()[one] for one in fields if one in parameters())
    return Condition(name, condition(name).words, factor, weak.recovery_slower, rests_on)


def _weakness(name: str) -> Weakness:
    """What a disease does to nerve and junction, in anybody."""
    anybody = Patient(
        id="anybody",
        date=datetime.date(2026, 1, 1),
        age_years=50,
        sex="unknown",
        weight_kg=70,
        disorder=Disorder(name="spasticity.upper_limb"),
        conditions=() if name == HEALTHY else (name,),
    )
    return weakness(Reference(), anybody)


@cache
def knobs() -> tuple[Knob, ...]:
    """The four sliders."""
    factor = parameter("response.safety_factor")
    lowest = min(one.safety_factor for one in conditions().values())
    half_life = parameter("kinetics.half_life_day.A")
    reach, wet = parameter("spread.reach_mm"), parameter("spread.wet_fraction")
    healthy = f"healthy {factor.low:g} to {factor.high:g}"
    return (
        Knob("dose_u", "Dose", "U", 1, 200, 1, 25, "units of the chosen product", (half_life,)),
        Knob(
            "off_mm", "Needle off the end plates", "mm", 0, 40, 1, 0, "along the fibres", (reach,)
        ),
        Knob("volume_ml", "Volume", "mL", 0.1, 2, 0.1, 0.5, "the same dose in more fluid", (wet,)),
        Knob(
            *("safety_factor", "Safety factor", "times threshold", lowest, factor.high, 0.1),
            *(factor.value, healthy, (factor,)),
        ),
    )


@dataclass(frozen=True, eq=False)
class Followed:
    """The five stages; shares are of the untouched muscle, 1 = nothing lost."""

    day: Float[np.ndarray, "day"]
    share_of_muscle: Float[np.ndarray, "node"]
    captured_u_per_cm3: Float[np.ndarray, "node"]
    """At least this much in that share of the muscle."""
    intact: Float[np.ndarray, "day"]
    release: Float[np.ndarray, "day"]
    fires: Float[np.ndarray, "day"]
    """Fibres that answer a single impulse."""
    tone: Float[np.ndarray, "day"]
    """Pull to single impulses: reflexes, stiffness."""
    strength: Float[np.ndarray, "day"]
    """Pull at will."""

    def least(self, name: str) -> tuple[float, float]:
        """The lowest share of a stage, and on which day."""
        shares = getattr(self, name)
        return float(shares.min()), float(self.day[shares.argmin()])

    def back(self, name: str, share: float = 0.8) -> float | None:
        """The day from which a stage is back at `share` after its lowest; None: not seen."""
        shares = getattr(self, name)
        below = np.flatnonzero(shares < share)
        if not len(below):
            return 0.0
        return float(self.day[below[-1] + 1]) if below[-1] + 1 < len(self.day) else None


def follow(
    muscle: str,
    product: str,
    dose_u: float,
    off_mm: float,
    volume_ml: float,
    safety_factor: float,
    nerve: str = HEALTHY,
) -> Followed:
    """One injection at one site, by the stages of the chain; `nerve` is one of the conditions.

    Raises UnknownName, BadInput.
    """
    _within(dose_u=dose_u, off_mm=off_mm, volume_ml=volume_ml, safety_factor=safety_factor)
    if muscle not in MUSCLES:
        raise UnknownName("muscle", "muscle of this page", muscle, MUSCLES)
    if product not in products():
        raise UnknownName("product", "product", product, products())
    if nerve not in conditions():
        raise UnknownName("nerve", "condition of this page", nerve, conditions())
    where = structure(muscle)
    injection = Injection(structure=muscle, dose_u=dose_u, site_mm=(off_mm, 0.0, 0.0))
    given = [Given(0, product, ((injection, volume_ml),))]
    with jax.enable_x64(True):
        return _followed(where, given, safety_factor, nerve)


def _within(**asked: float) -> None:
    for knob in knobs():
        if not knob.low <= asked[knob.name] <= knob.high:
            way_out = f"{knob.low:g} to {knob.high:g} {knob.unit}"
            raise BadInput(knob.name, f"{asked[knob.name]:g} is out of range", way_out)


def _followed(
    muscle: Structure, given: Sequence[Given], safety_factor: float, nerve: str
) -> Followed:
    chain = stages(muscle)
    kinetics = jax.tree.map(
        lambda leaf: leaf[0], catalog.kinetics(Reference(), (muscle,), _weakness(nerve))
    )
    relative = safety_factor / parameter("response.safety_factor").value
    response = eqx.tree_at(
        lambda one: one.safety_factor, chain.response, chain.response.safety_factor * relative
    )
    held, at = passed(muscle, chain._replace(kinetics=kinetics, response=response), given, DAYS)
    falling = np.asarray(held.captured[0, 0])[::-1]
    part = (np.arange(len(falling)) + 0.5) / len(falling)
    means = (one[:, 0].mean(-1) for one in (held.intact, held.release, held.firing))
    pull = (held.tissue.twitch[:, 0], held.tissue.force[:, 0])
    return Followed(DAYS, part, falling, *(np.asarray(one)[at] for one in (*means, *pull)))
