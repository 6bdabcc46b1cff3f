"""How the needle gets to a structure: landmark, direction, and what it must not meet."""

from dataclasses import dataclass
from functools import cache

from openbont.catalog.evidence import sources
from openbont.catalog.products import read
from openbont.evidence import Source


@dataclass(frozen=True)
class Needle:
    """The usual way of the needle into one structure."""

    structure: str
    landmark: str
    """On the body; empty where each site of the structure has its own."""
    approach: str
    avoid: str
    """Vessels, nerves and places where the toxin would harm."""
    sources: tuple[Source, ...]

    @property
    def verified(self) -> bool:
        """False where it is general knowledge, not read in a source."""
        return all(one.verified for one in self.sources)


@cache
def needles() -> dict[str, Needle]:
    """The usual ways, by structure without its side."""
    known = sources()
    return {
        name: Needle(
            name,
            row.get("landmark", ""),
            row["approach"],
            row["avoid"],
            tuple(known[one] for one in row["sources"]),
        )
        for name, row in read("needles.yaml").items()
    }
