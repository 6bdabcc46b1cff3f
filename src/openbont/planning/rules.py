"""The safety rules S01 to S22: one small function a rule.

A rule looks at a `Case` and yields findings. Doses of one product on one day are one `Occasion`,
however the plan writes them; occasions of two products are never added.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Literal

from openbont.catalog.labels import cautions_for
from openbont.catalog.products import product, products
from openbont.catalog.safety import safety_rules
from openbont.catalog.vocabulary import Term, ailments, allergen, medicine
from openbont.errors import UnknownName
from openbont.evidence import Source
from openbont.frozen import Many, Name, Noun
from openbont.patient import ROLLING_DAYS, Patient
from openbont.plan import Injection, Plan, Session
from openbont.planning.limits import Limits, interval_weeks, limits, used_u

Level = Literal["stop", "warn", "inform"]
LEVELS: tuple[Level, ...] = ("stop", "warn", "inform")
TOLERANCE_U = 1e-6
FOUR_MONTHS_DAYS = 122


class Finding(Noun):
    """What one rule has to say about a plan."""

    level: Level
    rule: Name
    place: str
    """Where in the plan or the patient, for instance sessions[0].injections[2].dose_u."""
    reason: str
    clears: str
    """What would clear it."""
    sources: Many[Source]

    @property
    def verified(self) -> bool:
        """True when all its sources were read."""
        return all(source.verified for source in self.sources)

    def __str__(self) -> str:
        cited = "; ".join(
            source.text + ("" if source.verified else " [unverified]") for source in self.sources
        )
        clears = f" To clear: {self.clears}." if self.clears else ""
        return f"{self.level} {self.rule} {self.place}: {self.reason}.{clears} Source: {cited}"


Findings = Iterator[Finding]


def say(
    level: Level,
    rule: str,
    place: str,
    reason: str,
    clears: str = "",
    sources: tuple[Source, ...] = (),
) -> Finding:
    """A finding; the sources of its rule unless it rests on others."""
    return Finding(
        level=level,
        rule=rule,
        place=place,
        reason=reason,
        clears=clears,
        sources=sources or safety_rules()[rule].sources,
    )


@dataclass(frozen=True)
class Shot:
    """An injection with its session and its place in the plan."""

    place: str
    session: Session
    injection: Injection

    @property
    def muscle(self) -> str:
        """The structure without its side."""
        return self.injection.structure.split(".")[0]

    @property
    def side(self) -> str:
        """left, right, or empty for a midline structure."""
        return self.injection.structure.partition(".")[2]

    @property
    def site_volume_ml(self) -> float:
        """mL at each site."""
        return self.session.volume_ml(self.injection) / self.injection.sites


@dataclass(frozen=True)
class Occasion:
    """All that one product is given on one day."""

    place: str
    product: str
    on: date
    shots: tuple[Shot, ...]

    @property
    def total_u(self) -> float:
        """Units of this product on this day."""
        return sum(shot.injection.dose_u for shot in self.shots)

    def entries(self) -> dict[str, list[Shot]]:
        """All entries of each structure."""
        found: dict[str, list[Shot]] = {}
        for shot in self.shots:
            found.setdefault(shot.injection.structure, []).append(shot)
        return found

    def by_structure(self) -> dict[str, tuple[float, Shot]]:
        """Units of each structure, all its entries together, and the first of them."""
        return {
            name: (sum(shot.injection.dose_u for shot in shots), shots[0])
            for name, shots in self.entries().items()
        }


@dataclass(frozen=True)
class Case:
    """A plan for a patient, with what rules need to know about both."""

    plan: Plan
    patient: Patient
    jurisdiction: str = "US"

    @cached_property
    def occasions(self) -> tuple[Occasion, ...]:
        """Occasions of known products, by day."""
        shots: dict[tuple[date, str], list[Shot]] = defaultdict(list)
        first: dict[tuple[date, str], str] = {}
        for i, session in enumerate(self.plan.sessions):
            if session.product not in products():
                continue
            key = (self.plan.date_of(session), session.product)
            first.setdefault(key, f"sessions[{i}]")
            shots[key] += [
                Shot(f"sessions[{i}].injections[{j}]", session, injection)
                for j, injection in enumerate(session.injections)
            ]
        return tuple(Occasion(first[key], key[1], key[0], tuple(shots[key])) for key in shots)

    @cached_property
    def shots(self) -> tuple[Shot, ...]:
        """All injections of known products."""
        return tuple(shot for occasion in self.occasions for shot in occasion.shots)

    @cached_property
    def terms(self) -> tuple[tuple[str, Term], ...]:
        """Conditions, a cause that is one, and known medicines, each with its place."""
        return (*ailments(self.patient.conditions, self.patient.disorder.cause), *self.medicines)

    @cached_property
    def medicines(self) -> tuple[tuple[str, Term], ...]:
        """Known medicines, each with its place."""
        found = []
        for i, name in enumerate(self.patient.medicines):
            place = f"patient.medicines[{i}]"
            try:
                found.append((place, medicine(name, place)))
            except UnknownName:
                continue
        return tuple(found)

    def having(self, *classes: str) -> list[tuple[str, Term]]:
        """Conditions and medicines of any of `classes`."""
        return [(place, term) for place, term in self.terms if set(classes) & set(term.classes)]

    def limits(self, occasion: Occasion) -> Limits:
        """What the label allows on this occasion."""
        return self._limits[occasion.on, occasion.product]

    @cached_property
    def _limits(self) -> dict[tuple[date, str], Limits]:
        return {
            (one.on, one.product): limits(
                self.patient, one.product, one.on, self.plan.disorder, self.jurisdiction
            )
            for one in self.occasions
        }

    def about(self, *families: str) -> bool:
        """True when the plan treats a disorder of one of these families, for instance bladder."""
        return self.plan.disorder.split(".")[0] in families


@dataclass(frozen=True)
class Given:
    """Toxin given before an occasion: from the history, or earlier in the same plan."""

    words: str
    product: str
    disorder: str
    on: date


def given_before(case: Case, occasion: Occasion) -> list[Given]:
    """Everything of any product and clinic that this occasion must keep its distance from."""
    history = [
        Given(
            f"{past.dose} for {past.disorder} by {past.clinic} on {past.date}",
            past.product,
            past.disorder,
            past.date,
        )
        for past in case.patient.history
    ]
    planned = [
        Given(
            f"{one.total_u:g} U {one.product} of this plan on {one.on}",
            one.product,
            case.plan.disorder,
            one.on,
        )
        for one in case.occasions[: case.occasions.index(occasion)]
    ]
    return history + planned


def s01(case: Case) -> Findings:
    """Allergy to toxin or to something in the product."""
    for i, name in enumerate(case.patient.allergies):
        place = f"patient.allergies[{i}]"
        try:
            term = allergen(name, place)
        except UnknownName as unknown:
            reason = f"{unknown.problem} could not be compared with what the products hold"
            yield say("warn", "S01", place, reason, unknown.way_out)
            continue
        for used in sorted({one.product for one in case.occasions}):
            if _holds(used, term.excipient):
                reason = f"allergy to {term.words}, which {used} holds"
                yield say("stop", "S01", place, reason, "a product without it, if there is one")


def _holds(name: str, excipient: str) -> bool:
    held = {"botulinum toxin", *product(name).excipients}
    return excipient in held | ({"milk protein"} if product(name).milk_protein else set())


def s02(case: Case) -> Findings:
    """Infection at a proposed site."""
    for shot in case.shots:
        if {shot.injection.structure, shot.muscle} & set(case.patient.infected):
            reason = f"infection at {shot.injection.structure}"
            yield say("stop", "S02", shot.place, reason, "treat the infection first")


def s03(case: Case) -> Findings:
    """Bladder: infection, or retention without self-catheterisation."""
    if not any(shot.muscle == "detrusor" for shot in case.shots):
        return
    infected = {"bladder", "detrusor"} & set(case.patient.infected)
    if infected or case.having("urinary_infection"):
        cited = safety_rules()["S03"].sources[:1]
        yield say("stop", "S03", "patient", "active urinary infection", "a clear urine", cited)
    residual_ml = reading(case, "PVR")
    retains = case.having("urinary_retention") or (residual_ml or 0) > 200
    if retains and not case.having("self_catheterising"):
        reason = "urinary retention, or more than 200 mL left after voiding, and no catheterisation"
        yield say("stop", "S03", "patient", reason, "clean intermittent catheterisation in place")


def reading(case: Case, scale: str) -> float | None:
    """The latest number of a scale in the findings; None when there is none."""
    values = [one.value for one in case.patient.findings if one.scale.lower() == scale.lower()]
    return next((float(value) for value in reversed(values) if not isinstance(value, str)), None)


def s04(case: Case) -> Findings:
    """Cap over 12 weeks, one product at a time."""
    for occasion in case.occasions:
        now = case.limits(occasion)
        total_u = now.rolling_used_u + sum(
            one.total_u
            for one in case.occasions
            if one.product == occasion.product and 0 <= (occasion.on - one.on).days < ROLLING_DAYS
        )
        if now.rolling_max_u is None or total_u <= now.rolling_max_u + TOLERANCE_U:
            continue
        reason = (
            f"{total_u:g} U {occasion.product} in 12 weeks, of which {now.rolling_used_u:g} U were "
            f"given earlier; {now.rolling_reason}{_beside(case, occasion)}"
        )
        clears = f"at most {now.rolling_left_u:g} U, or a later date"
        yield say("stop", "S04", occasion.place, reason, clears, now.rolling_sources)


def _beside(case: Case, occasion: Occasion) -> str:
    """Units of other products in the same weeks, listed side by side and never added."""
    others = {past.product for past in case.patient.history} - {occasion.product}
    used = {name: used_u(case.patient.history, name, occasion.on) for name in sorted(others)}
    listed = ", ".join(f"{units:g} U {name}" for name, units in used.items() if units)
    return f"; beside it, not added, {listed}" if listed else ""


def s05(case: Case) -> Findings:
    """Interval to the last session of any product by any clinic."""
    for occasion in case.occasions:
        now = case.limits(occasion)
        for past in given_before(case, occasion):
            use = (occasion.product, case.plan.disorder)
            weeks = interval_weeks((past.product, past.disorder), use, now.interval_min_weeks)
            days = abs((occasion.on - past.on).days)
            if days >= 7 * weeks:
                continue
            other = past.product != occasion.product
            reason = (
                f"{occasion.total_u:g} U {occasion.product} only {days} days after {past.words}; "
                f"at least {weeks:g} weeks apart"
            ) + ("; the effects overlap and units of two products cannot be converted" * other)
            earliest = past.on + timedelta(weeks=weeks)
            clears = f"a session on or after {earliest}"
            yield say("stop", "S05", occasion.place, reason, clears, now.interval_sources)


def s06(case: Case) -> Findings:
    """Doses that fit the label of another product and not of this one."""
    for occasion in case.occasions:
        ours = case.limits(occasion)
        for name in sorted(set(products()) - {occasion.product}):
            theirs = limits(case.patient, name, occasion.on, case.plan.disorder, case.jurisdiction)
            odd = [
                structure
                for structure, (dose_u, _) in occasion.by_structure().items()
                if _above(dose_u, ours, structure) and _inside(dose_u, theirs, structure)
            ]
            if odd:
                reason = f"doses of {', '.join(odd)} lie above the label of {occasion.product} and "
                reason += f"inside that of {name}: were its units entered? Units are not converted"
                clears = "the product and the units that belong together"
                yield say("stop", "S06", occasion.place, reason, clears)


def _above(dose_u: float, allowed: Limits, structure: str) -> bool:
    limit = allowed.structure(structure)
    return limit is not None and limit.max_u is not None and dose_u > limit.max_u + TOLERANCE_U


def _inside(dose_u: float, allowed: Limits, structure: str) -> bool:
    limit = allowed.structure(structure)
    if limit is None or limit.min_u is None or limit.max_u is None:
        return False
    return limit.min_u <= dose_u <= limit.max_u


def refusals(patient: Patient) -> list[Finding]:
    """Stops that no dose, product or date can clear: there is nothing to propose."""
    diseases = {"motor_neuron", "motor_neuropathy", "neuromuscular_junction"}
    found = []
    for place, term in ailments(patient.conditions, patient.disorder.cause):
        if diseases & set(term.classes):
            reason = (
                f"{term.words}: toxin may cause exaggerated weakness, dysphagia and respiratory "
                "failure; trials excluded these patients and no dose is known to be safe"
            )
            clears = (
                "a documented decision by a named specialist in neuromuscular disease, "
                "taken outside this tool"
            )
            found.append(say("stop", "S07", place, reason, clears))
    return found


def s07(case: Case) -> Findings:
    """Motor neuron disease, motor neuropathy, myasthenia: labels ask for caution, we stop."""
    yield from refusals(case.patient)
    for place, term in case.having("neuropathy", "muscle"):
        reason = f"{term.words}: weakness may be exaggerated if motor function is affected"
        yield say("warn", "S07", place, reason, "motor involvement excluded by examination")


def s08(case: Case) -> Findings:
    """Swallowing or breathing already impaired."""
    for place, term in case.having("dysphagia", "respiratory"):
        reason = f"{term.words}: spread of toxin may worsen swallowing or breathing"
        yield say("warn", "S08", place, reason, "swallowing and lung function assessed")


def s09(case: Case) -> Findings:
    """Medicines that weaken neuromuscular transmission."""
    classes = ("aminoglycoside", "neuromuscular_blocker", "neuromuscular_depressant", "magnesium")
    for place, term in case.having(*classes):
        reason = f"{term.name} is {term.words}: the effect of toxin may be potentiated"
        yield say("warn", "S09", place, reason, "another medicine, or a later date", term.sources)


def s10(case: Case) -> Findings:
    """Additive medicines, and another toxin product whose effect may last."""
    for place, term in case.having("anticholinergic", "muscle_relaxant"):
        reason = f"{term.name} is {term.words}: effects may add"
        yield say("warn", "S10", place, reason, "dose of the medicine reviewed", term.sources)
    for occasion in case.occasions:
        for past in given_before(case, occasion):
            days = (occasion.on - past.on).days
            if past.product != occasion.product and ROLLING_DAYS <= days < FOUR_MONTHS_DAYS:
                reason = f"{past.words}: its effect may not have resolved after {days} days"
                yield say("warn", "S10", occasion.place, reason, "earlier effect gone")


def s11(case: Case) -> Findings:
    """Bleeding."""
    bladder = case.about("bladder")
    for place, term in case.having("anticoagulant", "antiplatelet", "bleeding"):
        reason = f"{term.name.replace('_', ' ')}: bleeding at the injection sites"
        clears = "pressure after injection, thin needle, coagulation known"
        if bladder and "antiplatelet" in term.classes:
            clears = "antiplatelet stopped at least 3 days before, if its prescriber agrees"
        cited = safety_rules()["S11"].sources[: 2 if bladder else 1]
        yield say("warn", "S11", place, reason, clears, cited)


def s12(case: Case) -> Findings:
    """Pregnancy and breastfeeding."""
    state = case.patient.pregnancy
    place = "patient.pregnancy"
    if state in ("yes", "possible"):
        reason = f"pregnancy: {state}; only if the benefit justifies the risk"
        yield say("warn", "S12", place, reason, "pregnancy excluded, or the decision documented")
    asked = case.patient.sex == "male" or not 10 <= case.patient.age_years <= 55
    if state == "not asked" and not asked:
        yield say("warn", "S12", place, "pregnancy was not asked about", "ask, and record it")
    if case.patient.breastfeeding:
        place = "patient.breastfeeding"
        yield say("warn", "S12", place, "breastfeeding: risk unknown", "the decision documented")


def s13(case: Case) -> Findings:
    """Cervical dystonia: sternocleidomastoid."""
    for occasion in case.occasions:
        doses = {
            shot.side: dose_u
            for dose_u, shot in occasion.by_structure().values()
            if shot.muscle == "sternocleidomastoid"
        }
        for row in cautions_for(occasion.product, case.plan.disorder):
            each = row.side_rule == "per_side"
            dose_u = max(doses.values(), default=0.0) if each else sum(doses.values())
            if dose_u > (row.dose_max or 0.0):
                counted = "one side" if each else "both sides together"
                reason = f"sternocleidomastoid {dose_u:g} U, {counted}; "
                reason += f"{row.dose_max:g} U or less lowers the risk of dysphagia"
                cited = (row.cite("dose_max"),)
                yield say("warn", "S13", occasion.place, reason, "a lower dose", cited)
        if len(doses) > 1:
            reason = "both sternocleidomastoids injected: higher risk of dysphagia"
            yield say("warn", "S13", occasion.place, reason, "one side, or half the dose each side")


def s14(case: Case) -> Findings:
    """Injection near the eye."""
    near = [shot for shot in case.shots if shot.muscle == "orbicularis_oculi"]
    if near and case.plan.disorder == "dystonia.blepharospasm":
        reason = "reduced blinking may expose the cornea; keep away from the medial lower lid"
        yield say("warn", "S14", near[0].place, reason, "corneal sensation tested")
    if near:
        for place, term in case.having("corneal_exposure"):
            reason = f"{term.words}: risk of corneal ulceration"
            yield say("warn", "S14", place, reason, "cornea examined and protected")


def s15(case: Case) -> Findings:
    """Bladder: dysreflexia, infection, retention."""
    if not case.about("bladder"):
        return
    reason = "urinary infection and retention may follow; measure residual urine within 2 weeks"
    yield say("warn", "S15", "plan", reason, "follow-up arranged; patient able to self-catheterise")
    for place, term in case.having("dysreflexia"):
        reason = f"{term.words}: the procedure may provoke autonomic dysreflexia"
        yield say("warn", "S15", place, reason, "prompt treatment at hand")


def s16(case: Case) -> Findings:
    """Spasticity: airways."""
    if not case.about("spasticity"):
        return
    impaired = case.having("respiratory")
    level: Level = "warn" if impaired else "inform"
    reason = "bronchitis and upper respiratory infections were more frequent after toxin"
    reason += ", above all with reduced lung function" if impaired else ""
    yield say(level, "S16", "plan", reason, "lung function known" if impaired else "")


def s17(case: Case) -> Findings:
    """Face: what makes ptosis and asymmetry likelier."""
    face = {"corrugator", "procerus", "frontalis", "orbicularis_oculi"}
    if not any(shot.muscle in face for shot in case.shots):
        return
    for place, term in case.having("facial"):
        reason = f"{term.words}: ptosis or asymmetry may worsen"
        yield say("warn", "S17", place, reason, "face examined before injection")


def s18(case: Case) -> Findings:
    """Boxed warning."""
    reason = (
        "toxin may spread from the site hours to weeks after injection; trouble with swallowing "
        "or breathing may be fatal"
    )
    if case.patient.child and case.about("spasticity"):
        reason += "; the risk is greatest in children treated for spasticity"
    yield say("inform", "S18", "plan", reason)


def s19(case: Case) -> Findings:
    """Human albumin."""
    for name in sorted({one.product for one in case.occasions if product(one.product).albumin}):
        reason = f"{name} holds human albumin: a theoretical risk of transmitting viruses or prions"
        yield say("inform", "S19", "plan", reason)


def s20(case: Case) -> Findings:
    """Antibodies."""
    if case.patient.history:
        reason = "repeated treatment: use the lowest effective dose, the longest interval"
        yield say("inform", "S20", "patient.history", f"{reason}, and no booster injections")


def s21(case: Case) -> Findings:
    """Heart and vessels; a flag only, no model of the heart. Motor neurons may take part."""
    dying = case.having("motor_neuron")
    for place, term in case.having("cardiovascular"):
        reason = f"{term.words}: arrhythmia and myocardial infarction were reported after toxin"
        if dying:
            reason += "; motor neuron disease may itself reach the heart's nerves"
        level: Level = "warn" if dying else "inform"
        yield say(level, "S21", place, reason, "the heart examined" if dying else "")


def s22(case: Case) -> Findings:
    """Reconstituted product."""
    for occasion in case.occasions:
        used = product(occasion.product)
        hours = f"within {used.use_within_h:g} hours" if used.use_within_h else "as its label says"
        reason = f"use {used.name} {hours} once reconstituted, one patient a vial"
        smallest_u = min(used.vials_u)
        left = occasion.total_u % smallest_u
        whole = min(left, smallest_u - left) < TOLERANCE_U
        if not whole:
            reason += f"; {occasion.total_u:g} U is no whole number of vials: discard what is left"
        yield say("inform", "S22", occasion.place, reason)


SAFETY: dict[str, Callable[[Case], Findings]] = {
    rule.__name__.upper(): rule
    for rule in (
        s01, s02, s03, s04, s05, s06, s07, s08, s09, s10, s11,
        s12, s13, s14, s15, s16, s17, s18, s19, s20, s21, s22,
    )
}  # fmt: skip
"""Every safety rule by its id."""
