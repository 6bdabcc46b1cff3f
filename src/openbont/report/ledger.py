"""The ledger of a patient as text for a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from openbont.clinic.ledger import Ledger, Line, Sum
from openbont.report.words import day


def show_ledger(page: Console, ledger: Ledger) -> None:
    """What was not counted first; then the sums of the 12 weeks, and the whole history."""
    if ledger.not_counted:
        page.print("[bold red]not counted[/]: it may be toxin, and the sums below lack it")
        for words in ledger.not_counted:
            page.print(f"  {escape(words)}", soft_wrap=True)
        page.print()
    page.print(f"{escape(ledger.patient)}, {day(ledger.since)} to {day(ledger.on)} (12 weeks)")
    _sums(page, "in all", ledger.totals)
    _sums(page, "by clinic", ledger.by_clinic)
    _sums(page, "by disorder", ledger.by_disorder)
    page.print(_last(ledger))
    for words in ledger.doubtful:
        page.print(f"[yellow]doubtful[/]: {escape(words)}")
    if ledger.lines:
        page.print(_history(ledger.lines))


def _sums(page: Console, words: str, sums: Sequence[Sum]) -> None:
    """Units of each product by itself."""
    for one in sums:
        of = f", {escape(one.of)}" if one.of else ""
        page.print(f"  {words}: {one.units:f} U {one.product}{of}", highlight=False)
    if not sums and words == "in all":
        page.print("  nothing was given in these weeks, as far as is known here")


def _last(ledger: Ledger) -> str:
    days = ledger.days_since_last
    return "no earlier session is known" if days is None else f"last session {days} days ago"


def _history(lines: Sequence[Line]) -> Table:
    table = Table(box=None)
    for name in ("date", "days ago", "units", "product", "for"):
        table.add_column(name, no_wrap=True)
    for name in ("clinic", "told by"):
        table.add_column(name, overflow="fold")
    for line in lines:
        past = line.session
        style = "" if line.counted else "dim"
        told = (past.product, past.disorder, past.clinic, ", ".join(line.sources))
        units = f"{line.units:f}"
        table.add_row(str(past.date), str(line.days_ago), units, *map(escape, told), style=style)
    return table
