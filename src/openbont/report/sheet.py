"""The injection sheet: what the injector holds beside the patient, and writes on.

One sheet a session. A plan that a rule stops gets a sheet that says so and no units.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, cast

import numpy as np

from openbont.catalog.muscles import base, landmarks, place_words, side, words
from openbont.catalog.products import product as find_product
from openbont.catalog.vials import diluent_ml, vials
from openbont.clinic.nouns import Person
from openbont.patient import ROLLING_DAYS, Patient
from openbont.plan import Injection, Plan, Session
from openbont.planning.rules import Finding
from openbont.product import Product
from openbont.report.asked import LEVELS, NEEDLES, needle_words, recipe, spoken, vials_words
from openbont.report.content import NOTICE, printable
from openbont.report.tables import Content, Table, in_words, table
from openbont.report.words import counted, day, listed, number, title_words

if TYPE_CHECKING:  # pictures are slow to import, and a stopped plan has none
    from openbont.report.places import Sites

TEMPLATES = ("paper.typ", "sheet.typ")
GUIDANCE = ("hand", "EMG", "US", "stim.")
"""Ways to find the structure; a bladder is seen through a cystoscope."""
CHECKS = (
    "right person: name and date of birth asked",
    "agrees to be treated today",
    "allergies asked",
    "toxin at any clinic in the last 12 weeks asked",
    "swallowing, breathing and new medicines asked",
    "no infection where the needle goes",
    "product, units and expiry read from the vial, aloud",
)


def sheet(
    plan: Plan,
    patient: Patient,
    findings: Sequence[Finding],
    at: int = 0,
    sites: "Sites | None" = None,
    person: Person | None = None,
    head: str = "",
    draft: bool = False,
) -> Content:
    """What the sheet of session number `at` says.

    `head` is that of the chain of events, where the plan stands in a database; `draft` where it
    stands there unsigned.
    """
    session = plan.sessions[at]
    said = _front(plan, session, patient, person) | {"head": head, "draft": draft}
    said |= _found(plan, findings)
    said |= _refused(session) if said["stops"] else _asked(plan, session, sites)
    said = cast(Content, printable(said))
    return said | {"id": paper_id(said)}


def paper_id(said: Content) -> str:
    """Short digest of every word that is printed: papers that differ have different ids."""
    pictures = [{**one, "svg": ""} for one in said.get("pictures", [])]
    text = json.dumps(said | {"pictures": pictures}, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12].upper()
    return "-".join(digest[k : k + 4] for k in (0, 4, 8))


def _front(plan: Plan, session: Session, patient: Patient, person: Person | None) -> Content:
    return {
        "language": "en",
        "title": "Injection sheet",
        "notice": NOTICE,
        "timestamp": plan.date_of(session).isoformat(),
        "subject": _subject(patient, person),
        "patient": _patient(plan, session, patient, person),
        "note": plan.note,
    }


def _subject(patient: Patient, person: Person | None) -> str:
    """Stands on every page."""
    return f"{person.name}, born {day(person.born)} ({patient.id})" if person else patient.id


def _patient(
    plan: Plan, session: Session, patient: Patient, person: Person | None
) -> list[list[str]]:
    """Terms and values; an empty value is a line to write on."""
    disorder = patient.disorder
    where = f", {disorder.side}" if disorder.side not in ("", "both") else ""
    cause = f", after {disorder.cause}" if disorder.cause else ""
    years, weight = number(patient.age_years), number(patient.weight_kg, "kg")
    return [
        ["Name", person.name if person else ""],
        ["Born", day(person.born) if person else ""],
        ["Number", (person.number if person else "") or patient.id],
        ["Age, sex, weight", f"{years} years, {patient.sex}, {weight}"],
        ["Treated", f"{title_words(plan.disorder)}{where}{cause}"],
        ["Date of the plan", day(plan.date_of(session))],
        ["Allergies recorded", listed(list(patient.allergies)) or "none"],
        ["Medicines recorded", listed(list(patient.medicines)) or "none"],
        ["Toxin in the last 12 weeks", _recent(patient, plan.date_of(session))],
    ]


def _recent(patient: Patient, on: date) -> str:
    """What is recorded of any clinic, product by product."""
    since = on - timedelta(days=ROLLING_DAYS)
    named = [
        f"{past.dose} on {day(past.date)} ({past.clinic})"
        for past in patient.history
        if since < past.date <= on
    ]
    return listed(named) or "none recorded"


def _found(plan: Plan, findings: Sequence[Finding]) -> Content:
    """Stops and warnings in words; how much more the report says."""
    said = {
        level: [
            {
                "text": spoken(one.place, one.reason, plan),
                "clears": in_words(one.clears),
                "rule": one.rule + ("" if one.verified else ", unverified"),
            }
            for one in findings
            if one.level == level
        ]
        for level in LEVELS
    }
    return {"stops": said["stop"], "warnings": said["warn"], "notes": len(said["inform"])}


def _refused(session: Session) -> Content:
    """What was asked for, without any number that could be drawn up."""
    named = list(dict.fromkeys(words(one.structure) for one in session.injections))
    return {"asked": f"{session.product} into {listed(named)}"}


def _asked(plan: Plan, session: Session, sites: "Sites | None") -> Content:
    product = find_product(session.product)
    numbers, depths = _numbers(session), _depths(session, sites)
    given = [one for one in session.injections if one.dose_u > 0]
    pictures = sites.pictures if sites else ()
    return {
        "product": f"{product.name} ({product.brand})",
        "name": product.name,
        "draw": [_total(session), vials_words(session, product), recipe(session, product)],
        "guidance": list(GUIDANCE) if plan.disorder.partition(".")[0] != "bladder" else ["scope"],
        "doses": [
            _dose(session, one, span, deep)
            for one, span, deep in zip(given, numbers, depths, strict=True)
        ],
        "places": _places(given, numbers, plan.disorder),
        "pictures": [
            {"title": one.title, "summary": one.summary, "svg": one.svg} for one in pictures
        ],
        "vials": _vials(session, product),
        "checks": list(CHECKS),
        "total_u": number(session.dose.value_u, digits=6),
    }


def _total(session: Session) -> str:
    sites = sum(one.sites for one in session.injections if one.dose_u > 0)
    volume_ml = sum(session.volume_ml(one) for one in session.injections)
    return f"{session.dose} in {counted(sites, 'site')}, {number(volume_ml, 'mL', 4)} in all."


def _numbers(session: Session) -> list[tuple[int, int]]:
    """First and last number of each structure's sites, as on the pictures."""
    counts = [one.sites for one in session.injections if one.dose_u > 0]
    ends = np.cumsum(counts).tolist()
    return [(end - count + 1, end) for end, count in zip(ends, counts, strict=True)]


