"""Make the parts of the docs that follow from code and catalog: figures, tables, lists.

    python tools/draw_docs.py            write what has changed
    python tools/draw_docs.py --check    write nothing; exit status 1 when something is stale

A page says where a made part goes, and this tool fills the lines between:

    <!-- made: parameters spread -->
    <!-- end -->
"""

import csv
import dataclasses
import inspect
import io
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from textwrap import fill
from typing import Any

import equinox as eqx
import jax
import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import ndimage
from scipy.optimize import linear_sum_assignment

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.published.bench import BICEPS, EDB, inject  # noqa: E402
from tests.reference import test_field as box_of_cells  # noqa: E402

import openbont as bont  # noqa: E402
from openbont.anatomy.atlas import BONE, COMMON, OTHER, OUTSIDE, Atlas  # noqa: E402
from openbont.anatomy.landmarks import LANDMARKS  # noqa: E402
from openbont.anatomy.limb import skin  # noqa: E402
from openbont.anatomy.muscles import atlas, bellies  # noqa: E402
from openbont.anatomy.sites import sites_mm  # noqa: E402
from openbont.anatomy.surface import surface  # noqa: E402
from openbont.catalog import model as catalog  # noqa: E402
from openbont.catalog.evidence import parameters, sources  # noqa: E402
from openbont.catalog.labels import label_rows  # noqa: E402
from openbont.catalog.movements import functions, movements  # noqa: E402
from openbont.catalog.muscles import base, muscles, structure  # noqa: E402
from openbont.catalog.muscles import words as in_words  # noqa: E402
from openbont.catalog.names import CAUSES, structures  # noqa: E402
from openbont.catalog.needles import needles  # noqa: E402
from openbont.catalog.overview import disorders, overview  # noqa: E402
from openbont.catalog.products import products  # noqa: E402
from openbont.catalog.safety import safety_rules  # noqa: E402
from openbont.catalog.sampling import Reference  # noqa: E402
from openbont.catalog.scales import scales  # noqa: E402
from openbont.catalog.sections import Reached, reached, sections  # noqa: E402
from openbont.catalog.spared import spared  # noqa: E402
from openbont.catalog.vocabulary import conditions  # noqa: E402
from openbont.catalog.weakness import distant, weakness  # noqa: E402
from openbont.evidence import Parameter, Source  # noqa: E402
from openbont.forward.arrays import Sessions, Shots, body  # noqa: E402
from openbont.forward.chain import Course, Model  # noqa: E402
from openbont.forward.disorders.interface import Measure  # noqa: E402
from openbont.forward.exposure import WEEK, toxin  # noqa: E402
from openbont.forward.field import box, field, passing  # noqa: E402
from openbont.forward.field import read as densities  # noqa: E402
from openbont.forward.kinetics import graded_grid  # noqa: E402
from openbont.forward.outcome import measure_of  # noqa: E402
from openbont.forward.scales import read  # noqa: E402
from openbont.patient import Goal  # noqa: E402
from openbont.planning.check import rules  # noqa: E402

DOCS = ROOT / "docs"
FIGURES = DOCS / "chain" / "figures"
WRIST = ("MAS", "wrist_flexors.left")
ONA, RIMA = "onabotulinumtoxinA", "rimabotulinumtoxinB"
DRAWS = 48

INK, BLUE, RED, GREEN = "#1a1a1a", "#0072B2", "#D55E00", "#009E73"
COLOURS = (BLUE, RED, GREEN, "#CC79A7", "#E69F00")  # Okabe and Ito: safe for the colour-blind
LINES: tuple[Any, ...] = ("-", "--", "-.", (0, (1, 1)), (0, (6, 1.5)))
STYLE: dict[str, Any] = {
    "svg.hashsalt": "openbont",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "path.simplify": False,  # which points it drops hangs on the last digit
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "lines.linewidth": 1.5,
    "text.color": INK,
    "axes.labelcolor": INK,
}


# ---- runs that figures and tables share


@cache
def stages() -> dict[str, Any]:
    """Spread, kinetics, release, response and immunity at their reference values."""
    sampler = Reference()
    made = {
        "spread": catalog.spread(sampler),
        "kinetics": catalog.kinetics(sampler, (structure(EDB),)),
        "release": catalog.release(sampler),
        "response": catalog.response(sampler, (structure(EDB),)),
        "immunity": catalog.immunity(sampler),
    }
    return {name: jax.tree.map(lambda leaf: leaf[0], stage) for name, stage in made.items()}


@cache
def arm() -> tuple[Course, Course]:
    """The arm of the example after a stroke, with its plan and without toxin."""
    return _courses("arm_after_stroke", np.arange(0, 169, 1.0))


@cache
def head() -> tuple[Course, Course]:
    """The example of chronic migraine, treated in weeks 0 and 12, and without toxin."""
    return _courses("chronic_migraine", np.arange(0, 169, 3.5), sessions=(0, 84))


def example(name: str, weeks: int = 24) -> tuple[Course, Course]:
    """An example patient by week with the plan and without toxin."""
    return _courses(name, np.unique([*range(15), *range(14, 7 * weeks + 1, 7)]))


def _courses(name: str, day: np.ndarray, sessions: Sequence[int] = (0,)) -> tuple[Course, Course]:
    patient, plan, model = _case(name)
    repeated = tuple(plan.sessions[0].model_copy(update={"day": when}) for when in sessions)
    plan = plan.model_copy(update={"sessions": repeated})
    return tuple(bont.simulate(p, patient, model, day) for p in (plan, plan.untreated()))


@cache
def dosed(name: str, factor: float, week: int) -> Course:
    """An example patient on day 0 and in one week after a multiple of the doses of the plan."""
    patient, plan, model = _case(name)
    (session,) = plan.sessions
    doses = tuple(
        one.model_copy(update={"dose_u": factor * one.dose_u}) for one in session.injections
    )
    session = session.model_copy(update={"injections": doses})
    return bont.simulate(
        plan.model_copy(update={"sessions": (session,)}), patient, model, [0, 7 * week]
    )


@cache
def weak(*conditions: str) -> Course:
    """The arm of the example with its plan, had he these diseases."""
    patient, plan, _ = _case("arm_after_stroke")
    patient = patient.model_copy(update={"conditions": conditions})
    model = bont.model(patient, draws=DRAWS, seed=1)
    return bont.simulate(plan, patient, model, np.arange(0, 24 * 7 + 1, 7))


@cache
def _case(name: str) -> tuple[bont.Patient, bont.Plan, Model]:
    patient = bont.load_patient(ROOT / "examples" / name / "patient.yaml")
    plan = bont.load_plan(ROOT / "examples" / name / "plan.yaml")
    return patient, plan, bont.model(patient, draws=DRAWS, seed=1)


@eqx.filter_jit
def _jitted(stage: Callable[..., Any], *inputs: Any) -> Any:
    return stage(*inputs)


def _run(stage: Callable[..., Any], *inputs: Any) -> np.ndarray:
    return np.asarray(_jitted(stage, *inputs))


def intact(density: float, day: np.ndarray, product: str = ONA) -> Any:
    """Intact share by day where `density` U/cm3 were captured on day 0."""
    session = Sessions(np.zeros(1), np.array([catalog.PRODUCTS.index(product)]))
    captured = np.full((1, 2, 1), density)
    return _run(stages()["kinetics"], captured, session, day)[:, 0, 0]


