"""Commands about one patient and a plan."""

import dataclasses
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from openbont.cli.ledger import OutsideFiles, as_known
from openbont.cli.place import By, DatabasePlace
from openbont.cli.shared import (
    STOPPED,
    AsJson,
    Draws,
    Folder,
    Seed,
    app,
    example,
    plain,
    print_json,
    progress,
    show,
    writing,
)
from openbont.errors import BadInput, NoEvidence

if TYPE_CHECKING:
    from rich.console import Console

    from openbont.evidence import Parameter
    from openbont.forward.chain import Course, Model
    from openbont.forward.exposure import Toxin
    from openbont.forward.outcome import Outcome
    from openbont.patient import Patient
    from openbont.plan import Plan
    from openbont.planning.proposal import Proposal
    from openbont.planning.rules import Finding
    from openbont.report.page import Report

PlanFile = Annotated[Path, typer.Argument(metavar="PLAN", help="Plan as YAML or JSON.")]
PatientFile = Annotated[
    Path | None,
    typer.Option("--patient", help="Patient as YAML or JSON; by default patient.yaml beside PLAN."),
]
Weeks = Annotated[
    int | None,
    typer.Option(min=1, max=104, help="Weeks to look ahead; 24, for glands and bladder 60."),
]
Label = Annotated[Literal["US", "EU", "IL"], typer.Option("--label", help="Whose label.")]


@app.command(epilog=example("demo --out out"))
def demo(out: Folder = Path("out"), as_json: AsJson = False) -> None:
    """Propose, predict and report: the arm of a man after a stroke, from files in the package."""
    from openbont.io import load_patient, save
    from openbont.report import terminal

    patient_file = _examples() / "arm_after_stroke" / "patient.yaml"
    patient = load_patient(patient_file)
    best = _proposals(patient, "onabotulinumtoxinA", "", draws=32, seed=1)[0]
    seen = predict(best.plan, patient, draws=200, seed=1)
    findings = findings_of(best.plan, patient)
    report = _write_report(out, best.plan, patient, findings, seen, best)
    save(best.plan, out / "plan.yaml")

    def text(page: "Console") -> None:
        terminal.show_plan(page, best.plan)
        terminal.show_reasons(page, best)
        terminal.show_course(page, seen.course, seen.untreated, patient)
        terminal.show_outcome(page, seen.outcome)
        page.print(f"\nreport: {report.html} and {report.pdf}", soft_wrap=True)
        page.print(
            f"next: openbont check {out / 'plan.yaml'} --patient {patient_file}", soft_wrap=True
        )

    show(as_json, {**seen.data(), "plan": plain(best.plan), "report": plain(report)}, text)


@app.command(epilog=example("check examples/arm_after_stroke/plan.yaml"))
def check(
    plan: PlanFile,
    patient: PatientFile = None,
    record: OutsideFiles = [],  # noqa: B006
    database: DatabasePlace = "",
    by: By = "",
    label: Label = "US",
    as_json: AsJson = False,
) -> None:
    """Compare a plan with labels, safety rules and what is known of the patient."""
    the_plan, the_patient = load(plan, patient)
    known = as_known(the_patient, record, the_plan.date, database, by)
    findings = findings_of(the_plan, known, label)
    from openbont.report import terminal

    data = {"findings": plain(findings), "stopped": stopped(findings)}
    show(as_json, data, lambda page: terminal.show_findings(page, findings))
    leave(findings)


@app.command(epilog=example("explain examples/arm_after_stroke/plan.yaml"))
def explain(plan: PlanFile, patient: PatientFile = None, as_json: AsJson = False) -> None:
    """Say in words what a plan gives: totals, limits, and what was filled in by default."""
    from openbont.planning.explain import explain as in_words

    words = in_words(*load(plan, patient))
    show(as_json, {"explanation": words}, lambda page: page.print(words, markup=False))


