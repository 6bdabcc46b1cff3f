"""Vials on the shelf: what is there, what comes in, what is thrown away."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from openbont.catalog.products import products
from openbont.clinic.nouns import Vial, Waste
from openbont.errors import BadInput
from openbont.web.accounts import STOCK
from openbont.web.context import need, page, records
from openbont.web.drafts import Fields
from openbont.web.forms import TEXT, Form, Wrongs, at, made, named, same, takes
from openbont.web.routes.inject import WASTE, throw_away
from openbont.web.steps import Filled

router = APIRouter()
COLUMNS = ("id", "product", "units", "lot", "expiry")
"""What is typed of a new vial."""


@router.get("/vials", dependencies=[need(*STOCK)])
def vials(request: Request) -> Response:
    """The shelf, what expires first on top."""
    return _shown(request, {}, {})


@router.post("/vials", dependencies=[need(*STOCK)], openapi_extra=takes(Vial, only=COLUMNS))
def add_vial(request: Request, form: Form) -> Response:
    """A vial that came in."""
    held = records(request)
    vial, wrong = made(Vial, named(form.fields, COLUMNS))
    if vial is None:
        return _shown(request, form.fields, wrong, 422)
    try:
        held.add(vial, "")
    except BadInput as error:
        return _shown(request, form.fields, at("id", error), 422)
    return RedirectResponse("/vials", 303)


@router.post(
    "/vials/waste",
    dependencies=[need(*STOCK)],
    openapi_extra=takes(Waste, only=WASTE, vial=TEXT),
)
def waste(request: Request, form: Form) -> Response:
    """Throw away what is left in a vial."""
    throw_away(records(request), form.fields, form.seen)
    return RedirectResponse("/vials", 303)


def _shown(request: Request, fields: Fields, wrong: Wrongs, status: int = 200) -> Response:
    held = records(request)
    found = [(one, one.noun) for one in held.all("", "vial") if isinstance(one.noun, Vial)]
    found.sort(key=lambda pair: (pair[1].remaining == 0, pair[1].expiry, pair[1].id))
    today = held.now().astimezone().date()
    return page(
        request,
        "vials.html",
        status=status,
        form=Filled("vial", "/vials", 0, fields, wrong),
        vials=[
            {"version": one.version, "vial": vial, "remaining": vial.remaining}
            for one, vial in found
        ],
        products=same(*products()),
        today=today,
    )
