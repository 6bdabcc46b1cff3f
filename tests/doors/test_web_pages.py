"""The path of a patient through the forms: what is typed is kept, what is signed is recorded."""

import re
from typing import Any

import pytest
from fastapi import FastAPI

from openbont.clinic.nouns import (
    AdverseEvent,
    ClinicVisit,
    Diary,
    Eligibility,
    GivenSession,
    Goals,
    PatientReport,
    Vial,
)
from openbont.patient import Patient
from openbont.web.chart import chart
from openbont.web.drafts import draft
from openbont.web.routes.patients import PAGE
from openbont.web.routes.today import BACK
from tests.web import TestClient, signed_in_as

ARM = "arm-after-stroke"


@pytest.fixture
def injector(app: FastAPI) -> TestClient:
    return signed_in_as(app, "injector")


def form_of(client: TestClient, page: str) -> dict[str, str]:
    """The fields of a page's draft form, as a browser would send them."""
    fields = dict(client.get(page, headers={"Accept": "application/json"}).json()["form"]["fields"])
    seen = re.search(r'name="seen" value="(\d+)"', client.get(page).text)
    assert seen
    return {name: text for name, text in fields.items() if text} | {"seen": seen[1]}


def found(client: TestClient, letters: str) -> list[str]:
    """Names that a search finds; what is sought stands in no address."""
    answer = client.post("/patients", data={"q": letters})
    assert answer.headers["location"] == "/patients?found=yes"
    rows = client.get("/patients.json", params={"found": "yes"}).json()["rows"]
    return [row["who"]["name"] for row in rows]


def sign_plan(app: FastAPI) -> str:
    with app.state.open_records("Dr Vega") as records:
        held = chart(records, ARM).plan
        assert held
        return records.sign(held[0].key, held[0].version).key


def test_a_new_patient_is_recorded_and_found(injector: TestClient) -> None:
    typed = {"name": "Ada Holm", "born": "1980-02-29", "sex": "female", "weight_kg": "61.5"}
    wrong = injector.post("/patients/new", data={**typed, "born": "1980-02-31"})
    assert wrong.status_code == 422
    assert 'id="born-wrong"' in wrong.text
    assert 'id="disorder.name-wrong"' in wrong.text
    assert 'value="Ada Holm"' in wrong.text  # nothing typed is lost
    made = injector.post("/patients/new", data={**typed, "disorder.name": "migraine.chronic"})
    assert made.status_code == 303
    assert made.headers["location"].endswith("/eligibility")
    assert found(injector, "holm") == ["Ada Holm"]
    assert injector.get(made.headers["location"]).status_code == 200


def test_a_search_finds_by_name_number_and_disorder(injector: TestClient) -> None:
    assert found(injector, " BERGER ") == ["Anton Berger"]
    assert found(injector, "arm-after") == ["Anton Berger"]
    assert found(injector, "chronic migraine") == ["Clara Nowak"]
    assert found(injector, "%") == []
    assert len(found(injector, "")) == 6


def test_the_register_has_pages(app: FastAPI, injector: TestClient) -> None:
    with app.state.open_records("the clinic") as records:
        picture = records.patient(ARM)
        for i in range(PAGE):
            records.add(picture.model_copy(update={"id": f"p{i:02}"}), f"p{i:02}")
    first, second = (injector.get("/patients.json", params={"page": i}).json() for i in (1, 2))
    names = [row["who"]["name"] for row in first["rows"] + second["rows"]]
    assert (first["count"], len(first["rows"]), len(second["rows"])) == (PAGE + 6, PAGE, 6)
    assert names == sorted(names, key=str.casefold)
    assert 'href="/patients?page=2"' in injector.get("/patients").text


def test_today_leaves_out_who_was_long_not_worked_on(app: FastAPI) -> None:
    def names(client: TestClient) -> set[str]:
        said = client.get("/", headers={"Accept": "application/json"}).json()
        return {one["name"] for one in said["drafts"] + said["followups"]}

    assert names(signed_in_as(app, "injector")) >= {"Anton Berger", "Clara Nowak"}
    later = app.state.records.now() + 2 * BACK
    app.state.records.now = lambda: later
    assert names(signed_in_as(app, "injector")) == set()


