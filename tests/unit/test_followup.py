from datetime import date

import pytest

from openbont.catalog.followup import follow_up
from openbont.catalog.overview import disorders, overview
from openbont.catalog.scales import scale
from openbont.errors import UnknownName


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
