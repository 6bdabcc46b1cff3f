"""What this installation is and has: for a report of something that does not work."""

import os
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

PARTS = ("openbont", "jax", "jaxlib", "equinox", "highspy", "numpy", "pydantic", "typst")


def examine() -> dict[str, Any]:
    """Versions, device, catalog, fonts and cache; no name of the machine or its user."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {part: version(part) for part in PARTS},
        "devices": _devices(),
        "catalog": _catalog(),
        "pdf": _pdf(),
        "cache_writable": home_is_writable(),
    }


def _devices() -> list[str]:
    import jax

    return [f"{device.platform} {device.id}" for device in jax.devices()]


def _catalog() -> dict[str, dict[str, int]]:
    """How many entries rest on something that was read, and how many are recalled."""
    from openbont.catalog.evidence import parameters
    from openbont.catalog.labels import label_rows

    tables = {
        "label rows": [row.verified for row in label_rows()],
        "parameters": [one.verified for one in parameters().values()],
    }
    return {
        name: {"verified": sum(marks), "unverified": len(marks) - sum(marks)}
        for name, marks in tables.items()
    }


def _pdf() -> str:
    """Whether a page can be set with the fonts that are at hand."""
    import typst

    try:
        return f"{len(typst.compile(b'OpenBoNT'))} bytes for an empty page"
    except Exception as error:  # whatever the typesetter lacks is the answer
        return f"does not work: {error}"


def cache_home() -> Path:
    """Where programs of this user keep what they can make again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def home_is_writable() -> bool:
    """True when something can be written to the cache."""
    try:
        cache_home().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache_home()):
            return True
    except OSError:
        return False
