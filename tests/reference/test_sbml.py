"""The exported chain in libRoadRunner, whose CVODE knows nothing of our steps, against our stages.

Our light chain is exact (1e-9 of its peak, which is CVODE's). The rest is stepped: on the grid that
the package takes by itself the worst errors are 4e-6 of intact SNARE, 3e-5 of release, 6e-5 of
force, and 1e-7 of the load, which is in single precision. With every step halved four times, in
double precision, all are below 3e-7: both solve one equation, and the rest is our stepping.
"""

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import roadrunner

import openbont as bont
from openbont.catalog.evidence import parameters
from openbont.catalog.model import PRODUCTS
from openbont.errors import NoEvidence, UnknownName
from openbont.evidence import cite
from openbont.forward import kinetics
from openbont.forward.arrays import Sessions
from openbont.forward.release import Release
from openbont.forward.response import Response
from openbont.patient import Patient, Reading
from openbont.plan import Plan
from openbont.sbml import SBML, Alone, Arrival, alone, described, sbml, typical, written

EXAMPLES = Path(__file__).parents[2] / "examples"
WRIST = "flexor_carpi_radialis.left"
EVERY_CHECK = 127  # of libSBML: units and good practice among them
ONA, ABO, RIMA = "onabotulinumtoxinA", "abobotulinumtoxinA", "rimabotulinumtoxinB"
HALVINGS = 4
CORE = f"{{{SBML}}}"


@dataclass(frozen=True)
class Case:
    """A structure of an example, and sessions in place of its own."""

    structure: str = WRIST
    example: str = "arm_after_stroke"
    who: str = "patient"
    arrivals: tuple[Arrival, ...] = ()
    draw: int | None = None


CASES = {
    "toxin given before": Case(),
    "one draw": Case("biceps_brachii.left", draw=3),
    "a trace beside the needle": Case("triceps_brachii.left"),
    "two products in three sessions": Case(
        arrivals=(Arrival(0, ABO, 2.0), Arrival(84, RIMA, 30.0), Arrival(100, ABO, 1.0))
    ),
    "two products on one day": Case(arrivals=(Arrival(0, ONA, 1.0), Arrival(0, RIMA, 9.0))),
    "very much toxin": Case(arrivals=(Arrival(0, ONA, 100.0),)),
    "weak junctions": Case(who="weak"),
    "gland": Case("axilla.left", "axillary_hyperhidrosis"),
    "fibres of the face": Case("procerus", "glabellar_lines"),
}


def files(case: Case) -> tuple[Patient, Plan]:
    folder = EXAMPLES / case.example
    return bont.load_patient(folder / f"{case.who}.yaml"), bont.load_plan(folder / "plan.yaml")


@cache
def one(name: str) -> Alone:
    case = CASES[name]
    person, plan = files(case)
    model = typical(person) if case.draw is None else bont.model(person, draws=4, seed=1)
    found = alone(plan, person, case.structure, model, case.draw or 0)
    return replace(found, arrivals=case.arrivals) if case.arrivals else found


def days(of: Alone) -> np.ndarray:
    """Every third day until half a year after the last session."""
    return np.arange(of.start_day, of.arrivals[-1].day + 183, 3.0)


def package(of: Alone, halvings: int = 0, *, double: bool = False) -> dict[str, np.ndarray]:
    """Our stages for the density that was exported, on our grid with its steps halved."""
    given = np.array([arrival.day for arrival in of.arrivals])
    sessions = Sessions(given, np.array([PRODUCTS.index(one.product) for one in of.arrivals]))
    grid = kinetics.graded_grid(given, days(of))
    for _ in range(halvings):
        grid = np.sort(np.concatenate([grid, (grid[1:] + grid[:-1]) / 2]))
    density = np.array([[[arrival.density], [0.0]] for arrival in of.arrivals])
    with jax.enable_x64(True), pytest.MonkeyPatch.context() as patch:
        if double:
            patch.setattr(kinetics, "single", lambda tree: tree)
        found = _solved(*_two(of), density, sessions, grid, double)
    return {name: np.asarray(rows)[np.searchsorted(grid, days(of))] for name, rows in found.items()}


