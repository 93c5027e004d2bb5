"""Excerpts: plain text out of Markdown, cut where a reader would not mind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog_graphql.db.database import Database
from blog_graphql.errors import BadUserInput
from blog_graphql.posts.excerpt import excerpt, plain_text
from tests.support.blog import Blog
from tests.support.client import Client
from tests.support.statements import recorded_statements

KOREAN = "한국어로 쓴 글은 낱말 사이를 띄어 씁니다"
CHINESE = "床前明月光疑是地上霜举头望明月低头思故乡" * 3


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("Plain *words* and **strong `code`**.", "Plain words and strong code."),
        ("# A title\n\nThen text\nover lines.", "A title Then text over lines."),
        ("[a link](https://example.com) ![an image](x.png)", "a link an image"),
        ("> quoted\n\n- one\n- two\n\n1. three", "quoted one two three"),
        ("```python\nprint('x')\n```\nafter", "print('x') after"),
        ("<div class='a'>block <b>html</b></div>\n\nAnd <i>inline</i>.", "block html And inline."),
        ("<script>alert(1)</script>\n\nafter", "after"),
        ("<style>p { color: red }</style>\n\nafter", "after"),
        ("a  \nhard break", "a hard break"),
        ("| a | b |\n| - | - |\n| c | d |", "a b c d"),
        ("&amp; &lt;tag&gt; \\*star\\*", "& <tag> *star*"),
        ("<!-- hidden -->\n\nshown", "shown"),
        ("", ""),
    ],
)
def test_plain_text(markdown: str, text: str) -> None:
    assert plain_text(markdown) == text


@pytest.mark.parametrize(
    ("markdown", "length", "expected"),
    [
        ("exactly twenty chars", 20, "exactly twenty chars"),
        ("one word more than twenty", 20, "one word more than…"),
        ("no break in-the-middle of it", 24, "no break in-the-middle…"),
        (KOREAN, 20, "한국어로 쓴 글은 낱말 사이를 띄어…"),
        (CHINESE, 20, CHINESE[:19] + "…"),
        ("x" * 100, 30, "x" * 29 + "…"),
        ("e\u0301" * 30, 20, "e\u0301" * 9 + "…"),
        ("👩\u200d💻" * 30, 21, "👩\u200d💻" * 6 + "…"),
    ],
)
def test_cutting(markdown: str, length: int, expected: str) -> None:
    assert excerpt(markdown, length) == expected


@given(st.text(max_size=400), st.integers(20, 1_000))
def test_never_longer_than_asked_for(markdown: str, length: int) -> None:
    text = plain_text(markdown)
    cut = excerpt(markdown, length)
    assert len(cut) <= length
    assert cut == text or (cut.endswith("…") and text.startswith(cut[:-1]))


async def test_a_long_post_is_not_read_whole(
    client: Client, blog: Blog, database: Database
) -> None:
    paragraph = "Some *words* in a paragraph.\n\n"
    await blog.post(await blog.user("ann"), slug="a", content=paragraph * 15_000)
    with recorded_statements(database) as statements:
        data = await client.execute('{ post(by: {slug: "a"}) { excerpt(length: 1000) } }')
    assert data["post"]["excerpt"] == excerpt(paragraph * 100, 1_000)
    assert "substr(posts.content, " in statements[1]


def test_markup_without_text_does_not_hide_what_follows() -> None:
    assert excerpt(f"![]({'x' * 4_000})\n\nHere it begins.", 20) == "Here it begins."


@pytest.mark.parametrize("length", [19, 1_001, -1])
def test_bounds(length: int) -> None:
    with pytest.raises(BadUserInput, match=f"between 20 and 1000; it is {length}"):
        excerpt("text", length)


async def test_over_graphql(client: Client, blog: Blog) -> None:
    await blog.post(await blog.user("ann"), slug="a", content="word " * 100)
    data = await client.execute(
        """{ post(by: {slug: "a"}) {
          standard: excerpt  null: excerpt(length: null)  short: excerpt(length: 20)
        } }"""
    )
    assert len(data["post"]["standard"]) == 200
    assert data["post"]["null"] == data["post"]["standard"]
    assert data["post"]["short"] == "word word word word…"
    refusal = await client.refused('{ post(by: {slug: "a"}) { excerpt(length: 5) } }')
    assert refusal == ("BAD_USER_INPUT", "length must be between 20 and 1000; it is 5.")
