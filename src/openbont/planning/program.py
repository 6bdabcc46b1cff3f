"""A mixed-integer program in arrays, solved by HiGHS with a proven bound."""

from dataclasses import dataclass, replace

import highspy
import numpy as np

_GAP = 1e-6
_LEAST_PART = 1e-8  # the solver refuses smaller coefficients


@dataclass(frozen=True)
class Program:
    """Minimise cost @ columns; the first columns pick one option of each group, the rest are parts
    of progress between 0 and 1."""

    counts: np.ndarray
    """Options of each group."""
    parts: int
    worth: np.ndarray
    """What each column adds to the value; `constant` is there without any."""
    cost: np.ndarray
    constant: float
    rows: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def with_rows(self, rows: np.ndarray, low: np.ndarray, high: np.ndarray) -> "Program":
        """The same with more limits."""
        return replace(
            self,
            rows=np.concatenate([self.rows, rows]),
            low=np.concatenate([self.low, low]),
            high=np.concatenate([self.high, high]),
        )

    def with_row(self, row: np.ndarray, low: float, high: float) -> "Program":
        """The same with one more limit."""
        return self.with_rows(row[None], np.array([low]), np.array([high]))

    def spread(self, options: np.ndarray) -> np.ndarray:
        """Numbers of options as numbers of columns."""
        return np.concatenate([options, np.zeros(self.parts)])

    def picks(self, columns: np.ndarray) -> np.ndarray:
        """Number of the option picked in each group."""
        ends = np.cumsum(self.counts)
        starts = ends - self.counts
        return np.array([int(np.argmax(columns[a:b])) for a, b in zip(starts, ends, strict=True)])


@dataclass(frozen=True)
class Solved:
    """Columns, and the least cost that any could have."""

    columns: np.ndarray
    bound: float


def solve(program: Program) -> Solved | None:
    """The least cost; None when the limits leave nothing."""
    solver = highspy.Highs()
    solver.silent()
    solver.setOptionValue("mip_rel_gap", _GAP)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("random_seed", 1)
    solver.passModel(_model(program))
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    columns = np.array(solver.getSolution().col_value)
    return Solved(columns, solver.getInfo().mip_dual_bound)


def _model(program: Program) -> highspy.HighsLp:
    width = len(program.cost)
    rows = np.where(np.abs(program.rows) > _LEAST_PART, program.rows, 0.0)
    row, column = np.nonzero(rows)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = width, len(rows)
    lp.col_cost_ = program.cost
    lp.col_lower_, lp.col_upper_ = np.zeros(width), np.ones(width)
    lp.row_lower_, lp.row_upper_ = program.low, program.high
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(rows)))])
    lp.a_matrix_.index_, lp.a_matrix_.value_ = column, rows[row, column]
    whole = int(program.counts.sum())
    lp.integrality_ = [highspy.HighsVarType.kInteger] * whole + [
        highspy.HighsVarType.kContinuous
    ] * program.parts
    return lp
