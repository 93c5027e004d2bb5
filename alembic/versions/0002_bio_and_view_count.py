"""Add users.bio and posts.view_count."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("users", sa.Column("bio", sa.Text()))
    # Column and constraint in one statement: adding the constraint afterwards would make
    # SQLite copy the whole table.
    op.execute(
        "ALTER TABLE posts ADD COLUMN view_count INTEGER DEFAULT 0 NOT NULL "
        "CONSTRAINT ck_posts_view_count CHECK (view_count >= 0)"
    )
    op.create_index("ix_posts_view_count_id", "posts", ["view_count", "id"])


def downgrade() -> None:
    op.drop_index("ix_posts_view_count_id", "posts")
    op.drop_column("posts", "view_count")
    op.drop_column("users", "bio")
