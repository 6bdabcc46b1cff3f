"""Sources and model parameters by name."""

from functools import cache

from openbont.catalog.products import read_folder
from openbont.errors import UnknownName
from openbont.evidence import Parameter, Source


@cache
def sources() -> dict[str, Source]:
    """All sources of model, anatomy and disorders, by id."""
    return {id_: Source(id=id_, **row) for id_, row in read_folder("sources").items()}


@cache
def parameters() -> dict[str, Parameter]:
    """All model parameters, by id."""
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
    return known[name]
