"""Records carry the reason of a correction or withdrawal, which so far stood in the log alone."""

import json

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"


def upgrade() -> None:
    """Add the column and fill it from the newest event of each record."""
    op.add_column("record", sa.Column("reason", sa.Text, nullable=False, server_default=""))
    connection = op.get_bind()
    rows = connection.execute(
        sa.text("SELECT record, body FROM event WHERE record <> '' ORDER BY number")
    )
    reasons = {key: json.loads(body)["reason"] for key, body in rows}
    fill = sa.text("UPDATE record SET reason = :reason WHERE key = :key")
    for key, reason in reasons.items():
        connection.execute(fill, {"key": key, "reason": reason})
