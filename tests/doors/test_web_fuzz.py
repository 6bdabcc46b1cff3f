"""Whatever is typed is kept or refused in words; nothing that is typed breaks a page."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openbont.web.app import create_app
from openbont.web.chart import chart
from tests.web import TestClient, opener, signed_in_as

ARM = "arm-after-stroke"
PAGE = f"/patients/{ARM}"
POSTS = (
    "/patients/new",
    f"{PAGE}/eligibility",
    f"{PAGE}/goals",
    f"{PAGE}/inject",
    f"{PAGE}/inject/waste",
    f"{PAGE}/followup",
    f"{PAGE}/followup/event",
    f"{PAGE}/followup/report",
    f"{PAGE}/followup/diary",
    f"{PAGE}/next",
    "/vials",
    "/vials/waste",
)
LEAVES = (
    "answers.0.answer",
    "born",
    "conditions.0",
    "date",
    "disorder",
    "disorder.name",
    "disorder.months_since_onset",
    "draws.0.units",
    "draws.0.vial",
    "expiry",
    "findings.0.scale",
    "findings.0.value",
    "findings.0.where",
    "goals.0",
    "goals.0.kind",
    "goals.0.scale",
    "goals.0.target",
    "goals.0.weight",
    "id",
    "injections.0.sites",
    "injections.0.structure",
    "injections.0.units",
    "injections.0.volume_ml",
    "injections.7.EMG",
    "keep.0.percent",
    "name",
    "onset_day",
    "product",
    "readings.0.scale",
    "readings.0.value",
    "reason",
    "reconstituted",
    "time",
    "units",
    "vial",
    "weight_kg",
)
WORDS = ("1e400", "-0", "1,5", "NaN", "2026-11-23", "2026-02-30", "0001-01-01 00:00", "9999-12-31")
WORDS += ("25:61", "MAS", "HIT-6", "onabotulinumtoxinA", "A100-1", "at_most", "1+", "9" * 30)
texts = st.one_of(st.sampled_from(WORDS), st.text(max_size=30))
forms = st.dictionaries(st.sampled_from(LEAVES), texts, max_size=12)


@pytest.fixture(scope="module")
def injector(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    place = tmp_path_factory.mktemp("fuzz") / "records.db"
    place.write_bytes(demo.read_bytes())
    app = create_app(opener(place))
    with opener(place)("Dr Vega") as records:
        held = chart(records, ARM).plan
        assert held
        records.sign(held[0].key, held[0].version)
    yield signed_in_as(app, "injector")
    app.state.records.close()


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(page=st.sampled_from(POSTS), fields=forms, do=st.sampled_from(("save", "keep", "sign", "x")))
def test_nothing_typed_breaks_a_page(
    injector: TestClient, page: str, fields: dict[str, str], do: str
) -> None:
    shown = injector.get(f"{page.removesuffix('/waste')}.json")
    seen = str(shown.json().get("form", {}).get("version", 0)) if shown.status_code == 200 else "0"
    answer = injector.post(page, data={**fields, "do": do, "seen": seen})
    assert answer.status_code in (200, 303, 404, 409, 422), answer.text
    if answer.status_code == 303:
        assert injector.get(answer.headers["location"].partition("#")[0]).status_code in (200, 404)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    path=st.sampled_from(("/patients", "/patients/{}", "/patients/{}/goals", "/login", "/unlock")),
    text=st.text(max_size=40),
)
def test_no_address_breaks_a_page(injector: TestClient, path: str, text: str) -> None:
    named = path.replace("{}", quote(text, safe="") or "x")
    answer = injector.get(named, params={"q": text, "next": text})
    assert answer.status_code in (200, 303, 404, 422), named
