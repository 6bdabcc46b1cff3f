from collections import Counter

import pytest

from openbont.catalog.labels import extras_for, label_row, label_rows, rows_for
from openbont.catalog.products import products
from openbont.catalog.vocabulary import condition, conditions, medicine, medicines
from openbont.errors import BadInput, NoEvidence, UnknownName
from tests.cases import ABO, HEAD, ONA, child, patient


def test_every_row_is_there_and_says_whether_it_was_read() -> None:
    assert len(label_rows()) == 178
    assert Counter(row.verified for row in label_rows()) == {True: 112, False: 66}
    assert len({row.id for row in label_rows()}) == 178
    assert {row.product for row in label_rows()} == set(products())


def test_the_migraine_pattern_is_155_units_in_31_sites() -> None:
    rows = rows_for(ONA, "migraine.chronic", patient(HEAD))
    assert sum(row.dose_max or 0 for row in rows) == 155
    assert sum(row.sites_max or 0 for row in rows) == 31


def test_follow_the_pain_adds_40_units_in_8_sites_and_is_not_in_the_us_label() -> None:
    rows = extras_for(ONA, "migraine.chronic", patient(HEAD))
    assert sum(row.dose_max or 0 for row in rows) == 40
    assert sum(row.sites_max or 0 for row in rows) == 8
    assert not any("US" in row.jurisdiction or row.verified for row in rows)


@pytest.mark.parametrize(
    ("age_years", "weight_kg", "total_u"),
    [(40, 70, 100), (6, 12, 20), (6, 15, 30), (6, 19, 40), (6, 23, 50), (6, 27, 60), (6, 30, 75)],
)
def test_each_weight_band_of_sialorrhoea_adds_up(
    age_years: float, weight_kg: float, total_u: float
) -> None:
    rows = rows_for("incobotulinumtoxinA", "sialorrhoea", child(age_years, weight_kg))
    assert 2 * sum(row.dose_max or 0 for row in rows) == total_u
    assert {row.session_max_u for row in rows} == {total_u}


@pytest.mark.parametrize(("age_years", "weight_kg"), [(6, 11.9), (1.9, 12)])
def test_below_the_least_weight_or_age_there_is_no_row(age_years: float, weight_kg: float) -> None:
    assert not rows_for("incobotulinumtoxinA", "sialorrhoea", child(age_years, weight_kg))


def test_jurisdictions_are_never_merged() -> None:
    def soleus(where: str) -> tuple[float | None, float | None]:
        rows = rows_for(ABO, "spasticity.lower_limb", patient(), where)
        return next(row.range_u(78) for row in rows if row.structures == ("soleus",))

    assert soleus("US") == (330, 500)
    assert soleus("EU") == (300, 550)


def test_another_jurisdiction_answers_only_when_the_asked_one_has_nothing() -> None:
    rows = rows_for(ABO, "hyperhidrosis.axillary", patient(), "US")
    assert {row.jurisdiction for row in rows} == {("EU",)}


def test_sides_double_only_where_the_label_says_each_side() -> None:
    armpit = label_row("botox.hyperhidrosis_axillary.adult.us.axilla")
    temple = label_row("botox.migraine_chronic.adult.us.temporalis")
    assert armpit.side_share("axilla") * (armpit.dose_max or 0) == 50
    assert temple.side_share("temporalis") * (temple.dose_max or 0) == 20


def test_a_shared_dose_is_divided_by_sites() -> None:
    row = label_row("botox_cosmetic.facial_lines_glabellar.adult.us.corrugator+procerus")
    assert row.side_share("corrugator") * (row.dose_max or 0) == pytest.approx(8)
    assert row.side_share("procerus") * (row.dose_max or 0) == pytest.approx(4)


def test_units_for_each_kilogram_stop_at_the_cap() -> None:
    row = label_row("botox.bladder_neurogenic.child_below34kg.us.detrusor")
    assert row.range_u(18) == (108, 108)
    biceps = label_row("xeomin.spasticity_upper_limb.child.us.biceps_brachii")
    assert biceps.range_u(20) == (40, 40)
    assert biceps.range_u(40) == (50, 50)


def test_what_trials_did_is_no_limit() -> None:
    described = [row for row in label_rows() if row.kind == "descriptive"]
    assert len(described) == 14
    assert {row.range_u(70) for row in described} == {(None, None)}
    assert all(row not in rows_for(row.product, row.disorder[0], patient()) for row in described)


def test_a_share_of_a_total_is_never_turned_into_units() -> None:
    row = label_row("botox.dystonia_cervical.adult.us.trapezius_descriptive")
    with pytest.raises(NoEvidence):
        row.model_copy(update={"dose_role": "initial"}).start_u(70)


def test_a_recalled_field_of_a_read_row_is_unverified() -> None:
    row = label_row("dysport.spasticity_upper_limb.adult.us+eu.biceps_brachii")
    assert row.cite("dose_max").verified
    assert not row.cite("sites_max").verified


def test_a_read_field_of_a_recalled_row_is_verified() -> None:
    row = label_row("botox.spasticity_upper_limb.adult.us.biceps_brachii")
    assert not row.cite("dose_max").verified
    assert row.cite("site_max_u").verified


def test_synonyms_and_misspellings_of_conditions() -> None:
    assert condition("ALS").name == "amyotrophic_lateral_sclerosis"
    with pytest.raises(UnknownName, match="did you mean myasthenia_gravis"):
        condition("myastenia_gravis")
    with pytest.raises(BadInput, match="write myasthenia_gravis"):
        condition("other: seen for myastenia in 2019")
    assert condition("other: red hair").classes == ()


def test_medicines_have_classes_and_sources() -> None:
    assert medicine("Gentamicin").classes == ("aminoglycoside",)
    assert medicine("amitriptyline").migraine_preventive
    assert all(one.sources for one in (*medicines().values(), *conditions().values()))


def test_an_unknown_jurisdiction_is_refused() -> None:
    with pytest.raises(UnknownName, match="known: EU, IL, US"):
        rows_for(ABO, "spasticity.lower_limb", patient(), "Mars")
