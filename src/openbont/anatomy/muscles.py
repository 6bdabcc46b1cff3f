"""The muscles of limbs and neck in space, built by tools/build_muscles.py in the reference body.

Regions: arm.left, arm.right, leg.left, leg.right and neck. The right side is the mirror image.
"""

import io
from dataclasses import fields
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from openbont.anatomy.atlas import Atlas, Grid
from openbont.anatomy.belly import Belly
from openbont.errors import UnknownName


@cache
def atlas(region: str) -> Atlas:
    """What lies where in a region. Raises UnknownName."""
    if region not in regions():
        raise UnknownName("", "region with muscles in space", region, regions())
    limb, _, side = region.partition(".")
    if side == "right":
        return atlas(f"{limb}.left").mirrored(region)
    data = _data()
    names = [str(name) for name in data[f"{region}.segments"]]
    parts = ("label", "origin_mm", "axes", "step_mm")
    grids = tuple(Grid(*(data[f"{name}.{part}"] for part in parts)) for name in names)
    tissues, compartments = (
        tuple(data[f"{region}.{what}"].tolist()) for what in ("tissues", "compartments")
    )
    return Atlas(region, tissues, compartments, grids)


@cache
def regions() -> tuple[str, ...]:
    """Regions that have an atlas."""
    built = [str(name) for name in _data()["regions"]]
    other = [name.replace(".left", ".right") for name in built if name.endswith(".left")]
    return (*built, *other)


def belly(structure: str) -> Belly:
    """A muscle in space, for instance soleus.left. Raises UnknownName."""
    if structure not in bellies():
        raise UnknownName("", "muscle in space", structure, bellies())
    return bellies()[structure]


@cache
def bellies() -> dict[str, Belly]:
    """All muscles in space, both sides."""
    data = _data()
    columns = {field.name: data[f"belly.{field.name}"] for field in fields(Belly)}
    count = len(columns["id"])
    left = [_belly({name: column[i] for name, column in columns.items()}) for i in range(count)]
    right = [
        one.mirrored(one.region.replace(".left", ".right"))
        for one in left
        if one.id.endswith(".left")
    ]
    return {one.id: one for one in left + right}


def _belly(row: dict[str, Any]) -> Belly:
    plain = {name: value.item() if value.ndim == 0 else value for name, value in row.items()}
    crossed = tuple(name for name in plain.pop("crossed").split(";") if name)
    return Belly(**plain, crossed=crossed)


@cache
def _data() -> dict[str, np.ndarray]:
    held = files("openbont.anatomy").joinpath("muscles.npz").read_bytes()
    with np.load(io.BytesIO(held)) as arrays:
        return {name: arrays[name] for name in arrays.files}
