"""The summary of an import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

_LONGEST_LIST = 10


class Ignored(StrEnum):
    """Why a file is no post."""

    OTHER_FORMAT = "not Markdown"
    SECTION = "_index.md"
    NO_FRONT_MATTER = "without front matter"


@dataclass(slots=True)
class Summary:
    """What an import did, by the paths of the files relative to the folder."""

    source: str
    dry_run: bool = False
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    ignored: Counter[Ignored] = field(default_factory=Counter)
    skipped: dict[str, str] = field(default_factory=dict)
    """The reason for each file that should have been a post and is not."""
    renamed: dict[str, str] = field(default_factory=dict)
    """The username of each author whose handle could not be one."""
    co_authors: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The authors that a file names beyond the first, whose post it is."""
    dated_by_file: list[str] = field(default_factory=list)
    """The files without a date, whose posts have the time of the file."""

    def __str__(self) -> str:
        return "\n".join(_printable(line) for line in self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{'Dry run of importing' if self.dry_run else 'Imported'} {self.source}"
        yield f"  created   {self.created:>6}"
        yield f"  updated   {self.updated:>6}"
        yield f"  unchanged {self.unchanged:>6}"
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.ignored.items()))
        yield f"  ignored   {self.ignored.total():>6}" + (f"  ({kinds})" if kinds else "")
        yield f"  skipped   {len(self.skipped):>6}"
        yield from _section(
            "Skipped:", [f"{path}: {reason}" for path, reason in self.skipped.items()]
        )
        yield from _section(
            "Authors whose handle is no valid username:",
            [f"{handle} is {username}" for handle, username in self.renamed.items()],
        )
        yield from _section(
            "Further authors, not kept:",
            [f"{path}: {', '.join(names)}" for path, names in self.co_authors.items()],
        )
        yield from _section(
            "Without a date, so they have the time of their file:", _shorten(self.dated_by_file)
        )
        if self.dry_run:
            yield "Nothing was written."


def _section(heading: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield heading
        yield from (f"  {line}" for line in lines)


def _shorten(items: list[str]) -> list[str]:
    if len(items) <= _LONGEST_LIST:
        return items
    return [*items[:_LONGEST_LIST], f"and {len(items) - _LONGEST_LIST} more"]


def _printable(text: str) -> str:
    """The text with everything escaped that could move the cursor or break the encoding."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