def _two(of: Alone) -> tuple[kinetics.Kinetics, Release, Response]:
    """The stages for this structure and distant muscle."""
    both = np.array([of.number, -1])
    chain = of.stages
    return (
        eqx.tree_at(lambda k: k.slower, chain.kinetics, chain.kinetics.slower[both]),
        chain.release,
        eqx.tree_at(lambda r: r.safety_factor, chain.response, chain.response.safety_factor[both]),
    )


@eqx.filter_jit
def _solved(cleaves, releases, responds, density, sessions, grid, double):
    """`double` is there so that each precision is compiled for itself."""
    since = grid[:, None] - sessions.day
    light = cleaves.light_chain(since, sessions.product, jnp.asarray(cleaves.slower[0]))
    intact = cleaves(density, sessions, grid)
    released = releases(intact, grid)
    tissue = responds(released, grid)
    return {
        "light chain": light @ cleaves.taken_up(density, sessions)[:, 0, 0],
        "load": cleaves.load(density, sessions, grid)[:, 0, 0],
        "intact": intact[:, 0, 0],
        "release": released[:, 0, 0],
        "twitch": tissue.twitch[:, 0],
        "force": tissue.force[:, 0],
    }


def runner(text: str) -> roadrunner.RoadRunner:
    model = roadrunner.RoadRunner(text)
    model.getIntegrator().setValue("relative_tolerance", 1e-10)
    model.getIntegrator().setValue("absolute_tolerance", 1e-14)
    return model


@cache
def peer(name: str) -> dict[str, np.ndarray]:
    """What libRoadRunner makes of the exported text."""
    of = one(name)
    model, day = runner(written(described(of))), days(of)
    follows = ["load", "intact", "release"]
    if of.structure.kind != "gland":
        follows += ["twitch", "force"]
    light = [f"[light_chain_{product}]" for product in of.products]
    model.timeCourseSelections = [*follows, "day", *light]
    path = np.array(model.simulate(0, day[-1] - day[0], len(day)))
    columns = path.T[: len(follows)]
    assert path[:, len(follows)] == pytest.approx(day, abs=1e-9)
    total = path[:, len(follows) + 1 :].sum(1)
    return {"light chain": total, **dict(zip(follows, columns, strict=True))}


def worst(found: dict[str, np.ndarray], name: str) -> dict[str, float]:
    """Largest differences; light chain and load relative to their peak."""
    truth = peer(name)
    scale = {stage: truth[stage].max() for stage in ("light chain", "load")}
    return {
        stage: float(np.abs(found[stage] - rows).max() / scale.get(stage, 1.0))
        for stage, rows in truth.items()
    }


@pytest.mark.parametrize("name", CASES)
def test_one_equation_to_1e_6(name: str) -> None:
    apart = worst(package(one(name), HALVINGS, double=True), name)
    assert max(apart.values()) < 1e-6, f"reached 3e-7, now {apart}"


@pytest.mark.parametrize("name", CASES)
def test_on_the_grid_of_the_package(name: str) -> None:
    """The light chain is exact here too."""
    apart = worst(package(one(name)), name)
    assert apart.pop("light chain") < 1e-6
    assert apart.pop("load") < 1e-6
    assert max(apart.values()) < 2e-4, f"reached 6e-5, now {apart}"


@pytest.mark.parametrize("name", CASES)
def test_valid_by_every_check_of_libsbml(name: str) -> None:
    assert roadrunner.validateSBML(written(described(one(name))), EVERY_CHECK) == ""


def test_the_checks_see_a_wrong_unit() -> None:
    text = written(described(one("toxin given before")))
    wrong = re.sub(r'(id="uptake_per_day" value="\S+" units=")per_day', r"\1day", text)
    assert "inconsistent" in roadrunner.validateSBML(wrong, EVERY_CHECK)


