"""The seven products, by non-proprietary name."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from openbont.errors import BadInput, UnknownName
from openbont.product import Product


class BrandGiven(UnknownName):
    """A brand where the non-proprietary name is needed: one brand may hold several strengths."""

    def __init__(self, place: str, brand: str, name: str) -> None:
        BadInput.__init__(self, place, f"{brand} is a brand", f"write {name}")
        self.nearest = [name]


def product(name: str, place: str = "") -> Product:
    """The product called `name`, a non-proprietary name such as onabotulinumtoxinA."""
    known = products()
    if name in known:
        return known[name]
    for other in known.values():
        if name.lower() in other.brand.lower().split(", "):
            raise BrandGiven(place, name, other.name)
    raise UnknownName(place, "product", name, known)


@cache
def products() -> dict[str, Product]:
    """All products by name."""
    table = read("products.yaml")
    return {name: _product(name, row, table["sources"]) for name, row in table["products"].items()}


def _product(name: str, row: dict[str, Any], sources: dict[str, Any]) -> Product:
    cited = [{"id": source, **sources[source]} for source in row["sources"]]
    return Product.model_validate_json(json.dumps({**row, "name": name, "sources": cited}))


def read(file: str) -> Any:
    """The content of one YAML file of this catalog."""
    text = files("openbont.catalog").joinpath(file).read_text("utf-8")
    return YAML(typ="safe", pure=True).load(text)


def read_folder(folder: str) -> dict[str, Any]:
    """All rows of the YAML files in one folder of this catalog; no name may come twice."""
    rows: dict[str, Any] = {}
    for file in sorted(files("openbont.catalog").joinpath(folder).iterdir(), key=lambda f: f.name):
        if file.name.endswith(".yaml"):
            new = read(f"{folder}/{file.name}")
            assert not rows.keys() & new.keys(), f"{file.name} repeats a name"
            rows |= new
    return rows