def test_a_name_stays_text(injector: TestClient) -> None:
    name = '<script>alert("x")</script>'
    typed = {"name": name, "born": "1980-02-29", "sex": "female", "weight_kg": "61"}
    made = injector.post("/patients/new", data={**typed, "disorder.name": "migraine.chronic"})
    page = made.headers["location"].removesuffix("/eligibility")
    steps = ("eligibility", "goals", "inject", "followup", "next")
    for at in ("/", "/patients", page, *(f"{page}/{step}" for step in steps)):
        text = injector.get(at).text
        assert name not in text
        assert at == "/" or "&lt;script&gt;alert(" in text


def test_eligibility_asks_everything_then_records_picture_and_answers(
    app: FastAPI, injector: TestClient
) -> None:
    page = f"/patients/{ARM}/eligibility"
    fields = form_of(injector, page)
    asked = injector.get(page, headers={"Accept": "application/json"}).json()["questions"]
    refused = injector.post(page, data={**fields, "do": "sign"})
    assert refused.status_code == 422
    assert refused.text.count("not answered; not known is an answer, too") == 2 * len(asked)
    answers = {f"answers.{i}.answer": "no" for i in range(len(asked))}
    fields = form_of(injector, page) | answers | {"medicines.3": "warfarin", "weight_kg": "80.5"}
    unread = injector.post(page, data={**fields, "do": "sign"})
    assert "nothing was read today" in unread.text
    assert "findings.0.value" not in fields  # what was read on another day is none of today's
    fields = form_of(injector, page) | {"findings.1.value": "2"}
    signed = injector.post(page, data={**fields, "do": "sign"})
    assert signed.headers["location"] == f"/patients/{ARM}/goals"
    with app.state.open_records("reader") as records:
        known = chart(records, ARM)
        assert known.patient.weight_kg == 80.5
        assert "warfarin" in known.patient.medicines
        assert [(one.scale, one.value) for one in known.patient.findings] == [("MAS", "2")]
        assert known.patient.goals
        assert len(known.of(Eligibility, "signed")[-1][1].answers) == len(asked)
        assert known.draft("eligibility") is None
    levels = [one["rule"] for one in _data(injector, page)["findings"]]
    assert "S11" in levels  # the rules see the new medicine


def wrong_fields(client: TestClient, page: str, typed: dict[str, str]) -> set[str]:
    """Where a signature is refused because something is still empty; none where it is taken."""
    answer = client.post(page, data={**form_of(client, page), **typed, "do": "sign"})
    places = re.findall(r'id="([a-z_.0-9]+)-wrong">still empty; ', answer.text)
    assert (answer.status_code == 303) or places
    return set(places)


def test_a_reading_that_was_begun_is_finished_or_refused(injector: TestClient) -> None:
    page = f"/patients/{ARM}/eligibility"
    asked = _data(injector, page)["questions"]
    said = {f"answers.{i}.answer": "no" for i in range(len(asked))} | {"findings.0.value": "2"}
    ready = [one for one in form_of(injector, page) if one.endswith(".scale")]
    assert len(ready) > 1  # offered, and need not be read
    begun = {"findings.7.scale": "MAS", "prior_treatments.5.name": "splint"}
    save = injector.post(page, data={**form_of(injector, page), **begun, "do": "save"})
    assert save.status_code == 303
    row, tried = len(ready), sum(one["name"] > "" for one in _tried(injector))
    assert wrong_fields(injector, page, said) == {
        f"findings.{row}.value",
        f"prior_treatments.{tried}.outcome",
    }
    mended = {f"findings.{row}.value": "1", f"prior_treatments.{tried}.outcome": "failed"}
    assert wrong_fields(injector, page, said | mended) == set()


def _tried(client: TestClient) -> list[dict[str, str]]:
    patient = client.get(f"/patients/{ARM}", headers={"Accept": "application/json"}).json()
    tried: list[dict[str, str]] = patient["patient"]["prior_treatments"]
    return tried


