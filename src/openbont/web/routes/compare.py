"""Two plans of one patient, or two patients, side by side.

Who may see patients can take those of the records; such results are kept nowhere.
"""

from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import Response

from openbont.errors import BadInput
from openbont.io import load_patient, load_plan
from openbont.patient import Patient
from openbont.plan import Plan
from openbont.report.words import day
from openbont.web import studies
from openbont.web.accounts import READ, RESEARCH
from openbont.web.chart import chart, charts, register
from openbont.web.context import need, note_read, page, records, user_of
from openbont.web.results import About
from openbont.web.routes.results import SEED, Seed, Short, start
from openbont.web.server import examples
from openbont.web.texts import LONGEST, as_yaml, parsed

router = APIRouter()
WHO = need(*RESEARCH)
FIRST = "example/arm_after_stroke"
MOST_PATIENTS = 40
"""Of the records, in the list to choose from; others are found by letters of their name."""
Pasted = Annotated[str, Form(max_length=LONGEST)]
Named = Annotated[str, Query(max_length=200)]
Texts = tuple[str, str]


@dataclass(frozen=True)
class Chosen:
    """One patient with a plan: an invented one, or of the records."""

    address: str
    """example/FOLDER, or records/PATIENT/KEY."""
    name: str
    patient: Patient
    plan: Plan | None

    @property
    def who(self) -> str:
        """The address without the plan."""
        return "/".join(self.address.split("/")[:2])

    @property
    def invented(self) -> bool:
        """Nobody's."""
        return self.address.startswith("example/")


@router.get("/research/compare", dependencies=[WHO])
def compare_form(request: Request, first: Named = FIRST, second: Named = FIRST) -> Response:
    """Two plans of one patient, or of two; both begin as they are written."""
    both = chosen(request, first), chosen(request, second)
    return _form(request, both, _written(both))


@router.post("/research/compare/find", dependencies=[need(*RESEARCH)])
def find(request: Request, first: Short, second: Short, sought: Short = "") -> Response:
    """The same with other patients to choose from; what is sought stands in no address."""
    both = chosen(request, first), chosen(request, second)
    return _form(request, both, _written(both), sought=sought)


@router.post("/research/compare", dependencies=[WHO])
def compare(
    request: Request,
    first: Short,
    second: Short,
    first_plan: Pasted = "",
    second_plan: Pasted = "",
    same: Short = "",
    seed: Seed = SEED,
) -> Response:
    """Start the comparison, or say what is wrong in a plan."""
    both = chosen(request, first), chosen(request, second)
    try:
        plans = _plans(both, (first_plan, second_plan), bool(same))
    except BadInput as wrong:
        return _form(request, both, (first_plan, second_plan), str(wrong), 422)
    people = [one.patient for one in both]
    if same:
        people[1] = people[1].model_copy(update={"id": people[0].id})
    alone = both[0].who == both[1].who
    names = ("First plan", "Second plan") if alone else (both[0].name, both[1].name)
    words = f"{both[0].name}: two plans" if alone else " and ".join(names)
    one, other = (studies.Compare(*each) for each in zip(names, people, plans, strict=True))
    about = About(user_of(request).login, "comparison", words, seed)
    keep = all(one.invented for one in both)
    return start(request, about, partial(studies.comparison, one, other, seed), keep)


def chosen(request: Request, address: str) -> Chosen:
    """Who is at an address; 404 for patients of the records, where these may not be seen."""
    kind, _, rest = address.partition("/")
    if kind == "example" and rest in patients():
        folder = examples() / rest
        patient, plan = load_patient(folder / "patient.yaml"), load_plan(folder / "plan.yaml")
        return Chosen(address, _called(rest), patient, plan)
    if kind == "records" and user_of(request).may(*READ):
        name, _, key = rest.partition("/")
        known = chart(records(request), name)
        note_read(request, known.id)
        of_key = (plan for held, plan in known.of(Plan) if held.key == key)
        return Chosen(address, known.who.name, known.patient, next(of_key, None))
    raise HTTPException(404, "There is no such patient here.")


def _written(both: tuple[Chosen, Chosen]) -> Texts:
    one, other = (as_yaml(each.plan) if each.plan else "" for each in both)
    return one, other


def _plans(both: tuple[Chosen, Chosen], texts: Texts, same: bool) -> tuple[Plan, Plan]:
    """What is pasted; with `same` the first plan for both. Raises BadInput."""
    first = _for(both[0].patient, parsed(texts[0], load_plan, "first plan"))
    if same:
        return first, first
    return first, _for(both[1].patient, parsed(texts[1], load_plan, "second plan"))


def _for(patient: Patient, plan: Plan) -> Plan:
    if plan.patient != patient.id:
        problem = f"the plan is for {plan.patient!r}, the patient is {patient.id!r}"
        raise BadInput("plan: patient", problem, f"write patient: {patient.id}")
    return plan


def _form(
    request: Request,
    both: tuple[Chosen, Chosen],
    texts: Texts,
    problem: str = "",
    status: int = 200,
    sought: str = "",
) -> Response:
    groups = [("Invented patients", [(f"example/{one}", _called(one)) for one in patients()])]
    if sees := user_of(request).may(*READ):
        groups.append(("Patients of the records", _of_records(request, sought)))
    return page(
        request,
        "compare_form.html",
        status=status,
        both=[{"address": one.address, "name": one.name} for one in both],
        alone=both[0].who == both[1].who,
        groups=groups,
        texts=texts,
        problem=problem,
        sees=sees,
        sought=sought,
        draws=studies.DRAWS,
        seed=SEED,
    )


def _of_records(request: Request, sought: str) -> list[tuple[str, str]]:
    """Plans of patients whose disorder has a model, the newest of each first."""
    held = records(request)
    named = islice((one.id for one in register(held, sought)), MOST_PATIENTS)
    found = []
    for known in charts(held, named):
        if _has_model(known.patient):
            plans = [
                (one.key, f"plan of {day(plan.date)}, {one.state}")
                for one, plan in reversed(known.of(Plan))
            ]
            for key, words in plans or [("", "no plan yet")]:
                found.append((f"records/{known.id}/{key}", f"{known.who.name}, {words}"))
    return found


# ---- files


def _called(example: str) -> str:
    return example.replace("_", " ").capitalize()


@cache
def patients() -> tuple[str, ...]:
    """Examples with a patient whose disorder has a model, and a plan."""
    folders = sorted(file.parent for file in examples().glob("*/plan.yaml"))
    there = [one for one in folders if (one / "patient.yaml").is_file()]
    return tuple(one.name for one in there if _modelled(one))


def _modelled(folder: Path) -> bool:
    return _has_model(load_patient(folder / "patient.yaml"))


def _has_model(patient: Patient) -> bool:
    """Whether the disorder has a model; those need jax, which takes its time to load."""
    from openbont.catalog.disorders import MODELLED

    return patient.disorder.name in MODELLED
