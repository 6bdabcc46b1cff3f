"""ICD-10-CM leaves of our disorders; no code where the leaf is not determined.

Codes of SNOMED CT, LOINC and RxNorm are not shipped: none could be verified. What has no verified
code is named in words, and in our own code systems.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ruamel.yaml import YAML

from openbont.evidence import Source
from openbont.patient import Disorder

OWN = "https://openbont.org/fhir"
"""Base of our own code systems and extensions."""
ICD = "http://hl7.org/fhir/sid/icd-10-cm"


@dataclass(frozen=True)
class Leaf:
    """A code that fits a disorder, on one side and of one cause where these are named."""

    code: str
    disorder: str
    side: str = ""
    cause: str = ""

    def fits(self, disorder: Disorder) -> bool:
        """True when nothing known of the disorder speaks against it."""
        return (
            self.disorder == disorder.name
            and self.side in ("", disorder.side)
            and self.cause in ("", disorder.cause)
        )


def candidates(disorder: Disorder) -> tuple[str, ...]:
    """Leaves that fit; more than one where a patient file does not say enough."""
    return tuple(leaf.code for leaf in leaves() if leaf.fits(disorder))


def determined(disorder: Disorder) -> str | None:
    """The one leaf that fits; None where there is none, or several."""
    fitting = candidates(disorder)
    return fitting[0] if len(fitting) == 1 else None


def disorder_of(code: str) -> str | None:
    """The disorder that a leaf stands for; None where it may be several."""
    found = {leaf.disorder for leaf in leaves() if leaf.code == code}
    return found.pop() if len(found) == 1 else None


@cache
def leaves() -> tuple[Leaf, ...]:
    """All leaves."""
    return tuple(
        Leaf(disorder=name, **row) for name, rows in _table()["leaves"].items() for row in rows
    )


def source() -> Source:
    """Where the leaves were checked."""
    return Source.model_validate(_table()["source"])


@cache
def _table() -> dict[str, dict[str, list[dict[str, str]]]]:
    text = files("openbont.clinic.fhir").joinpath("codes.yaml").read_text("utf-8")
    table: dict[str, dict[str, list[dict[str, str]]]] = YAML(typ="safe", pure=True).load(text)
    return table
