"""A file's bytes, path and time made into a document."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog_graphql.errors import BadUserInput
from blog_graphql.importing.document import Document, read_document

MODIFIED = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


# Twelve doublings of one item.
BOMB = b"---\nx0: &x0 [x]\n" + b"".join(
    b"x%d: &x%d [*x%d, *x%d]\n" % (number + 1, number + 1, number, number) for number in range(12)
)
BOMB += b"tags: *x12\n---\nText"


def read(text: str | bytes, path: str = "/blog/name.md") -> Document:
    data = text if isinstance(text, bytes) else text.encode()
    document = read_document(data, PurePosixPath(path), MODIFIED)
    assert document is not None
    return document


def yaml(*lines: str, content: str = "Text") -> str:
    return "\n".join(["---", *lines, "---", content])


def day(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


def test_a_whole_document() -> None:
    document = read(
        yaml(
            "title: A title",
            "date: 2023-12-15 08:30:00 +0100",
            "lastmod: 2024-01-02",
            "author: jane",
            "tags: [one, two]",
            content="\n\nText\n",
        ),
        "/blog/2020-01-01-some-name.md",
    )
    assert document == Document(
        title="A title",
        slug="some-name",
        has_own_slug=False,
        content="Text",
        created_at=datetime(2023, 12, 15, 7, 30, tzinfo=UTC),
        published_at=datetime(2023, 12, 15, 7, 30, tzinfo=UTC),
        updated_at=day(2024, 1, 2),
        is_dated=True,
        authors=document.authors,
        tags=("one", "two"),
    )
    assert [author.handle for author in document.authors] == ["jane"]


def test_a_file_without_front_matter_is_no_document() -> None:
    assert read_document(b"# README", PurePosixPath("/blog/README.md"), MODIFIED) is None


@pytest.mark.parametrize(
    "data",
    [
        b"---\ntitle: Hi\n---\nOne\n\nTwo\n",
        b"\xef\xbb\xbf---\ntitle: Hi\n---\nOne\n\nTwo\n",
        b"---\r\ntitle: Hi\r\n---\r\nOne\r\n\r\nTwo\r\n",
        b"---\rtitle: Hi\r---\rOne\r\rTwo\r",
        b"\xef\xbb\xbf+++\r\ntitle = 'Hi'\r\n+++\r\n \t\r\nOne\r\n\r\nTwo\r\n\r\n",
    ],
    ids=["plain", "byte order mark", "crlf", "cr", "all at once"],
)
def test_marks_and_line_ends_make_no_difference(data: bytes) -> None:
    document = read(data)
    assert (document.title, document.content) == ("Hi", "One\n\nTwo")


def test_the_indentation_of_the_first_line_stays() -> None:
    assert read(yaml("title: Hi", content="\n    code\n")).content == "    code"


@pytest.mark.parametrize(
    ("lines", "content", "path", "title"),
    [
        (["title: ' A  title '"], "# Heading", "/blog/x.md", "A title"),
        (["title: 2023"], "Text", "/blog/x.md", "2023"),
        (["title: true"], "Text", "/blog/x.md", "true"),
        (["title: >", "  folded", "  lines"], "Text", "/blog/x.md", "folded lines"),
        (["title:"], "Intro\n\n## The *real* [one](x)", "/blog/x.md", "The real one"),
        (["title: ''"], "```\n# code\n```\n\nHeading\n===", "/blog/x.md", "Heading"),
        (["a: b"], "Two\nlines\n---", "/blog/x.md", "Two lines"),
        (["a: b"], "# <b>Bold</b> `code`", "/blog/x.md", "Bold code"),
        (["a: b"], "#\n\n# Second", "/blog/x.md", "Second"),
        (["a: b"], "Text", "/blog/2023-12-15-my-first_post.md", "My first post"),
        (["a: b"], "Text", "/blog/2023-12-15-a-bundle/index.md", "A bundle"),
        (["a: b"], "Text", "/blog/u\u0308ber-uns.md", "Über uns"),
    ],
)
def test_the_title(lines: list[str], content: str, path: str, title: str) -> None:
    assert read(yaml(*lines, content=content), path).title == title


@pytest.mark.parametrize(
    ("line", "path", "slug", "own"),
    [
        ("a: b", "/blog/2023-12-15-My_Name.md", "my-name", False),
        ("a: b", "/blog/2023-12-15_name.md", "name", False),
        ("a: b", "/blog/bundle/index.md", "bundle", False),
        ("a: b", "/blog/2023-12-15-bundle/index.md", "bundle", False),
        ("a: b", "/blog/bundle/index.fr.md", "bundle-fr", False),
        ("a: b", "/blog/name.de.md", "name-de", False),
        ("a: b", "/blog/日记.md", "ri-ji", False),
        ("a: b", "/blog/!!!.md", "post", False),
        ("a: b", "/blog/2023-12-15.md", "2023-12-15", False),
        ("slug: Own Slug", "/blog/name.md", "own-slug", True),
        ("slug: 2023", "/blog/name.md", "2023", True),
        ("slug:", "/blog/name.md", "name", False),
        ("slug: '!!!'", "/blog/name.md", "post", True),
        ("path: 2023/12/15/2024-Edition-CFP", "/blog/name.md", "2024-edition-cfp", True),
        ("url: /posts/the-name/", "/blog/name.md", "the-name", True),
        ("permalink: /a/the-name.html", "/blog/name.md", "the-name", True),
        ("permalink: /a/the-name/index.html", "/blog/name.md", "the-name", True),
        ("permalink: /:year/:title/", "/blog/name.md", "name", False),
        ("permalink: /", "/blog/name.md", "name", False),
        ("url: https://example.org/elsewhere", "/blog/name.md", "name", False),
        ("permalink: '/{{ page.fileSlug }}/'", "/blog/name.md", "name", False),
        ("permalink: false", "/blog/name.md", "name", False),
        ("slug: /blog/the-name.html", "/blog/name.md", "the-name", True),
        ("a: b", "/blog/2023-12-15-name.html.md", "name", False),
    ],
)
def test_the_slug(line: str, path: str, slug: str, own: bool) -> None:
    document = read(yaml("title: T", line), path)
    assert (document.slug, document.has_own_slug) == (slug, own)


@pytest.mark.parametrize(
    ("line", "path", "expected"),
    [
        ("date: 2023-12-15", "/2020/01/01/2021-01-01-x.md", day(2023, 12, 15)),
        ("publishDate: 2023-12-15", "/2020/01/01/2021-01-01-x.md", day(2023, 12, 15)),
        ("published: 2023-12-15", "/blog/x.md", day(2023, 12, 15)),
        ("pubDate: 2023-12-15", "/blog/x.md", day(2023, 12, 15)),
        ("date:", "/2020/01/01/2021-01-01-x.md", day(2021, 1, 1)),
        ("a: b", "/blog/2023-12-15-name/index.md", day(2023, 12, 15)),
        ("a: b", "/blog/2023/12/15/name.md", day(2023, 12, 15)),
        ("path: 2023/12/15/name", "/blog/x.md", day(2023, 12, 15)),
        ("permalink: /2023/12/15/name/", "/blog/x.md", day(2023, 12, 15)),
        ("lastmod: 2023-12-15", "/blog/x.md", day(2023, 12, 15)),
        ("lastmod: 2023-12-15", "/blog/2021-01-01-x.md", day(2021, 1, 1)),
        ("pubDatetime: 2023-12-15", "/blog/x.md", day(2023, 12, 15)),
    ],
)
def test_the_date(line: str, path: str, expected: datetime) -> None:
    document = read(yaml("title: T", line), path)
    assert (document.created_at, document.published_at) == (expected, expected)
    assert document.is_dated


def test_a_post_without_a_date_has_the_time_of_its_file() -> None:
    document = read(yaml("title: T"))
    assert (document.created_at, document.published_at) == (MODIFIED, MODIFIED)
    assert not document.is_dated


def test_a_publication_date_beside_the_date_decides_when_it_is_shown() -> None:
    document = read(yaml("date: 2023-12-15", "publishDate: 2999-01-01"))
    assert (document.created_at, document.published_at) == (day(2023, 12, 15), day(2999, 1, 1))


def test_dates_of_toml() -> None:
    document = read("+++\ndate = 2023-12-15T08:00:00+02:00\nupdated = 2024-01-01\n+++\nText")
    assert document.created_at == datetime(2023, 12, 15, 6, tzinfo=UTC)
    assert document.updated_at == day(2024, 1, 1)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("lastmod: 2024-01-01", day(2024, 1, 1)),
        ("updated: 2023-12-15", day(2023, 12, 15)),
        ("last_modified_at: 2023-12-14", None),
        ("lastmod:", None),
        ("lastmod: :git", None),
        ("last_modified_at: false", None),
        ("modDatetime: 2024-01-01", day(2024, 1, 1)),
    ],
)
def test_the_date_of_the_last_change_unless_it_is_before_the_date(
    line: str, expected: datetime | None
) -> None:
    assert read(yaml("date: 2023-12-15", line)).updated_at == expected


@pytest.mark.parametrize(
    ("line", "path", "draft"),
    [
        ("a: b", "/blog/x.md", False),
        ("draft: true", "/blog/x.md", True),
        ("draft: 'Yes'", "/blog/x.md", True),
        ("draft: off", "/blog/x.md", False),
        ("draft:", "/blog/x.md", False),
        ("published: false", "/blog/x.md", True),
        ("published: on", "/blog/x.md", False),
        ("published: draft", "/blog/x.md", True),
        ("published: released", "/blog/x.md", False),
        ("draft: 1", "/blog/x.md", True),
        ("draft: 0", "/blog/x.md", False),
        ("published: 2023-12-15", "/blog/x.md", False),
        ("a: b", "/blog/_drafts/x.md", True),
        ("published: true", "/blog/_drafts/deeper/x.md", True),
    ],
)
def test_drafts(line: str, path: str, draft: bool) -> None:
    document = read(yaml("title: T", "date: 2023-12-15", line), path)
    assert document.created_at == day(2023, 12, 15)
    assert document.published_at == (None if draft else day(2023, 12, 15))


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        (yaml("tags: one two,three,  four"), ("one", "two", "three", "four")),
        (yaml("categories: release"), ("release",)),
        (yaml("tag: two words", "category: a, b"), ("two words", "a, b")),
        (yaml("tags: [2020, 1.10, on, ' two  words ']"), ("2020", "1.10", "on", "two words")),
        (yaml("tags:", "categories: []", "tag: ''"), ()),
        (yaml("tags: [null, '']"), ()),
        (yaml("categories: [[one, two], [one, [three]]]"), ("one", "two", "three")),
        (yaml("tags: [!!binary 5pel6K6w]"), ("日记",)),
        (yaml("tags: [!binary 5pel6K6w]"), ("日记",)),
        (yaml("tags: [Rust, rust]", "categories: [RUST, web]"), ("Rust", "web")),
        ("+++\ntags = [1, true, 2023-12-15]\n+++\nText", ("1", "true", "2023-12-15")),
        (
            "+++\n[taxonomies]\ntags = ['a', 'b']\ncategories = ['c']\n+++\nText",
            ("a", "b", "c"),
        ),
    ],
)
def test_the_tags(text: str, tags: tuple[str, ...]) -> None:
    assert read(text).tags == tags


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"---\ntitle: caf\xe9\n---\nText", "it is not UTF-8 (byte 15)"),
        (b"---\n---\nA\0B", "the file must not contain NUL characters or lone surrogates"),
        (
            b'{"title": "\\ud800"}\nText',
            "title must not contain NUL characters or lone surrogates",
        ),
        (b"---\ntitle: T\n---\n \n\n", "there is no text after the front matter"),
        (
            yaml(content="x" * 500_001).encode(),
            "the text has 500,001 characters; at most 500,000 are kept",
        ),
        (
            yaml("title: " + "x" * 201).encode(),
            "the title has 201 characters; 1 to 200 are accepted",
        ),
        (b"---\ntitle: [a]\n---\nText", "title must be text, not a list"),
        (b"---\nslug: {a: b}\n---\nText", "slug must be text, not a dict"),
        (
            b"---\ndate: soon\n---\nText",
            "date: 'soon' is not a date; write it as 2023-12-15 or 2023-12-15T08:30:00+01:00",
        ),
        (
            b"---\npublished: 15th\n---\nText",
            "published: '15th' is not a date; write it as 2023-12-15 or 2023-12-15T08:30:00+01:00",
        ),
        (b"---\ndraft: maybe\n---\nText", "draft must be true or false"),
        (
            yaml("tags: ['" + "x" * 51 + "']").encode(),
            f"the tag '{'x' * 51}' has 51 characters; at most 50 are accepted",
        ),
        (
            yaml("tags: " + " ".join(f"t{number}" for number in range(31))).encode(),
            "there are 31 tags; at most 30 are accepted",
        ),
        (b"---\ntags: {a: b}\n---\nText", "tags must be text, not a dict"),
        (
            b"---\ntags: [!!binary gICA]\n---\nText",
            "the YAML front matter is malformed: a binary value is not UTF-8 text (line 2)",
        ),
        (b"---\ntags: [[{a: b}]]\n---\nText", "tags must be text, not a dict"),
        (BOMB, "tags has too many items"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(BadUserInput) as refusal:
        read(data)
    assert str(refusal.value) == reason


@pytest.mark.parametrize("length", [1, 500_000])
def test_the_bounds_of_the_text_are_inclusive(length: int) -> None:
    assert read(yaml("title: T", content="x" * length)).content == "x" * length


def test_thirty_tags_of_fifty_characters_are_kept() -> None:
    tags = tuple(f"{number:050}" for number in range(30))
    assert read(yaml("tags: " + " ".join(tags))).tags == tags


@given(
    st.binary(max_size=200)
    | st.builds(
        lambda mark, head, body: f"{mark}\n{head}\n{mark}\n{body}".encode(),
        st.sampled_from(["---", "+++"]),
        st.text(alphabet="ab:-[]{}'\"!&*#%\n =1", max_size=80),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    )
    | st.builds(
        lambda key, value: yaml(f"{key}: {value}").encode(),
        st.sampled_from(["title", "date", "lastmod", "draft", "tags", "author", "slug", "url"]),
        st.text(alphabet="ab:-[]{}'\" ,./0123456789Ztrue", max_size=60),
    )
)
def test_any_bytes_are_a_document_or_refused(data: bytes) -> None:
    try:
        document = read_document(data, PurePosixPath("/blog/name.md"), MODIFIED)
    except BadUserInput:
        return
    assert document is None or 1 <= len(document.title) <= 200
