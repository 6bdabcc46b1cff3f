from itertools import product as every

from hypothesis import given
from hypothesis import strategies as st

from openbont.planning.vials import VialChoice, vials
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
