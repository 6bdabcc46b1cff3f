"""What is saved is what is loaded, and a file is replaced whole or not at all."""

import errno
import os
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbont.errors import BadInput
from openbont.io import load_patient, load_plan, save
from openbont.patient import Disorder, Goal, Keep, PastSession, Patient, Reading, Visit
from openbont.plan import Injection, Plan, Session

TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
NAME = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
STRUCTURE = st.sampled_from(["biceps_brachii.left", "soleus.right", "procerus", "axilla.left"])
PRODUCT = st.sampled_from(["onabotulinumtoxinA", "rimabotulinumtoxinB"])
DISORDER = st.sampled_from(["spasticity.upper_limb", "migraine.chronic", "strabismus"])
READ = {
    "MAS": st.sampled_from([0.0, 3.0, "1+", "2"]),
    "FVC": st.floats(0, 150),
    "headache_days_28": st.floats(0, 28),
}
DAY = st.dates(date(1990, 1, 1), date(2090, 1, 1))
DOSE = st.floats(0, 1e4, allow_subnormal=True)
POSITIVE = st.floats(0, 1e6, exclude_min=True)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)

INJECTIONS = st.builds(
    Injection, structure=STRUCTURE, dose_u=DOSE, sites=st.integers(1, 60)
) | st.builds(
    Injection, structure=STRUCTURE, dose_u=DOSE, site_mm=st.tuples(NUMBER, NUMBER, NUMBER)
)
SESSIONS = st.builds(
    Session,
    product=PRODUCT,
    injections=st.lists(INJECTIONS, min_size=1, max_size=3).map(tuple),
    day=st.integers(0, 400),
    dilution_u_per_ml=POSITIVE,
)
PLANS = st.builds(
    Plan,
    patient=NAME,
    disorder=DISORDER,
    date=DAY,
    sessions=st.lists(SESSIONS, min_size=1, max_size=3).map(
        lambda sessions: tuple(sorted(sessions, key=lambda session: session.day))
    ),
    note=TEXT,
)
READINGS = st.one_of(
    st.builds(Reading, scale=st.just(scale), value=value, where=TEXT)
    for scale, value in READ.items()
)
GOALS = st.one_of(
    st.builds(Goal, scale=st.just(scale), where=TEXT, at_most=value, words=TEXT)
    for scale, value in READ.items()
) | st.builds(Goal, scale=st.just("FVC"), fall_percent=st.floats(1e-3, 100))
KEEPS = st.builds(
    Keep, function=st.sampled_from(["grip.left", "neck_extension"]), at_least=st.floats(0, 1)
)
PATIENTS = st.builds(
    Patient,
    id=NAME,
    date=DAY,
    age_years=st.floats(0, 120),
    sex=st.sampled_from(["female", "male", "other", "unknown"]),
    weight_kg=st.floats(1, 300),
    height_cm=st.none() | st.floats(40, 250),
    disorder=st.builds(Disorder, name=DISORDER, side=st.sampled_from(["left", "both", ""])),
    findings=st.lists(READINGS, max_size=3, unique_by=lambda one: (one.scale, one.where)).map(
        tuple
    ),
    goals=st.lists(GOALS, max_size=2).map(tuple),
    keep=st.lists(KEEPS, max_size=2).map(tuple),
    medicines=st.lists(TEXT, max_size=2).map(tuple),
    breastfeeding=st.booleans(),
    history=st.lists(
        st.builds(
            PastSession,
            date=st.dates(date(1970, 1, 1), date(1989, 1, 1)),
            clinic=NAME,
            product=PRODUCT,
            disorder=DISORDER,
            total_u=POSITIVE,
        ),
        max_size=2,
    ).map(tuple),
    visits=st.lists(
        st.builds(Visit, date=DAY, readings=st.lists(READINGS, max_size=2).map(tuple)), max_size=2
    ).map(tuple),
    note=TEXT,
)
SUFFIX = st.sampled_from([".yaml", ".json"])


@given(PLANS, SUFFIX)
def test_a_plan_comes_back(plan: Plan, suffix: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "plan" + suffix)
        save(plan, path)
        assert load_plan(path) == plan
        save(load_plan(path), path.with_stem("again"))
        assert path.with_stem("again").read_bytes() == path.read_bytes()


@given(PATIENTS, SUFFIX)
def test_a_patient_comes_back(patient: Patient, suffix: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "patient" + suffix)
        save(patient, path)
        assert load_patient(path) == patient


@given(first=PLANS, second=PLANS)
def test_a_full_disk_leaves_the_old_file(first: Plan, second: Plan) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder, "plan.yaml")
        save(first, path)
        patch.setattr(os, "fsync", full)
        with pytest.raises(BadInput, match=r"plan\.yaml: could not be written: No space left"):
            save(second, path)
        assert load_plan(path) == first
        assert os.listdir(folder) == ["plan.yaml"]
