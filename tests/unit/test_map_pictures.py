"""Maps of armpit, palm and bladder: the same bytes each time, every site told and in its place."""

import re

import numpy as np
import pytest

from openbont.catalog.muscles import structure, words
from openbont.report.body_pictures import Mark
from openbont.report.map_pictures import (
    NECK_MM,
    TRIGONE_MM,
    layer_section_picture,
    map_picture,
    place_mm,
)
from openbont.report.section_pictures import Toxin

BEARERS = {
    "axilla": ("axilla.left", "axilla.right"),
    "palm": ("palm.left", "palm.right"),
    "bladder": ("detrusor",),
}
SPREAD_MM = 4.0


def _marks(region: str, size: float = 1.0) -> list[Mark]:
    """The label's sites, the third with most units."""
    sites = [(name, size * at) for name in BEARERS[region] for at in structure(name).pattern_mm]
    return [
        Mark(k, name, words(name), at, 9.0 if k == 3 else 4.0)
        for k, (name, at) in enumerate(sites, start=1)
    ]


def _around(mark: Mark) -> Toxin:
    return lambda at: 20 * np.exp(-((at - mark.site_mm) ** 2).sum(-1) / 2 / SPREAD_MM**2)


def _written(svg: str) -> list[str]:
    """What is written in a picture; matplotlib notes each text beside its shapes."""
    return [text.strip() for text in re.findall(r"<!--(.*?)-->", svg, flags=re.DOTALL)]


def _told(summary: str) -> set[int]:
    """Numbers of sites named in a sentence, ranges filled in."""
    runs = re.findall(r"(?:^|[.] )(\d+)(?:–(\d+))?  ", summary)
    return {k for first, last in runs for k in range(int(first), int(last or first) + 1)}


@pytest.mark.parametrize("region", BEARERS)
def test_same_bytes_on_every_run(region: str) -> None:
    marks = _marks(region)
    toxin = _around(marks[2])
    assert map_picture(region, marks).svg == map_picture(region, marks).svg
    first, second = (layer_section_picture(region, marks, toxin).svg for _ in range(2))
    assert first == second


@pytest.mark.parametrize("region", BEARERS)
def test_every_site_is_told_and_drawn(region: str) -> None:
    marks = _marks(region)
    picture = map_picture(region, marks)
    numbers = {mark.number for mark in marks}
    assert _told(picture.summary) == numbers
    assert {str(k) for k in numbers} <= set(_written(picture.svg))
    key = [line.replace("\xa0", " ") for line in _written(picture.svg)]
    assert f"3  {marks[2].words}, 9 U" in key


def test_no_site_in_the_trigone() -> None:
    at = np.array([place_mm("bladder", mark) for mark in _marks("bladder")])
    ridge = TRIGONE_MM[:, 1].max()
    assert at[:, 1].min() - ridge >= 10
    assert (
        "The nearest lies 12 mm from the trigone."
        in map_picture("bladder", _marks("bladder")).summary
    )


def test_a_site_in_the_trigone_is_told() -> None:
    inside = Mark(1, "detrusor", "detrusor", np.array([*TRIGONE_MM.mean(axis=0), 0.0]), 5.0)
    assert "The nearest lies 0 mm from the trigone." in map_picture("bladder", [inside]).summary


def test_neck_lies_where_the_model_has_it() -> None:
    centre = structure("bladder_neck").centre_mm
    assert tuple(centre[:2]) == NECK_MM


def test_thumb_of_a_left_palm_lies_on_the_left() -> None:
    thumb = structure("flexor_pollicis_brevis_opponens.left").centre_mm
    other = structure("flexor_pollicis_brevis_opponens.right").centre_mm
    left = place_mm("palm", Mark(1, "palm.left", "", thumb, 1.0))
    right = place_mm("palm", Mark(1, "palm.right", "", other, 1.0))
    assert left[0] < 0 < right[0]
    assert left[1] == right[1]


def test_front_of_the_armpits_lies_towards_each_other() -> None:
    front = np.array([0.0, 0.0, 10.0])
    left, right = (
        place_mm("axilla", Mark(1, name, "", structure(name).centre_mm + front, 1.0))
        for name in BEARERS["axilla"]
    )
    assert left == pytest.approx([-10, 0])
    assert right == pytest.approx([10, 0])


@pytest.mark.parametrize("region", BEARERS)
def test_size_of_the_body_moves_no_site_in_its_outline(region: str) -> None:
    small, usual = _marks(region, 0.7), _marks(region)
    for one, other in zip(small, usual, strict=True):
        assert place_mm(region, one, 0.7) == pytest.approx(place_mm(region, other))


@pytest.mark.parametrize(
    ("region", "names", "depth"),
    [
        ("axilla", ["epidermis", "dermis", "sweat glands", "fat"], "2 mm"),
        ("palm", ["epidermis", "dermis", "sweat glands", "fat", "fascia of the palm"], "2 mm"),
        ("bladder", ["mucosa", "detrusor", "fat around the bladder"], "3 mm"),
    ],
)
def test_section_names_its_layers(region: str, names: list[str], depth: str) -> None:
    marks = _marks(region)
    picture = layer_section_picture(region, marks, _around(marks[2]))
    assert set(names) <= set(_written(picture.svg))
    assert "5 mm" in _written(picture.svg)
    assert picture.summary.startswith(f"3: {marks[2].words}, {depth} deep")
    assert "at most 20 U/cm³" in picture.summary


def test_section_over_the_thumb_muscles_shows_them() -> None:
    over = next(m for m in _marks("palm") if m.site_mm.tolist() == [222.5, -13.0, 0.0])
    beside = next(m for m in _marks("palm") if m.site_mm.tolist() == [177.5, 13.0, 0.0])
    shown = [layer_section_picture("palm", [mark], _around(mark)).svg for mark in (over, beside)]
    assert ["#f6c9b8" in svg for svg in shown] == [True, False]


def test_section_without_toxin_has_no_lines() -> None:
    mark = _marks("bladder")[0]
    picture = layer_section_picture("bladder", [mark], lambda at: np.zeros(at.shape[:-1]))
    assert "at most 0 U/cm³" in picture.summary
