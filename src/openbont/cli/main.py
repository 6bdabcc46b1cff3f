"""Run one command.

Exit status 0: fine. 1: a stop finding, or nothing to choose from. 2: bad input.
"""

import os
import sys
from collections.abc import Sequence

import openbont.cli.about
import openbont.cli.clinic
import openbont.cli.exchange
import openbont.cli.keeping
import openbont.cli.ledger
import openbont.cli.paper
import openbont.cli.plans
import openbont.cli.records
import openbont.cli.serve
import openbont.cli.trials  # noqa: F401
from openbont.cli.shared import INTERRUPTED, app, refuse
from openbont.doctor import cache_home, home_is_writable
from openbont.errors import OpenBoNTError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; every refusal is one sentence and an exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _remember()
    try:
        app(given, prog_name="openbont")
    except OpenBoNTError as error:
        refuse(error, as_json="--json" in given)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _remember() -> None:
    """Keep what jax compiles and the fields that are solved, so that the second run is faster."""
    if home_is_writable():
        os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(cache_home() / "openbont"))
        os.environ.setdefault("OPENBONT_CACHE", str(cache_home() / "openbont"))
