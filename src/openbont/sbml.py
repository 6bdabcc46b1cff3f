"""The chain of one structure as SBML Level 3 Version 2, for any simulator that reads it.

It holds what follows spread: captured toxin of each session as doses, the chain of stages to the
light chain, intact SNARE protein, release with sprouts, and the response of the structure. The
equations are those of kinetics.py, release.py and response.py, for one density of captured toxin.
SBML has no normal distribution: the one here is a polynomial, right to 1e-7 (Abramowitz and Stegun
26.2.17).
"""

import ast
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise

import equinox as eqx
import jax
import numpy as np

from openbont.anatomy.structure import Structure
from openbont.catalog import model as catalog
from openbont.catalog.products import product
from openbont.catalog.sampling import Reference
from openbont.catalog.weakness import weakness
from openbont.errors import UnknownName
from openbont.evidence import Parameter
from openbont.forward.arrays import shots
from openbont.forward.chain import Model, Stages, gather, given, in_place
from openbont.patient import Patient
from openbont.plan import Plan

STAGES = ("interstitial", "free", "bound", "endosome", "light_chain")
STEPS = ("uptake", "binding", "translocation", "activation")
CAPTURED_DIGITS = 6
"""Digits of captured density that the fields are worth."""


# ---- what a document holds; formulas are written as in Python


@dataclass(frozen=True)
class Constant:
    """A number with its unit, and what it rests on."""

    id: str
    value: float
    unit: str
    said: Sequence[str] = ()


@dataclass(frozen=True)
class Step:
    """`source` turns into `target` (or is lost) at a rate."""

    id: str
    source: str
    target: str | None
    rate: str


@dataclass(frozen=True)
class Dose:
    """`amount`, a formula, is added to a species at time `at`, a constant."""

    id: str
    species: str
    at: str
    amount: str


@dataclass(frozen=True)
class Rate:
    """A quantity that starts somewhere and has a slope."""

    id: str
    start: float
    slope: str
    said: str


@dataclass(frozen=True)
class Rule:
    """A quantity that follows from others at every moment."""

    id: str
    unit: str
    formula: str
    said: str


@dataclass(frozen=True)
class Document:
    """An SBML model of one compartment, before it is written."""

    id: str
    name: str
    said: Sequence[str]
    time: str
    """Unit of time: day or minute."""
    constants: Sequence[Constant]
    species: Mapping[str, str]
    """Species -> formula of its first density."""
    steps: Sequence[Step]
    rates: Sequence[Rate] = ()
    rules: Sequence[Rule] = ()
    doses: Sequence[Dose] = ()


# ---- the chain of one structure


@dataclass(frozen=True)
class Arrival:
    """Toxin of one session that one structure captures."""

    day: float
    product: str
    density: float
    """Mean over the nerve endings of the structure, U/cm3."""


@dataclass(frozen=True, eq=False)
class Alone:
    """One structure with the parameters of one draw."""

    structure: Structure
    number: int
    """Place among the structures of the model."""
    stages: Stages
    arrivals: tuple[Arrival, ...]
    rests_on: Mapping[str, Parameter]

    @property
    def start_day(self) -> float:
        """Day of the plan at time 0: earlier than 0 when toxin was given before."""
        return min(0.0, *(one.day for one in self.arrivals))

    @property
    def products(self) -> list[str]:
        """Products that arrive, each once."""
        return list(dict.fromkeys(one.product for one in self.arrivals))


def sbml(
    plan: Plan, patient: Patient, structure: str, model: Model | None = None, draw: int = 0
) -> str:
    """The chain of one structure of `plan` as SBML.

    Every parameter has its reference value, or that of one `draw` of a `model`. Raises UnknownName
    for a structure that the model does not have, NoEvidence for a disorder that has none.
    """
    return written(described(alone(plan, patient, structure, model or typical(patient), draw)))