@app.command(
    epilog=example("propose examples/arm_after_stroke/patient.yaml --product onabotulinumtoxinA")
)
def propose(
    patient: Annotated[Path, typer.Argument(metavar="PATIENT", help="Patient as YAML or JSON.")],
    product: Annotated[
        str, typer.Option(help="Non-proprietary name of the product; with --against, its own.")
    ] = "",
    date: Annotated[str, typer.Option(help="Day of injection, as 2026-03-02.")] = "",
    draws: Draws = 32,
    seed: Seed = 1,
    against: Annotated[
        Path | None,
        typer.Option(help="A plan: find the fewest units that reach as much as it does."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the best plan to this file.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write its report to this folder.")] = None,
    as_json: AsJson = False,
) -> None:
    """Choose muscles, units and sites within every label limit; say how good, and what binds."""
    from openbont.io import load_patient, save
    from openbont.report import terminal

    the_patient = load_patient(patient)
    if against is not None:
        _improve(against, the_patient, draws, seed, out, as_json)
        return
    if not product:
        raise BadInput("--product", "no product named", "add for instance onabotulinumtoxinA")
    proposals = _proposals(the_patient, product, date, draws, seed)
    plan = proposals[0].plan
    if out:
        save(plan, out)
    if report:
        seen = predict(plan, the_patient, draws=200, seed=seed)
        findings = findings_of(plan, the_patient)
        _write_report(report, plan, the_patient, findings, seen, proposals[0])
    best, *others = plain(proposals)
    data = {**best, "alternatives": others, "draws": draws, "seed": seed}
    show(as_json, data, lambda page: terminal.show_proposals(page, proposals))


def _improve(
    against: Path, patient: "Patient", draws: int, seed: int, out: Path | None, as_json: bool
) -> None:
    """The fewest units that reach what a plan reaches."""
    from openbont.io import load_plan, save
    from openbont.planning.improve import improve
    from openbont.report import terminal

    with progress("what the plan reaches, and the least that reaches as much"):
        found = improve(load_plan(against), patient, draws, seed)
    if out:
        save(found.proposal.plan, out)
    show(as_json, plain(found), lambda page: terminal.show_improvement(page, found))


@app.command(epilog=example("simulate examples/arm_after_stroke/plan.yaml --draws 500 --seed 1"))
def simulate(
    plan: PlanFile,
    patient: PatientFile = None,
    draws: Draws = 200,
    seed: Seed = 1,
    weeks: Weeks = None,
    as_json: AsJson = False,
) -> None:
    """Predict the course of a plan week by week, with its uncertainty."""
    the_plan, the_patient = load(plan, patient)
    findings = findings_of(the_plan, the_patient)
    from openbont.catalog.overview import overview
    from openbont.report import terminal

    if stopped(findings):
        data = {"findings": plain(findings), "stopped": True}
        show(as_json, data, lambda page: terminal.show_findings(page, findings))
        leave(findings)
    seen = predict(the_plan, the_patient, draws, seed, weeks)

    def text(page: "Console") -> None:
        terminal.show_course(page, seen.course, seen.untreated, the_patient)
        terminal.show_outcome(page, seen.outcome)
        page.print(_rests_on(seen.course.rests_on, the_plan))
        if misfit := overview()[the_plan.disorder].misfit:
            page.print(f"caution: {misfit}")

    show(as_json, seen.data(), text)


@app.command(epilog=example("report examples/arm_after_stroke/plan.yaml --out out"))
def report(
    plan: PlanFile,
    patient: PatientFile = None,
    out: Folder = Path("out"),
    draws: Draws = 200,
    seed: Seed = 1,
    as_json: AsJson = False,
) -> None:
    """Write report.html and report.pdf: plan, findings, course, what it rests on, sources."""
    the_plan, the_patient = load(plan, patient)
    findings = findings_of(the_plan, the_patient)
    seen = None
    with suppress(NoEvidence):  # then the report is about the plan alone
        if not stopped(findings):
            seen = predict(the_plan, the_patient, draws, seed)
    written = _write_report(out, the_plan, the_patient, findings, seen)
    data = {"report": plain(written), "stopped": stopped(findings)}
    show(as_json, data, lambda page: page.print(f"{written.html}\n{written.pdf}", soft_wrap=True))
    leave(findings)


@app.command(epilog=example("cite examples/arm_after_stroke/plan.yaml"))
def cite(plan: PlanFile, patient: PatientFile = None, as_json: AsJson = False) -> None:
    """List the sources behind what is said about a plan."""
    from openbont.catalog.products import product
    from openbont.evidence import cite as sources_of
    from openbont.report import terminal

    the_plan, the_patient = load(plan, patient)
    findings = findings_of(the_plan, the_patient)
    parameters: tuple[Parameter, ...] = ()
    with suppress(NoEvidence):
        if not stopped(findings):
            parameters = model_of(the_patient, draws=2, seed=1).rests_on
    sources = sources_of([product(name) for name in the_plan.totals()], findings, parameters)
    rests_on = _rests_on(parameters, the_plan)
    data = {"sources": plain(sources), "rests_on": rests_on}

    def text(page: "Console") -> None:
        terminal.show_sources(page, sources)
        page.print(rests_on)

    show(as_json, data, text)


@app.command(
    epilog=example(
        "sbml examples/arm_after_stroke/plan.yaml --structure flexor_carpi_radialis.left"
    )
)
def sbml(
    plan: PlanFile,
    structure: Annotated[str, typer.Option(help="Muscle or gland, with its side.")],
    patient: PatientFile = None,
    out: Annotated[Path | None, typer.Option(help="Write to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the chain of one structure as SBML, for other simulators."""
    from openbont.io import replace_file
    from openbont.sbml import sbml as written

    text = written(*load(plan, patient), structure)
    if out is not None:
        with writing(out):
            replace_file(out, text.encode())
        text = f"{out}\n"
    if as_json:
        print_json({"file": str(out)} if out else {"sbml": text})
    else:
        print(text, end="")


@app.command(epilog=example("compare examples/plans/spastic_arm/reference.yaml mine.yaml"))
def compare(
    plan: PlanFile,
    reference: Annotated[
        Path | None, typer.Argument(metavar="[PLAN]", help="A second plan for the same patient.")
    ] = None,
    other: Annotated[
        Path | None, typer.Option(help="Instead: a second patient for the same plan.")
    ] = None,
    patient: PatientFile = None,
    out: Annotated[
        Path | None, typer.Option(help="Picture of two patients to write, as SVG.")
    ] = None,
    draws: Draws = 100,
    seed: Seed = 1,
    as_json: AsJson = False,
) -> None:
    """Show two plans for one patient, or one plan in two patients, side by side."""
    if (reference is None) == (other is None):
        way_out = "name a second plan, or a second patient with --other"
        raise BadInput("compare", "one thing alone cannot be compared", way_out)
    if reference is not None:
        _compare_plans(plan, reference, patient, draws, seed, as_json)
    else:
        assert other is not None
        _compare_patients(plan, other, patient, out, draws, seed, as_json)


def _compare_plans(
    plan: Path, reference: Path, patient: Path | None, draws: int, seed: int, as_json: bool
) -> None:
    from openbont.planning.compare import compared
    from openbont.report import terminal

    first, who = load(plan, patient)
    second, _ = load(reference, patient or plan.parent / "patient.yaml")
    with progress(f"simulating {draws} draws of two plans"):
        found = compared(first, second, who, draws, seed)
    names = (str(plan), str(reference))
    data = {"plan": plain(found.plan), "reference": plain(found.reference)}
    show(as_json, data, lambda page: terminal.show_plans(page, names, found))


def _compare_patients(
    plan: Path,
    other: Path,
    patient: Path | None,
    out: Path | None,
    draws: int,
    seed: int,
    as_json: bool,
) -> None:
    """Never a statement of safety."""
    from openbont.io import load_patient
    from openbont.report import terminal

    the_plan, first = load(plan, patient)
    second = load_patient(other)
    both = [
        (who, findings_of(the_plan, who), _alone(the_plan, who, draws, seed))
        for who in (first, second.model_copy(update={"id": first.id}))
    ]
    names = (first.id, second.id)
    data = {
        name: {"findings": plain(findings), "measures": terminal.medians(course)}
        for name, (_, findings, course) in zip(names, both, strict=True)
    }
    if out:
        from openbont.report.figures import patients_picture

        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(patients_picture(names, both[0][2], both[1][2]).svg, "utf-8")
    show(as_json, data, lambda page: terminal.show_two(page, names, both))


def _rests_on(parameters: "Sequence[Parameter]", plan: "Plan") -> str:
    """How many parameters of each grade, those of unused products left out."""
    from openbont.catalog.products import product
    from openbont.report.grounds import relevant, tally_words

    return tally_words(relevant(parameters, [product(name) for name in plan.totals()]))


@dataclasses.dataclass(frozen=True)
class Prediction:
    """A plan's course, the same draws without toxin, and what both mean."""

    course: "Course"
    untreated: "Course"
    outcome: "Outcome"
    toxin: "Toxin"
    seed: int

    def data(self) -> dict[str, Any]:
        """Weekly median and central 90 % of every measure, and the outcome."""
        at = [i for i, day in enumerate(self.course.day) if day % 7 == 0]
        measures = [
            {
                **{
                    name: getattr(m, name) for name in ("scale", "where", "words", "unit", "better")
                },
                "treated": _quantiles(self.course.of(m.scale, m.where)[:, at]),
                "untreated": _quantiles(self.untreated.of(m.scale, m.where)[:, at]),
            }
            for m in self.course.measures
        ]
        return {
            "day": [int(day) for day in self.course.day[at]],
            "draws": len(self.course.severity),
            "measures": measures,
            "outcome": plain(self.outcome),
            "rests_on": [
                {"id": one.id, "grade": one.grade, "verified": one.verified}
                for one in self.course.rests_on
            ],
            "seed": self.seed,
        }


def _quantiles(draws: Any) -> dict[str, Any]:
    import numpy as np

    low, median, high = np.quantile(draws, (0.05, 0.5, 0.95), axis=0)
    return {"low": plain(low), "median": plain(median), "high": plain(high)}


def load(plan: Path, patient: Path | None) -> tuple["Plan", "Patient"]:
    """The plan and its patient; a plan for somebody else is refused."""
    from openbont.io import load_patient, load_plan

    the_plan = load_plan(plan)
    the_patient = load_patient(patient or plan.parent / "patient.yaml")
    if the_plan.patient != the_patient.id:
        raise BadInput(
            f"{plan.name}: patient",
            f"the plan is for {the_plan.patient!r}, the patient is {the_patient.id!r}",
            "name the right patient with --patient",
        )
    return the_plan, the_patient


def findings_of(plan: "Plan", patient: "Patient", label: str = "US") -> "list[Finding]":
    """What `check` says of a plan."""
    from openbont.planning.check import check as compare

    return compare(plan, patient, label)


def stopped(findings: "Sequence[Finding]") -> bool:
    """True where a rule stops the plan."""
    return any(finding.level == "stop" for finding in findings)


def leave(findings: "Sequence[Finding]") -> None:
    """End with the status of a stopped plan, if it is one."""
    if stopped(findings):
        raise typer.Exit(STOPPED)


def model_of(patient: "Patient", draws: int, seed: int) -> "Model":
    """Draws of the model for one patient."""
    from openbont.catalog.model import model

    return model(patient, draws, seed)


def _alone(plan: "Plan", patient: "Patient", draws: int, seed: int) -> "Course":
    """The course of a plan in one patient, whatever `check` says."""
    from openbont.forward.chain import simulate as run

    with progress(f"simulating {draws} draws") as told:
        basis = model_of(patient, draws, seed)
        return run(plan, patient, basis, range(0, 169, 7), lambda done: told(f"{done:.0%}"))


def predict(
    plan: "Plan", patient: "Patient", draws: int, seed: int, weeks: int | None = None
) -> Prediction:
    """The course of a plan beside that without toxin."""
    from openbont.forward.chain import simulate as run
    from openbont.forward.exposure import toxin
    from openbont.forward.outcome import outcome
    from openbont.planning.limits import limits

    last = plan.sessions[-1]
    interval = limits(patient, last.product, plan.date_of(last), plan.disorder).interval_min_weeks
    with progress(f"simulating {draws} draws") as told:
        basis = model_of(patient, draws, seed)
        days = range(7 * (weeks or basis.horizon_weeks) + 1)
        course = run(plan, patient, basis, days, lambda done: told(f"{done / 2:.0%}"))
        untreated = run(
            plan.untreated(), patient, basis, days, lambda done: told(f"{(1 + done) / 2:.0%}")
        )
    seen = outcome(course, untreated, plan, patient, interval)
    return Prediction(course, untreated, seen, toxin(plan, basis), seed)


def _proposals(
    patient: "Patient", product: str, date: str, draws: int, seed: int
) -> "list[Proposal]":
    from openbont.planning.propose import propose as choose

    with progress("choosing muscles and doses") as told:
        return choose(patient, product, _day(date), draws, seed, told)


def _write_report(
    folder: Path,
    plan: "Plan",
    patient: "Patient",
    findings: "Sequence[Finding]",
    seen: Prediction | None,
    proposal: "Proposal | None" = None,
) -> "Report":
    from openbont.report.page import write_report

    predicted: dict[str, Any] = {"proposal": proposal}
    if seen:
        predicted["course"], predicted["untreated"] = seen.course, seen.untreated
        predicted["outcome"], predicted["model_parameters"] = seen.outcome, seen.course.rests_on
        predicted["toxin"] = seen.toxin
    with writing(folder), progress("writing the report"):
        return write_report(folder, plan, patient, findings, **predicted)


def _examples() -> Path:
    """The examples: inside an installed package, or beside it in a checkout."""
    here = Path(__file__).resolve().parents[1]
    return next(
        folder for folder in (here / "examples", here.parents[1] / "examples") if folder.is_dir()
    )


def _day(text: str) -> Any:
    from datetime import date

    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        way_out = "write year-month-day: 2026-03-02"
        raise BadInput("--date", f"not a date (value {text!r})", way_out) from None
