"""Papers, exports and Understand, asked for as a browser asks."""

import io
import zipfile

import pypdf
import pytest
from fastapi import FastAPI
from fhir.resources.R4B.bundle import Bundle

import openbont as bont
from openbont.web.server import examples
from tests.web import signed_in_as


def plan_key(app: FastAPI, patient: str) -> str:
    with app.state.open_records("test") as records:
        return records.all(patient, "plan")[-1].key


def test_the_twin_of_a_sheet_says_its_units(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openbont.report.papers.pictures", lambda *_: None)  # they are slow
    key = plan_key(app, "arm-after-stroke")
    viewer = signed_in_as(app, "viewer")
    said = viewer.get(f"/patients/arm-after-stroke/papers/{key}/sheet.pdf.json").json()
    assert not said["stops"]
    assert "290 U" in str(said)


def words_of(pdf: bytes) -> str:
    return " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


def test_papers_of_a_session_that_was_given_come_as_pdf_and_fhir(app: FastAPI) -> None:
    patient = bont.load_patient(examples() / "chronic_migraine" / "patient.yaml").id
    with app.state.open_records("test") as records:
        key = records.all(patient, "session")[-1].key
        plan = records.all(patient, "plan")[-1].key
    viewer, at = signed_in_as(app, "viewer"), f"/patients/{patient}/papers"
    said = {}
    for paper in (f"{plan}/sheet.pdf", f"{key}/note.pdf", f"{key}/leaflet.pdf?phone=555-0100"):
        answer = viewer.get(f"{at}/{paper}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        said[paper.partition("/")[2].partition(".")[0]] = words_of(answer.content)
    assert all("Clara Nowak" in words for words in said.values())
    assert "155 U" in said["sheet"]
    assert "155 U" in said["note"]
    assert "A200-2" in said["note"]  # the vial it came from
    assert "555-0100" in said["leaflet"]
    fhir = viewer.get(f"{at}/{key}/fhir")
    assert fhir.headers["content-type"] == "application/fhir+json"
    bundle = Bundle.model_validate_json(fhir.text)
    kinds = [one.resource.get_resource_type() for one in bundle.entry]
    assert {"Patient", "Procedure", "MedicationAdministration"} <= set(kinds)
    assert "Nowak" in fhir.text


def test_a_stopped_plan_has_a_sheet_without_units_and_no_leaflet(app: FastAPI) -> None:
    patient = bont.load_patient(examples() / "als_refused" / "patient.yaml").id
    key = plan_key(app, patient)
    viewer = signed_in_as(app, "viewer")
    said = viewer.get(f"/patients/{patient}/papers/{key}/sheet.pdf.json").json()
    assert said["stops"]
    plan = bont.load_plan(examples() / "als_refused" / "plan.yaml")
    assert not any(str(dose) in str(said) for dose in plan.totals().values())
    refused = viewer.get(f"/patients/{patient}/papers/{key}/leaflet.pdf.json")
    assert refused.status_code == 422
    assert "stopped" in refused.json()["error"]["problem"]


def test_a_record_of_somebody_else_is_not_printed(app: FastAPI) -> None:
    key = plan_key(app, "arm-after-stroke")
    viewer = signed_in_as(app, "viewer")
    other = bont.load_patient(examples() / "chronic_migraine" / "patient.yaml").id
    for paper in ("sheet.pdf", "note.pdf", "leaflet.pdf", "fhir", "python"):
        assert viewer.get(f"/patients/{other}/papers/{key}/{paper}").status_code == 404


def test_script_makes_the_same_plan_and_the_same_numbers(app: FastAPI) -> None:
    key = plan_key(app, "arm-after-stroke")
    viewer = signed_in_as(app, "viewer")
    said = viewer.get(f"/patients/arm-after-stroke/papers/{key}/python.json").json()
    names: dict[str, object] = {}
    exec(said["text"].replace("draws=200", "draws=4"), names)
    patient = bont.load_patient(examples() / "arm_after_stroke" / "patient.yaml")
    plan = bont.load_plan(examples() / "arm_after_stroke" / "plan.yaml")
    assert names["plan"] == plan
    assert names["patient"] == patient
    model = bont.model(patient, draws=4, seed=1)
    course = bont.simulate(plan, patient, model, range(7 * model.horizon_weeks + 1))
    assert (names["course"].severity == course.severity).all()


@pytest.mark.parametrize("words", ["it's \\ '''\"\"\"", "ende \\"])
def test_script_survives_any_words(words: str) -> None:
    from openbont.report.script import script

    patient = bont.load_patient(examples() / "arm_after_stroke" / "patient.yaml")
    plan = bont.load_plan(examples() / "arm_after_stroke" / "plan.yaml")
    patient = patient.model_copy(update={"allergies": (words,)})
    plan = plan.model_copy(update={"note": words})
    lines = script(plan, patient).partition("for finding")[0]
    names: dict[str, object] = {}
    exec(lines, names)
    assert (names["plan"], names["patient"]) == (plan, patient)


def test_research_tables_hold_no_name_and_are_for_researchers(app: FastAPI) -> None:
    key = plan_key(app, "arm-after-stroke")
    with app.state.open_records("test") as records:
        drafts = [one for one in records.all("arm-after-stroke", "patient") if one.state == "draft"]
        for held in drafts:
            records.sign(held.key, held.version)
    researcher = signed_in_as(app, "researcher")
    archive = zipfile.ZipFile(io.BytesIO(researcher.get("/data/research.zip").content))
    text = "".join(archive.read(name).decode() for name in archive.namelist())
    assert "spasticity.upper_limb" in text
    assert "Berger" not in text
    assert "arm-after-stroke" not in text
    alone = researcher.get("/data/patients.csv")
    assert alone.headers["content-type"].startswith("text/csv")
    assert archive.read("patients.csv") == alone.content
    assert researcher.get("/data/secrets.csv").status_code == 404
    assert signed_in_as(app, "viewer").get("/data").status_code == 403
    assert researcher.get(f"/patients/arm-after-stroke/papers/{key}/sheet.pdf").status_code == 403


def test_understand_shows_what_the_stages_say(app: FastAPI) -> None:
    from openbont.trials.follow import follow

    knobs = {"dose_u": 25.0, "off_mm": 0.0, "volume_ml": 0.5, "safety_factor": 2.7}
    muscle, product = "flexor_carpi_radialis.left", "onabotulinumtoxinA"
    viewer = signed_in_as(app, "viewer")
    asked = {"muscle": muscle, "product": product, **knobs}
    said = viewer.get("/understand/course", params=asked).json()
    found = follow(muscle, product, **knobs)
    assert said["curves"]["release"] == pytest.approx(found.release.tolist(), rel=1e-5)
    assert viewer.get("/understand").status_code == 200


def test_understand_refuses_what_is_out_of_range(app: FastAPI) -> None:
    viewer = signed_in_as(app, "viewer")
    assert viewer.get("/understand?dose_u=5000").status_code == 422
    assert viewer.get("/understand?dose_u=nan").status_code == 422
    assert viewer.get("/understand?muscle=heart").status_code == 422
    assert viewer.get("/understand?product=water").status_code == 422
