"""Sources and model parameters by name.

Values of `calibrated.yaml`, which `openbont calibrate` writes, take the place of those of the
folder `parameters`; range, grade and sources stay.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from openbont.catalog.products import read, read_folder
from openbont.errors import UnknownName
from openbont.evidence import Parameter, Source


@cache
def sources() -> dict[str, Source]:
    """All sources of model, anatomy and disorders, by id."""
    return {id_: Source(id=id_, **row) for id_, row in read_folder("sources").items()}


@cache
def parameters() -> dict[str, Parameter]:
    """All model parameters, by id."""
    fitted = {
        name: row["value"]
        for one in calibrated()["disorders"].values()
        for name, row in one["parameters"].items()
    }
    return {
        name: one.model_copy(update={"value": float(fitted[name])}) if name in fitted else one
        for name, one in references().items()
    }


@cache
def calibrated() -> dict[str, Any]:
    """What was calibrated, by disorder, with the rows that were used."""
    return dict(read("calibrated.yaml"))


@cache
def references() -> dict[str, Parameter]:
    """All parameters as they were before any calibration, by id."""
    known = sources()
    return {
        id_: Parameter(
            id=id_,
            value=float(row["value"]),
            unit=row["unit"],
            low=float(row["low"]),
            high=float(row["high"]),
            grade=row["grade"],
            role=row["role"],
            between_patients=float(row.get("between", 0)),
            sources=tuple(known[name] for name in row["sources"]),
            note=row.get("note", ""),
        )
        for id_, row in read_folder("parameters").items()
    }


def parameter(name: str) -> Parameter:
    """The parameter called `name`. Raises UnknownName."""
    known = parameters()
    if name not in known:
        raise UnknownName("", "parameter", name, known)
    if name in _changed:
        return known[name].model_copy(update={"value": _changed[name]})
    return known[name]


@contextmanager
def changed(values: Mapping[str, float]) -> Iterator[None]:
    """Other values of some parameters for as long as the block runs: for fits and hypotheses.

    Models built inside keep them. Not for two threads at once. Raises UnknownName.
    """
    before = dict(_changed)
    for name in values:
        parameter(name)
    _changed.update(values)
    try:
        yield
    finally:
        _changed.clear()
        _changed.update(before)


_changed: dict[str, float] = {}
