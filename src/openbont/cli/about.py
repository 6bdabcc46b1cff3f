"""Commands about the installation and the catalog."""

import json
from typing import Annotated, Literal

import typer

from openbont.cli.shared import AsJson, app, example, plain, print_json, show


@app.command(epilog=example("disorders"))
def disorders(as_json: AsJson = False) -> None:
    """List the disorders: scales, products with a label, and how well each is grounded."""
    from openbont.catalog.overview import overview
    from openbont.report import terminal

    entries = list(overview().values())
    show(
        as_json, {"disorders": plain(entries)}, lambda page: terminal.show_disorders(page, entries)
    )


@app.command(epilog=example("doctor --json"))
def doctor(as_json: AsJson = False) -> None:
    """What this installation is and has: versions, device, fonts, catalog, cache."""
    from openbont.doctor import examine

    found = examine()
    show(as_json, found, lambda page: page.print_json(json.dumps(found)))


@app.command(epilog=example("schema plan > plan.schema.json"))
def schema(
    kind: Annotated[Literal["patient", "plan", "trial"], typer.Argument(help="Of which files.")],
    as_json: AsJson = False,
) -> None:
    """The JSON Schema of patient, plan or trial files, for editors and other programs."""
    from openbont.io import schema as schema_of

    print_json(schema_of(kind))
