"""Field of one site beside general solvers: a ball in one tissue, and a neck with its fascia.

The peers solve the same equation on the same cells with the same closed edges. Error: root of the
summed squares of the difference from the closed form of a ball, relative to that of the closed
form. Assembly is part of the job: every site has its own box.
"""

import argparse
from functools import partial

import jax
import numpy as np
from scipy import sparse
from scipy.sparse.linalg import cg

from benchmarks.table import Row, median_seconds
from openbont.catalog.anatomy import Limb, solved
from openbont.forward.field import Box, Medium, box, field, passing

MEDIUM = Medium(1.35, 1.0, 0.2, 1.0, 0.77, 0.25)
VOLUME_ML = 0.1
SITE = np.zeros(3)
PEER = "FiPy"


def options(parser: argparse.ArgumentParser) -> None:
    """Command-line options of this benchmark."""
    parser.add_argument("--cells", type=int, default=40, help="cells along each edge")
    parser.add_argument("--repeats", type=int, default=3, help="rounds in which all take turns")


def run(chosen: argparse.Namespace) -> list[Row]:
    """All engines in turn on one box."""
    around = box(None, "", SITE, np.eye(3), VOLUME_ML, MEDIUM, (chosen.cells,) * 3)
    source, truth = _source(around), _ball(around)
    engines = {
        "openbont": partial(_package, around),
        "scipy, conjugate gradients": partial(_scipy, around, source),
        PEER: partial(_fipy, around, source),
    }
    found = {name: solve() for name, solve in engines.items()}  # compiles
    seconds = median_seconds(engines, chosen.repeats)
    rows: list[Row] = [
        {
            "engine": name,
            "cells": around.label.size,
            "seconds": seconds[name],
            "times as fast as FiPy": seconds[PEER] / seconds[name],
            "error": _error(found[name], truth),
        }
        for name in engines
    ]
    return [*rows, _neck(chosen.repeats, seconds[PEER] / around.label.size)]


def _package(around: Box) -> np.ndarray:
    with jax.enable_x64(True):
        return np.asarray(field(around, passing(None, MEDIUM), MEDIUM, SITE, VOLUME_ML))


def _neck(repeats: int, peer_seconds_a_cell: float) -> Row:
    """A site in the neck, fascia, fat and bone included: the time FiPy would need for its cells."""
    atlas, structures = solved(Limb("neck"))
    one = next(s for s in structures if s.id == "sternocleidomastoid.left")
    medium = Medium(1.35, 1.5, 0.2, 4.0, 0.77, 0.25)
    around = box(atlas, one.id, one.centre_mm, one.frame, 0.3, medium)

    def solve() -> np.ndarray:
        with jax.enable_x64(True):
            return np.asarray(field(around, passing(atlas, medium), medium, one.centre_mm, 0.3))

    lost = abs(solve().sum() * around.cell_mm3 - 1)
    seconds = median_seconds({"neck": solve}, repeats)["neck"]
    return {
        "engine": "openbont, a neck with fascia (error: toxin lost)",
        "cells": around.label.size,
        "seconds": seconds,
        "times as fast as FiPy": peer_seconds_a_cell * around.label.size / seconds,
        "error": float(lost),
    }


def _source(around: Box) -> np.ndarray:
    """Share of the dose in each cell per mm3: cells on the edge of the ball count in part."""
    wet_mm3 = 1000 * VOLUME_ML / MEDIUM.wet_fraction
    radius_mm = np.cbrt(wet_mm3 * 3 / (4 * np.pi))
    away = np.linalg.norm(around.middle_mm() - SITE, axis=-1)
    share = np.clip((radius_mm - away) / around.step_mm[0] + 0.5, 0, 1)
    return np.asarray(share / (share.sum() * around.cell_mm3))


def _ball(around: Box) -> np.ndarray:
    wet_mm3 = 1000 * VOLUME_ML / MEDIUM.wet_fraction
    big = np.cbrt(wet_mm3 * 3 / (4 * np.pi)) / MEDIUM.reach_mm
    r = np.linalg.norm(around.middle_mm() - SITE, axis=-1) / MEDIUM.reach_mm
    near = np.clip(r, 1e-9, big)
    inside = 1 - (1 + big) * np.exp(-big) * np.sinh(near) / near
    outside = (big * np.cosh(big) - np.sinh(big)) * np.exp(-r) / np.maximum(r, 1e-9)
    return np.asarray(np.where(r < big, inside, outside)) / wet_mm3


def _error(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(((found - truth) ** 2).sum() / (truth**2).sum()))


def _scipy(around: Box, source: np.ndarray) -> np.ndarray:
    """The usual seven-point matrix."""
    count, step = around.label.shape[0], float(around.step_mm[0])
    line = sparse.diags([1.0, -2.0, 1.0], [-1, 0, 1], shape=(count, count)).tolil()
    line[0, 0] = line[-1, -1] = -1.0  # closed edges
    line, one = line.tocsr(), sparse.identity(count, format="csr")
    parts = ((line, one, one), (one, line, one), (one, one, line))
    laplace = sum(sparse.kron(sparse.kron(a, b), c) for a, b, c in parts)
    matrix = (sparse.identity(count**3) - (MEDIUM.reach_mm / step) ** 2 * laplace).tocsc()
    found, _ = cg(matrix, source.ravel(), rtol=1e-6)
    return np.asarray(found).reshape(source.shape)


def _fipy(around: Box, source: np.ndarray) -> np.ndarray:
    from fipy import CellVariable, DiffusionTerm, Grid3D, ImplicitSourceTerm
    from fipy.solvers.scipy import LinearCGSolver

    count, step = around.label.shape[0], float(around.step_mm[0])
    mesh = Grid3D(nx=count, ny=count, nz=count, dx=step, dy=step, dz=step)
    u = CellVariable(mesh=mesh, value=0.0)
    rate = CellVariable(mesh=mesh, value=source.ravel(order="F"))
    equation = DiffusionTerm(coeff=MEDIUM.reach_mm**2) - ImplicitSourceTerm(1.0) + rate
    equation.solve(var=u, solver=LinearCGSolver(tolerance=1e-6, iterations=1000))
    return np.asarray(u.value).reshape(source.shape, order="F")
