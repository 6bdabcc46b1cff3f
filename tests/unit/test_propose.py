"""propose: the proof holds, the limits hold, and it refuses where check stops."""

from datetime import date
from itertools import product as every_combination
from pathlib import Path

import numpy as np
import pytest

from openbont.errors import BadInput, NoPlan
from openbont.io import load_patient
from openbont.patient import Disorder, Goal, Keep, Patient, Reading
from openbont.planning import prepared as preparing
from openbont.planning.check import check
from openbont.planning.choice import choose
from openbont.planning.limits import limits
from openbont.planning.prepared import Prepared, prepare
from openbont.planning.proposal import Proposal
from openbont.planning.propose import prepared, propose, replan

EXAMPLES = Path(__file__).parents[2] / "examples"
ONA = "onabotulinumtoxinA"


def wrist(**changes: object) -> Patient:
    """A wrist that four muscles bend."""
    return Patient(
        id="wrist",
        date=date(2026, 11, 16),
        age_years=60,
        sex="female",
        weight_kg=65,
        disorder=Disorder(name="spasticity.upper_limb", cause="stroke", side="left"),
        findings=(Reading(scale="MAS", value="3", where="wrist_flexors.left"),),
        goals=(Goal(scale="MAS", where="wrist_flexors.left", at_most="1+"),),
        pregnancy="not applicable",
    ).model_copy(update=changes)


@pytest.fixture(scope="module")
def proposals() -> list[Proposal]:
    return propose(load_patient(EXAMPLES / "arm_after_stroke" / "patient.yaml"), ONA)


def ready(patient: Patient, draws: int = 8) -> Prepared:
    return prepared(patient, limits(patient, ONA), draws, 1)[0]


FINGERS = Reading(scale="MAS", value="2", where="finger_flexors.left")


def four_muscles(**changes: object) -> Patient:
    """Stiff fingers besides, so that the finger flexors may be injected for the wrist."""
    return wrist(**changes, findings=(*wrist().findings, FINGERS))


@pytest.mark.parametrize(
    "keep",
    [
        (),
        (Keep(function="grip.left", at_least=0.85),),
        (Keep(function="grip.left", at_least=0.95),),
    ],
)
def test_brute_force_finds_nothing_better(keep: tuple[Keep, ...]) -> None:
    """Four muscles, every combination of every third dose option."""
    whole = ready(four_muscles(keep=keep)).choice()
    small = whole.only(tuple(np.arange(0, len(o), 3) for o in whole.options_u))
    assert len(small.muscles) == 4
    best = choose(small)
    everything = every_combination(*(range(len(options)) for options in small.options_u))
    values = [small.value(np.array(p)) for p in everything if small.allowed(np.array(p))]
    assert len(values) > 1
    assert best.value == pytest.approx(max(values), abs=2e-6)
    assert best.bound >= max(values) - 1e-9
    assert small.allowed(best.picks)


def test_options_of_all_muscles_at_once_equal_one_muscle_by_itself() -> None:
    patient = four_muscles()
    together = ready(patient)
    name, *_ = together.choice().muscles
    alone = prepare(together.task, [name]).choice()
    number = together.choice().muscles.index(name)
    np.testing.assert_allclose(together.choice().effect[number], alone.effect[0], atol=1e-6)


def test_untreated_fingers_are_spared() -> None:
    """Only the wrist is stiff: finger flexors are neither injected nor reached too much."""
    best = propose(wrist(), ONA, draws=8)[0]
    muscles = {i.structure for i in best.plan.sessions[0].injections}
    assert muscles <= {"flexor_carpi_radialis.left", "flexor_carpi_ulnaris.left"}
    spared = {one.ceiling.structure for one in best.spill}
    assert {f"flexor_digitorum_{one}.left" for one in ("superficialis", "profundus")} <= spared
    assert all(one.kept >= one.ceiling.least for one in best.spill)


def test_a_plan_after_one_change_needs_no_run_of_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared_once = ready(four_muscles(keep=(Keep(function="wrist_flexion.left", at_least=0.0),)))
    monkeypatch.setattr(preparing, "alone", None)
    start, loose = replan(prepared_once)
    wanted = loose.judged.kept.min() + 0.03
    stronger = Keep(function="wrist_flexion.left", at_least=float(wanted))
    plan, strict = replan(prepared_once, keep=[stronger])
    assert strict.judged.kept.min() >= wanted - 1e-6
    easier = Goal(scale="MAS", where="wrist_flexors.left", at_most="2")
    lighter, _ = replan(prepared_once, goals=[easier])
    units = [one.totals()[ONA].value_u for one in (start, plan, lighter)]
    assert units[0] > max(units[1:])


def test_proposals_keep_every_limit(proposals: list[Proposal]) -> None:
    patient = load_patient(EXAMPLES / "arm_after_stroke" / "patient.yaml")
    allowed = limits(patient, ONA)
    assert 2 <= len(proposals) <= 4
    for proposal in proposals:
        levels = {(finding.level, finding.rule) for finding in check(proposal.plan, patient)}
        assert not {rule for level, rule in levels if level == "stop"}
        assert "L03" not in {rule for _, rule in levels}
        total = proposal.plan.totals()[ONA].value_u
        assert total <= (allowed.budget_u or np.inf)
        for injection in proposal.plan.sessions[0].injections:
            limit = allowed.structure(injection.structure)
            assert limit is not None
            assert (limit.min_u or 0) <= injection.dose_u <= (limit.max_u or np.inf)
            assert injection.site_dose_u <= (limit.site_max_u or np.inf)


