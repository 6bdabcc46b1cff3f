"""Records for research, without names: tables in which nobody is called by name, number or day.

Identifiers become digests under a secret, every date of a person is moved back by the same secret
number of days, ages above 89 are one group, and no free text leaves: only numbers and words of our
own catalogs. Who holds the secret can make the same tables again; nobody else can go back.
"""

import csv
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

from openbont.catalog.movements import functions, movements
from openbont.catalog.muscles import base
from openbont.catalog.names import CAUSES, structures
from openbont.catalog.overview import disorders
from openbont.catalog.products import products
from openbont.catalog.scales import scales
from openbont.clinic.held import Held
from openbont.clinic.nouns import (
    AdverseEvent,
    ClinicVisit,
    Diary,
    GivenSession,
    OutsideSession,
    PatientReport,
)
from openbont.clinic.records import Records
from openbont.errors import BadInput
from openbont.patient import Patient, Reading

ACTION = "research secret"
SHORTEST_SECRET = 16
OLDEST_YEARS = 89
SHIFT_DAYS = 364
PLACES = {
    *("rest", "subject", "inward", "outward", "left", "right", "both"),
    *("rotation", "tilt", "flexion", "extension"),
    *("arm", "leg", "neck", "trunk", "eyes", "mouth", "speech"),
}
"""Where scales are read that are tied to no structure."""
PLAIN_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?")
TABLES: Mapping[str, tuple[str, ...]] = {
    "patients": ("patient", "age_years", "sex", "weight_kg", "disorder", "cause", "side"),
    "injections": (
        *("patient", "session", "date", "product", "disorder", "structure", "units", "sites"),
        *("volume_ml", "guidance", "own_clinic"),
    ),
    "readings": ("patient", "date", "from", "scale", "where", "value"),
    "adverse_events": (
        *("patient", "date", "session", "severity", "serious", "related", "outcome"),
    ),
    "reports": ("patient", "session", "onset_day", "peak_day", "end_day", "effect"),
}
"""Table -> its columns."""

Row = tuple[Any, ...]


def secret_of(records: Records) -> bytes:
    """The secret that a database keeps for this; made and logged the first time."""
    for event in records.events():
        if event.action == ACTION:
            return bytes.fromhex(event.data["secret"])
    made = secrets.token_bytes(32)
    with records.writing() as pen:
        pen.note(ACTION, secret=made.hex())
    return made


def research(held: Iterable[Held], secret: bytes) -> dict[str, str]:
    """CSV text of each table, from records that are not entered in error."""
    if len(secret) < SHORTEST_SECRET:
        problem = f"a secret of {len(secret)} bytes"
        raise BadInput("secret", problem, f"take at least {SHORTEST_SECRET}, and keep them")
    rows: dict[str, list[Row]] = {name: [] for name in TABLES}
    people: dict[str, list[Held]] = {}
    for one in held:
        if one.patient and one.live and one.state != "draft":
            people.setdefault(one.patient, []).append(one)
    for patient, records in people.items():
        veil = Veil(patient, secret)
        _patient(rows["patients"], veil, records)
        for one in records:
            _record(rows, veil, one)
    return {
        name: csv_text((TABLES[name], *sorted(rows[name], key=lambda row: tuple(map(str, row)))))
        for name in TABLES
    }


@dataclass(frozen=True)
class Veil:
    """How one person is hidden."""

    patient: str
    secret: bytes

    @property
    def name(self) -> str:
        """Stands for the person."""
        return self.hidden(self.patient)

    def hidden(self, key: str | None) -> str:
        """Stands for a key; empty for none."""
        return self._digest(f"key/{key}").hex()[:16] if key else ""

    def day(self, on: date) -> str:
        """A date, moved back by 1 to 364 days, the same for the whole person."""
        shift = int.from_bytes(self._digest("shift")[:8], "big") % SHIFT_DAYS + 1
        return str(on - timedelta(days=shift))

    def _digest(self, words: str) -> bytes:
        return hmac.new(self.secret, f"{self.patient}/{words}".encode(), hashlib.sha256).digest()


