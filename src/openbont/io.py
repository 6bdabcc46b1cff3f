"""Patient and Plan to and from YAML or JSON files, strictly.

text -> nodes with lines -> plain data -> noun -> known names. One reading reports every mistake of
a file: the first is raised, the others stand in its `__notes__`, each as

    plan.yaml:7: sessions[0].injections[1].doze_u: unknown field (value 40); did you mean dose_u?
"""

import json
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.representer import SafeRepresenter

from openbont.catalog.names import LOOKUPS, Lookups, wrong_names
from openbont.design import Design
from openbont.errors import BadInput, nearest
from openbont.frozen import Noun
from openbont.patient import Patient
from openbont.plan import Plan

Kind = Literal["patient", "plan", "trial"]
Place = tuple[str | int, ...]
AnyNoun = TypeVar("AnyNoun", bound=Noun)

KINDS: dict[str, type[Noun]] = {"patient": Patient, "plan": Plan, "trial": Design}
LARGEST_BYTES = 1_000_000
ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
DECIMAL = re.compile(r"[-+]?((0|[1-9]\d{0,17})(\.\d*)?|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
CONSTANTS = {"bool": {"true", "false"}, "null": {"", "~", "null"}}
TAG = "tag:yaml.org,2002:"

USUAL_NAMES = {
    "dose": "dose_u",
    "units": "dose_u",
    "dose_mg": "dose_u",
    "dose_ng": "dose_u",
    "dose_ml": "volume_ml",
    "volume": "volume_ml",
    "dilution": "dilution_u_per_ml",
    "muscle": "structure",
    "age": "age_years",
    "weight": "weight_kg",
    "weight_lb": "weight_kg",
    "height": "height_cm",
    "height_m": "height_cm",
    "height_in": "height_cm",
    "drugs": "medicines",
    "medications": "medicines",
}
"""What people write for a field whose name says its unit."""

UNITS = {
    "_u_per_ml": "units per mL",
    "_u": "units of the session's product",
    "_ml": "mL",
    "_kg": "kg",
    "_cm": "cm",
    "_years": "years",
    "_percent": "percent",
}
"""Ending of a field's name -> what its number counts."""


def load_patient(path: str | Path) -> Patient:
    """The patient in a YAML or JSON file."""
    return _load(Path(path), Patient)


def load_plan(path: str | Path) -> Plan:
    """The plan in a YAML or JSON file."""
    return _load(Path(path), Plan)


def load_design(path: str | Path) -> Design:
    """The design of a trial in a YAML or JSON file."""
    return _load(Path(path), Design)


def load_one_of(path: str | Path, kinds: Sequence[type[Noun]], lookups: Lookups = LOOKUPS) -> Noun:
    """The noun in a YAML or JSON file, of the kind whose fields it has most of."""
    page = _Page(Path(path).name)
    data = page.data(_text(Path(path)))
    return _checked(page, data, _likeliest(kinds, data), lookups)


def schema(kind: Kind) -> dict[str, Any]:
    """JSON Schema of patient, plan or trial files, for editors and other programs."""
    if kind not in KINDS:
        raise BadInput("", f"no schema for {kind!r}", f"there is one for {' and '.join(KINDS)}")
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return dialect | KINDS[kind].model_json_schema()


# ---- writing


def save(noun: Patient | Plan | Design, path: str | Path) -> None:
    """Write `noun` whole or not at all: a file that is already there is never left torn."""
    path = Path(path)
    text = _as_json(noun) if path.suffix == ".json" else _as_yaml(noun)
    try:
        replace_file(path, text.encode())
    except OSError as error:
        problem = f"could not be written: {error.strerror}"
        raise BadInput(str(path), problem, "what stood there before is untouched") from error


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step: written beside it, flushed to disk, then renamed."""
    path = path.resolve()
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def _as_json(noun: Noun) -> str:
    data = noun.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(_tidy(data), indent=2) + "\n"


def _as_yaml(noun: Noun) -> str:
    kind = type(noun).__name__.lower()
    text = StringIO(f"# OpenBoNT {kind}; its fields: openbont schema {kind}\n")
    text.seek(0, os.SEEK_END)
    writer = _yaml()
    writer.default_flow_style, writer.width = False, LARGEST_BYTES
    writer.Representer = _Representer
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.dump(_tidy(noun.model_dump(exclude_defaults=True)), text)
    return text.getvalue()


class _Representer(SafeRepresenter):
    """Quotes words with a line break of Unicode, which other styles would turn into a space."""

    def represent_str(self, data: str) -> ScalarNode:
        """One word or sentence."""
        style = '"' if re.search("[\x85\u2028\u2029]", data) else None
        return self.represent_scalar(f"{TAG}str", data, style=style)


_Representer.add_representer(str, _Representer.represent_str)


def _tidy(value: Any) -> Any:
    """Lists for tuples, and 40 for 40.0."""
    if isinstance(value, dict):
        return {key: _tidy(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_tidy(item) for item in value]
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
    return int(value) if whole else value


def _yaml() -> YAML:
    return YAML(typ="safe", pure=True)


# ---- reading


def _load(path: Path, kind: type[AnyNoun]) -> AnyNoun:
    page = _Page(path.name)
    return _checked(page, page.data(_text(path)), kind)


def noun_of(
    data: Any, kind: type[AnyNoun], lookups: Lookups = LOOKUPS
) -> tuple[AnyNoun | None, dict[Place, BadInput]]:
    """The noun that plain data say, as from a form; or None, and what is wrong at which place."""
    page = _Page("")
    page.lines[()] = 1
    try:
        return _checked(page, data, kind, lookups), {}
    except BadInput:
        return None, page.mistakes


def _likeliest(kinds: Sequence[type[Noun]], data: Any) -> type[Noun]:
    names = set(data) if isinstance(data, dict) else set()

    def strange(kind: type[Noun]) -> int:
        needed = {name for name, field in kind.model_fields.items() if field.is_required()}
        return len(names - kind.model_fields.keys()) + len(needed - names)

    return min(kinds, key=strange)


def _checked(page: "_Page", data: Any, kind: type[AnyNoun], lookups: Lookups = LOOKUPS) -> AnyNoun:
    """The noun that the data say, or every mistake in them."""
    try:
        noun = kind.model_validate_json(json.dumps(data))
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            page.refuse(kind, data, detail)
        raise page.mistake() from None
    page.mistakes |= wrong_names(noun, page.where, lookups)
    if page.mistakes:
        raise page.mistake()
    return noun


def _text(path: Path) -> str:
    """What the file says, or why it cannot be read."""
    try:
        if path.is_dir():
            raise BadInput(str(path), "a folder, not a file", _files_in(path, path.name))
        if not path.exists():
            raise BadInput(str(path), "no such file", _files_in(path.parent, path.name))
        if not path.is_file():
            raise BadInput(str(path), "not a plain file", "give a YAML or JSON file")
        if path.stat().st_size > LARGEST_BYTES:
            raise BadInput(str(path), "larger than 1 MB", "a patient or a plan is a short text")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        problem = f"not UTF-8 text (byte 0x{error.object[error.start]:02x} at {error.start})"
        raise BadInput(path.name, problem, "save it as UTF-8") from error
    except (OSError, ValueError) as error:
        raise BadInput(str(path), f"cannot be read: {error}") from error


def _files_in(folder: Path, name: str) -> str:
    if not folder.is_dir():
        return f"there is no folder {folder}"
    files = sorted(p.name for p in folder.iterdir() if p.suffix in {".yaml", ".yml", ".json"})
    return f"there is {', '.join(nearest(name, files) or files[:6]) or 'no YAML or JSON file'}"


class _Page:
    """A file as it is read: the line of every place, and what is wrong there."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[Place, int] = {}
        self.mistakes: dict[Place, BadInput] = {}

    def line(self, place: Place) -> int:
        """The line of a place, or of the nearest one around it."""
        return next(
            self.lines[place[:n]] for n in range(len(place), -1, -1) if place[:n] in self.lines
        )

    def where(self, place: Place) -> str:
        """plan.yaml:7: sessions[0].product"""
        return f"{self.name}:{self.line(place)}" + (f": {dotted(place)}" if place else "")

    def wrong(self, place: Place, problem: str, way_out: str = "") -> None:
        """Note what is wrong at a place and the way out; the first mistake there stays."""
        self.mistakes.setdefault(place, BadInput(self.where(place), problem, way_out))

    def mistake(self) -> BadInput:
        """The mistake that stands first in the file, with the others as its notes."""
        first, *others = (self.mistakes[place] for place in sorted(self.mistakes, key=self.line))
        for other in others:
            first.add_note(str(other))
        return first

    # ---- text -> plain data

    def data(self, text: str) -> Any:
        """The plain data of a YAML text, with the line of each place remembered."""
        self.lines[()] = 1
        try:
            root = _yaml().compose(text)
            if root is None:
                self.wrong((), "empty file", "begin with openbont demo, or see openbont schema")
                raise self.mistake()
            self.lines[()] = root.start_mark.line + 1
            return self._plain(root, ())
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            at = f"{self.name}:{mark.line + 1}:{mark.column + 1}" if mark else self.name
            raise BadInput(at, f"not YAML: {error.problem}", "mend the file there") from error
        except YAMLError as error:
            first = str(error).splitlines()[0]
            raise BadInput(self.name, f"not a text file: {first}", "give a YAML text") from error
        except RecursionError:
            raise BadInput(self.name, "nested too deeply", "see openbont schema") from None

    def _plain(self, node: Node, place: Place) -> Any:
        if node.anchor:
            self.wrong(place, f"anchor or alias {node.anchor!r}", "write the value out")
            return None
        if isinstance(node, MappingNode) and node.tag == f"{TAG}map":
            return self._mapping(node, place)
        if isinstance(node, SequenceNode) and node.tag == f"{TAG}seq":
            return [self._item(item, (*place, n)) for n, item in enumerate(node.value)]
        if isinstance(node, ScalarNode) and str(node.tag).startswith(TAG):
            return self._scalar(node, place)
        self.wrong(place, f"tag {node.tag!r}", "plain values only")
        return None

    def _mapping(self, node: MappingNode, place: Place) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key, value in node.value:
            name = _text_of(key)
            at = (*place, name)
            if name in data:
                self.wrong(
                    at, f"written twice, again on line {key.start_mark.line + 1}", "keep one"
                )
            self.lines.setdefault(at, key.start_mark.line + 1)
            data.setdefault(name, self._plain(value, at))
        return data

    def _item(self, node: Node, place: Place) -> Any:
        self.lines[place] = node.start_mark.line + 1
        return self._plain(node, place)

    def _scalar(self, node: ScalarNode, place: Place) -> Any:
        """A word stays a word: dates and odd numbers are never guessed."""
        text, kind = _text_of(node), str(node.tag).removeprefix(TAG)
        if place[-1:] == ("date",) and not ISO_DATE.fullmatch(text):
            self.wrong(place, f"not a date (value {text!r})", "write year-month-day: 2026-03-02")
        if kind in {"int", "float"} and DECIMAL.fullmatch(text):
            return float(text) if kind == "float" else int(text)
        if kind == "float" and text.lower().lstrip("+-") in {".nan", ".inf"}:
            self.wrong(place, f"not a finite number (value {text})", "leave out what is not known")
        elif kind in {"int", "float"}:
            self.wrong(place, f"an unusual number (value {text})", "write it plainly, or in quotes")
        elif text.lower() not in CONSTANTS.get(kind, {text.lower()}):
            self.wrong(place, f"not {kind} as of YAML 1.2 (value {text!r})", "write it plainly")
        elif kind not in {"str", "bool", "null", "timestamp"}:
            self.wrong(place, f"tag {node.tag!r}", "plain values only")
        return {"bool": text.lower() == "true", "null": None}.get(kind, text)

    # ---- pydantic's errors in the words of the house

    def refuse(self, kind: type[Noun], data: Any, error: ErrorDetails) -> None:
        """Note one error of pydantic: its place, what is wrong, and the way out."""
        place = _place(error["loc"], data)
        if error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]:
            return  # only because its items are wrong, which is said at the items
        if error["type"] == "missing":
            place = (*place, error["loc"][-1])
        owner = _owner(kind, place)
        if error["type"] == "extra_forbidden":
            self.wrong(place, f"unknown field{_shown(error)}", _right_name(str(place[-1]), owner))
        else:
            self.wrong(place, *_words(error, place, owner))


