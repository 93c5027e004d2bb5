"""The table of settings in ``docs/configuration.md``, made from the settings class.

``python -m tests.support.settings_table`` writes it anew.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

from blog_graphql.settings import Settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"

_BEGIN = "<!-- settings: written by `python -m tests.support.settings_table` -->\n"
_END = "<!-- end of settings -->\n"


def settings_table() -> str:
    """Every setting with its default and meaning, as a Markdown table."""
    rows = [
        f"| `BLOG_{name.upper()}` | {_default(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| Variable | Default | Meaning |", "| --- | --- | --- |", *rows, ""])


def document(text: str) -> str:
    """The document with its table up to date."""
    before, rest = text.split(_BEGIN)
    _, after = rest.split(_END)
    return f"{before}{_BEGIN}\n{settings_table()}\n{_END}{after}"


def _default(value: Any) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value.value if isinstance(value, StrEnum) else value}`"


if __name__ == "__main__":
    DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
