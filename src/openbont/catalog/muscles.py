"""Muscles and layers by name: numbers with their sources, and the structures built from them."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np

from openbont.anatomy.belly import Belly
from openbont.anatomy.muscles import bellies, belly
from openbont.anatomy.structure import Structure, frame_along
from openbont.catalog.evidence import sources
from openbont.catalog.needles import needles
from openbont.catalog.products import read_folder
from openbont.errors import UnknownName
from openbont.evidence import Source
from openbont.plan import Injection

SIDES: Final = ("left", "right")
_UNMODELLED = {
    "lumbricals_interossei": "lumbricals and interossei",
}


@dataclass(frozen=True)
class Muscle:
    """Published numbers of one muscle; None where none is known."""

    id: str
    words: str
    volume_cm3: float
    fibre_mm: float
    pennation_deg: float
    pcsa_cm2: float
    end_plate_zone: str
    """Place of the end-plate zone along `end_plate_line`, in words; empty where not known."""
    end_plate_line: str
    sources: tuple[Source, ...]


@cache
def muscles() -> dict[str, Muscle]:
    """Muscles with a published volume and architecture."""
    text = files("openbont.catalog").joinpath("muscles.csv").read_text("utf-8")
    return {row["muscle"]: _muscle(row) for row in csv.DictReader(text.splitlines())}


@cache
def layers() -> dict[str, dict[str, Any]]:
    """Flat muscles, glands and shells by name, as written in layers/."""
    return read_folder("layers")


def base(structure: str) -> str:
    """flexor_carpi_radialis.left -> flexor_carpi_radialis."""
    return structure.rsplit(".", 1)[0] if structure.endswith((".left", ".right")) else structure


def side(structure: str) -> str:
    """left, right, or empty for a midline structure."""
    return structure.rsplit(".", 1)[1] if structure.endswith((".left", ".right")) else ""


def words(structure: str) -> str:
    """flexor_carpi_radialis.left -> left flexor carpi radialis."""
    name = base(structure)
    plain = (
        muscles()[name].words
        if name in muscles()
        else layers().get(name, {}).get("words") or _UNMODELLED.get(name, name.replace("_", " "))
    )
    return f"{side(structure)} {plain}".strip()


def place_words(injection: Injection, disorder: str = "") -> str:
    """Where the needle goes, in words: landmarks, the midline, or millimetres from the centre."""
    if injection.site_mm is None:
        said = landmarks(injection.structure, injection.sites, disorder)
        return "; ".join(dict.fromkeys(said))
    if injection.site_mm == middle_mm(injection.structure, disorder):
        return "in the midline, level with the other sites"
    along, across, deep = (f"{mm:g}" for mm in injection.site_mm)
    return f"{along} mm along, {across} mm across and {deep} mm deep from the centre"


def middle_mm(name: str, disorder: str = "") -> tuple[float, float, float] | None:
    """The midline of the body as along, across and deep from a structure's centre.

    None where the structure does not lie across the midline's direction.
    """
    one = structure(name, disorder)
    across = float(one.frame[1, 0])
    if abs(across) < 0.5:
        return None
    return (0.0, round(-float(one.centre_mm[0]) / across, 1), 0.0)


def landmarks(structure: str, sites: int, disorder: str = "") -> list[str]:
    """Where the needle goes, in words, one for each site where a label fixes them."""
    fixed = [site["landmark"] for site in _layer_row(structure, disorder).get("sites", ())]
    if len(fixed) >= sites:
        return fixed[:sites]
    needle, muscle = needles().get(base(structure)), muscles().get(base(structure))
    said = [needle.landmark] if needle is not None and needle.landmark else []
    if muscle is not None and muscle.end_plate_zone:
        said.append(f"end-plate zone: {muscle.end_plate_zone}, {muscle.end_plate_line}")
    else:
        said.append("end-plate zone not known: middle of the muscle")
    return ["; ".join(said)]


@cache
def structure(name: str, disorder: str = "") -> Structure:
    """The structure called `name`, for instance biceps_brachii.left. Raises UnknownName.

    A disorder may concern a part of a layer only, with sites of its own.
    """
    if name not in modelled():
        raise UnknownName("", "structure with a known shape", name, modelled())
    row = _layer_row(name, disorder)
    return _layer(name, disorder) if row and not row.get("mapped") else mapped(belly(name))


@cache
def modelled() -> tuple[str, ...]:
    """Every structure that has a shape and a place."""
    paired = [name for name, row in layers().items() if not row.get("midline")]
    midline = [name for name, row in layers().items() if row.get("midline")]
    flat = (*(f"{name}.{one}" for name in paired for one in SIDES), *midline)
    return tuple(dict.fromkeys((*bellies(), *flat)))


def of_layers(region: str) -> list[str]:
    """Names of all layers of a region: both sides of the paired ones, then the midline."""
    rows = {name: row for name, row in layers().items() if row.get("region", "head") == region}
    paired = [f"{n}.{one}" for n, row in rows.items() if not row.get("midline") for one in SIDES]
    return paired + [name for name, row in rows.items() if row.get("midline")]


def _muscle(row: dict[str, str]) -> Muscle:
    named = (row["volume_source"], row["architecture_source"], row["end_plate_source"])
    return Muscle(
        row["muscle"],
        row["words"],
        float(row["volume_cm3"]),
        float(row["fibre_mm"]),
        float(row["pennation_deg"]),
        float(row["pcsa_cm2"]),
        row["end_plate_zone"],
        row["end_plate_line"],
        tuple(sources()[name] for name in dict.fromkeys(named) if name),
    )


def mapped(one: Belly, size: float = 1.0) -> Structure:
    """A muscle of a mapped region, in a body `size` times as long as the reference one."""
    return Structure(
        id=one.id,
        kind="muscle",
        region=one.region,
        compartment=one.compartment,
        centre_mm=one.centre_mm,
        frame=one.frame,
        half_mm=one.half_mm,
        plate_mm=one.node_mm,
        solid_cm3=one.volume_cm3,
        size=size,
    )


def _layer_row(name: str, disorder: str) -> dict[str, Any]:
    """A layer as written, with what differs `within` a disorder."""
    row = layers().get(base(name), {})
    here: dict[str, Any] = row.get("within", {}).get(disorder, {})
    return row | here


def _layer(name: str, disorder: str) -> Structure:
    row = _layer_row(name, disorder)
    mirror = np.array([-1.0 if side(name) == "right" else 1.0, 1.0, 1.0])
    centre = np.array(row["centre_mm"], float) * mirror
    frame = frame_along(np.array(row["fibre"], float), np.array(row["deep"], float)) * mirror
    at = np.array([site["at"] for site in row["sites"]]).reshape(-1, 3)
    local = (at * mirror - centre) @ frame.T
    local[:, 2] = 0.0  # the needle goes from the skin into the muscle
    return Structure(
        id=name,
        kind=row.get("kind", "layer"),
        region=row.get("region", "head"),
        compartment=f"{row['compartment']} {side(name)}",
        centre_mm=centre,
        frame=frame,
        half_mm=np.array(row["half_mm"], float),
        pattern_mm=centre + local @ frame,
    )
