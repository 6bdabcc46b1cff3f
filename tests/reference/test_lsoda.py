"""All 12 states of the model by scipy's LSODA, written from the equations, against our stages.

States of a node: for each product D F B T L (interstitial, free, bound, endosome, light chain),
then S Q A (intact SNARE, sprouts, fibre size). Of the patient: for each product D X L (all toxin,
plasma, distant light chain), then distant S, antibody Y. Three conventions of ours hold in both:
release stops at 1, firing is relative to untouched muscle, and voluntary firing drives fibre size.
"""

from dataclasses import dataclass, field

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import ndtr

from openbont.forward.arrays import Sessions, Shots
from openbont.forward.immunity import Immunity
from openbont.forward.kinetics import Kinetics, graded_grid
from openbont.forward.release import Release
from openbont.forward.response import Response

SEROTYPES = "ABCEF"
HALF_LIFE_DAY = {"A": 35.0, "B": 10.0, "C": 28.0, "E": 2.0, "F": 5.0}
POTENCY = {"A": 6.7, "B": 0.085, "C": 6.7, "E": 6.7, "F": 0.67}  # cm3/U; C, E, F only plausible
K_S, K_B, K_T, K_L, K_X = 0.9, 83.5, 203.0, 18.7, 4.16
LIMIT = 50.0
K_SYN, N, RHO, K_SP, K_RET = 0.17, 3.0, 0.10, 1 / 30, 1 / 30
SF, S_SF, FAC = 2.7, 0.30, 1.8
K_AT, A_MIN, K_REC = 0.02, 0.64, 1 / 180
DIST, F_SYS, K_Y = 5e-5, 0.5, np.log(2) / 540
DENSITY = np.array([0.0, 1e-3, 0.01, 0.06, 0.2, 1.0, 10.0, 300.0])  # U/cm3
TOTAL_U = 400.0


@dataclass(frozen=True)
class Case:
    """Sessions of one product each; antibodies appear at session `converts`."""

    days: tuple[float, ...]
    serotypes: str
    half_life_day: dict[str, float] = field(default_factory=lambda: HALF_LIFE_DAY)
    converts: int | None = None
    titre: float = 3.0
    boost: float = 1.5
    last_day: float = 168.0

    @property
    def grid(self) -> np.ndarray:
        """The steps that the package takes when only the first and last day are asked for."""
        return graded_grid(self.days, [0.0, self.last_day])


CASES = {
    **{f"one session of {s}": Case((0.0,), s) for s in SEROTYPES},
    "fast E": Case((0.0,), "E", {**HALF_LIFE_DAY, "E": 0.7}),
    "slow A": Case((0.0,), "A", {**HALF_LIFE_DAY, "A": 80.0}, last_day=400),
    "two products": Case((0.0, 84.0), "AB", last_day=252),
    "A and E on one day, then F": Case((0.0, 0.0, 40.0), "AEF"),
    "toxin given before day 0": Case((-100.0, 0.0), "AA"),
    "five sessions": Case((0.0, 84.0, 168.0, 252.0, 336.0), "AAAAA", last_day=500),
    "antibodies after the second of five": Case(
        (0.0, 84.0, 168.0, 252.0, 336.0), "AAAAA", converts=1, last_day=500
    ),
}


def release_of(intact: np.ndarray, sprouts: np.ndarray) -> np.ndarray:
    return np.minimum(intact**N + RHO * sprouts, 1.0)


def firing_of(release: np.ndarray, facilitation: float) -> np.ndarray:
    safety = SF * facilitation
    with np.errstate(divide="ignore"):
        return ndtr(np.log(safety * release) / S_SF) / ndtr(np.log(safety) / S_SF)


class Truth:
    """LSODA, restarted at each session."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.kinds = sorted(set(case.serotypes))
        self.loss = np.array([np.log(2) / case.half_life_day[s] for s in self.kinds])[:, None]
        self.kappa = np.array([POTENCY[s] for s in self.kinds])[:, None]
        self.state = self._solve()

    @property
    def split(self) -> int:
        return (5 * len(self.kinds) + 3) * len(DENSITY)

    def near(self, state: np.ndarray) -> tuple[np.ndarray, ...]:
        """D F B T L by product and node, S Q A by node."""
        rows = state[: self.split].reshape(-1, len(DENSITY))
        return (*rows[:-3].reshape(5, len(self.kinds), len(DENSITY)), *rows[-3:])

    def far(self, state: np.ndarray) -> tuple[np.ndarray, ...]:
        """D X L by product, then S and Y of the patient."""
        rest = state[self.split :]
        return (*rest[:-2].reshape(3, len(self.kinds)), rest[-2], rest[-1])

    def slope(self, day: float, state: np.ndarray) -> np.ndarray:
        d, f, b, t, light, s, q, a = self.near(state)
        cleaving = (self.kappa * light).sum(0)
        voluntary = firing_of(release_of(s, q), FAC)
        near = [
            *(-K_S * d, K_S * d - K_B * f, K_B * f - K_T * b, K_T * b - K_L * t),
            K_L * t - self.loss * light,
            K_SYN * (1 - s) - K_SYN * cleaving * s,
            K_SP * (1 - s**N) * (1 - q) - K_RET * s**N * q,
            -K_AT * (1 - voluntary) * (a - A_MIN) + K_REC * voluntary * (1 - a),
        ]
        whole, plasma, distant, s_d, y = self.far(state)
        far = [
            -K_S * whole,
            F_SYS * K_S * whole - K_X * plasma,
            K_X / F_SYS * plasma - self.loss[:, 0] * distant,
            K_SYN * (1 - s_d) - K_SYN * DIST * (self.kappa[:, 0] * distant).sum() * s_d,
            -K_Y * y,
        ]
        return np.concatenate([np.ravel(part) for part in (*near, *far)])

    def inject(self, state: np.ndarray, session: int) -> np.ndarray:
        """The state just after a session: what is taken up of a dose that antibodies leave, then
        the antibody's jump."""
        kind = self.kinds.index(self.case.serotypes[session])
        after = state.copy()
        y = self.far(after)[-1]
        near, far = DENSITY / (1 + y), TOTAL_U / (1 + y)
        kappa = POTENCY[self.case.serotypes[session]]
        self.near(after)[0][kind] += near / (1 + kappa * near / LIMIT)
        self.far(after)[0][kind] += far / (1 + kappa * DIST * far / LIMIT)
        if self.case.converts is not None and session >= self.case.converts:
            after[-1] = self.case.titre if session == self.case.converts else self.case.boost * y
        return after

    def _solve(self) -> np.ndarray:
        grid, days = self.case.grid, self.case.days
        state = np.zeros(self.split + 3 * len(self.kinds) + 2)
        state[self.split - 3 * len(DENSITY) : self.split] = np.repeat([1.0, 0.0, 1.0], len(DENSITY))
        state[-2] = 1.0
        kept: dict[float, np.ndarray] = {}
        for session, (start, end) in enumerate(zip(days, (*days[1:], grid[-1]), strict=True)):
            state = self.inject(state, session)
            if end > start:
                on = grid[(grid >= start) & (grid <= end)]
                run = solve_ivp(self.slope, (start, end), state, "LSODA", on, rtol=1e-9, atol=1e-12)
                kept.update(zip(on, run.y.T, strict=True))
                state = run.y[:, -1]
        return np.stack([kept[day] for day in grid[grid >= days[0]]])


