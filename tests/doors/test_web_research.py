"""Research in the workbench: what is asked runs beside and can be ended; results stay, and are
their owner's alone; nothing about patients of the records is kept or shown to a researcher."""

import csv
import io
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from openbont.design import Design
from openbont.errors import Busy
from openbont.io import load_patient, load_plan
from openbont.trials.result import TrialResult
from openbont.trials.run import run_trial
from openbont.web import studies
from openbont.web.app import create_app
from openbont.web.designs import designed, fields_of
from openbont.web.jobs import MOST_WAITING, Job, Jobs, Tell, Work
from openbont.web.results import About, Result, Results
from openbont.web.routes.research import designs, load_text
from openbont.web.routes.results import jobs
from openbont.web.server import examples
from openbont.web.texts import as_yaml
from tests import work
from tests.web import opener, signed_in_as

LESS = {"dose_u": 25.0}
SMALL = designs()["glabellar_pivotal"]


def small(text: str) -> str:
    """The same design with a few people."""
    lines = [
        "patients: 20" if line.startswith("patients:") else line
        for line in text.splitlines()
        if not line.startswith("replicates:")
    ]
    return "\n".join([*lines, "replicates: 2"])


def jobs_of(app: FastAPI) -> Jobs:
    """The queue of an application."""
    return jobs(type("Asked", (), {"app": app})())


def over(job: Job) -> Job:
    """A job, once it is over."""
    for _ in range(1200):
        if not job.open:
            return job
        time.sleep(0.05)
    raise AssertionError("the job does not end")


# ---- virtual trials


