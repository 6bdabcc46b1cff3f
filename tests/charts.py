"""A given session of every example patient, as an injector would have recorded it."""

import datetime
from decimal import Decimal
from pathlib import Path

from openbont.catalog.products import product
from openbont.catalog.vials import vials
from openbont.clinic.fhir.chart import Chart, Risk, Signed
from openbont.clinic.nouns import (
    AdverseEvent,
    ClinicVisit,
    Deviation,
    Draw,
    GivenInjection,
    GivenSession,
    Person,
    Taken,
    Vial,
    Waste,
)
from openbont.io import load_patient, load_plan
from openbont.patient import Patient
from openbont.plan import Plan, Session
from openbont.product import Dose

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = sorted(folder.parent.name for folder in EXAMPLES.glob("*/plan.yaml"))
KEY = "s-1"


def chart(name: str) -> Chart:
    """The first session of an example's plan, given as planned but for one muscle."""
    return chart_of(
        load_patient(EXAMPLES / name / "patient.yaml"), load_plan(EXAMPLES / name / "plan.yaml")
    )


def chart_of(patient: Patient, plan: Plan) -> Chart:
    session = given(plan, plan.sessions[0])
    day = session.date
    later = day + datetime.timedelta(weeks=5)
    return Chart(
        key=KEY,
        person=Person(
            id=patient.id,
            name="Ånn O'Example <&>",
            born=datetime.date(day.year - int(patient.age_years), 1, 31),
            sex=patient.sex,
            number="00-17",
            telephone="+00 1",
            note="prefers mornings\nsecond line",
        ),
        disorder=patient.disorder,
        session=session,
        vials=opened(session),
        plan=plan,
        weight_kg=patient.weight_kg,
        visits=(
            ClinicVisit(date=day, by="A. Rater", readings=patient.findings),
            ClinicVisit(date=later, by="B. Rater", session=KEY, note="felt better"),
        ),
        adverse_events=(
            AdverseEvent(
                date=later,
                session=KEY,
                what="weakness of the hand",
                severity="mild",
                serious=False,
                related="possibly",
                outcome="recovering",
                note="three days",
            ),
            AdverseEvent(
                date=later,
                what="cold",
                severity="moderate",
                serious=True,
                related="no",
                outcome="recovered",
            ),
        ),
        risks=(
            Risk(what="grip falls below 0.8", chance=0.125, within_weeks=12, method="OpenBoNT 0.1"),
        ),
        signed=Signed(
            by="Dr A. Injector",
            at=datetime.datetime(day.year, day.month, day.day, 16, 5, 1, 250, datetime.UTC),
        ),
    )


def given(plan: Plan, planned: Session) -> GivenSession:
    injections = tuple(
        GivenInjection(
            structure=one.structure,
            units=Decimal(str(round(one.dose_u, 2))),
            sites=one.sites,
            named_sites=tuple(f"site {n}" for n in range(one.sites)) if n == 1 else (),
            volume_ml=Decimal(str(round(planned.volume_ml(one), 3))),
            depth_mm=12.5 if n == 0 else None,
            guidance=("EMG", "ultrasound") if n == 0 else (),
        )
        for n, one in enumerate(planned.injections)
    )
    total = sum((one.units for one in injections), Decimal(0))
    at = datetime.datetime.combine(plan.date, datetime.time(9, 30), datetime.UTC)
    powder = product(planned.product).solution_u_per_ml is None
    return GivenSession(
        date=plan.date_of(planned),
        disorder=plan.disorder,
        plan="plan_1",
        injector="A. Injector",
        clinic="Clinic A",
        product=planned.product,
        diluent=product(planned.product).diluent,
        dilution_u_per_ml=Decimal(str(planned.dilution_u_per_ml)),
        reconstituted=at if powder else None,
        discard_by=at + datetime.timedelta(hours=24) if powder else None,
        injections=injections,
        draws=draws(planned.product, total),
        deviations=(
            Deviation(
                structure=injections[0].structure, planned="3 sites", given="2 sites", reason="pain"
            ),
        ),
        note="calm",
    )


def draws(name: str, total: Decimal) -> tuple[Draw, ...]:
    sizes = [
        size
        for size, count in vials(Dose(float(total), name), product(name)).counts
        for _ in range(count)
    ]
    taken, left = [], total
    for n, size in enumerate(sizes):
        taken.append(Draw(vial=f"V_{n}.{int(size)}", units=min(size, left)))
        left -= taken[-1].units
    return tuple(taken)


def opened(session: GivenSession) -> tuple[Vial, ...]:
    made = []
    for draw in session.draws:
        size = Decimal(draw.vial.rsplit(".", 1)[1])
        rest = size - draw.units
        waste = (
            Waste(units=rest, reason="rest of the vial", date=session.date, by="A. Nurse")
            if rest
            else None
        )
        made.append(
            Vial(
                id=draw.vial,
                product=session.product,
                lot="C1234",
                expiry=datetime.date(session.date.year + 1, 6, 30),
                units=size,
                opened=session.reconstituted,
                taken=(Taken(session=KEY, units=draw.units),),
                wasted=(waste,) if rest else (),
            )
        )
    return tuple(made)
