"""Numbers for the plan editor: a patient's model is made ready once, then follows each edit.

An edit of doses alone changes one array, so nothing is solved or compiled anew. Sites and volumes
want their fields solved, which a thread of its own does; until then curves rest on the fields of
the volumes before, or are missing where sites are new.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from openbont.catalog.model import model
from openbont.errors import BadInput
from openbont.forward.arrays import DISTANT, Body, Shots, Solved
from openbont.forward.chain import Course, Model, Stages, Treatment, chain, given, treatment
from openbont.forward.outcome import Outcome, outcome
from openbont.forward.reduced import reduced
from openbont.forward.response import Tissue
from openbont.patient import Patient
from openbont.plan import Injection, Plan
from openbont.planning.limits import limits
from openbont.planning.spared import Ceiling, Reached, answers, ceilings, reached

DRAWS = 32
"""Enough for the bands on a screen; what is printed is drawn again, more finely."""
NODES, COARSER = 16, 5.0
SHOTS = 16
"""Injections are filled up to a multiple of this: plans of any size share a compiled chain."""
KEPT, KEPT_FIELDS = 3, 6
"""Patients, and plans of a patient, that stay ready: a process has only so many memory maps."""
EMPTY_U = 1.0
"""Stands for a dose of 0 where fields are solved: they are for one unit."""

Held = TypeVar("Held")
Sites = tuple[Any, ...]
Volumes = tuple[float, ...]


@dataclass(frozen=True)
class Fields:
    """A plan whose fields are solved; its doses may change."""

    volumes_ml: Volumes
    ready: Treatment
    row: Int[np.ndarray, "shot"]
    """Injection of the plan behind each shot; -1 for the history."""
    untreated: Course
    ceilings: tuple[Ceiling, ...]


@dataclass(frozen=True)
class Seen:
    """What an edit is expected to do."""

    course: Course
    untreated: Course
    outcome: Outcome
    spill: tuple[Reached, ...]
    exact: bool
    """False while the fields are those of other volumes."""


class Live:
    """One patient, ready to be asked."""

    def __init__(self, patient: Patient) -> None:
        self.patient = patient
        self.model = model(patient, DRAWS, seed=1)
        self._halves = [
            _at_hand(jax.tree.map(lambda leaf, i=i: leaf[i::2], self.model.stages)) for i in (0, 1)
        ]
        self._body = _at_hand(self.model.body)
        self._run: Callable[..., Any] = eqx.filter_jit(lambda *inputs: _followed(*inputs))
        self._cores = ThreadPoolExecutor(2)
        self._solver = ThreadPoolExecutor(1)
        self._lock = threading.Lock()
        self._solving: dict[tuple[Sites, Volumes], Future[Fields]] = {}
        self._fields: OrderedDict[Sites, Fields] = OrderedDict()

    def close(self) -> None:
        """Let its threads end."""
        self._solver.shutdown(wait=False, cancel_futures=True)
        self._cores.shutdown(wait=False)

    def seen(self, plan: Plan, settled: bool = True) -> Seen | None:
        """What a plan is expected to do; None while its fields are being solved.

        While a hand is still at it, not `settled`, fields at hand are not solved anew.
        """
        fields = self.fields(plan, settled)
        if fields is None:
            return None
        course = self._course(plan, fields.ready, fields.row)
        session = plan.sessions[0]
        allowed = limits(self.patient, session.product, plan.date, plan.disorder)
        seen = outcome(course, fields.untreated, plan, self.patient, allowed.interval_min_weeks)
        past = len(self.patient.history)
        spill = reached(fields.ceilings, course, fields.untreated, past)
        exact = fields.volumes_ml == volumes_ml(plan)
        return Seen(course, fields.untreated, seen, spill, exact)

    def fields(self, plan: Plan, settled: bool = True) -> Fields | None:
        """The fields of these sites, at other volumes maybe; what is missing is begun."""
        at, volumes = sites_of(plan), volumes_ml(plan)
        with self._lock:
            self._collect()
            held = self._fields.get(at)
            wanted = (at, volumes)
            other = settled and held is not None and held.volumes_ml != volumes
            if (held is None or other) and wanted not in self._solving:
                for waiting in [one for one, work in self._solving.items() if work.cancel()]:
                    del self._solving[waiting]
                self._solving[wanted] = self._solver.submit(self._solved, plan, held)
            return held

    def wait(self) -> None:
        """Until nothing is being solved."""
        for work in list(self._solving.values()):
            work.exception()

    def _collect(self) -> None:
        """Take in what has been solved since."""
        for key in [one for one, work in self._solving.items() if work.done()]:
            self._fields[key[0]] = self._solving.pop(key).result()
            self._fields.move_to_end(key[0])
            if len(self._fields) > KEPT_FIELDS:
                self._fields.popitem(last=False)

    def _solved(self, plan: Plan, other: Fields | None) -> Fields:
        """Everything of a plan that its doses do not change; `other` had the same sites."""
        day = _days(self.model)
        full = treatment(_filled(plan), self.patient, self.model, day, COARSER)
        apart = _injections(plan, self.patient, self.model, len(full.shots.dose_u))
        few, row = _followable(full, self.model, apart)
        if other is not None:
            return replace(other, volumes_ml=volumes_ml(plan), ready=few, row=row)
        untreated = self._course(plan.untreated(), few, row)
        answered = answers(self.model, plan.sessions[0].product)
        spared = ceilings(self.model, answered, self.patient, self.patient.goals)
        return Fields(volumes_ml(plan), few, row, untreated, spared)

    def _course(self, plan: Plan, ready: Treatment, row: Int[np.ndarray, "shot"]) -> Course:
        doses_u = np.array([one.dose_u for one in plan.sessions[0].injections])
        ours = np.where(row >= 0, doses_u[row], ready.shots.dose_u)
        now = replace(ready, shots=replace(ready.shots, dose_u=ours))
        halves = list(self._cores.map(lambda half: self._half(half, now), self._halves))
        captured, intact, release, tissue, severity = jax.tree.map(
            lambda *parts: np.concatenate(parts), *halves
        )
        structures = self.model.structures
        return Course(
            _days(self.model),
            captured,
            intact,
            release,
            tissue,
            severity,
            (*(one.id for one in structures), DISTANT),
            tuple(one.id for one in structures if one.kind == "gland"),
            self.model.stages.measures,
            self.model.rests_on,
        )

    def _half(self, stages: Stages, ready: Treatment) -> Any:
        with jax.enable_x64(True):
            return jax.tree.map(np.asarray, self._run(stages, self._body, ready))


class Ready:
    """The last few patients whose models are ready."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._builder = ThreadPoolExecutor(1)
        self._held: OrderedDict[str, Future[Live]] = OrderedDict()

    def of(self, patient: Patient) -> Live | None:
        """The model of a patient; None while it is being made. Raises what it failed with."""
        work = self._work(patient)
        return work.result() if work.done() else None

    def wait(self, patient: Patient) -> Live:
        """The same, when it is there."""
        return self._work(patient).result()

    def _work(self, patient: Patient) -> Future[Live]:
        key = patient.model_dump_json()
        with self._lock:
            if key not in self._held:
                self._held[key] = self._builder.submit(Live, patient)
            self._held.move_to_end(key)
            if len(self._held) > KEPT:
                _closed(self._held.popitem(last=False)[1])
            return self._held[key]


