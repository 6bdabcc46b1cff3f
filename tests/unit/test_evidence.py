"""Every number of the catalog has a unit, a range that holds it, and a source."""

import pytest

from openbont.catalog.disorders import MODELLED
from openbont.catalog.evidence import parameter, parameters, sources
from openbont.catalog.movements import functions, movements, territories
from openbont.catalog.muscles import muscles
from openbont.catalog.needles import needles
from openbont.catalog.overview import overview
from openbont.catalog.sampling import Reference, Sampler
from openbont.catalog.scales import number, scale, scales
from openbont.errors import BadInput, UnknownName
from openbont.evidence import Parameter, Source, cite, tally
from openbont.streams import stream


@pytest.mark.parametrize("row", parameters().values(), ids=lambda row: row.id)
def test_parameter_rows_are_whole(row: Parameter) -> None:
    assert row.low <= row.value <= row.high
    assert row.sources
    assert row.unit
    assert row.grade != "assumed" or row.role == "assumed"


def test_every_source_is_used_or_said_by_a_muscle() -> None:
    used = {s.id for row in parameters().values() for s in row.sources}
    used |= {s.id for muscle in muscles().values() for s in muscle.sources}
    groups = [*movements().values(), *functions().values(), territories()[0]]
    used |= {s.id for group in groups for s in group.sources}
    used |= {s.id for needle in needles().values() for s in needle.sources}
    layers_only = {"makehuman"}
    assert set(sources()) - used - layers_only == set()


def test_shares_add_up_to_one() -> None:
    for group in [*movements().values(), *functions().values()]:
        assert sum(group.weights.values()) == pytest.approx(1.0, abs=1e-9), group.id


def test_unknown_parameter_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"spread\.reach_mm"):
        parameter("spread.reachmm")


def test_cite_lists_each_source_once() -> None:
    one, other = Source(id="a", text="A"), Source(id="b", text="B", verified=False)
    row = parameter("spread.reach_mm").model_copy(update={"sources": (one, other)})
    assert cite([row, row], one) == [one, other]
    assert row.verified
    assert tally([row, row]) == {"fitted": 2}


def test_two_numeric_codings_of_mas_differ() -> None:
    assert number("MAS", "1+") == 1.5
    assert number("MAS", 2) == 2
    assert number("MAS_0_5", 2) == 1.5
    with pytest.raises(BadInput, match="grade '5'"):
        number("MAS", 5)
    with pytest.raises(BadInput, match="out of range"):
        number("headache_days_28", 29)
    with pytest.raises(UnknownName, match="MAS"):
        scale("MASS")


def test_scales_have_a_range() -> None:
    for one in scales().values():
        assert one.low < one.high
        assert all(one.low <= value <= one.high for value in one.grades.values())


def test_streams_are_named() -> None:
    assert stream(1, "a").random() == stream(1, "a").random()
    assert stream(1, "a").random() != stream(1, "b").random()
    assert stream(1, "a").random() != stream(2, "a").random()


def test_sampler_remembers_what_it_used() -> None:
    sampler = Sampler(draws=500, seed=1)
    values = sampler.vary("response.safety_factor")
    assert set(sampler.used) == {"response.safety_factor"}
    assert values.std() > 0
    assert sampler.vary("release.cooperativity").std() == 0
    assert Reference().vary("response.safety_factor") == [parameter("response.safety_factor").value]


def test_overview_says_what_is_modelled() -> None:
    assert {one.id for one in overview().values() if one.modelled} == set(MODELLED)
    assert all(one.grades for one in overview().values() if one.modelled)
    assert overview()["bladder.neurogenic"].products[0] == "onabotulinumtoxinA"
    assert "abobotulinumtoxinA" in overview()["bladder.neurogenic"].unverified


def test_scales_of_disorders_are_known() -> None:
    for one in overview().values():
        assert set(one.scales) <= set(scales())
