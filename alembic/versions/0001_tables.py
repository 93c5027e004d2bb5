"""Create the tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", code_point_order(sa.String(50)), nullable=False),
        sa.Column("username_key", code_point_order(sa.Text()), nullable=False),
        sa.Column("email", sa.String(255)),
        sa.Column("email_key", code_point_order(sa.Text())),
        sa.Column("hashed_password", sa.String(255), nullable=False),
        sa.Column("full_name", sa.String(100)),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("last_login_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("username_key", name="uq_users_username_key"),
        sa.UniqueConstraint("email_key", name="uq_users_email_key"),
        sa.CheckConstraint("role IN ('AUTHOR', 'EDITOR', 'ADMIN')", name=op.f("ck_users_role")),
    )
    op.create_index("ix_users_username_id", "users", ["username", "id"])
    op.create_index("ix_users_created_at_id", "users", ["created_at", "id"])

    op.create_table(
        "posts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", code_point_order(sa.String(200)), nullable=False),
        sa.Column("slug", code_point_order(sa.String(200)), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("is_published", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True)),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_posts"),
        sa.UniqueConstraint("slug", name="uq_posts_slug"),
        sa.CheckConstraint("version >= 1", name=op.f("ck_posts_version")),
        sa.ForeignKeyConstraint(
            ["author_id"], ["users.id"], name="fk_posts_author_id_users", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_posts_title_id", "posts", ["title", "id"])
    op.create_index("ix_posts_updated_at_id", "posts", ["updated_at", "id"])
    op.create_index("ix_posts_author_id_created_at_id", "posts", ["author_id", "created_at", "id"])
    # Nulls last in each direction takes an index each, on the very text that queries order by.
    for direction, moment in extremes().items():
        op.create_index(
            f"ix_posts_published_at_{direction}_id",
            "posts",
            [sa.text(f"coalesce(published_at, '{moment}')"), "id"],
        )

    op.create_table(
        "tags",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", code_point_order(sa.String(50)), nullable=False),
        sa.Column("name_key", code_point_order(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tags"),
        sa.UniqueConstraint("name_key", name="uq_tags_name_key"),
    )
    op.create_index("ix_tags_name_id", "tags", ["name", "id"])
    op.create_index("ix_tags_created_at_id", "tags", ["created_at", "id"])

    op.create_table(
        "post_tags",
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.Column("tag_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("post_id", "tag_id", name="pk_post_tags"),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name="fk_post_tags_post_id_posts", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tag_id"], ["tags.id"], name="fk_post_tags_tag_id_tags", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_post_tags_tag_id_post_id", "post_tags", ["tag_id", "post_id"])

    op.create_table(
        "post_sources",
        sa.Column("post_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("post_id", name="pk_post_sources"),
        sa.UniqueConstraint("path", name="uq_post_sources_path"),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name="fk_post_sources_post_id_posts", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_post_sources_content_hash", "post_sources", ["content_hash"])


def downgrade() -> None:
    op.drop_table("post_sources")
    op.drop_table("post_tags")
    op.drop_table("tags")
    op.drop_table("posts")
    op.drop_table("users")


def code_point_order(text: sa.String) -> TypeEngine[str]:
    """The same type, ordered by code point on PostgreSQL as SQLite does by itself."""
    collated = type(text)(text.length, collation="C")
    return text.with_variant(collated, "postgresql")


def extremes() -> dict[str, str]:
    """What stands for a missing moment in either direction of an order."""
    if op.get_context().dialect.name == "postgresql":
        return {"asc": "infinity", "desc": "-infinity"}
    return {"asc": "9999-12-31 23:59:59.999999", "desc": "0001-01-01 00:00:00.000000"}
