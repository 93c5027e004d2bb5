"""A post as its file describes it: front matter, text and path made into one document."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any

from blog_graphql.errors import BadUserInput
from blog_graphql.importing.authors import AuthorName, read_authors
from blog_graphql.importing.dates import date_in_folders, parse_date, split_dated_name
from blog_graphql.importing.fields import Fields, first_present, is_true, line, section, storable
from blog_graphql.importing.frontmatter import split_front_matter
from blog_graphql.importing.headings import first_heading
from blog_graphql.slugs import slugify_title
from blog_graphql.text import collapse_spaces, fold

MAX_TITLE_LENGTH = 200
MAX_CONTENT_LENGTH = 500_000
MAX_TAG_LENGTH = 50
MAX_TAGS = 30
_MOST_ITEMS = 1_000

# Hugo's, Jekyll's and Zola's names, and those of other generators that are spelled alike.
_PUBLICATION_KEYS = (
    *("publishdate", "pubdate", "pubdatetime", "published_at", "publishedat", "published_date"),
    *("publisheddate", "published"),
)
_UPDATE_KEYS = (
    *("lastmod", "updated", "last_modified_at", "modified", "updated_at", "updatedat"),
    *("moddatetime", "lastmodified", "last_modified"),
)
_ADDRESS_KEYS = ("path", "url", "permalink")
_PLURAL_TAG_KEYS = ("tags", "categories")
_TAG_KEYS = ("tags", "tag", "categories", "category")

# A pattern, another site's, or none on purpose.
_NO_ADDRESS = re.compile(r"[:{]|^\s*(?:false|none|null)\s*$", re.IGNORECASE)
_BLANK_LINES = re.compile(r"(?:[ \t]*\n)*")


@dataclass(frozen=True, slots=True)
class Document:
    """Everything a file says about its post; all of it fits the database."""

    title: str
    slug: str
    has_own_slug: bool
    """Whether the front matter names the slug, rather than the file's name."""
    content: str
    created_at: datetime
    published_at: datetime | None
    """None for a draft."""
    updated_at: datetime | None
    """None when the front matter does not say."""
    is_dated: bool
    """Whether the date was written somewhere; else it is the time of the file."""
    authors: tuple[AuthorName, ...]
    tags: tuple[str, ...]


def read_document(data: bytes, path: PurePath, modified: datetime) -> Document | None:
    """The document in a file's bytes, or None when they have no front matter.

    Args:
        data: what is in the file.
        path: where it is, for the names and dates in its path.
        modified: when it was last written, for a post that has no date.

    Raises:
        BadUserInput: the file cannot become a post; the message says why.
    """
    parts = split_front_matter(_decode(data))
    if parts is None:
        return None
    fields, content = parts.fields, _check_content(parts.content)
    name_date, name = split_dated_name(_own_name(path))
    address = _address(fields)
    own_slug = _own_slug(fields, address)
    date = _front_matter_date(fields, "date")
    publication = _publication_date(fields)
    written = date or publication or name_date or date_in_folders(path.as_posix())
    if written is None and address:
        written = date_in_folders(address)
    updated = _update_date(fields)
    written = written or updated
    created_at = written or modified
    return Document(
        title=_title(fields, content, name),
        slug=slugify_title(own_slug or name),
        has_own_slug=own_slug is not None,
        content=content,
        created_at=created_at,
        published_at=None if _is_draft(fields, path) else publication or created_at,
        updated_at=updated if updated and updated >= created_at else None,
        is_dated=written is not None,
        authors=read_authors(fields),
        tags=_tags(fields),
    )


