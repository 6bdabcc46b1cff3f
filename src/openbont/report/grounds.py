"""Why this plan, and what the prediction rests on."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, get_args

from openbont.catalog.products import products
from openbont.evidence import Grade, Parameter, Source, tally
from openbont.product import Product
from openbont.report.tables import Content, in_words, marks, table
from openbont.report.words import counted, listed, number, percent

if TYPE_CHECKING:  # the optimiser is slow to import; a report only reads its results
    from openbont.planning.proposal import Proposal

MODEL_LIMITS = (
    "Muscles of limbs and neck fill an average adult by published volume and remembered "
    "place; flat muscles and glands are simple solids. None is an image of this patient, and every "
    "needle is taken to arrive where the plan says.",
    "The bands hold the uncertainty of the parameters and the differences between patients that "
    "were published; they do not hold a missed muscle or an error of dose.",
    "Placebo response and natural course are those of trials and may differ in this clinic.",
    "Allergy and rare events are rules in the findings, not part of the predicted course; of "
    "medicines, those that weaken transmission are in the model, with assumed sizes.",
    "A unit belongs to its product: nothing printed here carries over to another product.",
    "The predictions were compared with published groups of patients, not tried prospectively "
    "in single ones.",
)


def grounds(
    proposal: "Proposal | None", parameters: Sequence[Parameter], sources: Sequence[Source]
) -> Content:
    """Why, the parameters it rests on, and the known limits of the model."""
    return {
        "why": None if proposal is None else _why(proposal),
        "rests_on": _rests_on(parameters, sources),
        "model_limits": list(MODEL_LIMITS),
    }


def _why(proposal: "Proposal") -> Content:
    full = "the same by the full model, spill between muscles included"
    return {
        "text": in_words(proposal.why),
        "facts": [
            ["Value", number(proposal.value), "share of the wanted effect, less a price on units"],
            ["Bound", number(proposal.bound), "no plan within the limits is worth more"],
            ["Gap", percent(proposal.gap), "between the two"],
            ["Revalued", number(proposal.revalued), full],
            *[["Binding limit", one.limit, in_words(one.words)] for one in proposal.binding],
        ],
    }


def _rests_on(parameters: Sequence[Parameter], sources: Sequence[Source]) -> Content:
    weak = [one for one in parameters if one.grade == "assumed" or not one.verified]
    rows = [
        [
            f"{one.id}: {one.note}" if one.note else one.id,
            number(one.value),
            one.unit,
            f"{number(one.low)} to {number(one.high)}",
            one.grade + ("" if one.verified or one.grade == "assumed" else ", unverified"),
            marks(one.sources, sources) or "—",
        ]
        for one in weak
    ]
    columns = ["Parameter", "Value", "Unit", "Plausible range", "Grade", "Source"]
    return {
        "tally": tally_words(parameters),
        "table": table(
            f"The {len(weak)} that are assumed or unverified",
            columns,
            rows,
            widths=[3, 0, 0, 1, 1.1, 0],
        ),
    }


def tally_words(parameters: Sequence[Parameter]) -> str:
    """How many parameters rest on labels, people, animals, tubes, fits and assumptions."""
    counts = dict.fromkeys(get_args(Grade), 0) | tally(parameters)
    unread = sum(not one.verified for one in parameters)
    said = listed([f"{count} {grade}" for grade, count in counts.items()])
    return f"Rests on {counted(len(parameters), 'parameter')}: {said}; {unread} unverified."


def relevant(parameters: Iterable[Parameter], used: Sequence[Product]) -> list[Parameter]:
    """Without the parameters of products and serotypes that are not used."""
    own = {product.name for product in used} | {product.serotype for product in used}
    others = products().keys() | {product.serotype for product in products().values()}
    return [one for one in parameters if one.id.rsplit(".", 1)[-1] not in others - own]


def as_printed(sources: Sequence[Source]) -> Content:
    """The numbered list of sources."""
    return {
        "sources": [
            {
                "text": one.text,
                "address": "" if one.address in one.text else one.address,
                "unverified": not one.verified,
            }
            for one in sources
        ]
    }
