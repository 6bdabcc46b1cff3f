"""Commands about virtual trials and published ones."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from openbont.cli.shared import AsJson, Seed, app, bar, example, plain, show, writing
from openbont.errors import BadInput, NoEvidence

if TYPE_CHECKING:
    from rich.console import Console

    from openbont.trials.run import Blocks

DisorderName = Annotated[
    str, typer.Option(help="Only this disorder, for instance migraine.chronic.")
]
Evidence = Annotated[
    Path | None, typer.Option(help="Published rows as CSV; by default those of the catalog.")
]


@app.command(epilog=example("trial examples/trials/preempt.yaml --seed 1 --out out"))
def trial(
    design: Annotated[Path, typer.Argument(metavar="DESIGN", help="Trial as YAML or JSON.")],
    seed: Seed = 1,
    replicates: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="Runs; by default the design's.")
    ] = None,
    power: Annotated[
        float, typer.Option(min=0.1, max=0.99, help="For which a number of patients is named.")
    ] = 0.9,
    workers: Annotated[
        int, typer.Option(min=0, max=1024, help="Processes of this machine, through dask.")
    ] = 0,
    scheduler: Annotated[str, typer.Option(help="Address of a dask scheduler.")] = "",
    keep: Annotated[
        Path | None, typer.Option(help="Keep every patient's readings in this folder, as Zarr.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on in the folder of --keep.")
    ] = False,
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
        result = run_trial(the_design, seed, told, _blocks(workers, scheduler, keep, resume))
    sizes = plain(page.sizes(result, power))
    data = {"design": plain(the_design), "seed": seed, "rows": plain(result.rows()), "sizes": sizes}
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


def _blocks(workers: int, scheduler: str, keep: Path | None, resume: bool) -> "Blocks | None":
    """How blocks are run and kept; None: in this process."""
    if resume and keep is None:
        raise BadInput("--resume", "nothing to go on with", "name the folder with --keep")
    _needs_cluster([bool(workers), bool(scheduler), keep is not None])
    from openbont.trials.run import here

    blocks: Blocks = here
    if workers or scheduler:
        from openbont.trials.cluster import clustered

        blocks = clustered(workers or 1, scheduler)
    if keep is not None:
        from openbont.trials.store import stored

        blocks = stored(keep, blocks, resume)
    return blocks


def _needs_cluster(asked: Sequence[bool]) -> None:
    missing = [name for name in ("distributed", "xarray", "zarr") if find_spec(name) is None]
    if any(asked) and missing:
        way_out = "pip install 'openbont[cluster]'"
        raise BadInput("trial", f"{', '.join(missing)} is not installed", way_out)


@app.command(epilog=example("validate --disorder migraine.chronic --out out"))
def validate(
    evidence: Evidence = None,
    disorder: DisorderName = "",
    seed: Seed = 1,
    out: Annotated[Path | None, typer.Option(help="Write validation.html to this folder.")] = None,
    as_json: AsJson = False,
) -> None:
    """Predict every scored row of published trials, and say how far each one is met."""
    from openbont.report import validation as page
    from openbont.trials.validate import validate as run

    with bar("predicting published rows") as told:
        found = run(evidence, disorder, seed, told)
    data: dict[str, Any] = {"rows": plain(found.rows), "summary": plain(found.summary())}
    written = None
    if out is not None:
        with writing(out):
            written = page.write_validation(out, found)
        data["page"] = str(written)

    def text(console: "Console") -> None:
        page.show_validation(console, found)
        if written:
            console.print(f"page: {written}", soft_wrap=True)

    show(as_json, data, text)


@app.command(epilog=example("calibrate --disorder migraine.chronic --json"))
def calibrate(
    disorder: DisorderName = "",
    evidence: Evidence = None,
    seed: Seed = 1,
    starts: Annotated[int, typer.Option(min=1, max=1000, help="Starting points.")] = 8,
    write: Annotated[
        bool, typer.Option("--write", help="Put the values into the catalog's parameter file.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fit free parameters to published rows marked calibrate, and to no others."""
    from openbont.catalog.endpoints import endpoints
    from openbont.report import calibration as page
    from openbont.trials.calibrate import calibrate as fit
    from openbont.trials.calibrate import families, write_calibration

    table = endpoints(evidence)
    names = [disorder] if disorder else families(table)
    found, without = [], {}
    for number, name in enumerate(names, start=1):
        try:
            with bar(f"{name} ({number} of {len(names)})") as told:
                found.append(fit(table, name, seed, starts, told))
        except NoEvidence as reason:
            without[name] = str(reason)
    if write:
        with writing(Path("calibrated.yaml")):
            write_calibration(found, seed)
    data = {"calibrations": plain(found), "without": without, "seed": seed, "written": write}
    show(as_json, data, lambda console: page.show_calibration(console, found, without))
