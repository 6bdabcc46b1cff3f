"""Fetch the libraries of the workbench's pages and write them where the package ships them.

    python tools/vendor_web.py

Each comes from npm in the version named here, as its authors built it; beside it lie its licence
and MANIFEST.json with the hash of every file. No page of ours fetches anything from elsewhere.
"""

import hashlib
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PLACE = Path(__file__).parents[1] / "src/openbont/web/static/vendor"
FREE = {"MIT", "BSD-3-Clause", "0BSD"}


@dataclass(frozen=True)
class Library:
    """One package of npm, and what is taken of it."""

    name: str
    version: str
    files: tuple[str, ...]
    changed: tuple[tuple[str, str, str], ...] = ()
    """File, text, and what stands in its place: a page without inline scripts has no import map."""


LIBRARIES = (
    Library("uplot", "1.6.32", ("dist/uPlot.esm.js", "dist/uPlot.min.css")),
    Library(
        "three",
        "0.185.1",  # the last that is published minified
        (
            "build/three.module.min.js",
            "build/three.core.min.js",
            "examples/jsm/controls/OrbitControls.js",
        ),
        (("OrbitControls.js", "from 'three'", "from './three.module.min.js'"),),
    ),
)


def main() -> None:
    """Fetch all, and write the manifest."""
    PLACE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        rows = [row for one in LIBRARIES for row in _written(one, Path(folder))]
    manifest = json.dumps(rows, indent=2) + "\n"
    (PLACE / "MANIFEST.json").write_text(manifest)


def _written(one: Library, folder: Path) -> Iterator[dict[str, str]]:
    """Files of a library where they shall lie; a row of the manifest for each."""
    with tarfile.open(_packed(one, folder)) as packed:
        about = json.loads(_read(packed, "package.json"))
        if about["license"] not in FREE:
            raise SystemExit(f"{one.name}: licence {about['license']} was not looked at")
        licence = f"{one.name}.LICENSE.txt"
        (PLACE / licence).write_bytes(_read(packed, "LICENSE"))
        for path in one.files:
            name = Path(path).name
            content = _changed(one, name, _read(packed, path))
            (PLACE / name).write_bytes(content)
            yield {
                "file": name,
                "sha256": hashlib.sha256(content).hexdigest(),
                "package": one.name,
                "version": about["version"],
                "licence": about["license"],
                "licence_text": licence,
            }


def _packed(one: Library, folder: Path) -> Path:
    """The package as npm keeps it."""
    wanted = f"{one.name}@{one.version}"
    command = ["npm", "pack", wanted, "--json", "--pack-destination", str(folder)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return folder / str(told[0]["filename"])


def _read(packed: tarfile.TarFile, path: str) -> bytes:
    held = packed.extractfile(f"package/{path}")
    assert held is not None
    return held.read()


def _changed(one: Library, name: str, content: bytes) -> bytes:
    for file, old, new in one.changed:
        if file == name:
            assert content.count(old.encode()) == 1, f"{name}: {old!r} is not there once"
            content = content.replace(old.encode(), new.encode())
    return content


if __name__ == "__main__":
    main()
