"""Text rules shared by the database, the API and the importer."""

from __future__ import annotations

import re
import unicodedata

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def fold(text: str) -> str:
    """The form under which names and emails are compared: NFKC case folding.

    Two NFKC passes around the case folding, as Unicode's ``toNFKC_Casefold``
    needs them: folding can undo a composition.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def is_storable(text: str) -> bool:
    """Whether a database can hold the text: it has no NUL and no lone surrogate."""
    return _UNSTORABLE.search(text) is None


def collapse_spaces(text: str) -> str:
    """The text trimmed, with every run of white space as one space."""
    return " ".join(text.split())
