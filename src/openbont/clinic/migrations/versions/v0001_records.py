"""The first schema: records and the log of events, which only grows."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None

GROWS = "NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM event)"
SQLITE = """
CREATE TRIGGER event_grows BEFORE INSERT ON event WHEN {grows}
  BEGIN SELECT RAISE(ABORT, 'the log of events only grows'); END;
CREATE TRIGGER event_unchanged BEFORE UPDATE ON event
  BEGIN SELECT RAISE(ABORT, 'the log of events only grows'); END;
CREATE TRIGGER event_kept BEFORE DELETE ON event
  BEGIN SELECT RAISE(ABORT, 'the log of events only grows'); END;
CREATE TRIGGER record_kept BEFORE DELETE ON record
  BEGIN SELECT RAISE(ABORT, 'no record is deleted'); END;
"""
POSTGRESQL = """
CREATE FUNCTION openbont_refuse() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION USING MESSAGE = 'nothing is deleted from ' || TG_TABLE_NAME; END $$;
CREATE FUNCTION openbont_grows() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN IF {grows} THEN RAISE EXCEPTION 'the log of events only grows'; END IF;
  RETURN NEW; END $$;
CREATE TRIGGER event_grows BEFORE INSERT ON event
  FOR EACH ROW EXECUTE FUNCTION openbont_grows();
CREATE TRIGGER event_kept BEFORE UPDATE OR DELETE ON event
  FOR EACH ROW EXECUTE FUNCTION openbont_refuse();
CREATE TRIGGER event_not_emptied BEFORE TRUNCATE ON event
  FOR EACH STATEMENT EXECUTE FUNCTION openbont_refuse();
CREATE TRIGGER record_kept BEFORE DELETE ON record
  FOR EACH ROW EXECUTE FUNCTION openbont_refuse();
CREATE TRIGGER record_not_emptied BEFORE TRUNCATE ON record
  FOR EACH STATEMENT EXECUTE FUNCTION openbont_refuse();
"""


def upgrade() -> None:
    """Tables, then triggers."""
    op.create_table(
        "record",
        sa.Column("key", sa.Text, primary_key=True),
        *_texts("kind", "patient", "state", "body", "at", "by"),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("replaces", sa.Text),
    )
    op.create_table(
        "event",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        *_texts("at", "by", "action", "record", "body", "previous", "digest"),
        sa.Column("clock_back", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index("record_of_patient", "record", ["patient", "kind"])
    op.create_index("event_of_record", "event", ["record"])
    triggers = {"sqlite": SQLITE, "postgresql": POSTGRESQL}[op.get_context().dialect.name]
    for statement in triggers.format(grows=GROWS).split(";\nCREATE"):
        text = statement.strip().removesuffix(";")
        op.get_bind().exec_driver_sql(text if text.startswith("CREATE") else f"CREATE {text}")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]
