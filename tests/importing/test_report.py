"""The text of a summary."""

from __future__ import annotations

from blog_graphql.importing import Summary


def test_a_summary_of_nothing() -> None:
    assert str(Summary("blog")) == (
        "Imported blog\n"
        "  created        0\n"
        "  updated        0\n"
        "  unchanged      0\n"
        "  ignored        0\n"
        "  skipped        0"
    )


def test_a_long_list_of_undated_files_is_shortened() -> None:
    lines = str(Summary("blog", dated_by_file=[f"{n}.md" for n in range(12)])).splitlines()
    assert lines[6:] == [
        "Without a date, so they have the time of their file:",
        *(f"  {n}.md" for n in range(10)),
        "  and 2 more",
    ]


def test_ten_undated_files_are_all_named() -> None:
    lines = str(Summary("blog", dated_by_file=[f"{n}.md" for n in range(10)])).splitlines()
    assert lines[-1] == "  9.md"


def test_nothing_in_a_summary_can_move_the_cursor() -> None:
    text = str(Summary("blog", skipped={"a\nb.md": "date: \x1b[2J", "c\udcff.md": "Größe"}))
    assert text.splitlines()[-2:] == ["  a\\nb.md: date: \\x1b[2J", "  c\\udcff.md: Größe"]
