"""What the doors say of themselves: /openapi.json, as the guard and the error pages make it true.

Every page answers as HTML, or as JSON where JSON is accepted. Forms say which fields they take (see
`forms.takes`). Making somebody new links to the pages of that patient, so that a machine can go the
path, too.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from openbont.web.forms import takes
from openbont.web.guard import cookie_name

PAGE = ("text/html", "application/json")
ANSWERS = {
    "200": "The page, or its data.",
    "303": "Go on there; also to sign in, or to choose a password.",
    "401": "Nobody is signed in.",
    "403": "This role may not, or another site asked.",
    "404": "There is no such patient, record or page.",
    "409": "Somebody else was faster; both versions.",
    "411": "A body without its size.",
    "413": "Too large.",
    "421": "This name is not served here.",
    "422": "Not as asked for: place, problem, way out.",
    "503": "Busy; try again.",
}
ENDINGS = {
    ".pdf": "application/pdf",
    ".zip": "application/zip",
    ".csv": "text/csv",
    ".ics": "text/calendar",
    "/fhir": "application/fhir+json",
    "/body": "application/octet-stream",
    "/muscles": "application/octet-stream",
    "/yaml": "application/yaml",
    "/{name}": "*/*",
}
"""How an address ends whose answer is a file."""
NEW = "/patients/new"
PATIENT = r"$response.header.Location#regex:/patients/([^/]+)/"


def describe(app: FastAPI) -> None:
    """Let an app describe itself so."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _described(app: FastAPI) -> dict[str, Any]:
    said = get_openapi(title=app.title, version=app.version, routes=app.routes)
    cookie = {"type": "apiKey", "in": "cookie", "name": cookie_name(app.state.tls)}
    said.setdefault("components", {})["securitySchemes"] = {"session": cookie}
    said["security"] = [{"session": []}]
    for path, methods in said["paths"].items():
        for method, operation in methods.items():
            operation["responses"] = _answers(path)
            if method == "post" and "requestBody" not in operation:
                operation |= takes()
    _linked(said["paths"])
    return said


def _answers(path: str) -> dict[str, Any]:
    files = [kind for ending, kind in ENDINGS.items() if path.endswith(ending)]
    kinds = {"200": (*PAGE, *files), "303": ()}
    return {
        status: {
            "description": words,
            "content": {kind: {} for kind in kinds.get(status, (*PAGE, "text/plain"))},
        }
        for status, words in ANSWERS.items()
    }


def _linked(paths: dict[str, Any]) -> None:
    """Whoever is made new has a path of pages."""
    links = {
        operation["operationId"]: {
            "operationId": operation["operationId"],
            "parameters": {"patient": PATIENT},
        }
        for path, methods in paths.items()
        if path.startswith("/patients/{patient}/") and "{key}" not in path
        for operation in methods.values()
    }
    paths[NEW]["post"]["responses"]["303"]["links"] = links
