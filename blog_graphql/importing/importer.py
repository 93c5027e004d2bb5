"""Importing a folder of Markdown posts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import exists, or_, select
from sqlalchemy.exc import DBAPIError, NoResultFound
from sqlalchemy.ext.asyncio import AsyncSession

from blog_graphql.db.database import Database
from blog_graphql.db.models import Post, Tag, User
from blog_graphql.db.session import database_errors, session_context
from blog_graphql.db.types import utcnow
from blog_graphql.errors import BadUserInput
from blog_graphql.importing.authors import AuthorName
from blog_graphql.importing.directory import Author, Directory
from blog_graphql.importing.document import Document, read_document
from blog_graphql.importing.fields import line
from blog_graphql.importing.files import SourceFile, find_files, read_file
from blog_graphql.importing.posts import create_post, record_source, renew_source, update_post
from blog_graphql.importing.report import Ignored, Summary
from blog_graphql.importing.sources import KnownSources, Source
from blog_graphql.text import is_storable

# What a kill can lose, and for how long an SQLite file is locked at a time.
_BATCH_SIZE = 200

ProgressCallback = Callable[[int, int], None]


async def import_folder(
    database: Database,
    path: Path,
    *,
    author: str | None = None,
    dry_run: bool = False,
    origin: str | None = None,
    on_progress: ProgressCallback | None = None,
) -> Summary:
    """Bring the posts of a folder, or of one file, into a migrated database.

    Args:
        database: where to.
        path: a folder of Markdown files with front matter, or one such file.
        author: whose posts those are that name nobody.
        dry_run: write nothing, and report what would have been written.
        origin: what the files are remembered under, instead of the folder's path.
        on_progress: called with the number of files done and of all files.

    Raises:
        StartupError: there is nothing at the path, or it cannot be read.
        BadUserInput: ``author`` is no name.
        ServiceUnavailable: the database was lost; the batches before that stay.
    """
    fallback = None if author is None else _author_name(author)
    found = find_files(path)
    run = _Import(
        Summary(source=str(path), dry_run=dry_run, skipped=dict(found.unreadable)),
        await KnownSources.load(database, origin or found.root.as_posix()),
        fallback,
    )
    batches = _batches(found.files, on_progress)
    with database_errors():
        if dry_run:
            async with database.transaction() as session:
                for batch in batches:
                    await run.write(session, run.read(batch))
                await session.rollback()
        else:
            for batch in batches:
                candidates = run.read(batch)
                async with database.transaction() as session:
                    await run.write(session, candidates)
    return run.summary


def _batches(
    files: Sequence[SourceFile], on_progress: ProgressCallback | None
) -> Iterator[Sequence[SourceFile]]:
    for start in range(0, len(files), _BATCH_SIZE):
        batch = files[start : start + _BATCH_SIZE]
        yield batch
        if on_progress is not None:
            on_progress(start + len(batch), len(files))


async def is_empty(database: Database) -> bool:
    """Whether the database holds no user, no post and no tag."""
    anything = or_(*(exists(select(model.id)) for model in (User, Post, Tag)))
    async with session_context(database) as session:
        return not await session.scalar(select(anything))


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A file whose post is to be written."""

    file: SourceFile
    path: str
    content_hash: str
    document: Document


class _Import:
    """One run: what is known of the blog, and what was done so far."""

    def __init__(
        self, summary: Summary, sources: KnownSources, fallback: AuthorName | None
    ) -> None:
        self.summary = summary
        self._sources = sources
        self._fallback = fallback
        self._directory = Directory()
        self._now = utcnow()

    def read(self, files: Sequence[SourceFile]) -> list[_Candidate]:
        """The new and edited posts among the files; the others are counted."""
        candidates = []
        for file in files:
            try:
                result = self._read(file)
            except BadUserInput as error:
                self.summary.skipped[file.relative] = str(error)
                continue
            if isinstance(result, _Candidate):
                candidates.append(result)
            elif result is None:
                self.summary.unchanged += 1
            else:
                self.summary.ignored[result] += 1
        return candidates

    async def write(self, session: AsyncSession, candidates: Sequence[_Candidate]) -> None:
        """Write the candidates, each whole or not at all."""
        if not candidates:
            return
        await self._sources.find_moved(session, {each.content_hash for each in candidates})
        for candidate in candidates:
            try:
                await self._write_whole(session, candidate)
            except BadUserInput as error:
                self.summary.skipped[candidate.file.relative] = str(error)

    def _read(self, file: SourceFile) -> _Candidate | Ignored | None:
        if not file.is_markdown:
            return Ignored.OTHER_FORMAT
        if file.is_section:
            return Ignored.SECTION
        content = read_file(file)
        if content is None:
            return Ignored.OTHER_FORMAT
        path = self._sources.path(file.relative)
        if not is_storable(path):
            raise BadUserInput("the name of the file is not UTF-8")
        known = self._sources.find(path)
        if known and known.content_hash == content.hash:
            return None
        document = read_document(content.data, file.path, content.modified)
        if document is None:
            return Ignored.NO_FRONT_MATTER
        return _Candidate(file, path, content.hash, document)

    async def _write_whole(self, session: AsyncSession, candidate: _Candidate) -> None:
        for _attempt in range(2):
            try:
                with database_errors():
                    async with session.begin_nested():
                        await self._write_post(session, candidate)
            except (DBAPIError, NoResultFound):
                # Somebody else wrote at the same time: what was remembered may be wrong.
                self._directory.forget()
                await self._sources.refresh(session, candidate.path)
            else:
                return
        raise BadUserInput("the database refused it; somebody else may be writing the same post")

    async def _write_post(self, session: AsyncSession, candidate: _Candidate) -> None:
        connection = await session.connection()
        path, content_hash = candidate.path, candidate.content_hash
        known = self._sources.find(path)
        moved = None if known else self._sources.take_moved(content_hash)
        if moved is not None:
            await renew_source(connection, moved, path, content_hash, self._now)
            self._sources.remember(path, Source(moved, content_hash))
            self.summary.unchanged += 1
            return
        document = candidate.document
        author = await self._directory.author(session, self._author_of(document))
        tag_ids = await self._directory.tag_ids(session, document.tags)
        if known is None:
            post_id = await create_post(session, document, author.id, tag_ids, self._now)
            await record_source(connection, post_id, path, content_hash, self._now)
            self.summary.created += 1
        else:
            post_id = known.post_id
            changed = await update_post(session, post_id, document, author.id, tag_ids, self._now)
            await renew_source(connection, post_id, path, content_hash, self._now)
            self.summary.updated += changed
            self.summary.unchanged += not changed
        self._sources.remember(path, Source(post_id, content_hash))
        self._note(candidate, author)

    def _author_of(self, document: Document) -> AuthorName:
        author = document.authors[0] if document.authors else self._fallback
        if author is None:
            raise BadUserInput("it names no author; give one with --author NAME")
        return author

    def _note(self, candidate: _Candidate, author: Author) -> None:
        document = candidate.document
        name = self._author_of(document)
        if not name.is_username:
            self.summary.renamed[name.handle] = author.username
        if len(document.authors) > 1:
            others = tuple(other.full_name or other.handle for other in document.authors[1:])
            self.summary.co_authors[candidate.file.relative] = others
        if not document.is_dated:
            self.summary.dated_by_file.append(candidate.file.relative)


def _author_name(text: str) -> AuthorName:
    name = AuthorName(line(text, "the author"))
    if not name.handle:
        raise BadUserInput("the author must have a name")
    return name
