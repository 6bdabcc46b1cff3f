from decimal import Decimal

import pytest

from openbont.catalog.vials import diluent_ml, vials
from openbont.errors import BadInput, UnitMismatch
from openbont.product import Dose, Product


def product(*sizes: float) -> Product:
    return Product(
        name="onabotulinumtoxinA",
        brand="Botox",
        serotype="A",
        vials_u=sizes,
        complex_kda=900.0,
        albumin=True,
    )


def dose(units: float) -> Dose:
    return Dose(units, "onabotulinumtoxinA")


@pytest.mark.parametrize(
    ("units", "sizes", "counts", "wasted"),
    [
        (0.0, (50.0, 100.0, 200.0), (), "0"),
        (155.0, (100.0, 200.0), ((200, 1),), "45"),
        (155.0, (50.0, 100.0, 200.0), ((200, 1),), "45"),
        (145.0, (50.0, 100.0, 200.0), ((100, 1), (50, 1)), "5"),
        (210.0, (50.0, 100.0, 200.0), ((200, 1), (50, 1)), "40"),
        (700.0, (300.0, 500.0), ((500, 1), (300, 1)), "100"),
        (900.0, (300.0, 500.0), ((300, 3),), "0"),
        (2.5, (100.0,), ((100, 1),), "97.5"),
    ],
)
def test_least_waste_then_fewest_vials(units, sizes, counts, wasted):
    choice = vials(dose(units), product(*sizes))
    assert choice.counts == counts
    assert choice.wasted_u == Decimal(wasted)


def test_the_dust_of_float_sums_opens_no_vial():
    assert vials(dose(sum([0.1] * 1000)), product(100.0)).vials == 1


def test_diluent_follows_from_the_dilution():
    assert diluent_ml(Decimal(200), 50.0) == 4.0


def test_units_of_another_product_are_refused():
    with pytest.raises(UnitMismatch):
        vials(Dose(100.0, "abobotulinumtoxinA"), product(100.0))


def test_a_negative_dose_is_refused():
    with pytest.raises(BadInput, match="-5 U"):
        vials(dose(-5.0), product(100.0))
