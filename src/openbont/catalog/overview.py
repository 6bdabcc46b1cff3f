"""Which disorders there are, by which products, and how well each is grounded."""

from dataclasses import dataclass
from functools import cache

from openbont.catalog.evidence import parameters
from openbont.catalog.labels import label_rows
from openbont.catalog.products import read
from openbont.evidence import tally


@dataclass(frozen=True)
class Entry:
    """One disorder at a glance."""

    id: str
    words: str
    scales: tuple[str, ...]
    modelled: bool
    """False: plans are checked, nothing is predicted."""
    products: tuple[str, ...]
    """Products whose label, in any jurisdiction, has a dose for it."""
    unverified: tuple[str, ...]
    """Those of them whose rows are all recalled and not read again."""
    grades: dict[str, int]
    """Its own model parameters by grade; the chain's come on top."""
    misfit: str
    """Where its predictions are known to be wrong; empty where nothing is known."""


@cache
def overview() -> dict[str, Entry]:
    """All disorders by id."""
    return {id_: _entry(id_, row) for id_, row in read("disorders.yaml").items()}


@cache
def disorders() -> tuple[str, ...]:
    """Ids of all disorders."""
    return tuple(read("disorders.yaml"))


def _entry(id_: str, row: dict[str, object]) -> Entry:
    own = [p for p in parameters().values() if p.id.startswith(f"{row.get('parameters')}.")]
    labels = [r for r in label_rows() if id_ in r.disorder and r.kind in ("muscle", "session")]
    products = dict.fromkeys(r.product for r in labels)
    read_ones = {r.product for r in labels if r.verified}
    scales = row["scales"]
    assert isinstance(scales, list)
    return Entry(
        id=id_,
        words=str(row["words"]),
        scales=tuple(scales),
        modelled="parameters" in row,
        products=tuple(products),
        unverified=tuple(name for name in products if name not in read_ones),
        grades=tally(own),
        misfit=str(row.get("misfit", "")),
    )
