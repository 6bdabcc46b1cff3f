"""Markers by folder: what kind of claim a test makes is where it is filed."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import jax
import pytest
from hypothesis import settings

from openbont.forward.influence import CACHE
from tests.records import kept, kept_file, kept_secret, server, spot

CLAIMS = {
    "unit": "one function does what its name says",
    "properties": "holds for every input that hypothesis can think of",
    "reference": "agrees with a slow, independent calculation",
    "published": "agrees with a published measurement, within the tolerance stated there",
    "identical": "gives the same bytes or the very same numbers",
    "files": "a file is read, or refused with the expected words",
    "doors": "the command, page or file that a user sees",
}
__all__ = ["kept", "kept_file", "kept_secret", "server", "spot"]  # fixtures of the records

COMPILED = "JAX_COMPILATION_CACHE_DIR"
HERE = Path(__file__).parent
MAPS, MOST_MAPS = Path("/proc/self/maps"), 20_000

settings.register_profile("ci", derandomize=True, deadline=None)
settings.load_profile("ci")


def pytest_configure(config: pytest.Config) -> None:
    """What one process has solved and compiled is there for the others, in this run alone."""
    if CACHE not in os.environ:  # the first process; the others inherit it
        folder = tempfile.TemporaryDirectory(prefix="openbont-")
        config.add_cleanup(folder.cleanup)
        os.environ[CACHE] = folder.name
    compiled = os.environ.setdefault(COMPILED, os.environ[CACHE])
    jax.config.update("jax_compilation_cache_dir", compiled)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
    for claim, meaning in CLAIMS.items():
        config.addinivalue_line("markers", f"{claim}: {meaning}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.relative_to(HERE).parts[0]
        if folder in CLAIMS:
            item.add_marker(folder)


@pytest.fixture(autouse=True, scope="module")
def compiled_while_there_is_room() -> Iterator[None]:
    """Every compiled chain maps memory; a process has only so many maps (vm.max_map_count)."""
    yield
    if not MAPS.exists() or len(MAPS.read_text().splitlines()) > MOST_MAPS:
        jax.clear_caches()
