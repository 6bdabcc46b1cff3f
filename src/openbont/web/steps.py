"""One step of the path as a form: shown from the draft or the records, saved, signed."""

from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from openbont.clinic.records import Records
from openbont.web.chart import Chart
from openbont.web.drafts import Draft, Fields, draft, finish, save
from openbont.web.forms import Sent, Wrongs, compact

Signed = Callable[[Records, Chart, Draft], Wrongs]
"""Turns a draft into records, or says what is wrong."""


@dataclass(frozen=True)
class Filled:
    """A form as a template shows it."""

    key: str
    action: str
    version: int
    fields: Fields
    wrong: Wrongs = field(default_factory=dict)
    at: str = ""
    by: str = ""

    def get(self, name: str) -> str:
        """What stands in a field."""
        return self.fields.get(name, "")


def filled(
    records: Records, chart: Chart, step: str, first: Callable[[], Fields], wrong: Wrongs
) -> Filled:
    """The draft of a step; where there is none, `first` fills the form from the records."""
    held = draft(records, chart.id, step)
    fields = held.fields or first()
    action = f"/patients/{chart.id}/{step.replace('_', '/')}"
    by, at = (held.by, held.at) if held.fields else ("", "")
    return Filled(held.key, action, held.version, fields, wrong, at, by)


def stepped(
    request: Request,
    records: Records,
    chart: Chart,
    step: str,
    form: Sent,
    sign: Signed,
    onward: str,
    again: Callable[[Wrongs], Response],
) -> Response:
    """Save the draft; where `sign` was pressed, make records of it and go on."""
    typed = form.fields if form.do == "save" else compact(form.fields)
    kept = save(records, chart.id, step, typed, form.seen)
    if form.do == "save" and request.state.as_json:
        return JSONResponse({"version": kept.version, "at": kept.at[11:19] + " UTC"})
    if form.do != "sign":
        return RedirectResponse(request.url.path, 303)
    if wrong := sign(records, chart, kept):
        return again(wrong)
    finish(records, kept)
    return RedirectResponse(f"/patients/{chart.id}/{onward}", 303)
