"""The table of sections: which muscles a segment holds, where they lie in it, and who says so."""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import numpy as np

from openbont.anatomy.atlas import BONE, COMMON, OTHER, OUTSIDE
from openbont.anatomy.belly import Belly, Zone
from openbont.anatomy.limb import Line
from openbont.anatomy.muscles import bellies
from openbont.anatomy.region import Section
from openbont.anatomy.section import Muscle, Segment, Stamp, Wall
from openbont.catalog.evidence import sources
from openbont.catalog.muscles import muscles
from openbont.catalog.products import read
from openbont.evidence import Source

LEG_CM3: Final = (47.0, 1285.0)
"""Muscle volume of one lower limb: slope on mass (kg) times height (m), and intercept."""
LEG_TABLE: Final = (75.0, 1.75)
"""Mass and height for which the table gives the volumes of the lower limb."""
LEG_SOURCE: Final = "handsfield_2014"
REFERENCE_M: Final = 1.676
"""Height of the reference body."""
LEG_BMI: Final = 75 / 1.75**2
"""Body mass index of the reference body in the law of leg volumes, that of the table: the limbs of
the mesh are as thick as that, while the mesh as a whole holds but 57 l (assumed)."""
_STAMPS: Final = {"bone": BONE, "other": OTHER, "air": OUTSIDE}
_FROM: Final = (
    "lateral side",
    "front, lateral side",
    "front",
    "front, medial side",
    "medial side",
    "back, medial side",
    "back",
    "back, lateral side",
)


@cache
def sections() -> dict[str, Section]:
    """All segments by name, with the volumes of the table."""
    return {name: _section(name, row) for name, row in read("sections.yaml").items()}


def regions() -> list[str]:
    """Regions that have sections: arm, leg, neck."""
    return list(dict.fromkeys(one.region for one in sections().values()))


def reference_sections(region: str) -> list[Section]:
    """Segments of a region as the reference body has them."""
    return own_sections(region, REFERENCE_M, LEG_BMI * REFERENCE_M**2)


def own_sections(region: str, height_m: float, mass_kg: float) -> list[Section]:
    """Segments of a region with the muscle volumes of a body of this height and mass.

    The lower limb follows its published law; elsewhere volumes grow with the cube of height.
    """
    law, table = (leg_cm3(m, h) for m, h in ((mass_kg, height_m), LEG_TABLE))
    size = height_m / REFERENCE_M
    return [
        replace(one, segment=_grown(one, law / table, size**3))
        for one in sections().values()
        if one.region == region
    ]


def leg_cm3(mass_kg: float, height_m: float) -> float:
    """Volume of all muscles of one lower limb."""
    slope, rest = LEG_CM3
    return slope * mass_kg * height_m + rest


def _grown(section: Section, leg: float, others: float) -> Segment:
    rows = _rows()
    return replace(
        section.segment,
        muscles=tuple(
            replace(
                one,
                volume_cm3=one.volume_cm3
                * (leg if rows[_base(one.id)]["source"] == LEG_SOURCE else others),
            )
            for one in section.segment.muscles
        ),
    )


def section_sources(muscle: str) -> tuple[Source, ...]:
    """Who says how big a muscle is, where it lies and where its end plates are."""
    row = _rows()[muscle]
    zone = row.get("zone", {}).get("source", "design_assumption")
    named = (row["source"], "recalled_anatomy", zone)
    return tuple(sources()[name] for name in dict.fromkeys(named))


def came_from(belly: Belly) -> str:
    """Side from which the needle comes in the anatomical position, in words."""
    return _FROM[round(belly.from_deg / 45) % 8]


@dataclass(frozen=True)
class Reached:
    """What the muscles in space have come to, for one muscle of the left side or the midline."""

    muscle: str
    segment: str
    asked_cm3: float
    volume_cm3: float
    scale: float
    depth_mm: float
    top_mm: float
    approach: str
    crossed: tuple[str, ...]
    end_plate_zone: str
    sources: tuple[Source, ...]


def reached() -> list[Reached]:
    """One row a muscle in space, for tables."""
    return [_reached(one) for one in bellies().values() if not one.id.endswith(".right")]


