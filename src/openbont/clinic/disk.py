"""Files about people: whole or not at all, and only for the eyes of their owner."""

import os
from pathlib import Path


def data_folder() -> Path:
    """Where a user's data are kept."""
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "openbont"


def private(file: Path) -> None:
    """Make an empty file that only its owner may read."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def write_private(file: Path, content: bytes) -> None:
    """Put a file in its place in one step."""
    beside = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    beside.unlink(missing_ok=True)
    try:
        private(beside)
        beside.write_bytes(content)
        flush(beside)
        beside.replace(file)
        flush(file.parent)
    finally:
        beside.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """A file, or the names in a folder, onto the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