def test_a_trial_gives_what_the_verb_gives_and_is_there_after_a_restart(
    app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[TrialResult] = []

    def seen(design: Design, seed: int, tell: Tell) -> TrialResult:
        found.append(run_trial(design, seed, tell))
        return found[-1]

    monkeypatch.setattr("openbont.trials.run.run_trial", seen)
    asked = load_text(small(SMALL))
    about = About("researcher", "trial", asked.name, 3, as_yaml(asked))
    jobs_of(app).results.keep(about, studies.trial(asked, 3, lambda done: None))
    again = create_app(opener(tmp_path / "records.db"))
    client = signed_in_as(again, "researcher")
    (listed,) = client.get("/research.json").json()["jobs"]
    assert (listed["words"], listed["seed"]) == ("Glabellar lines, pivotal", 3)
    where = f"/research/jobs/{about.id}"
    data, rows = client.get(f"{where}.json").json(), found[0].rows()
    assert data["tables"][0]["rows"][0]["mean"] == pytest.approx(rows[0]["mean"], rel=1e-5)
    assert {one["power"] for one in data["sizes"]} == {0.8, 0.9}
    table = csv.DictReader(io.StringIO(client.get(f"{where}/files/rows.csv").text))
    assert len(list(table)) == len(rows)
    assert client.get(f"{where}/files/report.html").text.startswith("<!doctype html>")
    assert client.get(f"{where}/files/picture.svg?dark=true").text.startswith("<svg")
    assert client.get(f"{where}/files/about.json").status_code == 404
    assert "patients an arm" in client.get(where).text
    begun = client.get(f"/research/trial.json?begin={about.id}").json()
    assert begun["form"]["fields"]["patients"] == "20"
    again.state.records.close()


def test_the_trial_of_a_form_is_started_and_stopped(app: FastAPI) -> None:
    client = signed_in_as(app, "researcher")
    form = client.get("/research/trial.json?begin=preempt").json()["form"]["fields"]
    asked = {**form, "begin": "preempt", "patients": "50", "seed": "7", "do": "run"}
    where = client.post("/research/trial", data=asked).headers["location"]
    job = jobs_of(app).held[where.rpartition("/")[2]]
    assert (job.about.words, job.about.seed, job.keep) == ("PREEMPT", 7, True)
    assert load_text(job.about.asked).patients == 50
    assert client.get(f"{where}/state").json()["state"] in ("waiting", "running")
    assert client.post(f"{where}/stop").headers["location"] == where
    assert over(job).state == "stopped"
    assert "Change it and ask again" in client.get(where).text
    assert client.get(f"/research/trial?begin={job.about.id}").status_code == 200


@pytest.mark.parametrize("name", designs())
def test_a_form_that_nobody_touched_is_the_design(name: str) -> None:
    design = load_text(designs()[name])
    assert designed(design, fields_of(design)) == (design, {})


def test_what_is_turned_in_the_form_is_turned_in_the_design() -> None:
    design = load_text(designs()["preempt"])
    turned = {"patients": "50", "weeks": "4, 24", "primary": "1", "entry.0.at_most": "25"}
    turned |= {"arms.0.injections.2.dose_u": "7.5", "arms.0.weeks": "0"}
    found, wrong = designed(design, fields_of(design) | turned)
    assert found is not None
    assert wrong == {}
    assert (found.patients, found.weeks, found.entry[0].at_most) == (50, (4, 24), 25)
    assert (found.arms[0].injections[2].dose_u, found.arms[0].weeks) == (7.5, (0,))
    assert found.endpoints[0].rule == "change<=-50%"


def test_a_wrong_field_is_shown_again_with_what_is_wrong(app: FastAPI) -> None:
    client = signed_in_as(app, "researcher")
    form = client.get("/research/trial.json?begin=preempt").json()["form"]["fields"]
    wrong = {"weeks": "4, late, 24", "patients": "many", "seed": "x"}
    answer = client.post("/research/trial", data={**form, "begin": "preempt", **wrong})
    assert answer.status_code == 422
    for name, typed in wrong.items():
        assert f'href="#{name}"' in answer.text
        assert f'value="{typed}"' in answer.text
    assert not jobs_of(app).held


def test_a_form_goes_on_as_yaml(app: FastAPI) -> None:
    client = signed_in_as(app, "researcher")
    form = client.get("/research/trial.json?begin=preempt").json()["form"]["fields"]
    asked = {**form, "begin": "preempt", "patients": "77", "do": "yaml"}
    text = client.post("/research/trial.json", data=asked).json()["text"]
    assert load_text(text).patients == 77


def test_a_wrong_text_is_shown_again_with_its_line(app: FastAPI) -> None:
    client = signed_in_as(app, "researcher")
    wrong = SMALL.replace("dose_u:", "doze_u:", 1)
    answer = client.post("/research/trial/yaml", data={"design": wrong})
    assert answer.status_code == 422
    assert "dose_u" in answer.text.partition("<textarea")[0]
    assert "doze_u:" in answer.text


def test_too_many_people_are_refused_with_a_way_out(app: FastAPI) -> None:
    client = signed_in_as(app, "researcher")
    for more in ("0000", "000"):
        text = small(SMALL).replace("patients: 20", "patients: 2") + more
        answer = client.post("/research/trial/yaml", data={"design": text})
        assert answer.status_code == 422
        assert "openbont trial" in answer.text


def test_every_form_can_be_opened_and_has_its_twin(app: FastAPI) -> None:
    client = signed_in_as(app, "researcher")
    for name in designs():
        assert client.get(f"/research/trial?begin={name}").status_code == 200
        assert client.get(f"/research/trial/yaml.json?begin={name}").json()["begin"] == name
    assert client.get("/research/trial?begin=../../patient").status_code == 404
    assert sum(client.get("/research/validation.json").json()["disorders"].values()) > 100
    assert client.get("/research/validation").status_code == 200
    for wrong in ({"disorder": "cold"}, {}):
        assert client.post("/research/validation", data=wrong).status_code == 422


# ---- validation


def test_published_rows_stand_in_a_table_that_is_a_picture(app: FastAPI) -> None:
    found = studies.validation("healthy.edb", 1, lambda done: None)
    other = {**found.data["rows"][0], "disorder": "healthy.other", "trial_id": "Elsewhere"}
    both = {**found.data, "rows": [*found.data["rows"], other]}
    about = About("researcher", "validation", "healthy", 1)
    jobs_of(app).results.keep(about, Result(both, found.files))
    client = signed_in_as(app, "researcher")
    where = f"/research/jobs/{about.id}"
    shown = client.get(f"{where}.json?disorder=healthy.edb").json()
    assert shown["disorders"] == ["healthy.edb", "healthy.other"]
    lines = [line for panel in shown["panels"] for line in panel["rows"]]
    assert len(lines) + len(shown["missing"]) == len(found.data["rows"])
    for line in lines:
        low, middle, high = line["predicted"]
        assert 0 <= low <= middle <= high <= 320
    text = client.get(f"{where}?disorder=healthy.edb").text
    assert text.count('class="drawn"') == len(lines)
    assert "Elsewhere" not in text
    assert "Elsewhere" in client.get(f"{where}?disorder=healthy.other").text


# ---- two plans, two patients


@pytest.fixture(scope="module")
def two_plans() -> Result:
    """A comparison of an arm's plan with one of 20 U less, of few draws."""
    folder = examples() / "arm_after_stroke"
    patient, plan = load_patient(folder / "patient.yaml"), load_plan(folder / "plan.yaml")
    session = plan.sessions[0]
    first, *others = session.injections
    less = session.model_copy(update={"injections": (first.model_copy(update=LESS), *others)})
    fewer = plan.model_copy(update={"sessions": (less,)})
    sides = [studies.Compare(*one) for one in (("A", patient, plan), ("B", patient, fewer))]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(studies, "DRAWS", 4)
        return studies.comparison(sides[0], sides[1], 1, lambda done: None)


def test_two_plans_side_by_side(app: FastAPI, two_plans: Result) -> None:
    about = About("researcher", "comparison", "A and B", 1)
    jobs_of(app).results.keep(about, two_plans)
    client = signed_in_as(app, "researcher")
    where = f"/research/jobs/{about.id}"
    data = client.get(f"{where}.json").json()
    total = next(row for row in data["reached"] if row[0] == "Total")
    assert total == ["Total", "290 U onabotulinumtoxinA", "270 U onabotulinumtoxinA"]
    assert ["left flexor carpi radialis", "45 U (1)", "25 U (1)"] in data["doses"]
    assert "differs" in client.get(where).text
    assert client.get(f"{where}/files/picture.svg").headers["content-type"] == "image/svg+xml"
    assert "flexor carpi radialis" in client.get(f"{where}/files/rows.csv").text


def test_a_plan_that_a_rule_stops_says_so_before_any_number(
    app: FastAPI, two_plans: Result
) -> None:
    first, second = two_plans.data["findings"]
    stop = {**first[0], "level": "stop", "reason": "not in this disease"}
    about = About("researcher", "comparison", "A and B", 1)
    data = {**two_plans.data, "findings": [first, [stop, *second]]}
    jobs_of(app).results.keep(about, Result(data, two_plans.files))
    text = signed_in_as(app, "researcher").get(f"/research/jobs/{about.id}").text
    assert "Stop: B." in text.partition("What they bring")[0]


def plans_of_records(client: TestClient) -> list[list[str]]:
    """Address and words of each plan in the records."""
    groups: dict[str, list[list[str]]] = dict(client.get("/research/compare.json").json()["groups"])
    return groups.get("Patients of the records", [])


def test_patients_of_the_records_are_for_who_may_see_them(app: FastAPI, tmp_path: Path) -> None:
    injector, researcher = signed_in_as(app, "injector"), signed_in_as(app, "researcher")
    known = {words.partition(",")[0]: address for address, words in plans_of_records(injector)}
    assert {"Anton Berger", "Clara Nowak"} <= set(known)
    assert plans_of_records(researcher) == []
    both = {"first": known["Anton Berger"], "second": known["Clara Nowak"]}
    assert researcher.get("/research/compare", params=both).status_code == 404
    assert researcher.post("/research/compare", data=both).status_code == 404
    one, other = injector.get("/research/compare.json", params=both).json()["texts"]
    form = {**both, "first_plan": one, "second_plan": other}
    where = injector.post("/research/compare", data=form).headers["location"]
    job = jobs_of(app).held[where.rpartition("/")[2]]
    assert (job.keep, job.about.words) == (False, "Anton Berger and Clara Nowak")
    jobs_of(app).stop(job)
    assert over(job).state == "stopped"
    assert not (tmp_path / "records-research").exists()
    assert "Anton Berger" in injector.get("/research").text


def test_others_are_found_by_letters(app: FastAPI) -> None:
    injector = signed_in_as(app, "injector")
    form = {"first": "example/child_arm", "second": "example/child_arm", "sought": "nowak"}
    groups = dict(injector.post("/research/compare/find.json", data=form).json()["groups"])
    assert {words.partition(",")[0] for _, words in groups["Patients of the records"]} == {
        "Clara Nowak"
    }


def test_a_plan_for_somebody_else_is_refused(app: FastAPI) -> None:
    client = signed_in_as(app, "researcher")
    plan = (examples() / "chronic_migraine" / "plan.yaml").read_text()
    form = {"first": "example/arm_after_stroke", "second": "example/arm_after_stroke"}
    answer = client.post("/research/compare", data={**form, "first_plan": plan, "same": "yes"})
    assert answer.status_code == 422
    assert "the patient is" in answer.text


# ---- the queue


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Jobs]:
    """Nothing asked yet; nothing left running."""
    made = Jobs(Results(tmp_path / "research"))
    yield made
    for one in list(made.held.values()):
        made.stop(one)


