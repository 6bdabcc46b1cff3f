"""Records of other clinics, FHIR or CSV: what was given, and every word that was not understood.

Nothing is guessed. A product that is not named, a dose without its unit, a date that may be two
days: what may be toxin and cannot be counted is handed back word for word, because the units that
nobody counted are the ones that hurt.
"""

import csv
import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

from openbont.catalog.names import NOT_STATED
from openbont.clinic.outside import Given, Outside
from openbont.clinic.words import date_in, disorder_in, product_in, structure_in, units_in
from openbont.errors import BadInput

T = TypeVar("T")

LARGEST_BYTES = 5_000_000
COLUMNS = {
    "date": ("date", "date given", "given on", "session date", "date of injection", "treated on"),
    "product": ("product", "drug", "toxin", "medication", "medicine", "brand", "product given"),
    "units": ("units", "dose u", "units given", "total u", "total units", "dose units"),
    "dose": ("dose", "total dose", "amount"),
    "unit": ("unit", "dose unit", "unit of dose"),
    "clinic": ("clinic", "facility", "hospital", "department"),
    "disorder": ("disorder", "indication", "diagnosis", "icd 10", "icd 10 cm", "icd10"),
    "structure": ("structure", "muscle", "body site", "target", "injection site"),
    "side": ("side", "laterality"),
    "sites": ("sites", "number of sites", "no of sites"),
    "volume": ("volume ml", "ml"),
    "patient": ("patient", "patient id", "mrn", "id"),
    "born": ("born", "birth date", "date of birth", "dob"),
    "sex": ("sex", "gender"),
}
"""What a column says -> how its heading may be written."""
SEXES = {"f": "female", "m": "male", "female": "female", "male": "male"}


def read_outside(path: str | Path) -> Outside:
    """What another clinic's file says: a FHIR R4 Bundle (.json) or a table (.csv)."""
    path = Path(path)
    text = text_of(path)
    if path.suffix.lower() == ".json" or text.lstrip().startswith("{"):
        from openbont.clinic.fhir.foreign import read_bundle

        out = read_bundle(bundle_of(text, path.name), path.name)
    else:
        out = read_table(text, path.name)
    if not out.given and not out.not_counted:
        way_out = "look whether it is the right file"
        raise BadInput(path.name, "tells of no toxin that was given", way_out)
    return out


