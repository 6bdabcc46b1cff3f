"""Follow a dose from the needle to the symptom. Start reading here.

    geometry -> influence matrix -> captured toxin -> intact SNARE -> release -> force -> symptom

Each stage is a frozen set of parameters with `__call__(inputs) -> outputs`; it knows no other
stage. To try another hypothesis, put another class in its place. A leading axis on the parameters
is the draws: one patient's uncertainty, a posterior or a trial cohort run through the same lines.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from openbont.anatomy.atlas import Atlas
from openbont.anatomy.structure import Structure
from openbont.evidence import Parameter
from openbont.forward.arrays import DISTANT, Body, Given, Leaf, Sessions, Shots, shots, single
from openbont.forward.disorders.interface import Disorder, Measure
from openbont.forward.distant import Distant
from openbont.forward.immunity import Immunity
from openbont.forward.influence import solved
from openbont.forward.kinetics import Kinetics, graded_grid
from openbont.forward.release import Release
from openbont.forward.response import Response, Tissue
from openbont.forward.spread import Spread
from openbont.patient import PastSession, Patient
from openbont.plan import Injection, Plan

CHUNK = 16
"""Draws that run at once."""

NODES = 64
"""Quantile nodes that carry each structure's exposure through the pointwise stages."""


class Stages(eqx.Module):
    """The chain's parameters; the leading axis of every leaf is the draw."""

    immunity: Immunity
    spread: Spread
    kinetics: Kinetics
    release: Release
    response: Response
    disorder: Disorder
    distant: Distant

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What is read: of the disorder, then of the body far from the needle."""
        return (*self.disorder.measures, *self.distant.measures)


class Model(eqx.Module):
    """Parameters, anatomy and names for one patient (or cohort)."""

    stages: Stages
    body: Body
    structures: tuple[Structure, ...] = eqx.field(static=True)
    products: tuple[str, ...] = eqx.field(static=True)
    rests_on: tuple[Parameter, ...] = eqx.field(static=True)
    atlases: tuple[Atlas, ...] = eqx.field(static=True, default=())
    """Maps of regions whose tissues are neighbours; elsewhere the closed form of spread stands."""

    @property
    def draws(self) -> int:
        """Length of the leading axis."""
        return int(jax.tree.leaves(self.stages)[0].shape[0])

    @property
    def horizon_weeks(self) -> int:
        """How far it is worth looking ahead: autonomic endings recover later than motor ones."""
        return 60 if any(one.kind == "gland" for one in self.structures) else 24


class Course(eqx.Module):
    """What happens, day by day; every stage is kept and can be looked at."""

    day: Float[np.ndarray, "day"]
    captured: Float[np.ndarray, "draw session structure node"]
    intact: Float[np.ndarray, "draw day structure node"]
    release: Float[np.ndarray, "draw day structure node"]
    response: Tissue
    severity: Float[np.ndarray, "draw day measure"]
    structures: tuple[str, ...] = eqx.field(static=True)
    glands: tuple[str, ...] = eqx.field(static=True)
    """Those structures that follow release itself: glands and the bladder wall."""
    measures: tuple[Measure, ...] = eqx.field(static=True)
    rests_on: tuple[Parameter, ...] = eqx.field(static=True)

    def acting(self, structure: str) -> Float[np.ndarray, "draw day"]:
        """What a structure still does: twitch of a muscle, release of a gland."""
        number = self.structures.index(structure)
        of_it = self.response.drive if structure in self.glands else self.response.twitch
        return of_it[:, :, number]

    def of(self, scale: str, where: str = "") -> Float[np.ndarray, "draw day"]:
        """Readings of one measure. Raises KeyError for a measure that is not predicted."""
        for number, measure in enumerate(self.measures):
            if (measure.scale, measure.where) == (scale, where):
                return self.severity[:, :, number]
        raise KeyError(f"{scale} {where}".strip())


class Treatment(eqx.Module):
    """A plan with the patient's history as arrays, ready for any number of draws."""

    shots: Shots
    sessions: Sessions
    grid: Float[np.ndarray, "grid"]
    """Internal days."""
    keep: Int[np.ndarray, "day"]
    """Where the wanted days lie on the grid."""


def chain(
    stages: Stages,
    body: Body,
    shots: Shots,
    sessions: Sessions,
    grid: Float[np.ndarray, "grid"],
) -> tuple[Array, Array, Array, Tissue, Array]:
    """One draw, from needle to symptom, on the internal grid of days."""
    effective = stages.immunity(shots, sessions)
    captured = gather(stages.spread(effective, body), effective, len(sessions.day))
    intact = stages.kinetics(captured, sessions, grid)
    release = single(stages.release)(intact, grid)
    tissue = single(stages.response)(release, grid)
    since = sessions.since(grid)
    seen = stages.disorder(tissue, grid, since), stages.distant(tissue, grid)
    severity = jnp.column_stack(seen)
    return captured, intact, release, tissue, severity


