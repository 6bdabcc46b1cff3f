"""Plans for an arm and a neck: one option of units and sites a muscle, within every limit.

All engines see the same options, made once. The continuous ones move the dose of each muscle along
its options at the middle number of sites, start from half of the largest doses, and are rounded to
the nearest options that keep every limit. Value: share of the wanted effect minus the price on
units and needles. Gap: how much more the proven bound is. The last row is a whole answer after a
floor was changed: choice from the stored runs, solver, and one run of the full model.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, NonlinearConstraint, milp, minimize
from scipy.sparse import csr_array

from benchmarks.table import Row, median_seconds
from openbont.io import load_patient
from openbont.patient import Keep
from openbont.planning.choice import Choice, choose, programmed
from openbont.planning.limits import limits
from openbont.planning.prepared import Prepared
from openbont.planning.propose import prepared, replan

CASES = Path(__file__).parents[1] / "examples" / "plans"
NAMES = {"spastic_arm": "elbow_flexion.right", "cervical_rotation_left": "neck_extension"}
"""Cases, and the function whose floor is changed."""
PRODUCT = "onabotulinumtoxinA"
FLOOR = 0.7
OURS = "openbont"

Engine = Callable[[Choice], np.ndarray]
"""The exact problem -> number of the option picked for each muscle."""


def options(parser: argparse.ArgumentParser) -> None:
    """Command-line options of this benchmark."""
    parser.add_argument("--draws", type=int, default=32, help="draws of the model")
    parser.add_argument("--repeats", type=int, default=3, help="rounds in which all take turns")


def run(chosen: argparse.Namespace) -> list[Row]:
    """All engines in turn on each case."""
    return [row for name in NAMES for row in _rows(name, chosen.draws, chosen.repeats)]


def _rows(name: str, draws: int, repeats: int) -> list[Row]:
    ready, choice = _problem(name, draws)
    engines: dict[str, Engine] = {
        OURS: lambda some: choose(some).picks,
        "scipy milp": plain,
        "SLSQP": partial(continuous, "SLSQP"),
        "trust-constr": partial(continuous, "trust-constr"),
    }
    jobs: dict[str, Callable[[], object]] = {
        engine: partial(solve, choice) for engine, solve in engines.items()
    }
    floor = [Keep(function=NAMES[name], at_least=FLOOR)]
    jobs["openbont, a floor changed"] = partial(replan, ready, keep=floor)
    found = {engine: solve(choice) for engine, solve in engines.items()}
    jobs["openbont, a floor changed"]()  # compiles
    seconds = median_seconds(jobs, repeats)
    bound = choose(choice).bound
    rows: list[Row] = []
    for engine, time_s in seconds.items():
        value = choice.value(found[engine]) if engine in found else None
        rows.append(
            {
                "engine": f"{name}: {engine}",
                "seconds": time_s,
                "time ratio": time_s / seconds[OURS],
                "value": "" if value is None else f"{value:.4f}",
                "gap": "" if value is None else f"{max(bound - value, 0.0):.1e}",
            }
        )
    return rows


def _problem(name: str, draws: int) -> tuple[Prepared, Choice]:
    patient = load_patient(CASES / name / "patient.yaml")
    ready = prepared(patient, limits(patient, PRODUCT), draws, 1)[-1]
    return ready, ready.choice()


def plain(choice: Choice) -> np.ndarray:
    """The same problem by scipy's milp, as it comes."""
    program = programmed(choice)
    whole = int(program.counts.sum())
    solved = milp(
        program.cost,
        integrality=np.arange(len(program.cost)) < whole,
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(csr_array(program.rows), program.low, program.high),
    )
    return program.picks(solved.x)


def continuous(method: str, choice: Choice) -> np.ndarray:
    """Doses as real numbers between the options, then rounded."""
    paths = [_path(choice, muscle) for muscle in range(len(choice.muscles))]
    most = np.array([len(path) - 1.0 for path in paths])

    def mixed(rows: tuple[np.ndarray, ...], at: np.ndarray) -> np.ndarray:
        return np.asarray(sum(_between(r[p], x) for r, p, x in zip(rows, paths, at, strict=True)))

    def loss(at: np.ndarray) -> float:
        part = np.minimum(mixed(choice.effect, at) / np.maximum(choice.needs.fall, 1e-6), 1.0)
        return -float(choice.needs.weight @ part.mean((1, 2))) + price(at)

    def price(at: np.ndarray) -> float:
        unit = choice.price(np.array([path[-1] for path in paths]))
        every = sum(float(o[path[-1]]) for o, path in zip(choice.options_u, paths, strict=True))
        return unit * float(mixed(choice.options_u, at)) / every

    def slack(at: np.ndarray) -> np.ndarray:
        kept = choice.rest + mixed(choice.strength, at) - choice.needs.floor
        spare = choice.ceiling - mixed(choice.spill, at)
        doses = np.array(
            [_between(o[p], x) for o, p, x in zip(choice.options_u, paths, at, strict=True)]
        )
        totals = [one.max_u - doses[one.members].sum() for one in choice.totals]
        return np.concatenate([kept.ravel(), spare, totals])

    solved = minimize(
        loss,
        most / 2,
        method=method,
        bounds=Bounds(np.zeros(len(most)), most),
        constraints=NonlinearConstraint(slack, 0.0, np.inf),
        options={"maxiter": 200},
    )
    return _rounded(choice, paths, np.clip(solved.x, 0.0, most))


def _path(choice: Choice, muscle: int) -> np.ndarray:
    """Options of one muscle from no dose to the largest, at the middle number of sites."""
    doses_u, sites = choice.options_u[muscle], choice.sites[muscle]
    counts = np.unique(sites[doses_u > 0])
    count = counts[len(counts) // 2] if len(counts) else 1
    same = np.flatnonzero((sites == count) & (doses_u > 0))
    return np.concatenate([[0], same[np.argsort(doses_u[same])]])


def _between(rows: np.ndarray, at: float) -> np.ndarray:
    low = min(int(at), len(rows) - 1)
    high = min(low + 1, len(rows) - 1)
    return np.asarray((1 - (at - low)) * rows[low] + (at - low) * rows[high])


def _rounded(choice: Choice, paths: list[np.ndarray], at: np.ndarray) -> np.ndarray:
    """The nearest options; while a limit is passed, the dose rounded up the most goes down."""
    number = np.rint(at).astype(int)
    while True:
        picks = np.array([path[n] for path, n in zip(paths, number, strict=True)])
        if choice.allowed(picks) or not number.any():
            return picks
        number[np.argmax(np.where(number > 0, number - at, -np.inf))] -= 1
