import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openbont.catalog.leaflet import plain_functions, plain_places, talk
from openbont.catalog.movements import functions
from openbont.catalog.muscles import base
from openbont.catalog.names import structures
from openbont.catalog.overview import disorders
from openbont.errors import NoPlan, UnknownName
from openbont.forward.outcome import Band, Duration, GoalOutcome, Onset, Outcome, Unwanted
from openbont.io import load_patient, load_plan
from openbont.patient import Patient
from openbont.plan import Plan
from openbont.planning.check import check
from openbont.report.leaflet import Felt, Forecast, _felt, leaflet, spoken
from openbont.report.reading_age import grade, syllables
from tests.cases import TODAY

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = sorted(EXAMPLES.glob("*/plan.yaml")) + sorted(EXAMPLES.glob("plans/*/reference.yaml"))
HARDEST = 7.0
"""Years of school: a reader of about 12."""
BAND = Band(8.0, 3.0, 16.0)
SEEN = Felt("", 0.74, (1, 2, 4), (5, 11, 24), (3, 8), 24)


def both(file: str) -> tuple[Plan, Patient]:
    place = EXAMPLES / file
    return load_plan(place), load_patient(place.parent / "patient.yaml")


def outcome_of(patient: Patient) -> Outcome:
    """An outcome with a sentence for everything that a page may say of this patient."""
    long = Duration(BAND, "")
    goals = tuple(
        GoalOutcome(
            words=goal.words,
            scale=goal.scale,
            where=goal.where,
            target=1.0,
            unit="",
            baseline=BAND,
            best=BAND,
            best_week=5.0,
            reached=0.62,
            reached_untreated=0.02,
            benefit=long,
            gain=long,
            weight=goal.weight,
        )
        for goal in patient.goals
    )
    kept = tuple(
        Unwanted(keep.function, keep.function, Band(0.7, 0.5, 0.9), 2.0, keep.at_least, 0.1)
        for keep in patient.keep
    )
    return Outcome(Onset(BAND, ""), long, goals, kept, (), BAND, TODAY, TODAY, "", 8)


def page(file: str, **more: Any) -> dict[str, Any]:
    plan, patient = both(file)
    return leaflet(plan, patient, check(plan, patient), **more)


def told(file: str, felt: Felt = SEEN) -> str:
    plan, patient = both(file)
    expected = Forecast(outcome_of(patient), felt)
    return spoken(leaflet(plan, patient, check(plan, patient), expected))


def is_stopped(file: Path) -> bool:
    plan, patient = load_plan(file), load_patient(file.parent / "patient.yaml")
    return any(one.level == "stop" for one in check(plan, patient))


FREE = [file for file in FILES if not is_stopped(file)]
STOPPED = [file for file in FILES if file not in FREE]


@pytest.mark.parametrize("file", FREE, ids=lambda file: file.parent.name)
def test_a_reader_of_twelve_can_read_every_page(file: Path) -> None:
    patient = load_patient(file.parent / "patient.yaml")
    words = patient.goals[0].words if patient.goals else ""
    felt = Felt(words, 0.74, (1, 2, 4), (5, 11, 24), (3, 8), 24)
    assert grade(told(str(file.relative_to(EXAMPLES)), felt)) <= HARDEST


@pytest.mark.parametrize("file", FREE, ids=lambda file: file.parent.name)
def test_every_page_says_when_to_call_for_help(file: Path) -> None:
    said = page(str(file.relative_to(EXAMPLES)))
    for trouble in ("swallow", "speak", "breathe"):
        assert any(trouble in one for one in said["emergency"])
    assert "it can kill" in " ".join(said["boxed"])
    assert "next 12 weeks" in " ".join(said["avoid"])
    assert said["usual"]
    assert said["today"]


@pytest.mark.parametrize("file", STOPPED, ids=lambda file: file.parent.name)
def test_a_stopped_plan_has_no_page_but_a_reason(file: Path) -> None:
    with pytest.raises(NoPlan, match=r"stopped by [SE]\d\d: "):
        page(str(file.relative_to(EXAMPLES)))


def test_what_was_given_is_explained_even_where_a_rule_stops_it() -> None:
    said = page("second_clinic/plan.yaml", given=True)
    assert "you got botulinum toxin" in said["what"][0]
    assert "went into" in said["go"]


def test_exact_units_and_names_stand_on_the_card_alone() -> None:
    said = page("arm_after_stroke/plan.yaml")
    card = dict(said["card"][0])
    assert card["Units of this product"] == "290 U onabotulinumtoxinA"
    assert "left flexor carpi radialis" in card["Where"]
    assert "toxinA" not in spoken(said)


def test_places_are_those_that_one_sees_in_the_mirror() -> None:
    assert page("arm_after_stroke/plan.yaml")["places"] == ["Left forearm", "Left upper arm"]
    head = page("chronic_migraine/plan.yaml")["places"]
    assert "Brow, left and right" in head or "Brow" in head
    assert "Back of the head, left and right" in head
    assert page("child_bladder/plan.yaml")["places"] == ["Bladder"]