def _patient(rows: list[Row], veil: Veil, records: Sequence[Held]) -> None:
    pictures = [one.noun for one in records if isinstance(one.noun, Patient)]
    if not pictures:
        return
    seen = max(pictures, key=lambda one: one.date)
    disorder = seen.disorder
    years = "90+" if seen.age_years > OLDEST_YEARS else int(seen.age_years)
    cause = _known(disorder.cause, CAUSES)
    name = _known(disorder.name, disorders())
    rows.append((veil.name, years, seen.sex, round(seen.weight_kg), name, cause, disorder.side))


def _record(rows: Mapping[str, list[Row]], veil: Veil, one: Held) -> None:
    """The rows of one record; kinds with nothing but words have none."""
    noun = one.noun
    if isinstance(noun, GivenSession):
        rows["injections"] += _injections(veil, one.key, noun)
    elif isinstance(noun, OutsideSession):
        rows["injections"].append(_outside(veil, one.key, noun))
    elif isinstance(noun, ClinicVisit):
        rows["readings"] += _readings(veil, noun.date, "visit", noun.readings)
    elif isinstance(noun, Patient):
        rows["readings"] += _readings(veil, noun.date, "findings", noun.findings)
    elif isinstance(noun, Diary):
        for day in noun.days:
            rows["readings"] += _readings(veil, day.date, "diary", day.readings)
    elif isinstance(noun, AdverseEvent):
        about = (noun.severity, noun.serious, noun.related, noun.outcome)
        session = veil.hidden(noun.session)
        rows["adverse_events"].append((veil.name, veil.day(noun.date), session, *about))
    elif isinstance(noun, PatientReport):
        days = (noun.onset_day, noun.peak_day, noun.end_day, noun.effect)
        rows["reports"].append((veil.name, veil.hidden(noun.session), *days))


def _injections(veil: Veil, key: str, session: GivenSession) -> list[Row]:
    about = (
        *(veil.name, veil.hidden(key), veil.day(session.date)),
        *(_known(session.product, products()), _known(session.disorder, disorders())),
    )
    return [
        (
            *about,
            _known(one.structure, structures()),
            *(one.units, one.sites, one.volume_ml, "+".join(one.guidance), True),
        )
        for one in session.injections
    ]


def _outside(veil: Veil, key: str, noun: OutsideSession) -> Row:
    past = noun.session
    product, disorder = _known(past.product, products()), _known(past.disorder, disorders())
    when = (veil.name, veil.hidden(key), veil.day(past.date))
    return (*when, product, disorder, "", past.total_u, "", "", "", False)


def _readings(veil: Veil, on: date, source: str, readings: Iterable[Reading]) -> list[Row]:
    """Readings on scales of the catalog; a place that is no name of ours is left out."""
    return [
        (veil.name, veil.day(on), source, one.scale, _place(one.where), one.value)
        for one in readings
        if one.scale in scales()
        and (not isinstance(one.value, str) or one.value in scales()[one.scale].grades)
    ]


def _place(where: str) -> str:
    """Where a reading was taken, if it is a name of ours."""
    name = where.removesuffix(".left").removesuffix(".right")
    ours = name in PLACES or name in {base(one) for one in structures()}
    return where if ours or name in movements() or name in functions() else ""


def _known(name: str, names: Iterable[str]) -> str:
    """A name of ours; "other" for words of somebody's own."""
    return name if not name or name in set(names) else "other"


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV in which no cell is a formula; numbers stay numbers."""
    out = StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows([map(cell, row) for row in rows])
    return out.getvalue()


def cell(value: Any) -> str:
    """One cell: a spreadsheet would run what begins with = + - @, a tab or a line break."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float):
        return f"{value:.12g}"
    text = str(value)
    if text.lstrip(" ")[:1] in ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"):
        return text if PLAIN_NUMBER.fullmatch(text) else f"'{text}"
    return text
