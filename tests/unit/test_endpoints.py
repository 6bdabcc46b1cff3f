"""Tables of published results: strict about their structure, lenient about one row."""

import csv
import io
from pathlib import Path

import pytest

from openbont.catalog.designs import pattern, patterns
from openbont.catalog.disorders import MODELLED
from openbont.catalog.endpoints import NEEDED, Row, endpoints, named_product
from openbont.catalog.names import structure
from openbont.catalog.products import products
from openbont.errors import BadInput, NoEvidence

BAD = Path(__file__).parents[1] / "files" / "evidence"
ROW = {
    "trial_id": "T",
    "product": "Botox",
    "arm": "20 U",
    "dose_U": "20",
    "dose_unit": "U",
    "disorder": "facial_lines.glabellar",
    "measure": "fws_investigator",
    "rule": "value<=1",
    "week": "4",
    "value_type": "responder_percent",
    "mean_change_or_value": "70",
}


def written(path: Path, *rows: dict[str, str]) -> Path:
    """A file of rows that differ from ROW in what is given."""
    whole = [ROW | row for row in rows]
    held = io.StringIO()
    writer = csv.DictWriter(held, list(dict.fromkeys(name for row in whole for name in row)))
    writer.writeheader()
    writer.writerows(whole)
    path.write_text(held.getvalue(), "utf-8")
    return path


def one(path: Path, **row: str) -> Row:
    return endpoints(written(path / "rows.csv", row))[0]


def test_the_catalog_has_every_scored_row() -> None:
    rows = endpoints()
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    assert sum(row.scored for row in rows) == 305
    assert sum(row.scored and row.use == "validate" for row in rows) == 88


def test_every_scored_row_of_the_catalog_has_a_source_and_a_number() -> None:
    for row in endpoints():
        if row.scored:
            assert row.observed is not None, row.number
            assert row.source, row.number
            assert row.read in ("source", "recalled"), row.number


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("empty.csv", "empty.csv: empty"),
        ("no_rows.csv", "no_rows.csv: no rows"),
        ("column_missing.csv", "column_missing.csv:1: measure: this column is missing"),
        ("column_misspelt.csv", "rename dose_u"),
        ("column_twice.csv", "column_twice.csv:1: arm: this column is there twice"),
        ("short_row.csv", "short_row.csv:2: 11 fields where the header has 12"),
        ("word_for_number.csv", "word_for_number.csv:2: se_used: a number is needed"),
        ("semicolons.csv", "semicolons.csv:1: columns are not separated by commas"),
        ("open_quote.csv", "open_quote.csv:2: not CSV"),
        ("not_utf8.csv", "not_utf8.csv: not a text in UTF-8"),
        ("no_such_file.csv", "there is no such file"),
    ],
)
def test_a_bad_table_is_refused_with_its_place(file: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        endpoints(BAD / file)
    assert said in str(caught.value)


def test_needed_columns_are_enough(tmp_path: Path) -> None:
    row = one(tmp_path)
    assert (row.scored, row.se, row.baseline, row.use) == (True, None, None, "")
    assert set(ROW) == set(NEEDED)


@pytest.mark.parametrize(
    ("text", "number"), [("~56", 56), ("<0.1", 0.1), ("-3.5", -3.5), ("n.s.", None), ("", None)]
)
def test_numbers_of_a_row_are_read_leniently(
    tmp_path: Path, text: str, number: float | None
) -> None:
    assert one(tmp_path, mean_change_or_value=text).observed == number


def test_a_sign_of_order_marks_start_is_no_part_of_a_column(tmp_path: Path) -> None:
    path = written(tmp_path / "rows.csv", {})
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert endpoints(path)[0].trial == "T"


@pytest.mark.parametrize(
    ("brand", "name"),
    [
        ("Botox Cosmetic", "onabotulinumtoxinA"),
        ("dysport", "abobotulinumtoxinA"),
        ("IncobotulinumtoxinA", "incobotulinumtoxinA"),
        ("NeuroBloc", "rimabotulinumtoxinB"),
        ("Azzalure", "abobotulinumtoxinA"),
        ("onabotulinumtoxinA (Botox)", "onabotulinumtoxinA"),
        ("Xeomin and Botox", None),
        ("pooled type A", None),
        ("", None),
    ],
)
def test_products_by_brand(brand: str, name: str | None) -> None:
    assert named_product(brand) == name


@pytest.mark.parametrize(
    ("row", "placebo"),
    [
        ({"arm": "placebo", "dose_U": "0"}, True),
        ({"arm": "Placebo (NDO-1)", "dose_U": ""}, True),
        ({"arm": "pbo(2)/ona(3)", "dose_U": "165"}, False),
        ({"arm": "diff", "dose_U": "0", "value_type": "diff_vs_placebo"}, False),
    ],
)
def test_which_arms_are_placebo(tmp_path: Path, row: dict[str, str], placebo: bool) -> None:
    assert one(tmp_path, **row).placebo is placebo


def test_patterns_name_known_things() -> None:
    for each in patterns().values():
        assert each.source
        if each.disorder == "healthy.edb":
            continue
        assert each.patient.disorder.name in MODELLED
        assert {structure(part.structure) for part in each.parts}
        assert set(each.dilution_u_per_ml) <= set(products())


def test_shares_add_up_to_the_dose() -> None:
    for each in patterns().values():
        assert sum(one.dose_u for one in each.injections(100.0)) == pytest.approx(100)


def test_every_disorder_of_the_catalog_has_a_pattern() -> None:
    for disorder in {row.disorder for row in endpoints() if row.scored}:
        assert pattern(disorder).disorder == disorder


def test_the_pattern_that_a_trial_asks_for() -> None:
    arm = "spasticity.upper_limb"
    assert pattern(arm).name == "wrist and fingers"
    assert pattern(arm, measures=("ashworth_elbow",)).name == "arm with elbow"
    assert pattern(arm, "Childers_ULS", ("ashworth_elbow",)).name == "five muscles"
    assert pattern(arm, doses={"incobotulinumtoxinA": 400.0}).name == "arm with elbow"
    assert pattern("sialorrhoea").name == "four glands"
    with pytest.raises(NoEvidence, match="no pattern of injection"):
        pattern("hiccup")
