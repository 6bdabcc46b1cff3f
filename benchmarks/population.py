"""A population: 10 muscles, 25 weekly twitches, from drawn parameters to means and quantiles.

Toxin is captured on day 0, one density a muscle. Light chain, intact SNARE, release with sprouts,
fibre size and twitch follow; every patient has parameters of the catalog's own spread. Patients
come in blocks; a block is drawn, followed, and counted into a histogram for each muscle and week.
Error: the largest difference from LSODA at 1e-9, in shares of untouched twitch. Every engine is set
to the coarsest round steps or tolerances with which it stays within 2e-3. Workers are threads.
"""

import argparse
import math
import resource
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numba
import numpy as np
from rich.console import Console
from rich.progress import track
from scipy.integrate import odeint
from scipy.special import ndtr

from benchmarks.table import Row, median_seconds
from openbont.catalog import model as catalog
from openbont.catalog.sampling import Sampler
from openbont.forward.arrays import Sessions, single
from openbont.forward.kinetics import Kinetics, graded_grid
from openbont.forward.release import Release
from openbont.forward.response import Response, firing
from openbont.io import load_patient, load_plan
from openbont.sbml import Arrival, alone, described, typical, written
from openbont.streams import stream

MUSCLES, BLOCK, BATCH = 10, 1024, 128
DAY = 7.0 * np.arange(25)
COARSER = 5.0
PRODUCT = "onabotulinumtoxinA"
PEER, LOOP = "libroadrunner", "numba loop"
THREADS = 2
PEER_RELATIVE, PEER_ABSOLUTE = 1e-4, 1e-8
LSODA_RELATIVE, LSODA_ABSOLUTE = 1e-4, 1e-7
TIMED = {PEER: 64, "scipy LSODA": 16}
CHECKED = 16
GROWTH = (1_000, 10_000, 100_000, 1_000_000)
BINS = 200
EXAMPLE = Path(__file__).parents[1] / "examples" / "arm_after_stroke"


class People(eqx.Module):
    """Parameters of the stages and captured densities; the first axis is the patient."""

    kinetics: Kinetics
    release: Release
    response: Response
    captured: np.ndarray

    def first(self, count: int) -> "People":
        """The first `count` patients."""
        few: People = jax.tree.map(lambda leaf: leaf[:count], self)
        return few


Engine = Callable[[People], np.ndarray]
"""People -> twitch by patient, day and muscle."""


@dataclass
class Tally:
    """Weekly twitches of any number of patients in the memory of a few."""

    counts: np.ndarray = field(default_factory=lambda: np.zeros((len(DAY), MUSCLES, BINS), int))
    total: np.ndarray = field(default_factory=lambda: np.zeros((len(DAY), MUSCLES)))

    def add(self, twitch: np.ndarray) -> None:
        """One block."""
        column = np.arange(len(DAY) * MUSCLES, dtype=np.int32) * BINS
        place = np.minimum(twitch * np.float32(BINS), BINS - 1).astype(np.int32)
        place = place.reshape(len(twitch), -1) + column
        self.counts += np.bincount(place.ravel(), minlength=self.counts.size).reshape(
            self.counts.shape
        )
        self.total += twitch.sum(0, dtype=float)

    @property
    def mean(self) -> np.ndarray:
        """Of all patients, by day and muscle."""
        return self.total / self.counts.sum(-1)

    def quantile(self, share: float) -> np.ndarray:
        """Right to one bin, 1/200 of untouched twitch."""
        below = np.cumsum(self.counts, axis=-1) / self.counts.sum(-1, keepdims=True)
        return ((below < share).sum(-1) + 0.5) / BINS


def options(parser: argparse.ArgumentParser) -> None:
    """Command-line options of this benchmark."""
    parser.add_argument("--patients", type=int, default=GROWTH[-1], help="largest population")
    parser.add_argument(
        "--side-by-side", type=int, default=16_384, help="patients for fast engines"
    )
    parser.add_argument("--repeats", type=int, default=3, help="rounds in which all take turns")


