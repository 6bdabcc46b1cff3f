"""A calibration as text: values, what the rows told, and what they could not tell apart."""

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from openbont.report.words import number
from openbont.trials.calibrate import Calibration, Fit

COLUMNS = ("parameter", "reference", "fitted", "SD", "range", "learnt", "remark")


def show_calibration(
    page: Console, found: Sequence[Calibration], without: Mapping[str, str]
) -> None:
    """A table a disorder, and the disorders that have nothing to fit."""
    for one in found:
        page.print(_table(one))
        page.print(
            f"{one.rows} rows of {one.trials} trials; misfit {one.misfit_before:.2f} before, "
            f"{one.misfit:.2f} now (1: errors as large as said); {one.agreeing} of {one.starts} "
            f"starts agree; rows {one.digest[:12]}"
        )
        for row, reason in one.left_out.items():
            page.print(f"  row {row} left out: {reason}")
    for disorder, reason in without.items():
        page.print(f"{disorder}: {reason}")


def _table(one: Calibration) -> Table:
    table = Table(title=one.disorder, box=box.SIMPLE, title_justify="left")
    for name in COLUMNS:
        table.add_column(name, justify="left" if name in ("parameter", "remark") else "right")
    for fit in one.fits:
        low, high = number(fit.parameter.low), number(fit.parameter.high)
        table.add_row(
            fit.parameter.id,
            number(fit.parameter.value),
            number(fit.value),
            number(fit.sd, digits=2),
            f"{low} to {high}",
            f"{fit.learnt:.0%}",
            _remark(fit),
        )
    return table


def _remark(fit: Fit) -> str:
    said = []
    if fit.at_bound:
        said.append("at the end of its range")
    if fit.learnt < 0.2:
        said.append("not identified")
    said += [f"goes with {name} ({share:+.2f})" for name, share in fit.goes_with.items()]
    return "; ".join(said)