def typical(patient: Patient) -> Model:
    """A model whose chain has reference values, and the median threshold of antibodies."""
    whole, values = catalog.model(patient, draws=2), Reference()
    weak = weakness(values, patient)
    immunity = eqx.tree_at(
        lambda stage: stage.threshold, catalog.immunity(values), np.array([math.log(2.0)])
    )
    stages = (
        immunity,
        catalog.spread(values),
        catalog.kinetics(values, whole.structures, weak),
        catalog.release(values),
        catalog.response(values, whole.structures, weak),
    )
    changed: Model = eqx.tree_at(lambda one: _chain(one.stages), whole, stages)
    return changed


def alone(plan: Plan, patient: Patient, structure: str, model: Model, draw: int) -> Alone:
    """One structure, what it captures and its parameters in one draw. Raises UnknownName."""
    names = [one.id for one in model.structures]
    if structure not in names:
        raise UnknownName("", "structure of this model", structure, names)
    number = names.index(structure)
    all_shots, sessions = shots(given(plan, patient, model), model.structures, model.products)
    all_shots = in_place(all_shots, model)
    stages: Stages = jax.tree.map(lambda leaf: leaf[draw], model.stages)
    with jax.enable_x64(True):
        effective = stages.immunity(all_shots, sessions)
        captured = gather(stages.spread(effective, model.body), effective, len(sessions.day))
    density = np.asarray(captured)[:, number].mean(-1)
    arrivals = [
        Arrival(float(day), model.products[kind], float(f"{here:.{CAPTURED_DIGITS}g}"))
        for day, kind, here in zip(sessions.day, sessions.product, density, strict=True)
    ]
    ours = [one for one in arrivals if one.density > 0] or arrivals
    rests_on = {one.id: one for one in model.rests_on}
    return Alone(model.structures[number], number, stages, tuple(ours), rests_on)


def _chain(stages: Stages) -> tuple[eqx.Module, ...]:
    return stages.immunity, stages.spread, stages.kinetics, stages.release, stages.response


def described(one: Alone) -> Document:
    """The equations of the chain for what one structure captures."""
    return Document(
        id=_id(one.structure.id),
        name=f"{one.structure.id}: from captured botulinum toxin to what the tissue still does",
        said=_said(one),
        time="day",
        constants=[*_arriving(one), *_kinetic(one), *_releasing(one), *_responding(one)],
        species={
            f"{stage}_{name}": _first(one, stage, name) for name in one.products for stage in STAGES
        },
        steps=[step for name in one.products for step in _steps(one, name)],
        rates=[*RATES, *([] if _secretes(one) else [FIBRE])],
        rules=_rules(one),
        doses=[
            _dose(n, later) for n, later in enumerate(one.arrivals) if later.day > one.start_day
        ],
    )


RATES = (
    Rate(
        "intact",
        1.0,
        "snare_renewal_per_day * (1 - intact) - snare_renewal_per_day * load * intact",
        "share of SNARE protein that is intact",
    ),
    Rate(
        "sprouts",
        0.0,
        "sprouting_per_day * (1 - parent) * (1 - sprouts) - retraction_per_day * parent * sprouts",
        "sprouting, as a share of the most there can be",
    ),
)
FIBRE = Rate(
    "fibre_size",
    1.0,
    "regrowth_per_day * voluntary_firing * (1 - fibre_size)"
    " - atrophy_per_day * (1 - voluntary_firing) * (fibre_size - smallest_fibre)",
    "cross-section of fibres, relative to untouched",
)
NO_UNIT = "dimensionless"


def _steps(one: Alone, name: str) -> list[Step]:
    """Each stage turns into the next one; the light chain is lost."""
    half_life = f"half_life_day_{name}" + (" * slower" if _slowed(one) else "")
    onward = [
        Step(
            f"{step}_{name}", f"{here}_{name}", f"{then}_{name}", f"{step}_per_day * {here}_{name}"
        )
        for step, (here, then) in zip(STEPS, pairwise(STAGES), strict=True)
    ]
    loss = f"ln(2) / ({half_life}) * light_chain_{name}"
    return [*onward, Step(f"loss_{name}", f"light_chain_{name}", None, loss)]


