"""Where records are kept: one SQLite file, encrypted if wanted, or a PostgreSQL server.

A write is one transaction that is on disk when it returns (WAL, synchronous FULL); writers queue
for it, and one that waits longer than `BUSY_S` is told so.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy
from sqlalchemy import URL, Connection, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.pool import QueuePool
from sqlcipher3 import dbapi2  # type: ignore[import-untyped]

from openbont.errors import BadInput, Busy, Damaged, DiskFull, NotStored

BUSY_S = 5.0
ADVISORY = 0x0B0B7
"""Our lock on a PostgreSQL server while its tables change."""
HEADER = b"SQLite format 3\0"
UNSAFE_WAL = (3, 7, 0), (3, 51, 2)
"""SQLite versions whose WAL can be reset under a reader and lose commits (sqlite.org/wal.html)."""
RESCUE = "restore the newest backup that verifies, or read what is left: openbont records recover"


@dataclass(frozen=True, slots=True)
class Database:
    """An open database."""

    place: str
    """Path or URL for people, without a password."""
    engine: Engine
    file: Path | None = None
    """The file; None on a server."""
    key: bytes | None = None
    """What opens an encrypted file."""
    mode: str = "rw"
    """ro: never written, not even its journal mode."""

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One unchanging view of everything."""
        options = {} if self.file else {"isolation_level": "REPEATABLE READ"}
        with self._transaction(**options) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The only writer until it is done; all of it is kept, or nothing."""
        with self._transaction(writes=True) as connection:
            if not self.file:
                connection.exec_driver_sql("LOCK TABLE event IN EXCLUSIVE MODE")
            yield connection

    @contextmanager
    def beginning(self) -> Iterator[Connection]:
        """The only writer, before there are tables, or while they change."""
        with self._transaction(writes=True) as connection:
            if not self.file:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY})")
            yield connection

    @contextmanager
    def _transaction(self, **options: Any) -> Iterator[Connection]:
        with said(self.place), self.engine.connect() as connection:
            connection.execution_options(**options)
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


# ---- a file


def of_file(file: Path, key: bytes | None = None, mode: str = "rw") -> Database:
    """The database in a file."""
    engine = create_engine(
        "sqlite://",
        module=dbapi2,
        creator=lambda: connected(file, key, mode),
        poolclass=QueuePool,
        hide_parameters=True,
    )
    sqlalchemy.event.listen(engine, "begin", _begin)
    return Database(str(file), engine, file, key, mode)


def connected(file: Path, key: bytes | None, mode: str = "rw") -> Any:
    """A connection of the driver; a file that is not there is never made."""
    connection = dbapi2.connect(
        f"file:{quote(str(file))}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_S,
    )
    try:
        if key is not None:
            connection.execute("PRAGMA cipher_log_level = NONE")
            connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        if mode == "rw":
            _journal(connection, str(file))
    except BaseException:
        connection.close()
        raise
    return connection


def _journal(connection: Any, place: str) -> None:
    """WAL; where the library's WAL is not safe, no file that is in that mode is written."""
    safe = not UNSAFE_WAL[0] <= dbapi2.sqlite_version_info <= UNSAFE_WAL[1]
    mode = connection.execute(f"PRAGMA journal_mode = {'WAL' if safe else 'DELETE'}").fetchone()[0]
    if mode == "wal" and not safe:
        problem = f"SQLite {dbapi2.sqlite_version} can lose what is written in journal mode WAL"
        raise BadInput(place, problem, "install sqlcipher3 0.6.4 or newer")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def encrypted(file: Path) -> bool:
    """Anything but a plain SQLite file."""
    try:
        with file.open("rb") as opened:
            header = opened.read(len(HEADER))
    except FileNotFoundError:
        way_out = f"make one: openbont records init --database {file}"
        raise BadInput(str(file), "there is no database", way_out) from None
    except OSError as error:
        raise BadInput(str(file), f"cannot be read: {error.strerror}") from None
    if len(header) < len(HEADER):
        raise Damaged(str(file), "the file is cut off", RESCUE)
    return header != HEADER


# ---- a server


def is_url(place: str | Path) -> bool:
    """A server's address, not a path."""
    return "://" in str(place)


def of_url(place: str) -> Database:
    """The database of a PostgreSQL server."""
    try:
        url = make_url(place)
    except (ArgumentError, ValueError):
        raise _not_a_place() from None
    if url.get_backend_name() != "postgresql":
        raise _not_a_place()
    name, url = url.render_as_string(hide_password=True), url.set(drivername="postgresql+psycopg")
    return Database(name, _of_server(url))


def _of_server(url: URL) -> Engine:
    settings = f"-c lock_timeout={BUSY_S * 1000:.0f} -c synchronous_commit=on"
    try:
        return create_engine(url, hide_parameters=True, connect_args={"options": settings})
    except ModuleNotFoundError:
        raise BadInput(
            "PostgreSQL", "psycopg is not installed", "pip install 'openbont[postgres]'"
        ) from None


def _not_a_place() -> BadInput:
    way_out = "a path, or postgresql+psycopg://user@host/name"
    return BadInput("--database", "not the address of a database", way_out)


# ---- what went wrong, in words; values never appear in them, for they are about people


@contextmanager
def said(place: str) -> Iterator[None]:
    """Errors of the driver as errors of the house."""
    try:
        yield
    except DBAPIError as error:
        raise _in_words(place, error, error.orig) from None
    except dbapi2.Error as error:
        raise _in_words(place, error, error) from None


def _in_words(place: str, error: Exception, cause: Any) -> NotStored:
    code, state = getattr(cause, "sqlite_errorcode", 0) or 0, getattr(cause, "sqlstate", "") or ""
    if code & 0xFF in (5, 6) or state in ("55P03", "40001", "40P01"):
        return Busy(place, f"others have been writing for {BUSY_S:g} s", "try again")
    if code & 0xFF == 13 or state == "53100":
        return DiskFull(place, "the disk is full; nothing was written", "make room and try again")
    if code & 0xFF in (11, 26) or code in (266, 522) or state[:2] == "XX":
        return Damaged(place, "what is stored there cannot be read", RESCUE)
    if code & 0xFF == 10:
        return NotStored(place, "the disk does not take it; nothing was written", "see to the disk")
    if not code and isinstance(error, (OperationalError, InterfaceError)):
        return NotStored(place, "the server cannot be reached", "see that it is running")
    return NotStored(place, f"refused by the database ({state or code})", "nothing was written")
