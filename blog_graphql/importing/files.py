"""Finding and reading the files of a blog."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from blog_graphql.errors import BadUserInput, StartupError

MAX_FILE_SIZE = 8 * 1024 * 1024
_MARKDOWN = {".md", ".markdown", ".mkd", ".mkdn", ".mdown"}
_GENERATED = {"node_modules", "_site"}


_JEKYLL_FOLDERS = {"_posts", "_drafts"}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file below the imported folder."""

    path: Path
    relative: str
    """Its path from the folder, with forward slashes."""

    @property
    def is_markdown(self) -> bool:
        """Whether the name is that of a Markdown file."""
        return self.path.suffix.lower() in _MARKDOWN

    @property
    def is_section(self) -> bool:
        """Whether it is no post by its name: ``_index.md``, or what Jekyll leaves out."""
        hidden = self.path.name.startswith("_") and self.path.parent.name in _JEKYLL_FOLDERS
        return hidden or self.path.name.partition(".")[0] == "_index"


@dataclass(frozen=True, slots=True)
class FileContent:
    """What was read from a file."""

    data: bytes
    modified: datetime

    @property
    def hash(self) -> str:
        """The SHA-256 of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Found:
    """A folder's files by path, and the folders that could not be read with the reason."""

    root: Path
    files: list[SourceFile]
    unreadable: dict[str, str]


def find_files(path: Path) -> Found:
    """Every file of a folder, or the one file; symlinked folders are not followed.

    Raises:
        StartupError: there is nothing at the path, or it cannot be read.
    """
    try:
        resolved = path.resolve(strict=True)
        if resolved.is_file():
            return Found(resolved.parent, [SourceFile(resolved, resolved.name)], {})
        os.scandir(resolved).close()
    except (OSError, RuntimeError, ValueError) as error:
        raise StartupError(f"{path} cannot be read: {_explain(error)}") from None
    errors: list[OSError] = []
    files = [
        SourceFile(file, file.relative_to(resolved).as_posix()) for file in _walk(resolved, errors)
    ]
    files.sort(key=lambda file: file.relative)
    unreadable = {
        Path(error.filename).relative_to(resolved).as_posix(): _explain(error) for error in errors
    }
    return Found(resolved, files, unreadable)


def read_file(file: SourceFile) -> FileContent | None:
    """The file's bytes, or None when it is no regular file.

    Raises:
        BadUserInput: it is too large, or cannot be read.
    """
    try:
        status = file.path.stat()
        if not stat.S_ISREG(status.st_mode):
            return None
        if status.st_size > MAX_FILE_SIZE:
            raise BadUserInput(f"the file is over {MAX_FILE_SIZE // 1024**2} MiB")
        modified = datetime.fromtimestamp(status.st_mtime, UTC)
        return FileContent(file.path.read_bytes(), modified)
    except (OSError, OverflowError, ValueError) as error:
        raise BadUserInput(f"the file cannot be read: {_explain(error)}") from None


def _walk(root: Path, errors: list[OSError]) -> Iterator[Path]:
    for folder, folders, names in os.walk(root, onerror=errors.append):
        folders[:] = [
            name for name in folders if not name.startswith(".") and name not in _GENERATED
        ]
        for name in names:
            if not name.startswith("."):
                yield Path(folder, name)


def _explain(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
