"""Accounts of the workbench, and forms that are not finished."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0003", "0002"


def upgrade() -> None:
    """Two tables that stand beside the records."""
    op.create_table(
        "account",
        sa.Column("login", sa.Text, primary_key=True),
        *_texts("name", "roles", "digest"),
        sa.Column("open", sa.Boolean, nullable=False),
    )
    op.create_table(
        "draft",
        sa.Column("key", sa.Text, primary_key=True),
        *_texts("patient", "body", "at", "by"),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index("draft_of_patient", "draft", ["patient"])


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]