def text_of(path: Path) -> str:
    """The text of a file, or why it cannot be read."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise BadInput(str(path), "larger than 5 MB", "give the record of one patient")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(path.name, "not UTF-8 text", "save it as UTF-8") from error
    except OSError as error:
        raise BadInput(str(path), f"cannot be read: {error.strerror}") from error


def bundle_of(text: str, name: str) -> dict[str, Any]:
    """JSON with decimals as written; a name that stands twice is refused."""
    try:
        data = json.loads(text, parse_float=Decimal, object_pairs_hook=lambda p: _once(p, name))
    except (json.JSONDecodeError, RecursionError) as error:
        raise BadInput(name, f"not JSON: {error}", "give a FHIR R4 Bundle") from error
    if not isinstance(data, dict):
        raise BadInput(name, "not a FHIR resource", "give a FHIR R4 Bundle")
    return data


def _once(pairs: list[tuple[str, Any]], name: str) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        raise BadInput(name, f"a name stands twice: {[key for key, _ in pairs]}", "keep one")
    return data


def read_table(text: str, name: str) -> Outside:
    """A table with one row for each injection, or for each session."""
    rows = rows_of(text, name)
    heads = _heads(rows[0], name)
    out = Outside(name)
    for column in [head for head in rows[0] if _plain(head) not in _KNOWN]:
        out.not_understood.append(f"column {column!r}")
    for number, row in enumerate(rows[1:], start=2):
        if any(cell.strip() for cell in row):
            _read_row(out, number, row, heads, len(rows[0]))
    return out


def rows_of(text: str, name: str) -> list[list[str]]:
    """The cells of a CSV text separated by comma, semicolon or tab, as its first line is."""
    first = text.split("\n", 1)[0]
    between = max(",;\t", key=first.count)
    try:
        rows = list(csv.reader(StringIO(text, newline=""), delimiter=between, strict=True))
    except csv.Error as error:
        raise BadInput(name, f"not CSV: {error}", "give a table with a row of headings") from error
    if len(rows) < 2 or "\0" in text:
        raise BadInput(name, "no table: a row of headings and rows below it are needed")
    return rows


_KNOWN = {heading: field for field, headings in COLUMNS.items() for heading in headings}


def _plain(heading: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", heading.lower()))


def _heads(row: list[str], name: str) -> dict[str, int]:
    """What each known column says; the same thing said twice is refused."""
    heads: dict[str, int] = {}
    for n, heading in enumerate(row):
        field = _KNOWN.get(_plain(heading))
        if field in heads:
            problem = f"columns {row[heads[field]]!r} and {heading!r} say the same"
            raise BadInput(f"{name}:1", problem, "keep one")
        if field:
            heads[field] = n
    missing = [field for field in ("date", "product") if field not in heads]
    if not {"units", "dose"} & set(heads):
        missing.append("units")
    if missing:
        raise BadInput(f"{name}:1", f"no column for {', '.join(missing)}", "name the columns so")
    if {"units", "dose"} <= set(heads):
        raise BadInput(
            f"{name}:1", "a column of units and one of dose", "keep the one that is right"
        )
    return heads


def _read_row(
    out: Outside, number: int, row: list[str], heads: Mapping[str, int], width: int
) -> None:
    """One row: counted, or listed as it stands with what was not understood."""
    as_it_stands = f"line {number}: {','.join(row)}"
    if len(row) != width:
        out.not_counted.append(f"{as_it_stands} ({len(row)} cells under {width} headings)")
        return
    cells = {field: row[n].strip() for field, n in heads.items()}
    _who(out, number, cells)
    on, named = date_in(cells["date"]), product_in(cells["product"])
    units = _units(cells, named) if named else None
    if on and named and units:
        out.given.append(_given(out, number, cells, (on, named, units)))
        return
    amount = "units" if "units" in cells else "dose"
    found = {"date": on, "product": named, amount: units}
    wrong = [f"{field} {cells[field]!r}" for field, value in found.items() if value is None]
    out.not_counted.append(f"{as_it_stands} (not understood: {', '.join(wrong)})")


def _units(cells: Mapping[str, str], named: str) -> Decimal | None:
    unit = cells.get("unit", "")
    if "units" in cells:
        return units_in(cells["units"], unit or "U", named)
    return units_in(cells["dose"], unit, named)


def _given(
    out: Outside, number: int, cells: Mapping[str, str], sure: tuple[date, str, Decimal]
) -> Given:
    """A counted row, with as much of the rest as is understood."""

    def also(field: str, read: Callable[[str], T | None]) -> T | None:
        said = cells.get(field, "")
        value = read(said) if said else None
        if said and value is None:
            out.not_understood.append(f"line {number}: {field} {said!r}")
        return value

    on, named, units = sure
    return Given(
        date=on,
        product=named,
        units=units,
        clinic=also("clinic", lambda said: said[:200]) or f"not stated ({out.source})",
        disorder=also("disorder", disorder_in) or NOT_STATED,
        structure=also("structure", lambda said: structure_in(said, cells.get("side", ""))),
        sites=also("sites", _sites) or 1,
        volume_ml=also("volume", _volume),
    )


def _sites(said: str) -> int | None:
    return int(said) if re.fullmatch(r"[1-9]|[1-5]\d|60", said) else None


def _volume(said: str) -> float | None:
    return float(said) or None if re.fullmatch(r"\d{1,3}(\.\d+)?", said) else None


def _who(out: Outside, number: int, cells: Mapping[str, str]) -> None:
    """Whom the row speaks of."""
    if cells.get("patient"):
        out.patients.add(cells["patient"])
    for field, said in (("born", cells.get("born")), ("sex", cells.get("sex"))):
        if not said:
            continue
        born, sex = date_in(said), SEXES.get(said.lower())
        if field == "born" and born:
            out.born.add(born)
        elif field == "sex" and sex:
            out.sexes.add(sex)
        else:
            out.not_understood.append(f"line {number}: {field} {said!r}")