def _closed(work: Future[Live]) -> None:
    if not work.cancel() and work.done() and not work.exception():
        work.result().close()


# ---- what stays the same while doses change


def sites_of(plan: Plan) -> Sites:
    """Where and with what: everything but doses and volumes."""
    session = plan.sessions[0]
    where = ((one.structure, one.sites, one.site_mm) for one in session.injections)
    return (plan.date, session.day, session.product, *where)


def volumes_ml(plan: Plan) -> Volumes:
    """The volume of each injection."""
    session = _filled(plan).sessions[0]
    return tuple(session.volume_ml(one) for one in session.injections)


def one_session(plan: Plan) -> Plan:
    """The plan itself. Raises BadInput for several sessions: those are written in a file."""
    if len(plan.sessions) != 1:
        problem = f"has {len(plan.sessions)} sessions"
        raise BadInput("sessions", problem, "the editor is for one session")
    return plan


def _filled(plan: Plan) -> Plan:
    """Where nothing is injected yet, a unit stands, so that its field is solved too."""
    session = plan.sessions[0]
    injections = tuple(map(_with_a_unit, session.injections))
    return plan.model_copy(
        update={"sessions": (session.model_copy(update={"injections": injections}),)}
    )


def _with_a_unit(one: Injection) -> Injection:
    return one if one.dose_u > 0 else one.model_copy(update={"dose_u": EMPTY_U, "volume_ml": None})


