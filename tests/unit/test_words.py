"""What another clinic's words mean, and what is left unread because it is not plain."""

from datetime import date
from decimal import Decimal

import pytest

from openbont.catalog.products import products
from openbont.clinic.words import (
    date_in,
    disorder_in,
    may_be_toxin,
    product_in,
    structure_in,
    units_in,
)

ONA = "onabotulinumtoxinA"


@pytest.mark.parametrize("name", products())
def test_every_name_and_brand_is_read_and_known_as_toxin(name):
    for said in (name, *products()[name].brand.split(", ")):
        assert product_in(said.upper()) == name
        assert product_in(f"{said}® powder for injection, 100 U vial") == name
        assert may_be_toxin(said)


@pytest.mark.parametrize(
    "said",
    [
        "botulinum toxin type A",
        "botulinum toxin type B (Botox)",
        "Botox or Dysport",
        "not Botox",
        "Botox equivalent",
        "Azzalure",
        "BTX-A",
        "",
    ],
)
def test_a_product_is_never_guessed(said):
    assert product_in(said) is None


def test_other_medicines_are_no_toxin():
    assert not may_be_toxin("lidocaine 2 % gel")
    assert all(map(may_be_toxin, ("BTX-A", "Azzalure", "botulinum toxin", "BoNT/A")))


@pytest.mark.parametrize(
    ("value", "unit"),
    [("108", "U"), ("108 U", ""), ("108", "Units"), ("108 units of Botox", ""), ("108", "[arb'U]")],
)
def test_units_are_read_where_they_are_named(value, unit):
    assert units_in(value, unit, ONA) == 108


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        ("108", ""),
        ("108", "IU"),
        ("108 U", "IU"),
        ("108", "U Dysport"),
        ("108", "mL"),
        ("108", "ng"),
        ("1,080", "U"),
        ("7,5", "U"),
        ("1e2", "U"),
        ("-5", "U"),
        ("0", "U"),
        ("about 100", "U"),
        ("100-150", "U"),
    ],
)
def test_units_are_never_guessed(value, unit):
    assert units_in(value, unit, ONA) is None


def test_half_units_stay_exact():
    assert units_in("7.5", "U", ONA) == Decimal("7.5")


def test_only_iso_dates_are_dates():
    assert date_in("2026-10-26") == date_in("2026-10-26T23:59:00-05:00") == date(2026, 10, 26)
    for said in (
        "03/04/2026",
        "26.10.2026",
        "2026-13-01",
        "2026-10",
        "2026-10-26T10:00",
        "20261026",
    ):
        assert date_in(said) is None


def test_structures_need_their_side():
    assert structure_in("Detrusor muscle") == "detrusor"
    assert structure_in("Biceps brachii", "R") == "biceps_brachii.right"
    assert structure_in("left flexor carpi radialis") == "flexor_carpi_radialis.left"
    for said in ("biceps brachii", "biceps", "left and right biceps brachii", "arm, left"):
        assert structure_in(said) is None


def test_a_disorder_is_known_by_its_words_or_by_a_leaf_that_means_nothing_else():
    assert disorder_in("Cervical dystonia") == disorder_in("G24.3") == "dystonia.cervical"
    assert disorder_in("spasticity") is disorder_in("G81.11") is None
