"""Build the muscles in space that ship with the package, from the reference body and the sections.

    python tools/build_muscles.py [segment ...]

Every segment of catalog/sections.yaml is laid out within the skin of the reference body; with
names, only these are, and nothing is written. Same table and body, same bytes.
"""

import io
import sys
import zipfile
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from openbont.anatomy.atlas import COMMON, Atlas, Grid
from openbont.anatomy.belly import Belly, Zone, measure
from openbont.anatomy.limb import skin
from openbont.anatomy.section import Layout, Skin, both_sides, lay_out
from openbont.anatomy.surface import Surface, surface
from openbont.catalog.sections import Section, fitted, sections

BMI = 75 / 1.75**2
"""Of the reference body in the law of leg volumes: its limbs are those of a man of 75 kg, while the
mesh as a whole has but 55 l (assumed)."""
PLACE = Path(__file__).parents[1] / "src/openbont/anatomy/muscles.npz"


def laid_out(section: Section, body: Surface) -> tuple[Skin, Layout]:
    """One segment within the skin of a body."""
    height_m = body.height_cm / 100
    segment = fitted(section, height_m, BMI * height_m**2)
    around = skin(body, section.line)
    layout = lay_out(around, segment)
    return around, both_sides(layout) if segment.half else layout


def atlas_of(section: Section, layout: Layout) -> Atlas:
    """The atlas of one segment alone."""
    compartment = {one.id: one.compartment for one in section.segment.muscles}
    side = " {}" if section.segment.half else ""
    names = tuple(_compartment(name, compartment, side) for name in layout.ids)
    return Atlas(_region(section), COMMON + layout.ids, ("",) * len(COMMON) + names, (layout.grid,))


def _compartment(name: str, compartment: dict[str, str], side: str) -> str:
    """Of a muscle; a midline one has its own, and a grid with two sides tells them apart."""
    stem, _, which = name.rpartition(".")
    return compartment[f"{stem}.left"] + side.format(which) if stem else name


def bellies_of(section: Section, around: Skin, layout: Layout) -> list[Belly]:
    """The muscles of the left side and the midline, measured."""
    atlas = atlas_of(section, layout)
    return [
        measure(
            atlas,
            len(COMMON) + i,
            skin=around,
            zone=section.zones.get(name.removesuffix(".left"), Zone()),
            segment=section.name,
            asked_cm3=float(layout.asked_cm3[i]),
            scale=float(layout.scale[i]),
        )
        for i, name in enumerate(layout.ids)
        if not name.endswith(".right")
    ]


def joined(atlases: list[Atlas]) -> Atlas:
    """Several segments of one region, numbered one after the other."""
    whole = atlases[0]
    for more in atlases[1:]:
        shift = len(whole.tissues) - len(COMMON)
        grid = more.grids[0]
        label = np.where(grid.label >= len(COMMON), grid.label + np.uint8(shift), grid.label)
        whole = Atlas(
            whole.region,
            whole.tissues + more.tissues[len(COMMON) :],
            whole.compartments + more.compartments[len(COMMON) :],
            (*whole.grids, replace(grid, label=label)),
        )
    return whole


def _region(section: Section) -> str:
    return section.region if section.segment.half else f"{section.region}.left"


def packed(names: list[str], atlas: Atlas) -> dict[str, Any]:
    """Arrays of one region."""
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


def save(path: Path, arrays: dict[str, Any]) -> None:
    """An npz whose bytes depend on the arrays alone."""
    with zipfile.ZipFile(path, "w") as file:
        for name, array in arrays.items():
            held = io.BytesIO()
            np.lib.format.write_array(held, array, allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            file.writestr(entry, held.getvalue(), zipfile.ZIP_DEFLATED, 9)


def line(one: Belly) -> str:
    """What to look at when a muscle is built."""
    error = one.volume_cm3 / (one.asked_cm3 * one.scale) - 1
    return (
        f"{one.id:38} asked {one.asked_cm3:6.1f} scale {one.scale:.3f} error {error:+7.2%}"
        f" top {one.top_mm:4.0f} centre {one.depth_mm:4.0f} mm from {one.from_deg:3.0f}"
        f" deg {' '.join(one.crossed)}"
    )


def build(wanted: list[str]) -> dict[str, Any]:
    """Arrays of all wanted segments, printed as they come."""
    body, bellies = surface(), []
    regions: dict[str, tuple[list[str], list[Atlas]]] = {}
    for name in wanted:
        section = sections()[name]
        around, layout = laid_out(section, body)
        bellies += (new := bellies_of(section, around, layout))
        print(f"{name} {layout.grid.label.shape}", *map(line, new), sep="\n  ")
        names, atlases = regions.setdefault(_region(section), ([], []))
        names.append(name)
        atlases.append(atlas_of(section, layout))
    arrays: dict[str, Any] = {"regions": np.array(list(regions))}
    for names, atlases in regions.values():
        arrays |= packed(names, joined(atlases))
    return arrays | table(bellies)


if __name__ == "__main__":
    arrays = build(sys.argv[1:] or list(sections()))
    if len(sys.argv) == 1:
        save(PLACE, arrays)
        print(f"{PLACE}: {PLACE.stat().st_size / 1000:.0f} kB")
