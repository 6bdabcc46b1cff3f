"""Where a number comes from: sources, graded parameters, and `cite()`."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal

from openbont.frozen import Many, Name, Noun

Grade = Literal["label", "human", "animal", "in vitro", "fitted", "assumed"]
Role = Literal["fixed", "free", "assumed"]


class Source(Noun):
    """A place where a value was read."""

    id: Name
    text: str
    """Authors, year, what it is; enough to find it."""
    address: str = ""
    """Web address, PubMed or DOI number as found."""
    verified: bool = True
    """False: recalled from general knowledge and not read again. Shown as "unverified"."""


class Parameter(Noun):
    """One number of the model: value, unit, plausible range, source, grade."""

    id: Name
    value: float
    unit: str
    low: float
    high: float
    grade: Grade
    role: Role
    """fixed by evidence, free (varies or may be fitted), or assumed so that the model runs."""
    between_patients: float = 0.0
    """Standard deviation of ln(value) between patients; 0 for a shared value."""
    sources: Many[Source] = ()
    note: str = ""

    @property
    def verified(self) -> bool:
        """True when at least one source was read."""
        return any(source.verified for source in self.sources)


def cite(*things: Any) -> list[Source]:
    """All sources behind `things` (anything with `sources` or `rests_on`), each once, in order."""
    found: dict[str, Source] = {}
    for thing in things:
        for source in _walk(thing):
            found.setdefault(source.id, source)
    return list(found.values())


def _walk(thing: Any) -> Iterable[Source]:
    if isinstance(thing, Source):
        yield thing
    elif isinstance(thing, (list, tuple)):
        for item in thing:
            yield from _walk(item)
    else:
        for name in ("sources", "rests_on", "findings"):
            yield from _walk(getattr(thing, name, ()))


def tally(parameters: Iterable[Parameter]) -> dict[str, int]:
    """How many parameters rest on each grade, most frequent first."""
    return dict(Counter(parameter.grade for parameter in parameters).most_common())
