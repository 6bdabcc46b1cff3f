"""The rules of giving: what may be taken from which vial, and what of a plan must be explained."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from openbont.clinic.held import Held, Pen, found
from openbont.clinic.nouns import GivenSession, State, Taken, Vial, Waste
from openbont.errors import BadInput
from openbont.plan import Plan, Session

Amounts = tuple[Decimal, int, Decimal]
"""Units, sites and mL of one structure."""
VOLUME_TOLERANCE = Decimal("0.02")


# ---- vials


def take(pen: Pen, key: str, session: GivenSession) -> None:
    """Take what a session drew from its vials."""
    for name, units in drawn(session).items():
        held = found(pen.connection, name)
        vial = _right_vial(held, session)
        if vial.remaining < units:
            problem = f"{units} U drawn, {vial.remaining} U are left in it"
            raise BadInput(f"vial {name}", problem, "check the draws, or take another vial")
        taken = (*vial.taken, Taken(session=key, units=units))
        now = {"taken": taken, "opened": _opened(vial, session, pen.at)}
        _put(pen, "give", held, vial.model_copy(update=now))


def _opened(vial: Vial, session: GivenSession, at: datetime) -> datetime | None:
    """When a vial was opened; not known where a session is written down on a later day."""
    same_day = at if at.astimezone().date() == session.date else None
    return vial.opened or session.reconstituted or same_day


def give_back(pen: Pen, key: str, session: GivenSession, action: str) -> None:
    """Undo what a session, entered in error, took from its vials."""
    for name in drawn(session):
        held = found(pen.connection, name)
        vial = _vial(held)
        left = tuple(one for one in vial.taken if one.session != key)
        _put(pen, action, held, vial.model_copy(update={"taken": left}))


def waste(pen: Pen, held: Held, waste: Waste) -> Held:
    """Throw away units of a vial."""
    vial = _vial(held)
    if vial.remaining < waste.units:
        problem = f"{waste.units} U wasted, {vial.remaining} U are left in it"
        raise BadInput(f"vial {held.key}", problem, "waste at most what is left")
    return _put(pen, "waste", held, vial.model_copy(update={"wasted": (*vial.wasted, waste)}))


def drawn(session: GivenSession) -> dict[str, Decimal]:
    """Units by vial."""
    units: dict[str, Decimal] = {}
    for draw in session.draws:
        units[draw.vial] = units.get(draw.vial, Decimal(0)) + draw.units
    return units


def _put(pen: Pen, action: str, held: Held, vial: Vial) -> Held:
    """The next version of a vial; it is fixed once something was taken out."""
    state: State = "given" if vial.taken or vial.wasted else "draft"
    return pen.put(action, held, noun=vial, state=state)


def _vial(held: Held) -> Vial:
    if not isinstance(held.noun, Vial):
        raise BadInput(held.key, f"a {held.kind}, not a vial", "name the vial by its id")
    if not held.live:
        raise BadInput(f"vial {held.key}", "entered in error", "draw from the vial that is right")
    return held.noun


def _right_vial(held: Held, session: GivenSession) -> Vial:
    vial, place = _vial(held), f"vial {held.key}"
    if vial.product != session.product:
        problem = f"holds {vial.product}, the session gives {session.product}"
        raise BadInput(place, problem, "units of two products are never the same")
    if vial.expiry < session.date:
        problem = f"expired on {vial.expiry}, before the session of {session.date}"
        raise BadInput(place, problem, "take a vial that is in date")
    if session.discard_by and session.discard_by.date() < session.date:
        raise BadInput(place, f"to be discarded by {session.discard_by}", "take a fresh vial")
    return vial


# ---- the signed plan


def explained(pen: Pen, session: GivenSession, patient: str) -> None:
    """Refuse a session that leaves its signed plan without saying why."""
    if session.plan is None:
        return
    plan = _signed(found(pen.connection, session.plan), patient)
    reasons = {one.structure for one in session.deviations}
    for structure, planned, given in differences(plan, session):
        if structure not in reasons:
            problem = f"planned {planned}, given {given}, and no reason"
            raise BadInput(f"session: {structure}", problem, "add a deviation with its reason")


def differences(plan: Plan, session: GivenSession) -> Iterator[tuple[str, str, str]]:
    """Structure, planned, given: wherever a session left its plan."""
    planned, given = _planned(plan, session), _given(session)
    for structure in sorted(planned.keys() | given.keys()):
        one, other = planned.get(structure), given.get(structure)
        if not _same(one, other):
            yield structure, _words(one), _words(other)


def _signed(held: Held, patient: str) -> Plan:
    if not isinstance(held.noun, Plan) or held.patient != patient:
        raise BadInput(held.key, "not a plan for this patient", "name the right plan, or none")
    if held.state != "signed":
        raise BadInput(held.key, f"the plan is {held.state}", "sign it first, or name none")
    return held.noun


def _planned(plan: Plan, session: GivenSession) -> dict[str, Amounts]:
    """What was planned for the nearest day with this product."""
    sessions = [one for one in plan.sessions if one.product == session.product]
    if not sessions:
        return {}
    nearest = min(sessions, key=lambda one: abs(plan.date_of(one) - session.date))
    return _summed(_amounts(nearest))


def _amounts(session: Session) -> Iterator[tuple[str, Amounts]]:
    for one in session.injections:
        volume_ml = session.volume_ml(one)
        yield one.structure, (Decimal(str(one.dose_u)), one.sites, Decimal(str(volume_ml)))


def _given(session: GivenSession) -> dict[str, Amounts]:
    return _summed(
        (one.structure, (one.units, one.sites, one.volume_ml)) for one in session.injections
    )


def _summed(parts: Iterable[tuple[str, Amounts]]) -> dict[str, Amounts]:
    total: dict[str, Amounts] = {}
    for structure, (units, sites, volume_ml) in parts:
        before = total.get(structure, (Decimal(0), 0, Decimal(0)))
        total[structure] = (before[0] + units, before[1] + sites, before[2] + volume_ml)
    return total


def _same(one: Amounts | None, other: Amounts | None) -> bool:
    if one is None or other is None:
        return False
    return one[:2] == other[:2] and abs(one[2] - other[2]) <= VOLUME_TOLERANCE * one[2]


def _words(amounts: Amounts | None) -> str:
    if amounts is None:
        return "nothing"
    units, sites, volume_ml = amounts
    return f"{units.normalize():f} U in {float(volume_ml):.3g} mL at {sites} sites"