def run(chosen: argparse.Namespace) -> list[Row]:
    """All engines in turn on the same people, then the package alone on more and more."""
    host = jax.devices("cpu")[0]
    package = partial(_on, host, stages())
    engines: dict[str, Engine] = {
        "openbont": package,
        LOOP: loop,
        PEER: peer(),
        "scipy LSODA": partial(lsoda, relative=LSODA_RELATIVE, absolute=LSODA_ABSOLUTE),
    }
    if jax.default_backend() == "gpu":
        engines["openbont, GPU"] = partial(_on, jax.devices()[0], stages(BLOCK))
    counts = {name: TIMED.get(name, chosen.side_by_side) for name in engines}
    jobs = {
        name: partial(sample, engine, TIMED[name])
        if name in TIMED
        else partial(population, engine, chosen.side_by_side, THREADS)
        for name, engine in engines.items()
    }
    for name in engines.keys() - TIMED.keys():
        jobs[name]()  # compiles
    seconds = median_seconds(jobs, chosen.repeats)
    speed = {name: counts[name] / seconds[name] for name in engines}
    few = drawn(0).first(CHECKED)
    truth = lsoda(few, relative=1e-9, absolute=1e-12)
    rows: list[Row] = [
        {
            "engine": f"{name}, extrapolated" if name in TIMED else name,
            "threads": 1 if name in TIMED else THREADS,
            "patients": counts[name],
            "seconds": seconds[name],
            "patients/s": speed[name],
            "ratio": speed[name] / speed[PEER],
            "core us": 1e6 * _core_seconds(jobs[name]) / counts[name],
            "error": float(np.abs(engine(few) - truth).max()),
            "peak MB": "",
        }
        for name, engine in engines.items()
    ]
    sizes = [size for size in GROWTH if size < chosen.patients] + [chosen.patients]
    grown = [_grown(package, size, THREADS, speed[PEER]) for size in sizes]
    return [*rows, *grown, _grown(package, min(100_000, chosen.patients), 1, speed[PEER])]


def _core_seconds(job: Callable[[], Tally]) -> float:
    """Time on all cores together: what is left of a busy machine does not matter to it."""
    start = time.process_time()
    job()
    return time.process_time() - start


