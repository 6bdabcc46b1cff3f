"""Vials on the shelf: chosen, taken from, thrown away, billed."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from openbont.catalog.billing import billing_codes
from openbont.catalog.products import products
from openbont.clinic.nouns import Taken, Vial, Waste
from openbont.clinic.vials import billed, choose, discard_by
from openbont.errors import BadInput

ONA, ABO = "onabotulinumtoxinA", "abobotulinumtoxinA"
NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)
TODAY = NOON.date()
NEXT_YEAR = date(2027, 11, 16)


def vial(
    id_: str, units: int, product: str = ONA, expiry: date = NEXT_YEAR, **more: object
) -> Vial:
    row = {"id": id_, "product": product, "lot": "C1", "expiry": expiry, "units": Decimal(units)}
    return Vial.model_validate({**row, **more})


def opened(id_: str, units: int, taken: int, session: str = "s1", hours: float = 1) -> Vial:
    used = (Taken(session=session, units=Decimal(taken)),)
    return vial(id_, units, opened=NOON - timedelta(hours=hours), taken=used)


def chosen(need: str, *stock: Vial, own: tuple[str, ...] = ("s1",)) -> dict[str, Decimal]:
    return {draw.vial: draw.units for draw in choose(Decimal(need), ONA, stock, NOON, own)}


def test_the_least_waste_out_of_what_is_on_the_shelf():
    shelf = [vial("a", 100), vial("b", 100), vial("c", 200)]
    assert chosen("155", *shelf) == {"c": 155}
    assert chosen("155", *shelf[:2]) == {"a": 100, "b": 55}
    assert chosen("80", vial("c", 200), vial("d", 50), vial("e", 50)) == {"d": 50, "e": 30}


def test_of_equal_vials_the_one_that_expires_first():
    assert chosen("100", vial("a", 100), vial("b", 100, expiry=date(2026, 12, 1))) == {"b": 100}


def test_an_open_vial_of_this_patient_is_used_up_first():
    assert chosen("80", vial("a", 100), opened("o", 200, 170)) == {"o": 30, "a": 50}


@pytest.mark.parametrize(
    "other",
    [
        opened("o", 200, 150, session="someone.else"),
        opened("o", 200, 150, hours=24.5),
        vial("o", 200, opened=NOON),
        vial("o", 200, expiry=date(2026, 11, 15)),
        vial("o", 200, product=ABO),
    ],
    ids=["another patient", "past its hours", "open for nobody", "expired", "another product"],
)
def test_what_may_not_be_used_is_not_chosen(other):
    assert chosen("50", other, vial("a", 100)) == {"a": 50}
    with pytest.raises(BadInput, match="50 U onabotulinumtoxinA needed, usable vials hold 0 U"):
        chosen("50", other)


def test_on_the_day_of_expiry_a_vial_is_still_good():
    assert chosen("50", vial("a", 100, expiry=TODAY)) == {"a": 50}


def test_hours_of_use_are_kept_only_where_a_label_was_read():
    assert discard_by(opened("o", 200, 10)) == NOON + timedelta(hours=23)
    assert discard_by(vial("o", 500, product=ABO, opened=NOON)) is None
    assert discard_by(vial("o", 100)) is None


def used(product: str, units: int, given: str) -> Vial:
    taken = (Taken(session="s1", units=Decimal(given)),)
    rest = units - Decimal(given)
    waste = (Waste(units=rest, reason="single dose", date=TODAY, by="n"),) if rest else ()
    return vial("a", units, product=product, taken=taken, wasted=waste)


@pytest.mark.parametrize(
    ("product", "units", "given", "lines"),
    [
        (ONA, 200, "155", [("J0585", "", 155), ("J0585", "JW", 45)]),
        (ONA, 200, "200", [("J0585", "JZ", 200)]),
        (ONA, 200, "154.5", [("J0585", "", 155), ("J0585", "JW", 45)]),
        (ONA, 100, "99.5", [("J0585", "JZ", 100)]),
        (ABO, 500, "412", [("J0586", "", 83), ("J0586", "JW", 17)]),
        (ABO, 300, "298", [("J0586", "JZ", 60)]),
        ("rimabotulinumtoxinB", 5000, "3450", [("J0587", "", 35), ("J0587", "JW", 15)]),
        ("incobotulinumtoxinA", 100, "70", [("J0588", "", 70), ("J0588", "JW", 30)]),
        ("daxibotulinumtoxinA", 100, "100", [("J0589", "JZ", 100)]),
    ],
)
def test_billing_units_never_exceed_the_vial(product, units, given, lines):
    bill = billed([used(product, units, given)])
    assert bill is not None
    assert bill.lines() == lines
    assert sum(count for *_, count in lines) * billing_codes()[product].units == units
    assert all(source.verified for source in bill.sources)


def test_a_product_without_a_code_that_was_read_has_none():
    assert billed([used("prabotulinumtoxinA", 100, "20")]) is None
    assert set(billing_codes()) < set(products())


def test_what_is_still_in_a_vial_is_not_billed():
    with pytest.raises(BadInput, match="45 U are still in it"):
        billed([opened("a", 200, 155)])


def test_two_products_are_never_billed_together():
    with pytest.raises(BadInput, match="one product is needed"):
        billed([used(ONA, 200, "200"), used(ABO, 500, "500")])


def test_a_vial_that_served_two_sessions_is_billed_only_for_one_patient():
    two = tuple(Taken(session=key, units=Decimal(50)) for key in ("s1", "s2"))
    shared = vial("a", 100, taken=two)
    with pytest.raises(BadInput, match="several sessions"):
        billed([shared])
    bill = billed([shared], own=("s1", "s2"))
    assert bill is not None
    assert bill.lines() == [("J0585", "JZ", 100)]
