"""The body of one patient for the editor, and its skin and muscles as bytes.

The model lies in the reference body at the patient's size; what is shown is the patient's own sex,
age, height and weight.
"""

import hashlib
import json
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from openbont.anatomy.atlas import Atlas
from openbont.anatomy.carried import carried_mm
from openbont.anatomy.head import atlas as head
from openbont.anatomy.mesh import Mesh, ball, mesh
from openbont.anatomy.structure import Structure
from openbont.anatomy.surface import Surface, surface
from openbont.catalog.muscles import words
from openbont.errors import BadInput
from openbont.patient import Patient
from openbont.report.places import APART

if TYPE_CHECKING:  # the model needs jax
    from openbont.forward.chain import Model

GRAIN_MM = 0.1
"""Corners travel as whole numbers of these."""


@dataclass(frozen=True, eq=False)
class Standing:
    """The patient as they are shown, and the reference body in which the model lies."""

    own: Surface
    reference: Surface
    structures: tuple[Structure, ...]
    """Those that can be reached through the skin of a standing body."""
    atlases: tuple[Atlas, ...]

    def of(self, name: str) -> Structure:
        """A structure. Raises BadInput where no place of the skin stands for it."""
        found = next((one for one in self.structures if one.id == name), None)
        if found is None:
            raise BadInput("", f"{words(name)} is not reached through this skin", _TABLE)
        return found

    def atlas(self, name: str) -> Atlas | None:
        """The map that shows a structure."""
        return next((one for one in self.atlases if name in one.tissues), None)


_TABLE = "leave its place to the number of sites"


def standing(patient: Patient, model: "Model | None") -> Standing:
    """The bodies of a patient; without a model there is nothing under the skin."""
    own = surface(patient.sex, patient.age_years, patient.height_cm, patient.weight_kg)
    there = model.structures if model else ()
    size = max((one.size for one in there), default=1.0)
    reached = tuple(one for one in there if one.region not in (*APART, "orbit"))
    return Standing(
        own, _reference(size), reached, (*(model.atlases if model else ()), _head(size))
    )


@lru_cache(maxsize=8)
def _reference(size: float) -> Surface:
    return surface().scaled(size)


@lru_cache(maxsize=8)
def _head(size: float) -> Atlas:
    return head().scaled(size)


# ---- meshes


def skin(one: Standing) -> bytes:
    """Skin and eyes."""
    return _skin(one.own)


@lru_cache(maxsize=8)
def _skin(own: Surface) -> bytes:
    parts = [
        ("skin", "skin", (own.vertex_mm, own.triangle)),
        ("eyes", "eyes", _used(own.vertex_mm, own.eye_triangle)),
    ]
    return packed(parts)


def _used(vertex_mm: np.ndarray, triangle: np.ndarray) -> Mesh:
    """Without the corners that no triangle has."""
    used, again = np.unique(triangle, return_inverse=True)
    return vertex_mm[used], again.reshape(triangle.shape)


def muscles(one: Standing) -> bytes:
    """Everything under the skin that the model knows, in the patient's own shape."""
    return _muscles(one.own, one.reference, one.structures, one.atlases)


@lru_cache(maxsize=6)
def _muscles(
    own: Surface,
    reference: Surface,
    structures: tuple[Structure, ...],
    atlases: tuple[Atlas, ...],
) -> bytes:
    parts = []
    for structure in structures:
        atlas = next((one for one in atlases if structure.id in one.tissues), None)
        vertex, triangle = ball(structure) if atlas is None else mesh(atlas, structure.id)
        shown = carried_mm(reference, own, vertex)
        parts.append((structure.id, words(structure.id), (shown, triangle)))
    return packed(parts)


def packed(parts: Sequence[tuple[str, str, Mesh]]) -> bytes:
    """Length of a JSON list of parts, the list, then corners and triangles of each part.

    Little-endian: corners are three int16 in steps of 0.1 mm, triangles three uint16.
    """
    heads = [
        {"id": name, "words": said, "corners": len(corner), "triangles": len(triangle)}
        for name, said, (corner, triangle) in parts
    ]
    text = json.dumps(heads).encode()
    text += b" " * (-len(text) % 4)
    return b"".join([struct.pack("<I", len(text)), text, *_numbers(mesh for *_, mesh in parts)])


def _numbers(meshes: Iterable[Mesh]) -> Iterable[bytes]:
    for corner, triangle in meshes:
        yield np.rint(corner / GRAIN_MM).astype("<i2").tobytes()
        yield triangle.astype("<u2").tobytes()


def tag(content: bytes) -> str:
    """The same for the same content."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'
