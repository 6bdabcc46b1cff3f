"""The report as a self-contained page and as a PDF, the same bytes for the same plan."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from openbont.evidence import Parameter
from openbont.forward.outcome import Outcome
from openbont.io import replace_file
from openbont.patient import Patient
from openbont.plan import Plan
from openbont.planning.rules import Finding
from openbont.report.content import content
from openbont.report.tables import Content

if TYPE_CHECKING:
    from openbont.forward.chain import Course
    from openbont.forward.exposure import Toxin
    from openbont.planning.proposal import Proposal


@dataclass(frozen=True)
class Report:
    """Where a report was written."""

    html: Path
    pdf: Path


def write_report(
    folder: Path,
    plan: Plan,
    patient: Patient,
    findings: Sequence[Finding],
    course: "Course | None" = None,
    untreated: "Course | None" = None,
    outcome: Outcome | None = None,
    model_parameters: Sequence[Parameter] = (),
    proposal: "Proposal | None" = None,
    toxin: "Toxin | None" = None,
) -> Report:
    """Write report.html and report.pdf into `folder`, which is made if need be."""
    said = content(
        plan, patient, findings, course, untreated, outcome, model_parameters, proposal, toxin
    )
    folder.mkdir(parents=True, exist_ok=True)
    report = Report(folder / "report.html", folder / "report.pdf")
    replace_file(report.html, html(said).encode())
    replace_file(report.pdf, pdf(said))
    return report


def html(said: Content) -> str:
    """One page without scripts and without anything fetched; every word is escaped."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["drawn"] = _drawn
    template = environment.from_string(read_template("report.html.j2"))
    return template.render(**said, css=Markup(read_template("report.css")))


def pdf(said: Content, templates: Sequence[str] = ("report.typ",)) -> bytes:
    """A tagged A4 document (PDF/UA), set by templates read one after the other.

    Its date is that of what it says, and its fonts come with the wheels.
    """
    import typst

    compiler = typst.Compiler(
        "".join(map(read_template, templates)).encode(),
        font_paths=typst.Fonts(include_system_fonts=False, font_paths=[_fonts()]),
        sys_inputs={"data": json.dumps(said, sort_keys=True)},
    )
    made = datetime.fromisoformat(said["timestamp"]).replace(tzinfo=UTC)
    written = compiler.compile(format="pdf", pdf_standards=["ua-1"], timestamp=made)
    assert isinstance(written, bytes)
    return written


def read_template(name: str) -> str:
    """One template of this package."""
    return files("openbont.report").joinpath("templates", name).read_text("utf-8")


def _drawn(svg: str) -> Markup:
    """A picture of ours, its ink following the page's own."""
    from openbont.report.figures import INK

    return Markup(svg.replace(INK, "currentColor"))


def _fonts() -> str:
    """Folder of the sans-serif fonts that matplotlib ships; they fill the gaps of typst's own."""
    import matplotlib

    return str(Path(matplotlib.get_data_path()) / "fonts" / "ttf")
