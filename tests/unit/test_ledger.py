"""The ledger: the last 12 weeks, every clinic, each product by itself."""

import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbont.clinic.ledger import Ledger, ledger, with_history
from openbont.errors import BadInput
from openbont.patient import PastSession
from openbont.planning.limits import used_u
from tests.cases import ABO, ONA, TODAY, past, patient


def of(*sessions: PastSession, **others: list[PastSession]) -> Ledger:
    return ledger("p", {"file": sessions, **others}, TODAY)


def totals(found: Ledger) -> dict[str, Decimal]:
    return {one.product: one.units for one in found.totals}


def test_twelve_weeks_are_84_days():
    found = of(past(83, ONA, 100, "migraine.chronic"), past(84, ONA, 50, "migraine.chronic"))
    assert totals(found) == {ONA: 100}
    assert [line.counted for line in found.lines] == [True, False]
    assert (TODAY - found.since).days == 83


def test_products_stand_side_by_side():
    found = of(past(10, ONA, 100, "migraine.chronic"), past(20, ABO, 500, "dystonia.cervical"))
    assert totals(found) == {ONA: 100, ABO: 500}
    assert found.days_since_last == 10
    assert [(one.product, one.of) for one in found.by_disorder] == [
        (ABO, "dystonia.cervical"),
        (ONA, "migraine.chronic"),
    ]


def test_a_session_that_two_sources_tell_alike_is_one():
    one = past(21, ONA, 108, "bladder.neurogenic")
    found = of(one, letter=[one])
    assert totals(found) == {ONA: 108}
    assert found.lines[0].sources == ("file", "letter")
    assert found.doubtful == ()


def test_twice_in_one_source_is_twice():
    one = past(21, ONA, 50, "bladder.neurogenic")
    assert totals(of(one, one)) == {ONA: 100}
    assert totals(of(one, one, letter=[one])) == {ONA: 100}


def test_where_sources_differ_both_count_and_it_is_said():
    one = past(21, ONA, 108, "bladder.neurogenic")
    found = of(one, letter=[one.model_copy(update={"total_u": 100.0})])
    assert totals(found) == {ONA: 208}
    assert len(found.doubtful) == 1


def test_sessions_to_come_are_listed_and_not_counted():
    found = ledger("p", {"file": [past(0, ONA, 9, "strabismus")]}, TODAY - datetime.timedelta(1))
    assert (found.totals, found.days_since_last, len(found.lines)) == ((), None, 1)


def test_a_session_after_the_findings_asks_to_see_the_patient_again():
    who = patient(date=TODAY - datetime.timedelta(30))
    with pytest.raises(BadInput, match="after the findings"):
        with_history(who, of(past(21, ONA, 108, "bladder.neurogenic")))
    seen = with_history(patient(), of(past(21, ONA, 108, "bladder.neurogenic")))
    assert len(seen.history) == 1


sessions = st.lists(
    st.builds(
        past,
        st.integers(0, 200),
        st.sampled_from([ONA, ABO]),
        st.integers(1, 800).map(lambda halves: halves / 2),
        st.sampled_from(["migraine.chronic", "dystonia.cervical"]),
    ),
    max_size=8,
)


@given(sessions)
def test_the_ledger_agrees_with_the_rule_of_12_weeks(history):
    found = totals(of(*history))
    for product in (ONA, ABO):
        assert float(found.get(product, 0)) == used_u(history, product, TODAY)


@given(sessions)
def test_parts_add_up_to_the_whole(history):
    found = of(*history)
    for parts in (found.by_clinic, found.by_disorder):
        for product, whole in totals(found).items():
            assert sum(one.units for one in parts if one.product == product) == whole
