"""The command `openbont`: one short function a command, the same verbs as in Python."""

from openbont.cli.main import main
from openbont.cli.shared import NOT_A_DEVICE, app

__all__ = ["NOT_A_DEVICE", "app", "main"]
