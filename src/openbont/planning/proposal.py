"""A proposed plan with its value, the proof, and the reasons."""

from dataclasses import dataclass

from openbont.evidence import Source
from openbont.forward.outcome import Outcome
from openbont.plan import Plan
from openbont.planning.spared import Reached


@dataclass(frozen=True)
class Binding:
    """A limit that holds the plan back."""

    limit: str
    words: str
    """What it costs, or what loosening it would bring."""


@dataclass(frozen=True)
class Proposal:
    """A plan with its value, the proof, and what stands in the way of more."""

    title: str
    plan: Plan
    value: float
    """Share of the wanted effect, minus the price on units and needles; own effect of each
    muscle."""
    bound: float
    """No plan within the limits is worth more."""
    gap: float
    revalued: float
    """The same by the full model, spill between muscles included."""
    binding: tuple[Binding, ...]
    why: str
    outcome: Outcome
    sources: tuple[Source, ...]
    spill: tuple[Reached, ...] = ()
    """What reaches structures that are to be spared."""
    instead: str = ""
    """Of an alternative: what it gains over the first proposal and what it costs."""
