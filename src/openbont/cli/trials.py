"""Commands about virtual trials."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openbont.cli.shared import AsJson, Seed, app, bar, example, plain, show, writing

if TYPE_CHECKING:
    from rich.console import Console


@app.command(epilog=example("trial examples/trials/preempt.yaml --seed 1 --out out"))
def trial(
    design: Annotated[Path, typer.Argument(metavar="DESIGN", help="Trial as YAML or JSON.")],
    seed: Seed = 1,
    replicates: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="Runs; by default the design's.")
    ] = None,
    want_power: Annotated[
        float, typer.Option("--power", min=0.1, max=0.99, help="For which a size is named.")
    ] = 0.9,
    out: Annotated[
        Path | None, typer.Option(help="Write trial.html and trial.svg to this folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a virtual trial: means, responders, differences and power by arm and visit."""
    from openbont.io import load_design
    from openbont.report import trials as page
    from openbont.trials.run import run_trial

    the_design = load_design(design)
    if replicates is not None:
        the_design = the_design.model_copy(update={"replicates": replicates})
    people = the_design.patients * the_design.replicates * len(the_design.arms)
    with bar(f"{people:,} patients") as told:
        result = run_trial(the_design, seed, told)
    data = {"design": plain(the_design), "seed": seed, "rows": plain(result.rows())}
    data["sizes"] = sizes = plain(page.sizes(result, want_power))
    written = None
    if out is not None:
        with writing(out):
            written = page.write_trial(out, result, sizes)
        data["page"] = str(written)

    def text(console: "Console") -> None:
        page.show_trial(console, result, sizes)
        if written:
            console.print(f"page: {written}", soft_wrap=True)

    show(as_json, data, text)
