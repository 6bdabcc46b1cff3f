"""Serving the workbench: the demonstration's records, and the door it listens at."""

import datetime
import socket
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from fastapi import FastAPI

from openbont.catalog.vials import exact
from openbont.clinic.nouns import Draw, GivenInjection, GivenSession, Person, Vial
from openbont.clinic.records import Records
from openbont.errors import BadInput
from openbont.io import load_patient, load_plan
from openbont.patient import Patient
from openbont.plan import Plan
from openbont.web.guard import LOOPBACK

DEMO = {
    "arm_after_stroke": ("Anton Berger", "1968-03-04"),
    "chronic_migraine": ("Clara Nowak", "1985-06-19"),
    "cervical_dystonia": ("Ingrid Solberg", "1974-01-30"),
    "overactive_bladder": ("Rosa Almeida", "1968-09-12"),
    "child_arm": ("Jonas Weber", "2020-05-08"),
    "als_refused": ("Maria Keller", "1963-02-21"),
}
"""Folder of examples -> an invented name and day of birth."""
TREATED = "chronic_migraine"
"""Whose first session was five weeks ago."""
SHELF = (
    ("A100-1", "onabotulinumtoxinA", "100"),
    ("A100-2", "onabotulinumtoxinA", "100"),
    ("A100-3", "onabotulinumtoxinA", "100"),
    ("A200-1", "onabotulinumtoxinA", "200"),
    ("A200-2", "onabotulinumtoxinA", "200"),
    ("B500-1", "abobotulinumtoxinA", "500"),
    ("C100-1", "incobotulinumtoxinA", "100"),
)


def examples() -> Path:
    """The folder of examples: beside the package in a wheel, above it in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "examples"
    return inside if inside.is_dir() else package.parents[1] / "examples"


def demo_records(records: Records) -> None:
    """Six invented patients, each with a plan in work, and vials on the shelf."""
    expiry = records.now().date() + datetime.timedelta(days=500)
    for key, product, units in SHELF:
        vial = Vial(id=key, product=product, lot=f"LOT-{key}", expiry=expiry, units=Decimal(units))
        records.add(vial, "")
    for folder, (name, born) in DEMO.items():
        patient = load_patient(examples() / folder / "patient.yaml")
        person = Person(
            id=patient.id, name=name, born=datetime.date.fromisoformat(born), sex=patient.sex
        )
        records.add(person, patient.id)
        plan = load_plan(examples() / folder / "plan.yaml")
        if folder == TREATED:
            patient, plan = _weeks_ago(patient, plan, records.now().date())
        held = records.add(patient, patient.id)
        records.sign(held.key, held.version)
        held = records.add(plan, patient.id)
        if folder == TREATED:
            records.sign(held.key, held.version)
            records.give(_given(plan, held.key), patient.id)


def _weeks_ago(patient: Patient, plan: Plan, today: datetime.date) -> tuple[Patient, Plan]:
    """Both, as if the visit had been five weeks ago: the follow-up at the peak is due."""
    then = {"date": today - datetime.timedelta(weeks=5)}
    return patient.model_copy(update=then), plan.model_copy(update=then)


def _given(plan: Plan, key: str) -> GivenSession:
    """A session just as it was planned."""
    session = plan.sessions[0]
    given = tuple(
        GivenInjection(
            structure=one.structure,
            units=exact(one.dose_u),
            sites=one.sites,
            volume_ml=exact(round(session.volume_ml(one), 3)),
        )
        for one in session.injections
    )
    return GivenSession(
        date=plan.date,
        disorder=plan.disorder,
        plan=key,
        injector="Dr Demo",
        clinic="Demonstration clinic",
        product=session.product,
        diluent="0.9 % sodium chloride without preservative",
        dilution_u_per_ml=exact(session.dilution_u_per_ml),
        injections=given,
        draws=(Draw(vial="A200-2", units=exact(session.dose.value_u)),),
    )


@dataclass(frozen=True)
class Door:
    """Where the workbench listens."""

    host: str = "127.0.0.1"
    port: int = 8000
    certificate: Path | None = None
    key: Path | None = None

    @property
    def tls(self) -> bool:
        """Encrypted on the way."""
        return self.certificate is not None and self.key is not None

    @property
    def names(self) -> frozenset[str]:
        """What a browser may call us."""
        return LOOPBACK if self.host in LOOPBACK else LOOPBACK | {self.host.lower()}

    @property
    def address(self) -> str:
        """What to open in the browser."""
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}/"


def safe(door: Door) -> Door:
    """Other machines reach it only with TLS; a door for all addresses has no name to check."""
    if bool(door.certificate) != bool(door.key):
        raise BadInput("--certificate", "certificate and key belong together", "give both")
    if door.host in ("0.0.0.0", "::", ""):
        way_out = "give the name that browsers will use"
        raise BadInput("--host", "every address of this machine", way_out)
    if door.host not in LOOPBACK and not door.tls:
        problem = f"{door.host} can be reached by other machines"
        raise BadInput("--host", problem, "give --certificate and --key, or leave it out")
    return door


def listening(door: Door) -> socket.socket:
    """The door, open: a port that is taken is said before anything else is done."""
    host = door.host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, door.port))
        opened.listen()  # who knocks before the first page is ready has to wait, and is let in
    except OSError as error:
        opened.close()
        problem = f"{door.port} at {door.host}: {error.strerror}"
        raise BadInput("--port", problem, "another port, or 0 for any that is free") from None
    return opened


def serve(app: FastAPI, door: Door, at: socket.socket) -> None:
    """Serve until it is interrupted; requests are not logged, for addresses name patients."""
    import uvicorn

    settings = uvicorn.Config(
        app,
        access_log=False,
        log_level="warning",
        server_header=False,
        ssl_certfile=door.certificate,
        ssl_keyfile=door.key,
    )
    uvicorn.Server(settings).run(sockets=[at])