# ---- figures


def draw_overview(figure: Figure) -> None:
    """One muscle of the example arm: each stage by week."""
    course, untreated = arm()
    muscle = "flexor_carpi_radialis.left"
    at = course.structures.index(muscle)
    week = course.day / 7
    panels = figure.subplots(1, 5)
    ranked = np.median(course.captured[:, -1, at], axis=0)
    _plain(panels[0], "1 captured", "end plates, least to most", "U/cm³")
    panels[0].bar(np.arange(1, len(ranked) + 1), ranked, color=BLUE)
    for axes, title, values in (
        (panels[1], "2 intact SNAP-25", course.intact[:, :, at].mean(-1)),
        (panels[2], "3 release", course.release[:, :, at].mean(-1)),
        (panels[3], "4 force", course.response.force[:, :, at]),
    ):
        _band(axes, week, values)
        _plain(axes, title, "week", "share of untouched")
        axes.set_ylim(0, 1.02)
    _band(panels[4], week, course.of(*WRIST))
    panels[4].plot(week, np.median(untreated.of(*WRIST), axis=0), color=INK, linestyle="--")
    _plain(panels[4], "5 tone at the wrist", "week", "MAS grade")
    panels[4].set_ylim(0, 4)
    panels[4].text(24, 3.0, "no toxin", ha="right")
    for axes in panels[1:]:
        axes.set_xticks([0, 12, 24])


FAT_TINT, OTHER_TINT, LEADER = "#FFF4D6", "#E6E6E6", "#777777"
TINTS = ("#F6C9B8", "#CFE6F5", "#CDEBDD", "#F3DCE9", "#FBE3B3", "#DAD7F0", "#E9D9C6", "#D7E9B9")
SIDE = re.compile(r" (left|right)$")
SLICES = {
    "Forearm, 45 % from the elbow": ("arm.left", "forearm", 0.45),
    "Thigh, half way": ("leg.left", "thigh", 0.5),
    "Leg, one third from the knee": ("leg.left", "leg", 0.33),
    "Neck, about C5": ("neck", "neck", 0.6),
}


def draw_anatomy(figure: Figure) -> None:
    """Sections of the map: muscles tinted by compartment and named, bone hatched, fat pale."""
    for axes, (title, (region, name, share)) in zip(
        figure.subplots(2, 2).ravel(), SLICES.items(), strict=True
    ):
        one = cut(region, name, share)
        _tissues(axes, one)
        _names(axes, one)
        axes.set(aspect="equal", xticks=[], yticks=[])
        axes.set_title(title, loc="center")
        for spine in axes.spines.values():
            spine.set_visible(False)


@dataclasses.dataclass(frozen=True, eq=False)
class Slice:
    """Labels in one plane, to the right and up; of a limb to the lateral side and the front."""

    right_mm: np.ndarray
    up_mm: np.ndarray
    label: np.ndarray
    atlas: Atlas

    @property
    def muscles(self) -> list[int]:
        """Labels of the muscles that are in it."""
        return [int(k) for k in np.unique(self.label) if k >= len(COMMON)]

    def soft(self, there: np.ndarray) -> np.ndarray:
        """A mask without the steps of its places."""
        return np.asarray(ndimage.gaussian_filter(there.astype(float), 1.0))

    def inmost(self, label: int) -> tuple[float, float]:
        """The place of a tissue that lies deepest within it."""
        deep = ndimage.distance_transform_edt(np.pad(self.label == label, 1))[1:-1, 1:-1]
        at = np.unravel_index(deep.argmax(), deep.shape)
        return float(self.right_mm[at]), float(self.up_mm[at])


def cut(region: str, name: str, share: float) -> Slice:
    """A segment at a share of its length."""
    whole, around = atlas(region), skin(surface(), sections()[name].line)
    grid = next(g for g in whole.grids if np.allclose(g.origin_mm, around.origin_mm))
    i = int(np.abs(around.along - share).argmin())
    label = grid.label[i]
    u, v = np.meshgrid(
        *(s * np.arange(n) for n, s in zip(label.shape, grid.step_mm[1:], strict=True)),
        indexing="ij",
    )
    u, v = (one - one[label != OUTSIDE].mean() for one in (u, v))
    cos, sin = np.cos(around.turn_rad[i]), np.sin(around.turn_rad[i])
    return Slice(cos * u + sin * v, cos * v - sin * u, label, whole)


def _tissues(axes: Axes, one: Slice) -> None:
    _fill(axes, one, one.label != OUTSIDE, FAT_TINT, 0.9)
    _fill(axes, one, one.label == OTHER, OTHER_TINT, 0.3)
    compartment = {k: SIDE.sub("", one.atlas.compartments[k]) for k in one.muscles}
    tint = dict(zip(dict.fromkeys(compartment.values()), TINTS, strict=False))
    for k in one.muscles:
        _fill(axes, one, one.label == k, tint[compartment[k]], 0.5)
    _fill(axes, one, one.label == BONE, "white", 0.7, "//////")


def _fill(
    axes: Axes, one: Slice, there: np.ndarray, colour: str, line: float, hatch: str = ""
) -> None:
    filled = axes.contourf(
        one.right_mm,
        one.up_mm,
        one.soft(there),
        [0.5, 2],
        colors=[colour],
        hatches=[hatch or None],
    )
    filled.set(edgecolor=INK, linewidth=line)


def _names(axes: Axes, one: Slice) -> None:
    """Names in two columns, each with a line to its muscle; of a pair either side."""
    name = {k: base(one.atlas.tissues[k]) for k in one.muscles}
    place = {name[k]: one.inmost(k) for k in reversed(one.muscles)}
    shown = one.label != OUTSIDE
    wide, high = (float(np.abs(x[shown]).max()) for x in (one.right_mm, one.up_mm))
    order = sorted(place, key=lambda k: place[k][0])
    half, both = -(-len(order) // 2), len(place) < len(name)
    for column, side in ((order[:half], -1), (order[half:], 1)):
        room = [(1.1 * side * wide, float(y)) for y in np.linspace(-high, high, len(column))]
        ends = [(side * abs(place[k][0]) if both else place[k][0], place[k][1]) for k in column]
        apart = [[np.hypot(*np.subtract(end, at)) for at in room] for end in ends]
        for k, end, at in zip(column, ends, linear_sum_assignment(apart)[1], strict=True):
            axes.plot(*zip(end, room[at], strict=True), color=LEADER, linewidth=0.5)
            text = fill(in_words(k), 20)
            axes.text(*room[at], text, ha="left" if side > 0 else "right", va="center", size=6)
    axes.plot([-10, 10], [-1.16 * high] * 2, color=INK, linewidth=1.2)
    axes.text(0, -1.19 * high, "2 cm", ha="center", va="top", size=6)
    axes.set(xlim=(-2.15 * wide, 2.15 * wide), ylim=(-1.32 * high, 1.1 * high))


def draw_spread(figure: Figure) -> None:
    """Field of one site along and across the fibres; a biceps with four sites."""
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.3))
    away = np.linspace(0, 30, 121)
    fields = [
        (np.log10(field_per_u(away, axis, volume_ml)), f"{volume_ml:g} mL, {word} the fibres")
        for volume_ml in (0.1, 1.0)
        for axis, word in enumerate(("along", "across"))
    ]
    _curves(left, away, fields)
    left.set_ylim(-5, 3.2)
    left.set_yticks(range(-5, 2), labels=[f"{10.0**power:g}" for power in range(-5, 2)])
    left.legend(loc="upper right")
    _plain(left, "One unit at one site", "mm from the site", "captured U/cm³")
    _map_biceps(figure, right)


