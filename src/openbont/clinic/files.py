"""One record from a YAML or JSON file, read as strictly as patients and plans are."""

from pathlib import Path

from openbont.catalog import names
from openbont.catalog.products import product
from openbont.clinic.nouns import KINDS, Deviation, GivenInjection, GivenSession, Vial
from openbont.errors import UnknownName
from openbont.frozen import Noun
from openbont.io import load_one_of

LOOKUPS: names.Lookups = {
    **names.LOOKUPS,
    (GivenSession, "product"): product,
    (GivenSession, "disorder"): names.disorder,
    (GivenInjection, "structure"): names.structure,
    (Deviation, "structure"): names.structure,
    (Vial, "product"): product,
}


def load_record(path: str | Path, kind: str = "") -> Noun:
    """The noun in a file; by default of the kind whose fields it has."""
    if kind and kind not in KINDS:
        raise UnknownName("--kind", "kind of record", kind, KINDS)
    return load_one_of(path, [KINDS[kind]] if kind else list(KINDS.values()), LOOKUPS)
