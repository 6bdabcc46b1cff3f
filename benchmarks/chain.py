"""Light chain in 10 muscles, 2 doses, 25 weekly points.

States of a muscle: interstitial, free, bound, endosome, light chain. Every muscle of every patient
has its own uptake rate, light-chain half-life and captured densities, so nothing is shared by luck.
Error: the largest difference from the matrix exponential, relative to the peak of its muscle.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numba
import numpy as np
from scipy.integrate import odeint
from scipy.linalg import expm

from benchmarks.table import Row, median_seconds
from openbont.forward.kinetics import Kinetics

MUSCLES, STAGES = 10, 5
DOSE_DAY = np.array([0.0, 84.0])
DAY = 7.0 * np.arange(25)
PEER = "libroadrunner"
LOOP, LOOP_THREADS = "numba loop", 2
SMALLEST = 1e-150  # numbers near the smallest there are cost half the speed
# the loosest round tolerances with which each solver stays within 1e-6 of each muscle's peak
PEER_RELATIVE, PEER_ABSOLUTE = 1e-7, 1e-10
LSODA_RELATIVE, LSODA_ABSOLUTE = 5e-7, 1e-12
TIMED = {PEER: 40, "scipy LSODA": 8}
CHECKED = 12


@dataclass(frozen=True)
class Inputs:
    """Rates per day (patient, muscle, stage) and captured densities (patient, muscle, dose)."""

    rates: np.ndarray
    captured: np.ndarray

    def first(self, count: int) -> "Inputs":
        """The first `count` patients."""
        return Inputs(self.rates[:count], self.captured[:count])


Engine = Callable[[Inputs], np.ndarray]
"""Inputs -> light chain by patient, muscle and day."""


def options(parser: argparse.ArgumentParser) -> None:
    """Command-line options of this benchmark."""
    parser.add_argument("--patients", type=int, default=10_000, help="patients for the package")
    parser.add_argument("--repeats", type=int, default=7, help="rounds in which all take turns")


def run(chosen: argparse.Namespace) -> list[Row]:
    """All engines in turn on the same patients; slow ones on the first few."""
    inputs = draw(max(chosen.patients, *TIMED.values()))
    counts = {"openbont": chosen.patients, LOOP: chosen.patients, **TIMED}
    engines: dict[str, Engine] = {
        "openbont": package(),
        LOOP: loop,
        PEER: peer(),
        "scipy LSODA": lsoda,
    }
    truth = exact(inputs.first(CHECKED))
    jobs = {name: partial(engines[name], inputs.first(counts[name])) for name in engines}
    for name in ("openbont", LOOP):
        jobs[name]()  # compiles
    seconds = median_seconds(jobs, chosen.repeats)
    speeds = {name: counts[name] / seconds[name] for name in engines}
    return [
        {
            "engine": name,
            "timed on": counts[name],
            "patients/s": speeds[name],
            "ratio": speeds[name] / speeds[PEER],
            "worst error": error(solve(inputs.first(CHECKED)), truth),
        }
        for name, solve in engines.items()
    ]


def draw(patients: int, seed: int = 1) -> Inputs:
    """Log-normal rates about the reference ones, and captured densities of a few U/cm3."""
    normal = np.random.default_rng(seed).standard_normal
    reference = np.array([0.9, 83.5, 203.0, 18.7, np.log(2) / 35])
    own = reference * np.exp(0.3 * normal((patients, 1, STAGES)))
    rates = own * np.exp(0.15 * normal((patients, MUSCLES, STAGES)))
    return Inputs(rates, np.exp(normal((patients, MUSCLES, len(DOSE_DAY)))))


def exact(inputs: Inputs) -> np.ndarray:
    """Matrix exponential at every point, superposed over the doses."""
    stages = _matrices(inputs.rates)[:, :, None, None]
    since = np.maximum(DAY - DOSE_DAY[:, None], 0.0)[..., None, None]
    left = expm(stages * since)[..., -1, 0]
    return np.einsum("pmdt,pmd->pmt", left, inputs.captured)


def _matrices(rates: np.ndarray) -> np.ndarray:
    matrices = np.zeros((*rates.shape, STAGES))
    stage = np.arange(STAGES)
    matrices[..., stage, stage] = -rates
    matrices[..., stage[1:], stage[:-1]] = rates[..., :-1]
    return matrices


def error(found: np.ndarray, truth: np.ndarray) -> float:
    """Largest error, relative to the peak of its own muscle."""
    return float((np.abs(found - truth) / truth.max(-1, keepdims=True)).max())


def package() -> Engine:
    """The package's own stage, compiled and mapped over muscles and patients."""
    since = DAY[:, None] - DOSE_DAY
    product = np.zeros(len(DOSE_DAY), int)

    def muscle(rates: jax.Array, captured: jax.Array) -> jax.Array:
        uptake, binding, translocation, activation, loss = rates
        none = jnp.zeros(())
        half_life = (jnp.log(2.0) / loss)[None]
        stage = Kinetics(
            uptake,
            binding,
            translocation,
            activation,
            none,
            none,
            none,
            half_life,
            jnp.ones(1),
            jnp.ones(1),
        )
        return stage.light_chain(since, product, jnp.ones(())) @ captured

    mapped = jax.jit(jax.vmap(jax.vmap(muscle)))

    def solve(inputs: Inputs) -> np.ndarray:
        with jax.enable_x64(True):
            return np.asarray(mapped(inputs.rates, inputs.captured))

    return solve