def field_per_u(away_mm: np.ndarray, axis: int, volume_ml: float) -> np.ndarray:
    """Captured density per unit at a distance from one site, along (0) or across (1)."""
    places = np.zeros((len(away_mm), 3))
    places[:, axis] = away_mm
    return _influence(places, np.zeros((1, 3)), volume_ml).sum(0)


def _influence(places_mm: np.ndarray, needles_mm: np.ndarray, volume_ml: float) -> np.ndarray:
    """Density per unit of each site at each place, fibres along x."""
    count = len(needles_mm)
    nodes = np.stack([places_mm, np.zeros_like(places_mm)])
    frames = np.stack([np.eye(3), np.eye(3)])
    one = dataclasses.replace(body((structure(BICEPS),)), node_mm=nodes, frame=frames)
    none = np.zeros(count, int)
    given = Shots(np.ones(count), np.full(count, volume_ml), needles_mm, none, none)
    return _run(type(stages()["spread"]).influence, stages()["spread"], given, one)[:, 0]


def _map_biceps(figure: Figure, axes: Axes) -> None:
    """Captured toxin in the plane along the fibres and across, tissues outlined."""
    muscle = structure(BICEPS)
    along, across = np.meshgrid(np.linspace(-66, 60, 127), np.linspace(-38, 28, 67))
    places = np.stack([along, across, np.zeros_like(along)], axis=-1)
    places = muscle.centre_mm + places @ muscle.frame
    whole = atlas(muscle.region)
    one = Slice(along, across, whole.at(places), whole)
    density = 25 * np.sum([mapped_field(site, places) for site in sites_mm(muscle, 4)], axis=0)
    density = np.where(one.label == OUTSIDE, np.nan, np.log10(np.maximum(density, 1e-9)))
    drawn = axes.contourf(along, across, density, range(-3, 2), cmap="cividis", extend="both")
    for label in np.unique(one.label):
        there = one.soft(one.label == label)
        axes.contour(along, across, there, [0.5], colors="#BBBBBB", linewidths=0.6)
    for label in one.muscles:
        name = base(whole.tissues[label])
        if name != base(BICEPS) and (one.label == label).mean() > 0.03:
            axes.text(*one.inmost(label), in_words(name), color="white", ha="center", va="center")
    axes.contour(along, across, density, [np.log10(0.06)], colors="white", linestyles="-")
    bar = figure.colorbar(drawn, ax=axes, orientation="horizontal", aspect=30)
    bar.set_label("captured U/cm³; inside the white lines more than 0.06")
    bar.set_ticks(range(-3, 2), labels=[f"{10.0**power:g}" for power in range(-3, 2)])
    axes.set_aspect("equal")
    _plain(axes, "Biceps, 100 U in 4 sites, 0.5 mL each", "mm along the fibres", "mm across")


def mapped_field(site_mm: np.ndarray, places_mm: np.ndarray) -> np.ndarray:
    """Density per unit of one site of 0.5 mL in the mapped biceps; single precision is not asked
    for, so that the figure is the same everywhere."""
    muscle, medium = structure(BICEPS), stages()["spread"].medium()
    whole = atlas(muscle.region)
    around = box(whole, muscle.id, site_mm, muscle.frame, 0.5, medium)
    u = np.asarray(field(around, passing(whole, medium), medium, site_mm, 0.5))
    flat = places_mm.reshape(-1, 3)
    return 1000 * densities(around, u, flat, whole.at(flat)).reshape(places_mm.shape[:-1])


def draw_kinetics(figure: Figure) -> None:
    """Light chain by serotype; intact SNAP-25 by density."""
    left, right = figure.subplots(1, 2)
    day = np.linspace(0, 120, 481)
    half_lives = {s: parameters()[f"kinetics.half_life_day.{s}"].value for s in "ACBFE"}
    _curves(left, day, [(light_chain(t, day), f"{s}: {t:g} days") for s, t in half_lives.items()])
    left.legend(title="half-life of the light chain")
    _plain(left, "Light chain per unit captured", "day", "U/cm³ still active")
    densities = (0.02, 0.06, 0.2, 1)
    _curves(right, day, [(intact(density, day), f"{density:g} U/cm³") for density in densities])
    right.legend(title="captured, onabotulinumtoxinA", loc="lower right", ncols=2)
    right.set_ylim(-0.35, 1.02)
    right.set_yticks(np.arange(0, 1.1, 0.2))
    _plain(right, "Intact SNAP-25", "day", "share of untouched")


def light_chain(half_life_day: float, day: np.ndarray) -> np.ndarray:
    """Active light chain per unit captured on day 0."""
    half_lives = np.full(len(catalog.PRODUCTS), half_life_day)
    kinetics = eqx.tree_at(lambda k: k.half_life_day, stages()["kinetics"], half_lives)
    since, product, slower = day[:, None], np.zeros(1, int), np.array(1.0)
    return _run(type(kinetics).light_chain, kinetics, since, product, slower)[:, 0]


def draw_release(figure: Figure) -> None:
    """Cooperativity, and what sprouts add."""
    left, right = figure.subplots(1, 2)
    share = np.linspace(0, 1, 101)
    _curves(left, share, [(share**n, f"n = {n}") for n in (3, 2, 4)])
    left.legend()
    _plain(left, "Evoked release, no sprouts", "intact SNAP-25", "share of untouched")
    release = stages()["release"]
    alone = eqx.tree_at(lambda r: r.sprout_share, release, 0.0)
    day = np.arange(0, 180.25, 0.25)
    runs = [
        (_run(stage, intact(density, day)[:, None, None], day).ravel(), f"{density:g} {word}")
        for density in (0.1, 1)
        for stage, word in ((release, "U/cm³, with sprouts"), (alone, "U/cm³, without"))
    ]
    _curves(right, day, runs)
    right.legend(ncols=2, loc="upper left")
    right.set_ylim(0, 1.4)
    right.set_yticks(np.arange(0, 1.1, 0.2))
    _plain(right, "Release by day, onabotulinumtoxinA", "day", "share of untouched")


def draw_response(figure: Figure) -> None:
    """Release against firing; twitch, release and fibre size of one muscle."""
    left, right = figure.subplots(1, 2)
    released = np.linspace(1e-3, 1, 300)
    firing = [
        (fires(released, factor, facilitation), f"{factor:g}, {word}")
        for factor in (2.7, 1.3)
        for facilitation, word in ((1.0, "twitch"), (1.8, "voluntary"))
    ]
    _curves(left, released, firing)
    left.legend(title="safety factor", loc="upper left", ncols=2)
    left.set_ylim(0, 1.5)
    left.set_yticks(np.arange(0, 1.1, 0.2))
    _plain(left, "Fibres that fire", "release, share of untouched", "share of untouched")
    run = _inject(EDB, 10.0)
    curves = [(1 - run.cmap, "twitch (CMAP)"), (1 - run.secretion, "release")]
    _curves(right, run.day, [*curves, (run.fibre, "fibre size")])
    right.legend()
    right.set_ylim(0, 1.02)
    _plain(right, "Foot muscle (EDB), 10 U at one site", "day", "share of untouched")


