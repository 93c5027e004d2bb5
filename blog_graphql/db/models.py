"""The ORM models: users and their sessions, posts and where they came from, tags."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, validates

from blog_graphql.db.types import (
    UTCDateTime,
    code_point_string,
    code_point_text,
    nulls_last,
    utcnow,
)
from blog_graphql.text import fold

# A password hash that no password matches: the account cannot sign in until one is set.
UNUSABLE_PASSWORD = "!"  # noqa: S105 - a marker, not a password


def same_as_created_at(context: Any) -> datetime:
    """The default of ``updated_at``: a new row was last changed when it was made."""
    moment: datetime = context.get_current_parameters()["created_at"]
    return moment


class UserRole(StrEnum):
    """What a user may do."""

    AUTHOR = "AUTHOR"
    EDITOR = "EDITOR"
    ADMIN = "ADMIN"


class Base(DeclarativeBase):
    """The declarative base; its naming convention gives every constraint a name."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UTCDateTime}  # noqa: RUF012 - SQLAlchemy's own hook


post_tags = Table(
    "post_tags",
    Base.metadata,
    Column("post_id", ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_post_tags_tag_id_post_id", "tag_id", "post_id"),
)


class User(Base):
    """Somebody who writes, edits or runs the blog."""

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("username_key"),
        UniqueConstraint("email_key"),
        Index(None, "username", "id"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(code_point_string(50))
    username_key: Mapped[str] = mapped_column(code_point_text())
    email: Mapped[str | None] = mapped_column(String(255))
    email_key: Mapped[str | None] = mapped_column(code_point_text())
    hashed_password: Mapped[str] = mapped_column(String(255))
    full_name: Mapped[str | None] = mapped_column(String(100))
    bio: Mapped[str | None] = mapped_column(Text)
    role: Mapped[UserRole] = mapped_column(
        Enum(UserRole, name="role", native_enum=False, length=16, create_constraint=True),
        default=UserRole.AUTHOR,
    )
    is_active: Mapped[bool] = mapped_column(default=True)
    last_login_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    updated_at: Mapped[datetime] = mapped_column(default=same_as_created_at)

    posts: Mapped[list[Post]] = relationship(
        back_populates="author", lazy="raise", passive_deletes=True
    )

    @validates("username")
    def _fold_username(self, _key: str, value: str) -> str:
        self.username_key = fold(value)
        return value

    @validates("email")
    def _fold_email(self, _key: str, value: str | None) -> str | None:
        self.email_key = None if value is None else fold(value)
        return value


class Post(Base):
    """An article, as Markdown."""

    __tablename__ = "posts"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(code_point_string(200))
    slug: Mapped[str] = mapped_column(code_point_string(200))
    content: Mapped[str] = mapped_column(Text)
    is_published: Mapped[bool] = mapped_column(default=False, server_default=false())
    published_at: Mapped[datetime | None]
    view_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    # No onupdate: counting a view is not an edit.
    updated_at: Mapped[datetime] = mapped_column(default=same_as_created_at)

    author: Mapped[User] = relationship(back_populates="posts", lazy="raise")
    tags: Mapped[list[Tag]] = relationship(
        secondary=post_tags, back_populates="posts", lazy="raise", passive_deletes=True
    )

    __table_args__: Any = (
        UniqueConstraint("slug"),
        CheckConstraint("view_count >= 0", name="view_count"),
        CheckConstraint("version >= 1", name="version"),
        Index(None, "title", "id"),
        Index(None, "created_at", "id"),
        Index(None, "updated_at", "id"),
        Index(None, "view_count", "id"),
        Index(None, "author_id", "created_at", "id"),
    )


# Nulls last in each direction takes an index each: no plain one has both.
Index("ix_posts_published_at_asc_id", nulls_last(Post.published_at, descending=False), Post.id)
Index("ix_posts_published_at_desc_id", nulls_last(Post.published_at, descending=True), Post.id)


class Tag(Base):
    """A word that posts are found by."""

    __tablename__ = "tags"
    __table_args__ = (
        UniqueConstraint("name_key"),
        Index(None, "name", "id"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(code_point_string(50))
    name_key: Mapped[str] = mapped_column(code_point_text())
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    posts: Mapped[list[Post]] = relationship(
        secondary=post_tags, back_populates="tags", lazy="raise", passive_deletes=True
    )

    @validates("name")
    def _fold_name(self, _key: str, value: str) -> str:
        self.name_key = fold(value)
        return value


class PostSlug(Base):
    """A slug that a post held while it was visible: it goes on finding the post."""

    __tablename__ = "post_slugs"
    __table_args__ = (Index(None, "post_id"),)

    slug: Mapped[str] = mapped_column(code_point_string(200), primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"))


class Session(Base):
    """A sign-in that lasts: its refresh token changes with each use, and only hashes are kept."""

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "user_id"), Index(None, "expires_at"))

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_hash: Mapped[str] = mapped_column(String(64))
    previous_token_hash: Mapped[str | None] = mapped_column(String(64))
    rotated_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime]


class PostSource(Base):
    """The file that a post was imported from: its path and hash are its identity."""

    __tablename__ = "post_sources"
    __table_args__ = (UniqueConstraint("path"), Index(None, "content_hash"))

    post_id: Mapped[int] = mapped_column(
        Integer, ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    path: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[str] = mapped_column(String(64))
    imported_at: Mapped[datetime] = mapped_column(default=utcnow)