def loop(inputs: Inputs) -> np.ndarray:
    """The same sums as a loop written by hand, patients shared by two threads.

    Outputs lie a week apart and doses on them, so an exponential is worked out once and multiplied.
    """
    numba.set_num_threads(min(LOOP_THREADS, numba.config.NUMBA_NUM_THREADS))
    found = np.empty((*inputs.rates.shape[:2], len(DAY)))
    _patients(inputs.rates, inputs.captured, np.searchsorted(DAY, DOSE_DAY), DAY[1] - DAY[0], found)
    return found


@numba.njit(parallel=True, error_model="numpy")
def _patients(
    rates: np.ndarray, captured: np.ndarray, dosed: np.ndarray, step: float, found: np.ndarray
) -> None:
    for patient in numba.prange(rates.shape[0]):
        apart, weight, kept, held = np.empty((4, STAGES, MUSCLES))
        _separate(rates[patient], apart)
        _weigh(apart, weight)
        for i in range(STAGES):
            for muscle in range(MUSCLES):
                kept[i, muscle] = np.exp(-apart[i, muscle] * step)
                held[i, muscle] = 0.0
        _follow(weight, kept, held, captured[patient], dosed, found[patient])


@numba.njit(error_model="numpy")
def _separate(rates: np.ndarray, apart: np.ndarray) -> None:
    """Rates that meet, a little apart."""
    for i in range(STAGES):
        for muscle in range(MUSCLES):
            apart[i, muscle] = rates[muscle, i]
        for j in range(i):
            for muscle in range(MUSCLES):
                one, other = apart[i, muscle], apart[j, muscle]
                near = abs(one - other) < 1e-7 * other
                apart[i, muscle] = other * (1 + 2e-7) if near else one


@numba.njit(error_model="numpy")
def _weigh(apart: np.ndarray, weight: np.ndarray) -> None:
    """What stands before each exponential."""
    for i in range(STAGES):
        for muscle in range(MUSCLES):
            above, below = 1.0, 1.0
            for j in range(STAGES):
                above *= apart[j, muscle] if j < STAGES - 1 else 1.0
                below *= apart[j, muscle] - apart[i, muscle] if j != i else 1.0
            weight[i, muscle] = above / below


@numba.njit(error_model="numpy")
def _follow(
    weight: np.ndarray,
    kept: np.ndarray,
    held: np.ndarray,
    captured: np.ndarray,
    dosed: np.ndarray,
    found: np.ndarray,
) -> None:
    """All muscles of a patient week by week; a dose of today is not yet light chain."""
    total, dose = np.empty(MUSCLES), 0
    for week in range(found.shape[1]):
        for muscle in range(MUSCLES):
            total[muscle] = 0.0
        for i in range(STAGES):
            for muscle in range(MUSCLES):
                left = held[i, muscle] * kept[i, muscle]
                held[i, muscle] = left if left > SMALLEST else 0.0
                total[muscle] += weight[i, muscle] * held[i, muscle]
        for muscle in range(MUSCLES):
            found[muscle, week] = max(total[muscle], 0.0)
        if dose < len(dosed) and dosed[dose] == week:
            for i in range(STAGES):
                for muscle in range(MUSCLES):
                    held[i, muscle] += captured[muscle, dose]
            dose += 1


