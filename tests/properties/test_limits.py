import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from openbont.catalog.labels import label_rows, rows_for
from openbont.catalog.products import products
from openbont.planning.check import check
from openbont.planning.limits import limits
from tests.cases import ABO, HEAD, ONA, past, patient, plan

ARM_MUSCLES = sorted(one.muscle for one in limits(patient(), ONA).structures)
HEAD_SITES = sorted(one.structure for one in limits(patient(HEAD), ONA).pattern)
USES = sorted({(row.product, one) for row in label_rows() for one in row.disorder if one != "any"})


@given(muscle=st.sampled_from(ARM_MUSCLES), over=st.floats(0.01, 10), sites=st.integers(1, 8))
def test_no_dose_above_a_muscle_limit_passes(muscle: str, over: float, sites: int) -> None:
    limit = limits(patient(), ONA).structure(muscle)
    assert limit is not None
    assert limit.max_u is not None
    dose_u = limit.max_u * (1 + over)
    findings = check(plan({f"{muscle}.left": (dose_u, sites)}), patient())
    assert [one for one in findings if one.rule == "L03" and one.level in ("stop", "warn")]


@given(structure=st.sampled_from(HEAD_SITES), over=st.floats(0.01, 20))
def test_no_dose_above_a_head_limit_passes(structure: str, over: float) -> None:
    limit = limits(patient(HEAD), ONA).structure(structure)
    assert limit is not None
    assert limit.max_u is not None
    head = plan({structure: (limit.max_u + over, 8)}, disorder="migraine.chronic")
    levels = {one.level for one in check(head, patient(HEAD)) if one.rule == "L03"}
    assert levels <= {"stop", "warn"}
    assert levels


@given(parts=st.lists(st.floats(1, 49), min_size=2, max_size=12))
def test_splitting_a_dose_does_not_hide_it(parts: list[float]) -> None:
    assume(sum(parts) > 50.01)
    one = plan({"flexor_carpi_radialis.left": 1})
    entry = one.sessions[0].injections[0]
    split = tuple(entry.model_copy(update={"dose_u": dose_u}) for dose_u in parts)
    session = one.sessions[0].model_copy(update={"injections": split})
    findings = check(one.model_copy(update={"sessions": (session,)}), patient())
    assert [found for found in findings if found.rule == "L03"]


@given(days_ago=st.integers(0, 83), product=st.sampled_from(sorted(products())))
def test_any_toxin_within_twelve_weeks_stops(days_ago: int, product: str) -> None:
    who = patient(history=[past(days_ago, product, 20, "facial_lines.glabellar")])
    found = check(plan({"flexor_carpi_radialis.left": 30}), who)
    assert [one for one in found if one.rule == "S05" and one.level == "stop"]


@given(earlier=st.lists(st.floats(1, 400), max_size=6), other=st.floats(1, 1500))
def test_what_is_left_is_the_cap_less_what_this_product_used(
    earlier: list[float], other: float
) -> None:
    history = [past(30, ONA, total_u, "bladder.overactive") for total_u in earlier]
    now = limits(patient(history=[*history, past(30, ABO, other, "dystonia.cervical")]), ONA)
    assert now.rolling_left_u == max(400 - sum(earlier), 0)


@given(
    use=st.sampled_from(USES),
    age_years=st.floats(0, 100),
    weight_kg=st.floats(2, 150),
    jurisdiction=st.sampled_from(["US", "EU", "IL"]),
)
def test_rows_fit_the_patient_and_share_a_jurisdiction(
    use: tuple[str, str], age_years: float, weight_kg: float, jurisdiction: str
) -> None:
    who = patient(age_years=age_years, weight_kg=weight_kg)
    rows = rows_for(*use, who, jurisdiction)
    assert all(row.holds_for(who) and row.product == use[0] for row in rows)
    shared = [set(row.jurisdiction) for row in rows]
    assert not rows or set.intersection(*shared)


@given(use=st.sampled_from(USES), age_years=st.floats(2, 100), weight_kg=st.floats(8, 150))
def test_limits_are_ordered(use: tuple[str, str], age_years: float, weight_kg: float) -> None:
    now = limits(patient(age_years=age_years, weight_kg=weight_kg), use[0], disorder=use[1])
    for one in now.structures:
        assert one.min_u is None or one.max_u is None or one.min_u <= one.max_u
        assert one.sites_min is None or one.sites_max is None or one.sites_min <= one.sites_max


@pytest.mark.parametrize(("product", "disorder"), USES)
def test_totals_name_muscles_in_words(product: str, disorder: str) -> None:
    found = limits(patient(), product, disorder=disorder)
    said = [one.reason for one in (*found.totals, *found.described_totals)]
    assert [reason for reason in said if "_" in reason] == []
