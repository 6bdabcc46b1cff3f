"""The tables: what is recorded now, and the log of events that it follows from.

Accounts and half-filled forms stand beside them: they are no records, and are not in the log.
"""

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, Table, Text

SCHEMA = "0003"
"""The newest version of the schema; `migrations` leads there from every earlier one."""

metadata = MetaData()

record = Table(
    "record",
    metadata,
    Column("key", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("replaces", Text),
    Column("at", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Index("record_of_patient", "patient", "kind"),
)
"""What each record says now; `body` is the canonical JSON of its noun."""

event = Table(
    "event",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("clock_back", Boolean, nullable=False),
    Column("by", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("record", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Index("event_of_record", "record"),
)
"""What happened, in order; each row carries the digest of the one before it."""

account = Table(
    "account",
    metadata,
    Column("login", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("open", Boolean, nullable=False),
)
"""Who may sign in; `digest` is that of the password, by argon2id."""

draft = Table(
    "draft",
    metadata,
    Column("key", Text, primary_key=True),
    Column("patient", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("by", Text, nullable=False),
    Index("draft_of_patient", "patient"),
)
"""Forms as typed so far, right or not; gone once they are signed into a record."""
