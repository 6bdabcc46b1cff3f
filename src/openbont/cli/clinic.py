"""Commands for the day's work: which vials to open, which visits are due."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

import typer

from openbont.cli.place import By, DatabasePlace, opened
from openbont.cli.records import PatientId, records
from openbont.cli.shared import AsJson, example, plain, show
from openbont.errors import BadInput

if TYPE_CHECKING:
    from rich.console import Console

    from openbont.clinic.due import Due


@records.command(epilog=example("records vials onabotulinumtoxinA 155 --patient ida"))
def vials(
    product: Annotated[str, typer.Argument(metavar="PRODUCT", help="Non-proprietary name.")],
    units: Annotated[str, typer.Argument(metavar="UNITS", help="Units that are needed.")],
    patient: PatientId,
    database: DatabasePlace = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Which vials on the shelf to open for a patient, with the least waste."""
    from openbont.catalog.products import product as known
    from openbont.clinic.nouns import Vial
    from openbont.clinic.vials import choose

    with opened(database, by) as held:
        stock = [one.noun for one in held.all("", "vial") if isinstance(one.noun, Vial)]
        own = [one.key for one in held.all(patient, "session")]
        draws = choose(_units(units), known(product).name, stock, held.now(), own)
    remaining = {vial.id: vial.remaining for vial in stock}
    left = sum((remaining[draw.vial] - draw.units for draw in draws), Decimal(0))

    def text(page: "Console") -> None:
        for draw in draws:
            page.print(f"{draw.units:f} U from vial {draw.vial}", markup=False)
        page.print(f"{left:f} U are left over: one patient a vial, so they are waste")

    show(as_json, {"draws": plain(draws), "left_over": str(left)}, text)


@records.command(epilog=example("records due ida"))
def due(
    patient: Annotated[str, typer.Argument(metavar="PATIENT", help="The patient's id.")],
    database: DatabasePlace = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Visits after the last session: when, and which scales to read."""
    from openbont.clinic.due import due as visits_due

    with opened(database, by) as held:
        found = visits_due(held.all(patient), datetime.now(UTC).astimezone().date())
    show(as_json, {"due": plain(found)}, lambda page: _show_due(page, found))


def _show_due(page: "Console", found: "list[Due]") -> None:
    for one in found:
        read = ", ".join((*one.visit.scales, *one.visit.ask))
        when = f"{one.first} to {one.last}"
        page.print(f"{one.state:8} {when}  {one.visit.words}: {read}", markup=False)
    sources = {source.text: source.verified for one in found for source in one.visit.sources}
    for words, verified in sources.items():
        page.print(f"source: {words}{'' if verified else ' (unverified)'}", markup=False)


def _units(text: str) -> Decimal:
    try:
        units = Decimal(text)
    except InvalidOperation:
        units = Decimal(0)
    if not units.is_finite() or units <= 0:
        raise BadInput("UNITS", f"not units (value {text!r})", "write a plain number, as 155")
    return units
