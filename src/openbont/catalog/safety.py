"""What each rule of `check` means, and its sources."""

import json
from functools import cache

from openbont.catalog.products import read
from openbont.evidence import Source
from openbont.frozen import Many, Name, Noun


class SafetyRule(Noun):
    """Id, one-line meaning and sources of a rule."""

    id: Name
    meaning: str
    sources: Many[Source]


@cache
def safety_rules() -> dict[str, SafetyRule]:
    """All rules by id."""
    table = read("safety.yaml")
    rules = {}
    for name, row in table["rules"].items():
        cited = [{"id": f"safety:{one}", **table["sources"][one]} for one in row["sources"]]
        text = json.dumps({"id": name, "meaning": row["meaning"], "sources": cited})
        rules[name] = SafetyRule.model_validate_json(text)
    return rules
