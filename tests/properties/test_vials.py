from decimal import Decimal
from itertools import product as every

from hypothesis import given
from hypothesis import strategies as st

from openbont.catalog.vials import VialChoice, least_waste, vials
from openbont.product import Dose, Product

half_units = st.integers(0, 800).map(lambda halves: halves / 2)
vial_sizes = st.lists(st.integers(40, 300).map(float), min_size=1, max_size=3, unique=True)


def choose(units: float, sizes: list[float]) -> VialChoice:
    one = Product(
        name="toxin",
        brand="Toxin",
        serotype="A",
        vials_u=tuple(sizes),
        complex_kda=150.0,
        albumin=False,
    )
    return vials(Dose(units, "toxin"), one)


@given(half_units, vial_sizes)
def test_given_and_wasted_are_what_was_opened(units, sizes):
    choice = choose(units, sizes)
    assert choice.given_u + choice.wasted_u == choice.opened_u
    assert choice.given_u == units
    assert choice.opened_u == sum(size * count for size, count in choice.counts)


@given(half_units, vial_sizes)
def test_no_other_choice_wastes_less_or_opens_fewer(units, sizes):
    most = int(units // min(sizes)) + 1
    best = min(
        (held - units, sum(counts))
        for counts in every(range(most + 1), repeat=len(sizes))
        if (held := sum(n * size for n, size in zip(counts, sizes, strict=True))) >= units
    )
    choice = choose(units, sizes)
    assert (float(choice.wasted_u), choice.vials) == best


shelves = st.dictionaries(
    st.sampled_from([Decimal(50), Decimal(100), Decimal(200)]), st.integers(0, 3), min_size=1
)


@given(half_units.map(lambda units: Decimal(str(units))), shelves)
def test_a_shelf_gives_the_least_waste_that_it_can(need, shelf):
    sizes = list(shelf)
    enough = [
        (held, sum(counts))
        for counts in every(*(range(shelf[size] + 1) for size in sizes))
        if (held := sum((n * size for n, size in zip(counts, sizes, strict=True)), Decimal(0)))
        >= need
    ]
    found = least_waste(need, shelf)
    if not enough:
        assert found is None
        return
    assert found is not None
    assert all(count <= shelf[size] for size, count in found)
    assert (sum(size * n for size, n in found), sum(n for _, n in found)) == min(enough)
