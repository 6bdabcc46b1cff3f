"""What the words of another clinic's record mean. What is not plain is not guessed: it is None."""

import re
from datetime import date
from decimal import Decimal

from openbont.catalog.names import structures
from openbont.catalog.overview import overview
from openbont.catalog.products import product, products
from openbont.clinic.fhir.codes import disorder_of

TOXIN = re.compile(
    r"botulin|\bbont|\bbtx|toxin|botox|dysport|xeomin|myobloc|daxxify|jeuveau|letybo|azzalure|"
    r"bocouture|vistabel|neurobloc|nuceiva|alluzience|relfydess|nabota|meditoxin|botulax|hengli|"
    r"lantox|prosigne|innotox|coretox|hutox",
    re.IGNORECASE,
)
"""Words that may mean a botulinum toxin, also of products that are not in the catalog."""
FILLER = {
    *("injection", "injectable", "inj", "im", "for", "of", "the", "use", "dose", "single"),
    *("powder", "solution", "vial", "vials", "u", "unit", "units", "cosmetic"),
    *("botulinum", "toxin", "neurotoxin", "type", "serotype"),
}
"""Words beside a product's name that change nothing."""
UNIT = re.compile(r"(?:u|units?|\[arb'u\])(?:\s+(?:of\s+)?(?P<product>.+))?", re.IGNORECASE)
NUMBER = re.compile(r"(?P<number>\d{1,6}(?:\.\d{1,2})?)\s*(?P<unit>[^\d\s].*)?")
ISO = re.compile(r"(\d{4}-\d\d-\d\d)(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?")
SIDES = {"left": "left", "l": "left", "lt": "left", "right": "right", "r": "right", "rt": "right"}
PLAIN_STRUCTURES = {"bladder_wall": "detrusor", "detrusor_muscle": "detrusor"}


def may_be_toxin(text: str) -> bool:
    """True when a text mentions botulinum toxin in any way that we know."""
    return bool(TOXIN.search(text))


def product_in(text: str) -> str | None:
    """The one product that a text names, and nothing that speaks against it."""
    words = re.sub(r"[®™()\[\],;:/]+", " ", text.lower())
    names = {word: name for word, name in _names().items() if re.search(_whole(word), words)}
    found = set(names.values())
    if len(found) != 1:
        return None
    for word in sorted(names, key=len, reverse=True):
        words = re.sub(_whole(word), " ", words)
    (name,) = found
    left = set(words.split()) - FILLER - {product(name).serotype.lower()}
    return name if all(re.fullmatch(r"\d+(\.\d+)?u?", word) for word in left) else None


def _names() -> dict[str, str]:
    """Non-proprietary names and brands in small letters -> product."""
    brands = {
        brand: one.name for one in products().values() for brand in one.brand.lower().split(", ")
    }
    return brands | {name.lower(): name for name in products()}


def _whole(word: str) -> str:
    return rf"(?<![\w-]){re.escape(word)}(-[a-z]{{4}})?(?![\w-])"


def units_in(value: str, unit: str, named: str) -> Decimal | None:
    """Units of the product `named`: a plain number with "U" or "units" in its cell or its column.

    No thousands separator, no decimal comma, no IU, mg or mL, and no other product's name.
    """
    found = NUMBER.fullmatch(value.strip())
    if found is None:
        return None
    said = [text for text in (found["unit"], unit.strip()) if text]
    if not said or not all(_is_unit(text, named) for text in said):
        return None
    number = Decimal(found["number"])
    return number if number > 0 else None


def _is_unit(text: str, named: str) -> bool:
    found = UNIT.fullmatch(text.strip())
    if found is None:
        return False
    return found["product"] is None or product_in(found["product"]) == named


def date_in(text: str) -> date | None:
    """The day of an ISO date, or of an ISO time with its zone; 03/04/2026 is two days."""
    found = ISO.fullmatch(text.strip())
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def structure_in(text: str, side: str = "") -> str | None:
    """The structure, with its side unless it lies in the midline."""
    words = re.findall(r"[a-z]+", f"{text} {side}".lower())
    sides = {SIDES[word] for word in words if word in SIDES}
    rest = [word for word in words if word not in SIDES and word not in ("muscle", "side")]
    name = "_".join(rest)
    name = PLAIN_STRUCTURES.get(name, name)
    if not sides:
        return name if name in structures() else None
    sided = f"{name}.{next(iter(sides))}"
    return sided if len(sides) == 1 and sided in structures() else None


def disorder_in(text: str) -> str | None:
    """The disorder that a text or an ICD-10-CM leaf names."""
    plain = " ".join(re.findall(r"[a-z0-9.]+", text.lower()))
    for id_, entry in overview().items():
        if plain in (id_, " ".join(re.findall(r"[a-z0-9.]+", entry.words.lower()))):
            return id_
    return disorder_of(text.strip().upper())
