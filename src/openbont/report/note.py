"""The visit note: what a payer asks of a session that was given, and what the last one did."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from openbont.catalog.muscles import base, side, words
from openbont.catalog.products import product as find_product
from openbont.catalog.scales import number as value_of
from openbont.catalog.scales import scale
from openbont.clinic.fhir.codes import candidates, determined
from openbont.clinic.nouns import AdverseEvent, GivenInjection, GivenSession, Person, Vial
from openbont.clinic.vials import billed
from openbont.errors import BadInput
from openbont.patient import Disorder, PastSession, Patient, Reading, Visit
from openbont.planning.limits import limits
from openbont.report.content import NOTICE, printable
from openbont.report.sheet import paper_id
from openbont.report.tables import Content, Table, table
from openbont.report.words import day, listed, number, title_words

TEMPLATES = ("paper.typ", "note.typ")
_NONE = "—"


@dataclass(frozen=True)
class Given:
    """A session that was given, with what else is known of it."""

    session: GivenSession
    key: str = ""
    """Of its record; vials name it."""
    vials: tuple[Vial, ...] = ()
    events: tuple[AdverseEvent, ...] = ()


def note(
    given: Given,
    patient: Patient,
    person: Person | None = None,
    found_on: datetime.date | None = None,
    head: str = "",
) -> Content:
    """What the note says; `found_on` is when the patient's findings were taken."""
    session = given.session
    visits = [
        Visit(date=found_on or patient.date, readings=patient.findings),
        *patient.visits,
    ]
    said: Content = {
        "language": "en",
        "title": "Visit note",
        "notice": NOTICE,
        "timestamp": session.date.isoformat(),
        "subject": person.name if person else patient.id,
        "head": head,
        "patient": _patient(given, patient, person),
        "tried": _tried(patient),
        "before": _before(visits, session.date),
        "last": _last(patient, session, visits),
        "given": _given(session),
        "made_up": _made_up(session),
        "vials": _vials(given),
        "billing": _billing(given),
        "deviations": [
            f"{words(one.structure)}: planned {one.planned}, given {one.given}; {one.reason}"
            for one in session.deviations
        ],
        "events": [f"{day(one.date)}: {one.what}, {one.severity}" for one in given.events],
        "next": _next(patient, session),
        "words": session.note,
    }
    said = cast(Content, printable(said))
    return said | {"id": paper_id(said)}


def _patient(given: Given, patient: Patient, person: Person | None) -> list[list[str]]:
    session = given.session
    years, weight = number(patient.age_years), number(patient.weight_kg, "kg")
    return [
        ["Name", person.name if person else ""],
        ["Born", day(person.born) if person else ""],
        ["Number", (person.number if person else "") or patient.id],
        ["Age, sex, weight", f"{years} years, {patient.sex}, {weight}"],
        ["Diagnosis", _diagnosis(patient.disorder, session.disorder)],
        ["ICD-10-CM", _code(patient.disorder, session.disorder)],
        ["Date given", day(session.date)],
        ["Given by", f"{session.injector}, {session.clinic}"],
        ["Plan followed", session.plan or "none recorded"],
    ]


def _diagnosis(disorder: Disorder, treated: str) -> str:
    if disorder.name != treated:
        return title_words(treated)
    where = f", {disorder.side}" if disorder.side not in ("", "both") else ""
    return f"{title_words(treated)}{where}{f', after {disorder.cause}' if disorder.cause else ''}"


def _code(disorder: Disorder, treated: str) -> str:
    """The leaf that is determined, or those to choose from; a line to write on where none is."""
    if disorder.name != treated:
        return ""
    code, open_ones = determined(disorder), candidates(disorder)
    return code or (f"choose: {', '.join(open_ones)}" if open_ones else "")


def _tried(patient: Patient) -> Table:
    rows = [[one.name, one.outcome] for one in patient.prior_treatments]
    return table("", ["Tried before", "Outcome"], rows, widths=[2, 1])


def _dated(visits: Iterable[Visit]) -> list[tuple[datetime.date, Reading]]:
    """All readings with a value that can be ordered, oldest first."""
    return sorted(
        ((visit.date, one) for visit in visits for one in visit.readings), key=lambda pair: pair[0]
    )


def _before(visits: Sequence[Visit], on: datetime.date) -> Table:
    """The last reading of each scale and place on or before the session."""
    last = {_named(one): (date, one) for date, one in _dated(visits) if date <= on}
    rows = [[name, _value(one), day(date)] for name, (date, one) in last.items()]
    return table("", ["Reading", "Value", "Taken on"], rows, widths=[3, 1, 1])


def _last(patient: Patient, session: GivenSession, visits: Sequence[Visit]) -> Content:
    """The session before this one, and readings before and after it."""
    past = [one for one in patient.history if one.date < session.date]
    same = [one for one in past if one.disorder == session.disorder]
    if not same:
        return {"said": "No earlier session for this is recorded.", "table": None}
    one = max(same, key=lambda past: past.date)
    effect = f"; effect as recorded: {one.effect}" if one.effect else ""
    rows = _effect(one, session, visits)
    missing = "" if rows else " No reading both before and after it is recorded."
    columns = ["Reading", "Before", "Best after", "Last before this session"]
    return {
        "said": f"{one.dose} on {day(one.date)} ({one.clinic}){effect}.{missing}",
        "table": table("", columns, rows, widths=[2, 1.2, 1.4, 1.4]) if rows else None,
    }


