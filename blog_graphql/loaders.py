"""DataLoaders: what one operation reads by key, batched into a statement each.

Keys are collected while resolvers of a level run, so the number of statements
depends on the shape of a query and never on its number of rows.
"""

from __future__ import annotations

from abc import abstractmethod
from asyncio import Future, shield
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import aiodataloader
from sqlalchemy import BindParameter, ColumnElement, bindparam, func, select, union

from blog_graphql.db.filters import Criteria
from blog_graphql.db.models import Post, PostSlug, Tag, User, post_tags
from blog_graphql.db.pages import (
    Outside,
    PageSpec,
    Source,
    select_counts,
    select_existence,
    select_page,
)
from blog_graphql.db.rows import AnyRow, PostRow, TagRow, UserRow, columns
from blog_graphql.db.session import SessionContext
from blog_graphql.db.visibility import Visibility
from blog_graphql.errors import StaleRead

KeyT = TypeVar("KeyT", bound=Hashable)
SpecT = TypeVar("SpecT", bound=Hashable)
ResultT = TypeVar("ResultT")

# PostgreSQL takes 32,767 parameters a statement.
_MOST_KEYS = 10_000

# Characters of Markdown that an excerpt is made of: no excerpt needs more but that of a post
# which begins with pages of markup, and the parser's worst cases grow with the square.
EXCERPTED_CONTENT = 6_000

Parent: TypeAlias = int | None


class Page(NamedTuple):
    """Rows in the order asked for, and whether more lie beyond the end they were read to."""

    rows: list[Any]
    has_more: bool


class DataLoader(aiodataloader.DataLoader[KeyT, ResultT]):
    """A loader whose users may be cancelled while others wait for the same key.

    A field that fails cancels its siblings; without a shield they would cancel
    the future that is cached for everybody.
    """

    max_batch_size = _MOST_KEYS

    def load(self, key: KeyT) -> Future[ResultT]:
        """The value for a key, in a future of the caller's own."""
        future = shield(super().load(key))
        future.add_done_callback(_observe)
        return future

    def do_resolve_reject(self, key: KeyT, future: Future[ResultT]) -> None:
        """Queue a key that is asked for the first time."""
        future.add_done_callback(_observe)
        super().do_resolve_reject(key, future)


def _observe(future: Future[Any]) -> None:
    """Take note of an error that nobody may be left to take, so that asyncio does not log it."""
    if not future.cancelled():
        future.exception()


class RowLoader(DataLoader[KeyT, Any]):
    """Rows by a unique column; None where there is none that the viewer may read.

    The rows are Any to the type checker: resolvers return them where the schema
    has types.
    """

    def __init__(
        self,
        session: SessionContext,
        row_type: type[AnyRow],
        column: ColumnElement[Any],
        visible: ColumnElement[bool] | None = None,
    ) -> None:
        super().__init__()
        self._session = session
        self._row_type: type[AnyRow] = row_type
        statement = select(*columns(row_type), column.label("key"))
        statement = statement.where(column.in_(bindparam("keys", expanding=True)))
        self._statement = statement if visible is None else statement.where(visible)

    async def batch_load_fn(self, keys: list[KeyT]) -> list[AnyRow | None]:
        """Read all keys in one statement."""
        rows = await self._session.fetch(self._statement, keys=keys)
        found = {row[-1]: self._row_type._make(row[:-1]) for row in rows}
        return [found.get(key) for key in keys]


class PostBySlugLoader(DataLoader[str, Any]):
    """Visible posts by the slug that they have, or had while they were visible."""

    def __init__(self, session: SessionContext, visibility: Visibility) -> None:
        super().__init__()
        self._session = session
        slugs: BindParameter[Any] = bindparam("keys", expanding=True)
        own = select(Post.id, Post.slug).where(Post.slug.in_(slugs))
        former = select(PostSlug.post_id, PostSlug.slug).where(PostSlug.slug.in_(slugs))
        # No two posts have a slug in common, so a post found twice is the same one.
        found = union(own, former).subquery()
        self._statement = (
            select(*columns(PostRow), found.c.slug)
            .join_from(Post, found, found.c.id == Post.id)
            .where(visibility.posts())
        )

    async def batch_load_fn(self, keys: list[str]) -> list[PostRow | None]:
        """Read all posts in one statement."""
        rows = await self._session.fetch(self._statement, keys=keys)
        found = {row[-1]: PostRow._make(row[:-1]) for row in rows}
        return [found.get(key) for key in keys]