def test_a_page_about_a_child_speaks_to_the_parent() -> None:
    child, adult = page("child_arm/plan.yaml"), page("arm_after_stroke/plan.yaml")
    assert "your child" in child["child"]
    assert any("children who are treated for stiff muscles" in one for one in child["boxed"])
    assert adult["child"] == ""
    assert not any("children" in one for one in adult["boxed"])


def test_who_drives_and_who_may_be_pregnant_is_told_so() -> None:
    lines = {
        name: " ".join(page(f"{name}/plan.yaml")["avoid"])
        for name in ("child_arm", "arm_after_stroke", "chronic_migraine")
    }
    assert [name for name, said in lines.items() if "drive" not in said] == ["child_arm"]
    assert [name for name, said in lines.items() if "pregnant" in said] == ["chronic_migraine"]


def test_neck_and_bladder_have_warnings_of_their_own() -> None:
    assert any("throat" in one for one in page("cervical_dystonia/plan.yaml")["today"])
    assert any("can not pass water" in one for one in page("overactive_bladder/plan.yaml")["today"])
    assert not any("water" in one for one in page("arm_after_stroke/plan.yaml")["today"])


def test_the_next_date_keeps_the_interval_of_the_label() -> None:
    assert "not before 8 Feb 2027" in " ".join(page("arm_after_stroke/plan.yaml")["next"])
    sixteen = page("sialorrhoea/plan.yaml")
    assert "not before 8 Mar 2027" in " ".join(sixteen["next"])


def test_a_forecast_comes_with_its_range_and_the_share_without_toxin() -> None:
    said = told("arm_after_stroke/plan.yaml")
    assert "About 7 in 10 people like you do somewhat better with it" in said
    assert "first around week 2 (for some it is week 1, for some week 4)" in said
    assert "from week 3 to week 8" in said
    assert "around week 11 (for some it is week 5, for some later than week 24)" in said
    assert "about 6 in 10 people like you get there" in said
    assert "Without the medicine it is fewer than 1 in 10" in said
    assert "grip (left). At its weakest, about 7 parts in 10 of it are left" in said


def test_where_the_model_is_not_trusted_the_label_speaks() -> None:
    said = told("strabismus/plan.yaml")
    assert "2 to 6 weeks" in said
    assert "in 10 people" not in said
    face = told("glabellar_lines/plan.yaml")
    assert "3 to 4 months" in face
    assert "week 11" not in face


def test_a_forecast_of_no_gain_is_told_as_such() -> None:
    nobody = Felt("walk", 0.0, (0, 0, 0), (0, 0, 0), (0, 0), 24)
    said = told("foot_after_stroke/plan.yaml", nobody)
    assert "hardly anyone like you does better with it" in said
    assert "helps most" not in said


def test_felt_counts_weeks_of_those_who_gain() -> None:
    days = np.arange(0, 169)
    gain = np.zeros((3, 169))
    gain[0, 10:60], gain[1, 20:90] = 2.0, 2.0
    found = _felt("walk", gain, gain >= 1, days)
    assert found.share == pytest.approx(2 / 3)
    assert found.first == (2, 2, 3)  # days 10 and 20
    assert found.last == (9, 9, 13)  # days 59 and 89
    assert found.best == (3, 9)  # both of the two gain from day 20 to 59
    assert found.followed == 24


def test_plain_words_are_there_for_everything_that_can_be_asked() -> None:
    assert {base(name) for name in structures()} <= plain_places().keys()
    assert functions().keys() == plain_functions().keys()
    for name in disorders():
        assert talk(name).why
        assert all(one.sources for one in talk(name).parts)
    with pytest.raises(UnknownName):
        talk("dystonia.elbow")


def test_sources_stand_at_the_end_and_recalled_ones_are_marked() -> None:
    cited = page("arm_after_stroke/plan.yaml")["sources"]
    assert any("boxed warning" in one for one in cited)
    assert [one for one in cited if "recalled" in one] == [
        one for one in cited if one.endswith("(unverified)")
    ]


SPOKEN = {
    **{"the": 1, "made": 1, "muscle": 2, "muscles": 2, "botulinum": 4, "toxin": 2, "wanted": 2},
    **{"places": 2, "place": 1, "called": 1, "table": 2, "medicine": 3, "breathe": 1, "week": 1},
    **{"injected": 3, "swallow": 2, "being": 2, "goes": 1, "eyes": 1, "used": 1},
}


@pytest.mark.parametrize("word", SPOKEN)
def test_syllables_are_counted_as_spoken(word: str) -> None:
    assert syllables(word) == SPOKEN[word]


def test_long_words_and_long_sentences_raise_the_grade() -> None:
    assert grade("The cat sat on the mat.") == pytest.approx(0.39 * 6 + 11.8 - 15.59)
    assert grade("") == 0.0
    hard = (
        "Chemodenervation attenuates pathologically exaggerated neuromuscular transmission, "
        "necessitating individualised titration and longitudinal reassessment of dosage."
    )
    assert grade(hard) > 18
    assert grade(re.sub(r"[.!?]", ",", told("arm_after_stroke/plan.yaml"))) > HARDEST


def test_a_page_is_plain_data() -> None:
    assert json.loads(json.dumps(page("arm_after_stroke/plan.yaml")))
