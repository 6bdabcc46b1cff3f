"""Interleaved timing and the table that shows it."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console
from rich.table import Table

Row = dict[str, str | int | float]
"""One engine: heading -> value. Speeds are relative to a peer in the same run."""


def median_seconds(jobs: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Seconds for each job: median of `repeats` rounds in which all jobs take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(repeats):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}


def show(title: str, rows: Sequence[Row]) -> None:
    """Print the rows as a table; the first column is the engine."""
    table = Table(title=title)
    for number, heading in enumerate(rows[0]):
        table.add_column(heading, justify="right" if number else "left")
    for row in rows:
        table.add_row(*map(_printed, row.values()))
    Console().print(table)


def _printed(value: str | int | float) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3g}"
