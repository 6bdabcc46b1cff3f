"""Trials of cervical dystonia, all with one typical patient: chin turned to the left, some tilt.

The dose is shared as the onabotulinumtoxinA label describes a trial (recalled): splenius 38,
trapezius 29, sternocleidomastoid 25 and levator scapulae 20, scaled to the whole dose. Two
parameters were fitted, to the rows of `FITTED` and to placebo arms; nothing else saw a trial.
Values are TWSTRS against placebo; tolerances hold the trial's own error and 25 % between trials.
"""

from datetime import date

import numpy as np
import pytest

from openbont.catalog.model import model
from openbont.forward.chain import Course, simulate
from openbont.patient import Disorder, Patient, Reading
from openbont.plan import Injection, Plan, Session

SHARES = {
    "splenius_capitis.left": 38,
    "trapezius.right": 29,
    "sternocleidomastoid.right": 25,
    "levator_scapulae.left": 20,
}
ABO, INCO, ONA = "abobotulinumtoxinA", "incobotulinumtoxinA", "onabotulinumtoxinA"
B, DAXI = "rimabotulinumtoxinB", "daxibotulinumtoxinA"
DILUTION_U_PER_ML = {ABO: 500.0, INCO: 50.0, ONA: 50.0, B: 5000.0, DAXI: 50.0}
WEEKS = (0, 2, 4, 5, 6, 8, 12, 16)
PATIENT = Patient(
    id="cohort",
    date=date(2026, 1, 1),
    age_years=53,
    sex="female",
    weight_kg=70,
    disorder=Disorder(name="dystonia.cervical"),
    findings=(
        Reading(scale="TWSTRS", value=44.0),
        Reading(scale="head_angle", value=35.0, where="rotation.left"),
        Reading(scale="head_angle", value=10.0, where="tilt.left"),
    ),
)


class Arms:
    """Courses by product and dose, made when first asked for."""

    def __init__(self) -> None:
        self.cohort = model(PATIENT, draws=200, seed=4)
        self.made: dict[tuple[str, float], Course] = {}

    def course(self, product: str, dose_u: float) -> Course:
        if (product, dose_u) not in self.made:
            plan = _plan(product, dose_u)
            days = [7 * week for week in WEEKS]
            self.made[product, dose_u] = simulate(plan, PATIENT, self.cohort, days)
        return self.made[product, dose_u]

    def change(self, product: str, dose_u: float, week: int, scale: str = "TWSTRS") -> float:
        """Mean change against the same patients without toxin."""
        treated, without = (self.course(product, u).of(scale).mean(0) for u in (dose_u, 0.0))
        return float((treated - without)[WEEKS.index(week)])


def _plan(product: str, dose_u: float) -> Plan:
    whole = sum(SHARES.values())
    session = Session(
        product=product,
        dilution_u_per_ml=DILUTION_U_PER_ML[product],
        injections=tuple(
            Injection(structure=name, dose_u=dose_u * share / whole, sites=3)
            for name, share in SHARES.items()
        ),
    )
    return Plan(
        patient="cohort", disorder="dystonia.cervical", date=PATIENT.date, sessions=(session,)
    )


@pytest.fixture(scope="module")
def arms() -> Arms:
    return Arms()


def test_placebo_arms(arms: Arms) -> None:
    """Eight trials, week 4: -3.9 on average (-2.0 to -6.7); tolerance 1.

    Placebo wanes too slowly: -2.3 at week 16, where the one trial that looked saw -0.6.
    """
    without = arms.course(ABO, 0.0).of("TWSTRS") - 44
    assert without[:, WEEKS.index(4)].mean() == pytest.approx(-3.9, abs=1.0)
    assert without[:, WEEKS.index(16)].mean() == pytest.approx(-2.3, abs=0.6)


def test_spread_of_change_with_placebo(arms: Arms) -> None:
    """SD of the change in patient-level data: 6.9 points at week 4, 9.7 at week 12.

    The visit's own noise (4 points) comes on top of the course. The model's patients stay 1.5
    points nearer to each other in week 12: what of a placebo wanes differs less, too.
    """
    without = arms.course(ABO, 0.0).of("TWSTRS")
    for week, observed, miss in ((4, 6.9, -0.5), (12, 9.7, -1.5)):
        spread = np.hypot(without[:, WEEKS.index(week)].std(), 4.0)
        assert spread - observed == pytest.approx(miss, abs=0.7)