class ContentLoader(DataLoader[int, str]):
    """The Markdown of posts or its beginning, by the post's key."""

    def __init__(
        self, session: SessionContext, visibility: Visibility, length: int | None = None
    ) -> None:
        super().__init__()
        self._session = session
        content = Post.content if length is None else func.substr(Post.content, 1, length)
        self._statement = select(Post.id, content.label("content")).where(
            Post.id.in_(bindparam("keys", expanding=True)), visibility.posts()
        )

    async def batch_load_fn(self, keys: list[int]) -> list[str]:
        """Read all contents in one statement.

        Raises:
            StaleRead: a post is gone since the operation read it.
        """
        rows = await self._session.fetch(self._statement, keys=keys)
        contents: dict[int, str] = {row.id: row.content for row in rows}
        if missing := [key for key in keys if key not in contents]:
            raise StaleRead(f"posts {missing} vanished")
        return [contents[key] for key in keys]


class TagsOfPostLoader(DataLoader[int, Any]):
    """The tags of visible posts by name, by the post's key."""

    def __init__(self, session: SessionContext, visibility: Visibility) -> None:
        super().__init__()
        self._session = session
        self._statement = (
            select(*columns(TagRow), post_tags.c.post_id)
            .select_from(Tag.__table__.join(post_tags).join(Post.__table__))
            .where(post_tags.c.post_id.in_(bindparam("keys", expanding=True)), visibility.posts())
            .order_by(Tag.name, Tag.id)
        )

    async def batch_load_fn(self, keys: list[int]) -> list[list[TagRow]]:
        """Read the tags of all posts in one statement."""
        tags: defaultdict[int, list[TagRow]] = defaultdict(list)
        for row in await self._session.fetch(self._statement, keys=keys):
            tags[row[-1]].append(TagRow._make(row[:-1]))
        return [tags[key] for key in keys]


@dataclass(frozen=True, slots=True)
class Key(Generic[SpecT]):
    """What is asked of the rows under one parent, or of all rows."""

    parent: Parent
    spec: SpecT


class SourceLoader(DataLoader[Key[SpecT], ResultT]):
    """Answers by parent: one statement for all parents of whom the same is asked."""

    def __init__(self, session: SessionContext, visibility: Visibility, source: Source) -> None:
        super().__init__()
        self.session = session
        self.visibility = visibility
        self.source = source

    async def batch_load_fn(self, keys: list[Key[SpecT]]) -> list[ResultT]:
        """Read one statement for each distinct specification."""
        parents: defaultdict[SpecT, list[Parent]] = defaultdict(list)
        for key in keys:
            parents[key.spec].append(key.parent)
        found = {spec: await self.read(spec, asked) for spec, asked in parents.items()}
        return [found[key.spec][key.parent] for key in keys]

    @abstractmethod
    async def read(self, spec: SpecT, parents: Sequence[Parent]) -> dict[Parent, ResultT]:
        """The answer for each of the parents."""

    def keys(self, parents: Sequence[Parent]) -> list[int] | None:
        """The parents' keys, or None for a source without parents."""
        return None if self.source.parent is None else [key for key in parents if key is not None]


class PageLoader(SourceLoader[PageSpec, Page]):
    """Pages of rows."""

    async def read(self, spec: PageSpec, parents: Sequence[Parent]) -> dict[Parent, Page]:
        """Read the same page of each parent."""
        statement = select_page(
            self.source,
            spec,
            self.visibility,
            self.keys(parents),
            row_values=self.session.seeks_row_values,
        )
        row_type, width = self.source.row_type, len(self.source.row_type._fields)
        rows: dict[Parent, list[Any]] = {parent: [] for parent in parents}
        for row in await self.session.fetch(statement):
            parent = None if self.source.parent is None else row[width]
            rows[parent].append(row_type._make(row[:width]))
        return {parent: _cut(found, spec) for parent, found in rows.items()}


