"""A small course made with numpy, for what reads a course without caring how it was made."""

from dataclasses import dataclass, field
from datetime import date
from types import SimpleNamespace

import numpy as np

from openbont.evidence import Parameter, Source
from openbont.forward.outcome import Band, Duration, GoalOutcome, Onset, Outcome, Unwanted
from openbont.patient import Disorder, Goal, Keep, Patient
from openbont.plan import Injection, Plan, Session

SOURCE = Source(id="label", text="Maker, 2023, prescribing information", address="PMID 1")
RECALLED = Source(id="memory", text="A label as remembered", verified=False)


@dataclass(frozen=True)
class FakeFinding:
    level: str
    rule: str
    place: str
    reason: str
    clears: str
    sources: tuple[Source, ...] = (SOURCE,)
    verified: bool = True


@dataclass(frozen=True)
class FakeMeasure:
    scale: str
    where: str
    words: str
    unit: str
    low: float
    high: float
    better: str = "lower"
    margin: float = 0.5
    grades: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class FakeCourse:
    day: np.ndarray
    structures: tuple[str, ...]
    measures: tuple[FakeMeasure, ...]
    captured: np.ndarray
    intact: np.ndarray
    release: np.ndarray
    response: SimpleNamespace
    severity: np.ndarray
    rests_on: tuple[Parameter, ...] = field(default=())
    glands: tuple[str, ...] = ()

    def of(self, scale: str, where: str = "") -> np.ndarray:
        at = [(m.scale, m.where) for m in self.measures].index((scale, where))
        return self.severity[:, :, at]


def patient(**changes: object) -> Patient:
    return Patient(
        **{
            "id": "A-017",
            "date": date(2026, 11, 9),
            "age_years": 58.0,
            "sex": "female",
            "weight_kg": 68.0,
            "disorder": Disorder(name="spasticity.upper_limb", cause="stroke", side="left"),
            "goals": (
                Goal(scale="MAS", where="wrist_flexors.left", at_most=1, words="open the hand"),
            ),
            "keep": (Keep(function="grip.left", at_least=0.6),),
        }
        | changes
    )


def plan(**changes: object) -> Plan:
    session = Session(
        product="onabotulinumtoxinA",
        dilution_u_per_ml=50.0,
        injections=(
            Injection(structure="flexor_carpi_radialis.left", dose_u=50.0, sites=2),
            Injection(structure="biceps_brachii.left", dose_u=100.0, sites=4),
        ),
    )
    held = {
        "patient": "A-017",
        "disorder": "spasticity.upper_limb",
        "date": date(2026, 11, 16),
        "sessions": (session,),
    }
    return Plan(**held | changes)


def course(effect: float = 1.0, draws: int = 40) -> FakeCourse:
    rng = np.random.default_rng(7)
    day = np.arange(0, 169, 7)
    structures = ("flexor_carpi_radialis.left", "biceps_brachii.left", "pronator_teres.left")
    shape = np.clip(day / 28, 0, 1) * np.exp(-np.clip(day - 28, 0, None) / 90)
    strong = rng.uniform(0.5, 0.9, (draws, 1, 3)) * np.array([1, 0.8, 0.1])
    kept = 1 - effect * strong * shape[None, :, None]
    nodes = np.repeat(kept[..., None], 4, axis=-1)
    mas = 3 - 2.2 * (1 - kept[:, :, 0]) + rng.normal(0, 0.1, (draws, 1))
    measures = (
        FakeMeasure("MAS", "wrist_flexors.left", "tone of left wrist flexors", "points", 0, 4),
        FakeMeasure("strength", "grip.left", "left grip", "share", 0, 1, "higher"),
    )
    captured = effect * rng.lognormal(0, 1, (draws, 1, 3, 4)) * np.array([3, 2, 0.1])[:, None]
    return FakeCourse(
        day,
        structures,
        measures,
        captured,
        nodes,
        nodes,
        SimpleNamespace(twitch=kept, force=kept, drive=kept),
        np.stack([mas, 0.5 + 0.5 * kept[:, :, 0]], axis=-1),
        parameters(),
    )


def parameters() -> tuple[Parameter, ...]:
    shared = {"unit": "mm", "low": 1.0, "high": 3.0}
    return (
        Parameter(
            id="spread.reach_mm",
            value=1.35,
            grade="human",
            role="fixed",
            sources=(SOURCE,),
            **shared,
        ),
        Parameter(id="spread.guess", value=2.0, grade="assumed", role="assumed", **shared),
        Parameter(
            id="spread.recalled",
            value=1.5,
            grade="animal",
            role="free",
            sources=(RECALLED,),
            **shared,
        ),
    )


def outcome() -> Outcome:
    goal = GoalOutcome(
        words="open the hand",
        scale="MAS",
        where="wrist_flexors.left",
        target=1.0,
        unit="points",
        baseline=Band(3.0, 2.8, 3.2),
        best=Band(1.4, 0.9, 1.9),
        best_week=4.0,
        reached=0.31,
        reached_untreated=0.0,
        benefit=Duration(Band(9.0, 0.0, 14.0), "weeks with a reading of at most 1"),
        gain=Duration(Band(11.0, 5.0, 16.0), "weeks better by half a grade than without toxin"),
        weight=1.0,
    )
    grip = Unwanted("left grip", "grip.left", Band(0.7, 0.6, 0.8), 4.0, 0.6, 0.04)
    return Outcome(
        onset_day=Onset(Band(4.0, 3.0, 6.0), "first day with a tenth of the peak effect"),
        peak_week=Duration(Band(4.0, 3.0, 6.0), "week of the lowest reading"),
        goals=(goal,),
        rises=(),
        unwanted=(grip,),
        distant_jitter=Band(1.02, 1.0, 1.1),
        review=date(2026, 12, 14),
        next_date=date(2027, 2, 8),
        next_reason="12 weeks after the session",
        draws=40,
    )
