"""What a course means: onset, weeks of benefit with their definition, next date."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from openbont.catalog.model import model
from openbont.errors import BadInput, NoEvidence, UnknownName
from openbont.forward.chain import Course, Model, simulate
from openbont.forward.disorders.interface import Measure
from openbont.forward.outcome import outcome, target_of
from openbont.forward.scales import diary_days, read
from openbont.io import load_patient, load_plan
from openbont.patient import Disorder, Goal, Keep, PastSession, Patient, Reading
from openbont.plan import Injection, Plan, Session
from openbont.streams import stream

EXAMPLES = Path(__file__).parents[2] / "examples"
WRIST = "wrist_flexors.left"
DAYS = range(0, 169, 2)


def patient(**changes: object) -> Patient:
    return Patient(
        id="p",
        date=date(2026, 1, 5),
        age_years=60,
        sex="female",
        weight_kg=65,
        disorder=Disorder(name="spasticity.upper_limb", cause="stroke", side="left"),
        findings=(Reading(scale="MAS", value="3", where=WRIST),),
        goals=(Goal(scale="MAS", where=WRIST, at_most="1+"),),
    ).model_copy(update=changes)


def plan(dose_u: float = 50.0) -> Plan:
    injections = tuple(
        Injection(structure=f"{name}.left", dose_u=dose_u)
        for name in ("flexor_carpi_radialis", "flexor_carpi_ulnaris")
    )
    session = Session(product="onabotulinumtoxinA", dilution_u_per_ml=50, injections=injections)
    return Plan(
        patient="p",
        disorder="spasticity.upper_limb",
        date=date(2026, 1, 5),
        sessions=(session,),
    )


@pytest.fixture(scope="module")
def basis() -> Model:
    return model(patient(), draws=50, seed=1)


@pytest.fixture(scope="module")
def courses(basis: Model) -> tuple[Course, Course]:
    return (
        simulate(plan(), patient(), basis, DAYS),
        simulate(plan().untreated(), patient(), basis, DAYS),
    )


def test_toxin_reaches_the_goal_more_often(courses: tuple[Course, Course]) -> None:
    seen = outcome(*courses, plan(), patient())
    goal = seen.goals[0]
    assert goal.target == 1.5
    assert goal.reached > goal.reached_untreated
    assert goal.best.median < goal.baseline.median
    assert "read at or below 1.5 grade" in goal.benefit.definition
    assert "than the same course without toxin" in goal.gain.definition
    assert 0 < seen.onset_day.day.median <= 4
    assert 1 <= seen.peak_week.weeks.median <= 4


def test_without_toxin_nothing_starts(courses: tuple[Course, Course]) -> None:
    _, untreated = courses
    seen = outcome(untreated, untreated, plan().untreated(), patient())
    assert seen.onset_day.day.median == np.inf
    assert seen.goals[0].gain.weeks.high == 0
    assert seen.unwanted == ()
    assert seen.distant_jitter.median == 1


def test_next_date_is_never_before_the_interval(courses: tuple[Course, Course]) -> None:
    seen = outcome(*courses, plan(), patient(), interval_weeks=40)
    assert seen.next_date == date(2026, 1, 5) + timedelta(weeks=40)
    assert "40 weeks" in seen.next_reason


def test_a_floor_is_reported_even_when_nothing_is_lost(courses: tuple[Course, Course]) -> None:
    asked = patient(keep=(Keep(function="elbow_flexion.left", at_least=0.9),))
    seen = outcome(*courses, plan(), asked)
    elbow = next(one for one in seen.unwanted if one.where == "elbow_flexion.left")
    assert elbow.below_floor == 0
    wrist = next(one for one in seen.unwanted if one.where == "wrist_flexion.left")
    assert wrist.floor is None
    assert wrist.kept.median < 1


def test_goal_that_is_not_predicted(courses: tuple[Course, Course]) -> None:
    asked = patient(goals=(Goal(scale="MAS", where="thumb_flexors.left", at_most="1"),))
    with pytest.raises(UnknownName, match=r"MAS wrist_flexors\.left"):
        outcome(*courses, plan(), asked)


def test_fall_in_per_cent_starts_from_the_recorded_reading() -> None:
    days = Measure("headache_days_28", "", "headache days", "days", 0, 28, "lower")
    goal = Goal(scale="headache_days_28", fall_percent=50)
    recorded = patient(findings=(Reading(scale="headache_days_28", value=20),))
    assert target_of(goal, days, recorded) == 10
    with pytest.raises(BadInput, match="no reading to fall from"):
        target_of(goal, days, patient())


def test_graded_readings_are_grades() -> None:
    grades = (("0", 0.0), ("1", 1.0), ("1+", 1.5), ("2", 2.0))
    tone = Measure("MAS", WRIST, "", "grade", 0, 4, "lower", 0.5, grades, "graded", 0.25)
    seen = read(np.linspace(0, 2, 200)[:, None], tone, seed=1)
    assert set(np.unique(seen)) <= {0.0, 1.0, 1.5, 2.0}
    assert (seen == read(np.linspace(0, 2, 200)[:, None], tone, seed=1)).all()


def test_diary_mean_and_bounds() -> None:
    days = diary_days(stream(1, "diary"), np.full(4000, 0.7), 0.3)
    assert days.mean() == pytest.approx(0.7 * 28, abs=0.3)
    assert days.min() >= 0
    assert days.max() <= 28
    assert (diary_days(stream(1, "diary"), np.array([0.0, 1.0]), 0.3) == [0, 28]).all()


def test_what_has_no_model_has_no_prediction() -> None:
    with pytest.raises(NoEvidence, match="no model yet"):
        model(patient(disorder=Disorder(name="hiccups")))
    with pytest.raises(NoEvidence, match="moonlight"):
        model(
            patient(disorder=Disorder(name="spasticity.upper_limb", cause="moonlight", side="left"))
        )
    with pytest.raises(BadInput, match="one side"):
        model(patient(disorder=Disorder(name="spasticity.upper_limb", cause="stroke")))
    with pytest.raises(BadInput, match="no graded movement"):
        model(patient(findings=()))


def test_weak_junctions_lose_more_for_the_same_dose(basis: Model) -> None:
    weak = patient(conditions=("myasthenia_gravis",))
    strength = [
        np.median(simulate(plan(25), who, m, (0, 14)).of("strength", "wrist_flexion.left")[:, -1])
        for who, m in ((patient(), basis), (weak, model(weak, draws=50, seed=1)))
    ]
    assert strength[1] < strength[0]


def test_contracture_limits_what_toxin_can_do(courses: tuple[Course, Course]) -> None:
    stiff = patient(
        findings=(
            Reading(scale="MAS", value="3", where=WRIST),
            Reading(scale="contracture", value="fixed", where=WRIST),
        )
    )
    course = simulate(plan(), stiff, model(stiff, draws=50, seed=1), DAYS)
    free, fixed = (np.median(c.of("MAS", WRIST), axis=0).min() for c in (courses[0], course))
    assert fixed > free + 0.4


def test_toxin_given_elsewhere_acts_far_away_only(basis: Model) -> None:
    """A bladder dose three weeks ago raises jitter, not weakness of the arm."""
    bladder = PastSession(
        date=date(2025, 12, 15),
        clinic="urology",
        product="onabotulinumtoxinA",
        disorder="bladder.neurogenic",
        total_u=200.0,
        injections=(Injection(structure="detrusor", dose_u=200.0, sites=30),),
    )
    before = simulate(plan().untreated(), patient(history=(bladder,)), basis, (0, 14))
    nothing = simulate(plan().untreated(), patient(), basis, (0, 14))
    assert (before.response.jitter[:, 0] > 1.1).all()
    np.testing.assert_array_equal(
        before.response.force[:, :, :-1], nothing.response.force[:, :, :-1]
    )


def test_a_child_has_smaller_muscles() -> None:
    """The same units do more in 20 kg than in an adult."""
    child = patient(age_years=6, weight_kg=20)
    small, adult = (
        np.median(simulate(plan(10), who, model(who, draws=50, seed=1), (0, 14)).response.force, 0)
        for who in (child, patient())
    )
    assert small[-1].min() < adult[-1].min()


def test_readings_of_the_other_limb_are_left_aside() -> None:
    ankle = Reading(scale="MAS", value="2", where="ankle_plantar_flexors.left")
    both = patient(findings=(*patient().findings, ankle))
    course = simulate(plan(), both, model(both, draws=4, seed=1), (0,))
    assert "ankle_plantar_flexors.left" not in {measure.where for measure in course.measures}


VOICE = EXAMPLES / "laryngeal_dystonia"


def test_where_more_is_better_the_goal_is_a_floor() -> None:
    """A voice without breaks and without sound has not reached its goal."""
    who, what = load_patient(VOICE / "patient.yaml"), load_plan(VOICE / "plan.yaml")
    basis = model(who, draws=20, seed=1)
    course, without = (simulate(one, who, basis, DAYS) for one in (what, what.untreated()))
    breaks, heard = outcome(course, without, what, who).goals
    assert breaks.better == "lower"
    assert breaks.reached > 0.9
    assert heard.better == "higher"
    quality = course.of("voice_quality")
    best = np.median(quality, axis=0).argmax()
    assert heard.reached == pytest.approx((quality[:, best] >= 0.6).mean(), abs=1e-9)


@pytest.mark.parametrize(
    ("goal", "way_out"),
    [
        (Goal(scale="voice_quality", at_most=0.6), "at_least"),
        (Goal(scale="voice_quality", fall_percent=50), "at_least"),
        (Goal(scale="voice_breaks", at_least=8), "at_most"),
    ],
)
def test_a_goal_in_the_worse_direction_is_a_mistake(goal: Goal, way_out: str) -> None:
    who = load_patient(VOICE / "patient.yaml")
    measures = model(who, draws=2, seed=1).stages.measures
    measure = next(one for one in measures if one.scale == goal.scale)
    with pytest.raises(BadInput, match=way_out):
        target_of(goal, measure, who)


def test_worst_severity_that_reads_as_the_target() -> None:
    grades = (("0", 0.0), ("1", 1.0), ("2", 2.0), ("3", 3.0))
    lower = Measure("s", "", "w", "grade", 0, 3, "lower", grades=grades)
    higher = Measure("s", "", "w", "grade", 0, 3, "higher", grades=grades)
    assert (lower.reads_as(1), higher.reads_as(1)) == (1.5, 0.5)
    assert (lower.reads_as(3), higher.reads_as(0)) == (3, 0)


def test_glands_are_followed_for_longer() -> None:
    assert model(patient(), draws=2, seed=1).horizon_weeks == 24
    sweating = load_patient(EXAMPLES / "axillary_hyperhidrosis" / "patient.yaml")
    assert model(sweating, draws=2, seed=1).horizon_weeks > 52
