"""Published results of trials: one row an arm, endpoint and week, from the catalog or from a file.

The structure of a file is read strictly; what one row cannot say is left to whoever predicts it.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from openbont.catalog.products import products
from openbont.errors import BadInput, UnknownName
from openbont.product import Product

NEEDED = (
    "trial_id",
    "product",
    "arm",
    "dose_U",
    "dose_unit",
    "disorder",
    "measure",
    "rule",
    "week",
    "value_type",
    "mean_change_or_value",
)
OPTIONAL = (
    "first_author_year",
    "NCT",
    "nct_confidence",
    "indication",
    "n",
    "scored",
    "endpoint",
    "unit",
    "sd_or_se_or_ci",
    "dispersion_kind",
    "se_used",
    "se_basis",
    "baseline_mean",
    "baseline_sd",
    "use",
    "read",
    "certainty",
    "source",
    "note",
)
_NOTHING = {"", "na", "n/a", "nr", "nan", "none", "-", "?", "unknown", "."}
_NUMBER = re.compile(r"(?<![\w.])[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?|[+-]?\.\d+")
_LARGEST_BYTES = 20_000_000


@dataclass(frozen=True)
class Row:
    """One published number."""

    number: int
    """Of the row in its file; the first below the header is 1."""
    trial: str
    author: str
    brand: str
    """As written; empty or mixed in some rows."""
    arm: str
    dose: float | None
    dose_unit: str
    n: float | None
    disorder: str
    measure: str
    rule: str
    scored: bool
    endpoint: str
    unit: str
    week: str
    kind: str
    """value_type: mean_change, responder_percent and so on."""
    observed: float | None
    se: float | None
    se_basis: str
    baseline: float | None
    baseline_sd: float | None
    use: str
    read: str
    certainty: str
    source: str
    note: str

    @property
    def product(self) -> str | None:
        """Non-proprietary name; None where no single product is named."""
        return named_product(self.brand)

    @property
    def placebo(self) -> bool:
        """No toxin: a dose of 0, or an arm called placebo for which no dose is written."""
        if self.kind == "diff_vs_placebo":
            return False
        said = re.match(r"\s*(placebo|pbo|vehicle|saline|sham)\b", self.arm, re.IGNORECASE)
        return self.dose == 0 or (not self.dose and said is not None)

    @property
    def words(self) -> str:
        """Arm, endpoint and note as one lower-case text, to look for words in."""
        return f"{self.arm} | {self.endpoint} | {self.note}".lower()


def endpoints(path: Path | None = None) -> list[Row]:
    """All rows of the catalog, or of a file in the same format.

    Raises BadInput with file, line and column where the file is not such a table.
    """
    if path is None:
        text = files("openbont.catalog").joinpath("endpoints.csv").read_text("utf-8")
        return list(_rows("endpoints.csv", text))
    return list(_rows(path.name, _text(path)))


def named_product(brand: str) -> str | None:
    """The one product that a text names by brand or non-proprietary name; None for none or two."""
    said = brand.strip().lower()
    if not said:
        return None
    for one in products().values():
        short = one.name[: one.name.index("botulinum")]
        if said in _names(one) or re.fullmatch(rf"{short}(bot.*|bont.*|a|b)?", said):
            return one.name
    within = {one.name for one in products().values() if any(n in said for n in _names(one))}
    return within.pop() if len(within) == 1 else _ALIASES.get(said)


def _names(product: Product) -> set[str]:
    """Brands and the non-proprietary name in lower case."""
    return {name.strip().lower() for name in (*product.brand.split(","), product.name)}


_ALIASES = {
    "xeomin cosmetic": "incobotulinumtoxinA",
    "bocouture": "incobotulinumtoxinA",
    "nt-201": "incobotulinumtoxinA",
    "nt 201": "incobotulinumtoxinA",
    "azzalure": "abobotulinumtoxinA",
    "neurobloc": "rimabotulinumtoxinB",
    "vistabel": "onabotulinumtoxinA",
    "nuceiva": "prabotulinumtoxinA",
    "botulax": "letibotulinumtoxinA",
    "rt002": "daxibotulinumtoxinA",
}


def lenient(text: str) -> float | None:
    """The first number in a text such as ~56 or 9-10; None where there is none."""
    found = _NUMBER.search(text)
    return float(found.group().replace(",", ".")) if found else None


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise BadInput(str(path), "there is no such file") from None
    except OSError as error:
        raise BadInput(str(path), f"cannot be read: {error.strerror}") from None
    if len(raw) > _LARGEST_BYTES:
        raise BadInput(path.name, "larger than 20 MB", "give a table of trial results")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(path.name, "not a text in UTF-8", "save the table as CSV in UTF-8") from None


def _rows(name: str, text: str) -> Iterator[Row]:
    if "\0" in text:
        raise BadInput(name, "not a table: it holds zero bytes", "save the table as CSV in UTF-8")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [column.strip() for column in next(reader, [])]
        _check_header(name, header)
        number = 0
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            number += 1
            place = f"{name}:{reader.line_num}"
            yield _row(place, number, _fields(place, header, cells))
    except csv.Error as error:
        raise BadInput(f"{name}:{reader.line_num}", f"not CSV: {error}") from None
    if number == 0:
        raise BadInput(name, "no rows below the header", "one row an arm, endpoint and week")


def _check_header(name: str, header: list[str]) -> None:
    if not any(header):
        raise BadInput(name, "empty", f"the first line names the columns: {', '.join(NEEDED)}")
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        raise BadInput(f"{name}:1", "columns are not separated by commas", "save it as CSV")
    for column in header:
        if header.count(column) > 1:
            raise BadInput(f"{name}:1", f"{column}: this column is there twice", "keep one")
    missing = [column for column in NEEDED if column not in header]
    if missing:
        raise _missing(name, missing[0], header)


def _missing(name: str, column: str, header: list[str]) -> BadInput:
    close = UnknownName("", "column", column, set(header) - {*NEEDED, *OPTIONAL}).nearest
    way_out = f"rename {close[0]}" if close else "see openbont validate --help for the columns"
    return BadInput(f"{name}:1", f"{column}: this column is missing", way_out)


def _fields(place: str, header: list[str], cells: list[str]) -> dict[str, str]:
    if len(cells) != len(header):
        raise BadInput(
            place,
            f"{len(cells)} fields where the header has {len(header)}",
            "put a text that holds commas in double quotes",
        )
    return {column: cell.strip() for column, cell in zip(header, cells, strict=True)}


def _row(place: str, number: int, cell: dict[str, str]) -> Row:
    def text(column: str) -> str:
        return cell.get(column, "")

    def figure(column: str) -> float | None:
        return _figure(place, column, text(column))

    return Row(
        number=number,
        trial=text("trial_id"),
        author=text("first_author_year"),
        brand=text("product"),
        arm=text("arm"),
        dose=lenient(text("dose_U")),
        dose_unit=text("dose_unit"),
        n=lenient(text("n")),
        disorder=text("disorder"),
        measure=text("measure"),
        rule=text("rule"),
        scored=text("scored").lower() not in ("no", "false", "0"),
        endpoint=text("endpoint"),
        unit=text("unit"),
        week=text("week"),
        kind=text("value_type"),
        observed=lenient(text("mean_change_or_value")),
        se=figure("se_used"),
        se_basis=text("se_basis"),
        baseline=figure("baseline_mean"),
        baseline_sd=figure("baseline_sd"),
        use=text("use"),
        read=text("read"),
        certainty=text("certainty"),
        source=text("source"),
        note=text("note"),
    )


def _figure(place: str, column: str, text: str) -> float | None:
    """A number or nothing. Raises BadInput for words."""
    if text.lower() in _NOTHING:
        return None
    found = lenient(text)
    if found is None:
        raise BadInput(place, f"{column}: a number is needed (value {text!r})", "or leave it empty")
    return found