def _rules(one: Alone) -> list[Rule]:
    load = " + ".join(f"potency_cm3_per_u_{n} * light_chain_{n}" for n in one.products)
    raised = "parent + sprout_share * sprouts"
    chain = [
        Rule(
            "day", "day", "time + start_day", "day of the plan; time 0 is the first session at work"
        ),
        Rule("load", NO_UNIT, load, "cleaving load of all light chains"),
        Rule("parent", NO_UNIT, "intact ** cooperativity", "release of the parent ending"),
        Rule(
            "release",
            NO_UNIT,
            f"{raised} if {raised} < 1 else 1",
            "release, relative to the untouched ending; glands and sensory endings follow it",
        ),
    ]
    return chain if _secretes(one) else [*chain, *FORCE]


def _firing(facilitation: str) -> str:
    """Share of fibres that fire, relative to untouched muscle."""
    margin = f"ln(safety_factor * {facilitation}release) / safety_spread"
    untouched = margin.replace("release", "1")
    return f"normal({margin}) / normal({untouched})"


FORCE = (
    Rule("firing", NO_UNIT, _firing(""), "fibres that fire to single impulses and reflexes"),
    Rule("voluntary_firing", NO_UNIT, _firing("facilitation * "), "fibres that fire to drive"),
    Rule(
        "twitch", NO_UNIT, "firing * fibre_size", "CMAP, reflexes and tone, relative to untouched"
    ),
    Rule(
        "force", NO_UNIT, "voluntary_firing * fibre_size", "voluntary force, relative to untouched"
    ),
)


def _secretes(one: Alone) -> bool:
    return one.structure.kind == "gland"


def _first(one: Alone, stage: str, name: str) -> str:
    """What is there at time 0: the toxin of that day, all of it interstitial."""
    there = [
        _taken(n, name)
        for n, arrival in enumerate(one.arrivals)
        if stage == STAGES[0] and arrival.product == name and arrival.day == one.start_day
    ]
    return " + ".join(there)


def _dose(number: int, later: Arrival) -> Dose:
    species = f"{STAGES[0]}_{later.product}"
    taken = _taken(number, later.product)
    return Dose(f"session_{number}", species, f"time_of_session_{number}", taken)


def _taken(number: int, name: str) -> str:
    """What endings take up of what a session brings."""
    captured = f"captured_{number}"
    return f"{captured} / (1 + potency_cm3_per_u_{name} * {captured} / uptake_limit)"


# ---- numbers with what they rest on


def _arriving(one: Alone) -> list[Constant]:
    said = [
        "captured by the structure, mean over its nerve endings, after antibodies",
        *(_grounds(p) for p in one.rests_on.values() if p.id.startswith("spread.")),
    ]
    doses = [
        Constant(f"captured_{n}", a.density, "u_per_cm3", [f"{a.product}, day {a.day:g}", *said])
        for n, a in enumerate(one.arrivals)
    ]
    times = [
        Constant(
            f"time_of_session_{n}", a.day - one.start_day, "day", [f"day {a.day:g} of the plan"]
        )
        for n, a in enumerate(one.arrivals)
        if a.day > one.start_day
    ]
    start = Constant("start_day", one.start_day, "day", ["day of the plan at time 0"])
    return [start, *doses, *times]


def _kinetic(one: Alone) -> list[Constant]:
    kinetics = one.stages.kinetics
    shared = [
        _of(one, f"kinetics.{name}", getattr(kinetics, name), "per_day")
        for name in (*(f"{step}_per_day" for step in STEPS), "snare_renewal_per_day")
    ]
    shared.append(_of(one, "kinetics.uptake_limit", kinetics.uptake_limit, NO_UNIT))
    own = []
    if factors := _slowed(one):
        said = "half-life, relative to motor endings"
        own = [_combined(one, "slower", kinetics.slower[one.number], factors, said)]
    for name in one.products:
        n, kind = catalog.PRODUCTS.index(name), product(name).serotype
        own += [
            _of(one, f"kinetics.half_life_day.{kind}", kinetics.half_life_day[n], "day", name),
            _of(one, f"kinetics.potency.{name}", kinetics.potency_cm3_per_u[n], "cm3_per_u", name),
        ]
    return [*shared, *own]


def _slowed(one: Alone) -> list[str]:
    """Parameters that lengthen the half-life in the endings of this structure."""
    return ["kinetics.autonomic_slower"] if _secretes(one) else _weak(one, "recovery_slower")