def ours(case: Case) -> dict[str, np.ndarray]:
    """The stages of the package; each density is a structure of its own with one node."""
    index = np.array([SEROTYPES.index(s) for s in case.serotypes])
    sessions = Sessions(np.array(case.days), index)
    count = len(case.days)
    shots = Shots(
        np.full(count, TOTAL_U), np.ones(count), np.zeros((count, 3)), *[np.arange(count)] * 2
    )
    half_life = np.array([case.half_life_day[s] for s in SEROTYPES])
    potency = np.array([POTENCY[s] for s in SEROTYPES])
    with jax.enable_x64(True):
        immunity = Immunity(
            *map(jnp.asarray, (1.0, 1.0, 0.0, case.titre, case.boost, 540.0)),
            jnp.asarray(TOTAL_U * (np.inf if case.converts is None else case.converts + 1)),
            jnp.ones(5),
            jnp.ones(5),
            jnp.arange(5.0),
        )
        slower = np.ones(len(DENSITY) + 1)
        kinetics = Kinetics(
            *map(jnp.asarray, (K_S, K_B, K_T, K_L, K_X, K_SYN, LIMIT)), half_life, potency, slower
        )
        release = Release(*map(jnp.asarray, (N, RHO, K_SP, K_RET)))
        safety = jnp.full(len(DENSITY) + 1, SF)
        response = Response(safety, *map(jnp.asarray, (S_SF, FAC, K_AT, A_MIN, K_REC)))
        run = _run(immunity, kinetics, release, response, shots, sessions, case.grid)
        return jax.tree.map(np.asarray, run)


@eqx.filter_jit
def _run(
    immunity: Immunity,
    kinetics: Kinetics,
    release: Release,
    response: Response,
    shots: Shots,
    sessions: Sessions,
    grid: np.ndarray,
) -> dict[str, jax.Array]:
    left = immunity(shots, sessions).dose_u / TOTAL_U
    captured = left[:, None, None] * jnp.append(DENSITY, DIST * TOTAL_U)[:, None]
    intact = kinetics(captured, sessions, grid)
    released = release(intact, grid)
    tissue = response(released, grid)
    return {
        "intact": intact[:, :-1, 0],
        "distant intact": intact[:, -1, 0],
        "release": released[:, :-1, 0],
        "firing": response.firing(released, 1.0)[:, :-1, 0],
        "twitch": tissue.twitch[:, :-1],
        "force": tissue.force[:, :-1],
    }


def truth(case: Case) -> dict[str, np.ndarray]:
    solved = Truth(case)
    *_, s, q, a = (np.stack(rows) for rows in zip(*map(solved.near, solved.state), strict=True))
    r = release_of(s, q)
    return {
        "intact": s,
        "distant intact": solved.state[:, -2],
        "release": r,
        "firing": firing_of(r, 1.0),
        "twitch": firing_of(r, 1.0) * a,
        "force": firing_of(r, FAC) * a,
    }


def size_of(found: dict[str, np.ndarray]) -> np.ndarray:
    """Fibre size, where any fibre fires that could show it."""
    shows = found["firing"] > 1e-6
    return np.where(shows, found["twitch"] / np.where(shows, found["firing"], 1.0), 0.0)


@pytest.mark.parametrize("name", CASES)
def test_all_twelve_states(name: str) -> None:
    case = CASES[name]
    found, wanted = ours(case), truth(case)
    found = {stage: values[case.grid >= case.days[0]] for stage, values in found.items()}
    found["fibre size"], wanted["fibre size"] = size_of(found), size_of(wanted)
    apart = {stage: float(np.abs(found[stage] - wanted[stage]).max()) for stage in wanted}
    assert max(apart.values()) < 1e-3, f"reached 5e-4, now {apart}"
