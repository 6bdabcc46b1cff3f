"""Research in the workbench: what is asked runs beside, is its owner's alone, and is bounded."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from openbont.errors import BadInput, Busy
from openbont.web.jobs import MOST_WAITING, Job, Jobs
from openbont.web.routes.research import designs, jobs
from openbont.web.server import examples
from tests.web import signed_in_as

SMALL = designs()["glabellar_pivotal"]


def finished(client: TestClient, where: str) -> dict[str, Any]:
    """The state of a job once it is over."""
    for _ in range(600):
        state: dict[str, Any] = client.get(f"{where}/state").json()
        if state["state"] not in ("waiting", "running"):
            return state
        time.sleep(0.1)
    raise AssertionError("the job does not end")


def small(text: str) -> str:
    """The same design with a few people."""
    lines = [
        "patients: 20" if line.startswith("patients:") else line
        for line in text.splitlines()
        if not line.startswith("replicates:")
    ]
    return "\n".join([*lines, "replicates: 2"])


def test_a_trial_gives_what_the_verb_gives(app: FastAPI, tmp_path: Path) -> None:
    import openbont as bont

    (tmp_path / "trial.yaml").write_text(small(SMALL))
    expected = bont.run_trial(bont.load_design(tmp_path / "trial.yaml"), seed=3)
    client = signed_in_as(app, "researcher")
    answer = client.post("/research/trial", data={"design": small(SMALL), "seed": "3"})
    where = answer.headers["location"]
    assert finished(client, where)["problem"] == ""
    page = client.get(where)
    assert page.status_code == 200
    rows = [row for _, rows in client.get(f"{where}.json").json()["tables"] for row in rows]
    assert rows[0]["mean"] == pytest.approx(expected.rows()[0]["mean"], rel=1e-5)
    assert client.get(f"{where}/report.html").content.startswith(b"<!doctype html>")
    other = signed_in_as(app, "injector")
    assert other.get(where).status_code == 404


def test_a_wrong_design_is_shown_again_with_what_is_wrong(app: FastAPI) -> None:
    client = signed_in_as(app, "researcher")
    wrong = SMALL.replace("dose_u:", "doze_u:", 1)
    answer = client.post("/research/trial", data={"design": wrong})
    assert answer.status_code == 422
    assert "dose_u" in answer.text.partition("<textarea")[0]
    assert "doze_u:" in answer.text
    assert not jobs(app_request(app)).held


def app_request(app: FastAPI) -> Any:
    """As much of a request as `jobs` looks at."""
    return type("Asked", (), {"app": app})()


def test_too_many_people_are_refused_with_a_way_out(app: FastAPI) -> None:
    client = signed_in_as(app, "researcher")
    answer = client.post("/research/trial", data={"design": small(SMALL) + "00000"})
    assert answer.status_code == 422
    assert "openbont trial" in answer.text


def test_two_plans_side_by_side(app: FastAPI) -> None:
    client = signed_in_as(app, "researcher")
    plan = (examples() / "arm_after_stroke" / "plan.yaml").read_text()
    form = {"example": "arm_after_stroke", "first": plan, "second": plan.replace("45", "30")}
    where = client.post("/research/compare", data=form).headers["location"]
    assert finished(client, where)["problem"] == ""
    rows = client.get(f"{where}.json").json()["rows"]
    assert rows[0] == ["Total", "290 U onabotulinumtoxinA", "260 U onabotulinumtoxinA"]
    assert client.get(where).status_code == 200


def test_a_plan_for_somebody_else_is_refused(app: FastAPI) -> None:
    client = signed_in_as(app, "researcher")
    plan = (examples() / "chronic_migraine" / "plan.yaml").read_text()
    form = {"example": "arm_after_stroke", "first": plan, "second": plan}
    answer = client.post("/research/compare", data=form)
    assert answer.status_code == 422
    assert "the patient is" in answer.text


def test_every_example_can_be_taken(app: FastAPI) -> None:
    client = signed_in_as(app, "researcher")
    for name in designs():
        assert client.get(f"/research/trial?example={name}").status_code == 200
    assert client.get("/research/trial?example=../../patient").status_code == 404
    assert client.get("/research/validation").status_code == 200
    assert client.post("/research/validation", data={"disorder": "cold"}).status_code == 422


def test_the_queue_is_bounded_and_work_can_be_given_up() -> None:
    queue, gate = Jobs(), threading.Event()

    def work(tell: Any) -> None:
        gate.wait(10)
        tell(0.5)

    kept: list[Job] = [queue.start("a", "trial", "x", work) for _ in range(MOST_WAITING)]
    with pytest.raises(Busy):
        queue.start("a", "trial", "x", work)
    kept[0].wanted = False
    gate.set()
    queue.pool.shutdown(wait=True)
    assert [one.state for one in kept] == ["given up", *["done"] * (MOST_WAITING - 1)]


def test_what_fails_says_why() -> None:
    queue = Jobs()

    def work(tell: Any) -> None:
        raise BadInput("trial", "nobody enters", "widen the criteria")

    job = queue.start("a", "trial", "x", work)
    queue.pool.shutdown(wait=True)
    assert job.state == "failed"
    assert "nobody enters" in job.problem