def _depths(session: Session, sites: "Sites | None") -> list[str]:
    """From skin to site on the reference body in the patient's size, where it has a map."""
    found = []
    for one, (first, last) in zip(
        (one for one in session.injections if one.dose_u > 0), _numbers(session), strict=True
    ):
        mapped = sites is not None and one.structure in sites.mapped
        marks = sites.marks[first - 1 : last] if sites is not None and mapped else ()
        deep = [
            round(float(np.linalg.norm(mark.skin_mm - mark.site_mm)))
            for mark in marks
            if mark.skin_mm is not None
        ]
        found.append(_span(min(deep), max(deep), " to ") + " mm" if deep else "")
    return found


def _span(first: int, last: int, between: str = "–") -> str:
    return str(first) if first == last else f"{first}{between}{last}"


def _dose(session: Session, one: Injection, span: tuple[int, int], deep: str) -> dict[str, str]:
    volume_ml, each = session.volume_ml(one), number(one.site_dose_u)
    return {
        "numbers": _span(*span),
        "structure": words(base(one.structure)),
        "side": side(one.structure) or "midline",
        "sites": f"{one.sites} × {each} U",
        "site_ml": number(volume_ml / one.sites, "mL"),
        "dose_u": number(one.dose_u, digits=6),
        "volume_ml": number(volume_ml),
        "deep": deep or "see overleaf",
    }


def _places(given: Sequence[Injection], numbers: Sequence[tuple[int, int]], disorder: str) -> Table:
    """Each site by number and landmark; structures that differ by side only share a row."""
    named: dict[tuple[str, str], list[tuple[Injection, tuple[int, int]]]] = {}
    for one, span in zip(given, numbers, strict=True):
        named.setdefault((base(one.structure), place_words(one, disorder)), []).append((one, span))
    rows = []
    for (name, _), found in named.items():
        alone = len(found) == 1
        title = words(found[0][0].structure) if alone else f"{words(name)}, both sides"
        rows.append([title, _where(found, disorder), *needle_words(name)])
    columns = ["Structure", "Sites by number", "Needle", "Keep away from"]
    return table(NEEDLES, columns, rows, widths=[1, 1.9, 1.3, 1.4])


def _where(found: Sequence[tuple[Injection, tuple[int, int]]], disorder: str) -> str:
    """`4 and 8: above the ear`; neighbours at one landmark are told together."""
    first = found[0][0]
    named = [] if first.site_mm else landmarks(first.structure, first.sites, disorder)
    if len(named) < first.sites:
        named = [place_words(first, disorder)] * first.sites
    told = []
    for place, run in groupby(range(first.sites), key=named.__getitem__):
        start, *more = run
        end = more[-1] if more else start
        spans = listed([_span(span[0] + start, span[0] + end) for _, span in found])
        told.append(f"{spans}: {place}")
    return "; ".join(told)


def _vials(session: Session, product: Product) -> list[list[str]]:
    """Size and diluent of each vial to open; the rest of its row is written by hand."""
    found = []
    for size_u, count in vials(session.dose, product).counts:
        ml = number(diluent_ml(size_u, session.dilution_u_per_ml), "mL")
        into = ml if product.solution_u_per_ml is None else "ready"
        found += [[number(float(size_u), "U", 6), into]] * count
    return found