def _decode(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadUserInput(f"it is not UTF-8 (byte {error.start + 1})") from None
    return storable(text, "the file").replace("\r\n", "\n").replace("\r", "\n")


def _check_content(text: str) -> str:
    text = text.rstrip()
    blank = _BLANK_LINES.match(text)
    content = text[blank.end() :] if blank else text
    if not content:
        raise BadUserInput("there is no text after the front matter")
    if len(content) > MAX_CONTENT_LENGTH:
        raise BadUserInput(
            f"the text has {len(content):,} characters; at most {MAX_CONTENT_LENGTH:,} are kept"
        )
    return content


def _own_name(path: PurePath) -> str:
    """The name of the file, or of the folder whose ``index`` it is."""
    name = unicodedata.normalize("NFC", path.stem).removesuffix(".html")
    if name == "index" or name.startswith("index."):
        # index.fr.md is the French page of the bundle.
        return unicodedata.normalize("NFC", path.parent.name) + name.removeprefix("index")
    return name


def _title(fields: Fields, content: str, name: str) -> str:
    given = first_present(fields, "title")
    title = line(given[1], "title") if given else first_heading(content)
    if not title:
        title = collapse_spaces(name.replace("-", " ").replace("_", " "))
        title = title[:1].upper() + title[1:]
    if not 1 <= len(title) <= MAX_TITLE_LENGTH:
        raise BadUserInput(
            f"the title has {len(title)} characters; 1 to {MAX_TITLE_LENGTH} are accepted"
        )
    return title


def _address(fields: Fields) -> str | None:
    """The page's own address, unless it is a pattern, on another site, or switched off."""
    for key in _ADDRESS_KEYS:
        value = fields.get(key)
        if isinstance(value, str) and not _NO_ADDRESS.search(value):
            address = value.strip().rstrip("/").removesuffix(".html").removesuffix("/index")
            if address:
                return address
    return None


def _own_slug(fields: Fields, address: str | None) -> str | None:
    given = first_present(fields, "slug")
    if given:
        slug = line(given[1], "slug")
        # Written as an address, it is one.
        return _last_part(slug) if slug.startswith("/") else slug
    return address and _last_part(address)


def _last_part(address: str) -> str:
    return address.rstrip("/").removesuffix(".html").removesuffix("/index").rpartition("/")[2]


def _front_matter_date(fields: Fields, *keys: str) -> datetime | None:
    given = first_present(fields, *keys)
    if given is None:
        return None
    key, value = given
    try:
        return parse_date(value)
    except BadUserInput as error:
        raise BadUserInput(f"{key}: {error}") from None


def _publication_date(fields: Fields) -> datetime | None:
    # Jekyll's `published` is a boolean and any word counts as true, Hugo's is a date.
    keys = [key for key in _PUBLICATION_KEYS if not _is_word(fields.get(key))]
    return _front_matter_date(fields, *keys)


def _update_date(fields: Fields) -> datetime | None:
    """The last change; what is no date, such as Hugo's ``:git``, is as good as none."""
    try:
        return _front_matter_date(fields, *_UPDATE_KEYS)
    except BadUserInput:
        return None


def _is_word(value: Any) -> bool:
    return _is_boolean(value) or (isinstance(value, str) and value.strip().isalpha())


def _is_draft(fields: Fields, path: PurePath) -> bool:
    draft = first_present(fields, "draft")
    if "_drafts" in path.parts or (draft and is_true(draft[1], "draft")):
        return True
    published = fields.get("published")
    if isinstance(published, str) and published.strip().lower() == "draft":
        return True
    return _is_boolean(published) and not is_true(published, "published")


def _is_boolean(value: Any) -> bool:
    try:
        is_true(value, "")
    except BadUserInput:
        return False
    return True


def _tags(fields: Fields) -> tuple[str, ...]:
    taxonomies = section(fields, "taxonomies")
    tags: dict[str, str] = {}
    for place, keys in ((fields, _TAG_KEYS), (taxonomies, _PLURAL_TAG_KEYS)):
        for key in keys:
            for name in _tag_names(place.get(key), key):
                tags.setdefault(fold(name), name)
    for tag in tags.values():
        if len(tag) > MAX_TAG_LENGTH:
            raise BadUserInput(
                f"the tag {tag!r} has {len(tag)} characters; at most {MAX_TAG_LENGTH} are accepted"
            )
    if len(tags) > MAX_TAGS:
        raise BadUserInput(f"there are {len(tags)} tags; at most {MAX_TAGS} are accepted")
    return tuple(tags.values())


def _tag_names(value: Any, key: str) -> Sequence[str]:
    if isinstance(value, str) and key in _PLURAL_TAG_KEYS:
        value = value.replace(",", " ").split()
    names = (line(item, key) for item in _flat(value, key) if item is not None)
    return [name for name in names if name]


def _flat(value: Any, key: str) -> Iterator[Any]:
    """The items of a list, and of the lists in it: Hexo nests categories."""
    pending = [value]
    for _ in range(_MOST_ITEMS):
        if not pending:
            return
        item = pending.pop()
        if isinstance(item, list):
            pending.extend(reversed(item))
        else:
            yield item
    # A few bytes of YAML aliases can stand for billions of items.
    raise BadUserInput(f"{key} has too many items")
