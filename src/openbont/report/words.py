"""Numbers and dates as a clinician reads them. What is missing is "not known", never 0."""

import math
from datetime import date
from typing import TYPE_CHECKING

from openbont.catalog.overview import overview

if TYPE_CHECKING:
    from openbont.forward.outcome import Band

NOTICE = "Decision support and research software, not a medical device."
NOT_KNOWN = "not known"
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"  # whatever the locale
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float | None, unit: str = "", digits: int = 3) -> str:
    """At most `digits` significant digits, with the unit; whole numbers in full."""
    if value is None or not math.isfinite(value):
        return NOT_KNOWN
    whole = float(value).is_integer() or abs(value) >= 10**digits
    text = f"{value:,.0f}" if whole else _plain(f"{value:.{digits}g}")
    return f"{text} {unit}" if unit else text


def _plain(text: str) -> str:
    """1.9e-07 -> 1.9 × 10⁻⁷."""
    mantissa, _, power = text.partition("e")
    return f"{mantissa} × 10{str(int(power)).translate(_RAISED)}" if power else text


def week(value: float | None) -> str:
    """A week after day 0, to a tenth: a course is not sharper than a day."""
    return number(value if value is None else round(value, 1))


def percent(share: float | None) -> str:
    """A share as whole per cent; 0 and 100 only when nothing rounds to them."""
    if share is None or not math.isfinite(share):
        return NOT_KNOWN
    if 0 < share < 0.005:
        return "under 1 %"
    if 0.995 <= share < 1:
        return "over 99 %"
    return f"{100 * share:.0f} %"


def band(band: "Band", unit: str = "", decimals: int = 1) -> str:
    """Median with the central 90 % of the draws; infinite is what never happens."""
    low, median, high = (_rounded(value, decimals) for value in (band.low, band.median, band.high))
    return (
        f"{median} {unit} ({low} to {high})".replace("  ", " ") if median != NOT_KNOWN else median
    )


def _rounded(value: float, decimals: int) -> str:
    return "never" if value == math.inf else number(round(value, decimals) + 0.0)


def share_band(band: "Band") -> str:
    """A share with its central 90 %, in per cent."""
    low, median, high = map(percent, (band.low, band.median, band.high))
    return median if low == median == high else f"{median} ({low} to {high})"


def day(value: date) -> str:
    """A date that reads the same everywhere: 16 Nov 2026."""
    return f"{value.day} {_MONTHS[3 * value.month - 3 : 3 * value.month]} {value.year}"


def listed(items: list[str]) -> str:
    """a, b and c."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def reading_band(seen: "Band", unit: str) -> str:
    """A reading with its central 90 %: shares in per cent, the rest with their unit."""
    return share_band(seen) if unit.startswith("share") else band(seen, unit)


def title_words(name: str) -> str:
    """A disorder in words: spasticity.upper_limb -> spasticity of the arm."""
    known = overview().get(name)
    return known.words if known else name.replace(".", ", ").replace("_", " ")


def counted(count: int, noun: str) -> str:
    """1 vial, 2 vials."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def scale_words(scale: str) -> str:
    """The name of a scale that has one, such as MAS; empty for a plain count."""
    return "" if "_" in scale else scale