def begun(queue: Jobs, task: Work, keep: bool = True) -> Job:
    return queue.start(About("ada", "trial", "x", 1), task, keep)


def test_work_that_is_stopped_is_ended_and_the_next_one_runs(queue: Jobs) -> None:
    first, second = begun(queue, work.endless), begun(queue, work.quick)
    while first.share < 0.25:
        time.sleep(0.02)
    assert second.state == "waiting"
    queue.stop(first)
    assert over(second).state == "done"
    assert first.state == "stopped"
    assert first.process is not None
    assert not first.process.is_alive()
    assert [one.id for one in queue.results.of("ada")] == [second.about.id]
    assert queue.results.result(second.about).data == {"found": 42}


def test_what_waits_is_bounded_and_can_be_stopped_before_it_runs(queue: Jobs) -> None:
    waiting = [begun(queue, work.endless) for _ in range(MOST_WAITING)]
    with pytest.raises(Busy):
        begun(queue, work.quick)
    for one in waiting:
        queue.stop(one)
    assert {over(one).state for one in waiting} == {"stopped"}


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (work.refused, "nobody enters; widen the criteria"),
        (work.broken, "Something broke here"),
        (work.killed, "ended from outside"),
    ],
)
def test_what_fails_says_why(queue: Jobs, task: Work, words: str) -> None:
    job = over(begun(queue, task))
    assert job.state == "failed"
    assert words in job.problem
    assert "Berger" not in job.problem


