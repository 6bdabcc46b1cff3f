"""Spared structures: a ceiling is the model's own curve read backwards; two plans side by side."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from openbont.catalog.model import model
from openbont.catalog.muscles import modelled
from openbont.catalog.spared import spared
from openbont.io import load_patient, load_plan
from openbont.patient import Goal, Patient, Reading
from openbont.planning.compare import Compared, compared
from openbont.planning.limits import limits
from openbont.planning.options import options, site_counts
from openbont.planning.spared import LEVELS, answers, ceilings

CASES = Path(__file__).parents[2] / "examples" / "plans"
ONA = "onabotulinumtoxinA"


@pytest.fixture(scope="module")
def neck() -> Patient:
    return load_patient(CASES / "cervical_rotation_left" / "patient.yaml")


def test_a_ceiling_is_where_the_curve_has_fallen_to_the_least(neck: Patient) -> None:
    built = model(neck, 8, 1)
    curves = answers(built, ONA)
    (one,) = ceilings(built, curves, neck, neck.goals)
    number = [s.id for s in built.structures].index(one.structure)
    assert one.structure == "pharyngeal_constrictors"
    assert (np.diff(curves[number]) <= 0).all()
    assert np.interp(one.captured_u_per_cm3, LEVELS, curves[number]) == pytest.approx(
        one.least, abs=0.01
    )


def test_treated_and_stiff_muscles_are_not_spared() -> None:
    patient = load_patient(CASES / "wrist_only" / "patient.yaml")
    built = model(patient, 4, 1)
    curves = answers(built, ONA)

    def names(one: Patient) -> set[str]:
        return {c.structure.split(".")[0] for c in ceilings(built, curves, one, one.goals)}

    fingers = {"flexor_digitorum_superficialis", "flexor_digitorum_profundus"}
    stiff = Reading(scale="MAS", value="2", where="finger_flexors.right")
    goal = Goal(scale="MAS", where="finger_flexors.right", at_most="1")
    assert fingers <= names(patient)
    for more in ({"findings": (*patient.findings, stiff)}, {"goals": (goal,)}):
        assert not fingers & names(patient.model_copy(update=more))


@pytest.mark.parametrize("case", ["spastic_arm", "cervical_rotation_left", "equinus_child"])
def test_options_keep_the_label_and_a_syringe(case: str) -> None:
    patient = load_patient(CASES / case / "patient.yaml")
    allowed = limits(patient, ONA)
    for limit in (*allowed.structures, *allowed.described):
        if limit.max_u is None:
            continue
        found = options(limit, allowed, 50.0, 40)
        dose_u, sites = found.dose_u[1:], found.sites[1:]
        own = dose_u[dose_u != limit.min_u] / sites[dose_u != limit.min_u]
        assert len(found.dose_u) <= 40
        assert set(sites) <= set(site_counts(limit, allowed))
        assert (dose_u <= limit.max_u).all()
        assert (dose_u >= (limit.min_u or 0.0) - 1e-9).all()
        assert (dose_u / sites <= (limit.site_max_u or allowed.site_max_u or np.inf)).all()
        assert np.allclose(own % 1.25, 0.0)


def test_spared_structures_have_sources_and_a_place() -> None:
    rows = spared("dystonia.cervical") + spared("spasticity.upper_limb")
    bases = {name.split(".")[0] for name in modelled()}
    assert {one.structure for one in rows} <= bases
    assert all(one.sources and 0 < one.least < 1 for one in rows)


@pytest.fixture(scope="module")
def two() -> Compared:
    patient = load_patient(CASES / "wrist_only" / "patient.yaml")
    reference = load_plan(CASES / "wrist_only" / "reference.yaml")
    session = reference.sessions[0]
    half = [one.model_copy(update={"dose_u": one.dose_u / 2}) for one in session.injections]
    less = reference.model_copy(
        update={"sessions": (session.model_copy(update={"injections": tuple(half)}),)}
    )
    return compared(less, reference, patient, draws=8)


def test_half_of_every_dose_reaches_less_and_spills_less(two: Compared) -> None:
    less, more = two.plan, two.reference
    assert less.totals[ONA].value_u == more.totals[ONA].value_u / 2
    assert less.needles == more.needles == 2
    assert less.effect is not None
    assert more.effect is not None
    assert 0 < less.effect < more.effect
    assert less.spilled < more.spilled
    assert not less.stops
    assert less.outcome.goals[0].benefit.weeks.median <= more.outcome.goals[0].benefit.weeks.median
    assert less.outcome.review > date(2026, 11, 16)