def test_what_is_half_said_of_a_visit_is_refused(injector: TestClient) -> None:
    page = f"/patients/{ARM}/followup"
    typed = {"readings.0.value": "1", "readings.8.scale": "pain_NRS", "readings.9.value": "3"}
    places = wrong_fields(injector, page, typed)
    assert {one.rpartition(".")[2] for one in places} == {"value", "scale"}
    assert len(places) == 2
    mended = {one: "" for one in form_of(injector, page) if one.startswith("readings.")}
    mended |= {"readings.0.scale": "MAS", "readings.0.value": "1"}
    assert wrong_fields(injector, page, mended) == set()


@pytest.mark.parametrize(
    ("typed", "empty"),
    [
        ({"goals.3.words": "walk"}, {"goals.3.scale", "goals.3.kind", "goals.3.target"}),
        ({"goals.3.scale": "MAS", "goals.3.target": "1"}, {"goals.3.kind"}),
        ({"keep.2.function": "grip.right"}, {"keep.2.percent"}),
        ({"keep.2.percent": "50"}, {"keep.2.function"}),
    ],
)
def test_a_goal_of_which_half_is_said_is_refused(
    injector: TestClient, typed: dict[str, str], empty: set[str]
) -> None:
    assert wrong_fields(injector, f"/patients/{ARM}/goals", typed) == empty


def test_what_is_half_said_of_an_injection_is_refused(app: FastAPI, injector: TestClient) -> None:
    sign_plan(app)
    page = f"/patients/{ARM}/inject"
    fields = form_of(injector, page)
    rows, draws = (
        len([one for one in fields if re.fullmatch(rf"{group}\.\d+\.units", one)])
        for group in ("injections", "draws")
    )
    typed = {f"injections.{rows}.structure": "triceps_brachii.left", "clinic": "River clinic"}
    typed |= {f"injections.{rows}.volume_ml": "1", f"draws.{draws}.vial": "V1"}
    assert wrong_fields(injector, page, typed) == {
        f"injections.{rows}.units",
        f"draws.{draws}.units",
    }


def test_a_yes_has_to_be_recorded_where_the_rules_see_it(injector: TestClient) -> None:
    page = f"/patients/{ARM}/eligibility"
    asked = _data(injector, page)["questions"]
    answers = {
        f"answers.{i}.answer": "yes" if one["rule"] == "S07" else "no"
        for i, one in enumerate(asked)
    }
    refused = injector.post(page, data={**form_of(injector, page), **answers, "do": "sign"})
    assert refused.status_code == 422
    assert "yes, but nothing of it is recorded" in refused.text


def test_goals_are_signed_and_stand_in_the_picture(app: FastAPI, injector: TestClient) -> None:
    page = f"/patients/{ARM}/goals"
    fields = form_of(injector, page)
    wrong = injector.post(page, data={**fields, "goals.0.target": "9", "do": "sign"})
    assert wrong.status_code == 422
    assert 'id="goals.0.target-wrong"' in wrong.text
    fields = form_of(injector, page) | {"goals.0.target": "1", "keep.0.percent": "75"}
    signed = injector.post(page, data={**fields, "do": "sign"})
    assert signed.headers["location"] == f"/patients/{ARM}/plan"
    with app.state.open_records("reader") as records:
        known = chart(records, ARM)
        assert known.of(Goals, "signed")
        assert known.patient.goals[0].at_most == "1"
        assert known.patient.keep[0].at_least == 0.75