def _effect(past: PastSession, session: GivenSession, visits: Sequence[Visit]) -> list[list[str]]:
    """Scales that were read both before and after the last session."""
    before = {_named(one): (date, one) for date, one in _dated(visits) if date <= past.date}
    after: dict[str, list[tuple[datetime.date, Reading]]] = {}
    for date, one in _dated(visits):
        if past.date < date <= session.date:
            after.setdefault(_named(one), []).append((date, one))
    rows = []
    for name, (date, first) in before.items():
        if name in after:
            best = min(after[name], key=lambda pair: _rank(pair[1]))
            weeks = [_at(pair, past.date) for pair in (best, after[name][-1])]
            rows.append([name, f"{_value(first)} ({day(date)})", *weeks])
    return rows


def _at(pair: tuple[datetime.date, Reading], since: datetime.date) -> str:
    date, one = pair
    return f"{_value(one)} ({day(date)}, week {(date - since).days // 7})"


def _rank(one: Reading) -> float:
    """Lower is better for the patient."""
    value = value_of(one.scale, one.value)
    return value if scale(one.scale).better == "lower" else -value


def _named(one: Reading) -> str:
    about = scale(one.scale).words
    return f"{about}, {words(one.where)}" if one.where else about


def _value(one: Reading) -> str:
    unit = scale(one.scale).unit
    shown = one.value if isinstance(one.value, str) else number(one.value)
    return f"{shown} {unit}".strip() if not scale(one.scale).grades else str(shown)


def _given(session: GivenSession) -> Table:
    rows = [_row(one, session.product) for one in session.injections]
    columns = [
        "Structure",
        "Side",
        "Sites",
        f"Units of {session.product}",
        "mL",
        "Deep",
        "Found by",
    ]
    sites, ml = sum(one.sites for one in session.injections), _volume_ml(session)
    total = ["Total", "", str(sites), f"{session.units} U {session.product}", f"{ml}", "", ""]
    named = 1.6 if any(one.named_sites for one in session.injections) else 0
    return table("", columns, rows, total, widths=[2, 0, named, 2, 0, 0, 1.2])


def _row(one: GivenInjection, product: str) -> list[str]:
    named = f" ({'; '.join(one.named_sites)})" if one.named_sites else ""
    return [
        words(base(one.structure)),
        side(one.structure) or "midline",
        f"{one.sites}{named}",
        f"{one.units} U {product}",
        f"{one.volume_ml}",
        number(one.depth_mm, "mm") if one.depth_mm else _NONE,
        listed(list(one.guidance)) or "not recorded",
    ]


def _volume_ml(session: GivenSession) -> Decimal:
    return sum((one.volume_ml for one in session.injections), Decimal(0))


def _made_up(session: GivenSession) -> str:
    """Diluent, strength, and the times between which it was used."""
    product = find_product(session.product)
    times = [
        f"{what} {at:%Y-%m-%d %H:%M} {at.tzname()}"
        for what, at in (("made up", session.reconstituted), ("discard by", session.discard_by))
        if at is not None
    ]
    strength = f"{product.name} ({product.brand}) at {session.dilution_u_per_ml} U/mL"
    return "; ".join([f"{strength} in {session.diluent}", *times]) + "."


def _vials(given: Given) -> Table:
    """given + thrown away + left = units, for each vial."""
    known = {vial.id: vial for vial in given.vials}
    rows = [
        _vial(known[draw.vial], given) if draw.vial in known else _unknown(draw.vial, draw.units)
        for draw in given.session.draws
    ]
    columns = ["Vial", "Lot", "Expiry", "Holds, U", "Given, U", "Thrown away, U", "Left, U"]
    return table("", columns, rows, widths=[1, 1, 1, 0, 0, 1.4, 0])


def _vial(vial: Vial, given: Given) -> list[str]:
    here = sum((one.units for one in vial.taken if one.session == given.key), Decimal(0))
    others = sum((one.units for one in vial.taken), Decimal(0)) - here
    wasted = [f"{one.units} ({one.reason})" for one in vial.wasted]
    return [
        vial.id,
        vial.lot,
        day(vial.expiry),
        f"{vial.units}",
        f"{here}" + (f" (and {others} in another session)" if others else ""),
        "; ".join(wasted) or "0",
        f"{vial.remaining}",
    ]


def _unknown(vial: str, units: Decimal) -> list[str]:
    return [vial, "", "", "", f"{units}", "", ""]


def _billing(given: Given) -> Content:
    """Lines for a payer, or why there are none."""
    if not given.vials:
        return {"lines": [], "said": "The vials are not at hand: no billing units are shown."}
    try:
        found = billed(given.vials)
    except BadInput as reason:
        return {"lines": [], "said": f"No billing units yet: {reason}."}
    if found is None:
        return {"lines": [], "said": f"No code of {given.session.product} was read."}
    lines = [
        f"{code}{f'-{modifier}' if modifier else ''} × {units}"
        for code, modifier, units in found.lines()
    ]
    cited = "; ".join(source.text for source in found.sources)
    return {"lines": lines, "said": f"HCPCS lines of these vials. {cited}."}


def _next(patient: Patient, session: GivenSession) -> str:
    label = limits(patient, session.product, session.date, session.disorder)
    weeks = label.interval_min_weeks
    soonest = session.date + datetime.timedelta(weeks=weeks)
    return f"Next session not before {day(soonest)}: {number(weeks)} weeks at the least."
