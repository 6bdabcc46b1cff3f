"""What a report says, as plain data: both the page and the PDF are made from this, word by word."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from openbont.evidence import Parameter, cite
from openbont.patient import Patient
from openbont.plan import Plan
from openbont.planning.rules import Finding
from openbont.report.asked import asked, header, label_sources, products_of, verdict
from openbont.report.expected import expected
from openbont.report.grounds import as_printed, grounds, relevant
from openbont.report.tables import Content, distinct
from openbont.report.words import NOTICE as NOTICE
from openbont.report.words import day

if TYPE_CHECKING:  # the chain and the optimiser are slow to import; a report only reads results
    from openbont.forward.chain import Course
    from openbont.forward.exposure import Toxin
    from openbont.forward.outcome import Outcome
    from openbont.planning.proposal import Proposal

_CONTROL = dict.fromkeys({*range(32), *range(127, 160)} - {9, 10}, "�")


def content(
    plan: Plan,
    patient: Patient,
    findings: Sequence[Finding],
    course: "Course | None",
    untreated: "Course | None",
    outcome: "Outcome | None",
    model_parameters: Sequence[Parameter],
    proposal: "Proposal | None" = None,
    toxin: "Toxin | None" = None,
) -> Content:
    """All that the report says. A plan that a finding stops gets no course and no advice."""
    stopped = any(finding.level == "stop" for finding in findings)
    used = products_of(plan)
    cited = cite(findings, used, [] if stopped else label_sources(plan, patient))
    predicted: Content = {}
    if not stopped and course is not None and untreated is not None and outcome is not None:
        parameters = relevant(model_parameters, used)
        cited = cite(cited, proposal, parameters)
        predicted = expected(plan, patient, course, untreated, outcome, toxin)
        predicted |= grounds(proposal, parameters, distinct(cited))
    sources = distinct(cited)
    said = _front(plan, patient, findings, stopped)
    said |= asked(plan, patient, findings, sources, stopped) | predicted | as_printed(sources)
    return cast(Content, printable(said))


def _front(plan: Plan, patient: Patient, findings: Sequence[Finding], stopped: bool) -> Content:
    return {
        "language": "en",
        "title": f"Botulinum toxin plan for patient {patient.id}",
        "notice": NOTICE,
        "date": day(plan.date),
        "timestamp": plan.date.isoformat(),
        "stopped": stopped,
        "header": header(plan, patient),
        "verdict": verdict(findings, patient),
    }


def printable(said: Any) -> Any:
    """The same with every control character, which no font can show, made visible."""
    if isinstance(said, str):
        return said.translate(_CONTROL)
    if isinstance(said, dict):
        return {key: printable(value) for key, value in said.items()}
    return [printable(item) for item in said] if isinstance(said, list) else said
