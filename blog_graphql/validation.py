"""Collecting what is wrong with an input, so that its typist learns of everything at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

from blog_graphql.errors import Problem, ProblemCode, Rejected
from blog_graphql.text import is_blank, is_storable


class Problems:
    """The problems of one input; each check adds to them and tells whether it passed.

    ``field`` arguments are the path from the input's root, such as
    ``("users", "3", "email")``.
    """

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    def add(self, code: ProblemCode, message: str, *field: str) -> None:
        """Note a problem."""
        self._found.append(Problem(code, message, field))

    def invalid(self, message: str, *field: str) -> None:
        """Note a value that cannot be accepted; the message says what would be."""
        self.add(ProblemCode.INVALID, message, *field)

    def taken(self, message: str, *field: str) -> None:
        """Note a value that somebody else has."""
        self.add(ProblemCode.TAKEN, message, *field)

    def not_found(self, message: str, *field: str) -> None:
        """Note a reference to what is not there, or not for the viewer to see."""
        self.add(ProblemCode.NOT_FOUND, message, *field)

    def reject(self, code: ProblemCode, message: str, *field: str) -> NoReturn:
        """Note a problem that leaves nothing else to look at, and refuse the input."""
        self.add(code, message, *field)
        raise Rejected(self._found)

    def raise_any(self) -> None:
        """Refuse the input when anything is wrong with it.

        Raises:
            Rejected: with every problem found.
        """
        if self._found:
            raise Rejected(self._found)

    def check_text(
        self,
        text: str,
        *field: str,
        longest: int,
        shortest: int = 0,
        blank: bool = True,
        name: str = "",
    ) -> bool:
        """Check the length of a text, in characters, and that a database can hold it.

        Messages call it ``name``, or as its field is called.
        """
        name = name or field[-1]
        if not is_storable(text):
            self.invalid(f"{name} must not contain NUL (U+0000) or lone surrogates.", *field)
        elif not shortest <= len(text) <= longest:
            bounds = f"{shortest} to {longest:,}" if shortest else f"at most {longest:,}"
            self.invalid(f"{name} must have {bounds} characters; it has {len(text):,}.", *field)
        elif not blank and is_blank(text):
            self.invalid(f"{name} must not be blank.", *field)
        else:
            return True
        return False