def _releasing(one: Alone) -> list[Constant]:
    units = {"cooperativity": NO_UNIT, "sprout_share": NO_UNIT}
    names = (*units, "sprouting_per_day", "retraction_per_day")
    stage = one.stages.release
    return [_of(one, f"release.{n}", getattr(stage, n), units.get(n, "per_day")) for n in names]


def _responding(one: Alone) -> list[Constant]:
    if _secretes(one):
        return []
    stage, factors = one.stages.response, ["response.safety_factor"]
    if stage.safety_factor[one.number] != stage.safety_factor[-1]:
        factors.append("response.safety_facial")
    factors += [*_weak(one, "release"), *_weak(one, "safety")]
    said = "end-plate potential over threshold"
    rest = {
        "safety_spread": NO_UNIT,
        "facilitation": NO_UNIT,
        "atrophy_per_day": "per_day",
        "smallest_fibre": NO_UNIT,
        "regrowth_per_day": "per_day",
    }
    return [
        _combined(one, "safety_factor", stage.safety_factor[one.number], factors, said),
        *(_of(one, f"response.{n}", getattr(stage, n), unit) for n, unit in rest.items()),
    ]


def _of(one: Alone, parameter: str, value: float, unit: str, name: str = "") -> Constant:
    """A parameter of the catalog, called as in its stage."""
    kept = _FIELD.get(parameter.split(".")[1], parameter.split(".")[1])
    id_ = f"{kept}_{name}" if name else kept
    return Constant(id_, float(value), unit, [_grounds(one.rests_on[parameter])])


_FIELD = {"potency": "potency_cm3_per_u"}


def _combined(one: Alone, id_: str, value: float, factors: Sequence[str], said: str) -> Constant:
    """A number that is a product of parameters."""
    grounds = [_grounds(one.rests_on[name]) for name in factors]
    return Constant(id_, float(value), NO_UNIT, [said, *grounds])


def _weak(one: Alone, field: str) -> list[str]:
    """Parameters of the patient's diseases and medicines that act on a field."""
    return [name for name in one.rests_on if re.fullmatch(rf"weakness\.\w+\.{field}", name)]


def _grounds(parameter: Parameter) -> str:
    """Reference value, range, grade and sources of a parameter."""
    sources = "; ".join(
        one.text if one.verified else f"{one.text} (unverified)" for one in parameter.sources
    )
    unit = "" if parameter.unit == "-" else f" {parameter.unit}"
    return (
        f"{parameter.id}: {parameter.value:g}{unit} ({parameter.low:g} to {parameter.high:g}), "
        f"{parameter.grade}; {sources}"
    )


def _said(one: Alone) -> list[str]:
    return [
        f"OpenBoNT {version('openbont')}: {one.structure.id}, one density of captured toxin.",
        "The density is the mean over the nerve endings of the structure. The package follows many "
        "densities and takes the mean of what they do: where toxin lies unevenly, the structure "
        "keeps far more of its function than this one ending.",
        f"Units of toxin are those of {' and of '.join(one.products)}; units of two products are "
        "never converted. A density is in units per cm3 of tissue.",
        "Shares are relative to the untouched structure: 1 works as before.",
        "Research and decision support, not a medical device. No number here says that a dose is "
        "safe.",
    ]


# ---- writing


SBML = "http://www.sbml.org/sbml/level3/version2/core"
MATH = "http://www.w3.org/1998/Math/MathML"
XHTML = "http://www.w3.org/1999/xhtml"
TIME = "http://www.sbml.org/sbml/symbols/time"
TISSUE = "tissue"
UNITS: dict[str, tuple[tuple[str, int, float, int], ...]] = {
    "u": (("item", 1, 1, 0),),
    "cm3": (("litre", 1, 1, -3),),
    "u_per_cm3": (("item", 1, 1, 0), ("litre", -1, 1, -3)),
    "cm3_per_u": (("litre", 1, 1, -3), ("item", -1, 1, 0)),
    "day": (("second", 1, 86400, 0),),
    "per_day": (("second", -1, 86400, 0),),
    "minute": (("second", 1, 60, 0),),
    "per_minute": (("second", -1, 60, 0),),
}
"""Unit -> its parts: kind, exponent, multiplier, scale."""
FUNCTIONS = {
    "_poly": (
        "t",
        "t * (0.319381530 + t * (-0.356563782 + t * (1.781477937"
        " + t * (-1.821255978 + t * 1.330274429))))",
    ),
    "_tail": (
        "x",
        f"exp(-x * x / 2) / {math.sqrt(2 * math.pi)!r} * _poly(1 / (1 + 0.2316419 * x))",
    ),
    "normal": ("x", "1 - _tail(x) if x >= 0 else _tail(-x)"),
}
"""Distribution function of the normal distribution."""


