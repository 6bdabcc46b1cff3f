"""Adductor laryngeal dystonia, 3.00 to 3.75 U in both vocal folds of 31 patients (pubmed 8505645).

Observed by diary: 96 % improved, a median of 7 days to the peak, 5 weeks at the peak. The abstract
names no product; the two that were in use are tried, with 1.7 U a fold. Improved: quality of the
voice higher by 0.1 of a healthy voice; at the peak: at least 0.9 of the largest gain. Nothing was
fitted to these rows: potency and spread come from a muscle of the foot.
"""

from datetime import date

import numpy as np
import pytest

from openbont.catalog.model import model
from openbont.forward.chain import simulate
from openbont.patient import Disorder, Patient, Reading
from openbont.plan import Injection, Plan, Session

ONA, ABO = "onabotulinumtoxinA", "abobotulinumtoxinA"
CLINIC_U = 1.7
IMPROVED, AT_PEAK = 0.1, 0.9
PATIENT = Patient(
    id="cohort",
    date=date(2026, 1, 1),
    age_years=50,
    sex="female",
    weight_kg=68,
    disorder=Disorder(name="dystonia.laryngeal"),
    findings=(Reading(scale="voice_breaks", value=20.0),),
)


class Cohort:
    """Gain of quality by draw and day, made when first asked for."""

    def __init__(self) -> None:
        self.model = model(PATIENT, draws=200, seed=5)
        self.made: dict[tuple[str, float], np.ndarray] = {}

    def gain(self, product: str, dose_u: float) -> np.ndarray:
        if (product, dose_u) not in self.made:
            quality = simulate(_plan(product, dose_u), PATIENT, self.model).of("voice_quality")
            self.made[product, dose_u] = quality - quality[:, :1]
        return self.made[product, dose_u]

    def improved(self, product: str, dose_u: float, by_day: int) -> float:
        """Per cent of patients who have improved on any day until then."""
        return 100 * float((self.gain(product, dose_u)[:, : by_day + 1].max(1) >= IMPROVED).mean())

    def peak_day(self, product: str, dose_u: float) -> float:
        return float(np.median(self.gain(product, dose_u).argmax(1)))

    def peak_weeks(self, product: str, dose_u: float) -> float:
        gain = self.gain(product, dose_u)
        return float(np.median((gain >= AT_PEAK * gain.max(1, keepdims=True)).sum(1) / 7))


def _plan(product: str, dose_u: float) -> Plan:
    """0.1 mL a fold."""
    session = Session(
        product=product,
        dilution_u_per_ml=10 * dose_u,
        injections=tuple(
            Injection(structure=f"thyroarytenoid.{side}", dose_u=dose_u)
            for side in ("left", "right")
        ),
    )
    return Plan(
        patient="cohort", disorder="dystonia.laryngeal", date=PATIENT.date, sessions=(session,)
    )


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return Cohort()


@pytest.mark.parametrize(("product", "day"), [(ONA, 120), (ABO, 85)])
def test_misfit_the_dose_of_the_clinic_takes_the_voice(
    cohort: Cohort, product: str, day: float
) -> None:
    """Best after 17 and 12 weeks instead of one, when the toxin has worn off to what was needed.

    In the first days, on its way down, the muscle passes the state in which the voice is best.
    """
    after_a_week = cohort.gain(product, CLINIC_U)[:, 7]
    assert 100 * (after_a_week >= IMPROVED).mean() < 12
    assert np.median(after_a_week) < -0.3
    assert cohort.peak_day(product, CLINIC_U) == pytest.approx(day, abs=10)


@pytest.mark.parametrize(("product", "part"), [(ONA, 17), (ABO, 6)])
def test_a_part_of_that_dose_does_what_was_seen(cohort: Cohort, product: str, part: float) -> None:
    """A seventeenth of the units or a sixth: 96 % improved within two weeks; tolerance 8 points.

    The misfits left: the peak comes a week late, and lasts 2 to 3 weeks where it lasted 5.
    """
    dose_u = CLINIC_U / part
    assert cohort.improved(product, dose_u, by_day=14) == pytest.approx(96, abs=8)
    assert cohort.peak_day(product, dose_u) - 7 == pytest.approx(7, abs=3)
    assert cohort.peak_weeks(product, dose_u) - 5 == pytest.approx(-2.5, abs=0.6)