def fires(released: np.ndarray, safety_factor: float, facilitation: float) -> np.ndarray:
    """Share of fibres that fire, by release."""
    factor = np.full_like(stages()["response"].safety_factor, safety_factor)
    muscle = eqx.tree_at(lambda r: r.safety_factor, stages()["response"], factor)
    return _run(type(muscle).firing, muscle, released[None, :], np.array(facilitation))[0]


def draw_immunity(figure: Figure) -> None:
    """Chance of antibodies by session; what a titre of 2 leaves of the dose."""
    left, right = figure.subplots(1, 2)
    session = np.arange(1, 13)
    chances = [
        (100 * -np.expm1(-np.cumsum(hazards(dose_u, weeks, 12))), f"{dose_u} U every {weeks} weeks")
        for dose_u, weeks in ((100, 12), (400, 12), (400, 8))
    ]
    _curves(left, session, chances)
    left.legend()
    _plain(left, "Neutralising antibodies, onabotulinumtoxinA", "session", "% of patients so far")
    gaps = (12, 26)
    _curves(right, session[:8], [(left_over(gap), f"every {gap} weeks") for gap in gaps])
    right.axvline(3, color=INK, linewidth=0.7, linestyle=":")
    right.text(2.9, 0.5, "antibodies form\nat this session", ha="right")
    right.legend(loc="upper right")
    right.set_ylim(0, 1.04)
    _plain(right, "Dose that still works, titre 2", "session", "share of the dose given")


def hazards(dose_u: float, weeks: float, count: int) -> np.ndarray:
    """Hazard that each of `count` sessions of onabotulinumtoxinA adds."""
    immunity = stages()["immunity"]
    mass_ng = dose_u * immunity.ng_per_u[catalog.PRODUCTS.index(ONA)]
    early = immunity.early_factor * ((weeks < 10) & (np.arange(count) > 0))
    return np.asarray(immunity.hazard_per_ng * mass_ng**immunity.mass_power * np.exp(early))


def left_over(gap_weeks: float) -> np.ndarray:
    """Share of each dose that works for a patient who converts at the third of eight sessions."""
    number, nowhere = np.arange(8), np.zeros((8, 3))
    given = Shots(np.full(8, 200.0), np.ones(8), nowhere, np.zeros(8, int), number)
    sessions = Sessions(7.0 * gap_weeks * number, np.full(8, catalog.PRODUCTS.index(ONA)))
    threshold = 2.5 * hazards(200, gap_weeks, 1)[0]
    unlucky = eqx.tree_at(lambda i: i.threshold, stages()["immunity"], threshold)
    return 1 / (1 + np.asarray(unlucky.neutralisation(given, sessions)))


def draw_spasticity(figure: Figure) -> None:
    """What a loss of twitch does to the grade; the example arm."""
    left, right = figure.subplots(1, 2)
    twitch = np.linspace(0.02, 1, 200)
    gamma, width = (parameters()[f"spasticity.{name}"].value for name in ("gamma", "grade_width"))
    reflex = twitch ** (1 + gamma)
    changes = [(np.log(c + (1 - c) * reflex) / width, f"{c:g}") for c in (0.22, 0.6, 0.15)]
    _curves(left, 100 * (1 - twitch), changes)
    left.legend(title="passive share")
    _plain(left, "One movement, all its muscles alike", "% of twitch lost", "change in grades")
    _both(right, arm(), WRIST, "290 U in seven muscles")
    right.legend()
    right.set_ylim(0, 4)
    _plain(right, "Example arm: wrist, median and 90 %", "week", "MAS grade")


def draw_migraine(figure: Figure) -> None:
    """Peripheral drive and headache days of the example."""
    left, right = figure.subplots(1, 2)
    course, _ = head()
    drives = [
        (np.median(course.response.drive[:, :, course.structures.index(f"{name}.right")], 0), name)
        for name in ("temporalis", "occipitalis", "trapezius")
    ]
    _curves(left, course.day / 7, drives)
    left.legend()
    left.set_ylim(0, 1.02)
    left.set_xticks(range(0, 25, 4))
    _plain(left, "Release in three territories", "week", "share of untouched")
    _both(right, head(), ("headache_days_28", ""), "155 U in weeks 0 and 12")
    right.set_ylim(0, 28)
    right.legend(loc="lower left")
    _plain(right, "Example: headache days, median and 90 %", "week", "days in the last 28")


def draw_bladder(figure: Figure) -> None:
    """Leaks, pressure and residual urine of the neurogenic example."""
    panels = figure.subplots(1, 3)
    both = example("neurogenic_bladder", weeks=52)
    for axes, scale, title, up, top in (
        (panels[0], "UI_per_day", "Leaks", "leaks a day", 8),
        (panels[1], "detrusor_pressure", "Pressure of a contraction", "cmH2O", 80),
        (panels[2], "PVR", "Urine left after voiding", "mL", 400),
    ):
        _both(axes, both, (scale, ""), "200 U in 30 sites")
        _plain(axes, title, "week", up)
        axes.set_ylim(0, top)
    panels[1].legend(loc="lower right")


def draw_glands(figure: Figure) -> None:
    """Sweat and saliva of the examples."""
    left, right = figure.subplots(1, 2)
    _both(left, example("axillary_hyperhidrosis", weeks=52), ("sweat_mg", "axilla.left"), "50 U")
    _plain(left, "Sweat of the left axilla", "week", "mg in 5 minutes")
    left.set_ylim(0, 500)
    words = "100 U in four glands"
    _both(right, example("sialorrhoea"), ("saliva_flow", ""), words)
    _plain(right, "Saliva at rest", "week", "g/min")
    right.set_ylim(0, 1)
    for axes in (left, right):
        axes.legend(loc="upper right")


def draw_face(figure: Figure) -> None:
    """Frown lines, closing force of one eye, and a deviating eye."""
    panels = figure.subplots(1, 3)
    lid, eye = ("eyelid_closure", "lids.left"), ("deviation_pd", "inward")
    for axes, name, measure, words, title, up, ends in (
        (panels[0], "glabellar_lines", ("FWS", ""), "20 U", "Frown lines", "grade", (0, 3)),
        (panels[1], "blepharospasm", lid, "7.5 U an eye", "Closing force", "share", (0, 1)),
        (panels[2], "strabismus", eye, "2.5 U", "Eye turned in", "prism dioptres", (-60, 60)),
    ):
        _both(axes, example(name, weeks=36), measure, words)
        _plain(axes, title, "week", up)
        axes.set_ylim(*ends)
        axes.legend(loc="upper right" if measure == eye else "lower right")
    panels[2].axhline(0, color=INK, linewidth=0.5)