def _reached(belly: Belly) -> Reached:
    muscle = _base(belly.id)
    return Reached(
        muscle,
        belly.segment,
        belly.asked_cm3,
        belly.volume_cm3,
        belly.scale,
        belly.depth_mm,
        belly.top_mm,
        came_from(belly),
        tuple(_base(name) for name in belly.crossed),
        _zone_words(_rows()[muscle].get("zone")),
        section_sources(muscle),
    )


def _zone_words(zone: dict[str, Any] | None) -> str:
    if zone is None:
        return "middle half of the muscle"
    whole = "the segment" if zone["along"] == "segment" else "the muscle"
    windows = " and ".join(f"{low:.2f} to {high:.2f}" for low, high in zone["windows"])
    edges = zone.get("edges")
    lower = f", its edges at {edges[0]:.2f} (lateral) and {edges[1]:.2f} (medial)" if edges else ""
    return f"{windows} of {whole}{lower}"


def _base(name: str) -> str:
    return name.removesuffix(".left").removesuffix(".right")


@cache
def _rows() -> dict[str, dict[str, Any]]:
    """Every row of a muscle by its name without side."""
    rows: dict[str, dict[str, Any]] = {}
    for table in read("sections.yaml").values():
        muscles = table["muscles"] | {
            name: row for name, row in table["stamps"].items() if row["label"] == "muscle"
        }
        assert not rows.keys() & muscles.keys(), "a muscle comes in two segments"
        rows |= muscles
    return rows


def _section(name: str, row: dict[str, Any]) -> Section:
    zones = {
        muscle: _zone(muscle, table.get("zone", {})) for muscle, table in row["muscles"].items()
    }
    return Section(name, row["region"], _line(row), _segment(row), zones)


def _zone(muscle: str, row: dict[str, Any]) -> Zone:
    """The published zone, or the middle half of the muscle; with the length of its fibres."""
    return Zone(
        tuple((low, high) for low, high in row.get("windows", Zone().windows)),
        row.get("along", "muscle"),
        tuple(row["edges"]) if "edges" in row else None,
        muscles()[muscle].fibre_mm if muscle in muscles() else None,
    )


def _line(row: dict[str, Any]) -> Line:
    return Line(
        joints=tuple(row["joints"]),
        shift=tuple(tuple(one) for one in row.get("shift", ())),
        front=tuple(row.get("front", ())),
        knuckles=tuple(row.get("knuckles", ())),
        spans=tuple(row["spans"]),
        step_mm=tuple(row["step_mm"]),
        half_mm=row["half_mm"],
    )


def _segment(row: dict[str, Any]) -> Segment:
    stamped = [name for name, stamp in row["stamps"].items() if stamp["label"] == "muscle"]
    first = len(COMMON) + len(row["muscles"])
    labels = _STAMPS | {name: first + i for i, name in enumerate(stamped)}
    stamps = {
        name: Stamp(
            labels[name if name in stamped else stamp["label"]],
            np.array(stamp["path"], float),
            stamp.get("elongation", 1.0),
            stamp.get("angle_deg", 0.0),
        )
        for name, stamp in row["stamps"].items()
    }
    return Segment(
        muscles=tuple(_muscle(name, one) for name, one in row["muscles"].items()),
        stamps=tuple(stamps.values()),
        wall=_wall(row, stamps),
        fat_mm=row["fat_mm"],
        fat_share=row["fat_share"],
        fat_tilt_mm=row["fat_tilt_mm"],
        free=tuple(row["free"]),
        reach=row["reach"],
        stamped=tuple(stamped),
        half=row.get("half", False),
    )


def _wall(row: dict[str, Any], stamps: dict[str, Stamp]) -> Wall | None:
    wall = row.get("wall")
    if wall is None:
        return None
    lateral, medial = (stamps[wall[side]] for side in ("lateral", "medial"))
    return Wall(lateral, medial, tuple(wall["front"]), tuple(wall["back"]))


def _muscle(name: str, row: dict[str, Any]) -> Muscle:
    return Muscle(
        id=f"{name}.left",
        compartment=row["compartment"],
        volume_cm3=float(row["volume_cm3"]),
        spans=tuple(row["spans"]),
        peak=row["peak"],
        path=np.array([[*knot, row.get("angle_deg", 0.0)][:4] for knot in row["path"]]),
        elongation=row.get("elongation", 1.0),
        fullness=row.get("fullness", 2.0),
    )
