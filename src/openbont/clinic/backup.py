"""Copies that are known to be good."""

from pathlib import Path

from openbont.clinic.database import Database


def before_migration(held: Database, schema: str) -> Path:
    """A copy of the database as it is before its schema changes."""
    raise NotImplementedError