def written(document: Document) -> str:
    """The document as SBML; the same document gives the same bytes."""
    root = ET.Element("sbml", xmlns=SBML, level="3", version="2")
    model = ET.SubElement(
        root,
        "model",
        id=document.id,
        name=document.name,
        substanceUnits="u",
        volumeUnits="cm3",
        extentUnits="u",
        timeUnits=document.time,
    )
    _notes(model, document.said)
    for part in (
        _functions,
        _units,
        _compartments,
        _species,
        _parameters,
        _initial,
        _rules_of,
        _reactions,
        _events,
    ):
        listed = part(document)
        if len(listed):
            model.append(listed)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, "unicode")}\n'


def _notes(parent: ET.Element, said: Iterable[str]) -> None:
    body = ET.SubElement(ET.SubElement(parent, "notes"), "body", xmlns=XHTML)
    for words in said:
        ET.SubElement(body, "p").text = words


def _functions(document: Document) -> ET.Element:
    listed = ET.Element("listOfFunctionDefinitions")
    if not any("normal(" in rule.formula for rule in document.rules):
        return listed
    for name, (variable, formula) in FUNCTIONS.items():
        one = ET.SubElement(listed, "functionDefinition", id=name)
        whole = ET.SubElement(one, "math", {"xmlns": MATH, "xmlns:sbml": SBML})
        inside = ET.SubElement(whole, "lambda")
        ET.SubElement(ET.SubElement(inside, "bvar"), "ci").text = variable
        inside.append(_expression(formula))
    return listed


def _units(document: Document) -> ET.Element:
    listed = ET.Element("listOfUnitDefinitions")
    for name, parts in UNITS.items():
        units = ET.SubElement(ET.SubElement(listed, "unitDefinition", id=name), "listOfUnits")
        for kind, exponent, multiplier, scale in parts:
            ET.SubElement(
                units,
                "unit",
                kind=kind,
                exponent=str(exponent),
                scale=str(scale),
                multiplier=f"{multiplier:g}",
            )
    return listed


def _compartments(document: Document) -> ET.Element:
    listed = ET.Element("listOfCompartments")
    size = {"spatialDimensions": "3", "size": "1", "units": "cm3", "constant": "true"}
    ET.SubElement(listed, "compartment", {"id": TISSUE, **size})
    return listed


def _species(document: Document) -> ET.Element:
    listed = ET.Element("listOfSpecies")
    for name in document.species:
        ET.SubElement(
            listed,
            "species",
            id=name,
            compartment=TISSUE,
            initialConcentration="0",
            substanceUnits="u",
            hasOnlySubstanceUnits="false",
            boundaryCondition="false",
            constant="false",
        )
    return listed


def _parameters(document: Document) -> ET.Element:
    listed = ET.Element("listOfParameters")

    def add(id_: str, unit: str, said: Sequence[str], value: float | None, constant: bool) -> None:
        given = {} if value is None else {"value": f"{value:.15g}"}
        fixed = {"units": unit, "constant": str(constant).lower()}
        one = ET.SubElement(listed, "parameter", {"id": id_, **given, **fixed})
        if said:
            _notes(one, said)

    for number in document.constants:
        add(number.id, number.unit, number.said, number.value, True)
    for rate in document.rates:
        add(rate.id, NO_UNIT, [rate.said], rate.start, False)
    for rule in document.rules:
        add(rule.id, rule.unit, [rule.said], None, False)
    return listed


