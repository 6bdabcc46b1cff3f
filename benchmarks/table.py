"""Interleaved timing and the table that shows it."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """One engine: how fast, how fast relative to the peer, how far from the truth."""

    engine: str
    patients: int
    """How many were timed in one repeat."""
    patients_per_s: float
    ratio: float
    """Patients/s relative to the peer."""
    error: float
    """Largest error relative to the peak of its own muscle."""


def median_seconds(jobs: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Seconds for each job: median of `repeats` rounds in which all jobs take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(repeats):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}


def show(title: str, rows: list[Row]) -> None:
    """Print the rows as a table."""
    table = Table(title=title)
    for heading in ("engine", "timed on", "patients/s", "ratio", "worst error"):
        table.add_column(heading, justify="left" if heading == "engine" else "right")
    for row in rows:
        ratio, speed = f"{row.ratio:,.3g}", f"{row.patients_per_s:,.0f}"
        table.add_row(row.engine, f"{row.patients:,}", speed, ratio, f"{row.error:.0e}")
    Console().print(table)