def test_a_draw_captures_what_it_captures_in_simulate() -> None:
    of, case = one("one draw"), CASES["one draw"]
    person, plan = files(case)
    course = bont.simulate(plan, person, bont.model(person, draws=4, seed=1), [0.0])
    captured = course.captured[case.draw, :, course.structures.index(case.structure)].mean(-1)
    assert [arrival.density for arrival in of.arrivals] == pytest.approx(captured, rel=1e-5)


def test_one_density_is_not_the_muscle() -> None:
    """Toxin lies unevenly: the muscle keeps what its mean density would take (docs)."""
    person, plan = files(Case())
    model = bont.model(person, draws=4, seed=1)
    course = bont.simulate(plan, person, model, [28.0])
    ending = runner(sbml(plan, person, WRIST, model, draw=2))
    ending.timeCourseSelections = ["day", "twitch"]
    day, twitch = np.array(ending.simulate(0, 371, 372))[-1]
    assert day == 28
    assert twitch < 0.01
    assert course.acting(WRIST)[2, 0] == pytest.approx(0.37, abs=0.05)


def test_reference_values_are_those_of_the_catalog() -> None:
    """All but what a structure or a product makes of them."""
    found = numbers(written(described(one("toxin given before"))))
    known = {name.partition(".")[2]: value.value for name, value in parameters().items()}
    same = [name for name in found if name in known]
    assert len(same) == 16
    assert {name: found[name] for name in same} == {name: known[name] for name in same}
    assert found[f"half_life_day_{ONA}"] == known["half_life_day.A"]
    assert found[f"potency_cm3_per_u_{ONA}"] == known[f"potency.{ONA}"]


def test_a_weak_junction_has_its_own_margin() -> None:
    healthy, weak = (
        numbers(written(described(one(name)))) for name in ("toxin given before", "weak junctions")
    )
    factor = parameters()["weakness.myasthenia.safety"].value
    assert weak["safety_factor"] == pytest.approx(factor * healthy["safety_factor"])


@pytest.mark.parametrize("name", CASES)
def test_every_number_says_what_it_rests_on(name: str) -> None:
    """Sources are named, and those that were not read again are called unverified."""
    of = one(name)
    text = written(described(of))
    sources = {" ".join(source.text.split()) for source in cite(list(of.rests_on.values()))}
    for number in ET.fromstring(text).iter(f"{CORE}parameter"):
        said = " ".join(number.itertext()).split()
        assert said, number.get("id")
        from_plan = number.get("id").startswith(("start_day", "time_of_session"))
        if number.get("constant") == "true" and not from_plan:
            assert any(source in " ".join(said) for source in sources), number.get("id")
    recalled = of.rests_on["release.cooperativity"].sources[1]
    assert not recalled.verified
    assert f"{recalled.text} (unverified)" in text


def test_the_same_bytes_again() -> None:
    person, plan = files(CASES["toxin given before"])
    assert sbml(plan, person, WRIST) == written(described(one("toxin given before")))


def test_a_structure_that_the_model_lacks() -> None:
    person, plan = files(CASES["toxin given before"])
    with pytest.raises(UnknownName, match=r"did you mean flexor_carpi_radialis\.left"):
        sbml(plan, person, "flexor_carpi_radialis.right")


def test_a_reading_that_the_population_does_not_reach() -> None:
    person, plan = files(CASES["fibres of the face"])
    unlined = person.model_copy(update={"findings": (Reading(scale="FWS", value="0"),)})
    with pytest.raises(NoEvidence, match="hardly anybody"):
        sbml(plan, unlined, "procerus")


def numbers(text: str) -> dict[str, float]:
    """Constants of a document by name."""
    rows = ET.fromstring(text).iter(f"{CORE}parameter")
    return {row.get("id"): float(row.get("value")) for row in rows if row.get("constant") == "true"}