def test_proposals_are_asked_for_with_nothing_but_a_product(
    injector: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openbont.web.proposing.propose", lambda *_, **__: [])
    typed = {"product": "onabotulinumtoxinA", "date": "2199-01-01"}
    said = injector.post(f"/patients/{ARM}/plan/propose", data=typed)
    assert said.status_code == 200
    assert said.json().keys() <= {"doing", "proposals"}


def test_what_is_given_needs_its_reason_and_takes_from_the_vials(
    app: FastAPI, injector: TestClient
) -> None:
    plan, page = sign_plan(app), f"/patients/{ARM}/inject"
    fields = form_of(injector, page) | {"clinic": "River clinic"}
    assert fields["injections.0.structure"] == "flexor_carpi_radialis.left"
    fields |= {"injections.0.units": "40", "injections.0.volume_ml": "0.8", "draws.1.units": "85"}
    fields |= {"injections.0.depth_mm": "12.5", "reconstituted": f"{fields['date']} 08:15"}
    refused = injector.post(page, data={**fields, "do": "sign"})
    assert refused.status_code == 422
    assert 'id="injections.0.reason-wrong"' in refused.text
    fields = form_of(injector, page) | {"injections.0.reason": "weak grip"}
    given = injector.post(page, data={**fields, "do": "sign"})
    assert given.status_code == 303
    with app.state.open_records("reader") as records:
        held, session = chart(records, ARM).of(GivenSession)[-1]
        assert (held.state, session.plan, session.units) == ("given", plan, 285)
        assert session.deviations[0].reason == "weak grip"
        assert session.injections[0].depth_mm == 12.5
        drawn = [records.held(draw.vial).noun for draw in session.draws]
        assert {one.opened for one in drawn} == {session.reconstituted}
        left = [one.noun for one in records.all("", "vial") if isinstance(one.noun, Vial)]
        ours = [one.remaining for one in left if one.product == session.product]
        assert sum(ours) == 700 - 155 - 285
    page_now = injector.get(page).text
    assert "Given on" in page_now
    assert "Throw away 15 U" in page_now
    assert "Do not give" not in page_now  # what was given does not stand in its own way


def test_draws_that_do_not_add_up_are_refused(app: FastAPI, injector: TestClient) -> None:
    sign_plan(app)
    page = f"/patients/{ARM}/inject"
    fields = form_of(injector, page) | {"clinic": "River clinic", "draws.0.units": "10"}
    refused = injector.post(page, data={**fields, "do": "sign"})
    assert refused.status_code == 422
    assert "draws from vials" in refused.text


def test_nobody_with_als_is_shown_units_to_inject(app: FastAPI, injector: TestClient) -> None:
    with app.state.open_records("Dr Vega") as records:
        held = chart(records, "als-refused").plan
        assert held
        records.sign(held[0].key, held[0].version)
    text = injector.get("/patients/als-refused/inject").text
    assert "Do not give this plan" in text
    assert "injections.0.units" not in text
    assert "no dose is known to be safe" in text


def test_followup_records_readings_event_report_and_diary(
    app: FastAPI, injector: TestClient
) -> None:
    sign_plan(app)
    inject, page = f"/patients/{ARM}/inject", f"/patients/{ARM}/followup"
    fields = form_of(injector, inject) | {"clinic": "River clinic"}
    assert injector.post(inject, data={**fields, "do": "sign"}).status_code == 303
    fields = form_of(injector, page) | {"readings.0.scale": "MAS", "readings.0.value": "7"}
    wrong = injector.post(page, data={**fields, "do": "sign"})
    assert 'id="readings.0.value-wrong"' in wrong.text
    fields = form_of(injector, page) | {"readings.0.value": "1+"}
    assert injector.post(page, data={**fields, "do": "sign"}).status_code == 303
    event = {"date": fields["date"], "what": "weak grip", "severity": "mild"}
    event |= {"related": "possibly", "outcome": "recovering"}
    assert injector.post(f"{page}/event", data=event).status_code == 303
    felt = {"date": fields["date"]}
    assert "nothing is said of it" in injector.post(f"{page}/report", data=felt).text
    felt |= {"onset_day": "5", "peak_day": "3"}
    wrong = injector.post(f"{page}/report", data=felt)
    assert "onset, peak and end must follow one another" in wrong.text
    felt["peak_day"] = "30"
    assert injector.post(f"{page}/report", data=felt).status_code == 303
    table = "date,pain_NRS\n2026-11-20,4\n2026-11-21,many\n"
    read = injector.post(f"{page}/diary", files={"diary": ("diary.csv", table, "text/csv")})
    assert "1 day recorded" in read.text
    assert "2026-11-21,many" in read.text
    with app.state.open_records("reader") as records:
        known = chart(records, ARM)
        for kind in (ClinicVisit, AdverseEvent, PatientReport, Diary):
            assert known.of(kind, "signed"), kind


def test_the_next_visit_is_kept_and_goes_to_a_calendar_without_names(
    injector: TestClient,
) -> None:
    page = f"/patients/{ARM}/next"
    past = injector.post(page, data={"date": "2020-01-01", "time": "10:00", "do": "keep"})
    assert past.status_code == 422
    kept = {"date": "2199-02-03", "time": "10:30", "reason": "second cycle", "seen": "1"}
    assert injector.post(page, data={**kept, "do": "keep"}).status_code == 303
    file = injector.get(f"{page}.ics")
    assert file.headers["content-type"].startswith("text/calendar")
    assert "DTSTART:21990203T103000\r\n" in file.text
    assert "Berger" not in file.text
    assert "spasticity" not in file.text


# ---- drafts


def test_a_draft_survives_the_server(app: FastAPI, injector: TestClient) -> None:
    page = f"/patients/{ARM}/goals"
    typed = {"goals.0.words": "hold the cup", "seen": "0", "do": "save"}
    saved = injector.post(page, data=typed, headers={"Accept": "application/json"})
    assert saved.json()["version"] == 1
    app.state.records.close()
    app.state.records = None  # as after a crash: nothing but the file is left
    assert 'value="hold the cup"' in injector.get(page).text
    assert "hold the cup" not in injector.get(f"/patients/{ARM}").text


def test_a_stale_tab_sees_both_versions_and_loses_nothing(
    app: FastAPI, injector: TestClient
) -> None:
    page = f"/patients/{ARM}/goals"
    first = {"goals.0.words": "from the first tab", "seen": "0", "do": "save"}
    second = {"goals.0.words": "from the second tab", "seen": "0", "do": "save"}
    assert injector.post(page, data=first).status_code == 303
    stale = injector.post(page, data=second)
    assert stale.status_code == 409
    assert "from the first tab" in stale.text
    assert "from the second tab" in stale.text
    mine = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', stale.text))
    assert mine == {"goals.0.words": "from the second tab", "seen": "1"}
    assert injector.post(page, data={**mine, "do": "keep"}).status_code == 303
    with app.state.open_records("reader") as records:
        assert draft(records, ARM, "goals").fields == {"goals.0.words": "from the second tab"}


def test_a_tab_from_before_the_signature_cannot_bring_the_draft_back(
    injector: TestClient,
) -> None:
    page = f"/patients/{ARM}/goals"
    fields = form_of(injector, page)
    assert injector.post(page, data={**fields, "do": "sign"}).status_code == 303
    late = injector.post(page, data={**fields, "do": "save"})
    assert late.status_code == 409
    assert "Signed meanwhile" in late.text


def test_two_signatures_of_one_draft_make_one_record(app: FastAPI, injector: TestClient) -> None:
    page = f"/patients/{ARM}/goals"
    fields = form_of(injector, page) | {"do": "sign"}
    codes = [injector.post(page, data=fields).status_code for _ in range(2)]
    assert codes == [303, 409]
    with app.state.open_records("reader") as records:
        assert len(chart(records, ARM).of(Goals)) == 1


def test_the_shelf_takes_a_vial_once(injector: TestClient) -> None:
    vial = {"id": "N1", "product": "onabotulinumtoxinA", "units": "100", "lot": "L7"}
    vial |= {"expiry": "2199-01-01"}
    assert injector.post("/vials", data=vial).status_code == 303
    again = injector.post("/vials", data=vial)
    assert again.status_code == 422
    assert "already a record of this key" in again.text
    unknown = injector.post("/vials", data={**vial, "id": "N2", "product": "botox"})
    assert 'id="product-wrong"' in unknown.text


def test_every_page_has_its_twin_in_json(injector: TestClient) -> None:
    for page in ("/", "/patients", f"/patients/{ARM}", f"/patients/{ARM}/eligibility", "/vials"):
        at = f"{page}.json" if page != "/" else "/"
        twin = injector.get(at, headers={"Accept": "application/json"})
        assert twin.headers["content-type"] == "application/json"
        assert isinstance(twin.json(), dict)
    assert _data(injector, f"/patients/{ARM}")["patient"]["id"] == ARM


def test_the_picture_of_a_day_is_the_last_one_written(app: FastAPI) -> None:
    with app.state.open_records("Dr Vega") as records:
        now = records.patient(ARM)
        lighter = now.model_copy(update={"weight_kg": 70.0})
        records.add(Patient.model_validate(dict(lighter)), ARM)
        assert records.patient(ARM).weight_kg == 70.0


def _data(client: TestClient, page: str) -> Any:
    return client.get(f"{page}.json").json()
