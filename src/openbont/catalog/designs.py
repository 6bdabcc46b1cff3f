"""How disorders are injected in trials: patterns to be scaled to any product and dose."""

import json
from functools import cache
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field, model_validator

from openbont.catalog.products import read_folder
from openbont.design import Criterion
from openbont.errors import NoEvidence
from openbont.frozen import Many, Name, Noun, Positive
from openbont.patient import Patient
from openbont.plan import Injection


class Part(Noun):
    """One structure's part of a dose."""

    structure: Name
    share: Positive
    """Relative to the other parts."""
    sites: Annotated[int, Field(ge=1, le=60)] = 1
    site_mm: Many[float] | None = None


class Pattern(Noun):
    """Muscles or glands, sites, volume, and who is treated so."""

    name: Name
    disorder: Name
    """As published rows name it."""
    words: str
    source: str
    """Where it was read, that it was recalled, or that it is assumed."""
    trials: Many[Name] = ()
    """Published trials that injected so; empty: what others of this disorder are taken to do."""
    measures: Many[Name] = ()
    """Words in the measures of a trial that ask for this pattern rather than the first one."""
    most_u: Annotated[dict[str, float], Field(default_factory=dict)]
    """Doses by product above which trials inject more than these parts."""
    patient: Patient
    entry: Many[Criterion] = ()
    entry_scale: Name
    """What the mean at entry is about; tone stands for MAS or Ashworth."""
    coding: str = ""
    """Scale that a trial's MAS is coded on, where it is not MAS."""
    parts: Annotated[Many[Part], Field(min_length=1)]
    dilution_u_per_ml: Annotated[dict[str, float], Field(default_factory=dict)]
    """By product; or volume_ml of all sites together, whatever the dose."""
    volume_ml: Positive | None = None
    interval_weeks: Positive | None = None
    """Between sessions, where a trial repeats them; None for one session."""

    @model_validator(mode="after")
    def _one_volume(self) -> Self:
        if bool(self.dilution_u_per_ml) == (self.volume_ml is not None):
            raise ValueError("give either dilution_u_per_ml or volume_ml")
        return self

    def takes(self, doses: dict[str, float]) -> bool:
        """Whether these doses are not too large for the parts."""
        return all(dose <= self.most_u.get(product, np.inf) for product, dose in doses.items())

    def dilution(self, product: str, dose_u: float) -> float:
        """Units in each mL. Raises NoEvidence where the product has none for this disorder."""
        if self.volume_ml is not None:
            return dose_u / self.volume_ml
        if product not in self.dilution_u_per_ml:
            raise NoEvidence(f"no dilution of {product} is known for {self.disorder}")
        return self.dilution_u_per_ml[product]

    def injections(self, dose_u: float) -> tuple[Injection, ...]:
        """The whole dose shared among the parts."""
        whole = sum(part.share for part in self.parts)
        return tuple(
            Injection(
                structure=part.structure,
                dose_u=dose_u * part.share / whole,
                sites=part.sites,
                site_mm=part.site_mm,
            )
            for part in self.parts
        )


@cache
def patterns() -> dict[str, Pattern]:
    """All patterns by name."""
    found: dict[str, Pattern] = {}
    rows = read_folder("designs")
    for name, row in rows.items():
        told = _whole(rows, row) | {"name": name}
        found[name] = Pattern.model_validate_json(json.dumps(told, default=str))
    return found


def pattern(
    disorder: str,
    trial: str = "",
    measures: tuple[str, ...] = (),
    doses: dict[str, float] | None = None,
) -> Pattern:
    """The trial's own pattern, else the one that its measures ask for, else the usual one.

    `doses` are the largest ones of the trial by product.

    Raises NoEvidence for a disorder without a pattern.
    """
    names = {disorder, f"{disorder}.adult", disorder.removesuffix(".adult")}
    of_it = [one for one in patterns().values() if one.disorder in names]
    own = [one for one in of_it if trial and trial in one.trials]
    usual = [one for one in of_it if not one.trials]
    asked = [one for one in usual if any(w in m for w in one.measures for m in measures)]
    fits = [one for one in usual if one.takes(doses or {})]
    if not usual:
        raise NoEvidence(
            f"no pattern of injection is known for {disorder or 'a nameless disorder'}"
        )
    return [*own, *asked, *fits, *usual][0]


def _whole(rows: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    """A row with what it takes from the one that it is like."""
    if "like" not in row:
        return row
    taken = dict(_whole(rows, rows[row["like"]]))
    for name in ("trials", "measures"):
        taken.pop(name, None)
    if "volume_ml" in row:
        taken.pop("dilution_u_per_ml", None)
    return taken | {name: value for name, value in row.items() if name != "like"}
