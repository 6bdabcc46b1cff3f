"""The OpenAPI is true: whatever it allows is answered as it says, and breaks nothing.

Bounded: a few examples an address, and a few walks along the links from a new patient.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    status_code_conformance,
    unsupported_method,
)

from openbont.catalog.overview import overview
from openbont.web.accounts import ROLES, User
from openbont.web.app import create_app
from openbont.web.openapi import NEW
from tests.web import HERE, TestClient, browser, opener

KNOWN = {"patient": ("arm-after-stroke", "als-refused", "nobody"), "login": ("admin", "nobody")}
"""Names in addresses: some that are there, and one that is not."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    unsupported_method,
]
FEW = settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def whole(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """The workbench over the six patients, for whoever knocks."""
    place = tmp_path_factory.mktemp("openapi") / "records.db"
    place.write_bytes(demo.read_bytes())
    app = create_app(opener(place))
    yield app
    if app.state.records:
        app.state.records.close()


@pytest.fixture(scope="module")
def door(whole: FastAPI) -> TestClient:
    """A browser of somebody with every role."""
    client = browser(whole)
    cookie = whole.state.sessions.begin(User("all", "Every role", ROLES))
    client.cookies.set("openbont", cookie)
    return client


def described() -> dict[str, Any]:
    """The OpenAPI of the workbench, with names of the demonstration in its addresses."""
    said = create_app(opener(Path("nowhere"))).openapi()
    for methods in said["paths"].values():
        for operation in methods.values():
            for one in operation.get("parameters", ()):
                if one["in"] == "path" and one["name"] in KNOWN:
                    one["schema"] = {"enum": KNOWN[one["name"]]}
    return said


SCHEMA = schemathesis.openapi.from_dict(described(), config=SchemathesisConfig())
OPERATIONS = {one.ok().label: one.ok() for one in SCHEMA.get_all_operations()}
AWAY = {"POST /logout", "POST /password", "GET /unlock", "POST /unlock"}
"""These would sign the test out."""


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - AWAY))
def test_every_address_keeps_what_the_openapi_says(name: str, door: TestClient) -> None:
    @FEW
    @given(case=OPERATIONS[name].as_strategy())
    def keeps(case: schemathesis.Case) -> None:
        answer(case, door)

    keeps()


def answer(case: schemathesis.Case, door: TestClient) -> Any:
    sent = case.as_transport_kwargs(base_url=HERE)
    if isinstance(sent.get("data"), bytes):
        sent["content"] = sent.pop("data")
    got = door.request(**{name: sent[name] for name in sent.keys() - {"cookies"}})
    case.validate_response(got, checks=CHECKS)
    return got


SOMEBODY = {
    "name": {"const": "Ada Holm"},
    "born": {"type": "string", "pattern": "^19[3-9][0-9]-0[1-9]-1[0-9]$"},
    "sex": {"enum": ["female", "male"]},
    "weight_kg": {"type": "string", "pattern": "^[4-9][0-9]$"},
    "disorder.name": {"enum": list(overview())},
}
"""Fields that a new patient needs: the walks begin with one who is taken in."""


def walked() -> dict[str, Any]:
    """The doors from a new patient onwards, and the fields that make one."""
    said = described()
    form = {"type": "object", "properties": SOMEBODY, "required": list(SOMEBODY)}
    form["additionalProperties"] = False
    asked = said["paths"][NEW]["post"]["requestBody"]["content"]
    asked["application/x-www-form-urlencoded"]["schema"] = form
    linked = said["paths"][NEW]["post"]["responses"]["303"]["links"]
    for path, methods in said["paths"].items():
        said["paths"][path] = {
            method: one
            for method, one in methods.items()
            if path == NEW or one["operationId"] in linked
        }
    return said


def test_walks_along_the_links_from_a_new_patient_break_nothing(door: TestClient) -> None:
    steps: list[tuple[str, int]] = []
    schema = schemathesis.openapi.from_dict(walked(), config=SchemathesisConfig())

    class Walk(schema.as_state_machine()):  # type: ignore[misc]
        def call(self, case: schemathesis.Case, **_: Any) -> Any:
            got = answer(case, door)
            steps.append((case.operation.label, got.status_code))
            return schemathesis.Response.from_any(got)

        def validate_response(self, *_: Any, **__: Any) -> None:
            """Done by `answer`."""

    Walk.run(settings=settings(FEW, max_examples=8, stateful_step_count=6))
    assert (f"POST {NEW}", 303) in steps
    assert len({label for label, status in steps if status == 200}) > 5
