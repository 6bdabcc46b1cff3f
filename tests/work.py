"""Pieces of work for the queue of the workbench; another process has to find them by name."""

import os
import time
from collections.abc import Callable

from openbont.errors import BadInput
from openbont.web.results import Result

Tell = Callable[[float], None]


def quick(tell: Tell) -> Result:
    """Something is found."""
    tell(0.5)
    return Result({"found": 42}, {"rows.csv": "a\r\n1\r\n"})


def endless(tell: Tell) -> Result:
    """Ends when it is ended."""
    tell(0.25)
    time.sleep(3600)
    raise AssertionError


def refused(tell: Tell) -> Result:
    """Something is wrong in what was asked."""
    raise BadInput("trial", "nobody enters", "widen the criteria")


def broken(tell: Tell) -> Result:
    """A mistake of ours."""
    raise ZeroDivisionError("with what is asked about Anton Berger")


def killed(tell: Tell) -> Result:
    """As where memory is short."""
    os._exit(9)
