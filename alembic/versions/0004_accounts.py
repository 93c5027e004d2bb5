"""Keep sessions, and the slugs that posts once had."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("previous_token_hash", sa.String(64)),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_sessions_user_id_users", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "post_slugs",
        sa.Column("slug", code_point_order(sa.String(200)), nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("slug", name="pk_post_slugs"),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name="fk_post_slugs_post_id_posts", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_post_slugs_post_id", "post_slugs", ["post_id"])


def downgrade() -> None:
    op.drop_table("post_slugs")
    op.drop_table("sessions")


def code_point_order(text: sa.String) -> TypeEngine[str]:
    """The same type, ordered by code point on PostgreSQL as SQLite does by itself."""
    collated = type(text)(text.length, collation="C")
    return text.with_variant(collated, "postgresql")