def test_proof_and_reasons(proposals: list[Proposal]) -> None:
    best = proposals[0]
    assert best.bound >= best.value
    assert best.gap <= 0.01
    assert best.binding
    assert all(one.words for one in best.binding)
    assert best.revalued >= max(other.revalued for other in proposals)
    assert all(other.instead.startswith("gains ") for other in proposals[1:])
    assert len({p.plan.model_dump_json() for p in proposals}) == len(proposals)


def test_kept_functions_stay_above_their_floor(proposals: list[Proposal]) -> None:
    for proposal in proposals:
        for one in proposal.outcome.unwanted:
            if one.floor is not None:
                assert one.kept.median >= one.floor


def test_same_seed_same_proposal() -> None:
    first, again = (propose(wrist(), ONA, draws=8)[0] for _ in range(2))
    assert first.plan == again.plan
    assert first.value == again.value


def test_migraine_gets_the_label_pattern_and_additions() -> None:
    patient = load_patient(EXAMPLES / "chronic_migraine" / "patient.yaml")
    fixed, *more = propose(patient, ONA, draws=8)
    sites = [sum(i.sites for i in p.plan.sessions[0].injections) for p in (fixed, *more)]
    units = [p.plan.totals()[ONA].value_u for p in (fixed, *more)]
    assert (units[0], sites[0]) == (155, 31)
    assert units[-1] == 195
    assert sites[-1] == 39
    assert fixed.gap == 0
    assert fixed.binding


@pytest.mark.parametrize("condition", ["amyotrophic_lateral_sclerosis", "lambert_eaton"])
def test_refused_where_no_dose_is_known_to_be_safe(condition: str) -> None:
    with pytest.raises(NoPlan, match="S07"):
        propose(wrist(conditions=(condition,)), ONA)


def test_impossible_wish_is_no_plan() -> None:
    everything = Keep(function="wrist_flexion.left", at_least=1.0)
    tight = wrist(keep=(everything,))
    with pytest.raises(NoPlan):
        propose(tight, ONA, draws=8)


def test_goals_are_needed() -> None:
    with pytest.raises(BadInput, match="no goal"):
        propose(wrist(goals=()), ONA)


def test_product_without_label_dose_is_no_plan() -> None:
    with pytest.raises(NoPlan):
        propose(wrist(), "letibotulinumtoxinA")


def test_spill_does_not_overturn_the_choice() -> None:
    """By the full model, no combination of three doses a muscle beats the chosen one by 0.02.

    The choice counts each muscle's own dose only; here 81 plans are run with spill.
    """
    at_hand = ready(four_muscles())
    whole = at_hand.choice()
    small = whole.only(tuple(np.array([0, len(o) // 2, len(o) - 1]) for o in whole.options_u))
    judge = at_hand.judge(small)
    chosen = tuple(int(pick) for pick in choose(small).picks)
    values = {
        picks: judge(at_hand.plan(small, np.array(picks))).effect - small.price(np.array(picks))
        for picks in every_combination(range(3), repeat=4)
        if any(picks)
    }
    assert max(values.values()) - values[chosen] < 0.02


def test_open_label_doses_stay_within_what_trials_gave() -> None:
    """The label names a total only; each muscle's ceiling comes from trials and is said to."""
    product = "abobotulinumtoxinA"
    patient = load_patient(EXAMPLES / "cervical_dystonia" / "patient.yaml")
    patient = patient.model_copy(update={"goals": patient.goals[1:]})  # to turn back: few muscles
    allowed = limits(patient, product)
    best = propose(patient, product, draws=8)[0]
    muscles = [i.structure.split(".")[0] for i in best.plan.sessions[0].injections]
    assert "splenius_capitis" in muscles
    for injection in best.plan.sessions[0].injections:
        limit = allowed.ceiling(injection.structure)
        assert limit is not None
        assert limit.basis == "in trials"
        assert (limit.min_u or 0) <= injection.dose_u <= (limit.max_u or 0)
        assert injection.site_dose_u <= (allowed.site_max_u or np.inf)
    both_sides = [i for i in best.plan.sessions[0].injections if "sternocleido" in i.structure]
    assert sum(i.dose_u for i in both_sides) <= 150
    assert not [f for f in check(best.plan, patient) if f.rule == "S13"]


def test_a_first_treatment_gets_a_first_dose() -> None:
    """Eyelids: 2.5 U a site at first, up to 5 later."""
    patient = load_patient(EXAMPLES / "blepharospasm" / "patient.yaml")
    first = propose(patient.model_copy(update={"history": ()}), ONA, draws=8)[0]
    for injection in first.plan.sessions[0].injections:
        assert injection.site_dose_u <= 2.5


def test_goals_without_a_drive_are_predicted_and_not_planned_for() -> None:
    hygiene = Goal(scale="DAS", where="hygiene.left", at_most=1)
    found = Reading(scale="DAS", value="3", where="hygiene.left")
    patient = wrist()
    both = wrist(goals=(*patient.goals, hygiene), findings=(*patient.findings, found))
    assert propose(both, ONA, draws=8)[0].plan == propose(patient, ONA, draws=8)[0].plan
    with pytest.raises(NoPlan, match="DAS"):
        propose(wrist(goals=(hygiene,), findings=(*patient.findings, found)), ONA, draws=8)


@pytest.mark.parametrize(("weight_kg", "dose_u"), [(20, 120), (30, 180), (40, 200)])
def test_a_child_bladder_gets_its_units_by_weight(weight_kg: float, dose_u: float) -> None:
    patient = load_patient(EXAMPLES / "child_bladder" / "patient.yaml")
    patient = patient.model_copy(update={"weight_kg": weight_kg, "history": ()})
    best = propose(patient, ONA, draws=4)[0]
    assert best.plan.totals()[ONA].value_u == dose_u
