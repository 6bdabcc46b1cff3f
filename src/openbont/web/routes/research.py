"""Research: virtual trials, and published rows against the model."""

from functools import cache, partial
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import Response

from openbont.catalog.endpoints import endpoints
from openbont.catalog.scales import placed, scale
from openbont.design import Design
from openbont.errors import BadInput
from openbont.io import load_design
from openbont.report.words import title_words
from openbont.web import forms, studies
from openbont.web.accounts import RESEARCH
from openbont.web.context import need, page, user_of
from openbont.web.designs import designed, fields_of, said, units
from openbont.web.drafts import Fields
from openbont.web.results import About
from openbont.web.routes.results import SEED, Seed, Short, about_of, mine, start
from openbont.web.server import examples
from openbont.web.steps import Filled
from openbont.web.texts import LONGEST, as_yaml, parsed

router = APIRouter()
WHO = need(*RESEARCH)
MOST_PEOPLE, MOST_RUNS = 100_000, 1_000
ALL = "all disorders"
FIELDS = forms.takes(
    Design,
    only=("name", "patients", "replicates", "dropout_percent"),
    begin=forms.TEXT,
    seed=forms.TEXT,
    weeks=forms.TEXT,
    primary=forms.TEXT,
)
Pasted = Annotated[str, Form(max_length=LONGEST)]
Named = Annotated[str, Query(max_length=200)]


@router.get("/research", dependencies=[WHO])
def research(request: Request) -> Response:
    """What can be asked, and what was asked."""
    return page(request, "research.html", jobs=mine(request))


# ---- a virtual trial


@router.get("/research/trial", dependencies=[WHO])
def trial_form(request: Request, begin: Named = "preempt") -> Response:
    """A design to be changed: an example, or one that was asked before."""
    design = load_text(begun(request, begin))
    return _form(request, begin, design, fields_of(design), {})


@router.post("/research/trial", dependencies=[WHO], openapi_extra=FIELDS)
def trial(request: Request, form: forms.Form) -> Response:
    """Start the trial of a form, show it as YAML, or say what is wrong."""
    begin = form.fields.get("begin", "")
    base = load_text(begun(request, begin))
    design, wrong = designed(base, form.fields)
    seed = forms.number(form.fields.get("seed", ""))
    if not isinstance(seed, int) or not 0 <= seed < 2**31:
        wrong = wrong | {"seed": forms.Wrong("not a seed", "a whole number from 0")}
    elif design and not wrong:
        if form.do == "yaml":
            return _yaml(request, begin, as_yaml(design), seed)
        try:
            return _tried(request, bounded(design), seed)
        except BadInput as error:
            wrong = forms.at("patients", error)
    return _form(request, begin, base, form.fields, wrong, 422)


@router.get("/research/trial/yaml", dependencies=[WHO])
def trial_yaml(request: Request, begin: Named = "preempt") -> Response:
    """The same as the text of a file."""
    return _yaml(request, begin, begun(request, begin), SEED)


@router.post("/research/trial/yaml", dependencies=[WHO])
def trial_of_yaml(request: Request, design: Pasted, seed: Seed = SEED) -> Response:
    """Start the trial of a text, or say what is wrong in it."""
    try:
        return _tried(request, bounded(load_text(design)), seed)
    except BadInput as wrong:
        return _yaml(request, "", design, seed, str(wrong), 422)


def load_text(text: str) -> Design:
    """A design. Raises BadInput with place and line."""
    return parsed(text, load_design, "trial.yaml")


def bounded(design: Design) -> Design:
    """The design, if the workbench can run it in minutes. Raises BadInput."""
    people = design.patients * design.replicates * len(design.arms)
    way_out = "fewer patients or runs, or on the command line: openbont trial"
    if people > MOST_PEOPLE:
        raise BadInput("trial", f"{people:,} people; here at most {MOST_PEOPLE:,}", way_out)
    if design.replicates > MOST_RUNS:
        raise BadInput("trial", f"{design.replicates:,} runs; here at most {MOST_RUNS:,}", way_out)
    return design


def begun(request: Request, begin: str) -> str:
    """The text of an example, or of a design that was asked before. Raises 404."""
    if begin in designs():
        return designs()[begin]
    if text := about_of(request, begin).asked:
        return text
    raise HTTPException(404, "There is no such design.")


def _tried(request: Request, design: Design, seed: int) -> Response:
    about = About(user_of(request).login, "trial", design.name, seed, as_yaml(design))
    return start(request, about, partial(studies.trial, design, seed))


def _form(
    request: Request,
    begin: str,
    base: Design,
    fields: Fields,
    wrong: forms.Wrongs,
    status: int = 200,
) -> Response:
    return page(
        request,
        "trial_form.html",
        status=status,
        form=Filled("", "/research/trial", 0, {"seed": str(SEED), **fields}, wrong),
        begin=begin,
        design=base,
        examples=named(),
        units=units(base),
        entry=[placed(scale(one.scale).words, one.where) for one in base.entry],
        endpoints=[said(one) for one in base.endpoints],
        most=MOST_PEOPLE,
    )


def _yaml(
    request: Request, begin: str, text: str, seed: int, problem: str = "", status: int = 200
) -> Response:
    return page(
        request,
        "trial_yaml.html",
        status=status,
        text=text,
        begin=begin,
        examples=named(),
        problem=problem,
        most=MOST_PEOPLE,
        seed=seed,
    )


# ---- published rows


@router.get("/research/validation", dependencies=[WHO])
def validation_form(request: Request) -> Response:
    """How well published trials are predicted, and how to ask."""
    return page(request, "validation_form.html", disorders=published(), all=ALL, seed=SEED)


@router.post("/research/validation", dependencies=[WHO])
def validation(request: Request, disorder: Short, seed: Seed = SEED) -> Response:
    """Predict every scored row of one disorder, or of all."""
    if disorder not in (ALL, *published()):
        problem = f"nothing was published about {disorder!r}"
        raise BadInput("disorder", problem, f"known: {ALL}, {', '.join(published())}")
    about = About(user_of(request).login, "validation", title_words(disorder).capitalize(), seed)
    return start(
        request, about, partial(studies.validation, "" if disorder == ALL else disorder, seed)
    )


@cache
def published() -> dict[str, int]:
    """Disorders with scored rows, and how many."""
    named = sorted(row.disorder for row in endpoints() if row.scored)
    return {name: named.count(name) for name in dict.fromkeys(named)}


# ---- files


@cache
def designs() -> dict[str, str]:
    """Designs among the examples, as text."""
    files = sorted((examples() / "trials").glob("*.yaml"))
    return {file.stem: file.read_text("utf-8") for file in files}


@cache
def named() -> tuple[tuple[str, str], ...]:
    """The same by name."""
    return tuple((key, load_text(text).name) for key, text in designs().items())
