"""Taking files apart into front matter and text."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from blog_graphql.errors import BadUserInput
from blog_graphql.importing.frontmatter import split_front_matter

MALFORMED = "the YAML front matter is malformed: "
TOO_DEEP = "the YAML front matter is nested over 50 levels deep"


@pytest.mark.parametrize(
    ("text", "fields", "content"),
    [
        pytest.param("---\ntitle: Hi\n---\nText\n", {"title": "Hi"}, "Text\n", id="yaml"),
        pytest.param("+++\ntitle = 'Hi'\n+++\nText", {"title": "Hi"}, "Text", id="toml"),
        pytest.param('{"title": "Hi"}\nText', {"title": "Hi"}, "\nText", id="json"),
        pytest.param('{\n  "a": {"b": 1}\n}\n', {"a": {"b": "1"}}, "\n", id="json, nested"),
        pytest.param("{}\nText", {}, "\nText", id="json, empty"),
        pytest.param("---\ntitle: Hi\n...\nText", {"title": "Hi"}, "Text", id="dots close"),
        pytest.param("\n\n--- \na: b\n---\t\nText", {"a": "b"}, "Text", id="blank around"),
        pytest.param("---\na: b\n---", {"a": "b"}, "", id="no text"),
        pytest.param("---\n---\nText", {}, "Text", id="empty"),
        pytest.param("---\n# nothing yet\n---\nText", {}, "Text", id="comment alone"),
        pytest.param("+++\n+++\nText", {}, "Text", id="empty toml"),
        pytest.param("---\na: x\n---\n---\nb: c\n", {"a": "x"}, "---\nb: c\n", id="rule in text"),
        pytest.param("---\na: x --- y\n---\n", {"a": "x --- y"}, "", id="dashes within"),
        pytest.param("---\npublishDate: b\n---\n", {"publishdate": "b"}, "", id="any case"),
    ],
)
def test_front_matter_and_text(text: str, fields: dict[str, Any], content: str) -> None:
    assert split_front_matter(text) == (fields, content)


def test_scalars_of_yaml_stay_text() -> None:
    text = "---\ntags: [2020, 1.10, on, true, 0x1F, 2023-12-15, ~, null, !!int 7]\n---\n"
    parts = split_front_matter(text)
    assert parts is not None
    assert parts.fields["tags"] == [
        "2020", "1.10", "on", "true", "0x1F", "2023-12-15", None, None, "7",
    ]  # fmt: skip


def test_values_of_toml_and_json_keep_their_types() -> None:
    toml = split_front_matter("+++\nday = 2023-12-15\nnumber = 1.10\nflag = true\n+++\n")
    jsons = split_front_matter('{"number": 1.10, "flag": true, "none": null}')
    assert toml is not None
    assert jsons is not None
    assert toml.fields == {"day": date(2023, 12, 15), "number": "1.10", "flag": True}
    assert jsons.fields == {"number": "1.10", "flag": True, "none": None}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Just text",
        "# A heading\n\n---\n\nand a rule",
        "{% include header.html %}\n",
        "{{< figure >}}",
        "----\na: b\n----\n",
        " ---\na: b\n---\n",
    ],
)
def test_a_text_without_front_matter(text: str) -> None:
    assert split_front_matter(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("---\na: b\n", "the front matter is not closed by a second line of ---"),
        ("+++\na = 1\n", "the front matter is not closed by a second line of +++"),
        ("---\njust words\n---\n", "the front matter is not a mapping of names to values"),
        ("---\n- a\n---\n", "the front matter is not a mapping of names to values"),
        (
            "---\ntitle: Rust: the book\n---\n",
            MALFORMED + "mapping values are not allowed in this context (line 2)",
        ),
        (
            "---\na: b\nc: [d\n---\n",
            "the YAML front matter is malformed: did not find expected ',' or ']' (line 4)",
        ),
        (
            "---\na: !!python/object:os.system {}\n---\n",
            MALFORMED + "expected a scalar node, but found mapping (line 2)",
        ),
        (
            "---\n? [a]\n: b\n---\n",
            "the YAML front matter is malformed: found unhashable key (line 2)",
        ),
        ("---\na: " + "[" * 60 + "\n---\n", TOO_DEEP),
        ("---\n" + "- " * 100_000 + "\n---\n", TOO_DEEP),
        (
            "+++\ntitle = Hi\n+++\n",
            "the TOML front matter is malformed: Invalid value (at line 1, column 9)",
        ),
        (
            '{"a": }\n',
            "the JSON front matter is malformed: Expecting value: line 1 column 7 (char 6)",
        ),
    ],
)
def test_broken_front_matter_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(BadUserInput) as refusal:
        split_front_matter(text)
    assert str(refusal.value) == reason


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("---\na: \x01\n---\n", "the YAML front matter is malformed: "),
        ("+++\na = " + "[" * 100_000 + "\n+++\n", "the TOML front matter is malformed: "),
        ('{"a": ' + "[" * 100_000, "the JSON front matter is malformed: "),
    ],
    ids=["control character", "deep toml", "deep json"],
)
def test_hostile_front_matter_is_refused(text: str, start: str) -> None:
    with pytest.raises(BadUserInput) as refusal:
        split_front_matter(text)
    assert str(refusal.value).startswith(start)


def test_a_yaml_list_that_holds_itself_is_read() -> None:
    parts = split_front_matter("---\na: &a [*a]\n---\nText")
    assert parts is not None
    assert parts.fields["a"][0] is parts.fields["a"]
