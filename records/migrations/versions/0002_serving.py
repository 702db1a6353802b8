"""Conversation events, outcomes of customers, shadow answers, limits of keys."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "conversation_events",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("conversation_id", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("conversation_id", "seq"),
    )
    op.create_table(
        "shadows",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("assistant", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("started_by", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["version"], ["versions.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "one_running_shadow",
        "shadows",
        ["assistant"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_table(
        "shadow_answers",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("shadow_id", sa.String(length=40), nullable=False),
        sa.Column("turn_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("handed_over", sa.Boolean(), nullable=False),
        sa.Column("finish_reason", sa.String(length=32), nullable=True),
        sa.Column("prompt_tokens", sa.Integer(), nullable=True),
        sa.Column("completion_tokens", sa.Integer(), nullable=True),
        sa.Column("mean_logprob", sa.Double(), nullable=True),
        sa.Column("duration_ms", sa.Double(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["shadow_id"], ["shadows.id"]),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("shadow_id", "turn_id"),
    )
    for column in ("turn_id", "version"):
        op.create_index(op.f(f"ix_shadow_answers_{column}"), "shadow_answers", [column])
    op.add_column("turns", sa.Column("withheld", sa.Text(), nullable=True))
    for column in ("requests_per_minute", "concurrent_requests"):
        op.add_column("api_keys", sa.Column(column, sa.Integer(), nullable=True))
    op.add_column("arms", sa.Column("spans", sa.JSON(), nullable=False, server_default="[]"))
    _place_arms()
    _widen_outcomes()


def _place_arms() -> None:
    """Arms of running experiments keep the customers that the rule before gave them."""
    connection = op.get_bind()
    rows = connection.execute(
        sa.text(
            "SELECT id, experiment_id, position, share FROM arms ORDER BY experiment_id, position"
        )
    )
    left: dict[str, int] = {}
    for arm, experiment, position, share in rows:
        size = round(share * 1_000_000)
        first = 1_000_000 - size if position == 1 else left.get(experiment, 0)
        if position != 1:
            left[experiment] = first + size
        connection.execute(
            sa.text("UPDATE arms SET spans = :spans WHERE id = :id"),
            {"spans": f"[[{first}, {first + size}]]", "id": arm},
        )


def _widen_outcomes() -> None:
    with op.batch_alter_table("outcomes") as table:
        table.alter_column("conversation_id", existing_type=sa.String(length=40), nullable=True)
        table.add_column(sa.Column("assistant", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("customer", sa.String(length=200), nullable=True))
        table.add_column(sa.Column("turn_id", sa.String(length=40), nullable=True))
        table.add_column(sa.Column("comment", sa.Text(), nullable=True))
        table.add_column(sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=True))
        table.create_foreign_key("outcomes_turn_id_fkey", "turns", ["turn_id"], ["id"])
    op.execute(
        """
        UPDATE outcomes SET occurred_at = created_at,
          assistant = (SELECT c.assistant FROM conversations c WHERE c.id = conversation_id),
          customer = (SELECT c.customer FROM conversations c WHERE c.id = conversation_id)
        """
    )
    with op.batch_alter_table("outcomes") as table:
        table.alter_column("assistant", existing_type=sa.String(length=64), nullable=False)
        table.alter_column("occurred_at", existing_type=sa.DateTime(timezone=True), nullable=False)
    for column in ("assistant", "customer"):
        op.create_index(op.f(f"ix_outcomes_{column}"), "outcomes", [column])