def draw_dystonia(figure: Figure) -> None:
    """The neck and the foot of the examples by week; the voice by dose."""
    panels = figure.subplots(1, 3)
    _both(panels[0], example("cervical_dystonia"), ("TWSTRS", ""), "170 U")
    _plain(panels[0], "Neck", "week", "TWSTRS, points")
    _both(panels[1], example("foot_dystonia"), ("drags_per_100", ""), "250 U")
    _plain(panels[1], "Foot", "week", "drags in 100 steps")
    for axes in panels[:2]:
        axes.set_ylim(bottom=0)
        axes.legend(loc="lower right")
    share = np.array([0, 0.05, 0.1, 0.2, 0.4, 0.7, 1])
    runs = [dosed("laryngeal_dystonia", factor, week=2) for factor in share]
    voice = [
        (np.array([np.median(run.of(f"voice_{on}")[:, 1]) for run in runs]), on)
        for on in ("quality", "breathiness")
    ]
    _curves(panels[2], share, voice)
    panels[2].legend()
    panels[2].set_ylim(0, 1)
    _plain(panels[2], "Voice in week 2", "part of the dose in the plan", "share of healthy")


WEAK = {
    "healthy": (),
    "motor neuropathy": ("motor_neuropathy",),
    "ALS": ("amyotrophic_lateral_sclerosis",),
    "myasthenia gravis": ("myasthenia_gravis",),
    "Lambert-Eaton": ("lambert_eaton",),
}


def draw_weakness(figure: Figure) -> None:
    """Fibres that fire against release far away; strength and swallowing after one plan."""
    panels = figure.subplots(1, 3)
    release = np.linspace(0.3, 1, 100)
    limits = [(far_firing(release, *what), word) for word, what in WEAK.items()]
    _curves(panels[0], release, limits)
    panels[0].invert_xaxis()
    _plain(panels[0], "Fibres that fire", "release far away", "share of healthy muscle")
    week = weak().day / 7
    for axes, scale, title, up, top in (
        (panels[1], "far_strength", "Strength far from the needle", "share of healthy", 1.02),
        (panels[2], "dysphagia", "Trouble with swallowing", "risk, %", 100),
    ):
        runs = [(np.median(weak(*what).of(scale), axis=0), word) for word, what in WEAK.items()]
        _curves(axes, week, runs)
        _plain(axes, title, "week", up)
        axes.set(ylim=(0, top), xticks=range(0, 25, 8))
    panels[0].set_ylim(0, 1.02)
    panels[1].legend(loc="lower right")


def far_firing(release: np.ndarray, *conditions: str) -> np.ndarray:
    """Muscle that works far from the needle, as a share of healthy, by the release left there."""
    patient = _case("arm_after_stroke")[0].model_copy(update={"conditions": conditions})
    sampler = Reference()
    muscle = (structure("brachialis.left"),)
    stage = distant(sampler, muscle, patient, weakness(sampler, patient))
    one = jax.tree.map(lambda leaf: leaf[0], stage)
    return float(_run(type(one).alive, one, np.zeros(1))[0]) * _run(type(one).firing, one, release)


def draw_scales(figure: Figure) -> None:
    """Grades that a rater writes; days that a diary counts."""
    left, right = figure.subplots(1, 2)
    tone = measure_of(arm()[0], Goal(scale="MAS", where="wrist_flexors.left", at_most="1"))
    severity = np.linspace(0, 4, 81)
    seen = read(np.tile(severity, (4000, 1)), tone, seed=1)
    floor = np.zeros_like(severity)
    for (grade, number), colour in zip(tone.grades, (*COLOURS, "#56B4E9"), strict=True):
        top = floor + (seen == number).mean(0)
        left.fill_between(severity, floor, top, color=colour, alpha=0.55, linewidth=0)
        at = float(np.clip(number, 0.2, 3.8))
        middle = float(np.interp(at, severity, (floor + top) / 2))
        left.text(at, middle, grade, ha="center", va="center")
        floor = top
    left.set(xlim=(0, 4), ylim=(0, 1))
    _plain(left, "Grade written for a severity", "severity", "share of examinations")
    diary = measure_of(head()[0], Goal(scale="headache_days_28", fall_percent=50))
    told = [
        (counted(dataclasses.replace(diary, noise=noise)), word)
        for noise, word in ((diary.noise, "days hang together (0.3)"), (0.0, "days independent"))
    ]
    _curves(right, np.arange(29), told)
    right.legend(loc="upper left")
    right.set_ylim(0, 20)
    words = "Diary of a patient with 14 expected days"
    _plain(right, words, "headache days counted in 28", "% of diaries")


def counted(diary: Measure) -> np.ndarray:
    """Per cent of 28-day diaries with 0 to 28 headache days, where 14 are expected."""
    told = read(np.full((20_000, 1), 14.0), diary, seed=1)[:, 0]
    return 100 * np.bincount(told.astype(int), minlength=29) / len(told)


def draw_outcome(figure: Figure) -> None:
    """Where onset, peak, benefit and gain are read off."""
    left, right = figure.subplots(1, 2)
    course, untreated = arm()
    week = course.day / 7
    at = course.structures.index("flexor_carpi_radialis.left")
    loss = 100 * (1 - np.median(course.response.twitch[:, :, at], axis=0))
    _curves(left, week, [(loss, "")])
    left.plot(week[loss.argmax()], loss.max(), "o", color=RED)
    left.annotate("peak", (week[loss.argmax()], loss.max()), (4, loss.max()))
    left.axhline(10, color=INK, linewidth=0.7, linestyle=":")
    left.text(24, 11, "onset: first day above 10 %", ha="right")
    left.set(ylim=(0, 100), xticks=range(0, 25, 4))
    _plain(left, "Twitch lost, flexor carpi radialis", "week", "%")
    treated, without = (np.median(c.of(*WRIST), axis=0) for c in (course, untreated))
    _curves(right, week, [(treated, "with the plan"), (without, "without toxin")])
    right.axhline(1.5, color=INK, linewidth=0.7, linestyle=":")
    right.text(24, 1.44, "target: 1+", ha="right", va="top")
    _span(right, week, treated <= 1.5, 0.2, "benefit: at the target")
    _span(right, week, without - treated >= 0.5, 0.65, "gain: at least 0.5 grade better")
    right.legend(loc="upper right")
    right.set(ylim=(0, 4), xticks=range(0, 25, 4))
    _plain(right, "Example arm: wrist, medians", "week", "MAS grade")


def _span(axes: Axes, week: np.ndarray, true: np.ndarray, height: float, words: str) -> None:
    held = week[true]
    axes.plot(
        [held[0], held[-1]], [height, height], color=GREEN, linewidth=4, solid_capstyle="butt"
    )
    axes.text(held[0], height + 0.1, words)


def _curves(axes: Axes, across: np.ndarray, curves: Sequence[tuple[np.ndarray, str]]) -> None:
    """Named curves, each with its own colour and line."""
    for (up, words), colour, line in zip(curves, COLOURS, LINES, strict=False):
        axes.plot(across, up, color=colour, linestyle=line, label=words)


def _both(axes: Axes, courses: tuple[Course, Course], measure: tuple[str, str], words: str) -> None:
    """One measure with and without toxin."""
    week = courses[0].day / 7
    _band(axes, week, courses[1].of(*measure), INK, "--", "without toxin")
    _band(axes, week, courses[0].of(*measure), BLUE, "-", words)
    axes.set_xticks(range(0, int(week[-1]) + 1, 4 if week[-1] < 30 else 12))