def lsoda(inputs: Inputs) -> np.ndarray:
    """scipy's odeint, all muscles of a patient in one banded system, restarted at each dose."""
    return np.stack(
        [_lsoda(*patient) for patient in zip(inputs.rates, inputs.captured, strict=True)]
    )


def _lsoda(rates: np.ndarray, captured: np.ndarray) -> np.ndarray:
    inflow = np.concatenate([np.zeros((MUSCLES, 1)), rates[:, :-1]], axis=1).ravel()
    outflow = rates.ravel()
    state, found = np.zeros(MUSCLES * STAGES), []

    def slope(state: np.ndarray, _: float) -> np.ndarray:
        moved = -outflow * state
        moved[1:] += inflow[1:] * state[:-1]
        return moved

    for dose, days in enumerate(_segments()):
        state[::STAGES] += captured[:, dose]
        path = odeint(
            slope, state, days, ml=1, mu=0, rtol=LSODA_RELATIVE, atol=LSODA_ABSOLUTE, mxstep=10_000
        )
        state = path[-1].copy()
        found.append(path[:-1] if dose + 1 < len(DOSE_DAY) else path)
    return np.concatenate(found)[:, STAGES - 1 :: STAGES].T


def _segments() -> list[np.ndarray]:
    """Days of output from each dose to the next one, both included."""
    cuts = np.searchsorted(DAY, DOSE_DAY)
    return [DAY[start : end + 1] for start, end in zip(cuts, [*cuts[1:], len(DAY)], strict=True)]


def peer() -> Engine:
    """libroadrunner: one compiled model for all, parameters changed, restarted at each dose."""
    import roadrunner

    roadrunner.Logger.disableLogging()
    model = roadrunner.RoadRunner(sbml())
    integrator = model.getIntegrator()
    integrator.setValue("relative_tolerance", PEER_RELATIVE)
    integrator.setValue("absolute_tolerance", PEER_ABSOLUTE)
    model.timeCourseSelections = [f"s{STAGES - 1}"]
    spans = [(days[-1] - days[0], len(days)) for days in _segments()]

    def muscle(rates: np.ndarray, captured: np.ndarray) -> np.ndarray:
        found = []
        model.reset()
        model.model.setGlobalParameterValues(rates)
        for dose, (length, points) in enumerate(spans):
            model.model.setTime(0.0)
            amounts = model.model.getFloatingSpeciesAmounts()
            amounts[0] += captured[dose]
            model.model.setFloatingSpeciesAmounts(amounts)
            path = np.array(model.simulate(0.0, length, points))[:, 0]
            found.append(path[:-1] if dose + 1 < len(spans) else path)
        return np.concatenate(found)

    def solve(inputs: Inputs) -> np.ndarray:
        rates = inputs.rates.reshape(-1, STAGES)
        doses = inputs.captured.reshape(len(rates), -1)
        paths = [muscle(*one) for one in zip(rates, doses, strict=True)]
        return np.reshape(paths, (*inputs.rates.shape[:2], len(DAY)))

    return solve


def sbml() -> str:
    """The chain as SBML: stage i turns into stage i + 1 at rate k_i, the last one is lost."""
    species = "".join(
        f'<species id="s{i}" compartment="c" initialAmount="0" hasOnlySubstanceUnits="true"'
        ' boundaryCondition="false" constant="false"/>'
        for i in range(STAGES)
    )
    rates = "".join(f'<parameter id="k{i}" value="1" constant="true"/>' for i in range(STAGES))
    reactions = "".join(map(_reaction, range(STAGES)))
    return (
        '<?xml version="1.0"?>'
        '<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">'
        '<model><listOfCompartments><compartment id="c" size="1" constant="true"/>'
        f"</listOfCompartments><listOfSpecies>{species}</listOfSpecies>"
        f"<listOfParameters>{rates}</listOfParameters>"
        f"<listOfReactions>{reactions}</listOfReactions></model></sbml>"
    )


def _reaction(i: int) -> str:
    product = f"<listOfProducts>{_reference(i + 1)}</listOfProducts>" if i + 1 < STAGES else ""
    return (
        f'<reaction id="r{i}" reversible="false" fast="false">'
        f"<listOfReactants>{_reference(i)}</listOfReactants>{product}"
        '<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML">'
        f"<apply><times/><ci>k{i}</ci><ci>s{i}</ci></apply></math></kineticLaw></reaction>"
    )


def _reference(i: int) -> str:
    return f'<speciesReference species="s{i}" stoichiometry="1" constant="true"/>'
