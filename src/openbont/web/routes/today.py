"""Today: forms in work, follow-ups that are due, plans to be given, and the next dates."""

import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from openbont.web.accounts import READ, ROLES
from openbont.web.chart import Chart, charts, worked_on
from openbont.web.context import home, need, page, records, user_of
from openbont.web.routes.followup import schedule
from openbont.web.routes.inject import due
from openbont.web.routes.next import agreed_on

router = APIRouter()
AHEAD = datetime.timedelta(days=28)
BACK = datetime.timedelta(weeks=26)
"""Who was not worked on for so long has nothing that waits."""
FIRST = 12
"""Lines of a list that are seen at once."""


@router.get("/", dependencies=[need(*ROLES)])
def today(request: Request) -> Response:
    """What is to be done; who may see nobody by name is sent to the first page that is theirs."""
    if not user_of(request).may(*READ):
        return RedirectResponse(home(request), 303)
    held = records(request)
    everybody = list(charts(held, worked_on(held, held.now() - BACK)))
    return page(
        request,
        "today.html",
        today=held.now().astimezone().date(),
        drafts=_drafts(everybody),
        give=[_brief(one) for one in everybody if due(one)],
        followups=_followups(everybody),
        dates=_dates(everybody),
        first=FIRST,
    )


def _brief(known: Chart) -> dict[str, Any]:
    return {"id": known.id, "name": known.who.name, "treated": known.who.treated}


def _drafts(everybody: list[Chart]) -> list[dict[str, Any]]:
    """Forms in work, and plans that are not signed."""
    typed = [
        _brief(known) | {"step": one.step, "by": one.by, "at": one.at}
        for known in everybody
        for one in known.drafts
        if one.step != "next"
    ]
    plans = [
        _brief(known) | {"step": "plan", "by": known.plan[0].by, "at": known.plan[0].at}
        for known in everybody
        if known.plan and known.plan[0].state == "draft"
    ]
    return sorted(typed + plans, key=lambda one: str(one["at"]), reverse=True)


def _followups(everybody: list[Chart]) -> list[dict[str, Any]]:
    return [
        _brief(known) | {"words": one["words"], "last": one["last"], "scales": one["scales"]}
        for known in everybody
        for one in schedule(known)
        if one["state"] == "due"
    ]


def _dates(everybody: list[Chart]) -> list[dict[str, Any]]:
    """Agreed dates of the next weeks, the nearest first."""
    found = []
    for known in everybody:
        kept = known.draft("next")
        at = agreed_on(kept)
        if kept and at and known.today <= at.date() <= known.today + AHEAD:
            found.append(_brief(known) | {"at": at, "reason": kept.fields.get("reason", "")})
    return sorted(found, key=lambda one: one["at"])