def _band(
    axes: Axes,
    week: np.ndarray,
    draws: np.ndarray,
    colour: str = BLUE,
    line: str = "-",
    words: str = "",
) -> None:
    """Median and central 90 % of the draws."""
    low, median, high = np.quantile(draws, (0.05, 0.5, 0.95), axis=0)
    axes.fill_between(week, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.plot(week, median, color=colour, linestyle=line, label=words)


def _plain(axes: Axes, title: str, across: str, up: str) -> None:
    axes.set(title=title, xlabel=across, ylabel=up)


DRAWINGS: dict[str, Callable[[Figure], None]] = {
    name.removeprefix("draw_"): drawing
    for name, drawing in list(globals().items())
    if name.startswith("draw_")
}


def svg(name: str) -> str:
    """One figure as SVG text, the same on every run."""
    with style.context(["default", STYLE]), jax.enable_x64(True):
        size = {"overview": (9.6, 2.1), "anatomy": (7.6, 5.4)}.get(name, (7.6, 2.9))
        figure = Figure(figsize=size, layout="constrained")
        DRAWINGS[name](figure)
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": "OpenBoNT"})
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines()) + "\n"


# ---- tables


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(text) for text in line)} |" for line in lines)


def _cell(text: str) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def _sources(cited: Iterable[Source]) -> str:
    return ", ".join(s.id + ("" if s.verified else " (unverified)") for s in cited)


def made_parameters(*prefixes: str) -> str:
    """Parameters whose name starts with one of `prefixes`."""
    chosen = [p for p in parameters().values() if p.id.startswith(prefixes)]
    head = (
        "parameter",
        "value",
        "unit",
        "range",
        "between patients",
        "grade",
        "role",
        "sources",
        "note",
    )
    return table(head, map(_parameter, chosen))


def _parameter(one: Parameter) -> list[str]:
    between = f"{one.between_patients:g}" if one.between_patients else "-"
    span = f"{one.low:.3g} to {one.high:.3g}"
    name, unit = f"`{one.id}`", "none" if one.unit == "-" else one.unit
    return [
        name,
        f"{one.value:.3g}",
        unit,
        span,
        between,
        one.grade,
        one.role,
        _sources(one.sources),
        one.note,
    ]


def made_parameter_counts() -> str:
    """How many parameters rest on which grade."""
    grades = Counter(one.grade for one in parameters().values())
    rows = [[grade, str(count)] for grade, count in grades.most_common()]
    unread = sum(not one.verified for one in parameters().values())
    rows.append(
        ["**all**", f"**{len(parameters())}**, of which {unread} without a source that was read"]
    )
    return table(("grade", "parameters"), rows)


def made_sources() -> str:
    """Every source of model, anatomy and disorders."""
    rows = [
        [f"`{s.id}`", s.text, s.address, "read" if s.verified else "unverified"]
        for s in sources().values()
    ]
    return table(("source", "what it is", "address", "state"), rows)


@cache
def made_refinement() -> str:
    """The solved field of a ball of 0.1 mL against its closed form, by the number of cells."""
    rows = []
    for cells in (20, 30, 40, 60):
        around, u = box_of_cells.solved(box_of_cells.ROUND, 0.1, (cells,) * 3)
        away_mm, radius_mm = box_of_cells.distance_mm(around), box_of_cells.radius_mm(0.1)
        off = box_of_cells.off(u, box_of_cells.ball(away_mm, radius_mm))
        rows.append(
            [f"{cells} x {cells} x {cells}", f"{around.step_mm[0]:.2f}", f"{100 * off:.2f}"]
        )
    return table(("cells", "step, mm", "error, %"), rows)


@cache
def made_reduction() -> str:
    """Mean loss in injected muscles of the example arm, and what fewer nodes make of it."""
    _, plan, model = _case("arm_after_stroke")
    found = toxin(plan, model)
    captured = np.sort([one.at_endings for one in found.exposures()], axis=-1)
    index = {one.id: number for number, one in enumerate(model.structures)}
    at = [index[one.structure] for one in plan.sessions[0].injections]

    def loss(nodes: int) -> np.ndarray:
        """Per cent, mean of each structure."""
        few = captured.reshape(len(captured), nodes, -1).mean(-1)
        grid = graded_grid(found.sessions.day, [0.0, 7.0 * WEEK])
        everywhere = np.concatenate([few, np.zeros_like(few[:1])])[None]  # nothing far away
        with jax.enable_x64(True):
            twitch = _run(twitches, found.middle, everywhere, found.sessions, grid)
        return 100 * (1 - twitch[-1, :-1].mean(-1))

    whole = loss(captured.shape[-1])
    few = {nodes: loss(nodes) - whole for nodes in (8, 16, 32, 64)}
    rows = [
        [
            in_words(model.structures[k].id),
            f"{whole[k]:.1f}",
            *(f"{off[k]:+.2f}" for off in few.values()),
        ]
        for k in at
    ]
    return table(("muscle", "loss, %", *(f"{nodes} nodes" for nodes in few)), rows)


def twitches(stages: Any, captured: Any, sessions: Sessions, grid: Any) -> Any:
    """Twitch by day, structure and node."""
    release = stages.release(stages.kinetics(captured, sessions, grid), grid)
    voluntary = stages.response.firing(release, stages.response.facilitation)
    size = stages.response.fibre_size(voluntary, grid)
    return stages.response.firing(release, 1.0) * size


def made_landmarks(grade: str) -> str:
    """Landmarks that the mesh shows (`mesh`), or that were placed by proportion (`assumed`)."""
    return ", ".join(one.words for one in LANDMARKS.values() if one.grade == grade)


def made_muscles(segment: str) -> str:
    """The muscles of one segment in space."""
    rows = [_muscle(one) for one in reached() if one.segment == segment]
    head = (
        "muscle",
        "volume in the map, cm³",
        "in the table",
        "scale",
        "needle to the muscle, mm",
        "to its middle",
        "from",
        "through",
        "published end plates",
        "fibres, mm",
        "end plates along the muscle",
        "sources",
    )
    return table(head, rows)


def _muscle(one: Reached) -> list[str]:
    known = muscles().get(one.muscle)
    belly = bellies().get(f"{one.muscle}.left") or bellies()[one.muscle]
    whole = atlas(belly.region)
    grid = next(g for g in whole.grids if g.at(belly.centre_mm) == whole.number(belly.id))
    zone_mm = np.ptp(belly.node_mm @ grid.axes[0])
    return [
        in_words(one.muscle),
        f"{one.volume_cm3:.1f}",
        f"{one.asked_cm3:.1f}",
        f"{one.scale:.2f}",
        f"{one.top_mm:.0f}",
        f"{one.depth_mm:.0f}",
        one.approach,
        ", ".join(map(in_words, one.crossed)),
        "" if one.end_plate_zone.startswith("middle half") else one.end_plate_zone,
        f"{known.fibre_mm:g}" if known else "",
        f"{50 * zone_mm / belly.half_mm[0]:.0f} %",
        _sources(one.sources),
    ]