def simulate(
    plan: Plan,
    patient: Patient,
    model: Model,
    days: Iterable[float] = range(169),
    tell: Callable[[float], None] = lambda done: None,
) -> Course:
    """What `plan` does to `patient`, on `days` after the plan's date.

    Toxin of the history is still at work and is included, locally where its place is known.
    `tell` hears the share that is done. Raises UnknownName for a structure or product that the
    model does not have.
    """
    day = np.array(sorted(set(days)), float)
    ready = treatment(plan, patient, model, day)

    def run(part: Stages) -> Any:
        with jax.enable_x64(True):
            return jax.tree.map(np.asarray, _run(part, model.body, ready))

    parts = list(_in_threads(run, list(_chunks(model.stages, model.draws)), tell))
    captured, intact, release, tissue, severity = jax.tree.map(
        lambda *chunks: np.concatenate(chunks)[: model.draws], *parts
    )
    return Course(
        day,
        captured,
        intact,
        release,
        tissue,
        severity,
        (*(structure.id for structure in model.structures), DISTANT),
        tuple(structure.id for structure in model.structures if structure.kind == "gland"),
        model.stages.measures,
        model.rests_on,
    )


def treatment(
    plan: Plan,
    patient: Patient,
    model: Model,
    day: Float[np.ndarray, "day"],
    coarser: float = 1.0,
) -> Treatment:
    """What is given, with its fields solved, and when to look; steps in time `coarser` times as
    long. Raises UnknownName."""
    all_shots, sessions = shots(given(plan, patient, model), model.structures, model.products)
    grid = graded_grid(sessions.day, [0.0, *day], coarser)
    return Treatment(in_place(all_shots, model), sessions, grid, np.searchsorted(grid, day))


def readings(model: Model, ready: Treatment) -> Float[np.ndarray, "draw day measure"]:
    """Severity alone, of all draws at once: for populations, whose other stages nobody keeps."""
    with jax.enable_x64(True):
        return np.asarray(_readings(model.stages, model.body, ready))


def in_place(shots: Shots, model: Model) -> Shots:
    """Shots with their fields solved in the tissue around them, where that is mapped."""
    spread = model.stages.spread
    if not model.atlases or not isinstance(spread, Spread):
        return shots
    return solved(shots, model.structures, model.atlases, spread.medium())


def given(plan: Plan, patient: Patient, model: Model) -> list[Given]:
    """Sessions of the history and of the plan, in order of day."""
    known = {structure.id for structure in model.structures}
    past = [
        Given((session.date - plan.date).days, session.product, _places(session, known))
        for session in patient.history
    ]
    return sorted([*past, *_ours(plan)], key=lambda session: session.day)


def injected(plan: Plan, model: Model) -> tuple[Shots, Sessions]:
    """Sites of the plan alone as arrays. Raises UnknownName."""
    return shots(_ours(plan), model.structures, model.products)


def _ours(plan: Plan) -> list[Given]:
    return [
        Given(s.day, s.product, tuple((i, s.volume_ml(i)) for i in s.injections))
        for s in plan.sessions
    ]


def _places(past: PastSession, known: set[str]) -> tuple[tuple[Injection, float], ...]:
    """Injections of a past session; what went elsewhere, or nobody knows where, acts far away."""
    here = tuple(i for i in past.injections if i.structure in known)
    elsewhere_u = past.total_u - sum(injection.dose_u for injection in here)
    placed = tuple((i, i.volume_ml or _PAST_ML_PER_SITE * i.sites) for i in here)
    if elsewhere_u <= 0:
        return placed
    far = Injection(structure=DISTANT, dose_u=elsewhere_u)
    return (*placed, (far, _PAST_ML_PER_SITE))


def gather(
    captured: Float[Leaf, "shot structure node"], shots: Shots, sessions: int
) -> Float[Array, "session structure quantile"]:
    """Sum over the shots of each session, nodes reduced to quantiles of their exposure."""
    by_session = jnp.zeros((sessions, *captured.shape[1:])).at[shots.session].add(captured)
    order = jnp.argsort(by_session.sum(0), axis=-1)
    ranked = jnp.take_along_axis(by_session, order[None], axis=-1)
    nodes = min(NODES, ranked.shape[-1])
    return ranked.reshape(*ranked.shape[:-1], nodes, -1).mean(-1)


def _chunks(stages: Stages, draws: int) -> Iterator[Stages]:
    """Equal parts of the draws, the last one filled up: memory stays bounded, one compilation."""
    for start in range(0, draws, CHUNK):
        rows = np.minimum(np.arange(start, start + min(CHUNK, draws)), draws - 1)
        yield jax.tree.map(lambda leaf, rows=rows: leaf[rows], stages)


def _in_threads(
    run: Callable[[Stages], Any], parts: Sequence[Stages], tell: Callable[[float], None]
) -> Iterator[Any]:
    """Results in order; the first part compiles alone, the others share the cores."""
    yield run(parts[0])
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, result in enumerate(pool.map(run, parts[1:]), start=1):
            tell(done / len(parts))
            yield result


_PAST_ML_PER_SITE = 0.5  # when a past session's volumes are not known


@eqx.filter_jit
def _run(stages: Stages, body: Body, ready: Treatment) -> tuple[Array, Array, Array, Tissue, Array]:
    def one(draw: Stages) -> tuple[Array, Array, Array, Tissue, Array]:
        captured, *by_day = chain(draw, body, ready.shots, ready.sessions, ready.grid)
        return (captured, *jax.tree.map(lambda leaf: leaf[ready.keep], tuple(by_day)))

    return eqx.filter_vmap(one)(stages)


@eqx.filter_jit
def _readings(stages: Stages, body: Body, ready: Treatment) -> Float[Array, "draw day measure"]:
    def one(draw: Stages) -> Array:
        found = chain(draw, body, ready.shots, ready.sessions, ready.grid)
        return found[-1][ready.keep].astype(jnp.float32)

    return jax.lax.map(one, stages, batch_size=CHUNK)
