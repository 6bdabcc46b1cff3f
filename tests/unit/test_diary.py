"""Diaries from CSV: good rows are kept, the others are listed as they stand."""

from datetime import date

import pytest

from openbont.clinic.diary import Kept, diary_of, read_diary
from openbont.errors import BadInput, UnknownName

LONG = "date,scale,value,where\n"


def read(text: str) -> Kept:
    return diary_of(text, "diary.csv", until=date(2026, 12, 31))


def said(kept: Kept) -> dict[str, dict[tuple[str, str], float | str]]:
    assert kept.diary is not None
    return {
        str(day.date): {(one.scale, one.where): one.value for one in day.readings}
        for day in kept.diary.days
    }


def test_long_and_wide_say_the_same():
    long = "2026-11-16,pain_NRS,4,\n2026-11-16,MAS,1+,wrist_flexors.left\n2026-11-15,pain_NRS,5,\n"
    wide = "date,pain_NRS,MAS at wrist_flexors.left\n2026-11-16,4,1+\n2026-11-15,5,\n"
    expected = {
        "2026-11-15": {("pain_NRS", ""): 5},
        "2026-11-16": {("pain_NRS", ""): 4, ("MAS", "wrist_flexors.left"): "1+"},
    }
    assert said(read(LONG + long)) == said(read(wide)) == expected
    assert said(read(wide.replace(",", ";"))) == expected
    assert [day.date.day for day in read(LONG + long).diary.days] == [15, 16]


@pytest.mark.parametrize(
    "row",
    [
        "16/11/2026,pain_NRS,4,",
        "2026-11-31,pain_NRS,4,",
        "2026-11-16T08:00:00Z,pain_NRS,4,",
        "2027-01-01,pain_NRS,4,",
        "2026-11-16,pain_NRS,11,",
        '2026-11-16,pain_NRS,"4,5",',
        "2026-11-16,pain_NRS,=4,",
        "2026-11-16,pain_NRS,@SUM(A1),",
        "2026-11-16,pain_NRS,nan,",
        "2026-11-16,pain_NRS,٤,",
        "2026-11-16,pain_NRS,four,",
        "2026-11-16,pain,4,",
        "2026-11-16,MAS,5,",
        "2026-11-16,pain_NRS,4",
    ],
)
def test_a_bad_row_is_listed_and_the_others_kept(row):
    kept = read(f"{LONG}{row}\n2026-11-17,pain_NRS,3,\n")
    assert said(kept) == {"2026-11-17": {("pain_NRS", ""): 3}}
    (listed,) = kept.bad
    assert listed.startswith("line 2: " + row.replace('"', ""))


def test_a_day_given_twice_is_taken_from_neither_row():
    kept = read(LONG + "2026-11-16,pain_NRS,4,\n2026-11-16,pain_NRS,4,\n2026-11-17,pain_NRS,1,\n")
    assert list(said(kept)) == ["2026-11-17"]
    assert [words[:7] for words in kept.bad] == ["line 2:", "line 3:"]
    assert all("2026-11-16 is given twice" in words for words in kept.bad)
    assert read("date,pain_NRS\n2026-11-16,4\n2026-11-16,5\n").diary is None


def test_numbers_below_zero_are_numbers():
    assert said(read(LONG + "2026-11-16,tardieu_R1,-20,elbow_flexors.left\n"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("day,pain_NRS\n2026-11-16,4\n", "no column called date"),
        ("date,pain_NRS,pain_NRS\n2026-11-16,4,4\n", "stands twice"),
        ("date,pain_NRS\n", "no table"),
    ],
)
def test_a_table_that_is_no_diary_is_refused(text, words):
    with pytest.raises(BadInput, match=words):
        read(text)


def test_an_unknown_column_says_the_nearest():
    with pytest.raises(UnknownName, match="pain_NRS"):
        read("date,pain_NSR\n2026-11-16,4\n")


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "d.csv").write_bytes(b"date\xff\n")
    with pytest.raises(BadInput, match="not UTF-8"):
        read_diary(tmp_path / "d.csv")
