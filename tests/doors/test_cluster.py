"""Many processes, and a folder of readings: the same bytes, whatever breaks."""

import errno
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray
import zarr
from distributed import LocalCluster

from openbont.design import Design, Endpoint
from openbont.errors import BadInput, UnknownName
from openbont.trials import cluster as cluster_module
from openbont.trials.cluster import AHEAD, clustered
from openbont.trials.people import BLOCK
from openbont.trials.readings import Block, run_block
from openbont.trials.result import TrialResult
from openbont.trials.run import run_trial
from openbont.trials.store import stored
from tests.trials import digest, same, trial

NUMBERS = range(6)


@pytest.fixture(scope="module", autouse=True)
def compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Workers take what another one has compiled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path_factory.mktemp("jax")))
        patch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
        yield


@pytest.fixture(scope="module")
def alone() -> TrialResult:
    return run_trial(trial(), 1)


@pytest.fixture(scope="module")
def two() -> Iterator[LocalCluster]:
    with LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster


def one_by_one(design: Design, seed: int, numbers: Sequence[int]) -> Iterator[Block]:
    return (run_block(design, seed, number) for number in numbers)


def test_processes_of_our_own_give_the_same_bytes(alone: TrialResult) -> None:
    assert digest(run_trial(trial(), 1, blocks=clustered(workers=1))) == digest(alone)


@pytest.mark.parametrize("chunk", range(1, 6))
def test_any_chunk_on_two_workers_gives_the_same_bytes(
    two: LocalCluster, alone: TrialResult, chunk: int
) -> None:
    blocks = clustered(scheduler=two.scheduler_address, chunk=chunk)
    assert digest(run_trial(trial(), 1, blocks=blocks)) == digest(alone)


def test_few_blocks_are_in_flight_however_many_there_are(two: LocalCluster) -> None:
    blocks = iter(clustered(scheduler=two.scheduler_address)(trial(), 1, range(1000)))
    for _ in range(3):
        next(blocks)
        assert len(two.scheduler.tasks) <= AHEAD * 2
    blocks.close()


def test_an_error_of_a_worker_arrives_in_its_own_words(two: LocalCluster) -> None:
    asked = trial(endpoints=(Endpoint(scale="HIT-6", week=4),))
    with pytest.raises(UnknownName, match="unknown reading of this disorder") as caught:
        run_trial(asked, 1, blocks=clustered(scheduler=two.scheduler_address))
    assert caught.value.place == "endpoints"


def test_a_killed_worker_loses_nothing(two: LocalCluster, alone: TrialResult) -> None:
    killed = []

    def blocks(design: Design, seed: int, numbers: Sequence[int]) -> Iterator[Block]:
        for block in clustered(scheduler=two.scheduler_address)(design, seed, numbers):
            yield block
            if not killed:
                killed.append(two.workers[0].pid)
                os.kill(killed[0], signal.SIGKILL)

    assert digest(run_trial(trial(), 1, blocks=blocks)) == digest(alone)
    assert killed


def test_a_scheduler_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "WAIT_S", 0.5)
    with pytest.raises(BadInput, match="no scheduler with a worker answers"):
        run_trial(trial(), 1, blocks=clustered(scheduler="tcp://127.0.0.1:1"))


class Stop(Exception):
    pass


def broken_off(after: int) -> Any:
    def blocks(design: Design, seed: int, numbers: Sequence[int]) -> Iterator[Block]:
        yield from one_by_one(design, seed, numbers[:after])
        raise Stop

    return blocks


def counting(asked: list[int]) -> Any:
    def blocks(design: Design, seed: int, numbers: Sequence[int]) -> Iterator[Block]:
        asked.extend(numbers)
        return one_by_one(design, seed, numbers)

    return blocks


@pytest.fixture
def half(tmp_path: Path) -> Path:
    """A folder whose run broke off after two blocks."""
    with pytest.raises(Stop):
        run_trial(trial(), 1, blocks=stored(tmp_path / "half", broken_off(after=2)))
    return tmp_path / "half"


def test_resume_computes_the_rest_alone_and_gives_the_same_bytes(
    half: Path, alone: TrialResult
) -> None:
    asked: list[int] = []
    for _ in range(2):
        result = run_trial(trial(), 1, blocks=stored(half, counting(asked), resume=True))
        assert digest(result) == digest(alone)
    assert asked == [2, 3, 4, 5]


@pytest.mark.parametrize("name", ["value", "entry", "replicate"])
def test_a_block_that_is_not_whole_is_computed_again(half: Path, name: str) -> None:
    chunk = sorted(path for path in (half / name / "c").rglob("1") if path.is_file())[-1]
    chunk.unlink()
    asked: list[int] = []
    list(stored(half, counting(asked), resume=True)(trial(), 1, NUMBERS[:2]))
    assert asked == [1]


def test_a_torn_file_is_computed_again(half: Path) -> None:
    chunk = next(path for path in (half / "value" / "c").rglob("1") if path.is_file())
    chunk.write_bytes(chunk.read_bytes()[:100])
    asked: list[int] = []
    blocks = list(stored(half, counting(asked), resume=True)(trial(), 1, NUMBERS[:2]))
    assert asked == [1]
    assert same(blocks[1], run_block(trial(), 1, 1))


def test_xarray_opens_the_folder(tmp_path: Path) -> None:
    list(stored(tmp_path, one_by_one)(trial(), 1, NUMBERS))
    opened = xarray.open_zarr(tmp_path)
    assert dict(opened.sizes) == {"arm": 2, "place": 2, "visit": 2, "patient": 5500, "block": 6}
    assert list(opened.arm.values) == ["toxin", "placebo"]
    assert list(opened.place.values) == ["sweat_mg at axilla.left", "HDSS"]
    assert opened.value.chunksizes["patient"][0] == BLOCK
    assert Design.model_validate_json(opened.attrs["design"]) == trial()
    assert opened.attrs["seed"] == 1
    toxin = opened.value.sel(arm="toxin", place="HDSS", visit=4.0)
    assert int(opened.replicate[-1]) == 49
    block = run_block(trial(), 1, 0)
    np.testing.assert_array_equal(toxin[:BLOCK], block.value[0, 1, 0])
    np.testing.assert_array_equal(opened.entry[:, :BLOCK], block.entry)


@pytest.mark.parametrize(
    ("changed", "seed", "resume", "words"),
    [
        ({}, 1, False, "holds this trial; resume it"),
        ({}, 2, True, "holds a trial with another seed"),
        ({"patients": 111}, 1, True, "holds a trial with another design"),
    ],
)
def test_the_folder_of_another_trial_is_refused(
    half: Path, changed: dict[str, Any], seed: int, resume: bool, words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        run_trial(trial(**changed), seed, blocks=stored(half, one_by_one, resume=resume))


@pytest.mark.parametrize("resume", [True, False])
def test_a_folder_that_is_not_ours_is_refused(tmp_path: Path, resume: bool) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(BadInput, match="is not the folder of a trial"):
        run_trial(trial(), 1, blocks=stored(tmp_path, one_by_one, resume=resume))


def test_a_full_disk_is_named_and_what_is_done_stays(
    half: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(zarr.Array, "__setitem__", full)
        with pytest.raises(BadInput, match="the disk is full; blocks that are done stay"):
            run_trial(trial(), 1, blocks=stored(half, one_by_one, resume=True))
    asked: list[int] = []
    list(stored(half, counting(asked), resume=True)(trial(), 1, NUMBERS))
    assert asked == [2, 3, 4, 5]