def _days(model: Model) -> Float[np.ndarray, "day"]:
    """Every other day at first, then weekly."""
    return np.array([*range(0, 15, 2), *range(21, 7 * model.horizon_weeks + 1, 7)], float)


def _injections(plan: Plan, patient: Patient, model: Model, shots: int) -> Int[np.ndarray, "shot"]:
    """Injection of the plan behind each of its sites; -1 for all others."""
    ours = {id(one): number for number, one in enumerate(plan.sessions[0].injections)}
    numbers = [
        ours.get(id(injection), -1)
        for session in given(plan, patient, model)
        for injection, _ in session.injections
        for _ in range(1 if injection.structure == DISTANT else injection.sites)
    ]
    return np.array(numbers + [-1] * (shots - len(numbers)))


def _followable(
    full: Treatment, model: Model, apart: Int[np.ndarray, "shot"]
) -> tuple[Treatment, Int[np.ndarray, "shot"]]:
    """One shot for each injection, filled up to a round number of them."""
    few = reduced(full, model, NODES, apart)
    kinds = np.stack([full.shots.session, full.shots.structure, apart])
    row = np.unique(kinds[:, full.shots.dose_u > 0], axis=1)[2]
    missing = -len(row) % SHOTS
    padded = replace(few, shots=_padded(few.shots, missing))
    return _at_hand(padded), np.concatenate([row, np.full(missing, -1)])


def _at_hand(tree: Held) -> Held:
    """Arrays where the chain takes them from, so that an edit need not bring them along."""
    with jax.enable_x64(True):
        held: Held = jax.tree.map(jnp.asarray, tree)
    return held


def _padded(shots: Shots, missing: int) -> Shots:
    """With empty shots at the end."""
    solved = shots.solved
    assert solved is not None
    nothing = np.repeat(np.full_like(solved.log_u[:, :1], solved.log_u.min()), missing, axis=1)
    fields = Solved(
        np.concatenate([solved.log_u, nothing], axis=1),
        solved.reach_mm,
        np.ones(len(shots.dose_u) + missing),
        True,
    )
    names = ("dose_u", "volume_ml", "site_mm", "structure", "session")
    longer = {name: _longer(getattr(shots, name), missing) for name in names}
    return Shots(**longer, solved=fields)


def _longer(values: np.ndarray, missing: int) -> np.ndarray:
    return np.concatenate([values, np.zeros((missing, *values.shape[1:]), values.dtype)])


def _followed(
    stages: Stages, body: Body, ready: Treatment
) -> tuple[Array, Array, Array, Tissue, Array]:
    """The chain of all draws, each structure as the mean of its nodes."""

    def one(draw: Stages) -> tuple[Array, Array, Array, Tissue, Array]:
        captured, intact, release, tissue, severity = chain(
            draw, body, ready.shots, ready.sessions, ready.grid
        )
        mean = captured.mean(-1, keepdims=True)
        by_day = (intact.mean(-1, keepdims=True), release.mean(-1, keepdims=True), tissue, severity)
        kept = jax.tree.map(lambda leaf: jnp.asarray(leaf[ready.keep], jnp.float32), by_day)
        return (mean, *kept)

    followed: tuple[Array, Array, Array, Tissue, Array] = eqx.filter_vmap(one)(stages)
    return followed
