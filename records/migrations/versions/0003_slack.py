"""Assignments, pauses, resolutions, edited replies, fixes of flagged answers, two-person consent."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    for table, column in _ADDED:
        op.add_column(table, column)
    op.execute(_COUNT_FLAGS)
    # What agents said before was confirmed to them when it was recorded.
    op.execute("UPDATE turns SET delivered_at = created_at WHERE role = 'agent'")
    op.create_index(
        "trial_conversations",
        "conversations",
        ["id"],
        sqlite_where=sa.text("trial = 1"),
        postgresql_where=sa.text("trial"),
    )
    unread = sa.text("role = 'agent' AND delivered_at IS NULL AND removed_at IS NULL")
    op.create_index(
        "undelivered_replies",
        "turns",
        ["created_at"],
        sqlite_where=unread,
        postgresql_where=unread,
    )
    op.create_table(
        "fixes",
        sa.Column("flag_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("handed_over", sa.Boolean(), nullable=False),
        sa.Column("fixed", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["flag_id"], ["flags.id"]),
        sa.ForeignKeyConstraint(["version"], ["versions.id"]),
        sa.PrimaryKeyConstraint("flag_id", "version"),
    )
    op.create_index(op.f("ix_fixes_version"), "fixes", ["version"])
    op.create_index(op.f("ix_flags_agent"), "flags", ["agent"])
    op.create_index(op.f("ix_examples_flag_id"), "examples", ["flag_id"])
    op.create_table(
        "consents",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("action", "subject", "actor"),
    )


_COUNT_FLAGS = """
    UPDATE flags SET position = (
        SELECT count(*) FROM flags AS earlier
        WHERE earlier.turn_id = flags.turn_id
          AND (earlier.created_at < flags.created_at
               OR (earlier.created_at = flags.created_at AND earlier.id < flags.id))
    )
"""

_ADDED: list[tuple[str, sa.Column[Any]]] = [
    (
        "conversations",
        sa.Column("trial", sa.Boolean(), nullable=False, server_default=sa.false()),
    ),
    ("turns", sa.Column("original", sa.Text(), nullable=True)),
    ("turns", sa.Column("edited_at", MOMENT, nullable=True)),
    ("turns", sa.Column("removed_at", MOMENT, nullable=True)),
    ("turns", sa.Column("delivered_at", MOMENT, nullable=True)),
    ("escalations", sa.Column("assignee", sa.String(length=64), nullable=True)),
    ("escalations", sa.Column("paused_at", MOMENT, nullable=True)),
    (
        "escalations",
        sa.Column("paused_seconds", sa.Double(), nullable=False, server_default="0"),
    ),
    ("escalations", sa.Column("resolution", sa.String(length=32), nullable=True)),
    ("escalations", sa.Column("resolved_by", sa.String(length=64), nullable=True)),
    ("escalations", sa.Column("note", sa.Text(), nullable=True)),
    ("flags", sa.Column("position", sa.Integer(), nullable=False, server_default="0")),
    ("flags", sa.Column("withdrawn", sa.Boolean(), nullable=False, server_default=sa.false())),
    ("flags", sa.Column("channel", sa.String(length=32), nullable=True)),
    ("flags", sa.Column("thread_ts", sa.String(length=32), nullable=True)),
    ("outcomes", sa.Column("position", sa.Integer(), nullable=True)),
    ("examples", sa.Column("edited_by", sa.String(length=64), nullable=True)),
    ("examples", sa.Column("decision_note", sa.Text(), nullable=True)),
    ("outbox", sa.Column("team", sa.String(length=32), nullable=True)),
]
