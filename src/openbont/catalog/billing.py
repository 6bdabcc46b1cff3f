"""How payers in the United States count a product: HCPCS code and units of one billing unit."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from openbont.catalog.products import read
from openbont.evidence import Source


@dataclass(frozen=True)
class BillingCode:
    """Code of a product whose vials are for one patient, and what it counts."""

    product: str
    code: str
    units: Decimal
    """Units of the product in one billing unit."""
    sources: tuple[Source, ...]


@cache
def billing_codes() -> dict[str, BillingCode]:
    """All codes by product; a product that is not there has none that was read."""
    table = read("billing.yaml")
    cited = {
        name: Source.model_validate({"id": f"billing:{name}", **row})
        for name, row in table["sources"].items()
    }
    return {
        name: BillingCode(
            name,
            row["code"],
            Decimal(row["units"]),
            tuple(cited[one] for one in (*row["sources"], "rounding", "modifiers")),
        )
        for name, row in table["codes"].items()
    }
