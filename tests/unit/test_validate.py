"""Published rows against the model: what a row says, laws, naive models, summary, robustness."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from openbont.catalog.designs import pattern
from openbont.catalog.endpoints import Row, endpoints
from openbont.errors import BadInput, NoEvidence, UnknownName
from openbont.trials.cohorts import Variant
from openbont.trials.endings import asked
from openbont.trials.given import given, when, whole_dose_u
from openbont.trials.measures import Seen
from openbont.trials.naive import naive
from openbont.trials.summary import figures, summary
from openbont.trials.validate import SEEN, Validation, mean_at_entry, validate
from tests.unit.test_endpoints import one, written

EXAMPLE = Path(__file__).parents[2] / "examples" / "evidence" / "schlessinger_2021.csv"
GLABELLAR = pattern("facial_lines.glabellar")


@pytest.fixture(scope="module")
def example() -> Validation:
    """A file by hand, from a paper that is in no table."""
    return validate(EXAMPLE)


def test_an_unknown_trial_is_predicted(example: Validation) -> None:
    rows = example.rows
    assert [row["row"] for row in rows] == [1, 2, 3, 4, 5]
    assert [row["reason"] for row in rows] == [None] * 5
    assert all(0 <= row["predicted"] <= 100 for row in rows)
    assert rows[1]["predicted"] < 3 < rows[2]["predicted"] < rows[3]["predicted"]
    assert all(row["se_predicted"] > 0 for row in rows)
    for row in rows:
        error = np.hypot(row["se_observed"], row["se_predicted"])
        assert row["z"] == pytest.approx((row["observed"] - row["predicted"]) / error)
        assert row["inside"] is (abs(row["z"]) <= 1.96)
        assert row["se_predicted"] == pytest.approx(
            np.hypot(row["se_within"], row["se_between_trials"])
        )


def test_strict_trials_count_fewer_better_and_more_harmed(example: Validation) -> None:
    """A share of people who are better falls, and how much is part of the error between trials."""
    for line in example.lines[2:]:
        assert line.found is not None
        assert line.found.by_strictness < 0
        between = (line.found.by_potency, line.found.by_placebo, line.found.by_strictness)
        assert line.found.se_between == pytest.approx(np.linalg.norm(between))


@pytest.mark.parametrize(
    ("law", "lenient", "usual", "strict"),
    [
        ("grade_shift", -0.25, 0.0, 0.25),
        ("asked_at", 0.85, 0.8, 0.75),
        ("weak_at", 0.3, 0.4, 0.5),
        ("background.dysphagia", 1.0, 2.0, 3.0),
    ],
)
def test_a_strict_trial_takes_a_law_a_quarter_of_its_range_away(
    law: str, lenient: float, usual: float, strict: float
) -> None:
    who, arm = cast(Any, None), cast(Any, None)
    found = [Seen(who, arm, Variant(strictness=at)).law(law) for at in (-1, 0, 1)]
    assert found == pytest.approx([lenient, usual, strict])


def test_rows_and_summary_are_plain_json(example: Validation) -> None:
    told = json.loads(json.dumps({"rows": example.rows, "summary": example.summary()}))
    assert told["summary"]["predicted"] == told["summary"]["rows"] == 5
    assert told["summary"]["by_product"].keys() == {"abobotulinumtoxinA", "placebo"}


def test_the_same_seed_gives_the_same_numbers(example: Validation) -> None:
    assert validate(EXAMPLE).rows == example.rows


def test_no_row_is_dropped_and_none_raises(tmp_path: Path) -> None:
    """Rows on the bench are cheap; the others never get so far."""
    edb = {"disorder": "healthy.edb", "measure": "cmap", "unit": "percent", "rule": ""}
    fall = edb | {"value_type": "pct_change", "mean_change_or_value": "-70"}
    path = written(
        tmp_path / "rows.csv",
        fall,
        fall | {"product": "Myobloc", "arm": "320 U", "dose_U": "320"},
        fall | {"arm": "placebo", "dose_U": "0"},
        fall | {"scored": "no"},
        fall | {"week": "9999"},
        fall | {"dose_unit": "ng"},
        fall | {"dose_U": "mixed", "arm": "pooled"},
        fall | {"product": "pooled type A", "trial_id": ""},
        fall | {"measure": "jitter"},
        fall | {"value_type": "qualitative"},
        fall | {"disorder": "hiccup"},
        dict.fromkeys(("trial_id", "product", "arm", "dose_U", "disorder", "measure"), ""),
    )
    rows = validate(path).rows
    assert [row["row"] for row in rows] == [1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12]
    assert [row["predicted"] is None for row in rows] == [False] * 3 + [True] * 8
    assert all((row["reason"] is None) is (row["predicted"] is not None) for row in rows)
    assert -95 < rows[0]["predicted"] < rows[1]["predicted"] < rows[2]["predicted"] == 0


def test_one_disorder_and_an_unknown_one() -> None:
    assert {row["disorder"] for row in validate(disorder="healthy").rows} == {"healthy.edb"}
    with pytest.raises(UnknownName):
        validate(disorder="hiccup")
    with pytest.raises(BadInput):
        validate(Path("no_such_file.csv"))


@pytest.mark.parametrize(
    ("week", "weeks", "how"),
    [
        ("4", (4.0,), "at"),
        ("0.43", (0.43,), "at"),
        ("day 14", (2.0,), "at"),
        ("month 3", (13.04,), "at"),
        ("final visit (3 cycles)", (29.0,), "at"),
        ("4 and 6", (4.0, 6.0), "mean"),
        ("mean of visits", (2.0, 4.0, 8.0, 12.0), "mean"),
        ("peak", (), "peak"),
        ("", (4.3,), "at"),
    ],
)
def test_weeks_as_numbers_and_words(
    tmp_path: Path, week: str, weeks: tuple[float, ...], how: str
) -> None:
    found = when(one(tmp_path, week=week))
    assert found.how == how
    assert found.weeks == pytest.approx(weeks, abs=0.01)
    assert bool(found.remark) is (week == "")


def test_a_range_of_weeks_and_a_duration(tmp_path: Path) -> None:
    found = when(one(tmp_path, week="0-12"))
    assert (found.how, found.weeks[0], found.weeks[-1]) == ("range", 0, 12)
    assert when(one(tmp_path, week="", value_type="time_to_event")).how == "course"


@pytest.mark.parametrize(
    ("unit", "dose", "disorder", "whole"),
    [
        ("U", "20", "facial_lines.glabellar", 20),
        ("U_per_eye", "15", "dystonia.blepharospasm", 30),
        ("U_total_both_eyes_mean", "50", "dystonia.blepharospasm", 50),
        ("U_per_axilla", "50", "hyperhidrosis.axillary", 100),
        ("U_total_both_axillae", "100", "hyperhidrosis.axillary", 100),
        ("U_per_kg_per_leg", "10", "spasticity.lower_limb.child", 200),
        ("U_per_kg", "6", "spasticity.upper_limb.child", 120),
    ],
)
def test_units_of_dose(tmp_path: Path, unit: str, dose: str, disorder: str, whole: float) -> None:
    row = one(tmp_path, dose_U=dose, dose_unit=unit, disorder=disorder)
    assert whole_dose_u(row, pattern(disorder)) == whole


def test_doses_by_weight_have_a_most_and_arms_may_name_the_dose(tmp_path: Path) -> None:
    glands = pattern("sialorrhoea.child")
    row = one(tmp_path, dose_U="3", dose_unit="U_per_kg", arm="3 U/kg (max 75)")
    assert whole_dose_u(row, glands) == 75
    assert whole_dose_u(one(tmp_path, dose_U="", arm="24 U"), GLABELLAR) == 24
    with pytest.raises(NoEvidence, match="dose unit"):
        whole_dose_u(one(tmp_path, dose_unit="ng"), GLABELLAR)


def test_sessions_of_repeated_treatment(tmp_path: Path) -> None:
    head = pattern("migraine.chronic")
    row = one(tmp_path, disorder="migraine.chronic", week="56", dose_U="165", arm="pbo(2)/ona(3)")
    arm = given(row, head, [row], when(row))
    assert arm.weeks == (0, 12, 24, 36, 48)
    assert arm.placebo_weeks == (0, 12)
    row = one(tmp_path, disorder="migraine.chronic", week="24", dose_U="165", note="open label")
    arm = given(row, head, [row], when(row))
    assert (arm.weeks, arm.open_label) == ((0, 12), True)


@pytest.mark.parametrize(
    ("rule", "endpoint", "found"),
    [
        ("change<=-50%", "", [("change", "<=", -50.0, True)]),
        (
            "both raters, change<=-2 and value<=1",
            "",
            [("change", "<=", -2.0, False), ("value", "<=", 1.0, False)],
        ),
        ("back to baseline", "", [("change", ">=", 0.0, False)]),
        ("", ">=50% fewer headache days", [("change", "<=", -50.0, True)]),
        ("", ">=1-grade better", [("change", "<=", -1.0, False)]),
        ("", "completely continent", [("value", "=", 0.0, False)]),
        ("", "none/mild at max frown", [("value", "<=", 1.0, False)]),
    ],
)
def test_rules_as_signs_and_words(
    tmp_path: Path, rule: str, endpoint: str, found: list[tuple[str, str, float, bool]]
) -> None:
    assert asked(one(tmp_path, rule=rule, endpoint=endpoint), 1.5) == found


def test_a_rule_that_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(NoEvidence, match="gibberish"):
        asked(one(tmp_path, rule="gibberish"), 1.5)


def test_the_mean_at_entry_is_that_of_the_scale_that_selects() -> None:
    table = endpoints()

    def of(trial: str, disorder: str) -> float | None:
        rows = [row for row in table if (row.trial, row.disorder) == (trial, disorder)]
        return mean_at_entry(rows, pattern(disorder, trial))

    assert of("PREEMPT_pooled", "migraine.chronic") == pytest.approx(19.85, abs=0.05)
    assert of("Gracies_ULS", "spasticity.upper_limb") == pytest.approx(2.9)
    assert of("HH_Heckmann", "hyperhidrosis.axillary") == pytest.approx(960)
    assert of("GL_pivotal_pooled", "facial_lines.glabellar") is None


def _row(number: int, **fields: object) -> Row:
    blank = next(row for row in endpoints() if row.number == 9)
    plain = {
        "number": number,
        "trial": f"T{number}",
        "use": "calibrate",
        "scored": True,
        "rule": "",
    }
    return replace(blank, **{**plain, **fields})


def test_naive_constants_leave_the_own_trial_and_validate_rows_out() -> None:
    shipped = [
        _row(1, trial="A", dose=0.0, arm="placebo", observed=-2.0),
        _row(2, trial="A", dose=100.0, observed=-6.0),
        _row(3, trial="B", dose=0.0, arm="placebo", observed=-3.0),
        _row(4, trial="B", dose=100.0, observed=-5.0),
        _row(5, trial="C", dose=100.0, observed=-90.0, use="validate"),
    ]
    found = naive(shipped, shipped)
    assert set(found) == {2, 4, 5}
    assert (found[2].placebo, found[2].constant) == (-2.0, -4.0)
    assert (found[4].placebo, found[4].constant) == (-3.0, -7.0)
    assert found[5].placebo == pytest.approx(-2.5)
    assert found[5].constant == pytest.approx(-2.5 - 3.0)


def test_naive_emax_follows_the_dose() -> None:
    shipped = [
        _row(
            n, trial="A", dose=dose, arm="x", observed=-10 * dose / (dose + 50), kind="mean_change"
        )
        for n, dose in ((1, 25.0), (2, 50.0), (3, 200.0))
    ]
    asked = _row(9, trial="Z", dose=100.0, use="validate", observed=0.0)
    found = naive([asked], shipped)[9]
    assert found.emax == pytest.approx(-10 * 100 / 150, abs=0.2)


def _line(trial: str, observed: float, predicted: float, **fields: object) -> dict[str, object]:
    z = observed - predicted
    return {
        "row": 1,
        "trial_id": trial,
        "disorder": "migraine.chronic",
        "measure": "headache_days",
        "rule": "",
        "unit": "days",
        "value_type": "mean_change",
        "observed": observed,
        "predicted": predicted,
        "se_observed": 0.6,
        "se_predicted": 0.8,
        "z": z,
        "inside": abs(z) <= 1.96,
        "inside_without_between_trials": abs(z) <= 1.0,
        "use": "validate",
        "read": "source",
        "seen": False,
        "product": "onabotulinumtoxinA",
        "dose_u": 155.0,
        "week": "24",
        "reason": None,
        "naive": {"placebo": predicted + 2 * z, "constant": observed, "emax": None},
    } | fields


def test_figures_of_a_group() -> None:
    rows = [_line("A", -8.0, -7.0), _line("B", -8.0, -5.0)]
    found = figures(rows)
    assert (found["n"], found["trials"], found["coverage"]) == (2, 2, 0.5)
    assert found["coverage_without_between_trials"] == 0.5
    assert found["bias_in_margins"] == pytest.approx(2.0)
    assert found["error_in_margins"] == pytest.approx(2.0)
    assert figures([]) == {"n": 0}


def test_a_row_without_prediction_is_told_and_not_counted() -> None:
    missing = _line("C", -1.0, 0.0) | {"predicted": None, "z": None, "reason": "no dose"}
    naive_ = {"placebo": -4.0, "constant": -5.0, "emax": -6.0}
    rows = [_line("A", -8.0, -7.0, naive=naive_), missing]
    found = summary(rows)
    assert (found["rows"], found["predicted"], found["all"]["n"]) == (2, 1, 1)
    assert [one["reason"] for one in found["not_predicted"]] == ["no dose"]
    assert found["skill"]["all"]["placebo"] == pytest.approx(1 - 1 / 4)
    assert found["skill"]["all"]["emax"] == pytest.approx(1 - 1 / 2)


def test_what_was_seen_is_of_the_catalog() -> None:
    trials = {row.trial for row in endpoints() if row.use == "validate"}
    assert set(SEEN) <= trials
