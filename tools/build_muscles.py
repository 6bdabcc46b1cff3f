"""Build the muscles in space that ship with the package, from the reference body and the sections.

    python tools/build_muscles.py [region ...]

Every segment of catalog/sections.yaml is laid out within the skin of the reference body; with
names of regions, only these are, and nothing is written. Same table and body, same bytes.
"""

import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from npz import save

from openbont.anatomy.atlas import Grid
from openbont.anatomy.belly import Belly
from openbont.anatomy.region import Region, solve
from openbont.anatomy.surface import surface
from openbont.catalog.sections import reference_sections, regions

PLACE = Path(__file__).parents[1] / "src/openbont/anatomy/muscles.npz"


def packed(names: list[str], region: Region) -> dict[str, Any]:
    """Arrays of one region."""
    atlas = region.atlas
    held: dict[str, Any] = {
        f"{atlas.region}.segments": np.array(names),
        f"{atlas.region}.tissues": np.array(atlas.tissues),
        f"{atlas.region}.compartments": np.array(atlas.compartments),
    }
    for name, grid in zip(names, atlas.grids, strict=True):
        held |= {f"{name}.{field.name}": getattr(grid, field.name) for field in fields(Grid)}
    return held


def table(bellies: list[Belly]) -> dict[str, Any]:
    """One column a field of the measured muscles."""
    columns = {field.name: [getattr(one, field.name) for one in bellies] for field in fields(Belly)}
    columns["crossed"] = [";".join(one.crossed) for one in bellies]
    columns["node_mm"] = np.array(columns["node_mm"], np.float32)
    return {f"belly.{name}": np.array(column) for name, column in columns.items()}


def line(one: Belly) -> str:
    """What to look at when a muscle is built."""
    error = one.volume_cm3 / (one.asked_cm3 * one.scale) - 1
    return (
        f"{one.id:38} asked {one.asked_cm3:6.1f} scale {one.scale:.3f} error {error:+7.2%}"
        f" top {one.top_mm:4.0f} centre {one.depth_mm:4.0f} mm from {one.from_deg:3.0f}"
        f" deg {' '.join(one.crossed)}"
    )


def build(wanted: list[str]) -> dict[str, Any]:
    """Arrays of all wanted regions, their muscles printed as they come."""
    arrays: dict[str, Any] = {}
    bellies: list[Belly] = []
    built = []
    for name in wanted:
        sections = reference_sections(name)
        region = solve(sections, surface())
        print(name, *map(line, region.bellies), sep="\n  ")
        arrays |= packed([section.name for section in sections], region)
        bellies += region.bellies
        built.append(region.atlas.region)
    return {"regions": np.array(built)} | arrays | table(bellies)


if __name__ == "__main__":
    arrays = build(sys.argv[1:] or regions())
    if len(sys.argv) == 1:
        save(PLACE, arrays)
        print(f"{PLACE}: {PLACE.stat().st_size / 1000:.0f} kB")
