"""Glabellar lines with onabotulinumtoxinA: responders by day, by dose, by definition.

Three parameters were fitted to all glabellar rows for calibration at once: the label's table of
none or mild (grade 0 or 1, recalled), composites of both raters and durations of later trials,
relapse at 4 months (Carruthers 2005). They do not agree: the label's investigators see less effect
than those of later trials, and the fit lies between. Where a row is missed, the size of the miss is
asserted.
Entry: moderate or severe lines at maximum contraction.
"""

from datetime import date

import numpy as np
import pytest

from openbont.catalog import model as catalog
from openbont.catalog.sampling import Span
from openbont.forward.chain import Model, simulate
from openbont.forward.scales import read
from openbont.patient import Disorder, Patient, Reading
from openbont.plan import Injection, Plan, Session

N = 600
DAYS = (0, 7, 30, 60, 90, 120, 138, 150, 168)
ENTRY = {"FWS": Span(2, 3)}


def patient(sex: str = "female") -> Patient:
    return Patient(
        id="cohort",
        date=date(2026, 1, 1),
        age_years=46,
        sex=sex,
        weight_kg=65,
        disorder=Disorder(name="facial_lines.glabellar"),
        findings=(Reading(scale="FWS", value="3"),),
    )


def plan(dose_u: float) -> Plan:
    """Five equal sites of 0.1 mL, two in each corrugator and one in procerus."""
    site_u = dose_u / 5
    injections = (
        Injection(structure="corrugator.left", dose_u=2 * site_u, sites=2),
        Injection(structure="corrugator.right", dose_u=2 * site_u, sites=2),
        Injection(structure="procerus", dose_u=site_u),
    )
    session = Session(
        product="onabotulinumtoxinA", dilution_u_per_ml=10 * site_u, injections=injections
    )
    return Plan(
        patient="cohort",
        disorder="facial_lines.glabellar",
        date=date(2026, 1, 1),
        sessions=(session,),
    )


def cohort(sex: str = "female") -> Model:
    """The trial's people: everyone whose entry reading is moderate or severe."""
    return catalog.cohort(patient(sex), N, 5, ENTRY).model


def readings(of: Model, dose_u: float, sex: str = "female") -> np.ndarray:
    """Investigator's grades on DAYS, one row a person; no dose is the placebo arm."""
    given = plan(dose_u or 20.0)
    given = given if dose_u else given.untreated()
    course = simulate(given, patient(sex), of, DAYS)
    return read(course.of("FWS"), course.measures[0], seed=5)


@pytest.fixture(scope="module")
def women() -> Model:
    return cohort()


@pytest.fixture(scope="module")
def arms(women: Model) -> dict[float, np.ndarray]:
    return {dose_u: readings(women, dose_u) for dose_u in (0, 10, 20, 30, 40)}


def mild(grades: np.ndarray, day: int) -> float:
    """Definition A: none or mild, in per cent."""
    return 100 * float((grades[:, DAYS.index(day)] <= 1).mean())


def better(grades: np.ndarray, day: int) -> float:
    """Definition C: at least one grade better than on day 0, in per cent."""
    return 100 * float((grades[:, DAYS.index(day)] < grades[:, 0]).mean())


def test_none_or_mild_early(arms: dict[float, np.ndarray]) -> None:
    """Observed 74 and 80 % on days 7 and 30, with placebo 6 and 3 %; tolerance 6 points.

    The model is 13 and 10 points above with toxin.
    """
    missed = [mild(arms[20], day) - seen for day, seen in ((7, 74), (30, 80))]
    assert missed == pytest.approx([13, 10], abs=6)
    assert [mild(arms[0], day) for day in (7, 30)] == pytest.approx([6, 3], abs=6)


def test_misfit_lasts_too_long(arms: dict[float, np.ndarray]) -> None:
    """Observed 70, 48 and 25 % none or mild on days 60, 90 and 120: the model is 16, 26 and 36
    points above."""
    missed = [mild(arms[20], day) - seen for day, seen in ((60, 70), (90, 48), (120, 25))]
    assert missed == pytest.approx([16, 26, 36], abs=7)


def test_misfit_composite(women: Model) -> None:
    """Observed 67.5 and 70.4 % two grades better and at most mild for both raters, 20 U of
    prabotulinumtoxinA on day 30: the model is 15 to 28 points below.
    """
    (session,) = plan(20.0).sessions
    other = session.model_copy(update={"product": "prabotulinumtoxinA"})
    given = plan(20.0).model_copy(update={"sessions": (other,)})
    course = simulate(given, patient(), women, (0, 30))
    both = np.stack([read(course.of("FWS", m.where), m, seed=5) for m in course.measures[:2]])
    met = (both[..., 0] - both[..., 1] >= 2) & (both[..., 1] <= 1)
    assert 15 < 69 - 100 * met.all(axis=0).mean() < 28


def test_one_grade_better_on_day_150(arms: dict[float, np.ndarray]) -> None:
    """Observed more than 43 % with 20 U."""
    assert better(arms[20], 150) > 43


def test_misfit_one_grade_better_at_week_24(arms: dict[float, np.ndarray]) -> None:
    """Observed 16 % (20 U) and 32 % (40 U): the model is 40 to 65 points above.

    So the median return to baseline comes after week 24, observed 19.7 and 24.0 weeks.
    """
    missed = [better(arms[20], 168) - 16, better(arms[40], 168) - 32]
    assert all(40 < points < 65 for points in missed)


def test_misfit_relapse_by_dose_in_women(arms: dict[float, np.ndarray]) -> None:
    """Observed 83, 33, 30, 28 % at 4 months with 10, 20, 30, 40 U (20 women an arm).

    The order is right and 20 U is better than 10 U, but the model relapses less often: by 45 to
    65 points with 10 U, by 8 to 22 points with the higher doses.
    """
    relapse = [100 - better(arms[dose_u], 120) for dose_u in (10, 20, 30, 40)]
    assert relapse == sorted(relapse, reverse=True)
    missed = np.array([83, 33, 30, 28]) - relapse
    assert 45 < missed[0] < 65
    assert (missed[1:] > 8).all()
    assert (missed[1:] < 22).all()


def test_definitions_differ_for_the_same_readings(arms: dict[float, np.ndarray]) -> None:
    """Two grades better and at most mild is stricter than at most mild, and one grade is laxer."""
    grades = arms[20][:, [0, DAYS.index(30)]]
    two = 100 * float(((grades[:, 0] - grades[:, 1] >= 2) & (grades[:, 1] <= 1)).mean())
    assert two < mild(arms[20], 30) - 20
    assert mild(arms[20], 30) < better(arms[20], 30)


def test_men_need_about_twice_the_dose(arms: dict[float, np.ndarray]) -> None:
    """By construction from twice the mass: 40 U in men come within 6 points of 20 U in women, and
    20 U stay 6 to 18 points behind."""
    men = cohort("male")
    one, two = (mild(readings(men, dose_u, "male"), 30) for dose_u in (20, 40))
    assert 6 < mild(arms[20], 30) - one < 18
    assert two == pytest.approx(mild(arms[20], 30), abs=6)


def test_misfit_no_lid_falls(women: Model) -> None:
    """Observed 3 % ptosis with 20 U: from correct sites the model reaches no levator."""
    course = simulate(plan(20.0), patient(), women, DAYS)
    for side in ("left", "right"):
        assert course.of("lid_height", f"upper_lid.{side}").min() > 3.9