def test_what_is_not_to_be_kept_is_in_no_file(queue: Jobs) -> None:
    job = over(begun(queue, work.quick, keep=False))
    assert job.result is not None
    assert not queue.results.folder.exists()
    queue.forget(job)
    assert queue.of("ada") == []


# ---- results as files


def test_results_are_their_owners_alone(app: FastAPI) -> None:
    about = About("researcher", "trial", "x", 1, SMALL)
    jobs_of(app).results.keep(about, Result({"found": 42}))
    where = f"/research/jobs/{about.id}"
    other, owner = signed_in_as(app, "injector"), signed_in_as(app, "researcher")
    for address in (where, f"{where}/state", f"{where}/files/rows.csv"):
        assert other.get(address).status_code == 404
    assert other.get(f"/research/trial?begin={about.id}").status_code == 404
    assert other.post(f"{where}/delete").status_code == 404
    assert owner.get(f"{where}/state").json()["state"] == "kept"
    assert owner.post(f"{where}/delete").headers["location"] == "/research"
    assert owner.get(where).status_code == 404
    assert owner.post(f"{where}/delete").status_code == 404
    assert owner.get("/research.json").json() == {"jobs": []}


def test_only_the_owner_of_the_files_may_read_them(tmp_path: Path) -> None:
    held, about = Results(tmp_path / "research"), About("ada", "trial", "x", 1)
    held.keep(about, Result({}, {"rows.csv": ""}))
    modes = {one.stat().st_mode & 0o777 for one in held.folder.rglob("*") if one.is_file()}
    assert modes == {0o600}
    assert held.folder.stat().st_mode & 0o777 == 0o700


def test_a_torn_result_is_not_listed_and_a_strange_name_is_no_path(tmp_path: Path) -> None:
    held, about = Results(tmp_path / "research"), About("ada", "trial", "x", 1)
    held.keep(about, Result({}))
    (held.folder / about.id / "about.json").write_text("{")
    (tmp_path / "about.json").write_text("{}")
    assert held.of("ada") == []
    assert held.about("..") is None
    assert held.about("../research") is None


def test_a_result_that_cannot_be_kept_is_here_until_we_stop(queue: Jobs) -> None:
    queue.results.folder.write_text("in the way")
    job = over(begun(queue, work.quick))
    assert job.state == "done"
    assert job.result is not None
    assert "could not be kept" in job.problem


def test_somebody_keeps_only_so_many(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openbont.web.results.MOST", 1)
    jobs_of(app).results.keep(About("researcher", "trial", "x", 1), Result({}))
    client = signed_in_as(app, "researcher")
    answer = client.post("/research/trial/yaml", data={"design": small(SMALL)})
    assert answer.status_code == 503
    assert "delete some" in answer.text


# ---- Understand


def test_a_disease_sets_the_safety_factor_and_no_dose_is_called_safe(app: FastAPI) -> None:
    viewer = signed_in_as(app, "viewer")
    ill = viewer.get("/understand.json?nerve=myasthenia_gravis").json()
    healthy = viewer.get("/understand.json").json()
    assert (ill["at"]["safety_factor"], healthy["at"]["safety_factor"]) == (1.3, 2.7)
    assert "In myasthenia gravis no dose is known to be safe" in ill["seen"]["said"]["short"]
    assert "safe" not in healthy["seen"]["said"]["short"]
    assert set(ill["seen"]["curves"]) >= {"captured_u_per_cm3", "intact", "release", "fires"}
    assert viewer.get("/understand?nerve=cold").status_code == 422
