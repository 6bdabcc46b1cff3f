"""What is asked before toxin, in plain words, by disorder, age and sex."""

from dataclasses import dataclass
from functools import cache

from openbont.catalog.products import read
from openbont.catalog.safety import safety_rules
from openbont.catalog.vocabulary import ailments, medicine
from openbont.errors import UnknownName
from openbont.evidence import Source
from openbont.patient import Patient


@dataclass(frozen=True)
class Question:
    """One thing to ask, and the rule that wants to know."""

    ask: str
    rule: str
    record: str
    """Where a yes has to be recorded as well; empty where nothing follows from it."""
    classes: tuple[str, ...]
    families: tuple[str, ...]
    sex: str
    ages: tuple[float, float]

    @property
    def sources(self) -> tuple[Source, ...]:
        """Those of its rule."""
        return safety_rules()[self.rule].sources

    def concerns(self, patient: Patient) -> bool:
        """True where it is worth asking."""
        family = patient.disorder.name.partition(".")[0]
        low, high = self.ages
        return (
            (not self.families or family in self.families)
            and (not self.sex or self.sex == patient.sex)
            and low <= patient.age_years <= high
        )


def questions(patient: Patient) -> tuple[Question, ...]:
    """All questions that concern a patient."""
    return tuple(one for one in _all() if one.concerns(patient))


def recorded(patient: Patient, classes: tuple[str, ...]) -> bool:
    """Whether a condition or medicine of one of `classes` is recorded."""
    found = {one for _, term in ailments(patient.conditions, "") for one in term.classes}
    for name in patient.medicines:
        try:
            found |= set(medicine(name).classes)
        except UnknownName:
            continue
    return bool(found & set(classes))


@cache
def _all() -> tuple[Question, ...]:
    return tuple(
        Question(
            ask=row["ask"],
            rule=row["rule"],
            record=row.get("record", ""),
            classes=tuple(row.get("classes", ())),
            families=tuple(row.get("for", ())),
            sex=row.get("sex", ""),
            ages=tuple(row.get("ages", (0, 120))),
        )
        for row in read("questions.yaml")
    )