def made_needles() -> str:
    """How the needle gets to each structure."""
    rows = [
        [
            in_words(one.structure),
            one.landmark or "each site has its own",
            one.approach,
            one.avoid,
            _sources(one.sources),
        ]
        for one in needles().values()
    ]
    return table(("structure", "landmark", "approach", "keep away from", "sources"), rows)


def made_plans() -> str:
    """The twelve cases: what is given in the reference, for what, and what is to be spared."""
    rows = []
    for folder in sorted((ROOT / "examples" / "plans").iterdir()):
        patient = bont.load_patient(folder / "patient.yaml")
        plan = bont.load_plan(folder / "reference.yaml")
        (session,) = plan.sessions
        kept = [f"{one.function} {one.at_least:.0%}" for one in patient.keep]
        rows.append(
            [
                f"`{folder.name}`",
                "; ".join(goal.words or goal.scale for goal in patient.goals),
                ", ".join(kept),
                f"{session.dose.value_u:g} U {session.product}",
                str(sum(one.sites for one in session.injections)),
                "; ".join(one.words for one in spared(patient.disorder.name)),
            ]
        )
    head = ("case", "goal", "to keep", "reference", "sites", "spared, unless treated")
    return table(head, rows)


def made_spared() -> str:
    """What is to be spared in which disorder."""
    rows = [
        [f"`{name}`", one.words, f"{one.least:.0%}", one.grade, _sources(one.sources)]
        for name in disorders()
        for one in spared(name)
    ]
    return table(("disorder", "spared", "answer to keep", "grade", "sources"), rows)


def made_rules(letter: str) -> str:
    """Rules of `check` whose id starts with `letter`."""
    rows = [
        [
            name,
            meaning,
            "; ".join(
                s.text + ("" if s.verified else " (unverified)")
                for s in safety_rules()[name].sources
            ),
        ]
        for name, meaning in rules().items()
        if name.startswith(letter)
    ]
    return table(("rule", "what it looks for", "rests on"), rows)


def made_label_counts() -> str:
    """Label rows of each product, read and recalled."""
    rows = []
    for name in products():
        mine = [row for row in label_rows() if row.product == name]
        part = sum(bool(row.unverified_fields) for row in mine)
        read_whole = sum(row.verified and not row.unverified_fields for row in mine)
        kinds = Counter(row.kind for row in mine)
        shown = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        rows.append(
            [name, *map(str, (len(mine), read_whole, part, len(mine) - read_whole - part)), shown]
        )
    return table(("product", "rows", "read", "read in part", "recalled", "kinds"), rows)


def made_label_uses() -> str:
    """Which product has label rows for which disorder, by jurisdiction."""
    rows = []
    for disorder in disorders():
        cells = []
        for name in products():
            mine = [r for r in label_rows() if r.product == name and disorder in r.disorder]
            places = sorted({place for r in mine for place in r.jurisdiction})
            cells.append(f"{len(mine)} ({', '.join(places)})" if mine else "")
        rows.append([f"`{disorder}`", *cells])
    return table(("disorder", *products()), rows)


def made_products() -> str:
    """The products."""
    rows = [
        [
            p.name,
            p.brand,
            p.serotype,
            ", ".join(f"{u:g}" for u in p.vials_u),
            f"solution, {p.solution_u_per_ml:g} U/mL" if p.solution_u_per_ml else "powder",
            f"{p.complex_kda:g}",
            f"{p.neurotoxin_ng_per_100u:g}" if p.neurotoxin_ng_per_100u else "not known",
            ", ".join(p.excipients),
            f"{p.use_within_h:g} h" if p.use_within_h else "not known",
            _sources(p.sources),
        ]
        for p in products().values()
    ]
    head = (
        "product",
        "brand",
        "type",
        "vials, U",
        "form",
        "complex, kDa",
        "neurotoxin, ng in 100 U",
        "excipients",
        "use within",
        "sources",
    )
    return table(head, rows)


def made_api() -> str:
    """Public names with the first line of their docstrings."""
    rows = []
    for name in bont.__all__:
        thing = getattr(bont, name)
        about = (inspect.getdoc(thing) or "").split("\n\n")[0]
        rows.append(
            [f"`{name}`", _kind(thing), " ".join(about.split()), f"`openbont.{bont._HOME[name]}`"]
        )
    return table(("name", "kind", "what it is", "lives in"), rows)


def _kind(thing: Any) -> str:
    if not inspect.isclass(thing):
        return "verb"
    return "error" if issubclass(thing, Exception) else "noun"


def made_signatures() -> str:
    """How each verb is called."""
    verbs = [(n, getattr(bont, n)) for n in bont.__all__ if not inspect.isclass(getattr(bont, n))]
    lines = [f"{name}{_signature(verb)}" for name, verb in verbs]
    return "```text\n" + "\n".join(lines) + "\n```"


def _signature(verb: Any) -> str:
    """Arguments without the modules of their types; a function as default is shown as `...`."""
    text = re.sub(r"<function .*? at 0x\w+>", "...", str(inspect.signature(verb)))
    return re.sub(r"\b(?:openbont|collections|datetime|pathlib|typing)\.(?:\w+\.)*", "", text)


def made_names(what: str) -> str:
    """A list of names that files may use."""
    lists: dict[str, Iterable[str]] = {
        "disorders": disorders(),
        "causes": CAUSES,
        "movements": movements(),
        "functions": functions(),
        "structures": sorted({name.rsplit(".", 1)[0] for name in structures()}),
        "conditions": conditions(),
    }
    return ", ".join(f"`{name}`" for name in lists[what])


def made_disorders() -> str:
    """What is predicted for each disorder, whose labels hold doses for it, what it rests on."""
    rows = [
        [
            f"`{one.id}`",
            one.words if one.modelled else f"{one.words} (nothing is predicted)",
            ", ".join(one.scales),
            ", ".join(one.products) or "none: every use is off label",
            ", ".join(f"{count} {grade}" for grade, count in one.grades.items()),
        ]
        for one in overview().values()
    ]
    head = ("disorder", "what it is", "readings", "labels with doses", "own parameters")
    return table(head, rows)


def made_scales() -> str:
    """Scales of readings and goals."""
    rows = [
        [
            f"`{s.id}`",
            s.words,
            s.unit,
            ", ".join(f'"{g}"' for g in s.grades) or f"{s.low:g} to {s.high:g}",
            s.better,
            f"{s.margin:g}" if s.margin else "not known",
        ]
        for s in scales().values()
    ]
    return table(
        ("scale", "what it is", "unit", "values", "better is", "margin that matters"), rows
    )


def made_shares(kind: str) -> str:
    """Muscles of each movement or function with their shares."""
    groups = {"movements": movements, "functions": functions}[kind]()
    rows = [
        [f"`{g.id}`", ", ".join(f"{m} {w:g}" for m, w in g.weights.items()), _sources(g.sources)]
        for g in groups.values()
    ]
    return table((kind[:-1], "muscles and their shares", "sources"), rows)


def made_weak() -> str:
    """The plan of the example arm in a healthy man and in weak ones; medians."""
    rows = [[name, *_weak_row(weak(*what))] for name, what in WEAK.items()]
    head = (
        "the same plan, had he",
        "strength far away, week 0",
        "week 2",
        "week 12",
        "grip kept, week 2",
        "FVC, week 0",
        "week 2",
        "trouble with swallowing, week 0",
        "week 2",
    )
    return table(head, rows)


