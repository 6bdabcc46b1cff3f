"""Resources of what was planned and given: patient, disorder, plan, vials, session, injections."""

from collections.abc import Iterator

from openbont.catalog.muscles import base, words
from openbont.catalog.overview import overview
from openbont.clinic.fhir.codes import ICD, OWN, determined
from openbont.clinic.fhir.parts import (
    Names,
    concept,
    dilution,
    extensions,
    note,
    product,
    site,
    term,
    urn,
)
from openbont.clinic.fhir.units import Json, number, quantity, toxin
from openbont.clinic.nouns import GivenInjection, Vial
from openbont.plan import Injection, Session


def patient(names: Names) -> Json:
    """Who was treated."""
    person = names.chart.person
    made = names.new(
        "Patient",
        person.id,
        extension=extensions(note=person.note or None),
        name=[{"text": person.name}],
        telecom=[{"system": "phone", "value": person.telephone}] if person.telephone else None,
        gender=person.sex,
        birthDate=str(person.born),
    )
    if person.number:
        made["identifier"].append({"system": f"{OWN}/clinic-number", "value": person.number})
    return made


def condition(names: Names) -> Json:
    """What is treated, with its leaf of ICD-10-CM where one is determined."""
    disorder = names.chart.disorder
    code = concept("disorder", disorder.name, overview()[disorder.name].words)
    if leaf := names.chart.icd10 or determined(disorder):
        code["coding"].append({"system": ICD, "code": leaf})
    return names.new(
        "Condition",
        disorder.name,
        extension=extensions(
            cause=disorder.cause or None,
            months_since_onset=disorder.months_since_onset,
            chosen_leaf=names.chart.icd10,
        ),
        clinicalStatus=term("condition-clinical", "active"),
        verificationStatus=term("condition-ver-status", "confirmed"),
        code=code,
        bodySite=[concept("side", disorder.side, disorder.side)] if disorder.side else None,
        subject=names.subject,
    )


def plan(names: Names) -> Iterator[Json]:
    """What was planned: a request for each structure, then the plan that holds them."""
    plan, key = names.chart.plan, names.session.plan
    assert plan is not None
    assert key is not None
    requests = [
        _request(names, f"{key}.{i}.{j}", session, i, injection)
        for i, session in enumerate(plan.sessions)
        for j, injection in enumerate(session.injections)
    ]
    yield from requests
    yield names.new(
        "CarePlan",
        key,
        status="completed",
        intent="plan",
        subject=names.subject,
        created=str(plan.date),
        addresses=[names.reason],
        activity=[{"reference": {"reference": urn(one["id"])}} for one in requests],
        note=note(plan.note),
    )


def _request(names: Names, name: str, session: Session, n: int, injection: Injection) -> Json:
    plan = names.chart.plan
    assert plan is not None
    dose = toxin(injection.dose_u, session.product)
    told = f"{dose['value']} U {session.product}, {injection.sites} sites"
    return names.new(
        "MedicationRequest",
        name,
        extension=extensions(session_number=n, session_day=session.day, **dilution(session)),
        status="completed",
        intent="plan",
        medicationCodeableConcept=product(session.product),
        subject=names.subject,
        authoredOn=str(plan.date),
        reasonReference=[names.reason],
        dosageInstruction=[
            {
                "extension": extensions(
                    sites=injection.sites,
                    volume=None
                    if injection.volume_ml is None
                    else quantity(injection.volume_ml, "mL"),
                    site_mm=injection.site_mm,
                ),
                "text": told,
                "site": site(injection.structure),
                "doseAndRate": [{"doseQuantity": dose}],
            }
        ],
    )


def vial(names: Names, vial: Vial) -> Json:
    """One vial with lot, expiry, and what was taken from it."""
    taken = [
        {"session": one.session, "units": toxin(one.units, vial.product)} for one in vial.taken
    ]
    return names.new(
        "Medication",
        vial.id,
        extension=extensions(opened=vial.opened, taken=taken),
        code=product(vial.product),
        status="active",
        amount={
            "numerator": toxin(vial.units, vial.product),
            "denominator": {"value": 1, "unit": "vial"},
        },
        batch={"lotNumber": vial.lot, "expirationDate": str(vial.expiry)},
    )


def preparation(names: Names) -> Json:
    """What was drawn up for the session, from which vials."""
    session = names.session
    ingredients: list[Json] = [
        {
            "itemReference": names.to("Medication", draw.vial),
            "isActive": True,
            "strength": {
                "numerator": toxin(draw.units, session.product),
                "denominator": {"value": 1, "unit": "session"},
            },
        }
        for draw in session.draws
    ]
    diluent = {"itemCodeableConcept": {"text": session.diluent}, "isActive": False}
    until = session.discard_by
    return names.new(
        "Medication",
        f"{names.chart.key}.preparation",
        extension=extensions(reconstituted=session.reconstituted, **dilution(session)),
        code=product(session.product),
        status="active",
        ingredient=[*ingredients, diluent],
        batch={"expirationDate": until.isoformat()} if until else None,
    )


def procedure(names: Names) -> Json:
    """The session as one procedure."""
    session = names.session
    based = None
    if session.plan and names.chart.plan:
        based = [names.to("CarePlan", session.plan)]
    return names.new(
        "Procedure",
        names.chart.key,
        extension=extensions(
            plan=session.plan, deviation=[dict(one) for one in session.deviations]
        ),
        basedOn=based,
        status="completed",
        code=concept("procedure", "toxin-session", "Injection of botulinum toxin"),
        subject=names.subject,
        performedDateTime=names.day,
        performer=[
            {"actor": {"display": session.injector}, "onBehalfOf": {"display": session.clinic}}
        ],
        reasonReference=[names.reason],
        note=note(session.note),
    )


def body_structure(names: Names, name: str) -> Json:
    """A muscle, gland or layer, with its side."""
    side = name.partition(".")[2]
    return names.new(
        "BodyStructure",
        name,
        location=concept("structure", base(name), words(base(name))),
        locationQualifier=[concept("side", side, side)] if side else None,
        patient=names.subject,
    )


def administration(names: Names, n: int, injection: GivenInjection) -> Json:
    """One structure as it was injected."""
    dose = toxin(injection.units, names.session.product)
    given = f"{dose['value']} U {names.session.product} in {number(injection.volume_ml)} mL"
    depth = None if injection.depth_mm is None else quantity(injection.depth_mm, "mm")
    return names.new(
        "MedicationAdministration",
        f"{names.chart.key}.{n}",
        partOf=[names.treatment],
        status="completed",
        medicationReference=names.to("Medication", f"{names.chart.key}.preparation"),
        subject=names.subject,
        effectiveDateTime=names.day,
        performer=[{"actor": {"display": names.session.injector}}],
        reasonReference=[names.reason],
        dosage={
            "extension": extensions(
                sites=injection.sites,
                named_site=list(injection.named_sites),
                volume=quantity(injection.volume_ml, "mL"),
                depth=depth,
                guidance=list(injection.guidance),
                body_structure=names.to("BodyStructure", injection.structure),
            ),
            "text": f"{given}, {injection.sites} sites",
            "site": site(injection.structure),
            "dose": dose,
        },
    )