def _text_of(node: Node) -> str:
    """The text of a scalar, JSON's surrogate pairs joined."""
    text = node.value if isinstance(node, ScalarNode) else "(not a name)"
    return str(text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def dotted(place: Place) -> str:
    """sessions[0].injections[1].dose_u"""
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in place]
    return "".join(steps).removeprefix(".")


def _place(loc: Place, data: Any) -> Place:
    """`loc` as far as it leads through the data: without the names of union branches."""
    for n, step in enumerate(loc):
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return loc[:n]
    return loc


def _owner(kind: type[Noun], place: Place) -> dict[str, FieldInfo]:
    """The fields that may stand where the last name of `place` stands."""
    fields = kind.model_fields
    for step in place[:-1]:
        if isinstance(step, str):
            fields = _fields_within(fields[step].annotation)
    return fields


def _fields_within(annotation: Any) -> dict[str, FieldInfo]:
    if isinstance(annotation, type) and issubclass(annotation, Noun):
        return annotation.model_fields
    return next(filter(None, map(_fields_within, get_args(annotation))), {})


def _right_name(name: str, fields: dict[str, FieldInfo]) -> str:
    usual = USUAL_NAMES.get(name.lower())
    likely = [usual] if usual in fields else nearest(name, fields)
    return f"did you mean {' or '.join(likely)}?" if likely else f"known: {', '.join(fields)}"