def _weak_row(course: Course) -> list[str]:
    def at(week: int, scale: str, where: str = "") -> float:
        return float(np.median(course.of(scale, where)[:, week]))

    far = [100 * at(week, "far_strength") for week in (0, 2, 12)]
    grip = 100 * at(2, "strength", "grip.left")
    rest = [at(week, scale) for scale in ("FVC", "dysphagia") for week in (0, 2)]
    return [f"{value:.0f} %" for value in (*far, grip, *rest)]


def made_far() -> str:
    """Muscle that works far away by the release that is left there."""
    release = np.array([1, 0.9, 0.8, 0.6])
    runs = {name: far_firing(release, *conditions) for name, conditions in WEAK.items()}
    rows = [[name, *map("{:.0f} %".format, 100 * run)] for name, run in runs.items()]
    return table(("release far away", *map("{:g}".format, release)), rows)


# ---- model against published numbers: docs/published.csv names the function and its arguments


def made_published(held: str) -> str:
    """Published numbers that tests hold (`yes`), that the model misses (`no`), or `direct` ones."""
    with (DOCS / "published.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["held"] == held]
    shown = ["paper", "what", "observed", "model", *(["tolerance"] if held != "no" else [])]
    return table(shown, ([_with_model(row)[name] for name in shown] for row in rows))


def _with_model(row: dict[str, str]) -> dict[str, str]:
    name, *arguments = row["model"].split()
    return row | {"model": globals()[f"model_{name}"](*map(float, arguments))}


def _each(values: Iterable[float], form: str = ".2f") -> str:
    return ", ".join(format(value, form) for value in values)


_inject = cache(partial(inject, days=np.arange(0, 400.25, 0.25)))
_on_target = partial(_inject, EDB, 8.75)


def model_loss(day: float, *doses_u: float) -> str:
    """CMAP loss of the foot muscle."""
    return _each(_inject(EDB, dose_u).at(day) for dose_u in doses_u)


def model_loss_b(day: float, *doses_u: float) -> str:
    """The same with type B."""
    return _each(_inject(EDB, dose_u, product=RIMA).at(day) for dose_u in doses_u)


def model_recovered_b(*doses_u: float) -> str:
    """Share of the day-14 loss of type B that is gone on day 49."""
    runs = [_inject(EDB, dose_u, product=RIMA) for dose_u in doses_u]
    return _each(1 - run.at(49) / run.at(14) for run in runs)


def model_plateau() -> str:
    """Loss on day 6 relative to the largest."""
    run = _inject(EDB, 10.0)
    return _each([run.at(6) / run.cmap.max()])


def model_later(day: float) -> str:
    """Loss on a later day relative to day 14."""
    run = _on_target()
    return _each([run.at(day) / run.at(14)])


def model_off_target(off_mm: float) -> str:
    """Change of the effect with distance from the end-plate zone."""
    change = _on_target(off_mm=off_mm).at(14) / _on_target().at(14) - 1
    return f"{100 * change:.0f} %"


def model_biceps(volume_ml: float) -> str:
    """Largest loss with this volume at each of four sites."""
    return _each([_inject(BICEPS, 160, sites=4, volume_ml=volume_ml).voluntary.max()])


def model_cycles() -> str:
    """Largest loss in each of five cycles."""
    run = inject(EDB, 8.75, cycles=5, days=np.arange(0, 421, 0.5))
    return _each(run.cmap[run.day // 84 == n].max() for n in range(5))


def model_days(*doses_u: float) -> str:
    """Days with a loss of 0.3 or more."""
    runs = (_inject(BICEPS, dose_u, sites=4, volume_ml=0.5) for dose_u in doses_u)
    return _each((run.days_with_loss(0.3) for run in runs), ".0f")


def model_doubling() -> str:
    """Days that one doubling adds."""
    days = [_inject(EDB, dose_u).days_with_loss(0.5) for dose_u in (10.0, 20.0, 40.0)]
    return f"{np.diff(days).mean():.0f}"


def model_type_e(*doses_u: float) -> str:
    """Days with a loss of 0.15 or more."""
    runs = (_inject(EDB, dose_u, half_life_day=2.0) for dose_u in doses_u)
    return _each((run.days_with_loss(0.15) for run in runs), ".0f")


def model_jitter(day: float) -> str:
    """Jitter of distant muscle relative to before."""
    run = _inject(BICEPS, 200, sites=4)
    return _each([np.interp(day, run.day, run.jitter)])


def model_weeks_half() -> str:
    """Weeks with at least half of the CMAP lost."""
    return f"{_inject(EDB, 10.0).days_with_loss(0.5) / 7:.0f}"


def model_cohort(*values: float) -> str:
    """What a test of `tests/published` finds with hundreds of people: too slow for a page."""
    return _each(values, "g")


def model_lid() -> str:
    """Lowest lid of all draws of the migraine example."""
    course = head()[0]
    lids = [course.of("lid_height", f"upper_lid.{side}") for side in ("left", "right")]
    return f"{np.min(lids):.1f} mm, ptosis in {100 * (np.min(lids, (0, 2)) < 2).mean():.0f} %"


# ---- pages

MADE = re.compile(r"(<!-- made: (?P<what>[^\n]*?) -->\n)(?P<old>.*?)(<!-- end -->)", re.DOTALL)


def filled(text: str) -> str:
    """A page with all its made parts made again."""

    def make(found: re.Match[str]) -> str:
        name, *arguments = found["what"].split()
        return f"{found[1]}{globals()[f'made_{name}'](*arguments)}\n{found[4]}"

    return MADE.sub(make, text)


def made() -> Iterator[tuple[Path, str]]:
    """Every file with its content as it should be."""
    for name in DRAWINGS:
        yield FIGURES / f"{name}.svg", svg(name)
    for page in sorted(DOCS.rglob("*.md")):
        text = page.read_text("utf-8")
        if MADE.search(text):
            yield page, filled(text)


def stale() -> list[str]:
    """Files whose made parts differ from what code and catalog say now."""
    return [
        str(path.relative_to(ROOT))
        for path, content in made()
        if not path.exists() or not same(path.read_text("utf-8"), content)
    ]


NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
NAME = re.compile(r"\b[mp][0-9a-f]{10}\b")
"""Names of shapes in a drawing follow from their coordinates."""


def same(one: str, other: str) -> bool:
    """True for equal texts; coordinates of a drawing may differ in the third decimal."""
    if one == other or not one.startswith("<?xml"):
        return one == other
    one, other = NAME.sub("", one), NAME.sub("", other)
    if NUMBER.sub("", one) != NUMBER.sub("", other):
        return False
    pairs = zip(NUMBER.findall(one), NUMBER.findall(other), strict=True)
    return all(abs(float(a) - float(b)) < 5e-3 for a, b in pairs)


def main(arguments: Sequence[str]) -> int:
    """Write, or with --check only compare."""
    if "--check" in arguments:
        found = stale()
        for name in found:
            print(f"stale: {name}; run python tools/draw_docs.py")
        return 1 if found else 0
    FIGURES.mkdir(parents=True, exist_ok=True)
    for path, content in made():
        if not path.exists() or path.read_text("utf-8") != content:
            path.write_text(content, "utf-8")
            print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
