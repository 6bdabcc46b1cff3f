from datetime import date, timedelta

import pytest

from openbont.catalog.followup import follow_up
from openbont.catalog.overview import disorders, overview
from openbont.catalog.scales import scale
from openbont.clinic.due import due
from openbont.clinic.held import Held
from openbont.clinic.nouns import ClinicVisit
from openbont.errors import BadInput, UnknownName
from openbont.patient import Reading
from tests.charts import chart


@pytest.mark.parametrize("disorder", disorders())
def test_every_disorder_has_its_visits_on_scales_that_are_known(disorder):
    visits = follow_up(disorder)
    assert [one.visit for one in visits] == ["before", "early", "peak", "return"]
    weeks = [(one.first_week, one.last_week) for one in visits]
    assert weeks == sorted(weeks)
    for one in visits:
        assert one.scales or one.ask
        assert one.sources
        for name in one.scales:
            scale(name)
    read = {name for one in visits for name in one.scales}
    assert read & set(overview()[disorder].scales)


def test_recalled_practice_says_so():
    assert not all(source.verified for source in follow_up("dystonia.cervical")[0].sources)


def test_a_visit_has_its_days():
    peak = follow_up("migraine.chronic")[2]
    assert peak.days(date(2026, 3, 2)) == (date(2026, 3, 30), date(2026, 4, 13))


def test_an_unknown_disorder_is_refused():
    with pytest.raises(UnknownName):
        follow_up("dystonia.neck")


def held(weeks: int, *scales: str) -> list[Held]:
    """A session for neck dystonia, and one visit after it."""
    session = chart("cervical_dystonia").session
    readings = tuple(Reading(scale=name, value=20.0) for name in scales)
    visit = ClinicVisit(date=session.date + timedelta(weeks=weeks), by="A", readings=readings)
    return [
        Held("s", "session", "p", 1, "given", session),
        Held("v", "visit", "p", 1, "signed", visit),
    ]


@pytest.mark.parametrize(
    ("week", "scales", "state"),
    [
        (0, (), "to come"),
        (4, (), "now"),
        (6, (), "now"),
        (7, (), "missed"),
        (7, ("Tsui",), "missed"),
        (7, ("TWSTRS",), "done"),
        (5, ("TWSTRS",), "done"),
    ],
)
def test_a_visit_is_done_when_its_scales_were_read(week, scales, state):
    records = held(5, *scales)
    on = chart("cervical_dystonia").session.date + timedelta(weeks=week)
    peak = due(records, on)[2]
    assert (peak.state, peak.missing) == (state, () if "TWSTRS" in scales else ("TWSTRS",))


def test_without_a_session_nothing_is_due():
    with pytest.raises(BadInput, match="no session"):
        due([], date(2026, 3, 2))