def _initial(document: Document) -> ET.Element:
    listed = ET.Element("listOfInitialAssignments")
    for name, formula in document.species.items():
        if formula:
            _math(ET.SubElement(listed, "initialAssignment", symbol=name), formula)
    return listed


def _rules_of(document: Document) -> ET.Element:
    listed = ET.Element("listOfRules")
    for rule in document.rules:
        _math(ET.SubElement(listed, "assignmentRule", variable=rule.id), rule.formula)
    for rate in document.rates:
        _math(ET.SubElement(listed, "rateRule", variable=rate.id), rate.slope)
    return listed


def _reactions(document: Document) -> ET.Element:
    listed = ET.Element("listOfReactions")
    for step in document.steps:
        one = ET.SubElement(listed, "reaction", id=step.id, reversible="false")
        for role, name in (("Reactants", step.source), ("Products", step.target)):
            if name:
                ET.SubElement(
                    ET.SubElement(one, f"listOf{role}"),
                    "speciesReference",
                    species=name,
                    stoichiometry="1",
                    constant="true",
                )
        _math(ET.SubElement(one, "kineticLaw"), f"{TISSUE} * ({step.rate})")
    return listed


def _events(document: Document) -> ET.Element:
    listed = ET.Element("listOfEvents")
    for dose in document.doses:
        one = ET.SubElement(listed, "event", id=dose.id, useValuesFromTriggerTime="true")
        trigger = ET.SubElement(one, "trigger", initialValue="false", persistent="true")
        _math(trigger, f"time >= {dose.at}")
        into = ET.SubElement(ET.SubElement(one, "listOfEventAssignments"), "eventAssignment")
        into.set("variable", dose.species)
        _math(into, f"{dose.species} + {dose.amount}")
    return listed


def _math(parent: ET.Element, formula: str) -> None:
    whole = ET.SubElement(parent, "math", {"xmlns": MATH, "xmlns:sbml": SBML})
    whole.append(_expression(formula))


def _expression(formula: str) -> ET.Element:
    return _node(ast.parse(formula, mode="eval").body)


_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "plus",
    ast.Sub: "minus",
    ast.Mult: "times",
    ast.Div: "divide",
    ast.Pow: "power",
    ast.USub: "minus",
    ast.Lt: "lt",
    ast.GtE: "geq",
}
_KNOWN_FUNCTIONS = {"exp", "ln"}


def _node(tree: ast.AST) -> ET.Element:
    """MathML of one part of a formula."""
    match tree:
        case ast.Constant(value=value):
            number = ET.Element("cn", {"sbml:units": NO_UNIT})
            number.text = f" {value!r} "
            return number
        case ast.Name(id="time"):
            moment = ET.Element("csymbol", encoding="text", definitionURL=TIME)
            moment.text = "time"
            return moment
        case ast.Name(id=name):
            return _named(name)
        case ast.BinOp(left=left, op=op, right=right):
            return _apply(ET.Element(_OPERATORS[type(op)]), left, right)
        case ast.UnaryOp(op=op, operand=operand):
            return _apply(ET.Element(_OPERATORS[type(op)]), operand)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _apply(ET.Element(_OPERATORS[type(op)]), left, right)
        case ast.Call(func=ast.Name(id=name), args=arguments):
            head = ET.Element(name) if name in _KNOWN_FUNCTIONS else _named(name)
            return _apply(head, *arguments)
        case ast.IfExp(test=test, body=body, orelse=otherwise):
            whole = ET.Element("piecewise")
            ET.SubElement(whole, "piece").extend([_node(body), _node(test)])
            ET.SubElement(whole, "otherwise").append(_node(otherwise))
            return whole
    raise AssertionError(f"no MathML for {ast.dump(tree)}")


def _named(name: str) -> ET.Element:
    symbol = ET.Element("ci")
    symbol.text = f" {name} "
    return symbol


def _apply(head: ET.Element, *arguments: ast.AST) -> ET.Element:
    applied = ET.Element("apply")
    applied.extend([head, *map(_node, arguments)])
    return applied


def _id(name: str) -> str:
    """A name as SBML allows it."""
    return re.sub(r"\W", "_", name)
