"""Today: forms in work, follow-ups that are due, and the next dates."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from openbont.web.accounts import READ
from openbont.web.chart import charts
from openbont.web.context import need, page, records

router = APIRouter()


@router.get("/", dependencies=[need(*READ)])
def today(request: Request) -> Response:
    """What is to be done."""
    everybody = charts(records(request))
    return page(request, "today.html", everybody=[one.who for one in everybody])
