"""What all commands share: the app, options, how a result, progress or a refusal is shown."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from openbont.errors import BadInput, OpenBoNTError
from openbont.report.plain import plain as plain

if TYPE_CHECKING:
    from rich.console import Console

NOT_A_DEVICE = "Research and decision support, not a medical device."
STOPPED, BAD_INPUT, INTERRUPTED = 1, 2, 130
ARM = "examples/arm_after_stroke"

app = typer.Typer(
    help="Plan, simulate and record botulinum neurotoxin treatment.",
    epilog=f"Start with: openbont demo\n\n{NOT_A_DEVICE}",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Draws = Annotated[int, typer.Option(min=2, max=100_000, help="Draws of what is not known.")]
Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
Folder = Annotated[Path, typer.Option("--out", help="Folder to write to.")]


def example(words: str) -> str:
    """The end of a command's help."""
    return f"Example: openbont {words}\n\n{NOT_A_DEVICE}"


@contextmanager
def progress(words: str) -> Iterator[Callable[[str], None]]:
    """Say on the terminal what is going on; silent in a pipe."""
    from rich.console import Console

    with Console(stderr=True).status(words) as status:
        yield lambda more: status.update(f"{words}: {more}")


@contextmanager
def bar(words: str) -> Iterator[Callable[[float], None]]:
    """How far a long computation has come, and how long it will take; silent in a pipe."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(words, total=1.0)
        yield lambda done: shown.update(task, completed=done)


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """A file or folder that cannot be written is bad input, said with its place."""
    try:
        yield
    except OSError as error:
        raise BadInput(str(place), f"could not be written: {error.strerror}") from error


def show(as_json: bool, data: dict[str, Any], text: "Callable[[Console], object]") -> None:
    """A result as JSON or as text."""
    if as_json:
        print_json(data)
        return
    from rich.console import Console

    page = Console(width=None if sys.stdout.isatty() else 100)
    text(page)
    page.print(f"\n{NOT_A_DEVICE}", style="dim")


def print_json(data: Any) -> None:
    """JSON that is the same whenever the data are."""
    print(json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False))


def refuse(error: OpenBoNTError, as_json: bool) -> None:
    """One sentence on standard error, or an object on standard output."""
    notes = getattr(error, "__notes__", [])
    if as_json:
        named = {"place": "", "problem": str(error), "way_out": ""}
        said = {name: getattr(error, name, value) for name, value in named.items()}
        print_json({"error": {**said, "kind": type(error).__name__, "others": notes}})
    else:
        print(error, *notes, sep="\n", file=sys.stderr)
    sys.exit(BAD_INPUT if isinstance(error, BadInput) else STOPPED)
