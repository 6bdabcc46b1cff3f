"""Readings of every patient in a Zarr folder that xarray opens; a run that broke off goes on there.

One file a block and array. The checksum of a block is written after its readings: a block whose
readings do not match it, or that has none, is computed again.
"""

import errno
import hashlib
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import numpy as np
import xarray
import zarr
from zarr.errors import ZarrUserWarning

from openbont.catalog.evidence import parameters
from openbont.catalog.scales import placed
from openbont.design import Design
from openbont.errors import BadInput
from openbont.trials.people import BLOCK
from openbont.trials.readings import Block, places
from openbont.trials.run import Blocks, here

_NONE = -1
_DIMS = {
    "replicate": ("patient",),
    "entry": ("place", "patient"),
    "value": ("arm", "place", "visit", "patient"),
}


def stored(folder: str | Path, blocks: Blocks = here, resume: bool = False) -> Blocks:
    """`blocks`, each written to `folder` as it comes; with `resume`, those there are read instead.

    Raises BadInput for a folder that holds something else, and when a block cannot be written.
    """

    def run(design: Design, seed: int, numbers: Sequence[int]) -> Iterator[Block]:
        store = Store(Path(folder), design, seed, resume)
        missing = {number for number in numbers if store.read(number) is None}
        fresh = iter(blocks(design, seed, sorted(missing)))
        for number in numbers:
            if number in missing:
                store.write(next(fresh))
            block = store.read(number)
            assert block is not None
            yield block

    return run


class Store:
    """One trial in one folder."""

    def __init__(self, folder: Path, design: Design, seed: int, resume: bool) -> None:
        self.folder = folder
        self.people = design.patients * design.replicates
        made_by = _made_by(design, seed)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            self._refuse_others(made_by, resume)
        else:
            with self._writing():
                _create(folder, design, self.people, made_by)
        self._arrays = {
            name: zarr.open_array(folder / name, mode="r+") for name in (*_DIMS, "checksum")
        }

    def read(self, number: int) -> Block | None:
        """One block; None where it is not there, or not whole."""
        if (expected := self._arrays["checksum"][number]) == _NONE:
            return None
        some = self._patients(number)
        try:
            arrays = {name: np.asarray(self._arrays[name][..., some]) for name in _DIMS}
        except (OSError, ValueError, RuntimeError):  # what torn files make of a codec
            return None
        return Block(number, **arrays) if _checksum(arrays) == expected else None

    def write(self, block: Block) -> None:
        """Keep one block: readings first, then the checksum that says they are there."""
        some = self._patients(block.number)
        arrays = {name: getattr(block, name)[..., : some.stop - some.start] for name in _DIMS}
        with self._writing():
            for name, array in arrays.items():
                self._arrays[name][..., some] = array
            self._arrays["checksum"][block.number] = _checksum(arrays)

    def _patients(self, number: int) -> slice:
        return slice(number * BLOCK, min((number + 1) * BLOCK, self.people))

    def _refuse_others(self, made_by: dict[str, str | int], resume: bool) -> None:
        """Raises BadInput unless this very trial is in the folder and is to go on."""
        there = _attributes(self.folder)
        if not made_by.keys() <= there.keys():
            raise BadInput(str(self.folder), "is not the folder of a trial", "name a new folder")
        if other := [name for name, value in made_by.items() if there[name] != value]:
            raise BadInput(
                str(self.folder),
                f"holds a trial with another {' and another '.join(other)}",
                "name a new folder",
            )
        if not resume:
            raise BadInput(
                str(self.folder), "holds this trial", "resume it (--resume) or name a new folder"
            )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Raises BadInput with the way out when the folder cannot be written."""
        try:
            yield
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise BadInput(
                str(self.folder),
                "the disk is full" if full else f"cannot be written ({error.strerror})",
                "blocks that are done stay; make room and resume (--resume)" if full else "",
            ) from error


def _made_by(design: Design, seed: int) -> dict[str, str | int]:
    """What decides every number in the folder."""
    values = repr(sorted((name, one.value) for name, one in parameters().items()))
    return {
        "design": design.model_dump_json(),
        "seed": seed,
        "version": version("openbont"),
        "parameters": hashlib.sha256(values.encode()).hexdigest()[:16],
    }


def _create(folder: Path, design: Design, people: int, made_by: dict[str, str | int]) -> None:
    """Names and empty arrays; nothing is written for patients yet, however many there are."""
    named: dict[str, np.ndarray] = {
        "arm": np.array([arm.name for arm in design.arms], object),
        "place": np.array([placed(*place) for place in places(design)], object),
        "visit": np.array(design.weeks),
    }
    coordinates = xarray.Dataset(coords=named, attrs=made_by)
    coordinates.visit.attrs["units"] = "week"
    coordinates.to_zarr(folder, mode="w-", consolidated=False)
    group = zarr.open_group(folder, mode="r+")
    sizes = {name: len(values) for name, values in named.items()} | {"patient": people}
    for name, dims in _DIMS.items():
        shape = tuple(sizes[dim] for dim in dims)
        group.create_array(
            name,
            shape=shape,
            chunks=(*shape[:-1], BLOCK),
            dtype="i8" if name == "replicate" else "f4",
            fill_value=_NONE if name == "replicate" else np.nan,
            dimension_names=dims,
            attributes={} if name == "replicate" else {"coordinates": "replicate"},
        )
    count = -(-people // BLOCK)
    group.create_array(
        "checksum",
        shape=(count,),
        chunks=(1,),
        dtype="i8",
        fill_value=_NONE,
        dimension_names=("block",),
    )
    with warnings.catch_warnings():  # a warning that other readers may not know of it
        warnings.simplefilter("ignore", ZarrUserWarning)
        zarr.consolidate_metadata(folder)


def _attributes(folder: Path) -> dict[str, object]:
    try:
        return dict(zarr.open_group(folder, mode="r").attrs)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}


def _checksum(arrays: dict[str, np.ndarray]) -> int:
    total = 0
    for array in arrays.values():
        total = zlib.crc32(np.ascontiguousarray(array).tobytes(), total)
    return total