class CountLoader(SourceLoader[Criteria, int]):
    """Numbers of rows."""

    async def read(self, spec: Criteria, parents: Sequence[Parent]) -> dict[Parent, int]:
        """Count the rows of each parent."""
        statement = select_counts(self.source, spec, self.visibility, self.keys(parents))
        rows = await self.session.fetch(statement)
        if self.source.parent is None:
            return {None: rows[0][0]}
        counts = {row[1]: row[0] for row in rows}
        return {parent: counts.get(parent, 0) for parent in parents}


class ExistenceLoader(SourceLoader[Outside, bool]):
    """Whether rows lie beyond an end of a page."""

    async def read(self, spec: Outside, parents: Sequence[Parent]) -> dict[Parent, bool]:
        """Look beyond the same end of each parent's page."""
        statement = select_existence(
            self.source,
            spec,
            self.visibility,
            self.keys(parents),
            row_values=self.session.seeks_row_values,
        )
        rows = await self.session.fetch(statement)
        if self.source.parent is None:
            return {None: rows[0][0]}
        found = {row[0] for row in rows}
        return {parent: parent in found for parent in parents}


def _cut(rows: list[Any], spec: PageSpec) -> Page:
    page = rows[: spec.limit]
    if spec.backward:
        page.reverse()
    return Page(page, has_more=len(rows) > spec.limit)


class Loaders:
    """The loaders of one operation, each made when first used."""

    def __init__(self, session: SessionContext, visibility: Visibility) -> None:
        self.session = session
        self.visibility = visibility
        self._pages: dict[Source, PageLoader] = {}
        self._counts: dict[Source, CountLoader] = {}
        self._existence: dict[Source, ExistenceLoader] = {}

    @cached_property
    def user_by_id(self) -> RowLoader[int]:
        """Users by key."""
        return RowLoader(self.session, UserRow, User.__table__.c.id)

    @cached_property
    def user_by_username(self) -> RowLoader[str]:
        """Users by folded username."""
        return RowLoader(self.session, UserRow, User.__table__.c.username_key)

    @cached_property
    def post_by_id(self) -> RowLoader[int]:
        """Visible posts by key."""
        visible = self.visibility.posts()
        return RowLoader(self.session, PostRow, Post.__table__.c.id, visible)

    @cached_property
    def post_by_slug(self) -> PostBySlugLoader:
        """Visible posts by slug."""
        return PostBySlugLoader(self.session, self.visibility)

    @cached_property
    def tag_by_id(self) -> RowLoader[int]:
        """Visible tags by key."""
        return RowLoader(self.session, TagRow, Tag.__table__.c.id, self.visibility.tags())

    @cached_property
    def tag_by_name(self) -> RowLoader[str]:
        """Visible tags by folded name."""
        return RowLoader(self.session, TagRow, Tag.__table__.c.name_key, self.visibility.tags())

    @cached_property
    def post_content(self) -> ContentLoader:
        """The Markdown of visible posts."""
        return ContentLoader(self.session, self.visibility)

    @cached_property
    def post_beginning(self) -> ContentLoader:
        """As much Markdown of visible posts as an excerpt takes."""
        return ContentLoader(self.session, self.visibility, EXCERPTED_CONTENT)

    @cached_property
    def tags_of_post(self) -> TagsOfPostLoader:
        """The tags of visible posts."""
        return TagsOfPostLoader(self.session, self.visibility)

    def pages(self, source: Source) -> PageLoader:
        """Pages from a source."""
        if source not in self._pages:
            self._pages[source] = PageLoader(self.session, self.visibility, source)
        return self._pages[source]

    def counts(self, source: Source) -> CountLoader:
        """Counts over a source."""
        if source not in self._counts:
            self._counts[source] = CountLoader(self.session, self.visibility, source)
        return self._counts[source]

    def existence(self, source: Source) -> ExistenceLoader:
        """Whether a source has rows outside a page."""
        if source not in self._existence:
            self._existence[source] = ExistenceLoader(self.session, self.visibility, source)
        return self._existence[source]