def _grown(engine: Engine, patients: int, workers: int, peer_speed: float) -> Row:
    start, busy = time.perf_counter(), time.process_time()
    tally = population(engine, patients, workers, tell=True)
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    assert tally.counts[0, 0].sum() == patients
    return {
        "engine": "openbont alone",
        "threads": workers,
        "patients": patients,
        "seconds": seconds,
        "patients/s": patients / seconds,
        "ratio": patients / seconds / peer_speed,
        "core us": 1e6 * busy / patients,
        "error": "",
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def population(engine: Engine, patients: int, workers: int, tell: bool = False) -> Tally:
    """Draw, follow and count `patients`, block by block, on `workers` threads."""
    numbers = range(-(-patients // BLOCK))
    tally = Tally()

    def follow(number: int) -> np.ndarray:
        return engine(drawn(number))[: patients - number * BLOCK]

    told = track(
        _in_order(follow, numbers, workers),
        f"{patients:,} patients, {workers} threads",
        total=len(numbers),
        console=Console(stderr=True),
        disable=not tell,
    )
    for twitch in told:
        tally.add(twitch)
    return tally


def sample(engine: Engine, patients: int) -> Tally:
    """The first few patients of a population, for engines that would take hours."""
    tally = Tally()
    tally.add(engine(drawn(0).first(patients)))
    return tally


def _in_order(
    job: Callable[[int], np.ndarray], numbers: range, workers: int
) -> Iterator[np.ndarray]:
    """Results in order, at most one more in waiting than there are workers."""
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque = deque()
        for number in numbers:
            waiting.append(pool.submit(job, number))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def drawn(number: int, seed: int = 1) -> People:
    """One block of people, from streams of its own."""
    key = f"{seed}/{number}"
    sampler = Sampler(BLOCK, key)
    kinetics, response = (make(sampler, muscles()) for make in (catalog.kinetics, catalog.response))
    return People(
        # one half-life stands for all muscles
        eqx.tree_at(lambda stage: stage.slower, kinetics, kinetics.slower[:, [0, -1]]),
        catalog.release(sampler),
        response,
        np.exp(stream(key, "captured").standard_normal((BLOCK, MUSCLES)) - 1),
    )


@cache
def muscles() -> tuple:
    """Muscles of an arm: ten that are treated, and their neighbours."""
    patient = load_patient(EXAMPLE / "patient.yaml")
    return catalog.model(patient, draws=2).structures[:MUSCLES]


def stages(batch: int = BATCH) -> Callable[[People], jax.Array]:
    """The package's own stages, compiled, for `batch` people at once.

    People stand where the nodes of a structure stand, on the last axis: each has parameters and a
    density of their own, and processors work on neighbours in memory.
    """
    sessions = Sessions(np.zeros(1), np.array([catalog.PRODUCTS.index(PRODUCT)]))
    grid = graded_grid([0.0], DAY, COARSER)
    half = 0.5 * (grid[1:] + grid[:-1])
    keep = np.searchsorted(grid, DAY)

    def load(people: People, day: np.ndarray) -> jax.Array:
        def one(kinetics: Kinetics, captured: jax.Array) -> jax.Array:
            density = jnp.append(captured, 0.0)[None, :, None]  # nothing far away
            return kinetics.load(density, sessions, day)[:, :-1, 0]

        return jax.vmap(one, out_axes=-1)(people.kinetics, people.captured)

    def some(people: People) -> jax.Array:
        intact = people.kinetics.intact(load(people, grid), load(people, half), grid)
        release = single(people.release)(intact, grid)
        response = single(people.response)
        factor = response.safety_factor[:, :MUSCLES].T
        twitch = firing(release, factor, response.safety_spread)
        force = firing(release, factor * response.facilitation, response.safety_spread)
        return jnp.moveaxis((twitch * response.fibre_size(force, grid))[keep], -1, 0)

    def all_of(people: People) -> jax.Array:
        size = min(batch, len(people.captured))
        parts = jax.tree.map(lambda leaf: leaf.reshape(-1, size, *leaf.shape[1:]), people)
        return jax.lax.map(some, parts).reshape(-1, len(DAY), MUSCLES)

    return jax.jit(all_of)


def _on(device: jax.Device, solve: Callable[[People], jax.Array], people: People) -> np.ndarray:
    with jax.enable_x64(True), jax.default_device(device):
        return np.asarray(solve(people))


def table(people: People) -> np.ndarray:
    """What is the same in all muscles of a patient, in the order that the other engines read."""
    kinetics, release, response = people.kinetics, people.release, people.response
    product = catalog.PRODUCTS.index(PRODUCT)
    columns = [
        kinetics.uptake_per_day,
        kinetics.binding_per_day,
        kinetics.translocation_per_day,
        kinetics.activation_per_day,
        kinetics.half_life_day[:, product],
        kinetics.potency_cm3_per_u[:, product],
        kinetics.snare_renewal_per_day,
        *(getattr(release, name) for name in RELEASE),
        *(getattr(response, name) for name in RESPONSE),
    ]
    return np.stack(columns, axis=1)


RELEASE = ("cooperativity", "sprout_share", "sprouting_per_day", "retraction_per_day")
RESPONSE = (
    "safety_spread",
    "facilitation",
    "atrophy_per_day",
    "smallest_fibre",
    "regrowth_per_day",
)
NAMES = (
    "uptake_per_day",
    "binding_per_day",
    "translocation_per_day",
    "activation_per_day",
    f"half_life_day_{PRODUCT}",
    f"potency_cm3_per_u_{PRODUCT}",
    "snare_renewal_per_day",
    *RELEASE,
    *RESPONSE,
)
"""Columns of the table as the SBML document calls them."""


def taken_up(people: People) -> np.ndarray:
    """Density that endings take up, by patient and muscle; libRoadRunner works it out itself."""
    kinetics, product = people.kinetics, catalog.PRODUCTS.index(PRODUCT)
    load = kinetics.potency_cm3_per_u[:, product, None] * people.captured
    return people.captured / (1 + load / kinetics.uptake_limit[:, None])


def safety(people: People) -> np.ndarray:
    """Safety factor by patient and muscle."""
    return np.asarray(people.response.safety_factor)[:, :MUSCLES]


# ---- the same steps and closed forms as a loop


def loop(people: People) -> np.ndarray:
    """One patient after another, blocks shared by threads; nothing is kept but what is wanted."""
    grid = graded_grid([0.0], DAY, COARSER)
    found = np.empty((len(people.captured), len(DAY), MUSCLES), np.float32)
    _patients(table(people), safety(people), taken_up(people), grid, found)
    return found


@numba.njit(error_model="numpy", fastmath=True, nogil=True)
def _patients(
    shared: np.ndarray,
    safety: np.ndarray,
    captured: np.ndarray,
    grid: np.ndarray,
    found: np.ndarray,
) -> None:
    light, half = np.empty((2, len(grid)))
    for patient in range(len(shared)):
        one = shared[patient]
        rates = np.empty(5)
        rates[:4], rates[4] = one[:4], np.log(2.0) / one[4]
        weights = _weights(rates)
        for step in range(len(grid)):
            light[step] = one[5] * _light(rates, weights, grid[step])
            if step:
                half[step] = one[5] * _light(rates, weights, 0.5 * (grid[step] + grid[step - 1]))
        for muscle in range(captured.shape[1]):
            _muscle(
                one[6:],
                safety[patient, muscle],
                captured[patient, muscle],
                light,
                half,
                grid,
                found[patient, :, muscle],
            )


@numba.njit(error_model="numpy", fastmath=True)
def _weights(rates: np.ndarray) -> np.ndarray:
    weights = np.full(5, rates[0] * rates[1] * rates[2] * rates[3])
    for i in range(5):
        for j in range(5):
            weights[i] /= rates[j] - rates[i] if j != i else 1.0
    return weights


@numba.njit(error_model="numpy", fastmath=True)
def _light(rates: np.ndarray, weights: np.ndarray, day: float) -> float:
    total = 0.0
    for i in range(5):
        total += weights[i] * np.exp(-rates[i] * day)
    return max(total, 0.0)


@numba.njit(error_model="numpy", fastmath=True)
def _muscle(
    one: np.ndarray,
    safety: float,
    captured: float,
    light: np.ndarray,
    half: np.ndarray,
    grid: np.ndarray,
    found: np.ndarray,
) -> None:
    renewal, power, share, sprouting, retraction = one[0], one[1], one[2], one[3], one[4]
    spread, facilitation, atrophy, smallest, regrowth = one[5], one[6], one[7], one[8], one[9]
    scale, margin, volition = -1 / (spread * np.sqrt(2)), np.log(safety), np.log(facilitation)
    still = 1 / math.erfc(scale * margin)
    willed = 1 / math.erfc(scale * (margin + volition))
    intact, parent, sprouts, lost, before, used, output = 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0
    start = 1.0
    for step in range(len(grid)):
        if step:
            length = grid[step] - grid[step - 1]
            middle, after = captured * half[step], captured * light[step]
            mean = (before + 4 * middle + after) / 6
            relaxed = renewal * length * (1 + mean)
            end, kept = 1 / (1 + after), np.exp(-relaxed)
            lag = (1 - kept) / relaxed
            x = (0.5 + (5 * before + 8 * middle - after) / 24) / (1 + mean)
            x = min(max(x, 0.05), 0.95)
            bend = (1 / (1 + middle) - start - (end - start) * x) / (x * (1 - x))
            if relaxed < 0.1:
                curved = relaxed / 6 * (1 - relaxed / 2 * (1 - 0.3 * relaxed))
            else:
                curved = (1 + kept - 2 * lag) / relaxed
            intact = end + (intact - start) * kept - (end - start) * lag + bend * curved
            intact = min(max(intact, 0.0), 1.0)
            before, start = after, end
            now = intact**power
            working = 0.5 * (parent + now)
            rise = sprouting * (1 - working)
            loss = rise + retraction * working
            sprouts += (rise / loss - sprouts) * (1 - np.exp(-loss * length))
            parent = now
        release = min(parent + share * sprouts, 1.0)
        level = margin + np.log(release)
        if step:
            voluntary = math.erfc(scale * (level + volition)) * willed
            mean_used = 0.5 * (used + voluntary)
            shrink, grow = atrophy * (1 - mean_used), regrowth * mean_used
            gone = 1 - np.exp(-(shrink + grow) * length)
            lost += (shrink * (1 - smallest) / (shrink + grow) - lost) * gone
            used = voluntary
        if grid[step] == 7.0 * output:
            found[output] = math.erfc(scale * level) * still * (1 - lost)
            output += 1


# ---- solvers of differential equations


def lsoda(people: People, relative: float, absolute: float) -> np.ndarray:
    """scipy's odeint, all muscles of a patient in one system: light chain, then S, Q and A."""
    rows = zip(table(people), safety(people), taken_up(people), strict=True)
    return np.stack([_lsoda(*row, relative, absolute) for row in rows])


def _lsoda(
    one: np.ndarray, safety: np.ndarray, captured: np.ndarray, relative: float, absolute: float
) -> np.ndarray:
    rates = np.append(one[:4], np.log(2) / one[4])
    renewal, power, share, sprouting, retraction = one[6:11]
    spread, facilitation, atrophy, smallest, regrowth = one[11:]

    def released(state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        parent = np.maximum(state[..., 5 : 5 + MUSCLES], 0.0) ** power
        release = np.minimum(parent + share * state[..., 5 + MUSCLES : 5 + 2 * MUSCLES], 1.0)
        return parent, np.log(np.maximum(release, 1e-300))

    def firing(level: np.ndarray, margin: np.ndarray) -> np.ndarray:
        return ndtr((margin + level) / spread) / ndtr(margin / spread)

    def slope(state: np.ndarray, _: float) -> np.ndarray:
        moved = -rates * state[:5]
        moved[1:] -= moved[:-1]
        s, q, a = state[5:].reshape(3, MUSCLES)
        parent, level = released(state)
        voluntary = firing(level, np.log(safety * facilitation))
        return np.concatenate(
            [
                moved,
                renewal * (1 - s) - renewal * one[5] * captured * state[4] * s,
                sprouting * (1 - parent) * (1 - q) - retraction * parent * q,
                regrowth * voluntary * (1 - a) - atrophy * (1 - voluntary) * (a - smallest),
            ]
        )

    first = np.concatenate([[1.0, 0, 0, 0, 0], np.repeat([1.0, 0.0, 1.0], MUSCLES)])
    path = odeint(slope, first, DAY, rtol=relative, atol=absolute, mxstep=100_000)
    return firing(released(path)[1], np.log(safety)) * path[:, -MUSCLES:]


def peer() -> Engine:
    """libroadrunner on the package's own SBML document of one muscle, parameters changed.

    One muscle at a time: all ten in one document are slower, as they share their steps.
    """
    import roadrunner

    roadrunner.Logger.disableLogging()
    patient = load_patient(EXAMPLE / "patient.yaml")
    plan = load_plan(EXAMPLE / "plan.yaml")
    muscle = alone(plan, patient, muscles()[0].id, typical(patient), 0)
    document = described(replace(muscle, arrivals=(Arrival(0.0, PRODUCT, 1.0),)))
    model = roadrunner.RoadRunner(written(document))
    integrator = model.getIntegrator()
    integrator.setValue("relative_tolerance", PEER_RELATIVE)
    integrator.setValue("absolute_tolerance", PEER_ABSOLUTE)
    model.timeCourseSelections = ["twitch"]
    ids = model.model.getGlobalParameterIds()
    places = [ids.index(name) for name in (*NAMES, "safety_factor", "captured_0")]

    def one(values: np.ndarray) -> np.ndarray:
        model.model.setGlobalParameterValues(places, values)
        model.reset()
        return np.array(model.simulate(0.0, DAY[-1], len(DAY)))[:, 0]

    def solve(people: People) -> np.ndarray:
        rows = zip(table(people), safety(people), people.captured, strict=True)
        return np.stack(
            [
                np.stack([one(np.append(shared, own)) for own in zip(*muscle, strict=True)], axis=1)
                for shared, *muscle in rows
            ]
        )

    return solve
