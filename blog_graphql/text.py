"""Text rules shared by the database, the API and the importer."""

from __future__ import annotations

import re
import unicodedata

# Characters: names have 50, each of which may be typed in up to four.
_LONGEST_NAME = 200

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def fold(text: str) -> str:
    """The form under which names and emails are compared: NFKC case folding.

    Two NFKC passes around the case folding, as Unicode's ``toNFKC_Casefold``
    needs them: folding can undo a composition.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def fold_name(text: str) -> str | None:
    """The form under which a name of a user or tag is looked up; None for what is too long for one.

    Normalising takes time with the square of a run of combining marks.
    """
    return None if len(text) > _LONGEST_NAME else fold(text)


def is_storable(text: str) -> bool:
    """Whether a database can hold the text: it has no NUL and no lone surrogate."""
    return _UNSTORABLE.search(text) is None


def is_blank(text: str) -> bool:
    """Whether nothing of the text is seen: it is all white space, control and format characters."""
    return all(unicodedata.category(character)[0] in "CZ" for character in text)


def collapse_spaces(text: str) -> str:
    """The text trimmed, with every run of white space as one space."""
    return " ".join(text.split())
