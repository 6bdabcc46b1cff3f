"""What of a diary can be counted, and what is said where it cannot."""

import datetime

import pytest

from openbont.clinic.held import Held, kind_of
from openbont.clinic.nouns import Diary, DiaryDay
from openbont.frozen import Noun
from openbont.patient import Reading
from openbont.report.observed import HOURS, headache_days, observed
from tests.records import DAY, session

LATER = DAY + datetime.timedelta(days=40)


def held(noun: Noun, key: str) -> Held:
    return Held(key, kind_of(noun), "p1", 1, "signed", noun)


def diary(first: int, last: int, hours: float = 5.0) -> Held:
    """Hours of headache on the days `first` to `last` after the session."""
    days = tuple(
        DiaryDay(
            date=DAY + datetime.timedelta(days=i), readings=(Reading(scale=HOURS, value=hours),)
        )
        for i in range(first, last + 1)
    )
    return held(Diary(days=days, source="diary.csv"), f"diary-{first}")


@pytest.mark.parametrize(
    ("parts", "counts", "said"),
    [
        ([(1, 28, 4.0)], [28.0], []),
        ([(1, 28, 3.9)], [0.0], []),
        ([(1, 10, 5.0), (11, 28, 0.0)], [10.0], []),
        ([(0, 27, 5.0)], [], []),  # the day of the session is not after it
        ([(3, 28, 5.0)], [], ["26 days of the 28"]),
        ([(1, 30, 5.0), (29, 56, 0.0)], [28.0, 0.0], []),
        ([(2, 28, 5.0), (29, 56, 5.0)], [28.0], ["27 days of the 28"]),
    ],
)
def test_headache_days_are_counted_from_whole_stretches_of_28_days(
    parts: list[tuple[int, int, float]], counts: list[float], said: list[str]
) -> None:
    found, missing = headache_days([diary(*part) for part in parts], DAY)
    assert [one.reading.value for one in found] == counts
    assert [words[: len(said[i])] for i, words in enumerate(missing)] == said


def test_nothing_is_counted_beyond_the_next_session() -> None:
    records = [diary(1, 56), held(session(date=LATER), "second")]
    found, _ = headache_days(records, DAY)
    assert [one.date for one in found] == [DAY + datetime.timedelta(days=28)]


def test_where_nothing_was_read_nothing_is_predicted() -> None:
    compared = observed([held(session(), "first"), diary(3, 28)], "first")
    assert (compared.rows, compared.drawn) == ((), None)
    assert compared.diary[0].startswith("26 days of the 28 up to 30 Mar 2026")