def _shown(error: ErrorDetails) -> str:
    value = error["input"]
    text = repr(value) if isinstance(value, str) else json.dumps(value)
    return f" (value {text if len(text) < 60 else text[:56] + ' ...'})"


def _words(error: ErrorDetails, place: Place, fields: dict[str, FieldInfo]) -> tuple[str, str]:
    """What is wrong with a value, and the way out."""
    shown, limits = _shown(error), error.get("ctx", {})
    name = str(next((step for step in reversed(place) if isinstance(step, str)), ""))
    match error["type"]:
        case "missing":
            return "missing field", _meaning(fields, name)
        case "float_type":
            return f"a plain number is needed{shown}", _unit(name)
        case "int_type" | "int_from_float":
            return f"a whole number is needed{shown}", _unit(name)
        case "string_type":
            return f"a text is needed{shown}", "put it in quotes"
        case "bool_type":
            return f"true or false is needed{shown}", "write it without quotes"
        case "model_type" | "tuple_type" as kind:
            what = "a list" if kind == "tuple_type" else "a group of fields"
            return f"{what} is needed{shown}", _meaning(fields, name)
        case "literal_error":
            return f"not one of {limits['expected']}{shown}", _likely(error)
        case "too_short" | "too_long":
            bounds = {"too_short": "at least", "too_long": "at most"}[error["type"]]
            count = limits.get("min_length", limits.get("max_length"))
            return f"{bounds} {count} needed, {limits['actual_length']} given", ""
        case "value_error":
            return str(limits["error"]), ""
        case "date_parsing" | "date_type":
            return f"not a date{shown}", "write year-month-day: 2026-03-02"
    return re.sub(r"^\w+ should", "must", error["msg"]) + shown, _unit(name)


def _meaning(fields: dict[str, FieldInfo], name: str) -> str:
    """The first sentence of what the field means."""
    about = (fields[name].description or "") if name in fields else ""
    return f"{name}: {' '.join(about.split())}" if about else ""


def _unit(name: str) -> str:
    unit = next((UNITS[ending] for ending in UNITS if name.endswith(ending)), None)
    return f"write the number alone, in {unit}" if unit else ""


def _likely(error: ErrorDetails) -> str:
    choices = re.findall(r"'([^']+)'", error["ctx"]["expected"])
    likely = nearest(str(error["input"]), choices)
    return f"did you mean {' or '.join(likely)}?" if likely else ""
