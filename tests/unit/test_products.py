import pytest

from openbont.catalog.products import product, products
from openbont.errors import UnknownName


def test_seven_products_of_two_serotypes() -> None:
    assert len(products()) == 7
    assert {one.name for one in products().values() if one.serotype == "B"} == {
        "rimabotulinumtoxinB"
    }


def test_only_one_product_holds_milk_protein_and_one_no_albumin() -> None:
    assert [one.name for one in products().values() if one.milk_protein] == ["abobotulinumtoxinA"]
    assert [one.name for one in products().values() if not one.albumin] == ["daxibotulinumtoxinA"]


def test_every_product_says_where_it_comes_from_and_what_was_recalled() -> None:
    for one in products().values():
        assert any(not source.verified for source in one.sources), one.name


@pytest.mark.parametrize(
    ("brand", "name"),
    [
        ("Botox", "onabotulinumtoxinA"),
        ("botox cosmetic", "onabotulinumtoxinA"),
        ("Dysport", "abobotulinumtoxinA"),
    ],
)
def test_a_brand_is_answered_with_its_name(brand: str, name: str) -> None:
    with pytest.raises(UnknownName, match=f"{brand} is a brand; write {name}"):
        product(brand)


def test_a_misspelt_product_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean onabotulinumtoxinA"):
        product("onabotulinumtoxina")