FITTED = [
    (ABO, 500, 4, -6.1),  # Truong 2005, recalled
    (ABO, 500, 4, -8.9),  # Truong 2010
    (INCO, 120, 4, -7.7),  # Comella 2011, recalled
    (INCO, 120, 4, -8.1),  # nine trials of type A, Cochrane, recalled
    (B, 5000, 2, -5.9),  # Brashear 1999, here and below
    (B, 5000, 4, -4.7),
    (B, 10000, 2, -6.9),
    (B, 10000, 4, -7.6),
]


@pytest.mark.parametrize(("product", "dose_u", "week", "observed"), FITTED)
def test_fitted_rows(arms: Arms, product: str, dose_u: float, week: int, observed: float) -> None:
    """Tolerance 2.5 points."""
    assert arms.change(product, dose_u, week) == pytest.approx(observed, abs=2.5)


@pytest.mark.parametrize(("dose_u", "observed", "miss"), [(5000, -4.5, 3.1), (10000, -5.8, 3.2)])
def test_type_b_is_gone_too_early(arms: Arms, dose_u: float, observed: float, miss: float) -> None:
    """Brashear 1999, week 8, among the fitted rows: the model's type B has a half-life of days."""
    assert arms.change(B, dose_u, 8) - observed == pytest.approx(miss, abs=0.6)


PREDICTED = [
    (ABO, 500, 4, -8.6),  # Lew 2018, 250 to 500 U in 2 mL, recalled
    (ABO, 500, 12, -4.8),  # Truong, 250 to 500 U
    (DAXI, 125, 5, -8.5),  # ASPEN-1
    (B, 5000, 12, -1.7),  # Brashear 1999
    (B, 5000, 16, -0.5),
]


@pytest.mark.parametrize(("product", "dose_u", "week", "observed"), PREDICTED)
def test_predicted_rows(
    arms: Arms, product: str, dose_u: float, week: int, observed: float
) -> None:
    """Rows never fitted; tolerance 2.5 points."""
    assert arms.change(product, dose_u, week) == pytest.approx(observed, abs=2.5)


MISSED = [
    (DAXI, 250, 5, -6.6, -5.0),  # ASPEN-1: less than with 125 U, which no dose curve gives
    (B, 10000, 4, -9.1, 3.1),  # Brin 1999, recalled, resistant to type A
    (B, 2500, 4, -8.3, 6.0),  # Lew 1997, recalled, here and below: nearly flat in dose
    (B, 5000, 4, -9.2, 5.4),
    (B, 10000, 4, -13.1, 7.1),
]


@pytest.mark.parametrize(("product", "dose_u", "week", "observed", "miss"), MISSED)
def test_missed_rows(
    arms: Arms, product: str, dose_u: float, week: int, observed: float, miss: float
) -> None:
    """Rows never fitted and missed by so many points. Type B's potency is that of the foot."""
    assert arms.change(product, dose_u, week) - observed == pytest.approx(miss, abs=0.8)


def test_angles_fall_too_much(arms: Arms) -> None:
    """Charles 2012, CDSS at week 6: -1.3 against -0.3 with 236 U; the model says -5.7.

    What the posture loses in the clinic is a fifth of what the muscles lose in the model: drive
    that moves on to other muscles is left out.
    """
    assert arms.change(ONA, 236, 6, "CDSS") == pytest.approx(-5.7, abs=0.8)


@pytest.mark.parametrize(
    ("product", "dose_u", "observed", "miss"), [(ABO, 477, -49, -11), (ONA, 152, -44, -23)]
)
def test_tsui_falls_too_much(
    arms: Arms, product: str, dose_u: float, observed: float, miss: float
) -> None:
    """Odergren 1998, week 4, per cent of the entry score; it fitted nothing here."""
    tsui = arms.course(product, dose_u).of("Tsui").mean(0)
    fall = 100 * (tsui[WEEKS.index(4)] / tsui[0] - 1)
    assert fall - observed == pytest.approx(miss, abs=5)


@pytest.mark.parametrize(
    ("product", "dose_u", "observed", "model"),
    [(ABO, 0, 3, 1.8), (INCO, 120, 13, 2.6), (ONA, 236, 19, 5.5), (B, 1e4, 25, 2.3)],
)
def test_trouble_with_swallowing_is_a_misfit(
    arms: Arms, product: str, dose_u: float, observed: float, model: float
) -> None:
    """Trials saw dysphagia in 3 % with placebo and 13 to 25 % with toxin; the model's mean chance
    is 2 to 6 %, through the blood.

    The pharynx lies 2 cm from the end plates of sternocleidomastoid, fifteen reaches of the toxin.
    """
    chance = float(arms.course(product, dose_u).of("dysphagia").max(1).mean())
    assert chance == pytest.approx(model, abs=1)
    assert observed > chance
